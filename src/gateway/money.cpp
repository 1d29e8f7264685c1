#include "gateway/money.h"

#include <algorithm>
#include <array>

namespace baolian::gateway {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Error malformed() {
  return fail(Errc::bad_amount, "an amount is no plain decimal number; write it as 123.45");
}

// value * 10 + digit, kept within kAmountMax.
bool push_digit(std::uint64_t& value, char digit) {
  const auto d = static_cast<std::uint64_t>(digit - '0');
  if (value > (kAmountMax - d) / 10) return false;
  value = value * 10 + d;
  return true;
}

}  // namespace

Result<std::uint64_t> parse_amount(std::string_view text, unsigned minor_digits) {
  ASSERT(minor_digits <= kMinorDigitsMax);
  if (text.starts_with('-')) {
    return fail(Errc::bad_amount, "an amount is negative; a reversal is an invoice of its own");
  }
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point < text.size() ? text.substr(point + 1) : "";
  if (text.find_first_of("eE") != std::string_view::npos) {
    return fail(Errc::bad_amount, "an amount has an exponent; write all of its digits");
  }
  if (whole.empty() || (point < text.size() && fraction.empty())) return malformed();
  if (!std::all_of(whole.begin(), whole.end(), is_digit)) return malformed();
  if (!std::all_of(fraction.begin(), fraction.end(), is_digit)) return malformed();

  const Error too_large =
      fail(Errc::bad_amount, "an amount is too large: 2^63 minor units or more");
  std::uint64_t minor = 0;
  for (const char c : whole) {
    if (!push_digit(minor, c)) return too_large;
  }
  for (std::size_t i = 0; i < minor_digits; ++i) {
    if (!push_digit(minor, i < fraction.size() ? fraction[i] : '0')) return too_large;
  }
  if (fraction.size() > minor_digits &&
      fraction.find_first_not_of('0', minor_digits) != std::string_view::npos) {
    return fail(Errc::bad_amount,
                "an amount has more digits after the point than its currency; it is not rounded");
  }
  return minor;
}

std::string format_money(std::uint64_t minor, unsigned minor_digits, std::string_view code) {
  ASSERT(minor_digits <= kMinorDigitsMax);
  std::string digits = std::to_string(minor);
  if (digits.size() <= minor_digits) digits.insert(0, minor_digits + 1 - digits.size(), '0');
  const std::size_t whole = digits.size() - minor_digits;
  std::string out;
  for (std::size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  if (minor_digits > 0) out += '.' + digits.substr(whole);
  if (!code.empty()) out += ' ' + std::string(code);
  return out;
}

unsigned currency_minor_digits(std::string_view code) {
  constexpr std::array<std::string_view, 16> kNone{"BIF", "CLP", "DJF", "GNF", "ISK", "JPY",
                                                   "KMF", "KRW", "PYG", "RWF", "UGX", "VND",
                                                   "VUV", "XAF", "XOF", "XPF"};
  constexpr std::array<std::string_view, 7> kThree{"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
  if (std::find(kNone.begin(), kNone.end(), code) != kNone.end()) return 0;
  if (std::find(kThree.begin(), kThree.end(), code) != kThree.end()) return 3;
  return 2;
}

bool is_currency_code(std::string_view code) {
  return code.size() == 3 &&
         std::all_of(code.begin(), code.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace baolian::gateway
