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
#include "contracts/parameters.h"
#include "contracts/state.h"
#include "core/codec_table.h"
#include "crypto/commitment.h"
#include "crypto/pedersen.h"
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

/// Hexadecimal digits, 32 bytes a line, between fences that name the block. Not "hex": the blocks
/// of that name are the ledger's.
std::string bytes_block(const std::string& name, BytesView bytes) {
  std::string out = "```bytes " + name + "\n";
  for (std::size_t at = 0; at < bytes.size(); at += 32) {
    out += to_hex(bytes.subspan(at, std::min<std::size_t>(32, bytes.size() - at))) + "\n";
  }
  return out + "```\n\n";
}

/// The bytes of a block of the document; empty if there is none.
Bytes block_of(const std::string& document, const std::string& name) {
  const std::string head = "```bytes " + name + "\n";
  const std::size_t begin = document.find(head);
  if (begin == std::string::npos) return {};
  std::string digits = document.substr(begin + head.size());
  digits.resize(digits.find("```"));
  std::erase(digits, '\n');
  auto bytes = from_hex(digits);
  return bytes.has_value() ? *bytes : Bytes{};
}

/// 32 bytes that count from `first`.
template <typename Id>
Id counting(std::uint8_t first) {
  Id out;
  for (std::size_t i = 0; i < Id::kSize; ++i) {
    out.bytes[i] = static_cast<std::uint8_t>(first + i);
  }
  return out;
}

// ------------------------------------------------------------------ the worked examples

constexpr std::uint64_t kPaid = 311'290;
constexpr std::uint64_t kReported = 325'500;

/// r of the payout: that of the golden vectors of tests/crypto.
crypto::Scalar payout_blinding() {
  const auto bytes = from_hex("03fcae421b119b26bafd00b62f5b87e41fe5abef52055e4964b82fb213f59301");
  return crypto::Scalar::from(*bytes);
}
crypto::Scalar balance_blinding() {
  crypto::Scalar out;
  out.bytes[0] = 1;
  return out;
}
GroupElement committed(std::uint64_t amount, const crypto::Scalar& blinding) {
  return crypto::pedersen_commit(amount, blinding).value();
}

AccumulatorAmount example_amount() { return {{}, counting<PolicyId>(0xC0), 1, kReported}; }

Commitment example_accumulator() {
  return crypto::commit(crypto::domain::kAccumulator, counting<Salt>(0xE0),
                        encode(example_amount()));
}

ClaimsDecide example_decide() {
  ClaimsDecide out;
  out.claim = counting<ClaimId>(0);
  out.outcome = Outcome::payable;
  out.lines = {{counting<Tag32>(0x20), committed(kPaid, payout_blinding()),
                committed(kReported, balance_blinding())}};
  out.accumulators = {{1, Commitment{}, example_accumulator()}};
  out.withheld = Withheld::declared;
  out.decision = counting<Commitment>(0x60);
  out.escrow = counting<Hash>(0x80);
  return out;
}

/// The offsets of the example's fields, as a reader would count them.
std::string example_offsets() {
  return "| offset | bytes | field |\n|---|---|---|\n"
         "| 0 | 1 | version |\n| 1 | 32 | claim |\n| 33 | 2 | number |\n"
         "| 35 | 4 | payload_version |\n| 39 | 1 | outcome |\n| 40 | 4 | product_version |\n"
         "| 44 | 32 | map |\n| 76 | 2 | rule_set |\n| 78 | 2 | engine |\n"
         "| 80 | 4 | number of lines |\n| 84 | 1 | option of the invoice: there is one |\n"
         "| 85 | 32 | its tag |\n| 117 | 32 | payout |\n| 149 | 32 | balance_before |\n"
         "| 181 | 32 | total_before |\n| 213 | 4 | number of accumulators |\n"
         "| 217 | 2 | id |\n| 219 | 32 | before |\n| 251 | 32 | after |\n"
         "| 283 | 1 | withheld |\n| 284 | 32 | decision |\n| 316 | 32 | escrow |\n"
         "| 348 | 1 | countersigning |\n\n";
}

std::string sums() {
  const ClaimsDecide example = example_decide();
  const auto after = crypto::subtract(example.lines[0].balance_before, example.lines[0].payout);
  return "### Sums without amounts\n\n"
         "Payouts P, balances B and totals T are Pedersen commitments on ristretto255 (RFC 9496), "
         "32 bytes in its canonical encoding, in which bit 255 is 0: C(v, r) = v\\*G + r\\*H, v an "
         "amount in minor units below 2^63, r a number below the order L of the group and not 0, "
         "little-endian in 32 bytes. G is the base point of the group, H the element that RFC "
         "9496, "
         "4.3.4, derives from the 64 bytes SHA-512(second_generator of the genesis). The identity, "
         "32 zero bytes, is a legal balance or total, and what stands where nothing was ever "
         "written; it is no legal P. A payout of 0 is r\\*H alone.\n\n"
         "A payable decision moves, for each of its lines, B to B - P, and T to T + P. Whoever "
         "knows "
         "openings opens the results: (v_B - v_P, r_B - r_P mod L), (v_T + v_P, r_T + r_P mod "
         "L).\n\n"
         "H, of the second_generator `" +
         std::string(crypto::domain::kPedersenH) + "`:\n\n" +
         bytes_block("pedersen-h", crypto::pedersen_h().view()) + "r, and C(0, r):\n\n" +
         bytes_block("pedersen-r", payout_blinding().view()) +
         bytes_block("pedersen-0", committed(0, payout_blinding()).view()) +
         "P = C(311290, r), a payout of 3,112.90:\n\n" +
         bytes_block("pedersen-payout", example.lines[0].payout.view()) +
         "B = C(325500, 1), and B - P:\n\n" +
         bytes_block("pedersen-balance", example.lines[0].balance_before.view()) +
         bytes_block("pedersen-balance-after", after.value().view()) +
         "An accumulator is H(\"accumulator\" `||` 32-byte salt `||` canonical AccumulatorAmount); "
         "zeros where none was written. Of policy c0 c1 ... df, id 1, amount 325500, with the salt "
         "e0 e1 ... ff:\n\n" +
         bytes_block("accumulator-amount", encode(example_amount())) +
         bytes_block("accumulator", example_accumulator().view()) +
         "The decision is H(\"decision\" `||` 32-byte salt `||` canonical Decision of the "
         "insurer's "
         "engine); the escrow H(\"escrow\" `||` sealed bytes). A decision's id is (claim, "
         "number).\n\n"
         "Example: content of claims.decide. Claim 00 01 ... 1f, its first decision, invoice 20 21 "
         "... 3f, P, B and accumulator as above, nothing paid under the policy before, no code "
         "map, "
         "withheld declared, decision 60 61 ... 7f, escrow 80 81 ... 9f, countersigned.\n\n" +
         bytes_block("claims-decide", encode(example)) + example_offsets();
}

// ------------------------------------------------------------------ parameters

struct ParameterText {
  ParameterId id;
  const char* meaning;
};

std::string parameters() {
  const ParameterText texts[] = {
      {ParameterId::transaction_expiry_max_ms,
       "expires_at of a transaction is at most so far ahead"},
      {ParameterId::grant_automatic_ms, "a program's grant expires"},
      {ParameterId::grant_person_ms, "a person's grant expires"},
      {ParameterId::release_end_ms, "a released grant ends"},
      {ParameterId::filing_lapse_ms, "after a report, claims.file lapses"},
      {ParameterId::insurer_request_ms, "filed: the insurer requests the payload"},
      {ParameterId::hospital_release_ms, "granted: the reporter releases the payload"},
      {ParameterId::insurer_decide_ms, "opened: the insurer decides"},
      {ParameterId::transaction_weight_max, "key writes that a transaction declares at most"},
      {ParameterId::block_weight_max, "key writes that a block's transactions declare at most"},
      {ParameterId::person_paper_ms, "waiting_paper: the person brings the paper"},
      {ParameterId::insurer_review_ms, "needs_person: a person decides, from the filing"},
      {ParameterId::second_review_ms, "review requested: two persons decide"},
      {ParameterId::insurer_pay_ms, "decided: the insurer pays"},
      {ParameterId::insurer_explain_ms, "decided: the insurer explains what is withheld"},
      {ParameterId::countersign_silence_ms,
       "opened: a decision without countersignature is allowed"},
  };
  std::string out =
      "### Parameters of an epoch\n\nA parameter that is not in the EpochRecord has its default. "
      "Durations are in ms.\n\n| id | meaning | default |\n|---|---|---|\n";
  const crypto::EpochRecord none;
  for (const ParameterText& text : texts) {
    out += "| " + std::to_string(static_cast<std::uint16_t>(text.id)) + " | " + text.meaning +
           " | " + std::to_string(parameter(none, text.id)) + " |\n";
  }
  out +=
      "\nAn operation declares 1000 + kind, and 2000 + kind for each line, and 3000 + kind for "
      "each "
      "filing, at least 1; a transaction 1 more than its operations. Lines are: consents of "
      "consent.confirm, lines of policies.enrol, invoices of claims.report, lines and accumulators "
      "of claims.decide, count_max of system.sweep. Content that does not decode, and kinds "
      "without "
      "a row, declare 1.\n\n| kind | name | base | a line | a filing |\n|---|---|---|---|---|\n";
  const auto all = default_parameters();
  const auto value_of = [&](unsigned id) -> std::uint64_t {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& p) { return p.id == id; });
    return found == all.end() ? 0 : found->value;
  };
  for (const KindEntry& entry : operation_kinds()) {
    if (entry.availability == Availability::reserved) continue;
    const auto kind = static_cast<std::uint16_t>(entry.kind);
    out += "| " + std::to_string(kind) + " | " + std::string(entry.name) + " | " +
           std::to_string(value_of(1000U + kind)) + " | " + std::to_string(value_of(2000U + kind)) +
           " | " + std::to_string(value_of(3000U + kind)) + " |\n";
  }
  return out + "\n";
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
                       RecordList, Disclosure, PayoutLine, AccumulatorLine, AccumulatorAmount>();
  out += "Contents:\n\n";
  out += content_section<ConsentGive>() + content_section<ConsentConfirm>() +
         content_section<ConsentRevoke>() + content_section<ConsentRegisterKey>() +
         content_section<RecordsRegister>() + content_section<RecordsRead>() +
         content_section<RecordsRequest>() + content_section<RecordsRelease>() +
         content_section<RecordsReceive>() + content_section<ProductRegister>() +
         content_section<PoliciesEnrol>() + content_section<ClaimsReport>() +
         content_section<ClaimsFile>() + content_section<ClaimsDecide>() +
         content_section<ClaimsSupplement>() + content_section<ClaimsPay>() +
         content_section<ClaimsWithdraw>() + content_section<ClaimsRequestReview>() +
         content_section<ClaimsLateCountersign>() + content_section<ClaimsExplained>() +
         content_section<CatalogPublish>() + content_section<SystemSweep>();
  return out + sums();
}

std::string events() {
  std::string out =
      "## 16. Events of the native contracts\n\nBodies of the events in receipts. A code is a "
      "receipt code of docs/error-codes.md.\n\n";
  out += type_sections<FiledClaim, FilingRefusal, WithdrawnClaim, Alarm>();
  out += event_section<ConsentGiven>() + event_section<ConsentsConfirmed>() +
         event_section<ConsentRevoked>() + event_section<PersonKeyRegistered>() +
         event_section<RecordRegistered>() + event_section<RecordWasRead>() +
         event_section<Granted>() + event_section<Denied>() + event_section<Released>() +
         event_section<Received>() + event_section<ProductRegistered>() +
         event_section<Enrolled>() + event_section<Reported>() + event_section<Filed>() +
         event_section<NotFiled>() + event_section<ClaimOpened>() +
         event_section<ClaimsWithdrawn>() + event_section<ClaimDecided>() +
         event_section<ClaimSupplemented>() + event_section<ClaimPaid>() +
         event_section<ClaimWithdrawn>() + event_section<ReviewRequested>() +
         event_section<ClaimExplained>() + event_section<LateCountersigned>() +
         event_section<CatalogPublished>() + event_section<FlagRaised>() +
         event_section<AlarmsRaised>();
  return out;
}

std::string deadline_kinds() {
  std::string out;
  const auto names = enum_names(DeadlineKind{});
  for (std::size_t i = 1; i < names.size(); ++i) {
    out += (i > 1 ? ", " : " ") + std::to_string(i) + " " + std::string(names[i]);
  }
  return out;
}

std::string state_values() {
  return "## 17. State of the native contracts\n\nValues under the keys of section 9.\n\n" +
         type_sections<ChainRules, InstitutionState, MemberState, MemberKey, NonceWindow,
                       ConsentState, PersonKeyState, RecordState, RecordVersion, HolderState,
                       GrantState, ProductState, CatalogState, EnrolmentConsent, PolicyState,
                       EncounterState, InvoiceState, DecisionRef, ClaimState, DecisionState,
                       PolicyTotal, AccumulatorState, ClaimPointer, Marker>() +
         "Kinds in the keys of deadlines:" + deadline_kinds() + ".\n\n" + parameters();
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
      "records.receive received; policies.enrol enrolled; claims.report reported; claims.decide "
      "claim_decided; claims.supplement claim_supplemented; claims.pay claim_paid; claims.withdraw "
      "claim_withdrawn; claims.request_review review_requested; claims.late_countersign "
      "late_countersigned; claims.explained claim_explained; catalog.publish catalog_published; "
      "product.register, claims.file and system.sweep none. claims_withdrawn, opened, not_filed, "
      "filed and alarms_raised may be missing.\n\n"
      "`by` is empty where there is a `-`; `sender`, `sender and attestor`, `custodian` in the "
      "column `by` and words without a field of that name (`yes`, `local`, `released`, `received`) "
      "stand for themselves. A field "
      "is shown as lower-case hexadecimal if it is bytes, by its name if it is an enumeration, in "
      "decimal if it is a number; \"number of\" a list is its length in decimal; an invoice that "
      "is absent is 64 zeros. Other forms:\n\n"
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
      "filed\" (or \"alarm of all events alarms_raised\"): of all events of that kind that decode, "
      "in "
      "order of the receipt, their lists joined, whose item's fields the row names; of "
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
  CHECK(codes.size() == 153);
  CHECK(kinds.size() == 46);
  CHECK(codes == named(fact_codes(), [](std::uint16_t code) { return code_name(code); }));
  CHECK(kinds == named(fact_kinds(), [](std::uint16_t kind) { return kind_name(kind); }));
}

TEST_CASE("docs/formats.md: the worked examples of sums and decisions decode", "[docs]") {
  const std::string document = load();
  const auto element = [&](const std::string& name) {
    const Bytes bytes = block_of(document, name);
    REQUIRE(bytes.size() == GroupElement::kSize);
    return GroupElement::from(bytes);
  };
  CHECK(element("pedersen-h") == crypto::pedersen_h());
  const auto r = crypto::Scalar::from(block_of(document, "pedersen-r"));
  CHECK(element("pedersen-0") == committed(0, r));
  CHECK(element("pedersen-payout") == committed(311'290, r));
  CHECK(crypto::add(element("pedersen-balance-after"), element("pedersen-payout")).value() ==
        element("pedersen-balance"));
  // The balance that is left opens to the difference.
  CHECK(element("pedersen-balance-after") ==
        committed(14'210, crypto::subtract(balance_blinding(), r)));
  const auto amount = decode<AccumulatorAmount>(block_of(document, "accumulator-amount"));
  REQUIRE(amount.has_value());
  CHECK(amount->amount == 325'500);
  const Bytes content = block_of(document, "claims-decide");
  const auto decide = decode<ClaimsDecide>(content);
  REQUIRE(decide.has_value());
  CHECK(encode(*decide) == content);
  CHECK(*decide == example_decide());
  // The offsets that the page names.
  CHECK(content.size() == 349);
  CHECK(BytesView(content).subspan(85, 1)[0] == 0x20);
  CHECK(GroupElement::from(BytesView(content).subspan(117, 32)) == element("pedersen-payout"));
  CHECK(GroupElement::from(BytesView(content).subspan(149, 32)) == element("pedersen-balance"));
  CHECK(Commitment::from(BytesView(content).subspan(251, 32)) ==
        Commitment::from(block_of(document, "accumulator")));
  CHECK(content[283] == static_cast<std::uint8_t>(Withheld::declared));
  CHECK(content[316] == 0x80);
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
  const auto reserved = read_facts(leaf_of(408, ledger::Receipt{}));
  REQUIRE(reserved.has_value());
  REQUIRE(reserved->size() == 1);
  CHECK(reserved->front().value == "claims.undo");
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
