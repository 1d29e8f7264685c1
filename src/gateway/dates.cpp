#include "gateway/dates.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>

namespace baolian::gateway {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kMinuteMs = 60'000;

Error malformed() {
  return fail(Errc::fhir_invalid,
              "a time is not of the form YYYY-MM-DDThh:mm:ss+hh:mm (or Z, or a bare YYYY-MM-DD)");
}

// Takes exactly `count` digits off the front.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// Days since 1970-01-01 of "YYYY-MM-DD" at the front.
std::optional<std::int64_t> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date}.time_since_epoch().count();
}

// Milliseconds since midnight of "hh:mm:ss[.fff...]" at the front.
std::optional<std::int64_t> take_time_of_day(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59 || !take(text, ':')) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *second > 60) return std::nullopt;
  std::int64_t ms = ((*hour * 60LL + *minute) * 60 + *second) * 1000;
  if (take(text, '.')) {
    std::int64_t unit = 100;
    if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
    while (const auto digit = take_digits(text, 1)) {
      ms += *digit * unit;
      unit /= 10;
    }
  }
  return ms;
}

// The whole rest of the text: "Z" or "+hh:mm", in minutes.
std::optional<int> take_offset(std::string_view text) {
  if (text == "Z") return 0;
  const int sign = text.starts_with('-') ? -1 : 1;
  if (!take(text, '+') && !take(text, '-')) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || !take(text, ':')) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || !text.empty() || *minutes > 59) return std::nullopt;
  const int total = *hours * 60 + *minutes;
  if (total > 14 * 60) return std::nullopt;
  return sign * total;
}

Result<TimeMs> since_1970(std::int64_t ms) {
  if (ms < 0) return fail(Errc::fhir_invalid, "a time is before 1970; such stays are not taken");
  return TimeMs{static_cast<std::uint64_t>(ms)};
}

}  // namespace

Result<FhirTime> parse_fhir_time(std::string_view text, int utc_offset_minutes) {
  const auto day = take_date(text);
  if (!day) return malformed();
  if (text.empty()) {
    TRY(const TimeMs at, since_1970(*day * kDayMs - utc_offset_minutes * kMinuteMs));
    return FhirTime{at, Precision::day};
  }
  if (!take(text, 'T')) return malformed();
  const auto time = take_time_of_day(text);
  if (!time) return malformed();
  const auto offset = take_offset(text);
  if (!offset) return malformed();
  TRY(const TimeMs at, since_1970(*day * kDayMs + *time - *offset * kMinuteMs));
  return FhirTime{at, Precision::instant};
}

Result<CivilDay> civil_day(TimeMs at, int utc_offset_minutes) {
  // The shift keeps the sum positive: offsets are within a day.
  const std::int64_t local =
      static_cast<std::int64_t>(at.value) + utc_offset_minutes * kMinuteMs + kDayMs;
  const std::int64_t day = local / kDayMs - 1;
  if (day < 0) return fail(Errc::fhir_invalid, "a civil date is before 1970-01-01");
  return static_cast<CivilDay>(day);
}

std::string format_civil_day(CivilDay day) {
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{static_cast<int>(day)}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string format_time(TimeMs at, int utc_offset_minutes) {
  const std::int64_t local = static_cast<std::int64_t>(at.value) + utc_offset_minutes * kMinuteMs;
  const std::int64_t day = local >= 0 ? local / kDayMs : -1;
  const std::int64_t second = (local - day * kDayMs) / 1000;
  const int offset = utc_offset_minutes < 0 ? -utc_offset_minutes : utc_offset_minutes;
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{static_cast<int>(day)}}};
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}{}{:02}:{:02}",
                     static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), second / 3600, second / 60 % 60,
                     second % 60, utc_offset_minutes < 0 ? '-' : '+', offset / 60, offset % 60);
}

}  // namespace baolian::gateway
