#include "ledger/write_layer.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "core/prefetch.h"

namespace baolian::ledger {
namespace {

bool is_before(const WriteLayer::Row* a, const WriteLayer::Row* b) {
  return KeyOrder{}(a->key(), b->key());
}

WriteLayer::Run merged(const WriteLayer::Run& a, const WriteLayer::Run& b) {
  WriteLayer::Run out;
  out.reserve(a.size() + b.size());
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out), is_before);
  return out;
}

}  // namespace

void WriteLayer::apply(const std::vector<RowView>& batch) {
  std::array<std::uint64_t, kPrefetchGroup> hashes;
  for (std::size_t first = 0; first < batch.size(); first += kPrefetchGroup) {
    const std::size_t count = std::min(kPrefetchGroup, batch.size() - first);
    const auto group = std::span(batch).subspan(first, count);
    for (std::size_t i = 0; i < count; ++i) {
      hashes[i] = row_hash(group[i].key);
      of(group[i].family).table.expect_slot(hashes[i]);
    }
    for (std::size_t i = 0; i < count; ++i) of(group[i].family).table.expect_row(hashes[i]);
    for (std::size_t i = 0; i < count; ++i) put(group[i], hashes[i]);
  }
  end_batch();
}

void WriteLayer::put(const RowView& row, std::uint64_t hash) {
  Rows& rows = of(row.family);
  const auto [place, is_new] = rows.table.put(hash, row.key, row.value);
  if (!is_new) return;
  rows.fresh.push_back(place);
  if (row.family != Family::state) return;
  if (const auto prefix = KeyFilter::of_prefix(row.key)) prefixes_.add(*prefix);
}

/// What was put stands in the runs from now on.
void WriteLayer::end_batch() {
  for (Rows& rows : families_) {
    if (rows.fresh.empty()) continue;
    // What contracts wrote comes in order.
    if (!std::is_sorted(rows.fresh.begin(), rows.fresh.end(), is_before)) {
      std::sort(rows.fresh.begin(), rows.fresh.end(), is_before);
    }
    rows.runs.push_back(std::move(rows.fresh));
    rows.fresh.clear();
    while (rows.runs.size() > 1 &&
           std::prev(rows.runs.end(), 2)->size() <= rows.runs.back().size()) {
      Run both = merged(*std::prev(rows.runs.end(), 2), rows.runs.back());
      rows.runs.pop_back();
      rows.runs.back() = std::move(both);
    }
  }
}

const WriteLayer::Row* WriteLayer::find(Family family, std::uint64_t hash, BytesView key) const {
  return of(family).table.find(hash, key);
}

bool WriteLayer::may_have(Family family, BytesView prefix) const {
  const auto number = KeyFilter::of_prefix(prefix);
  return family != Family::state || !number || prefixes_.may_have(*number);
}

WriteLayer::Run WriteLayer::sorted(Family family) const {
  Run out;
  const std::vector<Run>& runs = of(family).runs;
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) out = merged(*run, out);
  return out;
}

std::size_t WriteLayer::row_count() const {
  std::size_t out = 0;
  for (const Rows& rows : families_) {
    out += rows.fresh.size();
    for (const Run& run : rows.runs) out += run.size();
  }
  return out;
}

std::size_t WriteLayer::memory_bytes() const {
  std::size_t out = prefixes_.memory_bytes();
  for (const Rows& rows : families_) out += rows.table.memory_bytes();
  return out + row_count() * sizeof(const Row*);
}

}  // namespace baolian::ledger
