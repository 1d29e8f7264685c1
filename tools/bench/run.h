/// One run of baolian-bench: a network is started, prepared, driven, watched and ended.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "bench/settings.h"
#include "core/result.h"

namespace baolian::bench {

/// Draws progress bars on a terminal. Returns: the report (report.h); Errc::bad_argument for
/// numbers out of range; errors of the network and of the nodes.
Result<nlohmann::json> run(const Settings& settings);

}  // namespace baolian::bench
