#include "node/replica.h"

#include <atomic>
#include <filesystem>

#include "node/fixture.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

using test::make_transaction;
using test::TemporaryDirectory;

/// Nobody is there to talk to.
struct NoTransport final : Transport {
  void send(ReplicaId, MessageClass, SharedBytes) override {}
  void send_to_validators(MessageClass, SharedBytes) override {}
  void ban(ReplicaId, std::string) override {}
};

const sim::World& world() {
  static const sim::World one = [] {
    sim::World made = sim::make_world(1, 0, 1);
    return made;
  }();
  return one;
}

Replica::Config config_in(const TemporaryDirectory& directory) {
  Replica::Config config;
  config.directory = directory.path.string();
  config.genesis = world().genesis;
  config.signer = world().node_signers[0];
  config.verifier = &crypto::toy_verifier();
  config.driver.flush_heights = 3;
  return config;
}

Bytes transaction(std::uint64_t nonce) { return encode(make_transaction(world(), nonce)); }

TEST_CASE("replica: one validator certifies what it is given, and restarts where it was",
          "[replica]") {
  TemporaryDirectory directory;
  NoTransport transport;
  Hash header_before;
  Height height_before;
  {
    auto opened = Replica::open(config_in(directory));
    REQUIRE(opened.has_value());
    Replica& replica = **opened;
    std::atomic<std::uint64_t> heard{0};
    replica.on_certified([&heard](Height height) { heard = height.value; });
    replica.start(transport);
    for (std::uint64_t nonce = 1; nonce <= 20; ++nonce) {
      const auto hash = replica.submit(transaction(nonce));
      REQUIRE(hash.has_value());
      CHECK(*hash == ledger::tx_hash(transaction(nonce)));
      const std::uint64_t before = replica.chain().certified_height().value;
      REQUIRE(replica.wait_certified(Height{std::max<std::uint64_t>(1, before)}, 10'000));
    }
    // The last one is in when a block has it.
    const TxId last = ledger::tx_id_of_canonical(transaction(20));
    Height next{1};
    while (!replica.chain().find_transaction(last)) {
      REQUIRE(replica.wait_certified(next, 10'000));
      ++next;
    }
    REQUIRE(replica.wait_certified(replica.chain().find_transaction(last)->height, 10'000));
    CHECK(replica.submit(transaction(20)).has_value());  // the same bytes again: known
    auto damaged = transaction(21);
    damaged.back() ^= 1;
    CHECK_FALSE(replica.submit(damaged).has_value());
    replica.stop();
    CHECK(heard == replica.chain().certified_height().value);
    CHECK(replica.status().alarm.empty());
    CHECK(replica.boot().boot_counter == 1);
    CHECK_FALSE(replica.submit(transaction(22)).has_value());
    height_before = replica.chain().height();
    header_before = ledger::header_hash(*replica.chain().header(height_before));
  }
  auto opened = Replica::open(config_in(directory));
  REQUIRE(opened.has_value());
  Replica& replica = **opened;
  CHECK(replica.boot().boot_counter == 2);
  CHECK(replica.chain().height() == height_before);  // a graceful stop flushes
  CHECK(ledger::header_hash(*replica.chain().header(height_before)) == header_before);
  replica.start(transport);
  REQUIRE(replica.submit(transaction(100)).has_value());
  CHECK(replica.wait_certified(height_before.next(), 10'000));
}

TEST_CASE("replica: a validator whose log is gone while its chain is not does not vote",
          "[replica]") {
  TemporaryDirectory directory;
  NoTransport transport;
  {
    auto opened = Replica::open(config_in(directory));
    REQUIRE(opened.has_value());
    (*opened)->start(transport);
    REQUIRE((*opened)->submit(transaction(1)).has_value());
    REQUIRE((*opened)->wait_certified(Height{1}, 10'000));
  }
  std::filesystem::remove_all(directory.path / "log");
  const auto again = Replica::open(config_in(directory));
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code == Errc::log_corrupt);
}

TEST_CASE("replica: a key that is no node of the genesis is refused", "[replica]") {
  TemporaryDirectory directory;
  auto config = config_in(directory);
  config.signer = crypto::make_toy_signer(999);
  const auto opened = Replica::open(std::move(config));
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == Errc::config_invalid);
}

}  // namespace
}  // namespace baolian::node
