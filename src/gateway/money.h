/// Money as whole minor units (fen, cents): exact reading of decimal texts, exact writing. No
/// floating point anywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "contracts/claims/amounts.h"
#include "core/result.h"

namespace baolian::gateway {

using contracts::add_amounts;
using contracts::kAmountMax;

/// Digits after the point that can be asked for: ISO 4217 knows 0 to 4, quantities have 6.
inline constexpr unsigned kMinorDigitsMax = 6;

/// Reads "3255", "3255.00" or "3255.000" (2 digits) as 325500. The text is that of a JSON number.
/// Requires: minor_digits <= kMinorDigitsMax.
/// Returns: Errc::bad_amount for a negative number, an exponent, a digit other than 0 beyond
/// minor_digits, more than kAmountMax, or anything that is no number. The text itself is never
/// repeated in the error.
Result<std::uint64_t> parse_amount(std::string_view text, unsigned minor_digits);

/// "3,112.90 CNY"; without a code "3,112.90". Requires: minor_digits <= kMinorDigitsMax.
std::string format_money(std::uint64_t minor, unsigned minor_digits, std::string_view code);

/// Digits after the point by ISO 4217: 0 for JPY, KRW ..., 3 for KWD, BHD ..., 2 for all others.
unsigned currency_minor_digits(std::string_view code);

/// Three capital letters, the form of an ISO 4217 code.
bool is_currency_code(std::string_view code);

}  // namespace baolian::gateway
