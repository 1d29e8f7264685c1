#include "core/prng.h"

#include <array>
#include <limits>

#include "support/catch.h"

namespace baolian {

TEST_CASE("prng: a seed always gives the same sequence", "[prng][golden]") {
  // xoshiro256** seeded by SplitMix64, from an independent implementation.
  Prng random(42);
  for (const std::uint64_t expected : {0x15780b2e0c2ec716ULL, 0x6104d9866d113a7eULL,
                                       0xae17533239e499a1ULL, 0xecb8ad4703b360a1ULL}) {
    CHECK(random.next() == expected);
  }
  CHECK(Prng(42).next() == Prng(42).next());
  CHECK(Prng(42).next() != Prng(43).next());
}

TEST_CASE("prng: below and between keep their bounds and reach both ends", "[prng]") {
  Prng random(1);
  std::array<int, 7> count{};
  for (int i = 0; i < 7000; ++i) ++count.at(static_cast<std::size_t>(random.below(7)));
  for (const int c : count) {
    CHECK(c > 800);  // expected 1,000 +- 29
    CHECK(c < 1200);
  }
  bool low = false;
  bool high = false;
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t value = random.between(10, 12);
    CHECK(value >= 10);
    CHECK(value <= 12);
    low = low || value == 10;
    high = high || value == 12;
  }
  CHECK(low);
  CHECK(high);
  CHECK(random.below(1) == 0);
  CHECK(random.between(5, 5) == 5);
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  CHECK(random.between(kMax, kMax) == kMax);
  // The whole range does not overflow.
  CHECK(Prng(9).between(0, kMax) == Prng(9).next());
}

TEST_CASE("prng: chance_percent is never at 0 and always at 100", "[prng]") {
  Prng random(2);
  for (int i = 0; i < 500; ++i) {
    CHECK_FALSE(random.chance_percent(0));
    CHECK(random.chance_percent(100));
  }
}

TEST_CASE("prng: forks are deterministic and differ by label and by parent state", "[prng]") {
  const auto first_of_fork = [](std::uint64_t seed, std::uint64_t label) {
    return Prng(seed).fork(label).next();
  };
  CHECK(first_of_fork(1, 2) == first_of_fork(1, 2));
  CHECK(first_of_fork(1, 2) != first_of_fork(1, 3));
  CHECK(first_of_fork(1, 2) != first_of_fork(2, 2));
  Prng parent(1);
  CHECK(parent.fork(2).next() != parent.fork(2).next());
}

}  // namespace baolian
