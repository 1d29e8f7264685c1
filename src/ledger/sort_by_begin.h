/// Sorting by long keys of which the first bytes tell nearly any two apart.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace baolian::ledger {

/// The first eight bytes as a number in whose order the bytes stand. Requires: there are so many.
inline std::uint64_t first_bytes(std::span<const std::uint8_t> bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < sizeof out; ++i) out = out << 8 | bytes[i];
  return out;
}

/// Sorts by `begin_of(item)`, a number, and where that is the same by `is_before`. Requires: the
/// two agree. While sorting only numbers and places move: items are large, or point to what is far.
template <typename Item, typename BeginOf, typename IsBefore>
void sort_by_begin(std::vector<Item>& items, const BeginOf& begin_of, const IsBefore& is_before) {
  struct Place {
    std::uint64_t begin;
    std::size_t at;
  };
  std::vector<Place> places;
  places.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) places.push_back({begin_of(items[i]), i});
  std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
    return a.begin != b.begin ? a.begin < b.begin : is_before(items[a.at], items[b.at]);
  });
  std::vector<Item> out;
  out.reserve(items.size());
  for (const Place& place : places) out.push_back(std::move(items[place.at]));
  items = std::move(out);
}

}  // namespace baolian::ledger
