/// The cumulative payout of a deductible group: F(x), rounded, for an expense x of the policy year.
/// A bill that moves the expense from `before` to `after` pays F(after) - F(before): never F of one
/// bill, because deductible and tiers are of the year.
#pragma once

#include "contracts/adjudication/product.h"

namespace baolian::contracts {

/// The largest amount that the engine takes: sums of 10,000 items stay far below 2^63.
inline constexpr std::uint64_t kExpenseMax = 1ULL << 53;

/// F(expense) in minor units, before limits. Exact: products of amounts and parts per million are
/// 128 bits wide. Requires: expense <= kExpenseMax.
std::uint64_t cumulative_payout(const DeductibleGroup& group, Rounding rounding,
                                std::uint64_t expense);

/// Wide enough for an amount times parts per million.
__extension__ typedef unsigned __int128 WideAmount;

/// Divides rounded. Requires: divisor > 0 and the quotient fits into 64 bits.
std::uint64_t divide_rounded(WideAmount dividend, std::uint64_t divisor, Rounding rounding);

}  // namespace baolian::contracts
