#include "node/replica.h"

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>

#include "node/fixture.h"
#include "sim/wire.h"
#include "support/catch.h"
#include "vault/durable_file.h"

namespace baolian::node {
namespace {

using test::make_transaction;
using test::TemporaryDirectory;

using crypto::ConsensusKind;

/// Nobody is there to talk to.
struct NoTransport final : Transport {
  void send(ReplicaId, MessageClass, SharedBytes) override {}
  void send_to_validators(MessageClass, SharedBytes) override {}
  void ban(ReplicaId, std::string) override {}
};

sim::World make_world_of(std::size_t validators, ConsensusKind kind) {
  sim::World made = sim::make_world(validators, 0, 1);
  made.genesis.epoch.consensus_kind = kind;
  made.chain_id = ledger::chain_id_of(made.genesis);
  return made;
}

const sim::World& world(ConsensusKind kind = ConsensusKind::pbft) {
  static const sim::World pbft = make_world_of(1, ConsensusKind::pbft);
  static const sim::World raft = make_world_of(1, ConsensusKind::raft);
  return kind == ConsensusKind::raft ? raft : pbft;
}

Replica::Config config_in(const TemporaryDirectory& directory, const sim::World& of = world(),
                          std::size_t node = 0) {
  Replica::Config config;
  config.directory = directory.path.string();
  config.genesis = of.genesis;
  config.signer = of.node_signers[node];
  config.verifier = &crypto::toy_verifier();
  config.driver.flush_heights = 3;
  return config;
}

Bytes transaction(std::uint64_t nonce, const sim::World& of = world()) {
  return encode(make_transaction(of, nonce));
}

TEST_CASE("replica: one validator certifies what it is given, and restarts where it was",
          "[replica]") {
  const ConsensusKind kind = GENERATE(ConsensusKind::pbft, ConsensusKind::raft);
  CAPTURE(enum_name(kind));
  const sim::World& of = world(kind);
  const auto transaction = [&of](std::uint64_t nonce) {
    return encode(make_transaction(of, nonce));
  };
  TemporaryDirectory directory;
  NoTransport transport;
  Hash header_before;
  Height height_before;
  {
    auto opened = Replica::open(config_in(directory, of));
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
    CHECK(replica.chain().header(height_before)->consensus_kind == kind);
  }
  auto opened = Replica::open(config_in(directory, of));
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

/// Hands every message to the other replica's inbox, as a mesh does.
struct LocalTransport final : Transport {
  ReplicaId self = 0;
  std::vector<Replica*> peers;
  std::atomic<int> bans{0};

  void give(ReplicaId to, MessageClass message_class, SharedBytes bytes) const {
    if (peers[to] != nullptr) peers[to]->receive(self, message_class, std::move(bytes));
  }
  void send(ReplicaId to, MessageClass message_class, SharedBytes bytes) override {
    give(to, message_class, std::move(bytes));
  }
  void send_to_validators(MessageClass message_class, SharedBytes bytes) override {
    for (std::size_t i = 0; i < peers.size(); ++i) {
      if (i != self) give(static_cast<ReplicaId>(i), message_class, bytes);
    }
  }
  void ban(ReplicaId, std::string) override { ++bans; }
};

TEST_CASE("replica: three of a Raft genesis elect, order and certify by a majority", "[replica]") {
  const sim::World of = make_world_of(3, ConsensusKind::raft);
  std::array<TemporaryDirectory, 3> directories;
  std::array<LocalTransport, 3> transports;
  std::vector<std::unique_ptr<Replica>> replicas;
  for (std::size_t i = 0; i < 3; ++i) {
    auto opened = Replica::open(config_in(directories[i], of, i));
    REQUIRE(opened.has_value());
    replicas.push_back(*std::move(opened));
  }
  for (std::size_t i = 0; i < 3; ++i) {
    transports[i].self = static_cast<ReplicaId>(i);
    for (const auto& replica : replicas) transports[i].peers.push_back(replica.get());
    replicas[i]->start(transports[i]);
  }
  REQUIRE(replicas[0]->submit(transaction(1, of)).has_value());
  const TxId first = ledger::tx_id_of_canonical(transaction(1, of));
  // A new leader's first block is empty; the transaction follows.
  for (const auto& replica : replicas) {
    Height next{1};
    while (!replica->chain().find_transaction(first)) {
      REQUIRE(replica->wait_certified(next, 20'000));
      ++next;
    }
    const Height at = replica->chain().find_transaction(first)->height;
    REQUIRE(replica->wait_certified(at, 20'000));
  }
  for (const auto& replica : replicas) replica->stop();
  for (const LocalTransport& transport : transports) CHECK(transport.bans == 0);
  const Height height = replicas[0]->chain().find_transaction(first)->height;
  for (const auto& replica : replicas) {
    const consensus::Status status = replica->status().consensus;
    CHECK(replica->status().alarm.empty());
    CHECK(status.view.value >= 1);
    CHECK(ledger::header_hash(*replica->chain().header(height)) ==
          ledger::header_hash(*replicas[0]->chain().header(height)));
    const auto certificate = replica->chain().certificate(replica->chain().certified_height());
    REQUIRE(certificate.has_value());
    CHECK(certificate->signatures.size() >= 2);
    CHECK(crypto::check_certificate(*certificate, of.chain_id, of.genesis.epoch,
                                    crypto::toy_verifier())
              .has_value());
  }
}

/// Keeps the votes that a validator broadcasts.
struct VoteTransport final : Transport {
  std::mutex mutex;
  std::condition_variable came;
  std::map<consensus::MessageKind, sim::VoteHead> votes;

  void send(ReplicaId, MessageClass, SharedBytes) override {}
  void send_to_validators(MessageClass, SharedBytes bytes) override {
    const auto message = sim::peek(*bytes);
    if (!message) return;
    const auto vote = sim::peek_vote(*message);
    if (!vote) return;
    const std::lock_guard hold(mutex);
    votes.emplace(message->kind, *vote);
    came.notify_all();
  }
  void ban(ReplicaId, std::string) override {}
  /// The first vote of a kind, when it comes.
  sim::VoteHead wait_for(consensus::MessageKind kind) {
    std::unique_lock hold(mutex);
    REQUIRE(came.wait_for(hold, std::chrono::seconds(10), [&] { return votes.contains(kind); }));
    return votes.at(kind);
  }
};

TEST_CASE(
    "consensus N7: a node whose header differs from the certified one stops and leaves what it "
    "wrote",
    "[replica]") {
  using consensus::MessageKind;
  const sim::World of = make_world_of(4, ConsensusKind::pbft);
  TemporaryDirectory directory;
  VoteTransport transport;
  std::promise<std::string> alarm;
  auto config = config_in(directory, of, 0);
  config.on_alarm = [&](const std::string& reason) { alarm.set_value(reason); };
  auto opened = Replica::open(std::move(config));
  REQUIRE(opened.has_value());
  Replica& replica = **opened;
  replica.start(transport);
  REQUIRE(replica.submit(transaction(1, of)).has_value());
  const sim::VoteHead proposed = transport.wait_for(MessageKind::pre_prepare);
  const auto vote = [&](ValidatorIndex from, MessageKind kind, const Bytes& body) {
    const sim::Forge forge(of.chain_id, Epoch{0}, from, *of.node_signers[from]);
    replica.receive(from, MessageClass::vote, forge.message(kind, body));
  };
  const Bytes ordered = encode(crypto::Vote{proposed.view, proposed.height, proposed.digest});
  for (const ValidatorIndex peer : {ValidatorIndex{1}, ValidatorIndex{2}}) {
    vote(peer, MessageKind::prepare, ordered);
    vote(peer, MessageKind::commit, ordered);
  }
  crypto::ExecVote other{proposed.height, transport.wait_for(MessageKind::exec).digest};
  other.header_hash.bytes[0] ^= 1;
  for (ValidatorIndex peer = 1; peer < 4; ++peer) vote(peer, MessageKind::exec, encode(other));
  auto raised = alarm.get_future();
  REQUIRE(raised.wait_for(std::chrono::seconds(10)) == std::future_status::ready);
  CHECK(raised.get().starts_with("DIVERGED"));
  replica.stop();
  const auto text = vault::read_file((directory.path / "diverged.json").string());
  REQUIRE(text.has_value());
  const Bytes header = encode(*replica.chain().header(proposed.height));
  CHECK(std::string(text->begin(), text->end()).find(to_hex(header)) != std::string::npos);
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
