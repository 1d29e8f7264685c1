/// Blocks of a chain, wherever they are, and how they leave the store. The order that keeps them
/// from being lost is the caller's: an archive file that was read back, then prune(), then
/// reclaim().
#include <algorithm>
#include <mutex>

#include "ledger/archive.h"
#include "ledger/block_leaves.h"
#include "ledger/chain.h"
#include "ledger/chain_state.h"

namespace baolian::ledger {
namespace {

Error wrong_archive(std::string what) { return fail(Errc::store_corrupt, std::move(what)); }

/// Does the block from an archive belong to this header? Its batch is what consensus' digest says,
/// which who uses batches checks.
Result<void> check_archived(const StoredBlock& block, const Header& header) {
  if (block.header != header) return wrong_archive("the archived block has another header");
  TRY(const std::vector<OperationLeaf> leaves, leaves_of_block(block));
  std::vector<Hash> hashes;
  hashes.reserve(leaves.size());
  for (const OperationLeaf& leaf : leaves) hashes.push_back(merkle_leaf_hash(encode(leaf)));
  if (merkle_root(hashes) != header.operations_root) {
    return wrong_archive("the archived block does not give the header's operations_root");
  }
  return ok();
}

}  // namespace

Height Chain::first_block() const {
  const std::shared_lock lock(state_->mutex);
  return std::max(state_->pruned, base()).next();
}

Result<StoredBlock> Chain::read_block(Height height) const {
  if (height > this->height()) {
    return fail(Errc::not_found, "this node has not executed that height");
  }
  // The row first: prune() may come between two looks.
  if (auto row = read_row<StoredBlock>(*state_->store, Family::blocks, chain_keys::block(height))) {
    return *std::move(row);
  }
  if (height >= first_block()) {
    return wrong_archive("the row of block " + std::to_string(height.value) +
                         " is missing; check this node with `baolian audit verify-node`");
  }
  if (state_->archive == nullptr) {
    return fail(Errc::pruned, "block " + std::to_string(height.value) +
                                  " is not on this node, which has no archive; ask a node that "
                                  "keeps it");
  }
  TRY(StoredBlock block, state_->archive->block(height));
  const auto header = this->header(height);
  if (!header) return fail(Errc::not_found, "the header of that height is not on this node");
  if (auto holds = check_archived(block, *header); !holds) {
    return fail(Errc::store_corrupt, "block " + std::to_string(height.value) + ": " +
                                         holds.error().context +
                                         "; copy the archive file from another node");
  }
  return block;
}

SharedLeaves Chain::shared_leaves(Height height) const {
  {
    const std::shared_lock lock(state_->mutex);
    const auto& recent = state_->recent_leaves;
    if (!recent.empty() && recent.front().first <= height && height <= recent.back().first) {
      return recent[height.value - recent.front().first.value].second;
    }
  }
  auto leaves = read_leaves(height);
  if (!leaves) return nullptr;
  return std::make_shared<const std::vector<OperationLeaf>>(*std::move(leaves));
}

Result<std::vector<OperationLeaf>> Chain::read_leaves(Height height) const {
  TRY(const StoredBlock stored, read_block(height));
  auto leaves = leaves_of_block(stored);
  if (!leaves) stop_on_corrupt_row("block body");  // an archived one was checked above
  return leaves;
}

std::optional<StoredBlock> Chain::block(Height height) const {
  auto stored = read_block(height);
  if (!stored) return std::nullopt;
  return *std::move(stored);
}

std::vector<OperationLeaf> Chain::leaves(Height height) const {
  auto leaves = read_leaves(height);
  return leaves ? *std::move(leaves) : std::vector<OperationLeaf>{};
}

void Chain::use_archive(std::shared_ptr<const Archive> archive) {
  state_->archive = std::move(archive);
}

void Chain::prune(Height last) {
  State& s = *state_;
  const Height first = first_block();
  ASSERT(first <= last && last <= durable_height() && last < height());
  const Bytes from = chain_keys::block(first);
  const Bytes end = chain_keys::block(last.next());
  const std::vector<StoreWrite> mark = {
      {Family::meta, chain_keys::pruned(), encode(HeightRow{.height = last})}};
  {
    const std::unique_lock lock(s.mutex);
    s.store->erase_range(Family::blocks, from, end, mark);
    s.pruned = last;
  }
  s.store->flush();
}

void Chain::reclaim(std::atomic<bool>& cancelled) {
  const Height first = first_block();
  if (first.value <= 1) return;
  state_->store->reclaim(Family::blocks, chain_keys::block(Height{1}), chain_keys::block(first),
                         cancelled);
}

}  // namespace baolian::ledger
