/// A small deterministic random generator (xoshiro256**, Blackman & Vigna 2018) for the simulator,
/// tests and timers with jitter. Never for keys, salts or nonces: those come from crypto/random.h.
#pragma once

#include <cstdint>

namespace baolian {

class Prng {
 public:
  explicit Prng(std::uint64_t seed);

  std::uint64_t next();
  /// Uniform in [0, bound). Requires: bound > 0.
  std::uint64_t below(std::uint64_t bound);
  /// Uniform in [low, high]. Requires: low <= high.
  std::uint64_t between(std::uint64_t low, std::uint64_t high);
  /// True with probability percent/100.
  bool chance_percent(std::uint64_t percent) { return below(100) < percent; }
  /// An independent generator: the same parent state and label give the same child.
  Prng fork(std::uint64_t label);

 private:
  std::uint64_t state_[4];
};

}  // namespace baolian
