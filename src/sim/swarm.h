/// What the seed of a run draws: each run has its own mix of faults, load and machines (swarm
/// testing), so that rare mixes come up and a common fault does not drown all others.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/prng.h"
#include "sim/byzantine.h"
#include "sim/network.h"
#include "sim/sim_node.h"
#include "sim/workload.h"

namespace baolian::sim {

/// One family of faults each; a period of 0 means never. Periods are means.
struct FaultOptions {
  NetworkFaults network;
  std::uint64_t crash_every_ms = 0;
  std::uint64_t crash_primary_percent = 0;  ///< share of crashes that meet the primary of the view
  std::uint64_t down_ms_max = 2'000;
  std::uint64_t long_down_percent = 0;  ///< share of crashes after which a node stays down long
  std::uint64_t long_down_ms_max = 20'000;
  std::uint64_t partition_every_ms = 0;
  std::uint64_t partition_ms_max = 2'000;
  std::uint64_t freeze_every_ms = 0;
  std::uint64_t freeze_ms_max = 5'000;
  std::uint64_t clock_every_ms = 0;
  std::int64_t clock_jump_ms_max = 0;
  std::uint64_t transfer_every_ms = 0;    ///< Raft: the leader is asked to hand over
  std::uint64_t lose_store_every_ms = 0;  ///< a node's chain is gone, its consensus log is not
  std::uint64_t power_cuts = 0;           ///< of all nodes at once, in the safety phase
  std::uint64_t link_delay_ms_max = 0;    ///< some links are slow for the whole safety phase
};

/// The weather of a whole run.
enum class Conditions : std::uint8_t {
  stormy,  ///< a mix of faults, all of which end
  calm,    ///< no faults but those of Byzantine nodes: a primary stays as long as it is suffered
  /// Stormy, with base timers shorter than a write to the disk, now and for ever; under Raft
  /// shorter than messages take.
  impatient,
  kCount
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Conditions::kCount)>
    kConditionsNames = {"stormy", "calm", "impatient"};
std::optional<Conditions> find_conditions(std::string_view name);

/// A node that does not follow the rules.
struct ByzantineRole {
  EndpointId endpoint = 0;
  ByzantineKind kind{};
};

struct Swarm {
  Conditions conditions{};
  FaultOptions faults;
  std::vector<ByzantineRole> byzantine;  ///< at most F
  std::vector<EndpointId> away;  ///< gone in the liveness phase; with the Byzantine ones at most F
  bool away_is_cut_off = false;  ///< they run on, but nobody hears them
  Workload::Options work;
  std::vector<NodeOptions> nodes;
  std::vector<PlannedChange> changes;  ///< of validators
};

struct SwarmLimits {
  std::size_t validators = 4;
  std::size_t observers = 1;
  DiskHonesty disk = DiskHonesty::honest;
  bool draws_byzantine = true;
  std::optional<ByzantineKind> byzantine;  ///< F nodes of this kind
  std::optional<std::size_t> epochs;       ///< so many changes of validators instead of drawn ones
  std::optional<Conditions> conditions;    ///< these instead of drawn ones
  crypto::ConsensusKind consensus = crypto::ConsensusKind::pbft;
};

Swarm draw_swarm(Prng& prng, const SwarmLimits& limits);
/// One line for people.
std::string describe(const Swarm& swarm);

}  // namespace baolian::sim
