/// Workloads through the JSON API of the nodes, which sign and batch operations themselves.
///
/// - paid: discharges reported by hospitals, each followed until its claim is paid (claims.h).
/// - enrolment: persons enrolled by insurers, attested by the bureau (enrolment.h).
/// - gateway: single readings (gateway.h).
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "bench/cluster.h"
#include "bench/crew.h"
#include "bench/settings.h"

namespace baolian::bench {

class ApiWork : public Work {
 public:
  /// Brings about what the clients need, through the ordinary path. Shows progress.
  /// Returns: how many operations, persons or records; errors of the nodes.
  virtual Result<std::uint64_t> prepare() = 0;
  /// Adds to the report what this workload knows beside its tally, of what was due in this time.
  virtual void describe(nlohmann::json& report, std::uint64_t from_us,
                        std::uint64_t to_us) const = 0;
};

bool is_api_workload(const std::string& name);
/// Requires: is_api_workload(settings.workload); a cluster that outlives it.
/// Returns: Errc::bad_argument if the network lacks an institution that it needs; errors of the
/// profiles.
Result<std::unique_ptr<ApiWork>> make_api_work(const Settings& settings, const Cluster& cluster);

/// Nearest rank, in milliseconds; 0 of nothing.
double percentile_ms(std::vector<double> values_ms, double percent);

}  // namespace baolian::bench
