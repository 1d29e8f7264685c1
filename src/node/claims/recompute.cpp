#include "node/claims/recompute.h"

#include <algorithm>

#include "contracts/adjudication/explain.h"
#include "crypto/pedersen.h"

namespace baolian::node {
namespace {

using contracts::ClaimsDecide;

bool opens(const GroupElement& commitment, const BalanceOpening& opening) {
  const auto computed = crypto::pedersen_commit(opening.amount, opening.blinding);
  return computed && *computed == commitment;
}

bool payouts_open(const ClaimsDecide& content, const DecisionFile& file) {
  if (file.payouts.size() != content.lines.size()) return false;
  for (std::size_t i = 0; i < file.payouts.size(); ++i) {
    if (!opens(content.lines[i].payout, file.payouts[i])) return false;
  }
  return true;
}

bool balances_open(const ClaimsDecide& content, const DecisionFile& file) {
  if (file.balances.size() != content.lines.size()) return false;
  for (std::size_t i = 0; i < file.balances.size(); ++i) {
    const auto after = crypto::subtract(content.lines[i].balance_before, content.lines[i].payout);
    if (!after || !opens(*after, file.balances[i])) return false;
  }
  return true;
}

bool total_opens(const ClaimsDecide& content, const DecisionFile& file) {
  GroupElement total = content.total_before;
  for (const auto& line : content.lines) {
    const auto more = crypto::add(total, line.payout);
    if (!more) return false;
    total = *more;
  }
  return file.total && opens(total, *file.total);
}

bool accumulators_open(const PolicyId& policy, const ClaimsDecide& content,
                       const DecisionFile& file) {
  if (file.accumulators.size() != content.accumulators.size()) return false;
  for (std::size_t i = 0; i < file.accumulators.size(); ++i) {
    const bool same =
        content.accumulators[i].id == file.accumulators[i].id &&
        content.accumulators[i].after == accumulator_commitment(policy, file.accumulators[i]);
    if (!same) return false;
  }
  return true;
}

std::uint64_t sum(const std::vector<BalanceOpening>& openings) {
  std::uint64_t out = 0;
  for (const auto& opening : openings) out += opening.amount;
  return out;
}

}  // namespace

bool Recomputation::holds() const {
  return payable == recomputed &&
         std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.holds; });
}

Result<Recomputation> recompute(const Services& services, const PublicContents& contents,
                                const ClaimId& id, const ClaimsDecide& content) {
  TRY(const KeptDecision kept, services.book.find(content.decision));
  TRY(const contracts::Decision decided, decode<contracts::Decision>(kept.file.decision));
  TRY(CaseFile file, open_case(services, contents, id));
  // By the map of then, not by the newest one.
  file.map.reset();
  if (!content.map.is_zero()) {
    TRY(file.map, contents.code_map(content.map));
  }
  Recomputation out;
  const contracts::Decision again =
      contracts::decide(file.input(kept.file.standings, decided.before, kept.file.ruling));
  out.payable = decided.payable;
  out.recomputed = again.payable;
  out.checks = {
      {"the bill is what was reported", file.differences.empty()},
      {"the decision opens its commitment",
       decision_commitment(kept.file.decision_salt, kept.file.decision) == content.decision},
      {"the engine decides the same to the last byte", encode(again) == kept.file.decision},
      {"the payouts open", payouts_open(content, kept.file)},
      {"their sum is what was decided", sum(kept.file.payouts) == decided.payable},
      {"the balances afterwards open", balances_open(content, kept.file)},
      {"the policy's total afterwards opens", total_opens(content, kept.file)},
      {"the accumulators afterwards open",
       accumulators_open(file.claim.policy, content, kept.file)},
      {"the escrow is the one named", escrow_hash(kept.escrow) == content.escrow}};
  const std::string reason = kept.file.ruling ? kept.file.ruling->reason : std::string();
  out.explanation_zh =
      contracts::explain(file.product, file.payload, again, contracts::Language::zh, reason);
  out.explanation_en =
      contracts::explain(file.product, file.payload, again, contracts::Language::en, reason);
  return out;
}

}  // namespace baolian::node
