#include "gateway/dates.h"

#include "support/catch.h"

using namespace baolian;
using namespace baolian::gateway;

namespace {
std::uint64_t ms(std::string_view text, int offset = 480) {
  const auto time = parse_fhir_time(text, offset);
  REQUIRE(time.has_value());
  return time->at.value;
}
}  // namespace

TEST_CASE("dates: instants are the same in every offset", "[gateway][dates]") {
  CHECK(ms("1970-01-01T00:00:00Z") == 0);
  CHECK(ms("2026-03-05T08:00:00+08:00") == 1772668800000);
  CHECK(ms("2026-03-05T00:00:00Z") == 1772668800000);
  CHECK(ms("2026-03-04T19:00:00-05:00") == 1772668800000);
  CHECK(ms("2026-03-05T00:00:00.123Z") == 1772668800123);
  CHECK(ms("2026-03-05T00:00:00.1239999Z") == 1772668800123);
  CHECK(ms("2016-12-31T23:59:60Z") == ms("2017-01-01T00:00:00Z"));
  CHECK(ms("2024-02-29T00:00:00Z") == 1709164800000);
}

TEST_CASE("dates: a bare date is midnight in the chain's zone, and says that it is bare",
          "[gateway][dates]") {
  const auto time = parse_fhir_time("2026-03-05", 480);
  REQUIRE(time.has_value());
  CHECK(time->precision == Precision::day);
  CHECK(time->at.value == ms("2026-03-05T00:00:00+08:00"));
  CHECK(parse_fhir_time("2026-03-05T00:00:00Z", 480)->precision == Precision::instant);
}

TEST_CASE("dates: impossible and incomplete times are refused", "[gateway][dates]") {
  for (const char* text : {"",
                           "2026",
                           "2026-03",
                           "2026-13-01",
                           "2026-02-30",
                           "2025-02-29",
                           "2026-3-5",
                           "2026-03-05T08:00:00",
                           "2026-03-05T08:00Z",
                           "2026-03-05 08:00:00Z",
                           "2026-03-05T24:00:00Z",
                           "2026-03-05T08:60:00Z",
                           "2026-03-05T08:00:61Z",
                           "2026-03-05T08:00:00+8:00",
                           "2026-03-05T08:00:00+15:00",
                           "2026-03-05T08:00:00.Z",
                           "2026-03-05T08:00:00Zx",
                           "yesterday",
                           "1969-12-31T23:59:59Z",
                           "1950-01-01",
                           "-026-03-05"}) {
    INFO(text);
    const auto time = parse_fhir_time(text, 480);
    REQUIRE_FALSE(time.has_value());
    CHECK(time.error().code == Errc::fhir_invalid);
  }
}

TEST_CASE("dates: the civil day is that of the fixed offset", "[gateway][dates]") {
  const TimeMs late{ms("2026-03-01T23:30:00Z")};
  CHECK(format_civil_day(*civil_day(late, 0)) == "2026-03-01");
  CHECK(format_civil_day(*civil_day(late, 480)) == "2026-03-02");
  CHECK(format_civil_day(*civil_day(late, -24 * 60 + 1)) == "2026-02-28");
  CHECK(*civil_day(TimeMs{0}, 0) == 0);
  CHECK(civil_day(TimeMs{0}, -1).error().code == Errc::fhir_invalid);
  CHECK(format_time(late, 480) == "2026-03-02 07:30:00+08:00");
  CHECK(format_time(late, -210) == "2026-03-01 20:00:00-03:30");
}
