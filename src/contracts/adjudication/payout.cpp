#include "contracts/adjudication/payout.h"

#include <algorithm>

#include "core/assert.h"

namespace baolian::contracts {

std::uint64_t divide_rounded(WideAmount dividend, std::uint64_t divisor, Rounding rounding) {
  ASSERT(divisor > 0);
  const WideAmount quotient = dividend / divisor;
  const auto remainder = static_cast<std::uint64_t>(dividend % divisor);
  ASSERT(quotient <= UINT64_MAX - 1);
  const auto down = static_cast<std::uint64_t>(quotient);
  // remainder >= divisor - remainder is 2 * remainder >= divisor without overflow.
  const std::uint64_t missing = divisor - remainder;
  switch (rounding) {
    case Rounding::down:
      return down;
    case Rounding::half_up:
      return remainder >= missing ? down + 1 : down;
    case Rounding::half_even:
      if (remainder == missing) return down + (down & 1U);
      return remainder > missing ? down + 1 : down;
  }
  return down;
}

std::uint64_t cumulative_payout(const DeductibleGroup& group, Rounding rounding,
                                std::uint64_t expense) {
  ASSERT(expense <= kExpenseMax);
  WideAmount millionths = 0;
  for (std::size_t i = 0; i < group.tiers.size(); ++i) {
    const Tier& tier = group.tiers[i];
    const std::uint64_t from = std::max(tier.above, group.amount);
    const std::uint64_t to = i + 1 < group.tiers.size() ? group.tiers[i + 1].above : expense;
    const std::uint64_t end = std::min(to, expense);
    if (end <= from) continue;
    millionths += static_cast<WideAmount>(end - from) * tier.ratio;
  }
  return divide_rounded(millionths, kPartsPerMillion, rounding);
}

}  // namespace baolian::contracts
