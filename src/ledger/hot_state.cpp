#include "ledger/hot_state.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string_view>
#include <utility>

#include "core/assert.h"
#include "ledger/log.h"

namespace baolian::ledger {
namespace {

constexpr std::size_t kSlotsMin = 1024;
/// Values grow a little where they stand: the frontier of a log gains and loses peaks.
constexpr std::size_t kValueRoom = 64;

std::uint64_t hash_of(BytesView key) { return std::hash<std::string_view>()(as_text(key)); }

/// The frontier of a log, which the log's next entry needs.
bool is_log_head(BytesView key) { return as_text(key).starts_with(kLogStatePrefix); }

void copy(BytesView from, std::uint8_t* to) {
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
}

}  // namespace

// ------------------------------------------------------------------ the table

/// The slot of the key, or the free one where it belongs. Requires: there are slots.
std::size_t RowTable::place(std::uint64_t hash, BytesView key) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.row == nullptr) return at;
    const bool is_same = slot.hash == hash && slot.row->key_size == key.size() &&
                         std::memcmp(slot.row->bytes(), key.data(), key.size()) == 0;
    if (is_same) return at;
  }
}

std::optional<BytesView> RowTable::find(std::uint64_t hash, BytesView key) const {
  if (slots_.empty()) return std::nullopt;
  const Row* row = slots_[place(hash, key)].row;
  if (row == nullptr || row->is_here == 0) return std::nullopt;
  return BytesView(row->bytes() + row->key_size, row->value_size);
}

RowTable::Row* RowTable::new_row(BytesView key, BytesView value) {
  const std::size_t room = (value.size() / kValueRoom + 1) * kValueRoom;
  const std::size_t wanted = sizeof(Row) + key.size() + room;
  const std::size_t bytes = (wanted + sizeof(std::uint64_t) - 1) & ~(sizeof(std::uint64_t) - 1);
  ASSERT(bytes <= kPieceBytes);
  if (piece_used_ + bytes > kPieceBytes) {
    pieces_.push_back(
        std::make_unique_for_overwrite<std::uint64_t[]>(kPieceBytes / sizeof(std::uint64_t)));
    piece_used_ = 0;
  }
  std::uint64_t* const memory = pieces_.back().get() + piece_used_ / sizeof(std::uint64_t);
  piece_used_ += bytes;
  Row* const row = new (memory)
      Row{static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(value.size()),
          static_cast<std::uint32_t>(room), 1};
  copy(key, row->bytes());
  copy(value, row->bytes() + key.size());
  return row;
}

void RowTable::put(std::uint64_t hash, BytesView key, BytesView value) {
  if ((used_slots_ + 1) * 2 > slots_.size()) grow();
  Slot& slot = slots_[place(hash, key)];
  if (slot.row == nullptr) {
    ++used_slots_;
  } else if (slot.row->is_here != 0) {
    --row_count_;
  }
  ++row_count_;
  if (slot.row != nullptr && value.size() <= slot.row->value_room) {
    slot.row->value_size = static_cast<std::uint32_t>(value.size());
    slot.row->is_here = 1;
    copy(value, slot.row->bytes() + key.size());
  } else {
    slot = {hash, new_row(key, value)};
  }
}

void RowTable::erase(std::uint64_t hash, BytesView key) {
  if (slots_.empty()) return;
  Row* const row = slots_[place(hash, key)].row;
  if (row == nullptr || row->is_here == 0) return;
  row->is_here = 0;
  --row_count_;
}

void RowTable::clear() {
  slots_.clear();
  pieces_.clear();
  piece_used_ = kPieceBytes;
  used_slots_ = 0;
  row_count_ = 0;
}

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

// ------------------------------------------------------------------ generations

/// The value, young from now on; nullopt if it is not here.
std::optional<BytesView> HotState::find(std::uint64_t hash, BytesView key) const {
  if (const auto value = young_.find(hash, key)) return value;
  const auto value = old_.find(hash, key);
  if (!value) return std::nullopt;
  const Bytes moved = to_bytes(*value);  // the old generation may end now
  old_.erase(hash, key);
  keep(hash, key, moved);
  return young_.find(hash, key);
}

void HotState::keep(std::uint64_t hash, BytesView key, BytesView value) const {
  if (young_.memory_bytes() >= generation_bytes_) {
    std::swap(young_, old_);
    young_.clear();
  }
  young_.put(hash, key, value);
}

std::optional<Bytes> HotState::read(BytesView key) const {
  const std::uint64_t hash = hash_of(key);
  if (const auto value = find(hash, key)) return to_bytes(*value);
  auto value = store_.read(Family::state, key);
  if (value) keep(hash, key, *value);
  return value;
}

std::vector<std::optional<Bytes>> HotState::read_many(const std::vector<Bytes>& keys) const {
  std::vector<std::optional<Bytes>> out(keys.size());
  std::vector<std::size_t> places;
  std::vector<Bytes> missing;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (const auto value = find(hash_of(keys[i]), keys[i])) {
      out[i] = to_bytes(*value);
    } else {
      places.push_back(i);
      missing.push_back(keys[i]);
    }
  }
  if (missing.empty()) return out;
  auto values = store_.read_many(Family::state, missing);
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (values[i]) keep(hash_of(missing[i]), missing[i], *values[i]);
    out[places[i]] = std::move(values[i]);
  }
  return out;
}

void HotState::update(const StateOverlay::Writes& writes) {
  for (const auto& [key, value] : writes) {
    const std::uint64_t hash = hash_of(key);
    const bool was_old = old_.find(hash, key).has_value();
    if (was_old) old_.erase(hash, key);
    if (!value) {
      young_.erase(hash, key);
    } else if (was_old || is_log_head(key) || young_.find(hash, key)) {
      keep(hash, key, *value);
    }
  }
}

}  // namespace baolian::ledger
