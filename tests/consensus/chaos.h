/// Crashes at a named place and disorder by seed, for networks of either engine.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>

#include "consensus/network.h"
#include "support/catch.h"

namespace baolian::consensus::testing {

struct CrashPlan {
  std::size_t victim = 0;
  std::uint64_t at_persist = 0;  ///< crashes before this Persist becomes durable
  bool keeps_store = false;
  /// How many of its records reached the disk all the same, without anything having been sent.
  std::size_t records_survive = 0;
};

/// The network crashes and restarts the victim as planned, once. Returns: whether it has done so.
inline std::shared_ptr<const bool> crash_as_planned(Network& network, const CrashPlan& plan) {
  auto crashed = std::make_shared<bool>(false);
  network.before_persist = [&network, plan, crashed,
                            seen = std::uint64_t{0}](std::size_t i) mutable {
    if (i != plan.victim || *crashed || ++seen != plan.at_persist) return;
    *crashed = true;
    Node& node = network.node(i);
    if (plan.keeps_store) node.flushed = node.height();
    const std::vector<LogRecord>& writes = node.persisting.front().writes;
    const std::size_t survive = std::min(plan.records_survive, writes.size());
    node.log.insert(node.log.end(), writes.begin(),
                    writes.begin() + static_cast<std::ptrdiff_t>(survive));
    network.crash(i);
    network.start(i);
  };
  return crashed;
}

/// Calls `run` with a crash at every Persist of every one of three victims, with the store kept or
/// lost and with records that survive or do not, until `run` says that the Persist never came.
/// Fails where a victim had fewer than `boundaries_min`: then the loop tested nothing.
inline void crash_everywhere(
    const std::function<bool(const CrashPlan& plan, std::uint64_t seed)>& run,
    std::uint64_t boundaries_min) {
  for (std::size_t victim = 0; victim < 3; ++victim) {
    for (int variant = 0; variant < 6; ++variant) {
      const bool keeps_store = variant % 2 == 1;
      const std::size_t survive = variant < 2 ? 0 : variant < 4 ? 1 : 100;
      std::uint64_t boundaries = 0;
      for (std::uint64_t at = 1;; ++at) {
        CAPTURE(victim, keeps_store, survive, at);
        if (!run({victim, at, keeps_store, survive}, at * 7 + victim)) break;
        ++boundaries;
      }
      CHECK(boundaries >= boundaries_min);
    }
  }
}

/// Somebody who is down starts; somebody who runs crashes, and mostly starts again.
inline void restart_somebody(Network& network, Prng& random) {
  const auto i = static_cast<std::size_t>(random.below(network.size()));
  Node& node = network.node(i);
  if (!node.is_up) return network.start(i);
  if (random.chance_percent(50)) node.flushed = node.height();
  network.crash(i);
  if (random.chance_percent(70)) network.start(i);
}

/// Somebody's store has flushed more, so that its log may be cut.
inline void flush_somebody(Network& network, Prng& random) {
  const auto i = static_cast<std::size_t>(random.below(network.size()));
  Node& node = network.node(i);
  if (!node.is_up || node.status().stopped) return;
  network.flush(i, {random.between(node.flushed.value, node.height().value)});
}

/// A random number of pieces of work.
inline void work_somewhat(Network& network, Prng& random, std::uint64_t steps_max) {
  for (std::uint64_t step = random.below(steps_max); step > 0 && network.work(); --step) {
  }
}

}  // namespace baolian::consensus::testing
