#include "ledger/write_behind.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace baolian::ledger {
namespace {

using Layers = std::vector<std::shared_ptr<const WriteLayer>>;  // oldest first
using Page = std::function<std::vector<KeyValue>(const KeyRange& rest, std::size_t limit)>;

std::optional<Bytes> copy_of(const std::optional<BytesView>& value) {
  if (!value) return std::nullopt;
  return to_bytes(*value);
}

const WriteLayer::Row* find_newest(const Layers& layers, Family family, BytesView key) {
  const std::uint64_t hash = row_hash(key);
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    if (const WriteLayer::Row* row = (*layer)->find(family, hash, key)) return row;
  }
  return nullptr;
}

/// The rows of all layers in a range, in order of their keys, of each key the newest.
class LayerRows {
 public:
  LayerRows(const Layers& layers, Family family, const KeyRange& range) : range_(range) {
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
      if (!(*layer)->may_have(family, range.prefix)) continue;
      for (const WriteLayer::Run& run : (*layer)->runs(family)) {
        const auto at = std::lower_bound(
            run.begin(), run.end(), range.first(),
            [](const WriteLayer::Row* row, BytesView key) { return KeyOrder{}(row->key(), key); });
        if (at != run.end()) sources_.push_back({at, run.end()});
      }
    }
  }

  /// Null at the end.
  const WriteLayer::Row* current() const {
    const WriteLayer::Row* least = nullptr;
    for (const Source& source : sources_) {
      // Of equal keys the first one seen stays: it stands in the newer layer.
      if (source.at == source.end) continue;
      if (least == nullptr || KeyOrder{}((*source.at)->key(), least->key())) least = *source.at;
    }
    if (least == nullptr || !range_.has(least->key())) return nullptr;
    return least;
  }
  /// Goes on behind a key that it stands at.
  void pass(BytesView key) {
    for (Source& source : sources_) {
      if (source.at != source.end && !KeyOrder{}(key, (*source.at)->key())) ++source.at;
    }
  }

 private:
  struct Source {
    WriteLayer::Run::const_iterator at;
    WriteLayer::Run::const_iterator end;
  };
  KeyRange range_;
  std::vector<Source> sources_;  ///< of newer layers first
};

/// What a scan finds if the rows of the layers stand before those of `below`.
std::vector<KeyValue> scan_through(const Layers& layers, Family family, const KeyRange& range,
                                   std::size_t limit, const Page& below) {
  std::vector<KeyValue> out;
  if (limit == 0) return out;
  LayerRows own(layers, family, range);
  const WriteLayer::Row* row = own.current();
  Bytes next = to_bytes(range.from);
  for (;;) {
    const std::size_t wanted = limit - out.size();
    std::vector<KeyValue> page = below({range.prefix, next, range.until}, wanted);
    const bool is_last = page.size() < wanted;
    for (std::size_t i = 0; i < page.size() || (is_last && row != nullptr);) {
      if (out.size() == limit) return out;
      const bool is_own =
          row != nullptr && (i == page.size() || !KeyOrder{}(page[i].key, row->key()));
      if (!is_own) {
        out.push_back(std::move(page[i++]));
        next = out.back().key;
        continue;
      }
      const Bytes key = to_bytes(row->key());
      if (i < page.size() && page[i].key == key) ++i;  // overwritten or erased
      if (const auto value = row->value()) out.push_back({key, to_bytes(*value)});
      next = key;
      own.pass(key);
      row = own.current();
    }
    if (is_last || out.size() == limit) return out;
    next.push_back(0);  // the smallest key above what was seen
  }
}

/// The state as it was when the layers were frozen.
class FrozenLayers final : public StateReader {
 public:
  FrozenLayers(Layers layers, std::unique_ptr<StateReader> below)
      : layers_(std::move(layers)), below_(std::move(below)) {}

  std::optional<Bytes> read(BytesView key) const override {
    if (const auto* row = find_newest(layers_, Family::state, key)) return copy_of(row->value());
    return below_->read(key);
  }
  std::vector<KeyValue> scan(const KeyRange& range, std::size_t limit) const override {
    return scan_through(
        layers_, Family::state, range, limit,
        [&](const KeyRange& rest, std::size_t rows) { return below_->scan(rest, rows); });
  }

 private:
  Layers layers_;
  std::unique_ptr<StateReader> below_;
};

}  // namespace

WriteBehindStore::WriteBehindStore(std::unique_ptr<KeyValueStore> below, std::size_t gather_bytes)
    : below_(std::move(below)),
      gather_bytes_(gather_bytes),
      active_(std::make_shared<WriteLayer>()) {}

// ------------------------------------------------------------------ reading

/// Requires: mutex_ is held.
Layers WriteBehindStore::layers() const {
  Layers out = frozen_;
  out.push_back(active_);
  return out;
}

std::optional<Bytes> WriteBehindStore::read(Family family, BytesView key) const {
  {
    const std::uint64_t hash = row_hash(key);
    const std::shared_lock lock(mutex_);
    if (const auto* row = active_->find(family, hash, key)) return copy_of(row->value());
    for (auto layer = frozen_.rbegin(); layer != frozen_.rend(); ++layer) {
      if (const auto* row = (*layer)->find(family, hash, key)) return copy_of(row->value());
    }
  }
  // What is written down meanwhile is there as well.
  return below_->read(family, key);
}

std::vector<std::optional<Bytes>> WriteBehindStore::read_many(
    Family family, const std::vector<Bytes>& keys) const {
  std::vector<std::optional<Bytes>> out(keys.size());
  std::vector<std::size_t> places;
  std::vector<Bytes> missing;
  {
    const std::shared_lock lock(mutex_);
    const Layers all = layers();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (const auto* row = find_newest(all, family, keys[i])) {
        out[i] = copy_of(row->value());
      } else {
        places.push_back(i);
        missing.push_back(keys[i]);
      }
    }
  }
  if (missing.empty()) return out;
  auto values = below_->read_many(family, missing);
  for (std::size_t i = 0; i < missing.size(); ++i) out[places[i]] = std::move(values[i]);
  return out;
}

std::vector<KeyValue> WriteBehindStore::scan(Family family, const KeyRange& range,
                                             std::size_t limit) const {
  // Held to the end: rows that are applied meanwhile would stand there in part.
  const std::shared_lock lock(mutex_);
  return scan_through(layers(), family, range, limit, [&](const KeyRange& rest, std::size_t rows) {
    return below_->scan(family, rest, rows);
  });
}

/// Requires: mutex_ is not held.
bool WriteBehindStore::is_empty() const {
  const std::shared_lock lock(mutex_);
  return frozen_.empty() && active_->row_count() == 0;
}

void WriteBehindStore::visit(Family family, BytesView first, BytesView end,
                             const std::function<void(BytesView key, BytesView value)>& row) const {
  if (is_empty()) return below_->visit(family, first, end, row);
  KeyValueStore::visit(family, first, end, row);
}

std::vector<Bytes> WriteBehindStore::split(Family family, std::size_t parts) const {
  return below_->split(family, parts);
}

std::unique_ptr<StateReader> WriteBehindStore::freeze_state() const {
  freeze();
  // Under the lock: a layer that went down before is in what is frozen below.
  const std::shared_lock lock(mutex_);
  return std::make_unique<FrozenLayers>(frozen_, below_->freeze_state());
}

// ------------------------------------------------------------------ writing

void WriteBehindStore::apply(const std::vector<StoreWrite>& batch) { apply_with_state(batch, {}); }

void WriteBehindStore::apply_with_state(const std::vector<StoreWrite>& batch,
                                        const StateOverlay::Writes& state) {
  std::vector<RowView> rows;
  rows.reserve(state.size() + batch.size());
  for (const auto& [key, value] : state) rows.push_back({Family::state, key, value});
  for (const StoreWrite& write : batch) rows.push_back({write.family, write.key, write.value});
  bool is_full = false;
  {
    const std::unique_lock lock(mutex_);
    active_->apply(rows);
    is_full = active_->memory_bytes() > 2 * gather_bytes_;
  }
  if (is_full) flush();
}

void WriteBehindStore::clear(Family family) {
  flush();
  below_->clear(family);
}

void WriteBehindStore::erase_range(Family family, BytesView first, BytesView end,
                                   const std::vector<StoreWrite>& batch) {
  flush();
  below_->erase_range(family, first, end, batch);
}

void WriteBehindStore::reclaim(Family family, BytesView first, BytesView end,
                               std::atomic<bool>& cancelled) {
  below_->reclaim(family, first, end, cancelled);
}

// ------------------------------------------------------------------ flushing

void WriteBehindStore::freeze() const {
  const std::unique_lock lock(mutex_);
  if (active_->row_count() == 0) return;
  frozen_.push_back(std::exchange(active_, std::make_shared<WriteLayer>()));
}

void WriteBehindStore::begin_flush() { freeze(); }

void WriteBehindStore::finish_flush() {
  const std::scoped_lock flushing(flushing_);
  bool has_written = false;
  for (;;) {
    std::shared_ptr<const WriteLayer> oldest;
    {
      const std::shared_lock lock(mutex_);
      if (frozen_.empty()) break;
      oldest = frozen_.front();
    }
    write_down(*oldest);
    has_written = true;
    const std::unique_lock lock(mutex_);
    frozen_.erase(frozen_.begin());
  }
  if (!has_written) below_->flush();
}

std::size_t WriteBehindStore::waiting_bytes() const {
  const std::shared_lock lock(mutex_);
  return active_->memory_bytes();
}

bool WriteBehindStore::wants_flush() const {
  const std::shared_lock lock(mutex_);
  return frozen_.empty() && active_->memory_bytes() > gather_bytes_ + gather_bytes_ / 8;
}

void WriteBehindStore::flush() {
  begin_flush();
  finish_flush();
}

void WriteBehindStore::write_down(const WriteLayer& layer) {
  std::vector<RowView> rows;
  rows.reserve(layer.row_count());
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    const auto family = static_cast<Family>(i);
    for (const WriteLayer::Row* row : layer.sorted(family)) {
      rows.push_back({family, row->key(), row->value()});
    }
  }
  below_->apply_and_flush(std::move(rows));
}

}  // namespace baolian::ledger
