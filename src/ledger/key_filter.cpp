#include "ledger/key_filter.h"

#include <algorithm>

#include "core/prefetch.h"
#include "ledger/row_table.h"
#include "ledger/store.h"

namespace baolian::ledger {
namespace {

/// All bits of a number stand in one line of the processor's cache.
constexpr std::size_t kLineWords = 8;
constexpr std::size_t kLineBits = kLineWords * 64;
constexpr std::size_t kBitsOfNumber = 12;
constexpr unsigned kBitsSet = 6;
constexpr unsigned kPlaceBits = 9;  ///< of a bit in its line
constexpr std::size_t kRoomMin = 4096;
constexpr std::size_t kGrowth = 7;

std::size_t line_of(std::uint64_t number, std::size_t words) {
  return number % (words / kLineWords) * kLineWords;
}

/// Calls `bit(word, mask)` for each bit of a number, until it says false.
template <typename Bit>
bool for_each_bit(std::uint64_t number, std::size_t words, const Bit& bit) {
  const std::size_t line = line_of(number, words);
  std::uint64_t places = number * 0x9E3779B97F4A7C15ULL;  // the line took the low bits
  for (unsigned i = 0; i < kBitsSet; ++i, places >>= kPlaceBits) {
    const std::size_t place = places % kLineBits;
    if (!bit(line + place / 64, std::uint64_t{1} << place % 64)) return false;
  }
  return true;
}

}  // namespace

std::uint64_t KeyFilter::of_key(BytesView key) { return row_hash(key); }

std::optional<std::uint64_t> KeyFilter::of_prefix(BytesView key) {
  if (key.size() < kStatePrefixBytes) return std::nullopt;
  return row_hash(key.first(kStatePrefixBytes));
}

void KeyFilter::add_key(BytesView key) {
  add(of_key(key));
  if (const auto prefix = of_prefix(key)) add(*prefix);
}

void KeyFilter::expect_key(BytesView key) const {
  expect(of_key(key));
  if (const auto prefix = of_prefix(key)) expect(*prefix);
}

void KeyFilter::grow(std::size_t room) {
  Part& part = parts_.emplace_back();
  part.room = std::max(room, kRoomMin);
  part.words.resize(part.room * kBitsOfNumber / kLineBits * kLineWords);
}

void KeyFilter::expect(std::uint64_t number) const {
  for (const Part& part : parts_) {
    prefetch(&part.words[line_of(number, part.words.size())], kLineWords * sizeof(std::uint64_t));
  }
}

void KeyFilter::add(std::uint64_t number) {
  if (may_have(number)) return;
  if (parts_.back().count == parts_.back().room) {
    std::size_t room = 0;
    for (const Part& part : parts_) room += part.room;
    grow(kGrowth * room);
  }
  Part& part = parts_.back();
  ++part.count;
  for_each_bit(number, part.words.size(), [&part](std::size_t word, std::uint64_t mask) {
    part.words[word] |= mask;
    return true;
  });
}

bool KeyFilter::may_have(std::uint64_t number) const {
  return std::any_of(parts_.begin(), parts_.end(), [number](const Part& part) {
    return for_each_bit(number, part.words.size(), [&part](std::size_t word, std::uint64_t mask) {
      return (part.words[word] & mask) != 0;
    });
  });
}

std::size_t KeyFilter::memory_bytes() const {
  std::size_t out = 0;
  for (const Part& part : parts_) out += part.words.size() * sizeof(std::uint64_t);
  return out;
}

}  // namespace baolian::ledger
