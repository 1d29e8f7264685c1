#include "sim/swarm.h"

#include <algorithm>

namespace baolian::sim {

namespace {

std::size_t faulty_max(std::size_t validators) { return (validators - 1) / 3; }

NetworkFaults draw_network(Prng& prng) {
  NetworkFaults out;
  out.delay_ms_max = prng.between(0, 40);
  if (prng.chance_percent(60)) out.drop_percent = prng.between(0, 30);
  if (prng.chance_percent(50)) out.duplicate_percent = prng.between(0, 20);
  if (prng.chance_percent(40)) {
    out.slow_percent = prng.between(1, 5);
    out.slow_ms_max = prng.between(200, 10'000);
  }
  return out;
}

FaultOptions draw_faults(Prng& prng) {
  FaultOptions out;
  out.network = draw_network(prng);
  if (prng.chance_percent(70)) out.crash_every_ms = prng.between(300, 8'000);
  out.crash_primary_percent = prng.chance_percent(50) ? prng.between(20, 100) : 0;
  out.down_ms_max = prng.between(50, 3'000);
  if (prng.chance_percent(40)) out.long_down_percent = prng.between(5, 40);
  if (prng.chance_percent(60)) out.partition_every_ms = prng.between(500, 8'000);
  out.partition_ms_max = prng.between(200, 6'000);
  if (prng.chance_percent(30)) out.freeze_every_ms = prng.between(1'000, 10'000);
  out.freeze_ms_max = prng.between(100, 8'000);
  if (prng.chance_percent(30)) {
    out.clock_every_ms = prng.between(1'000, 10'000);
    out.clock_jump_ms_max = static_cast<std::int64_t>(prng.between(100, 30'000));
  }
  if (prng.chance_percent(40)) out.power_cuts = prng.between(1, 3);
  if (prng.chance_percent(20)) out.link_delay_ms_max = prng.between(10, 500);
  return out;
}

NodeOptions draw_node(Prng& prng, DiskHonesty disk, bool slow, std::uint64_t ban_ms) {
  NodeOptions node;
  node.disk = disk;
  node.sync_ms_max = prng.chance_percent(20) ? prng.between(20, 200) : prng.between(0, 5);
  node.execute_ms_max = prng.chance_percent(20) ? prng.between(20, 200) : prng.between(0, 5);
  if (slow) {
    node.message_ms = prng.between(1, 20);
    node.sync_ms_max = prng.between(100, 400);
    node.execute_ms_max = prng.between(100, 500);
  }
  node.clock_skew_ms = static_cast<std::int64_t>(prng.between(0, 200)) - 100;
  node.log_segment_bytes = prng.between(4, 256) * 1024;
  node.ban_ms = ban_ms;
  node.driver.flush_heights = prng.between(1, 64);
  node.driver.flush_quiet_ms = prng.between(50, 5000);
  node.driver.flush_ms = node.driver.flush_quiet_ms;
  node.driver.linger_ms = prng.between(0, 20);
  if (prng.chance_percent(20)) node.driver.pool.least.transactions = 20;
  if (prng.chance_percent(15)) node.flushed = FlushedHeight::executed;
  return node;
}

/// About 25 to 60 operations a second from all clients together; few and large transactions in some
/// runs, many and small ones in others.
Workload::Options draw_work(Prng& prng, std::size_t clients) {
  Workload::Options work;
  work.operations_max = prng.between(3, 24);
  const std::uint64_t per_second = prng.between(28, 60);
  const std::uint64_t operations_mean = (1 + work.operations_max) / 2;
  work.pause_ms_max = 2 * clients * operations_mean * 1000 / per_second;
  work.outstanding_max = prng.between(4, 16);
  work.resend_ms = prng.chance_percent(50) ? 1'500 : prng.between(1'000, 15'000);
  work.goes_on = prng.chance_percent(25);
  return work;
}

std::vector<EndpointId> draw_endpoints(Prng& prng, std::size_t validators, std::size_t count) {
  std::vector<EndpointId> all;
  for (std::size_t i = 0; i < validators; ++i) all.push_back(static_cast<EndpointId>(i));
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(all[i], all[i + prng.below(all.size() - i)]);
  }
  all.resize(count);
  return all;
}

void draw_faulty(Prng& prng, const SwarmLimits& limits, Swarm& swarm) {
  const bool is_raft = limits.consensus == crypto::ConsensusKind::raft;
  const std::size_t most = is_raft ? (limits.validators - 1) / 2 : faulty_max(limits.validators);
  std::size_t byzantine = 0;
  if (limits.byzantine && !is_raft) {
    byzantine = most;
  } else if (limits.draws_byzantine && !is_raft && most > 0 && prng.chance_percent(60)) {
    byzantine = prng.between(1, most);
  }
  const std::size_t away =
      prng.chance_percent(40) ? prng.between(0, most - byzantine) : std::size_t{0};
  const std::vector<EndpointId> chosen = draw_endpoints(prng, limits.validators, byzantine + away);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const auto drawn =
        static_cast<ByzantineKind>(prng.below(static_cast<std::uint64_t>(ByzantineKind::kCount)));
    if (i < byzantine) {
      swarm.byzantine.push_back({chosen[i], limits.byzantine.value_or(drawn)});
    } else {
      swarm.away.push_back(chosen[i]);
    }
  }
  swarm.away_is_cut_off = prng.chance_percent(50);
}

/// The next set of validators: the same (parameters alone change), one replaced, one more, one
/// less. The faulty ones stay at most F of it.
std::vector<EndpointId> draw_validators(Prng& prng, std::vector<EndpointId> set, std::size_t nodes,
                                        std::size_t faulty, crypto::ConsensusKind consensus) {
  std::vector<EndpointId> outside;
  for (std::size_t i = 0; i < nodes; ++i) {
    const auto id = static_cast<EndpointId>(i);
    if (std::find(set.begin(), set.end(), id) == set.end()) outside.push_back(id);
  }
  const std::uint64_t choice = prng.below(100);
  const std::size_t leaver = prng.below(set.size());
  const std::size_t fewer = set.size() - 1;
  const bool may_shrink = consensus == crypto::ConsensusKind::raft
                              ? fewer > 2 && (fewer - 1) / 2 >= faulty
                              : fewer > 3 && faulty_max(fewer) >= faulty;
  if (choice < 50 && !outside.empty()) {
    set[leaver] = outside[prng.below(outside.size())];
  } else if (choice < 65 && !outside.empty()) {
    set.push_back(outside[prng.below(outside.size())]);
  } else if (choice < 80 && may_shrink) {
    set.erase(set.begin() + static_cast<std::ptrdiff_t>(leaver));
  }
  return set;
}

void draw_changes(Prng& prng, const SwarmLimits& limits, Swarm& swarm) {
  const std::size_t drawn = prng.chance_percent(35) ? prng.between(1, 4) : 0;
  const std::size_t faulty = swarm.byzantine.size() + swarm.away.size();
  std::vector<EndpointId> set;
  for (std::size_t i = 0; i < limits.validators; ++i) set.push_back(static_cast<EndpointId>(i));
  Height at{prng.between(3, 100)};
  for (std::size_t i = 0; i < limits.epochs.value_or(drawn); ++i) {
    set =
        draw_validators(prng, set, limits.validators + limits.observers, faulty, limits.consensus);
    swarm.changes.push_back({at, {set.begin(), set.end()}});
    at = at + prng.between(1, 150);
  }
}

Conditions draw_conditions(Prng& prng) {
  const std::uint64_t share = prng.below(100);
  if (share < 6) return Conditions::calm;
  return share < 12 ? Conditions::impatient : Conditions::stormy;
}

/// Nothing happens that is not somebody's doing, and mostly a Byzantine node begins as primary.
void make_calm(Prng& prng, Swarm& swarm) {
  swarm.faults = {};
  swarm.faults.network.delay_ms_max = prng.between(0, 20);
  swarm.work = draw_work(prng, 2 * swarm.nodes.size());
  swarm.work.goes_on = true;
  for (NodeOptions& node : swarm.nodes) {
    node.message_ms = 0;
    node.sync_ms_max = node.execute_ms_max = prng.between(0, 5);
  }
  if (swarm.byzantine.empty() || !prng.chance_percent(60)) return;
  std::erase(swarm.away, EndpointId{0});
  for (const ByzantineRole& role : swarm.byzantine) {
    if (role.endpoint == 0) return;
  }
  swarm.byzantine.front().endpoint = 0;
}

/// Every view ends before anything can be prepared in it, until the timers have grown (V9).
void make_impatient(Prng& prng, Swarm& swarm) {
  consensus::EngineConfig::Timers timers;
  timers.request_ms = prng.between(80, 120);
  timers.commit_ms = prng.between(80, 120);
  timers.new_view_ms = prng.between(80, 120);
  timers.heartbeat_ms = prng.between(250, 400);
  const std::uint64_t sync_ms = prng.between(200, 300);
  for (NodeOptions& node : swarm.nodes) {
    node.driver.engine.timers = timers;
    node.sync_ms_min = sync_ms;
    node.sync_ms_max = std::max(node.sync_ms_max, sync_ms + 50);
  }
}

/// Raft: elections collide, and old requests and votes come late.
void make_contested(Prng& prng, Swarm& swarm) {
  consensus::EngineConfig::Timers timers;
  timers.election_ms = prng.between(60, 150);
  timers.append_ms = timers.election_ms / 6;
  for (NodeOptions& node : swarm.nodes) {
    node.driver.engine.timers = timers;
    node.message_ms = 0;
    node.sync_ms_max = std::min<std::uint64_t>(node.sync_ms_max, 20);
    node.execute_ms_max = std::min<std::uint64_t>(node.execute_ms_max, 20);
  }
  NetworkFaults& network = swarm.faults.network;
  network.delay_ms_max = prng.between(40, 120);
  network.slow_percent = prng.between(10, 30);
  network.slow_ms_max = prng.between(300, 2'000);
}

/// Nodes come back without their chain, and others hold snapshots for them.
void draw_lost_stores(Prng& prng, Swarm& swarm) {
  swarm.faults.lose_store_every_ms = prng.between(3'000, 15'000);
  const std::uint64_t heights = prng.between(4, 60);
  const std::uint64_t far_heights = prng.between(1, 100);
  for (NodeOptions& node : swarm.nodes) {
    node.snapshot_heights = heights;
    node.driver.snapshots.far_heights = far_heights;
  }
}

}  // namespace

std::optional<Conditions> find_conditions(std::string_view name) {
  const auto* const at = std::find(kConditionsNames.begin(), kConditionsNames.end(), name);
  if (at == kConditionsNames.end()) return std::nullopt;
  return static_cast<Conditions>(at - kConditionsNames.begin());
}

Swarm draw_swarm(Prng& prng, const SwarmLimits& limits) {
  Swarm swarm;
  swarm.faults = draw_faults(prng);
  if (limits.consensus == crypto::ConsensusKind::raft && prng.chance_percent(40)) {
    swarm.faults.transfer_every_ms = prng.between(500, 10'000);
  }
  draw_faulty(prng, limits, swarm);
  const std::size_t nodes = limits.validators + limits.observers;
  swarm.work = draw_work(prng, 2 * nodes);
  const std::uint64_t ban_ms = prng.chance_percent(50) ? prng.between(500, 5'000) : 0;
  const std::size_t slow = prng.chance_percent(25) ? prng.below(nodes) : nodes;
  for (std::size_t i = 0; i < nodes; ++i) {
    swarm.nodes.push_back(draw_node(prng, limits.disk, i == slow, ban_ms));
  }
  const Conditions drawn = draw_conditions(prng);
  swarm.conditions = limits.conditions.value_or(drawn);
  const bool is_raft = limits.consensus == crypto::ConsensusKind::raft;
  if (swarm.conditions == Conditions::calm) make_calm(prng, swarm);
  if (swarm.conditions == Conditions::impatient) {
    is_raft ? make_contested(prng, swarm) : make_impatient(prng, swarm);
  }
  draw_changes(prng, limits, swarm);
  const bool may_lose = swarm.conditions == Conditions::stormy;
  if (may_lose && prng.chance_percent(35)) draw_lost_stores(prng, swarm);
  for (NodeOptions& node : swarm.nodes) {
    node.write_behind = prng.chance_percent(60);
    if (!prng.chance_percent(30)) continue;
    node.driver.flush_heights *= 16;  // the store stays far behind
    node.driver.flush_ms *= 16;
    node.driver.flush_quiet_ms *= 16;
  }
  return swarm;
}

std::string describe(const Swarm& swarm) {
  std::string out;
  const auto add = [&](const char* name, std::uint64_t value, const char* unit) {
    if (value == 0) return;
    if (!out.empty()) out += ' ';
    out += name + std::to_string(value) + unit;
  };
  const FaultOptions& faults = swarm.faults;
  if (swarm.conditions != Conditions::stormy) {
    out += kConditionsNames[static_cast<std::size_t>(swarm.conditions)];
  }
  add("delay<=", faults.network.delay_ms_max, "ms");
  add("drop=", faults.network.drop_percent, "%");
  add("dup=", faults.network.duplicate_percent, "%");
  add("late=", faults.network.slow_percent, "%");
  add("late<=", faults.network.slow_percent > 0 ? faults.network.slow_ms_max : 0, "ms");
  add("links<=", faults.link_delay_ms_max, "ms");
  add("crash/", faults.crash_every_ms, "ms");
  add("of-primary=", faults.crash_every_ms > 0 ? faults.crash_primary_percent : 0, "%");
  add("long-down=", faults.crash_every_ms > 0 ? faults.long_down_percent : 0, "%");
  add("partition/", faults.partition_every_ms, "ms");
  add("freeze/", faults.freeze_every_ms, "ms");
  add("clock/", faults.clock_every_ms, "ms");
  add("power-cuts=", faults.power_cuts, "");
  add("lost-store/", faults.lose_store_every_ms, "ms");
  add("snapshot/", swarm.nodes.front().snapshot_heights, "");
  add("pause<=", swarm.work.pause_ms_max, "ms");
  add("ops<=", swarm.work.operations_max, "");
  if (swarm.work.goes_on) out += " goes-on";
  for (std::size_t i = 0; i < swarm.nodes.size(); ++i) {
    if (swarm.nodes[i].message_ms > 0) add("slow=n", i, "");
  }
  for (const ByzantineRole& role : swarm.byzantine) {
    out += " byzantine=n" + std::to_string(role.endpoint) + ":" +
           std::string(byzantine_name(role.kind));
  }
  for (const EndpointId endpoint : swarm.away) {
    out += (swarm.away_is_cut_off ? " cut-off=n" : " away=n") + std::to_string(endpoint);
  }
  for (const PlannedChange& change : swarm.changes) {
    out += " epoch@" + std::to_string(change.height.value) + "=";
    for (const consensus::ReplicaId id : change.validators) {
      out += (out.back() == '=' ? "n" : ",n") + std::to_string(id);
    }
  }
  return out;
}

}  // namespace baolian::sim
