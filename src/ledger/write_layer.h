/// Writes of many batches in memory, by key and in order, until they go to the store together
/// (write_behind.h).
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "ledger/key_filter.h"
#include "ledger/row_table.h"
#include "ledger/store.h"

namespace baolian::ledger {

/// The newest value of each key that was written, erasures among them.
///
/// A key is found by its hash. For scans and for writing, the rows stand in runs, each in order of
/// their keys: a batch makes one, and a run is merged with the one before it as soon as it is as
/// long, so that there are few and each row is merged a few times only.
///
/// Threads: one that writes; others may look between two batches. Who keeps them apart is the
/// store.
class WriteLayer {
 public:
  using Row = RowTable::Row;
  using Run = std::vector<const Row*>;

  /// A batch. Of a key that is there twice the later row counts.
  void apply(const std::vector<RowView>& batch);

  /// The row if the key was written here, erased or not; else null.
  const Row* find(Family family, std::uint64_t hash, BytesView key) const;
  /// False only if no row of the state here begins with the prefix.
  bool may_have(Family family, BytesView prefix) const;
  /// The rows of a family in order of their keys; no key is in two runs.
  const std::vector<Run>& runs(Family family) const { return of(family).runs; }
  /// All rows of a family in order of their keys.
  Run sorted(Family family) const;

  std::size_t row_count() const;
  std::size_t memory_bytes() const;

 private:
  struct Rows {
    RowTable table;
    std::vector<Run> runs;
    Run fresh;  ///< of the batch that has not ended
  };
  void put(const RowView& row, std::uint64_t hash);
  void end_batch();
  Rows& of(Family family) { return families_[static_cast<std::size_t>(family)]; }
  const Rows& of(Family family) const { return families_[static_cast<std::size_t>(family)]; }

  std::array<Rows, kFamilyCount> families_;
  KeyFilter prefixes_;  ///< of the state alone, and no keys
};

}  // namespace baolian::ledger
