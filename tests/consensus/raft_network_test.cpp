/// Networks of Raft engines: elections, crashes, partitions, lost messages, and everything at once
/// by seed (consensus.md 3).
#include <cstdlib>

#include "consensus/chaos.h"
#include "consensus/network.h"
#include "support/catch.h"

namespace baolian::consensus::testing {
namespace {

constexpr auto kRaft = crypto::ConsensusKind::raft;

bool has_leader(const Network& network) { return network.leader().has_value(); }

/// Starts all and waits for a leader.
std::size_t elect(Network& network) {
  network.start_all();
  REQUIRE(network.pass_until([&] { return has_leader(network); }, 5000));
  return *network.leader();
}

std::vector<std::size_t> all_but(const Network& network, std::size_t out) {
  std::vector<std::size_t> members;
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (i != out) members.push_back(i);
  }
  return members;
}

std::uint64_t probe_sum(Network& network, Probe probe) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (network.node(i).is_up) sum += network.node(i).engine->probes()[probe];
  }
  return sum;
}

}  // namespace

TEST_CASE("raft: a leader is elected, what it proposes is executed and certified everywhere",
          "[raft][network]") {
  const std::size_t n = GENERATE(1U, 2U, 3U, 5U);
  Network network(n, 1, 16, 8, kRaft);
  elect(network);
  for (int i = 0; i < 40; ++i) {
    network.propose(2);
    network.pass(10);
  }
  network.pass(2000);
  INFO(network.describe());
  const Height height = network.node(0).status().certified;
  CHECK(height.value >= 41);  // the empty entry of the term, and the batches
  CHECK(network.all_at(height));
  CHECK(network.node(0).stops.empty());
}

TEST_CASE("raft: an idle network keeps its leader", "[raft][network]") {
  Network network(3, 0, 16, 8, kRaft);
  const std::size_t leader = elect(network);
  const View term = network.node(leader).status().view;
  network.pass(20'000);
  CHECK(network.leader() == leader);
  CHECK(network.node(leader).status().view == term);
  CHECK(probe_sum(network, Probe::leader_elected) == 1);
}

TEST_CASE("raft: with the leader crashed the others go on, and it comes back as a follower",
          "[raft][network]") {
  const std::size_t n = GENERATE(3U, 5U);
  Network network(n, 0, 16, 8, kRaft);
  std::size_t leader = elect(network);
  std::size_t executed = 0;
  for (int round = 0; round < 6; ++round) {
    network.admit(5);
    network.pass(50);
    network.crash(leader);
    REQUIRE(network.pass_until([&] { return has_leader(network); }, 5000));
    network.admit(5);
    REQUIRE(network.pass_until([&] { return network.all_executed(); }, 5000));
    network.start(leader);
    REQUIRE(
        network.pass_until([&] { return network.all_level() && network.all_executed(); }, 5000));
    executed += 10;
    leader = *network.leader();
  }
  CHECK(executed == 60);
  for (std::size_t i = 0; i < n; ++i) CHECK(network.node(i).stops.empty());
}

TEST_CASE("raft R6: a leader cut off from the majority stops leading, and its entries give way",
          "[raft][network]") {
  Network network(3, 0, 16, 8, kRaft);
  const std::size_t old = elect(network);
  network.proposes = false;
  network.partition({{old}, all_but(network, old)});
  REQUIRE(network.propose(1));  // on its own side: nobody hears of it
  REQUIRE(network.propose(1));
  REQUIRE(
      network.pass_until([&] { return has_leader(network) && *network.leader() != old; }, 5000));
  network.pass(1000);
  CHECK(network.node(old).engine->probes()[Probe::leader_stepped_down] == 1);
  CHECK_FALSE(network.node(old).status().is_leader);
  REQUIRE(network.propose(3));
  network.pass(100);
  network.heal();
  REQUIRE(network.pass_until([&] { return network.all_level(); }, 5000));
  CHECK(network.node(old).engine->probes()[Probe::entries_truncated] >= 1);
  CHECK(network.node(old).stops.empty());
}

TEST_CASE("raft R6: a follower that was cut off does not disturb the leader when it comes back",
          "[raft][network]") {
  Network network(3, 0, 16, 8, kRaft);
  const std::size_t leader = elect(network);
  const View term = network.node(leader).status().view;
  const std::size_t lost = (leader + 1) % 3;
  network.partition({{lost}, all_but(network, lost)});
  network.pass(10'000);
  CHECK(network.node(lost).status().view == term);  // PreVote: its term stands still
  network.heal();
  network.pass(3000);
  CHECK(network.leader() == leader);
  CHECK(network.node(leader).status().view == term);
}

TEST_CASE("raft R7: leadership goes to the named follower without an election timeout",
          "[raft][network]") {
  Network network(5, 0, 16, 8, kRaft);
  const std::size_t leader = elect(network);
  const std::size_t target = (leader + 2) % 5;
  REQUIRE(network.propose(3));
  CHECK(network.give(target, TransferLeadershipInput{0}).reason == RejectReason::not_primary);
  REQUIRE(network.give(leader, TransferLeadershipInput{static_cast<ReplicaId>(target)}).accepted);
  CHECK_FALSE(network.node(leader).engine->can_propose());
  REQUIRE(network.pass_until([&] { return network.leader() == target; }, 200));
  CHECK(network.node(leader).engine->probes()[Probe::leadership_transferred] == 1);
  REQUIRE(network.propose(1));
  network.pass(1000);
  CHECK(network.all_level());
}

TEST_CASE("raft R7: a transfer to a follower that does not answer ends after one election timeout",
          "[raft][network]") {
  Network network(3, 0, 16, 8, kRaft);
  const std::size_t leader = elect(network);
  const std::size_t target = (leader + 1) % 3;
  network.crash(target);
  REQUIRE(network.propose(1));
  REQUIRE(network.give(leader, TransferLeadershipInput{static_cast<ReplicaId>(target)}).accepted);
  network.pass(250);
  CHECK_FALSE(network.node(leader).engine->can_propose());
  network.pass(200);
  CHECK(network.leader() == leader);
}

TEST_CASE("raft R12: a follower that missed more than the window comes back by blocks",
          "[raft][network]") {
  const std::uint16_t window = GENERATE(as<std::uint16_t>{}, 2, 16);
  Network network(3, 0, window, 2, kRaft);
  const std::size_t leader = elect(network);
  const std::size_t lost = (leader + 1) % 3;
  network.crash(lost);
  for (int i = 0; i < 200; ++i) {
    network.propose(1);
    network.pass(10);
  }
  CHECK(network.node(leader).height().value > 150);
  network.start(lost);
  REQUIRE(network.pass_until([&] { return network.all_level(); }, 5000));
  REQUIRE(network.propose(1));
  REQUIRE(network.pass_until([&] { return network.all_level(); }, 2000));
  CHECK(network.node(lost).engine->probes()[Probe::block_taken] > 100);
}

TEST_CASE("raft: a follower that lacks bodies fetches them, and then acknowledges",
          "[raft][network]") {
  Network network(3, 0, 16, 8, kRaft);
  Prng random(7);
  elect(network);
  network.random = &random;
  network.lack_percent = 70;
  for (std::size_t i = 0; i < 3; ++i) network.node(i).config.inline_body_bytes_max = 0;
  for (int i = 0; i < 3; ++i) {
    network.crash(static_cast<std::size_t>(i));
    network.start(static_cast<std::size_t>(i));
  }
  REQUIRE(network.pass_until([&] { return has_leader(network); }, 5000));
  network.admit(30);
  REQUIRE(
      network.pass_until([&] { return network.all_executed() && network.all_level(); }, 20'000));
  CHECK(probe_sum(network, Probe::bodies_fetched) > 0);
}

// ------------------------------------------------------------------ crashes at every record

namespace {

/// A run with an election at its begin and one in its middle, and one crash. False if the plan's
/// Persist never came.
bool run_with_crash(const CrashPlan& plan, std::uint64_t seed) {
  Prng random(seed);
  Network network(3, 0, 16, 8, kRaft);
  network.random = &random;
  const auto crashed = crash_as_planned(network, plan);
  network.start_all();
  for (int half = 0; half < 2; ++half) {
    network.admit(6);
    if (!network.pass_until([&] { return network.all_executed() && network.all_level(); },
                            20'000)) {
      FAIL("the network does not get there\n" << network.describe());
    }
    if (half == 1) break;
    REQUIRE(network.pass_until([&] { return has_leader(network); }, 5000));
    const std::size_t leader = *network.leader();
    network.give(leader, TransferLeadershipInput{static_cast<ReplicaId>((leader + 1) % 3)});
  }
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(network.node(i).stops.empty());
    CHECK(network.node(i).bans.empty());
  }
  return *crashed;
}

}  // namespace

TEST_CASE("raft R1: a crash at any persist boundary loses nothing and votes nothing twice",
          "[raft][recovery]") {
  // Terms, votes, entries, EXEC_SENT, EXECCERT in some grouping.
  crash_everywhere(run_with_crash, 18);
}

TEST_CASE("raft 1.7: what all lost that was executed long after the last flush is executed again",
          "[raft][recovery]") {
  // More heights than a node keeps ahead of what it has executed; no peer has a block of them.
  Network network(3, 1, 16, 8, kRaft);
  elect(network);
  for (int i = 0; i < 150; ++i) {
    network.propose(2);
    network.pass(20);
  }
  network.pass(1000);
  const Height height = network.node(0).status().certified;
  REQUIRE(height > Height{140});
  for (std::size_t i = 0; i < network.size(); ++i) network.crash(i);
  network.start_all();
  CHECK(network.node(0).height() == Height{0});
  INFO(network.describe());
  REQUIRE(network.pass_until([&] { return has_leader(network) && network.all_level(); }, 10'000));
  CHECK(network.node(0).status().certified >= height);
}

TEST_CASE("raft 1.7: all validators crash at once, again and again, and go on",
          "[raft][recovery]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Prng random(seed);
    Network network(seed % 2 == 0 ? 3 : 5, 1, 16, 8, kRaft);
    network.random = &random;
    network.start_all();
    std::uint64_t certified = 0;
    for (int round = 0; round < 6; ++round) {
      network.pass(random.below(800));
      for (int i = 0; i < 4; ++i) network.propose(2);
      work_somewhat(network, random, 400);
      for (std::size_t i = 0; i < network.size(); ++i) {
        Node& node = network.node(i);
        certified = std::max(certified, node.status().certified.value);
        if (random.chance_percent(50)) node.flushed = node.height();
        network.crash(i);
      }
      network.start_all();
      INFO(network.describe());
      REQUIRE(
          network.pass_until([&] { return has_leader(network) && network.all_level(); }, 10'000));
      CHECK(network.node(0).status().certified.value >= certified);  // I5
    }
    REQUIRE(network.propose());
    network.pass(1000);
    CHECK(network.all_level());
  }
}

// ------------------------------------------------------------------ everything at once

namespace {

void partition_somehow(Network& network, Prng& random) {
  std::vector<std::vector<std::size_t>> groups(2);
  for (std::size_t i = 0; i < network.size(); ++i) {
    groups[static_cast<std::size_t>(random.below(2))].push_back(i);
  }
  network.partition(groups);
}

void storm(Network& network, Prng& random, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    for (std::uint64_t i = random.below(4); i > 0; --i) network.admit(random.below(3));
    work_somewhat(network, random, 300);
    if (random.chance_percent(25)) restart_somebody(network, random);
    if (random.chance_percent(15)) partition_somehow(network, random);
    if (random.chance_percent(20)) network.heal();
    if (random.chance_percent(40)) flush_somebody(network, random);
    if (random.chance_percent(10) && has_leader(network)) {
      network.give(
          *network.leader(),
          TransferLeadershipInput{static_cast<ReplicaId>(random.below(network.validators()))});
    }
    if (random.chance_percent(60)) network.pass(random.between(1, 60) * 10);
  }
}

}  // namespace

TEST_CASE(
    "raft: a network that went through loss, crashes, partitions and cuts ends with one chain",
    "[raft][chaos]") {
  ProbeCounts probes;
  // Other seeds than those of every run: the first and the last.
  const char* begin = std::getenv("BAOLIAN_RAFT_FIRST");
  const std::uint64_t first = begin == nullptr ? 1 : std::strtoull(begin, nullptr, 10);
  const char* more = std::getenv("BAOLIAN_RAFT_SEEDS");
  const std::uint64_t seeds = more == nullptr ? 150 : std::strtoull(more, nullptr, 10);
  for (std::uint64_t seed = first; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Prng random(seed);
    Prng loss(seed * 31);
    const std::uint64_t percent = random.below(30);
    const std::size_t n = seed % 3 == 0 ? 5 : 3;
    const std::uint16_t window = seed % 4 == 0 ? 2 : 16;
    Network network(n, 1, window, static_cast<std::uint16_t>(std::min<int>(window, 8)), kRaft);
    network.random = &random;
    network.lack_percent = 20;
    for (std::size_t i = 0; i < network.size(); ++i) {
      if (seed % 5 == 0) network.node(i).config.inline_body_bytes_max = 0;
    }
    network.drop = [&](const Message&, MessageKind) { return loss.chance_percent(percent); };
    network.start_all();
    storm(network, random, 80);
    network.drop = nullptr;
    network.heal();
    for (std::size_t i = 0; i < network.size(); ++i) {
      if (!network.node(i).is_up) network.start(i);
    }
    const bool done = network.pass_until(
        [&] { return has_leader(network) && network.all_executed() && network.all_level(); },
        20'000);
    INFO(network.describe());
    REQUIRE(done);
    for (std::size_t i = 0; i < network.size(); ++i) {
      CHECK(network.node(i).stops.empty());
      CHECK(network.node(i).bans.empty());
      probes.add(network.node(i).engine->probes());
    }
    REQUIRE(network.propose());
    network.pass(1000);
    CHECK(network.all_level());
  }
  for (const Probe probe :
       {Probe::leader_elected, Probe::pre_vote_refused, Probe::entries_truncated,
        Probe::leader_stepped_down, Probe::leadership_transferred,
        Probe::entries_refused_by_mismatch, Probe::block_taken, Probe::bodies_fetched}) {
    CAPTURE(enum_names(Probe{})[static_cast<std::size_t>(probe)]);
    CHECK(probes[probe] > 0);
  }
}

}  // namespace baolian::consensus::testing
