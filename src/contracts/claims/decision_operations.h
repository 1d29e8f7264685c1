/// Operations of the claims contract from the opened claim to its end (docs/contracts.md, claims;
/// formats.md, Claims).
#pragma once

#include <optional>
#include <vector>

#include "contracts/operation_kind.h"
#include "contracts/types.h"

namespace baolian::contracts {

inline constexpr std::uint32_t kPayoutLinesMax = 64;
inline constexpr std::uint32_t kAccumulatorsMax = 16;
inline constexpr std::uint32_t kSupplementRecordsMax = 16;

/// What a decision pays of one invoice.
struct PayoutLine {
  static constexpr std::string_view kTypeName = "PayoutLine";
  std::optional<Tag32> invoice;  ///< none: a fixed benefit, of a later version
  GroupElement payout;           ///< P = C(p, r_P); p may be 0
  GroupElement balance_before;   ///< B as it stands

  friend auto operator<=>(const PayoutLine&, const PayoutLine&) = default;
  static constexpr auto fields() {
    return field_list(
        field("invoice", &PayoutLine::invoice, "tag of the invoice; none = fixed benefit"),
        field("payout", &PayoutLine::payout, "Pedersen commitment to what is paid"),
        field("balance_before", &PayoutLine::balance_before, "the invoice's balance as it stands"));
  }
};

/// An amount that runs through a policy year and is not a sum of payouts: the eligible expense of a
/// deductible group, the payout of a liability.
struct AccumulatorLine {
  static constexpr std::string_view kTypeName = "AccumulatorLine";
  std::uint16_t id = 0;
  Commitment before;  ///< as it stands; zeros = never written
  Commitment after;

  friend auto operator<=>(const AccumulatorLine&, const AccumulatorLine&) = default;
  static constexpr auto fields() {
    return field_list(
        field("id", &AccumulatorLine::id, "which accumulator of the policy"),
        field("before", &AccumulatorLine::before, "commitment that stands; zeros = none yet"),
        field("after", &AccumulatorLine::after, "commitment that replaces it"));
  }
};

/// The canonical value under an accumulator's commitment: commit("accumulator", salt, this).
struct AccumulatorAmount {
  static constexpr std::string_view kTypeName = "AccumulatorAmount";
  Version<1> version;
  PolicyId policy;
  std::uint16_t id = 0;
  std::uint64_t amount = 0;

  friend bool operator==(const AccumulatorAmount&, const AccumulatorAmount&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &AccumulatorAmount::version, "format version"),
                      field("policy", &AccumulatorAmount::policy, "of which policy"),
                      field("id", &AccumulatorAmount::id, "which accumulator"),
                      field("amount", &AccumulatorAmount::amount, "minor units"));
  }
};

/// Whether the reporter signed a payable decision.
enum class Countersigning : std::uint8_t { countersigned = 0, uncountersigned = 1 };
constexpr auto enum_names(Countersigning) {
  return std::array<std::string_view, 2>{"countersigned", "uncountersigned"};
}

/// claims.decide, by the insurer. Cosigners: the reporter (countersigner), adjusters
/// (second_approver). A decision's id is (claim, number).
struct ClaimsDecide {
  static constexpr std::string_view kTypeName = "ClaimsDecide";
  static constexpr OperationKind kKind = OperationKind::claims_decide;
  Version<1> version;
  ClaimId claim;
  std::uint16_t number = 1;
  std::uint32_t payload_version = 1;
  Outcome outcome{Outcome::needs_person};
  std::uint32_t product_version = 1;
  Hash map;  ///< content hash of a published code map; zeros = none was used
  std::uint16_t rule_set = 1;
  std::uint16_t engine = 1;
  std::vector<PayoutLine> lines;
  GroupElement total_before;  ///< T of the policy as it stands; the identity = none yet
  std::vector<AccumulatorLine> accumulators;
  Withheld withheld{Withheld::none};
  Commitment decision;  ///< commit("decision", salt, canonical Decision)
  Hash escrow;          ///< H("escrow" || sealed escrow); zeros where nothing is payable
  Countersigning countersigning{Countersigning::countersigned};

  friend bool operator==(const ClaimsDecide&, const ClaimsDecide&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &ClaimsDecide::version, "format version"),
        field("claim", &ClaimsDecide::claim, "claim"),
        field("number", &ClaimsDecide::number, "number of this decision, from 1"),
        field("payload_version", &ClaimsDecide::payload_version, "version decided on"),
        field("outcome", &ClaimsDecide::outcome, "what it comes to"),
        field("product_version", &ClaimsDecide::product_version, "of the claim's product"),
        field("map", &ClaimsDecide::map, "content hash of the code map; zeros = none"),
        field("rule_set", &ClaimsDecide::rule_set, "version of the rules"),
        field("engine", &ClaimsDecide::engine, "version of the engine"),
        field("lines", &ClaimsDecide::lines, set_of(kPayoutLinesMax), "payouts, by invoice tag"),
        field("total_before", &ClaimsDecide::total_before,
              "total paid under the policy as it stands"),
        field("accumulators", &ClaimsDecide::accumulators, set_of(kAccumulatorsMax),
              "others, by id"),
        field("withheld", &ClaimsDecide::withheld, "whether less than the bill is paid, and how"),
        field("decision", &ClaimsDecide::decision, "salted commitment to the decision"),
        field("escrow", &ClaimsDecide::escrow, "H(\"escrow\" || sealed escrow)"),
        field("countersigning", &ClaimsDecide::countersigning, "whether the reporter signed"));
  }
};

/// claims.supplement, by a member that registered the records it brings.
struct ClaimsSupplement {
  static constexpr std::string_view kTypeName = "ClaimsSupplement";
  static constexpr OperationKind kKind = OperationKind::claims_supplement;
  Version<1> version;
  ClaimId claim;
  std::vector<RecordRef> records;
  Commitment note;

  friend bool operator==(const ClaimsSupplement&, const ClaimsSupplement&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &ClaimsSupplement::version, "format version"),
                      field("claim", &ClaimsSupplement::claim, "claim that waits for paper"),
                      field("records", &ClaimsSupplement::records,
                            Limits{.max = kSupplementRecordsMax, .min = 1, .ascending = true},
                            "what is brought; registered by the sender"),
                      field("note", &ClaimsSupplement::note, "salted commitment to a note"));
  }
};

/// claims.withdraw, for the insured person.
struct ClaimsWithdraw {
  static constexpr std::string_view kTypeName = "ClaimsWithdraw";
  static constexpr OperationKind kKind = OperationKind::claims_withdraw;
  Version<1> version;
  ClaimId claim;
  Commitment evidence;

  friend bool operator==(const ClaimsWithdraw&, const ClaimsWithdraw&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &ClaimsWithdraw::version, "format version"),
        field("claim", &ClaimsWithdraw::claim, "claim"),
        field("evidence", &ClaimsWithdraw::evidence, "salted commitment to the evidence"));
  }
};

enum class PayeeKind : std::uint8_t { person = 1, institution = 2 };
constexpr auto enum_names(PayeeKind) {
  return std::array<std::string_view, 3>{"", "person", "institution"};
}

/// claims.pay, by the insurer, after its payment service answered.
struct ClaimsPay {
  static constexpr std::string_view kTypeName = "ClaimsPay";
  static constexpr OperationKind kKind = OperationKind::claims_pay;
  Version<1> version;
  ClaimId claim;
  std::uint16_t number = 1;
  PayeeKind payee_kind{PayeeKind::person};
  Commitment reference;
  std::optional<Tag32> payee;

  friend bool operator==(const ClaimsPay&, const ClaimsPay&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &ClaimsPay::version, "format version"),
        field("claim", &ClaimsPay::claim, "claim"),
        field("number", &ClaimsPay::number, "number of the decision"),
        field("payee_kind", &ClaimsPay::payee_kind, "who was paid"),
        field("reference", &ClaimsPay::reference,
              "salted commitment to the payment service's reference"),
        field("payee", &ClaimsPay::payee, "tag of a payee institution; none for the person"));
  }
};

/// claims.explained, by the insurer: the person had the explanation of what is withheld.
struct ClaimsExplained {
  static constexpr std::string_view kTypeName = "ClaimsExplained";
  static constexpr OperationKind kKind = OperationKind::claims_explained;
  Version<1> version;
  ClaimId claim;
  std::uint16_t number = 1;
  Commitment explanation;

  friend bool operator==(const ClaimsExplained&, const ClaimsExplained&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &ClaimsExplained::version, "format version"),
                      field("claim", &ClaimsExplained::claim, "claim"),
                      field("number", &ClaimsExplained::number, "number of the decision"),
                      field("explanation", &ClaimsExplained::explanation,
                            "salted commitment to the explanation as given"));
  }
};

/// claims.request_review, for the insured person.
struct ClaimsRequestReview {
  static constexpr std::string_view kTypeName = "ClaimsRequestReview";
  static constexpr OperationKind kKind = OperationKind::claims_request_review;
  Version<1> version;
  ClaimId claim;
  Commitment evidence;

  friend bool operator==(const ClaimsRequestReview&, const ClaimsRequestReview&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &ClaimsRequestReview::version, "format version"),
        field("claim", &ClaimsRequestReview::claim, "claim"),
        field("evidence", &ClaimsRequestReview::evidence, "salted commitment to the request"));
  }
};

/// claims.late_countersign, by the reporter.
struct ClaimsLateCountersign {
  static constexpr std::string_view kTypeName = "ClaimsLateCountersign";
  static constexpr OperationKind kKind = OperationKind::claims_late_countersign;
  Version<1> version;
  ClaimId claim;
  std::uint16_t number = 1;

  friend bool operator==(const ClaimsLateCountersign&, const ClaimsLateCountersign&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &ClaimsLateCountersign::version, "format version"),
                      field("claim", &ClaimsLateCountersign::claim, "claim"),
                      field("number", &ClaimsLateCountersign::number, "number of the decision"));
  }
};

}  // namespace baolian::contracts
