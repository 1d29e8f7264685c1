/// FHIR dateTime and instant texts, and civil dates in a fixed UTC offset. No clock, no zone
/// database.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/ids.h"
#include "core/result.h"

namespace baolian::gateway {

/// Days since 1970-01-01 on the calendar of some zone.
using CivilDay = std::uint32_t;

enum class Precision : std::uint8_t { instant, day };

struct FhirTime {
  TimeMs at;            ///< UTC; for a bare date its midnight in the zone that was asked for
  Precision precision;  ///< day = the text had no time
};

/// Reads "2026-03-05T08:00:00+08:00", "...Z", with a fraction (cut to milliseconds), or the bare
/// date "2026-03-05" as midnight at `utc_offset_minutes`. A leap second counts as the next second.
/// Returns: Errc::fhir_invalid for another form, an impossible date, a time without offset, a
/// year or month alone, or anything before 1970-01-01T00:00Z.
Result<FhirTime> parse_fhir_time(std::string_view text, int utc_offset_minutes);

/// The calendar day at this instant. Returns: Errc::fhir_invalid if that is before 1970-01-01.
Result<CivilDay> civil_day(TimeMs at, int utc_offset_minutes);

/// "2026-03-05".
std::string format_civil_day(CivilDay day);

/// "2026-03-05 08:00:00+08:00".
std::string format_time(TimeMs at, int utc_offset_minutes);

}  // namespace baolian::gateway
