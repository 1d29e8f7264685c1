#include "node/claims/opening_book.h"

#include "contracts/claims/decision_operations.h"
#include "crypto/commitment.h"
#include "crypto/hash.h"
#include "crypto/pedersen.h"

namespace baolian::node {
namespace {

constexpr std::string_view kDecisionPrefix = "decision-";
constexpr std::string_view kSumsPrefix = "sums-";

}  // namespace

Hash escrow_hash(BytesView sealed) {
  return crypto::hash_in_domain(crypto::domain::kEscrow, {sealed});
}

Commitment accumulator_commitment(const PolicyId& policy, const AccumulatorOpening& opening) {
  return crypto::commit(
      crypto::domain::kAccumulator, opening.salt,
      encode(contracts::AccumulatorAmount{{}, policy, opening.id, opening.amount}));
}

Commitment decision_commitment(const Salt& salt, BytesView decision) {
  return crypto::commit(crypto::domain::kDecision, salt, decision);
}

Result<std::unique_ptr<OpeningBook>> OpeningBook::open(const std::string& directory,
                                                       crypto::Secret key) {
  TRY(vault::SealedDirectory files,
      vault::SealedDirectory::open(directory, "openings", std::move(key)));
  std::unique_ptr<OpeningBook> book(new OpeningBook(std::move(files)));
  TRY(const std::vector<std::string> names, book->files_.names());
  for (const auto& name : names) {
    TRY(const crypto::Secret plain, book->files_.get(name));
    if (name.starts_with(kDecisionPrefix)) {
      TRY(const KeptDecision kept, decode<KeptDecision>(plain.view()));
      book->index(kept.file, name);
    } else {
      TRY(const SumOpenings sums, decode<SumOpenings>(plain.view()));
      book->index(sums);
    }
  }
  return book;
}

Result<void> OpeningBook::keep(const KeptDecision& decision) {
  const std::string name =
      std::string(kDecisionPrefix) + crypto::sha256(decision.file.content).hex();
  Bytes plain = encode(decision);
  auto kept = files_.put(name, plain);
  crypto::wipe(plain);
  TRY(std::move(kept));
  index(decision.file, name);
  return ok();
}

Result<void> OpeningBook::keep(const SumOpenings& sums) {
  if (sums.sums.empty()) return ok();
  Bytes plain = encode(sums);
  auto kept = files_.put(std::string(kSumsPrefix) + sums.sums.front().sum.hex(), plain);
  crypto::wipe(plain);
  TRY(std::move(kept));
  index(sums);
  return ok();
}

void OpeningBook::index(const DecisionFile& file, const std::string& name) {
  const auto content = decode<contracts::ClaimsDecide>(file.content);
  if (!content) return;
  const std::lock_guard lock(mutex_);
  decisions_[content->decision] = name;
  for (std::size_t i = 0; i < content->lines.size() && i < file.balances.size(); ++i) {
    const auto& line = content->lines[i];
    if (auto after = crypto::subtract(line.balance_before, line.payout)) {
      sums_[*after] = file.balances[i];
    }
  }
  if (file.total) {
    GroupElement total = content->total_before;
    for (const auto& line : content->lines) {
      if (auto more = crypto::add(total, line.payout)) total = *more;
    }
    sums_[total] = *file.total;
  }
  for (std::size_t i = 0; i < content->accumulators.size() && i < file.accumulators.size(); ++i) {
    accumulators_[content->accumulators[i].after] = file.accumulators[i];
  }
}

void OpeningBook::index(const SumOpenings& sums) {
  const std::lock_guard lock(mutex_);
  for (const auto& one : sums.sums) sums_[one.sum] = one.opening;
}

std::optional<BalanceOpening> OpeningBook::sum(const GroupElement& commitment) const {
  if (commitment.is_zero()) return BalanceOpening{};
  const std::lock_guard lock(mutex_);
  const auto found = sums_.find(commitment);
  return found == sums_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<AccumulatorOpening> OpeningBook::accumulator(const Commitment& commitment) const {
  if (commitment.is_zero()) return AccumulatorOpening{};
  const std::lock_guard lock(mutex_);
  const auto found = accumulators_.find(commitment);
  return found == accumulators_.end() ? std::nullopt : std::optional(found->second);
}

Result<KeptDecision> OpeningBook::find(const Commitment& decision) const {
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    const auto found = decisions_.find(decision);
    if (found == decisions_.end()) {
      return fail(Errc::not_found, "the openings of that decision are not kept here");
    }
    name = found->second;
  }
  TRY(const crypto::Secret plain, files_.get(name));
  return decode<KeptDecision>(plain.view());
}

}  // namespace baolian::node
