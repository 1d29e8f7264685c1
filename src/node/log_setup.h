/// The operator's log on stderr: one line an event, for people or (log_json) one JSON object a
/// line.
#pragma once

#include <string>
#include <string_view>

#include "node/config.h"

namespace baolian::node {

/// Makes it the process's default log.
void set_up_log(const Config& config);

/// The text between the quotes of a JSON string; bytes that are no UTF-8 are replaced.
std::string json_escaped(std::string_view text);

}  // namespace baolian::node
