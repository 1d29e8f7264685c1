#include "cli/output.h"

#include <fmt/format.h>

#include "gateway/dates.h"

namespace baolian::cli {

std::string iso_time(std::uint64_t ms) {
  const std::string seconds = gateway::format_time(TimeMs{ms}, 0);  // "2026-03-05 08:00:00+00:00"
  return fmt::format("{}.{:03}Z", seconds.substr(0, 19), ms % 1000);
}

Result<std::uint64_t> parse_time(const std::string& text) {
  auto parsed = gateway::parse_fhir_time(text, 0);
  if (!parsed) {
    return fail(Errc::bad_argument,
                "a time is 2026-11-22 or 2026-11-22T10:15:30Z or with +08:00 at the end");
  }
  return parsed->at.value;
}

std::string short_id(const nlohmann::json& value) {
  return value.is_string() ? value.get_ref<const std::string&>().substr(0, 12) : "-";
}

std::string text_at(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return "-";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::uint64_t number_at(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

}  // namespace baolian::cli
