#include "ledger/row_table.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <new>
#include <string_view>
#include <utility>

#include "core/prefetch.h"

namespace baolian::ledger {
namespace {

constexpr std::size_t kSlotsMin = 1024;
/// Values grow a little where they stand: the frontier of a log gains and loses peaks.
constexpr std::size_t kValueRoom = 32;
/// What is asked for of a row: itself, its key and the most or all of its value.
constexpr std::size_t kRowPrefetchBytes = 256;

std::size_t with_room(std::size_t value_bytes) {
  return (value_bytes / kValueRoom + 1) * kValueRoom;
}

void copy(BytesView from, std::uint8_t* to) {
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
}

}  // namespace

std::uint64_t row_hash(BytesView key) { return std::hash<std::string_view>()(as_text(key)); }

/// The slot of the key, or the free one where it belongs. Requires: there are slots.
std::size_t RowTable::place(std::uint64_t hash, BytesView key) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.row == nullptr) return at;
    const bool is_same = slot.hash == hash && slot.row->key_size_ == key.size() &&
                         std::memcmp(slot.row->key_bytes(), key.data(), key.size()) == 0;
    if (is_same) return at;
  }
}

void RowTable::expect_slot(std::uint64_t hash) const {
  if (!slots_.empty()) prefetch(&slots_[hash & (slots_.size() - 1)], sizeof(Slot));
}

void RowTable::expect_row(std::uint64_t hash) const {
  if (slots_.empty()) return;
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].row != nullptr && slots_[at].hash != hash) at = (at + 1) & mask;
  if (slots_[at].row != nullptr) prefetch(slots_[at].row, kRowPrefetchBytes);
}

const RowTable::Row* RowTable::find(std::uint64_t hash, BytesView key) const {
  if (slots_.empty()) return nullptr;
  return slots_[place(hash, key)].row;
}

std::optional<BytesView> RowTable::value(std::uint64_t hash, BytesView key) const {
  const Row* const row = find(hash, key);
  return row == nullptr ? std::nullopt : row->value();
}

/// Memory that stays until clear(). What is large gets a piece of its own.
std::uint8_t* RowTable::allocate(std::size_t bytes) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const std::size_t rounded = (bytes + kWord - 1) / kWord * kWord;
  const auto new_piece = [this](std::size_t size) {
    pieces_.push_back(std::make_unique_for_overwrite<std::uint64_t[]>(size / kWord));
    piece_bytes_ += size;
    return reinterpret_cast<std::uint8_t*>(pieces_.back().get());
  };
  if (rounded > kPieceBytes / 4) return new_piece(rounded);
  if (rounded > free_bytes_) {
    free_ = new_piece(kPieceBytes);
    free_bytes_ = kPieceBytes;
  }
  free_bytes_ -= rounded;
  return std::exchange(free_, free_ + rounded);
}

RowTable::Row* RowTable::new_row(BytesView key, BytesView value) {
  const std::size_t room = with_room(value.size());
  std::uint8_t* const memory = allocate(sizeof(Row) + key.size() + room);
  Row* const row = new (memory) Row();
  row->key_size_ = static_cast<std::uint32_t>(key.size());
  row->value_room_ = static_cast<std::uint32_t>(room);
  row->value_ = memory + sizeof(Row) + key.size();
  copy(key, memory + sizeof(Row));
  return row;
}

void RowTable::set_value(Row& row, BytesView value) {
  if (value.size() > row.value_room_) {
    const std::size_t room = with_room(value.size());
    row.value_ = allocate(room);
    row.value_room_ = static_cast<std::uint32_t>(room);
  }
  copy(value, row.value_);
  row.value_size_ = static_cast<std::uint32_t>(value.size());
}

RowTable::Place RowTable::put(std::uint64_t hash, BytesView key, std::optional<BytesView> value) {
  if ((used_slots_ + 1) * 2 > slots_.size()) grow();
  Slot& slot = slots_[place(hash, key)];
  const bool is_new = slot.row == nullptr;
  if (is_new) {
    ++used_slots_;
    slot = {hash, new_row(key, value.value_or(BytesView()))};
  } else if (!slot.row->is_erased_) {
    --row_count_;
  }
  Row& row = *slot.row;
  row.is_erased_ = !value;
  if (value) {
    set_value(row, *value);
    ++row_count_;
  }
  return {&row, is_new};
}

void RowTable::erase(std::uint64_t hash, BytesView key) {
  if (find(hash, key) != nullptr) put(hash, key, std::nullopt);
}

void RowTable::clear() { *this = RowTable(); }

void RowTable::grow() {
  const std::vector<Slot> before =
      std::exchange(slots_, std::vector<Slot>(std::max(kSlotsMin, slots_.size() * 2)));
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : before) {
    if (slot.row == nullptr) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].row != nullptr) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

}  // namespace baolian::ledger
