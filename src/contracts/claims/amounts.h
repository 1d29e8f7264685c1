/// Whole minor units of the chain's currency, added without overflow.
#pragma once

#include <cstdint>

#include "core/result.h"

namespace baolian::contracts {

/// Amounts stay below 2^63 minor units: what a Pedersen commitment can hold (crypto/pedersen.h).
inline constexpr std::uint64_t kAmountMax = (std::uint64_t{1} << 63) - 1;

/// a + b. Returns: Errc::bad_amount above kAmountMax.
inline Result<std::uint64_t> add_amounts(std::uint64_t a, std::uint64_t b) {
  if (a > kAmountMax || b > kAmountMax - a) {
    return fail(Errc::bad_amount, "a sum of amounts is above 2^63 - 1 minor units");
  }
  return a + b;
}

}  // namespace baolian::contracts
