/// What the state keeps of encounters, invoices and claims.
#pragma once

#include <optional>
#include <vector>

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
    return std::make_tuple(
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
    return std::make_tuple(field("claim", &DecisionRef::claim, "claim"),
                           field("number", &DecisionRef::number, "number of the decision"));
  }
};

struct InvoiceState {
  static constexpr std::string_view kTypeName = "InvoiceState";
  Version<1> version;
  Tag32 encounter;
  GroupElement balance;               ///< Pedersen commitment to what remains payable
  std::optional<DecisionRef> frozen;  ///< uncountersigned decision that holds it

  friend bool operator==(const InvoiceState&, const InvoiceState&) = default;
  static constexpr auto fields() {
    return std::make_tuple(
        field("version", &InvoiceState::version, "format version"),
        field("encounter", &InvoiceState::encounter, "where it belongs"),
        field("balance", &InvoiceState::balance, "commitment to what remains payable"),
        field("frozen", &InvoiceState::frozen, "uncountersigned decision that holds it"));
  }
};

/// States of a claim (contracts.md, claims). A1 reaches filed, opened and withdrawn.
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
  RecordRef payload;               ///< newest version
  std::vector<RecordRef> records;  ///< that the insurer may request beside the payload
  ClaimPhase phase{ClaimPhase::filed};
  TimeMs filed_at;
  std::uint16_t next_decision = 1;
  DeadlineKind due_kind{DeadlineKind::none};
  TimeMs due;                      ///< block time by which due_kind is owed; names deadline/
  std::uint64_t remaining_ms = 0;  ///< left when the clock was stopped
  std::uint32_t flags = 0;         ///< bit FlagRule: raised on this claim

  const InstitutionId& insurer() const { return subject.audience; }
  friend bool operator==(const ClaimState&, const ClaimState&) = default;
  static constexpr auto fields() {
    return std::make_tuple(
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
        field("phase", &ClaimState::phase, "state of the claim"),
        field("filed_at", &ClaimState::filed_at, "block time, ms"),
        field("next_decision", &ClaimState::next_decision, "number of the next decision"),
        field("due_kind", &ClaimState::due_kind, "what is owed next"),
        field("due", &ClaimState::due, "by which block time, ms"),
        field("remaining_ms", &ClaimState::remaining_ms, "left when the clock was stopped"),
        field("flags", &ClaimState::flags, "bit set of flag rules raised on it"));
  }
};

/// The claim of an encounter under a policy.
struct ClaimPointer {
  static constexpr std::string_view kTypeName = "ClaimPointer";
  Version<1> version;
  ClaimId claim;

  friend bool operator==(const ClaimPointer&, const ClaimPointer&) = default;
  static constexpr auto fields() {
    return std::make_tuple(field("version", &ClaimPointer::version, "format version"),
                           field("claim", &ClaimPointer::claim, "claim"));
  }
};

}  // namespace baolian::contracts
