/// What stands in the state before the measured time, brought there through the ordinary path.
#pragma once

#include <memory>
#include <vector>

#include "bench/cluster.h"
#include "bench/drive.h"
#include "bench/records.h"

namespace baolian::bench {

/// Registers all records, and gives all consents if the workload needs them. Shows progress.
/// Returns: how many operations; Errc::internal if one was rejected, errors of the drive.
Result<std::uint64_t> prepare(const Settings& settings, const Cluster& cluster,
                              const Records& records,
                              std::vector<std::unique_ptr<Department>>& departments);

}  // namespace baolian::bench
