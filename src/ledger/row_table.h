/// Rows by their keys in memory: for what blocks ask for again and again (hot_state.h) and for what
/// waits to be written (write_layer.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/bytes.h"

namespace baolian::ledger {

/// Of a row's key, for the calls below. The same key gives the same number in one process.
std::uint64_t row_hash(BytesView key);

/// Rows in pieces of memory that are given back together: a lookup touches a slot and the row, and
/// nothing is allocated for a row of its own. A row that is erased stays, as an erased one.
///
/// Threads: any number that only look; else one.
class RowTable {
 public:
  /// Stays where it is until clear(); its value follows what is put.
  class Row {
   public:
    BytesView key() const { return {key_bytes(), key_size_}; }
    /// nullopt: erased. Valid until the key is put again.
    std::optional<BytesView> value() const {
      if (is_erased_) return std::nullopt;
      return BytesView(value_, value_size_);
    }

   private:
    friend class RowTable;
    const std::uint8_t* key_bytes() const {
      return reinterpret_cast<const std::uint8_t*>(this + 1);
    }

    std::uint8_t* value_ = nullptr;
    std::uint32_t key_size_ = 0;
    std::uint32_t value_size_ = 0;
    std::uint32_t value_room_ = 0;  ///< bytes that the value may grow to where it stands
    bool is_erased_ = false;
  };

  /// Ask for the memory of a row that is looked for or put next (core/prefetch.h): first for the
  /// slots of a group of rows, then for the rows, whose place the slots say.
  void expect_slot(std::uint64_t hash) const;
  void expect_row(std::uint64_t hash) const;
  /// The row, erased or not; null if the key was never put.
  const Row* find(std::uint64_t hash, BytesView key) const;
  /// The value; nullopt if the key is not here or erased. Valid until the key is put or clear().
  std::optional<BytesView> value(std::uint64_t hash, BytesView key) const;

  struct Place {
    const Row* row = nullptr;
    bool is_new = false;  ///< the key was not here, not even erased
  };
  /// Replaces the value if the key is here. nullopt: erases, and remembers that.
  Place put(std::uint64_t hash, BytesView key, std::optional<BytesView> value);
  /// Erases the value if the key is here.
  void erase(std::uint64_t hash, BytesView key);
  void clear();

  /// Rows that are not erased.
  std::size_t row_count() const { return row_count_; }
  /// Memory of the pieces that are in use, and of the slots.
  std::size_t memory_bytes() const { return piece_bytes_ + slots_.size() * sizeof(Slot); }

 private:
  static constexpr std::size_t kPieceBytes = std::size_t{256} << 10;

  struct Slot {
    std::uint64_t hash = 0;
    Row* row = nullptr;
  };

  std::size_t place(std::uint64_t hash, BytesView key) const;
  std::uint8_t* allocate(std::size_t bytes);
  Row* new_row(BytesView key, BytesView value);
  void set_value(Row& row, BytesView value);
  void grow();

  std::vector<Slot> slots_;  ///< open addressing, a power of two
  std::vector<std::unique_ptr<std::uint64_t[]>> pieces_;
  std::uint8_t* free_ = nullptr;  ///< of the piece that small rows go to
  std::size_t free_bytes_ = 0;
  std::size_t piece_bytes_ = 0;
  std::size_t used_slots_ = 0;
  std::size_t row_count_ = 0;
};

}  // namespace baolian::ledger
