#include "ledger/prefix_filter.h"

#include <algorithm>

#include "core/assert.h"
#include "ledger/row_table.h"
#include "ledger/store.h"

namespace baolian::ledger {
namespace {

/// All bits of a prefix stand in one line of the processor's cache.
constexpr std::size_t kLineWords = 8;
constexpr std::size_t kLineBits = kLineWords * 64;
constexpr std::size_t kBitsOfPrefix = 12;
constexpr unsigned kBitsSet = 6;
constexpr unsigned kPlaceBits = 9;  ///< of a bit in its line
constexpr std::size_t kRoomMin = 4096;

/// Calls `bit(word, mask)` for each bit of a hash, until it says false.
template <typename Bit>
bool for_each_bit(std::uint64_t hash, std::size_t words, const Bit& bit) {
  const std::size_t line = hash % (words / kLineWords) * kLineWords;
  std::uint64_t places = hash * 0x9E3779B97F4A7C15ULL;  // the line took the low bits
  for (unsigned i = 0; i < kBitsSet; ++i, places >>= kPlaceBits) {
    const std::size_t place = places % kLineBits;
    if (!bit(line + place / 64, std::uint64_t{1} << place % 64)) return false;
  }
  return true;
}

}  // namespace

PrefixFilter::PrefixFilter(std::size_t expected) { grow(expected); }

std::uint64_t PrefixFilter::hash(BytesView key) {
  ASSERT(key.size() >= kStatePrefixBytes);
  return row_hash(key.first(kStatePrefixBytes));
}

void PrefixFilter::grow(std::size_t room) {
  Part& part = parts_.emplace_back();
  part.room = std::max(room, kRoomMin);
  part.words.resize(part.room * kBitsOfPrefix / kLineBits * kLineWords);
}

void PrefixFilter::add(std::uint64_t hash) {
  if (may_have(hash)) return;
  if (parts_.back().count == parts_.back().room) {
    std::size_t room = 0;
    for (const Part& part : parts_) room += part.room;
    grow(room);
  }
  Part& part = parts_.back();
  ++part.count;
  for_each_bit(hash, part.words.size(), [&part](std::size_t word, std::uint64_t mask) {
    part.words[word] |= mask;
    return true;
  });
}

bool PrefixFilter::may_have(std::uint64_t hash) const {
  return std::any_of(parts_.begin(), parts_.end(), [hash](const Part& part) {
    return for_each_bit(hash, part.words.size(), [&part](std::size_t word, std::uint64_t mask) {
      return (part.words[word] & mask) != 0;
    });
  });
}

std::size_t PrefixFilter::memory_bytes() const {
  std::size_t out = 0;
  for (const Part& part : parts_) out += part.words.size() * sizeof(std::uint64_t);
  return out;
}

}  // namespace baolian::ledger
