#include "ledger/hot_state.h"

#include <utility>

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

std::vector<std::optional<Bytes>> HotState::read_many(const std::vector<Bytes>& keys) const {
  std::vector<std::optional<Bytes>> out(keys.size());
  std::vector<std::size_t> places;
  std::vector<Bytes> missing;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (const auto value = find(row_hash(keys[i]), keys[i])) {
      out[i] = to_bytes(*value);
    } else if (!is_absent(keys[i])) {
      places.push_back(i);
      missing.push_back(keys[i]);
    }
  }
  if (missing.empty()) return out;
  auto values = store_.read_many(Family::state, missing);
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (values[i]) keep(row_hash(missing[i]), missing[i], *values[i]);
    out[places[i]] = std::move(values[i]);
  }
  return out;
}

std::vector<KeyValue> HotState::scan(BytesView prefix, BytesView from, std::size_t limit) const {
  const auto number = KeyFilter::of_prefix(prefix);
  if (keys_ && number && !keys_->may_have(*number)) return {};
  return store_.scan(Family::state, prefix, from, limit);
}

void HotState::update(const StateOverlay::Writes& writes) {
  for (const auto& [key, value] : writes) {
    if (value && keys_) keys_->add_key(key);
    const std::uint64_t hash = row_hash(key);
    const bool was_old = old_.value(hash, key).has_value();
    if (was_old) old_.erase(hash, key);
    if (!value) {
      young_.erase(hash, key);
    } else if (was_old || is_log_head(key) || young_.value(hash, key)) {
      keep(hash, key, *value);
    }
  }
}

}  // namespace baolian::ledger
