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
};

// Runs all seeds, prints what each gave and the summary line. Returns the exit code: 0 if nothing
// was violated and, where that is asked for, no probe was missed.
int run_networks(const RunOptions& options);

}  // namespace baolian::sim_program
