#include "core/prng.h"

#include "core/assert.h"

namespace baolian {
namespace {

std::uint64_t rotate_left(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

// SplitMix64 spreads a small seed over the whole state (Vigna's recommendation).
std::uint64_t split_mix(std::uint64_t& x) {
  x += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = x;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace

Prng::Prng(std::uint64_t seed) {
  for (auto& word : state_) word = split_mix(seed);
}

std::uint64_t Prng::next() {
  const std::uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = rotate_left(state_[3], 45);
  return result;
}

std::uint64_t Prng::below(std::uint64_t bound) {
  ASSERT(bound > 0);
  const std::uint64_t unbiased_from = (0 - bound) % bound;
  while (true) {
    const std::uint64_t candidate = next();
    if (candidate >= unbiased_from) return candidate % bound;
  }
}

std::uint64_t Prng::between(std::uint64_t low, std::uint64_t high) {
  ASSERT(low <= high);
  if (low == 0 && high == UINT64_MAX) return next();
  return low + below(high - low + 1);
}

Prng Prng::fork(std::uint64_t label) { return Prng(next() ^ (label * 0x9E3779B97F4A7C15ULL)); }

}  // namespace baolian
