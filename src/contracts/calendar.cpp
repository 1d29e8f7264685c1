#include "contracts/calendar.h"

namespace baolian::contracts {
namespace {

/// Leap days of the Gregorian calendar in the years 1..year.
constexpr std::uint64_t leap_days_through(std::uint64_t year) {
  return year / 4 - year / 100 + year / 400;
}
constexpr bool is_leap(std::uint64_t year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}
/// Days from 1970-01-01 to January 1st of a year >= 1970.
constexpr std::uint64_t days_before_year(std::uint64_t year) {
  return (year - 1970) * 365 + leap_days_through(year - 1) - leap_days_through(1969);
}
/// Days before the first of a month (0-based) within its year.
constexpr std::uint64_t days_before_month(std::uint64_t year, std::uint64_t month) {
  constexpr std::uint16_t kBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  return kBefore[month] + (month > 1 && is_leap(year) ? 1U : 0U);
}

/// At least two digits.
std::string two_digits(std::uint64_t value) {
  return (value < 10 ? "0" : "") + std::to_string(value);
}

}  // namespace

std::uint32_t civil_day(TimeMs time, std::int16_t utc_offset_minutes) {
  constexpr std::uint64_t kDayMs = 86'400'000;
  constexpr std::uint64_t kTimeMax = UINT64_MAX / 2;  // far beyond any block; keeps sums in range
  const std::uint64_t now = time.value < kTimeMax ? time.value : kTimeMax;
  std::uint64_t local = now;
  if (utc_offset_minutes >= 0) {
    local += static_cast<std::uint64_t>(utc_offset_minutes) * 60'000;
  } else {
    const std::uint64_t behind = static_cast<std::uint64_t>(-utc_offset_minutes) * 60'000;
    local = now > behind ? now - behind : 0;
  }
  const std::uint64_t day = local / kDayMs;
  return day < UINT32_MAX ? static_cast<std::uint32_t>(day) : UINT32_MAX;
}

std::uint32_t civil_month(std::uint32_t day) {
  // 146,097 days are exactly 400 years; the estimate is off by at most one year.
  std::uint64_t year = 1970 + std::uint64_t{day} * 400 / 146'097;
  while (days_before_year(year) > day) --year;
  while (days_before_year(year + 1) <= day) ++year;
  const std::uint64_t rest = day - days_before_year(year);
  std::uint64_t month = 11;
  while (days_before_month(year, month) > rest) --month;
  return static_cast<std::uint32_t>((year - 1970) * 12 + month);
}

std::uint32_t first_day_of_month(std::uint32_t month) {
  const std::uint64_t year = 1970 + month / 12;
  return static_cast<std::uint32_t>(days_before_year(year) + days_before_month(year, month % 12));
}

std::string civil_month_text(std::uint32_t month) {
  return std::to_string(1970 + month / 12) + "-" + two_digits(month % 12 + 1);
}

std::string civil_date_text(std::uint32_t day) {
  const std::uint32_t month = civil_month(day);
  return civil_month_text(month) + "-" + two_digits(day - first_day_of_month(month) + 1);
}

}  // namespace baolian::contracts
