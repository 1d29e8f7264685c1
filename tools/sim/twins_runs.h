// Ranges of twins scenarios: figures, and one summary line.
#pragma once

#include <cstdint>

#include "sim/twins.h"

namespace baolian::sim_program {

struct TwinsOptions {
  sim::TwinsConfig config;
  std::uint64_t first = 0;
  std::uint64_t count = 1;
  std::uint64_t jobs = 1;  // processes that share the range
  bool stop_at_first = false;
};

// Plays all scenarios of the range. Returns the exit code: 0 if nothing was violated.
int run_twins(const TwinsOptions& options);

}  // namespace baolian::sim_program
