#include <algorithm>
#include <cstring>

#include "ledger/state_view.h"

namespace baolian::ledger {
namespace {

/// Pairs asked from below at a time: a scan with a huge limit must not copy the whole store.
constexpr std::size_t kChunk = 256;

bool begins_with(BytesView key, BytesView prefix) {
  return key.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), key.begin());
}

/// The lower reader's pairs of a range, one after the other, fetched in chunks.
class Cursor {
 public:
  Cursor(const StateReader& below, const KeyRange& range, std::size_t limit)
      : below_(below), range_(range), chunk_(std::min(limit, kChunk)) {
    pairs_ = below_.scan(range_, chunk_);
  }

  const KeyValue* current() {
    if (position_ == pairs_.size() && pairs_.size() == chunk_) refill();
    return position_ < pairs_.size() ? &pairs_[position_] : nullptr;
  }
  /// Hands over the current pair and steps on. Requires: current() != nullptr.
  KeyValue take() {
    KeyValue& pair = pairs_[position_++];
    if (position_ == pairs_.size()) last_key_ = pair.key;
    return std::move(pair);
  }

 private:
  void refill() {
    Bytes from = std::move(last_key_);
    from.push_back(0);  // the smallest key above the last one
    pairs_ = below_.scan({range_.prefix, from, range_.until}, chunk_);
    position_ = 0;
  }

  const StateReader& below_;
  KeyRange range_;
  std::size_t chunk_;
  std::vector<KeyValue> pairs_;
  std::size_t position_ = 0;
  Bytes last_key_;
};

}  // namespace

bool KeyOrder::operator()(BytesView a, BytesView b) const {
  const std::size_t common = std::min(a.size(), b.size());
  const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
  return order != 0 ? order < 0 : a.size() < b.size();
}

BytesView KeyRange::first() const { return KeyOrder()(from, prefix) ? prefix : from; }

bool KeyRange::has(BytesView key) const {
  return begins_with(key, prefix) && (until.empty() || KeyOrder()(key, until));
}

std::optional<Bytes> StateOverlay::read(BytesView key) const {
  const auto found = writes_.find(key);
  if (found != writes_.end()) return found->second;
  return below_.read(key);
}

std::vector<KeyValue> StateOverlay::scan(const KeyRange& range, std::size_t limit) const {
  std::vector<KeyValue> out;
  if (limit == 0) return out;
  Cursor below(below_, range, limit);
  auto own = writes_.lower_bound(range.first());
  while (out.size() < limit) {
    const bool has_own = own != writes_.end() && range.has(own->first);
    const KeyValue* lower = below.current();
    if (!has_own && lower == nullptr) break;
    if (!has_own || (lower != nullptr && lower->key < own->first)) {
      out.push_back(below.take());
      continue;
    }
    if (lower != nullptr && lower->key == own->first) below.take();  // overwritten or erased here
    if (own->second) out.push_back({own->first, *own->second});
    ++own;
  }
  return out;
}

void StateOverlay::write(Bytes key, Bytes value) {
  ASSERT(!key.empty() && key.size() <= kStateKeyBytesMax);
  ASSERT(value.size() <= kStateValueBytesMax);
  writes_.insert_or_assign(std::move(key), std::optional<Bytes>(std::move(value)));
}

void StateOverlay::erase(Bytes key) {
  ASSERT(!key.empty() && key.size() <= kStateKeyBytesMax);
  writes_.insert_or_assign(std::move(key), std::nullopt);
}

void StateOverlay::move_to(StateOverlay& lower) {
  while (!writes_.empty()) {
    auto outcome = lower.writes_.insert(writes_.extract(writes_.begin()));
    if (!outcome.inserted) outcome.position->second = std::move(outcome.node.mapped());
  }
}

}  // namespace baolian::ledger
