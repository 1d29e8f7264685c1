/// What baolian-bench is asked to do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crypto/validator_set.h"

namespace baolian::bench {

struct Settings {
  std::string workload = "readings";

  // The network, started by the bench itself.
  std::string node_program;  ///< baoliand
  std::string directory;     ///< empty: a new one under the system's temporary directory
  bool keep = false;         ///< leave the directory and say where it is
  std::size_t validators = 4;
  std::size_t observers = 0;
  crypto::ConsensusKind consensus = crypto::ConsensusKind::pbft;

  // The state before the measured time.
  std::uint64_t records = 100'000;  ///< that are read, of `subjects` persons
  std::uint64_t subjects = 30'000;
  std::uint64_t other_records = 400'000;  ///< that only stand there

  // The load.
  std::size_t ops_per_tx = 100;
  std::size_t tx_per_call = 1;
  std::size_t clients = 48;   ///< calls under way at most, each on a connection of its own
  double rate_per_s = 0;      ///< operations a second (open loop); 0: each client as fast as it can
  std::vector<double> curve;  ///< such rates one after the other; empty: `rate_per_s` alone
  std::uint64_t warm_up_s = 5;
  std::uint64_t duration_s = 60;
  std::uint64_t seed = 1;
  std::size_t sample = 20;  ///< readings whose evidence is verified offline afterwards

  bool compacts = false;  ///< the stores, before and after: what an operation takes
  bool json = false;
  std::string plot_file;  ///< SVG of the curve
};

}  // namespace baolian::bench
