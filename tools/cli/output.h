/// Tables for people, JSON for programs, from the same answer.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/client.h"

namespace baolian::cli {

/// "2026-11-22 10:15:30.123Z" from milliseconds since 1970.
std::string iso_time(std::uint64_t ms);
/// Milliseconds of "2026-11-22" (00:00Z) or "2026-11-22T10:15:30Z" (also with fraction or +08:00).
/// Returns: Errc::bad_argument.
Result<std::uint64_t> parse_time(const std::string& text);

/// The first 12 hexadecimal digits: enough for people to tell things apart.
std::string short_id(const nlohmann::json& value);
/// A member as text: "-" if absent or null.
std::string text_at(const nlohmann::json& object, const char* name);
std::uint64_t number_at(const nlohmann::json& object, const char* name);

/// Prints an answer as JSON (--json) or calls `people`.
template <typename Print>
void show(Context& context, const Result<nlohmann::json>& answer, Print people) {
  if (!answer) return context.failed(answer.error());
  if (context.json) {
    std::puts(answer->dump(1).c_str());
  } else {
    people(*answer);
  }
}

}  // namespace baolian::cli
