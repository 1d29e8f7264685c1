/// Civil days and months of the chain, in its fixed UTC offset: no zone database, no clock.
#pragma once

#include <cstdint>
#include <string>

#include "core/ids.h"

namespace baolian::contracts {

/// Days since 1970-01-01 at this instant in the chain's zone; 0 before that day.
std::uint32_t civil_day(TimeMs time, std::int16_t utc_offset_minutes);
/// Months since 1970-01 of a civil day.
std::uint32_t civil_month(std::uint32_t day);
/// A civil day as 2026-01-31, a month as 2026-01.
std::string civil_date_text(std::uint32_t day);
std::string civil_month_text(std::uint32_t month);
/// The first civil day of a month (months since 1970-01).
std::uint32_t first_day_of_month(std::uint32_t month);

}  // namespace baolian::contracts
