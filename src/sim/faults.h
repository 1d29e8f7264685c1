/// Carries out what the swarm drew: crashes, partitions, frozen processes, wrong clocks, power
/// cuts; and the healing after which a quorum must make progress.
#pragma once

#include <memory>
#include <vector>

#include "core/prng.h"
#include "sim/checker.h"
#include "sim/event_queue.h"
#include "sim/network.h"
#include "sim/sim_node.h"
#include "sim/swarm.h"
#include "sim/trace.h"

namespace baolian::sim {

/// Threads: none. Ownership: none of what it is given.
class Faults {
 public:
  struct Stage {
    EventQueue& events;
    Network& network;
    Checker& checker;
    Trace& trace;
    std::vector<std::unique_ptr<SimNode>>& nodes;
  };
  Faults(const Swarm& swarm, const Stage& stage, Prng prng)
      : swarm_(swarm), stage_(stage), prng_(prng) {}

  /// Plans the faults of the safety phase.
  void begin(std::uint64_t safety_ms);
  /// No more faults: everybody but the lost ones is up, quick, and reachable.
  void heal();
  bool is_away(EndpointId endpoint) const;
  std::uint64_t crashes() const { return crashes_; }
  std::uint64_t lost_stores() const { return lost_stores_; }

 private:
  using Way = void (Faults::*)();
  void plan(std::uint64_t every_ms, Way way);
  void crash_one();
  void crash(std::size_t index, std::uint64_t down_ms);
  void restart(std::size_t index);
  void power_cut();
  void lose_store();
  bool is_store_missing() const;
  void partition();
  void flap(const std::vector<bool>& side, int times);
  void split(const std::vector<bool>& side, bool both_ways);
  void isolate(EndpointId endpoint, bool both_ways);
  void bridge();
  void freeze_one();
  void move_clock();
  void transfer_leadership();
  /// The primary of the newest view that a correct node is in.
  EndpointId primary() const;
  EndpointId any() { return static_cast<EndpointId>(prng_.below(stage_.nodes.size())); }

  const Swarm& swarm_;
  Stage stage_;
  Prng prng_;
  bool healing_ = false;
  std::uint64_t partition_ = 0;  ///< number of the newest one: an old one's end heals no new one
  std::uint64_t crashes_ = 0;
  std::uint64_t lost_stores_ = 0;
  struct Missing {
    EndpointId index = 0;
    Height certified;  ///< when it lost its store
  };
  std::optional<Missing> missing_;  ///< the last one
};

}  // namespace baolian::sim
