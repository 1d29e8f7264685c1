/// Rows of the state that blocks asked for lately, in memory: members, records, heads of logs. What
/// a block reads, blocks before it have mostly read too. What is only written - a new policy, a new
/// record - comes in when it is asked for, but for heads of logs, which grow.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ledger/key_filter.h"
#include "ledger/row_table.h"
#include "ledger/state_view.h"
#include "ledger/store.h"

namespace baolian::ledger {

/// Two generations: a row that is asked for comes to the young one; when that is full it becomes
/// the old one, and what nobody asked for since goes with the old one before.
///
/// What is not in the state is mostly not looked for in the store: a filter knows all keys.
///
/// Bounds:     bytes_max of memory, and a piece.
/// Ownership:  not the store, which outlives it.
/// Threads:    one, that which appends blocks. Reading fills it.
class HotState final : public StateReader {
 public:
  HotState(const KeyValueStore& store, std::size_t bytes_max)
      : store_(store), generation_bytes_(bytes_max / 2) {}

  /// Requires: it knows all keys of the state. Until then the store is always asked.
  void use_filter(KeyFilter keys) { keys_ = std::move(keys); }

  std::optional<Bytes> read(BytesView key) const override;
  using StateReader::scan;
  std::vector<KeyValue> scan(const KeyRange& range, std::size_t limit) const override;
  /// One value for each key. Requires: ascending keys.
  std::vector<std::optional<Bytes>> read_many(const std::vector<Bytes>& keys) const;
  /// What a block wrote, once the store has it: rows that are here follow, heads of logs come in.
  void update(const StateOverlay::Writes& writes);

  std::size_t row_count() const { return young_.row_count() + old_.row_count(); }

 private:
  struct Write {
    std::uint64_t hash;
    const Bytes& key;
    const std::optional<Bytes>& value;
    bool is_here;
  };
  void update(std::vector<Write>& group);
  void expect(std::span<const std::uint64_t> hashes) const;
  std::optional<BytesView> find(std::uint64_t hash, BytesView key) const;
  bool is_absent(BytesView key) const;
  void keep(std::uint64_t hash, BytesView key, BytesView value) const;

  const KeyValueStore& store_;
  std::optional<KeyFilter> keys_;
  const std::size_t generation_bytes_;
  // What is remembered is no part of what a reader sees.
  mutable RowTable young_;
  mutable RowTable old_;
};

}  // namespace baolian::ledger
