// Ranges of seeds of whole networks: each seed in a process of its own, figures and one summary.
#pragma once

#include <cstdint>

#include "sim/simulation.h"

namespace baolian::sim_program {

struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t count = 1;
};

struct RunOptions {
  sim::SimulationConfig config;
  Seeds seeds;
  std::string bug;  // seeded bug of this process; empty: none
  std::uint64_t jobs = 1;
  bool quiet = false;
  bool stop_at_first = false;
  bool require_probes = false;
  // `seeds` are steps of config.cut in runs of config.seed, not seeds.
  bool sweeps_cuts = false;
};

// Runs all seeds, prints what each gave and the summary line. Returns the exit code: 0 if nothing
// was violated and, where that is asked for, no probe was missed.
int run_networks(const RunOptions& options);

// Runs config.seed once for each step of writing of the node config.cut.node, with the power of
// that node cut there. Prints and returns as above.
int sweep_cuts(RunOptions options);

}  // namespace baolian::sim_program
