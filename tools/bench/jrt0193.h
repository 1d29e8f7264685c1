/// The five measures of JR/T 0193-2020 (区块链技术金融应用 评估规则, how financial applications of
/// blockchains are assessed): rate of transactions, rate of queries, synchronisation of a node,
/// time of deployment, growth of the ledger. How each is taken stands in docs/benchmarks.md.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "bench/cluster.h"
#include "bench/records.h"
#include "bench/settings.h"
#include "core/result.h"

namespace baolian::bench {

/// What a node has on its disk, the mean of all. Waits until they have written what they gathered,
/// which they do soon after the last block. Returns: errors of Cluster::figures.
Result<double> quiet_disk_bytes(Cluster& cluster);

/// Takes the measures that a load does not: asks the idle network, then starts its latecomer.
/// `report`: of the load before it; gains `jrt0193`. `disk_before`: quiet_disk_bytes() before it.
/// Requires: a cluster started with settings.jrt0193, which nobody loads now.
/// Returns: Errc::rejected if a node does not answer a question; Errc::timed_out if the latecomer
/// does not get on for a minute; errors of the connections.
Result<void> measure_jrt0193(const Settings& settings, Cluster& cluster, const Records& records,
                             double disk_before, nlohmann::json& report);
/// For people.
void print_jrt0193(const nlohmann::json& measures);

}  // namespace baolian::bench
