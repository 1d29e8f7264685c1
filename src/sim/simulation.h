/// One simulated life of a network, drawn from a seed: first faults, then healing (testing.md, "The
/// simulator"). Up to F nodes may be Byzantine for all of it, and up to F in all may be lost or
/// Byzantine when the others must make progress.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "consensus/probes.h"
#include "core/ids.h"
#include "sim/byzantine.h"
#include "sim/costs.h"
#include "sim/disk.h"
#include "sim/swarm.h"
#include "sim/trace.h"

namespace baolian::sim {

struct SimulationConfig {
  std::uint64_t seed = 1;
  std::size_t validators = 4;
  std::size_t observers = 1;
  crypto::ConsensusKind consensus = crypto::ConsensusKind::pbft;  ///< raft: nobody is Byzantine
  std::uint64_t safety_ms = 60'000;                               ///< virtual time with faults
  DiskHonesty disk = DiskHonesty::honest;    ///< lying: a seeded bug, to test the checker
  std::uint64_t liveness_ms_max = 60'000;    ///< virtual time in which everything must end
  bool draws_byzantine = true;               ///< false: all nodes are correct
  std::optional<ByzantineKind> byzantine{};  ///< F nodes of this kind instead of drawn ones
  std::optional<std::size_t> epochs{};       ///< changes of validators instead of drawn ones
  std::optional<Conditions> conditions{};    ///< these instead of drawn ones
  /// The power of this node goes at this step of what it writes; 0: it never does so.
  struct CutPoint {
    std::size_t node = 0;
    std::uint64_t step = 0;
  };
  CutPoint cut{};
  bool counts_costs = false;  ///< of the time with faults, which should be calm
  TraceOptions trace{};
};

struct SimulationReport {
  std::optional<std::string> violation;
  Hash trace_hash;  ///< over every message, execution, crash and restart
  std::uint64_t steps = 0;
  std::uint64_t virtual_ms = 0;
  std::uint64_t height = 0;
  std::uint64_t highest_view = 0;
  std::uint64_t epoch = 0;  ///< newest that is fixed
  std::uint64_t crashes = 0;
  std::uint64_t submitted = 0;
  std::uint64_t settled = 0;
  std::uint64_t applied_operations = 0;
  std::uint64_t rejected_transactions = 0;
  std::uint64_t bans = 0;      ///< of Byzantine nodes by correct ones
  std::uint64_t evidence = 0;  ///< against Byzantine nodes
  std::uint64_t messages = 0;
  std::uint64_t message_bytes = 0;
  std::uint64_t healed_after_ms = 0;  ///< liveness phase until everything had ended
  consensus::ProbeCounts probes;      ///< of correct nodes
  Costs costs;                        ///< if they were counted
  std::uint64_t write_steps = 0;      ///< of the node that `cut` names
  std::string options;                ///< what the seed drew, for people
};

/// Runs one seed. The same config gives the same report, to the last byte.
SimulationReport simulate(const SimulationConfig& config);

/// The command that repeats a run.
std::string repeating_command(const SimulationConfig& config);

}  // namespace baolian::sim
