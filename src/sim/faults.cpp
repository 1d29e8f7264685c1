#include "sim/faults.h"

#include <algorithm>

namespace baolian::sim {

void Faults::plan(std::uint64_t every_ms, Way way) {
  if (every_ms == 0) return;
  stage_.events.after(1 + prng_.below(2 * every_ms), [this, every_ms, way] {
    if (healing_) return;
    (this->*way)();
    plan(every_ms, way);
  });
}

void Faults::begin(std::uint64_t safety_ms) {
  const FaultOptions& faults = swarm_.faults;
  stage_.network.set_faults(faults.network);
  if (faults.link_delay_ms_max > 0) {
    for (std::size_t link = 0; link < 2 * stage_.nodes.size(); ++link) {
      stage_.network.set_link_delay(any(), any(), prng_.below(faults.link_delay_ms_max));
    }
  }
  plan(faults.crash_every_ms, &Faults::crash_one);
  plan(faults.partition_every_ms, &Faults::partition);
  plan(faults.freeze_every_ms, &Faults::freeze_one);
  plan(faults.clock_every_ms, &Faults::move_clock);
  plan(faults.transfer_every_ms, &Faults::transfer_leadership);
  plan(faults.lose_store_every_ms, &Faults::lose_store);
  for (std::uint64_t i = 0; i < faults.power_cuts; ++i) {
    stage_.events.after(prng_.between(safety_ms / 8, safety_ms), [this] { power_cut(); });
  }
}

EndpointId Faults::primary() const {
  const std::size_t validators = stage_.network.endpoints();
  for (const auto& node : stage_.nodes) {
    if (!node->is_up() || !stage_.checker.is_correct(node->id())) continue;
    const consensus::Status status = node->status();
    if (status.view == stage_.checker.highest_view() && status.leader &&
        *status.leader < validators) {
      return *status.leader;
    }
  }
  return 0;
}

// ------------------------------------------------------------------ crashes

void Faults::crash(std::size_t index, std::uint64_t down_ms) {
  if (!stage_.nodes[index]->is_up()) return;
  stage_.trace.event(static_cast<EndpointId>(index), "crash");
  stage_.nodes[index]->crash();
  ++crashes_;
  stage_.events.after(down_ms, [this, index] { restart(index); });
}

void Faults::restart(std::size_t index) {
  if (stage_.nodes[index]->is_up() || stage_.checker.first_violation()) return;
  const bool stays_away = is_away(static_cast<EndpointId>(index)) && !swarm_.away_is_cut_off;
  if (healing_ && stays_away) return;
  stage_.trace.event(static_cast<EndpointId>(index), "restart");
  stage_.nodes[index]->start();
}

void Faults::crash_one() {
  const FaultOptions& faults = swarm_.faults;
  const bool of_primary = prng_.chance_percent(faults.crash_primary_percent);
  const bool is_long = prng_.chance_percent(faults.long_down_percent);
  crash(of_primary ? primary() : any(),
        prng_.below((is_long ? faults.long_down_ms_max : faults.down_ms_max) + 1));
}

/// The leader is asked to hand over to anybody, which need not succeed.
void Faults::transfer_leadership() {
  for (const auto& node : stage_.nodes) {
    if (node->is_up() && !node->is_frozen() && node->status().is_leader) {
      return node->transfer_leadership(static_cast<node::ReplicaId>(any()));
    }
  }
}

void Faults::power_cut() {
  if (healing_) return;
  for (std::size_t i = 0; i < stage_.nodes.size(); ++i) crash(i, prng_.below(500));
}

/// The last one to lose its store has not got everything again: one broken disk at a time, for
/// blocks and snapshots that nobody has any more cannot come back.
bool Faults::is_store_missing() const {
  if (!missing_) return false;
  const SimNode& node = *stage_.nodes[missing_->index];
  return !node.is_up() || node.chain().height() < missing_->certified ||
         (node.chain().base().value > 0 && !node.holds_snapshot());
}

/// A disk breaks: the chain of a node is gone, its consensus log, on another disk, is not.
void Faults::lose_store() {
  const EndpointId index = any();
  SimNode& node = *stage_.nodes[index];
  if (!node.is_up() || !stage_.checker.is_correct(node.id()) || is_store_missing()) return;
  missing_ = Missing{index, stage_.checker.certified_height()};
  crash(index, prng_.below(swarm_.faults.down_ms_max + 1));
  stage_.trace.event(index, "loses its store");
  node.lose_store();
  ++lost_stores_;
}

// ------------------------------------------------------------------ partitions

void Faults::split(const std::vector<bool>& side, bool both_ways) {
  for (std::size_t a = 0; a < side.size(); ++a) {
    for (std::size_t b = 0; b < side.size(); ++b) {
      if (side[a] == side[b] || (!both_ways && !side[a])) continue;
      stage_.network.cut(static_cast<EndpointId>(a), static_cast<EndpointId>(b));
    }
  }
}

void Faults::isolate(EndpointId endpoint, bool both_ways) {
  std::vector<bool> side(stage_.nodes.size(), false);
  side[endpoint] = true;
  split(side, both_ways);
}

/// Two halves that only one node can see both of.
void Faults::bridge() {
  const EndpointId middle = any();
  std::vector<bool> side;
  for (std::size_t i = 0; i < stage_.nodes.size(); ++i) side.push_back(prng_.chance_percent(50));
  for (std::size_t a = 0; a < side.size(); ++a) {
    for (std::size_t b = 0; b < side.size(); ++b) {
      if (a == middle || b == middle || side[a] == side[b]) continue;
      stage_.network.cut(static_cast<EndpointId>(a), static_cast<EndpointId>(b));
    }
  }
}

/// Comes and goes faster than any timer.
void Faults::flap(const std::vector<bool>& side, int times) {
  if (healing_) return;
  stage_.network.heal();
  if (times == 0) return;
  if (times % 2 == 0) split(side, true);
  stage_.events.after(20 + prng_.below(300), [this, side, times] { flap(side, times - 1); });
}

void Faults::partition() {
  stage_.network.heal();
  const std::uint64_t number = ++partition_;
  std::vector<bool> side;
  for (std::size_t i = 0; i < stage_.nodes.size(); ++i) side.push_back(prng_.chance_percent(50));
  switch (prng_.below(6)) {
    case 0:
      split(side, true);
      break;
    case 1:
      split(side, false);
      break;
    case 2:
      isolate(primary(), true);
      break;
    case 3:
      isolate(prng_.chance_percent(50) ? primary() : any(), false);
      break;
    case 4:
      bridge();
      break;
    default:
      flap(side, 12);
      break;
  }
  stage_.trace.event(0, "partition");
  const std::uint64_t ms = prng_.below(swarm_.faults.partition_ms_max);
  stage_.events.after(ms, [this, number] {
    if (!healing_ && number == partition_) stage_.network.heal();
  });
}

// ------------------------------------------------------------------ processes and clocks

void Faults::freeze_one() {
  const EndpointId index = prng_.chance_percent(30) ? primary() : any();
  SimNode& node = *stage_.nodes[index];
  if (!node.is_up() || node.is_frozen()) return;
  stage_.trace.event(index, "freeze");
  node.freeze();
  stage_.events.after(prng_.below(swarm_.faults.freeze_ms_max), [this, index] {
    if (!stage_.nodes[index]->is_frozen()) return;
    stage_.trace.event(index, "thaw");
    stage_.nodes[index]->thaw();
  });
}

void Faults::move_clock() {
  const auto most = static_cast<std::uint64_t>(swarm_.faults.clock_jump_ms_max);
  const auto skew =
      static_cast<std::int64_t>(prng_.below(2 * most + 1)) - swarm_.faults.clock_jump_ms_max;
  const EndpointId index = any();
  stage_.trace.event(index, "clock");
  stage_.nodes[index]->set_clock_skew(skew);
  stage_.events.after(prng_.below(5'000), [this, index] {
    if (!healing_) stage_.nodes[index]->set_clock_skew(0);
  });
}

// ------------------------------------------------------------------ healing

bool Faults::is_away(EndpointId endpoint) const {
  return std::find(swarm_.away.begin(), swarm_.away.end(), endpoint) != swarm_.away.end();
}

void Faults::heal() {
  healing_ = true;
  Network& network = stage_.network;
  network.heal();
  network.clear_link_delays();
  network.set_faults({.delay_ms_max = 20});
  if (stage_.checker.first_violation()) return;
  stage_.trace.event(0, "healed");
  for (std::size_t i = 0; i < stage_.nodes.size(); ++i) {
    SimNode& node = *stage_.nodes[i];
    const auto endpoint = static_cast<EndpointId>(i);
    node.become_quick();
    node.set_clock_skew(0);
    node.thaw();
    if (is_away(endpoint) && swarm_.away_is_cut_off) isolate(endpoint, true);
    if (is_away(endpoint) && !swarm_.away_is_cut_off) {
      if (node.is_up()) node.crash();
    } else if (!node.is_up()) {
      restart(i);
    }
  }
}

}  // namespace baolian::sim
