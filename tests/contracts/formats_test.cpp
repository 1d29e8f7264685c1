/// Sections 15 to 18 of docs/formats.md: contents, events, state and facts of the native contracts.
/// They are made from the declared types; the test holds the document against them.
/// BAOLIAN_REWRITE=1 writes them anew.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "contracts/events.h"
#include "contracts/facts.h"
#include "contracts/operations.h"
#include "contracts/state.h"
#include "core/codec_table.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::contracts;

namespace {

constexpr std::string_view kBegin = "<!-- contracts: made from the source -->\n";
constexpr std::string_view kEnd = "<!-- contracts: end -->\n";

std::string document_path() { return std::string(BAOLIAN_SOURCE_DIR) + "/docs/formats.md"; }

std::string load() {
  std::ifstream in(document_path());
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

template <typename T>
std::string type_section() {
  return "**" + std::string(T::kTypeName) + "**\n\n" + format_table<T>() + "\n";
}
template <typename... T>
std::string type_sections() {
  return (type_section<T>() + ...);
}

template <typename T>
std::string content_section() {
  const auto number = static_cast<std::uint16_t>(T::kKind);
  return "**" + std::string(T::kTypeName) + "**: content of " + std::string(kind_name(number)) +
         ", kind " + std::to_string(number) + "\n\n" + format_table<T>() + "\n";
}
template <typename T>
std::string event_section() {
  const auto number = static_cast<std::uint16_t>(T::kKind);
  return "**" + std::string(T::kTypeName) + "**: event " + std::string(event_name(number)) +
         ", kind " + std::to_string(number) + "\n\n" + format_table<T>() + "\n";
}

std::string contents() {
  std::string out =
      "## 15. Operations of the native contracts\n\n"
      "What each operation means, who signs it and what is checked: docs/contracts.md. Numbers of "
      "operations:\n\n| kind | name | |\n|---|---|---|\n";
  for (const KindEntry& entry : operation_kinds()) {
    out += "| " + std::to_string(static_cast<std::uint16_t>(entry.kind)) + " | " +
           std::string(entry.name) + " | " +
           (entry.availability == Availability::reserved ? "reserved" : "") + " |\n";
  }
  out += "\nParts of contents:\n\n";
  out += type_sections<SubjectId, Basis, Originator, Journal, RecordRef, ConsentException,
                       ConsentTerms, ConsentReference, EnrolLine, PayloadRef, InvoiceLine, Filing,
                       RecordList, Disclosure>();
  out += "Contents:\n\n";
  out += content_section<ConsentGive>() + content_section<ConsentConfirm>() +
         content_section<ConsentRevoke>() + content_section<ConsentRegisterKey>() +
         content_section<RecordsRegister>() + content_section<RecordsRead>() +
         content_section<RecordsRequest>() + content_section<RecordsRelease>() +
         content_section<RecordsReceive>() + content_section<ProductRegister>() +
         content_section<PoliciesEnrol>() + content_section<ClaimsReport>() +
         content_section<ClaimsFile>();
  return out;
}

std::string events() {
  std::string out =
      "## 16. Events of the native contracts\n\nBodies of the events in receipts. A code is a "
      "receipt code of docs/error-codes.md.\n\n";
  out += type_sections<FiledClaim, FilingRefusal, WithdrawnClaim>();
  out += event_section<ConsentGiven>() + event_section<ConsentsConfirmed>() +
         event_section<ConsentRevoked>() + event_section<PersonKeyRegistered>() +
         event_section<RecordRegistered>() + event_section<RecordWasRead>() +
         event_section<Granted>() + event_section<Denied>() + event_section<Released>() +
         event_section<Received>() + event_section<ProductRegistered>() +
         event_section<Enrolled>() + event_section<Reported>() + event_section<Filed>() +
         event_section<NotFiled>() + event_section<ClaimOpened>() +
         event_section<ClaimsWithdrawn>() + event_section<FlagRaised>();
  return out;
}

std::string state_values() {
  return "## 17. State of the native contracts\n\nValues under the keys of section 9.\n\n" +
         type_sections<ChainRules, InstitutionState, MemberState, MemberKey, NonceWindow,
                       ConsentState, PersonKeyState, RecordState, RecordVersion, HolderState,
                       GrantState, ProductState, PolicyState, EncounterState, InvoiceState,
                       DecisionRef, ClaimState, ClaimPointer, Marker>() +
         "Kinds in the keys of deadlines: 1 insurer_request, 2 hospital_release, 3 "
         "insurer_decide.\n\n";
}

std::string cell(std::string_view text) { return text.empty() ? "-" : std::string(text); }

std::string facts() {
  std::string out =
      "## 18. Facts of the native contracts, texts version 1\n\n"
      "What an operation adds to the facts of section 11. Nothing if receipt.status is "
      "transaction_rejected. Else, in this order:\n\n"
      "1. `operation`: the name of the kind in the table of kinds, version 1 (section 11); left "
      "out if it has none there. Enforced.\n"
      "2. If the status is rejected, `code_name`: the name of receipt.code in the table of codes, "
      "version 1 (section 11); left out if it has none there. Enforced. Nothing follows: content "
      "and events of a rejected operation are not looked into.\n"
      "3. If it is applied and the kind has a table below, the rows of that table, in their order. "
      "Any other kind, a reserved one too, adds nothing more, and its content is not decoded.\n\n"
      "In step 3 the content must decode as the type of its kind (section 15). `value` and `by` "
      "name a field of the content, or of an event of the receipt: \"event granted.reader\" is "
      "field reader of event granted. An event is the first one of the receipt that has the number "
      "of the kind and a body that decodes (section 16); events of the number that do not decode "
      "are passed over. The file is refused in step 9 of section 11 if the content does not "
      "decode, if a request has both granted and denied, or if an event is missing that an applied "
      "operation of the kind always has: consent.give consent_given; consent.confirm "
      "consents_confirmed; consent.revoke consent_revoked; records.register record_registered; "
      "records.read record_read; records.request granted or denied; records.release released; "
      "records.receive received; policies.enrol enrolled; claims.report reported; product.register "
      "and claims.file none. claims_withdrawn, opened, not_filed and filed may be missing.\n\n"
      "`by` is empty where there is a `-`; `sender`, `sender and attestor`, `custodian` in the "
      "column `by` and words without a field of that name (`yes`, `local`, `released`, `received`) "
      "stand for themselves. A field "
      "is shown as lower-case hexadecimal if it is bytes, by its name if it is an enumeration, in "
      "decimal if it is a number; \"number of\" a list is its length in decimal. Other forms:\n\n"
      "| word | form |\n|---|---|\n"
      "| SUBJECT | `care` if the audience is zeros, else its hexadecimal; `/`; the value |\n"
      "| RECORD | record id, ` version `, decimal version |\n"
      "| SET | the names in order, one space between |\n"
      "| TIME | the civil time of section 11 for offset 0, with `Z` in the place of `+00:00`: "
      "`2026-11-22T04:26:33.708Z`; from the year 9999 on the decimal digits and ` ms` |\n"
      "| DATE | civil date of a day since 1970-01-01, as `2026-01-31`; years above 9999 have more "
      "digits |\n"
      "| MONTH | civil month since 1970-01, as `2026-01` |\n"
      "| CODE | the name of the code in the table of codes, version 1 (section 11); the decimal "
      "number if it has none there |\n"
      "| INSTITUTION | `institution `, hexadecimal id |\n\n"
      "\"line i\": the fact belongs to that line of a batch, from 0. Lines come after all rows of "
      "the whole operation, to which the other rows belong: first line 0, all rows of a line "
      "together. \"one fact each\": a fact for each item, in order. \"the i-th claim of all events "
      "filed\": of all events filed that decode, in order of the receipt, their lists joined; of "
      "other events only the first counts. Content and events are not compared with each other: "
      "that they agree was for the validators to see. Kinds and codes that get a number later get "
      "these facts with a later version of texts.\n\n";
  std::string_view kind;
  for (const FactRule& rule : fact_rules()) {
    const std::string_view name = kind_name(static_cast<std::uint16_t>(rule.kind));
    if (name != kind) {
      out += (kind.empty() ? "**" : "\n**") + std::string(name) +
             "**\n\n| fact | value | label | by | when |\n|---|---|---|---|---|\n";
      kind = name;
    }
    out += "| " + std::string(rule.name) + " | " + std::string(rule.value) + " | " +
           std::string(enum_name(rule.label)) + " | " + cell(rule.by) + " | " + cell(rule.when) +
           " |\n";
  }
  return out;
}

std::string expected() {
  return std::string(kBegin) + "\n" + contents() + events() + state_values() + facts() +
         std::string(kEnd);
}

/// The document with its sections replaced, or appended if they are not there.
std::string filled(const std::string& document) {
  const std::size_t begin = document.find(kBegin);
  const std::size_t end = document.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos) return document + "\n" + expected();
  return document.substr(0, begin) + expected() + document.substr(end + kEnd.size());
}

/// The rows between the markers of a frozen block: number and name.
std::vector<std::pair<std::uint16_t, std::string>> frozen_rows(const std::string& document,
                                                               const std::string& name) {
  const std::size_t begin = document.find("<!-- frozen:" + name + " -->\n");
  const std::size_t end = document.find("<!-- frozen: end -->\n", begin);
  if (begin == std::string::npos || end == std::string::npos) return {};
  std::istringstream in(document.substr(begin, end - begin));
  std::vector<std::pair<std::uint16_t, std::string>> rows;
  std::string line;
  while (std::getline(in, line)) {
    unsigned number = 0;
    char text[64] = {};
    if (std::sscanf(line.c_str(), "| %u | %63[a-z_.] |", &number, text) == 2) {
      rows.emplace_back(static_cast<std::uint16_t>(number), text);
    }
  }
  return rows;
}

/// Every number that has a name in the source and stands in the ranges of texts version 1.
template <typename NameOf>
std::vector<std::pair<std::uint16_t, std::string>> named(std::span<const NumberRange> ranges,
                                                         const NameOf& name_of) {
  std::vector<std::pair<std::uint16_t, std::string>> rows;
  for (const NumberRange& range : ranges) {
    for (std::uint32_t number = range.first; number <= range.last; ++number) {
      const auto small = static_cast<std::uint16_t>(number);
      rows.emplace_back(small, std::string(name_of(small)));
    }
  }
  return rows;
}

}  // namespace

// Never written anew: what was published stays, while the tables of the source may grow.
TEST_CASE("docs/formats.md: codes and kinds of texts version 1 are frozen", "[docs][facts]") {
  const std::string document = load();
  const auto codes = frozen_rows(document, "codes 1");
  const auto kinds = frozen_rows(document, "kinds 1");
  CHECK(codes.size() == 120);
  CHECK(kinds.size() == 46);
  CHECK(codes == named(fact_codes(), [](std::uint16_t code) { return code_name(code); }));
  CHECK(kinds == named(fact_kinds(), [](std::uint16_t kind) { return kind_name(kind); }));
}

TEST_CASE("facts: a number that is not of texts version 1 is shown as a number", "[facts]") {
  const auto leaf_of = [](std::uint16_t kind, const ledger::Receipt& receipt) {
    ledger::OperationLeaf leaf;
    leaf.operation = encode(
        ledger::Operation{.kind = kind, .request_id = {}, .content = {}, .cosignatures = {}});
    leaf.receipt = encode(receipt);
    return leaf;
  };
  ledger::Receipt rejected;
  rejected.status = ledger::ReceiptStatus::rejected;
  rejected.code = 9;
  CHECK(read_facts(leaf_of(16, rejected)).value().empty());
  rejected.code = 8;
  CHECK(read_facts(leaf_of(15, rejected)).value().size() == 2);
  const auto reserved = read_facts(leaf_of(901, ledger::Receipt{}));
  REQUIRE(reserved.has_value());
  REQUIRE(reserved->size() == 1);
  CHECK(reserved->front().value == "system.sweep");
}

TEST_CASE("facts: what was checked against a statement is stated", "[facts]") {
  RecordsRequest content;
  content.originator.signed_by = SignedBy::institution;
  const std::string reader = "institution " + content.originator.institution.hex();
  ledger::OperationLeaf leaf;
  leaf.operation = encode(make_operation(content, {}));
  Denied denied;
  denied.subject = SubjectId{};
  ledger::Receipt receipt;
  receipt.events.push_back(make_event(denied));
  leaf.receipt = encode(receipt);
  const auto facts = read_facts(leaf);
  REQUIRE(facts.has_value());
  std::size_t seen = 0;
  for (const ledger::Fact& fact : *facts) {
    if (fact.name != "mode" && fact.name != "member" && fact.name != "subject") continue;
    INFO(fact.name);
    CHECK(fact.label == ledger::Label::stated);
    CHECK(fact.by == (fact.name == "subject" ? "custodian" : reader));
    ++seen;
  }
  CHECK(seen == 3);
  receipt.events.push_back(make_event(Granted{}));
  leaf.receipt = encode(receipt);
  CHECK_FALSE(read_facts(leaf).has_value());
}

TEST_CASE("docs/formats.md has the contents, events, state and facts of the source", "[docs]") {
  const std::string document = load();
  REQUIRE_FALSE(document.empty());
  const std::string wanted = filled(document);
  if (std::getenv("BAOLIAN_REWRITE") != nullptr) {
    std::ofstream(document_path()) << wanted;
    return;
  }
  // Not CHECK(a == b): a difference would print the whole document.
  const bool is_same = document == wanted;
  CHECK(is_same);
}
