/// What a person or a hospital adds to a bill, as a program or a form writes it:
///
/// {"items": [{"item": 3, "class": "C"}],
///  "lines": [{"invoice": 0, "name": "床位费", "code": "110900001", "amount": "75.00",
///             "class": "B", "system"?: "...", "day"?: "2026-03-02"}],
///  "note": "..."}
///
/// Each of the three may be absent. A class is A, B, C, or for a line also unknown.
#pragma once

#include <string>
#include <string_view>

#include "contracts/adjudication/bill.h"
#include "core/result.h"

namespace baolian::gateway {

inline constexpr std::size_t kSupplementBytesMax = std::size_t{4} << 20;

/// Reads a supplement; amounts have minor_digits digits after the point. Whether it fits a bill is
/// for decide() to say. Items may stand in any order, each once.
/// Returns: Errc::bad_json, limit_exceeded; bad_argument for what is unknown, missing or of another
/// kind; bad_amount; each names the place, never a value.
Result<contracts::BillSupplement> read_supplement_json(std::string_view text,
                                                       unsigned minor_digits);

/// The same text form. Quantity, self-pay and prescriber of a line have no place in it.
std::string write_supplement_json(const contracts::BillSupplement& supplement,
                                  unsigned minor_digits);

}  // namespace baolian::gateway
