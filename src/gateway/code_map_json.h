/// Code maps as people write them. What is hashed is the canonical form, never this text.
///
/// {"name": {"zh","en"}, "source": {"system","version"}, "target": {"system","version"},
///  "provenance": "...", "entries": [{"source": "K35.800", "relation": "exact",
///  "targets": [{"code","name"}]}]}
#pragma once

#include <string>
#include <string_view>

#include "contracts/adjudication/code_map.h"
#include "core/result.h"

namespace baolian::gateway {

inline constexpr std::size_t kCodeMapBytesMax = std::size_t{16} << 20;

/// Reads a map and checks all of it; entries and targets must stand in ascending order.
/// Returns: Errc::bad_json, limit_exceeded; bad_argument, not_canonical for what is unknown,
/// missing or out of order and for what check_code_map() refuses, naming the place.
Result<contracts::CodeMap> read_code_map_json(std::string_view text);

/// The same text form: read_code_map_json() gives the map back. Requires: what it demands.
std::string write_code_map_json(const contracts::CodeMap& map);

}  // namespace baolian::gateway
