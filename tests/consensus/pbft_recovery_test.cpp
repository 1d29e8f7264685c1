/// Restart from the log (consensus.md 1.7): at every point where a crash can fall, with a store
/// that kept or lost what was executed; and the cut of the log.
#include "consensus/chaos.h"
#include "consensus/network.h"
#include "consensus/pbft/records.h"
#include "support/catch.h"

namespace baolian::consensus::testing {
namespace {

constexpr std::uint64_t kHeights = 6;

/// Proposes one height after the other until `height` is executed at every running node.
void drive(Network& network, std::uint64_t height) {
  for (int round = 0; round < 2000; ++round) {
    if (network.all_at({height})) return;
    if (network.node(0).is_up && network.node(0).status().highest_seen.value < height) {
      network.propose(2);
    }
    network.run();
    if (!network.all_at({height})) network.pass(50);
  }
  for (std::size_t i = 0; i < network.size(); ++i) {
    const Status status = network.node(i).status();
    UNSCOPED_INFO("node " << i << " h " << status.certified.value << " exec "
                          << status.executed.value << " seen " << status.highest_seen.value
                          << " stopped " << status.stopped);
  }
  FAIL("the network does not reach the height");
}

/// One run with one crash. Returns false if the plan's Persist never came.
bool run_with_crash(const CrashPlan& plan, std::uint64_t seed) {
  Prng random(seed);
  Network network(4);
  network.random = &random;
  const auto crashed = crash_as_planned(network, plan);
  network.start_all();
  drive(network, kHeights);
  return *crashed;
}

}  // namespace

TEST_CASE("pbft 1.7: a crash at any persist boundary loses nothing and signs nothing twice",
          "[pbft][recovery]") {
  // Each height costs a node at least PP_ACCEPT, PREPARED, COMMITTED, EXEC_SENT, EXECCERT in some
  // grouping.
  crash_everywhere(run_with_crash, 3 * kHeights);
}

TEST_CASE("pbft 1.7: all validators crash at once, again and again, and go on",
          "[pbft][recovery]") {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    CAPTURE(seed);
    Prng random(seed);
    Network network(4, 1);
    network.random = &random;
    network.start_all();
    std::uint64_t certified = 0;
    for (int round = 0; round < 6; ++round) {
      for (int i = 0; i < 4; ++i) network.propose(2);
      work_somewhat(network, random, 400);
      for (std::size_t i = 0; i < network.size(); ++i) {
        Node& node = network.node(i);
        certified = std::max(certified, node.status().certified.value);
        if (random.chance_percent(50)) node.flushed = node.height();
        network.crash(i);
      }
      network.start_all();
      network.pass(2500);
      const std::uint64_t height = network.node(0).status().certified.value;
      CHECK(height >= certified);  // I5: what was acknowledged is there
      CHECK(network.all_at({height}));
      CHECK(network.node(0).status().highest_seen.value == height);
    }
    REQUIRE(network.propose());
    network.run();
    CHECK(network.node(0).status().certified.value >= 1);
  }
}

TEST_CASE("pbft 1.7: what all lost that was executed long after the last flush is executed again",
          "[pbft][recovery]") {
  // More heights than a node keeps ahead of what it has executed; no peer has a block of them.
  constexpr std::uint64_t kFar = 150;
  Network network(4, 1);
  network.start_all();
  drive(network, kFar);
  for (std::size_t i = 0; i < network.size(); ++i) network.crash(i);
  network.start_all();
  CHECK(network.node(0).height() == Height{0});
  network.pass(5000);
  CHECK(network.all_at({kFar}));
  REQUIRE(network.propose());
  network.pass(1000);
  CHECK(network.all_at({kFar + 1}));
}

TEST_CASE("pbft 1.7: after a cut at any height the log still holds all that a restart needs",
          "[pbft][recovery]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Prng random(seed);
    Network network(4);
    network.random = &random;
    network.start_all();
    for (int round = 0; round < 30; ++round) {
      if (network.node(0).is_up) network.propose(1);
      work_somewhat(network, random, 150);
      const std::size_t i = static_cast<std::size_t>(random.below(4));
      Node& node = network.node(i);
      if (random.chance_percent(60)) {
        network.flush(i, {random.between(node.flushed.value, node.height().value)});
      }
      if (random.chance_percent(30)) {
        network.crash(i);
        network.start(i);
      }
      if (random.chance_percent(20)) network.pass(200);
    }
    network.pass(3000);
    CHECK(network.all_at(network.node(0).status().certified));
    REQUIRE(network.propose());
    network.pass(1000);
    CHECK(network.all_at(network.node(0).status().certified));
    std::size_t cuts = 0;
    for (std::size_t i = 0; i < 4; ++i) cuts += network.node(i).cuts;
    CHECK(cuts > 0);
  }
}

TEST_CASE("pbft 1.7: the cut is below min(h, f), and a restart needs no older record",
          "[pbft][recovery]") {
  Network network(4);
  network.start_all();
  drive(network, 10);
  Node& node = network.node(1);
  const std::size_t before = node.log.size();
  CHECK(network.flush(1, {7}).accepted);
  REQUIRE(node.log.size() == 1);
  REQUIRE(node.log[0].type == RecordType::snapshot);
  CHECK(before > 10);
  const auto snapshot = decode<consensus::Snapshot>(*node.log[0].body);
  REQUIRE(snapshot.has_value());
  REQUIRE(snapshot->certified.has_value());
  CHECK(snapshot->certified->certificate.vote.height == Height{10});
  for (const auto& entry : snapshot->entries) {
    if (entry.type != RecordType::pp_accept) continue;
    const auto accepted = decode<pbft::PpAccept>(entry.body);
    REQUIRE(accepted.has_value());
    CHECK(accepted->vote.height > Height{7});
  }
  // Not again for the same height, nor for a lower one.
  CHECK_FALSE(network.flush(1, {7}).accepted);
  CHECK_FALSE(network.flush(1, {5}).accepted);
  network.flush(1, {7});
  network.crash(1);
  network.start(1);
  CHECK(network.node(1).height() == Height{7});
  network.run();
  CHECK(network.node(1).height() == Height{10});
  CHECK(network.node(1).status().certified == Height{10});
}

TEST_CASE("pbft 1.7: after a restart stored bytes are sent, not signed anew", "[pbft][recovery]") {
  Network network(4);
  network.start(1);
  network.start(0);
  REQUIRE(network.propose());
  network.run();
  network.crash(0);
  std::vector<Bytes> sent;
  network.drop = [&](const Message& message, MessageKind kind) {
    if (message.from == 0 && message.to == 1 && kind == MessageKind::prepare) {
      sent.push_back(*message.bytes);
    }
    return false;
  };
  network.start(0);
  network.run();
  REQUIRE(sent.size() == 1);
  const auto record = decode<pbft::PpAccept>(*network.node(0).log.at(0).body);
  REQUIRE(record.has_value());
  CHECK(record->prepare == sent[0]);
}

TEST_CASE("pbft 1.7: a log that cannot be replayed stops the engine, nothing is sent",
          "[pbft][recovery]") {
  Network network(4);
  Node& node = network.node(2);
  node.log.push_back({RecordType::pp_accept, std::make_shared<const Bytes>(Bytes{1, 2, 3})});
  network.start(2);
  REQUIRE(node.stops.size() == 1);
  CHECK(node.stops[0].kind == Stop::Kind::halt);
  CHECK(node.status().stopped);
  network.pass(500);
  CHECK(network.messages_sent == 0);
}

}  // namespace baolian::consensus::testing
