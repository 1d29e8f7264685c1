/// PBFT among several engines: agreement, pipelining, loss, late nodes, observers.
#include "consensus/network.h"
#include "support/catch.h"

namespace baolian::consensus::testing {
namespace {

/// Proposes until `height` is reached, with as many open as the engine allows.
void drive_to(Network& network, std::uint64_t height) {
  for (int round = 0; round < 10'000; ++round) {
    bool proposed = false;
    while (network.node(0).status().highest_seen.value < height && network.propose(2)) {
      proposed = true;
    }
    network.run();
    if (network.node(0).status().executed.value >= height) return;
    if (!proposed) network.pass(10);
  }
  FAIL("the height is not reached");
}

}  // namespace

TEST_CASE("pbft 1.5: a batch is ordered, executed and certified by every validator", "[pbft]") {
  const std::size_t n = GENERATE(1U, 2U, 3U, 4U, 5U, 7U, 10U);
  Network network(n);
  network.start_all();
  REQUIRE(network.propose(3));
  network.run();
  CHECK(network.all_at({1}));
  for (std::size_t i = 0; i < n; ++i) {
    CHECK(network.node(i).certified == std::vector<Height>{{1}});
    const auto& block = network.node(i).store[1];
    REQUIRE(block.certificate.has_value());
    CHECK(block.certificate->signatures.size() == crypto::Quorum{n}.quorum());
  }
}

TEST_CASE("pbft 1.5: slots are pipelined up to the in-flight limit and all heights agree",
          "[pbft]") {
  Network network(4, 0, 16, 8);
  network.start_all();
  network.hold_persistence = true;
  int open = 0;
  while (network.propose()) ++open;
  CHECK(open == 8);
  network.hold_persistence = false;
  network.run();
  CHECK(network.all_at({8}));
  drive_to(network, 60);
  CHECK(network.all_at({60}));
}

TEST_CASE("pbft 1.5: any order of delivery, persistence and execution gives the same chain",
          "[pbft]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Prng random(seed);
    Network network(seed % 2 == 0 ? 4 : 7);
    network.random = &random;
    network.start_all();
    drive_to(network, 25);
    network.pass(3000);
    CHECK(network.all_at({25}));
  }
}

TEST_CASE("pbft 1.6 S3: lost messages come again by STATUS", "[pbft]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Prng random(seed);
    Prng loss(seed + 1000);
    Network network(4);
    network.random = &random;
    network.drop = [&](const Message&, MessageKind) { return loss.chance_percent(30); };
    network.start_all();
    drive_to(network, 20);
    network.drop = nullptr;
    network.pass(3000);
    CHECK(network.all_at({20}));
  }
}

TEST_CASE("pbft 1.8: a late validator catches up with blocks and votes again", "[pbft]") {
  Network network(4);
  for (std::size_t i = 0; i < 3; ++i) network.start(i);
  drive_to(network, 150);
  CHECK(network.node(0).status().certified.value == 150);
  network.start(3);
  network.pass(3000);
  CHECK(network.all_at({150}));
  // Its vote is needed now.
  network.crash(2);
  REQUIRE(network.propose());
  network.pass(1000);
  CHECK(network.node(3).status().certified.value == 151);
}

TEST_CASE("pbft 1.12: an observer follows by blocks and sends no consensus message", "[pbft]") {
  Network network(4, 1);
  network.drop = [](const Message& message, MessageKind kind) {
    if (message.from == 4) CHECK(kind == MessageKind::fetch);
    if (message.to == 4) CHECK(kind == MessageKind::reply);
    return false;
  };
  network.start_all();
  drive_to(network, 40);
  network.pass(500);
  CHECK(network.all_at({40}));
  REQUIRE(network.propose());
  network.pass(100);
  CHECK(network.all_at({41}));
  CHECK_FALSE(network.node(4).status().active);
  // The validator it asks dies: it turns to another.
  network.crash(1);
  REQUIRE(network.propose());
  network.pass(2500);
  CHECK(network.node(4).status().certified.value == 42);
}

TEST_CASE("pbft 1.5: with one of four down the others go on; with two down nothing is certified",
          "[pbft]") {
  Network network(4);
  network.start(0);
  network.start(1);
  REQUIRE(network.propose());
  network.pass(500);  // not so long that they suspect the primary
  CHECK(network.node(0).status().executed.value == 0);
  network.start(2);
  network.pass(400);
  CHECK(network.node(0).status().certified.value == 1);
  CHECK(network.node(2).status().certified.value == 1);
}

}  // namespace baolian::consensus::testing
