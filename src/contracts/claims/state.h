/// What the state keeps of encounters, invoices and claims.
#pragma once

#include <optional>
#include <vector>

#include "contracts/claims/decision_operations.h"
#include "contracts/claims/operations.h"
#include "contracts/state_keys.h"

namespace baolian::contracts {

/// A reported stay, sale or course.
struct EncounterState {
  static constexpr std::string_view kTypeName = "EncounterState";
  Version<1> version;
  ReportKind kind{ReportKind::inpatient_discharge};
  InstitutionId reporter;
  TimeMs reported_at;
  TimeMs lapses_at;  ///< last block time of claims.file
  PayloadRef payload;
  std::vector<Tag32> invoices;
  std::uint16_t first_month = 0;
  std::uint16_t last_month = 0;
  Commitment subject_commitment;
  Commitment record_list;
  std::optional<SubjectId> care_subject;  ///< once something is filed
  std::vector<RecordRef> records;         ///< once something is filed
  std::vector<Tag32> day_tags;            ///< once something is filed
  std::uint32_t claims = 0;               ///< filed so far; 0 = unfiled

  friend bool operator==(const EncounterState&, const EncounterState&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &EncounterState::version, "format version"),
        field("kind", &EncounterState::kind, "what happened"),
        field("reporter", &EncounterState::reporter, "who reported"),
        field("reported_at", &EncounterState::reported_at, "block time, ms"),
        field("lapses_at", &EncounterState::lapses_at, "last block time of a filing, ms"),
        field("payload", &EncounterState::payload, "the sealed bill"),
        field("invoices", &EncounterState::invoices, set_of(64), "its invoices"),
        field("first_month", &EncounterState::first_month, "civil month of admission"),
        field("last_month", &EncounterState::last_month, "civil month of discharge"),
        field("subject_commitment", &EncounterState::subject_commitment, "to the person"),
        field("record_list", &EncounterState::record_list, "to the list of records"),
        field("care_subject", &EncounterState::care_subject, "once something is filed"),
        field("records", &EncounterState::records, set_of(64), "once something is filed"),
        field("day_tags", &EncounterState::day_tags, set_of(64), "once something is filed"),
        field("claims", &EncounterState::claims, "claims filed so far; 0 = unfiled"));
  }
};

/// A decision of a claim, by number.
struct DecisionRef {
  static constexpr std::string_view kTypeName = "DecisionRef";
  ClaimId claim;
  std::uint16_t number = 0;

  friend bool operator==(const DecisionRef&, const DecisionRef&) = default;
  static constexpr auto fields() {
    return field_list(field("claim", &DecisionRef::claim, "claim"),
                      field("number", &DecisionRef::number, "number of the decision"));
  }
};

struct InvoiceState {
  static constexpr std::string_view kTypeName = "InvoiceState";
  Version<1> version;
  Tag32 encounter;
  GroupElement reported;              ///< B_0 as it was reported
  GroupElement balance;               ///< Pedersen commitment to what remains payable
  std::optional<DecisionRef> frozen;  ///< uncountersigned decision that holds it

  friend bool operator==(const InvoiceState&, const InvoiceState&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &InvoiceState::version, "format version"),
        field("encounter", &InvoiceState::encounter, "where it belongs"),
        field("reported", &InvoiceState::reported, "balance as it was reported"),
        field("balance", &InvoiceState::balance, "commitment to what remains payable"),
        field("frozen", &InvoiceState::frozen, "uncountersigned decision that holds it"));
  }
};

/// States of a claim (contracts.md, claims). void and recovering are of a later version.
enum class ClaimPhase : std::uint8_t {
  filed = 1,
  opened = 2,
  waiting_paper = 3,
  in_review = 4,
  decided = 5,
  paid = 6,
  closed = 7,
  withdrawn = 8,
  void_ = 9,
  recovering = 10,
};
constexpr auto enum_names(ClaimPhase) {
  return std::array<std::string_view, 11>{"",          "filed",   "opened",    "waiting_paper",
                                          "in_review", "decided", "paid",      "closed",
                                          "withdrawn", "void",    "recovering"};
}

/// Whether a decision can be made in this state.
constexpr bool is_decidable(ClaimPhase phase) {
  return phase == ClaimPhase::opened || phase == ClaimPhase::in_review;
}

struct ClaimState {
  static constexpr std::string_view kTypeName = "ClaimState";
  Version<1> version;
  PolicyId policy;
  ProductId product;
  std::uint32_t product_version = 0;
  SubjectId subject;  ///< the insured; the audience is the insurer
  InstitutionId reporter;
  Tag32 encounter;
  ConsentId consent;
  RecordRef payload;                   ///< newest version
  std::vector<RecordRef> records;      ///< that the insurer may request beside the payload
  std::vector<RecordRef> supplements;  ///< brought later, in the order in which they came
  ClaimPhase phase{ClaimPhase::filed};
  TimeMs filed_at;
  TimeMs opened_at;
  std::uint16_t next_decision = 1;
  std::uint16_t unpaid = 0;       ///< payable decisions that are not paid
  std::uint16_t unexplained = 0;  ///< decisions that withhold provisionally, not explained
  std::uint16_t reviews = 0;      ///< reviews that were requested
  DeadlineKind due_kind{DeadlineKind::none};
  TimeMs due;                      ///< block time by which due_kind is owed; names deadline/
  std::uint64_t remaining_ms = 0;  ///< left when the clock was stopped
  std::uint32_t flags = 0;         ///< bit FlagRule: raised on this claim

  const InstitutionId& insurer() const { return subject.audience; }
  friend bool operator==(const ClaimState&, const ClaimState&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &ClaimState::version, "format version"),
        field("policy", &ClaimState::policy, "policy it is under"),
        field("product", &ClaimState::product, "product of that policy"),
        field("product_version", &ClaimState::product_version, "its version"),
        field("subject", &ClaimState::subject, "the insured; the audience is the insurer"),
        field("reporter", &ClaimState::reporter, "hospital or pharmacy"),
        field("encounter", &ClaimState::encounter, "keyed tag of the encounter"),
        field("consent", &ClaimState::consent, "on which it rests"),
        field("payload", &ClaimState::payload, "newest version of the sealed bill"),
        field("records", &ClaimState::records, set_of(64), "further records of the claim"),
        field("supplements", &ClaimState::supplements, at_most(64), "records brought later"),
        field("phase", &ClaimState::phase, "state of the claim"),
        field("filed_at", &ClaimState::filed_at, "block time, ms"),
        field("opened_at", &ClaimState::opened_at, "block time, ms; 0 = not opened"),
        field("next_decision", &ClaimState::next_decision, "number of the next decision"),
        field("unpaid", &ClaimState::unpaid, "payable decisions that are not paid"),
        field("unexplained", &ClaimState::unexplained,
              "provisional decisions that are not explained"),
        field("reviews", &ClaimState::reviews, "reviews that were requested"),
        field("due_kind", &ClaimState::due_kind, "what is owed next"),
        field("due", &ClaimState::due, "by which block time, ms"),
        field("remaining_ms", &ClaimState::remaining_ms, "left when the clock was stopped"),
        field("flags", &ClaimState::flags, "bit set of flag rules raised on it"));
  }
};

/// A payable decision. Others leave nothing but their number and their entry in the claim's log.
struct DecisionState {
  static constexpr std::string_view kTypeName = "DecisionState";
  Version<1> version;
  std::uint32_t payload_version = 0;
  TimeMs decided_at;
  std::vector<Tag32> invoices;  ///< in the order of the decision's lines
  Withheld withheld{Withheld::none};
  Countersigning countersigning{Countersigning::countersigned};
  Commitment decision;
  Hash escrow;
  TimeMs pay_due;
  TimeMs paid_at;       ///< 0 = not paid
  TimeMs explain_due;   ///< 0 = nothing is to be explained
  TimeMs explained_at;  ///< 0 = not explained

  friend bool operator==(const DecisionState&, const DecisionState&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &DecisionState::version, "format version"),
        field("payload_version", &DecisionState::payload_version, "version decided on"),
        field("decided_at", &DecisionState::decided_at, "block time, ms"),
        field("invoices", &DecisionState::invoices, at_most(kPayoutLinesMax),
              "in the order of the lines"),
        field("withheld", &DecisionState::withheld, "whether less than the bill is paid, and how"),
        field("countersigning", &DecisionState::countersigning, "whether the reporter signed"),
        field("decision", &DecisionState::decision, "salted commitment to the decision"),
        field("escrow", &DecisionState::escrow, "hash of the sealed escrow"),
        field("pay_due", &DecisionState::pay_due, "by which block time it is to be paid, ms"),
        field("paid_at", &DecisionState::paid_at, "block time, ms; 0 = not paid"),
        field("explain_due", &DecisionState::explain_due, "ms; 0 = nothing to explain"),
        field("explained_at", &DecisionState::explained_at, "block time, ms; 0 = not explained"));
  }
};

/// T: what was paid under a policy. Absent: the identity.
struct PolicyTotal {
  static constexpr std::string_view kTypeName = "PolicyTotal";
  Version<1> version;
  GroupElement total;

  friend bool operator==(const PolicyTotal&, const PolicyTotal&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &PolicyTotal::version, "format version"),
                      field("total", &PolicyTotal::total, "sum of the payouts"));
  }
};

struct AccumulatorState {
  static constexpr std::string_view kTypeName = "AccumulatorState";
  Version<1> version;
  Commitment amount;

  friend bool operator==(const AccumulatorState&, const AccumulatorState&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &AccumulatorState::version, "format version"),
        field("amount", &AccumulatorState::amount, "commitment to the amount that stands"));
  }
};

/// The claim of an encounter under a policy.
struct ClaimPointer {
  static constexpr std::string_view kTypeName = "ClaimPointer";
  Version<1> version;
  ClaimId claim;

  friend bool operator==(const ClaimPointer&, const ClaimPointer&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &ClaimPointer::version, "format version"),
                      field("claim", &ClaimPointer::claim, "claim"));
  }
};

}  // namespace baolian::contracts
