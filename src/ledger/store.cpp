/// What every store can do with the few things that it must.
#include "ledger/store.h"

namespace baolian::ledger {
namespace {

constexpr std::size_t kEraseRows = 4096;
constexpr std::size_t kVisitRows = 4096;

}  // namespace

void KeyValueStore::visit(Family family, BytesView first, BytesView end,
                          const std::function<void(BytesView key, BytesView value)>& row) const {
  Bytes from = to_bytes(first);
  for (;;) {
    const auto rows = scan(family, {}, from, kVisitRows);
    for (const KeyValue& found : rows) {
      if (!end.empty() && !KeyOrder{}(found.key, end)) return;
      row(found.key, found.value);
    }
    if (rows.size() < kVisitRows) return;
    from = rows.back().key;
    from.push_back(0);
  }
}

std::vector<std::optional<Bytes>> KeyValueStore::read_many(Family family,
                                                           const std::vector<Bytes>& keys) const {
  std::vector<std::optional<Bytes>> out;
  out.reserve(keys.size());
  for (const Bytes& key : keys) out.push_back(read(family, key));
  return out;
}

void KeyValueStore::apply_with_state(const std::vector<StoreWrite>& batch,
                                     const StateOverlay::Writes& state) {
  std::vector<StoreWrite> all = batch;
  all.reserve(batch.size() + state.size());
  for (const auto& [key, value] : state) all.push_back({Family::state, key, value});
  apply(all);
}

void KeyValueStore::apply_and_flush(std::vector<RowView> rows) {
  std::vector<StoreWrite> batch;
  batch.reserve(rows.size());
  for (const RowView& row : rows) {
    batch.push_back({row.family, to_bytes(row.key), std::nullopt});
    if (row.value) batch.back().value = to_bytes(*row.value);
  }
  apply(batch);
  flush();
}

void KeyValueStore::clear(Family family) {
  for (;;) {
    std::vector<StoreWrite> batch;
    for (KeyValue& row : scan(family, {}, {}, kEraseRows)) {
      batch.push_back({family, std::move(row.key), std::nullopt});
    }
    if (batch.empty()) return;
    apply(batch);
  }
}

void KeyValueStore::erase_range(Family family, BytesView first, BytesView end,
                                const std::vector<StoreWrite>& batch) {
  std::vector<StoreWrite> writes;
  for (KeyValue& row : scan(family, {}, first, SIZE_MAX)) {
    if (!KeyOrder{}(row.key, end)) break;
    writes.push_back({family, std::move(row.key), std::nullopt});
  }
  writes.insert(writes.end(), batch.begin(), batch.end());
  apply(writes);
}

}  // namespace baolian::ledger
