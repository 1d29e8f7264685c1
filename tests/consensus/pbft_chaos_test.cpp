/// Everything at once, by seed: loss, crashes of up to F nodes or of all, lost stores, cuts of the
/// log, lacking bodies, a small window. Afterwards, with all nodes up and nothing lost, the network
/// must end with equal chains. network.h checks agreement and double signing all the while.
#include "consensus/chaos.h"
#include "consensus/network.h"
#include "support/catch.h"

namespace baolian::consensus::testing {
namespace {

void storm(Network& network, Prng& random, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    for (std::uint64_t i = random.below(4); i > 0; --i) network.propose(random.below(4));
    work_somewhat(network, random, 300);
    if (random.chance_percent(30)) restart_somebody(network, random);
    if (random.chance_percent(40)) flush_somebody(network, random);
    if (random.chance_percent(30)) network.pass(random.between(1, 30) * 10);
  }
}

}  // namespace

TEST_CASE("pbft: a network that went through loss, crashes and cuts ends with one chain",
          "[pbft][chaos]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Prng random(seed);
    Prng loss(seed * 31);
    const std::uint64_t percent = random.below(40);
    const std::size_t n = seed % 3 == 0 ? 7 : 4;
    const std::uint16_t window = seed % 4 == 0 ? 2 : 16;
    Network network(n, 1, window, static_cast<std::uint16_t>(std::min<int>(window, 8)));
    network.random = &random;
    network.lack_percent = 20;
    network.drop = [&](const Message&, MessageKind) { return loss.chance_percent(percent); };
    network.start_all();
    storm(network, random, 80);
    network.drop = nullptr;
    for (std::size_t i = 0; i < network.size(); ++i) {
      if (!network.node(i).is_up) network.start(i);
      CHECK(network.node(i).stops.empty());
      CHECK(network.node(i).bans.empty());
    }
    network.pass(5000);
    Height height = network.node(0).status().certified;
    INFO("height " << height.value);
    CHECK(network.all_at(height));
    CHECK(network.node(0).status().highest_seen == height);
    REQUIRE(network.propose());
    network.pass(1000);
    CHECK(network.all_at(height.next()));
  }
}

}  // namespace baolian::consensus::testing
