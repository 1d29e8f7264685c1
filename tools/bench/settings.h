/// What baolian-bench is asked to do.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/validator_set.h"

namespace baolian::bench {

/// What is done to a validator between the first and the second load.
enum class Fault : std::uint8_t { none, backup_dead, backup_slow, primary_slow };
inline constexpr std::array kFaults = {Fault::backup_dead, Fault::backup_slow, Fault::primary_slow};
constexpr std::string_view fault_name(Fault fault) {
  switch (fault) {
    case Fault::none:
      return "none";
    case Fault::backup_dead:
      return "backup-dead";
    case Fault::backup_slow:
      return "backup-slow";
    case Fault::primary_slow:
      return "primary-slow";
  }
  return "";
}
inline bool is_slow(Fault fault) {
  return fault == Fault::backup_slow || fault == Fault::primary_slow;
}

struct Settings {
  std::string workload = "readings";  ///< script.h, api_work.h

  /// A directory of `baolian network init` whose nodes run already; empty: the bench starts a
  /// network of its own, and only then is what follows a setting. Otherwise the genesis tells it.
  std::string network;

  std::string node_program;  ///< baoliand
  std::string directory;     ///< empty: a new one under the system's temporary directory
  bool keep = false;         ///< leave the directory and say where it is
  std::size_t validators = 4;
  std::size_t observers = 0;
  crypto::ConsensusKind consensus = crypto::ConsensusKind::pbft;

  // The state before the measured time.
  std::uint64_t records = 100'000;        ///< that are read, of `subjects` persons
  std::uint64_t subjects = 30'000;        ///< paid: those who are insured
  std::uint64_t other_records = 400'000;  ///< that only stand there

  // The load.
  std::size_t ops_per_tx = 100;
  std::size_t tx_per_call = 1;
  std::size_t persons_per_call = 1000;  ///< enrolment
  std::size_t clients = 48;  ///< calls under way at most, each on a connection of its own
  double rate_per_s = 0;     ///< operations a second (open loop); 0: each client as fast as it can
  double background_rate = 0;  ///< readings a second beside a workload through the JSON API
  std::vector<double> curve;   ///< such rates one after the other; empty: `rate_per_s` alone
  std::size_t overload = 0;    ///< a load of so many times the clients, between two ordinary ones
  Fault fault = Fault::none;
  std::uint32_t delay_ms = 100;  ///< of a slow validator's connections, each way
  std::uint64_t warm_up_s = 5;
  std::uint64_t duration_s = 60;
  std::uint64_t seed = 1;
  std::size_t sample = 20;  ///< operations whose evidence is verified offline afterwards

  bool jrt0193 = false;   ///< the five measures of JR/T 0193 (jrt0193.h)
  bool compacts = false;  ///< the stores, before and after: what an operation takes
  bool json = false;
  std::string plot_file;  ///< SVG of the curve
};

}  // namespace baolian::bench
