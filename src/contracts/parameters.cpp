#include "contracts/parameters.h"

#include <algorithm>
#include <array>

#include "contracts/operations.h"

namespace baolian::contracts {
namespace {

constexpr std::uint64_t kMinute = 60'000;
constexpr std::uint64_t kHour = 60 * kMinute;
constexpr std::uint64_t kDay = 24 * kHour;

constexpr std::uint16_t kWeightBase = 1000;
constexpr std::uint16_t kWeightLine = 2000;
constexpr std::uint16_t kWeightFiling = 3000;

constexpr std::uint16_t number(ParameterId id) { return static_cast<std::uint16_t>(id); }
constexpr std::uint16_t weight_id(std::uint16_t table, OperationKind kind) {
  return static_cast<std::uint16_t>(table + static_cast<std::uint16_t>(kind));
}

/// Of one filing: claim, encounter_claim, insurer_claim, consent_claim, deadline and two log
/// entries for each of at most 16 policies.
constexpr std::uint64_t kFilingWeight = kPoliciesPerSubjectMax * 7;

// Ascending by id. Each weight is the number of keys that the rule writes at most; a test executes
// the largest operations against it.
constexpr std::array kDefaults{
    crypto::Parameter{number(ParameterId::transaction_expiry_max_ms), 10 * kMinute},
    crypto::Parameter{number(ParameterId::grant_automatic_ms), 2 * kMinute},
    crypto::Parameter{number(ParameterId::grant_person_ms), 15 * kMinute},
    crypto::Parameter{number(ParameterId::release_end_ms), kDay},
    crypto::Parameter{number(ParameterId::filing_lapse_ms), 730 * kDay},
    crypto::Parameter{number(ParameterId::insurer_request_ms), kDay},
    crypto::Parameter{number(ParameterId::hospital_release_ms), kDay},
    crypto::Parameter{number(ParameterId::insurer_decide_ms), 30 * kDay},
    crypto::Parameter{number(ParameterId::transaction_weight_max), 12'500},
    crypto::Parameter{number(ParameterId::block_weight_max), 50'000},
    crypto::Parameter{number(ParameterId::person_paper_ms), 60 * kDay},
    crypto::Parameter{number(ParameterId::insurer_review_ms), 30 * kDay},
    crypto::Parameter{number(ParameterId::second_review_ms), 15 * kDay},
    crypto::Parameter{number(ParameterId::insurer_pay_ms), 10 * kDay},
    crypto::Parameter{number(ParameterId::insurer_explain_ms), 3 * kDay},
    crypto::Parameter{number(ParameterId::countersign_silence_ms), kDay},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::consent_give), 3},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::consent_confirm), 1},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::consent_revoke),
                      2 + kClaimsPerConsentMax * 4},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::consent_register_key), 3},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::records_register), 2},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::records_read), 6},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::records_request), 11},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::records_release), 8},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::records_receive), 12},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::product_register), 1},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::policies_enrol), 1},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::catalog_publish), 2},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::claims_report), 4},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::claims_file), 3},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::claims_decide), 8},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::claims_supplement), 4},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::claims_pay), 5},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::claims_withdraw), 4},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::claims_request_review), 3},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::claims_late_countersign),
                      2 + kPayoutLinesMax},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::claims_explained), 4},
    crypto::Parameter{weight_id(kWeightBase, OperationKind::system_sweep), 0},
    crypto::Parameter{weight_id(kWeightLine, OperationKind::consent_confirm), 2},
    crypto::Parameter{weight_id(kWeightLine, OperationKind::policies_enrol), 3},
    crypto::Parameter{weight_id(kWeightLine, OperationKind::claims_report), 1},
    crypto::Parameter{weight_id(kWeightLine, OperationKind::claims_decide), 1},
    crypto::Parameter{weight_id(kWeightLine, OperationKind::system_sweep), 3},
    crypto::Parameter{weight_id(kWeightFiling, OperationKind::claims_report), kFilingWeight},
    crypto::Parameter{weight_id(kWeightFiling, OperationKind::claims_file), kFilingWeight},
};

std::uint64_t look_up(const crypto::EpochRecord& epoch, std::uint16_t id) {
  const auto below = [](const crypto::Parameter& p, std::uint16_t wanted) { return p.id < wanted; };
  const auto own = std::lower_bound(epoch.parameters.begin(), epoch.parameters.end(), id, below);
  if (own != epoch.parameters.end() && own->id == id) return own->value;
  const auto standard = std::lower_bound(kDefaults.begin(), kDefaults.end(), id, below);
  return standard != kDefaults.end() && standard->id == id ? standard->value : 0;
}

struct Lines {
  std::uint64_t lines = 0;
  std::uint64_t filings = 0;
};

std::optional<Lines> count_lines(const ledger::Operation& operation) {
  switch (static_cast<OperationKind>(operation.kind)) {
    case OperationKind::consent_confirm: {
      const auto content = decode<ConsentConfirm>(operation.content);
      if (!content) return std::nullopt;
      return Lines{content->consents.size(), 0};
    }
    case OperationKind::policies_enrol: {
      const auto content = decode<PoliciesEnrol>(operation.content);
      if (!content) return std::nullopt;
      return Lines{content->lines.size(), 0};
    }
    case OperationKind::claims_report: {
      const auto content = decode<ClaimsReport>(operation.content);
      if (!content) return std::nullopt;
      return Lines{content->invoices.size(), content->filings.size()};
    }
    case OperationKind::claims_file:
      return Lines{0, 1};
    case OperationKind::claims_decide: {
      const auto content = decode<ClaimsDecide>(operation.content);
      if (!content) return std::nullopt;
      return Lines{content->lines.size() + content->accumulators.size(), 0};
    }
    case OperationKind::system_sweep: {
      const auto content = decode<SystemSweep>(operation.content);
      if (!content) return std::nullopt;
      return Lines{content->count_max, 0};
    }
    default:
      return Lines{};
  }
}

}  // namespace

std::vector<crypto::Parameter> default_parameters() { return {kDefaults.begin(), kDefaults.end()}; }

std::uint64_t parameter(const crypto::EpochRecord& epoch, ParameterId id) {
  return look_up(epoch, number(id));
}

std::uint64_t declared_weight(const crypto::EpochRecord& epoch,
                              const ledger::Operation& operation) {
  const auto lines = count_lines(operation);
  if (!lines) return 1;
  const auto kind = static_cast<OperationKind>(operation.kind);
  if (find_kind(operation.kind) == nullptr) return 1;
  const std::uint64_t weight = look_up(epoch, weight_id(kWeightBase, kind)) +
                               look_up(epoch, weight_id(kWeightLine, kind)) * lines->lines +
                               look_up(epoch, weight_id(kWeightFiling, kind)) * lines->filings;
  return std::max<std::uint64_t>(weight, 1);
}

std::uint64_t declared_weight(const crypto::EpochRecord& epoch,
                              const ledger::TransactionBody& body) {
  std::uint64_t sum = 1;
  for (const ledger::Operation& operation : body.operations) {
    sum += declared_weight(epoch, operation);
  }
  return sum;
}

}  // namespace baolian::contracts
