/// Sections 15 to 18 of docs/formats.md: contents, events, state and facts of the native contracts.
/// They are made from the declared types; the test holds the document against them.
/// BAOLIAN_REWRITE=1 writes them anew.
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
         content_section<ConsentRevoke>() + content_section<RecordsRegister>() +
         content_section<RecordsRead>() + content_section<RecordsRequest>() +
         content_section<RecordsRelease>() + content_section<RecordsReceive>() +
         content_section<ProductRegister>() + content_section<PoliciesEnrol>() +
         content_section<ClaimsReport>() + content_section<ClaimsFile>();
  return out;
}

std::string events() {
  std::string out =
      "## 16. Events of the native contracts\n\nBodies of the events in receipts. A code is a "
      "receipt code of docs/error-codes.md.\n\n";
  out += type_sections<FiledClaim, FilingRefusal, WithdrawnClaim>();
  out += event_section<ConsentGiven>() + event_section<ConsentsConfirmed>() +
         event_section<ConsentRevoked>() + event_section<RecordRegistered>() +
         event_section<RecordWasRead>() + event_section<Granted>() + event_section<Denied>() +
         event_section<Released>() + event_section<Received>() +
         event_section<ProductRegistered>() + event_section<Enrolled>() +
         event_section<Reported>() + event_section<Filed>() + event_section<NotFiled>() +
         event_section<ClaimOpened>() + event_section<ClaimsWithdrawn>() +
         event_section<FlagRaised>();
  return out;
}

std::string state_values() {
  return "## 17. State of the native contracts\n\nValues under the keys of section 9.\n\n" +
         type_sections<ChainRules, InstitutionState, MemberState, MemberKey, NonceWindow,
                       ConsentState, RecordState, RecordVersion, HolderState, GrantState,
                       ProductState, PolicyState, EncounterState, InvoiceState, DecisionRef,
                       ClaimState, ClaimPointer, Marker>() +
         "Kinds in the keys of deadlines: 1 insurer_request, 2 hospital_release, 3 "
         "insurer_decide.\n\n";
}

std::string cell(std::string_view text) { return text.empty() ? "-" : std::string(text); }

std::string facts() {
  std::string out =
      "## 18. Facts of the native contracts, texts version 1\n\n"
      "What an operation adds to the facts of section 11. Nothing if receipt.status is "
      "transaction_rejected, or if its kind is not in the table of section 15 and the status is "
      "applied. Else, in this order:\n\n"
      "1. `operation`: the name of the kind in section 15; left out if it has none. Enforced.\n"
      "2. If the status is rejected, `code_name`: the name of receipt.code in docs/error-codes.md, "
      "Receipt codes; left out if it has none. Enforced. Nothing follows.\n"
      "3. If it is applied, the rows of its kind below, in their order.\n\n"
      "The content must decode as the type of its kind (section 15). `value` and `by` name a field "
      "of the content, or of an event of the receipt: \"event granted.reader\" is field reader of "
      "event granted. An event is the first one of the receipt that has the number of the kind and "
      "a body that decodes (section 16); events of the number that do not decode are passed over. "
      "A file is refused if the content does not decode, or if an event is missing that an "
      "applied operation of the kind always has (consent.give: consent_given; consent.confirm: "
      "consents_confirmed; consent.revoke: consent_revoked; records.register: record_registered; "
      "records.read: record_read; records.request: granted, or if there is none denied; "
      "records.release: released; records.receive: received; policies.enrol: enrolled; "
      "claims.report: reported). claims_withdrawn, opened, not_filed and filed may be missing.\n\n"
      "`by` is empty where there is a `-`; `sender`, `sender and attestor` and words without a "
      "field of that name (`yes`, `local`, `released`, `received`) stand for themselves. A field "
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
      "| CODE | the name of the code in docs/error-codes.md, Receipt codes; the decimal number if "
      "it has none |\n"
      "| INSTITUTION | `institution `, hexadecimal id |\n\n"
      "\"line i\": the fact belongs to that line of a batch, from 0; the facts of line 0 come "
      "first, all rows of a line together. Other rows belong to the whole operation. \"one fact "
      "each\": a fact for each item, in order. Kinds and codes that get a number later get these "
      "facts with a later version of texts.\n\n";
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

}  // namespace

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
