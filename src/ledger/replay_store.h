/// What is needed to execute a stored chain's blocks again: the blocks as they lie in the store,
/// without opening a Chain over it, and a store in which only the index rows of the second
/// execution are kept.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "core/result.h"
#include "crypto/certificate.h"
#include "ledger/genesis.h"
#include "ledger/store.h"

namespace baolian::ledger {

/// The blocks of a store whose index need not be whole. Does not own the store. One thread.
class StoredChain {
 public:
  /// Returns: Errc::wrong_chain for another genesis; Errc::store_corrupt; Errc::pruned if the
  /// blocks do not begin at height 1, so that nothing can be made from them again.
  static Result<StoredChain> open(const KeyValueStore& store, const Genesis& genesis);

  Height newest() const { return newest_; }
  /// Returns: Errc::store_corrupt if it is missing or does not decode. Requires: height <= newest()
  Result<StoredBlock> block(Height height) const;
  std::optional<crypto::ExecCertificate> certificate(Height height) const;
  /// The change of validators that the block of this height fixed.
  std::optional<crypto::EpochRecord> epoch_fixed_at(Height height) const;

 private:
  explicit StoredChain(const KeyValueStore& store) : store_(&store) {}

  const KeyValueStore* store_;
  Height newest_;
  std::deque<crypto::EpochRecord> epochs_;
};

/// A new store for a Chain: index rows go to `index`, which outlives it, everything else to
/// `scratch`, but for blocks, which nobody reads there. One writer.
std::unique_ptr<KeyValueStore> make_replay_store(KeyValueStore& index,
                                                 std::unique_ptr<KeyValueStore> scratch);

}  // namespace baolian::ledger
