#include "ledger/hot_state.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/assert.h"
#include "core/prefetch.h"
#include "ledger/log.h"

namespace baolian::ledger {
namespace {

/// The frontier of a log, which the log's next entry needs.
bool is_log_head(BytesView key) { return as_text(key).starts_with(kLogStatePrefix); }

}  // namespace

/// The value, young from now on; nullopt if it is not here.
std::optional<BytesView> HotState::find(std::uint64_t hash, BytesView key) const {
  if (const auto value = young_.value(hash, key)) return value;
  const auto value = old_.value(hash, key);
  if (!value) return std::nullopt;
  const Bytes moved = to_bytes(*value);  // the old generation may end now
  old_.erase(hash, key);
  keep(hash, key, moved);
  return young_.value(hash, key);
}

void HotState::keep(std::uint64_t hash, BytesView key, BytesView value) const {
  if (young_.memory_bytes() >= generation_bytes_) {
    std::swap(young_, old_);
    young_.clear();
  }
  young_.put(hash, key, value);
}

/// True only if no row of the state has the key.
bool HotState::is_absent(BytesView key) const {
  return keys_ && !keys_->may_have(KeyFilter::of_key(key));
}

std::optional<Bytes> HotState::read(BytesView key) const {
  const std::uint64_t hash = row_hash(key);
  if (const auto value = find(hash, key)) return to_bytes(*value);
  if (is_absent(key)) return std::nullopt;
  auto value = store_.read(Family::state, key);
  if (value) keep(hash, key, *value);
  return value;
}

/// Asks for the memory of rows that are looked for next.
void HotState::expect(std::span<const std::uint64_t> hashes) const {
  for (const std::uint64_t hash : hashes) {
    young_.expect_slot(hash);
    old_.expect_slot(hash);
  }
  for (const std::uint64_t hash : hashes) {
    young_.expect_row(hash);
    old_.expect_row(hash);
  }
}

std::vector<std::optional<Bytes>> HotState::read_many(const std::vector<Bytes>& keys) const {
  std::vector<std::optional<Bytes>> out(keys.size());
  std::vector<std::uint64_t> hashes;
  hashes.reserve(keys.size());
  for (const Bytes& key : keys) hashes.push_back(row_hash(key));
  std::vector<std::size_t> places;
  std::vector<Bytes> missing;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i % kPrefetchGroup == 0) {
      expect(std::span(hashes).subspan(i, std::min(kPrefetchGroup, keys.size() - i)));
    }
    if (const auto value = find(hashes[i], keys[i])) {
      out[i] = to_bytes(*value);
    } else if (!is_absent(keys[i])) {
      places.push_back(i);
      missing.push_back(keys[i]);
    }
  }
  if (missing.empty()) return out;
  auto values = store_.read_many(Family::state, missing);
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (values[i]) keep(hashes[places[i]], missing[i], *values[i]);
    out[places[i]] = std::move(values[i]);
  }
  return out;
}

std::vector<KeyValue> HotState::scan(const KeyRange& range, std::size_t limit) const {
  const auto number = KeyFilter::of_prefix(range.prefix);
  if (keys_ && number && !keys_->may_have(*number)) return {};
  return store_.scan(Family::state, range, limit);
}

void HotState::update(const StateOverlay::Writes& writes) {
  std::vector<Write> group;
  group.reserve(kPrefetchGroup);
  for (const auto& [key, value] : writes) {
    group.push_back({row_hash(key), key, value, false});
    if (group.size() == kPrefetchGroup) update(group);
  }
  update(group);
}

/// Empties the group.
void HotState::update(std::vector<Write>& group) {
  std::array<std::uint64_t, kPrefetchGroup> hashes;
  ASSERT(group.size() <= hashes.size());
  for (std::size_t i = 0; i < group.size(); ++i) hashes[i] = group[i].hash;
  expect(std::span(hashes).first(group.size()));
  for (Write& write : group) {
    write.is_here = young_.value(write.hash, write.key) || old_.value(write.hash, write.key);
    if (keys_ && write.value && !write.is_here) keys_->expect_key(write.key);
  }
  for (const Write& write : group) {
    // What is here came from the state: the filter knows it.
    if (keys_ && write.value && !write.is_here) keys_->add_key(write.key);
    old_.erase(write.hash, write.key);
    if (!write.value) {
      young_.erase(write.hash, write.key);
    } else if (write.is_here || is_log_head(write.key)) {
      keep(write.hash, write.key, *write.value);
    }
  }
  group.clear();
}

}  // namespace baolian::ledger
