/// Makes a chain store from a snapshot: chunks come in any order, each is checked alone and stored
/// with a mark, so that an interrupted installation goes on where it stopped. Nothing can be opened
/// as a chain before finish().
///
/// | family | key | value |
/// |---|---|---|
/// | meta | "joining" | canonical SnapshotHead; until finish() |
/// | meta | 'J' number(8) | empty: this chunk is stored; until finish() |
#pragma once

#include <bitset>
#include <memory>

#include "core/result.h"
#include "ledger/genesis.h"
#include "ledger/snapshot.h"
#include "ledger/state_chunk.h"
#include "ledger/state_view.h"
#include "ledger/store.h"

namespace baolian::ledger {

/// One thread.
class SnapshotInstaller {
 public:
  using Chunks = std::bitset<kChunkCount>;

  /// Begins in an empty store, or goes on in one that was begun with the same height and header.
  /// Requires: check_snapshot_head() accepted the head.
  /// Returns: Errc::already_exists if the store holds another snapshot or a chain.
  static Result<SnapshotInstaller> open(std::unique_ptr<KeyValueStore> store,
                                        const Genesis& genesis, const SnapshotHead& head);

  const SnapshotHead& head() const { return head_; }
  const Chunks& stored() const { return stored_; }
  /// A canonical StateChunk. Returns: codec errors, Errc::bad_proof: whoever sent it sent nonsense.
  /// Errc::already_exists for a chunk that is stored.
  Result<void> add(BytesView chunk);
  /// Writes what makes a chain of it and makes everything durable. `genesis_writes` as for
  /// Chain::open(). Requires: all chunks are stored.
  void finish(const StateOverlay::Writes& genesis_writes);

 private:
  SnapshotInstaller(std::unique_ptr<KeyValueStore> store, const Genesis& genesis,
                    const SnapshotHead& head)
      : store_(std::move(store)), genesis_(genesis), head_(head) {}

  std::unique_ptr<KeyValueStore> store_;
  Genesis genesis_;
  SnapshotHead head_;
  Chunks stored_;
};

}  // namespace baolian::ledger
