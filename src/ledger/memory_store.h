/// The memory store with a disk that outlives it: what simulator and tests cut the power of.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "ledger/store.h"

namespace baolian::ledger {

/// The disk under memory stores. Batches applied since the last flush can be lost, the newest
/// first, each as a whole: the rule of a write-ahead log that is synced by flush(). Thread-safe.
class MemoryDisk {
 public:
  /// Batches that a power cut may take.
  std::size_t unflushed_batches() const;
  /// Keeps the first `surviving_batches` of the unflushed ones and drops the later ones.
  /// Requires: no store on this disk is used at the same time or afterwards.
  void power_cut(std::size_t surviving_batches);

 private:
  friend class MemoryStore;
  using Rows = std::map<Bytes, Bytes, KeyOrder>;

  /// Carries out one write and returns the write that takes it back.
  StoreWrite exchange(const StoreWrite& write);

  mutable std::mutex mutex_;
  std::array<Rows, 4> families_;
  std::vector<std::vector<StoreWrite>> undo_;  ///< per unflushed batch, in order of its writes
};

/// A store on a disk that the caller may keep beyond it. make_memory_store() gives one on a disk of
/// its own.
std::unique_ptr<KeyValueStore> make_memory_store(std::shared_ptr<MemoryDisk> disk);

}  // namespace baolian::ledger
