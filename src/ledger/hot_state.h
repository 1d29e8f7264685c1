/// Rows of the state that blocks asked for lately, in memory: members, records, heads of logs. What
/// a block reads, blocks before it have mostly read too. What is only written - a new policy, a new
/// record - comes in when it is asked for, but for heads of logs, which grow.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ledger/state_view.h"
#include "ledger/store.h"

namespace baolian::ledger {

/// Rows by their keys, in pieces of memory that are given back together: a lookup touches a slot
/// and the row, and nothing is allocated for a row of its own.
class RowTable {
 public:
  RowTable() = default;

  /// The value; nullopt if the key is not here. Valid until the next put() or clear().
  std::optional<BytesView> find(std::uint64_t hash, BytesView key) const;
  /// Replaces the value if the key is here.
  void put(std::uint64_t hash, BytesView key, BytesView value);
  void erase(std::uint64_t hash, BytesView key);
  void clear();

  std::size_t row_count() const { return row_count_; }
  /// Memory of the pieces that are in use, and of the slots.
  std::size_t memory_bytes() const {
    return pieces_.size() * kPieceBytes + slots_.size() * sizeof(Slot);
  }

 private:
  static constexpr std::size_t kPieceBytes = std::size_t{256} << 10;

  /// Before the bytes of key and value.
  struct Row {
    std::uint32_t key_size;
    std::uint32_t value_size;
    std::uint32_t value_room;  ///< bytes that the value may grow to where it stands
    std::uint32_t is_here;     ///< 0: erased
    std::uint8_t* bytes() { return reinterpret_cast<std::uint8_t*>(this + 1); }
    const std::uint8_t* bytes() const { return reinterpret_cast<const std::uint8_t*>(this + 1); }
  };
  struct Slot {
    std::uint64_t hash = 0;
    Row* row = nullptr;
  };

  std::size_t place(std::uint64_t hash, BytesView key) const;
  Row* new_row(BytesView key, BytesView value);
  void grow();

  std::vector<Slot> slots_;  ///< open addressing, a power of two
  std::vector<std::unique_ptr<std::uint64_t[]>> pieces_;
  std::size_t piece_used_ = kPieceBytes;  ///< bytes of the last piece
  std::size_t used_slots_ = 0;
  std::size_t row_count_ = 0;
};

/// Two generations: a row that is asked for comes to the young one; when that is full it becomes
/// the old one, and what nobody asked for since goes with the old one before.
///
/// Bounds:     bytes_max of memory, and a piece.
/// Ownership:  not the store, which outlives it.
/// Threads:    one, that which appends blocks. Reading fills it.
class HotState final : public StateReader {
 public:
  HotState(const KeyValueStore& store, std::size_t bytes_max)
      : store_(store), generation_bytes_(bytes_max / 2) {}

  std::optional<Bytes> read(BytesView key) const override;
  std::vector<KeyValue> scan(BytesView prefix, BytesView from, std::size_t limit) const override {
    return store_.scan(Family::state, prefix, from, limit);
  }
  /// One value for each key. Requires: ascending keys.
  std::vector<std::optional<Bytes>> read_many(const std::vector<Bytes>& keys) const;
  /// What a block wrote, once the store has it: rows that are here follow, heads of logs come in.
  void update(const StateOverlay::Writes& writes);

  std::size_t row_count() const { return young_.row_count() + old_.row_count(); }

 private:
  std::optional<BytesView> find(std::uint64_t hash, BytesView key) const;
  void keep(std::uint64_t hash, BytesView key, BytesView value) const;

  const KeyValueStore& store_;
  const std::size_t generation_bytes_;
  // What is remembered is no part of what a reader sees.
  mutable RowTable young_;
  mutable RowTable old_;
};

}  // namespace baolian::ledger
