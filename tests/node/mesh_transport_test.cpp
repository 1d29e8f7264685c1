#include "node/mesh_transport.h"

#include <fstream>

#include "node/fixture.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

using test::make_transaction;
using test::TemporaryDirectory;

net::Hello hello_of(std::uint8_t node, std::uint64_t incarnation, std::uint64_t boot_counter,
                    std::uint8_t process, std::uint64_t voted_height) {
  net::Hello hello;
  hello.node.bytes[0] = node;
  hello.incarnation = incarnation;
  hello.boot_counter = boot_counter;
  hello.process_id.bytes[0] = process;
  hello.last_vote.height = Height{voted_height};
  return hello;
}

TEST_CASE(
    "consensus 1.7: a validator with a lost, copied or rolled-back disk is refused, also after "
    "a restart of the one who remembers",
    "[mesh]") {
  TemporaryDirectory directory;
  const std::string path = (directory.path / "peers").string();
  const bool reopen = GENERATE(false, true);
  auto memory = PeerMemory::open(path);
  REQUIRE(memory.has_value());
  CHECK(memory->judge(hello_of(1, 7, 3, 1, 10)).has_value());
  CHECK(memory->judge(hello_of(1, 7, 3, 1, 12)).has_value());  // the same run, voted on
  CHECK(memory->judge(hello_of(2, 9, 1, 5, 0)).has_value());
  if (reopen) {
    memory = PeerMemory::open(path);
    REQUIRE(memory.has_value());
  }
  for (const net::Hello& bad : {hello_of(1, 8, 4, 2, 20),     // another incarnation
                                hello_of(1, 7, 2, 2, 20),     // the counter went back
                                hello_of(1, 7, 4, 2, 11),     // the vote went back
                                hello_of(1, 7, 3, 2, 12)}) {  // a second process of one run
    const auto refused = memory->judge(bad);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::not_authorized);
  }
  CHECK(memory->judge(hello_of(1, 7, 4, 2, 12)).has_value());
}

TEST_CASE("node: a damaged memory of peers is an error, not an empty memory", "[mesh]") {
  TemporaryDirectory directory;
  const std::string path = (directory.path / "peers").string();
  std::ofstream(path) << "damaged";
  CHECK_FALSE(PeerMemory::open(path).has_value());
}

/// Four validators and an observer in this process, over TLS on loopback.
class Network {
 public:
  Network() : world_(sim::make_world(4, 1, 5)) {
    for (std::size_t i = 0; i < 5; ++i) seeds_.push_back(crypto::new_seed());
    for (ledger::Institution& institution : world_.genesis.institutions) {
      ledger::Node& node = institution.nodes.front();
      node.tls_pin = *net::mesh_pin(*net::mesh_public_key(seeds_[id_of(node.consensus_key)]));
    }
    world_.chain_id = ledger::chain_id_of(world_.genesis);
    for (std::size_t i = 0; i < 5; ++i) start(i);
  }
  ~Network() {
    for (std::size_t i = 0; i < 5; ++i) stop(i);
  }

  const sim::World& world() const { return world_; }
  Replica& replica(std::size_t i) { return *nodes_[i].replica; }

  void start(std::size_t i) {
    Node& node = nodes_[i];
    const std::string directory = (directory_.path / std::to_string(i)).string();
    std::filesystem::create_directories(directory);
    Replica::Config config;
    config.directory = directory;
    config.genesis = world_.genesis;
    config.signer = world_.node_signers[i];
    config.verifier = &crypto::toy_verifier();
    auto replica = Replica::open(std::move(config));
    REQUIRE(replica.has_value());
    node.replica = *std::move(replica);
    MeshTransport::Config mesh;
    mesh.identity = *net::mesh_identity(seeds_[i]);
    mesh.peer_memory_path = directory + "/peers";
    auto transport = MeshTransport::create(std::move(mesh), world_.genesis, *world_.node_signers[i],
                                           crypto::toy_verifier(), *node.replica);
    REQUIRE(transport.has_value());
    node.transport = *std::move(transport);
    node.replica->start(*node.transport);
    for (std::size_t other = 0; other < 5; ++other) {
      if (other == i || nodes_[other].transport == nullptr) continue;
      introduce(i, other);
      introduce(other, i);
    }
    node.transport->start();
  }
  void stop(std::size_t i) {
    Node& node = nodes_[i];
    if (node.transport == nullptr) return;
    node.transport->stop();
    node.replica->stop();
    node.replica.reset();
    node.transport.reset();
  }

  /// Waits until the node has executed the transaction and its height is certified there.
  bool wait_for(std::size_t i, const TxId& id) {
    Replica& one = replica(i);
    for (int round = 0; round < 400; ++round) {
      const Height certified = one.chain().certified_height();
      const auto location = one.chain().find_transaction(id);
      if (location && location->height <= certified) return true;
      one.wait_certified(certified.next(), 100);
    }
    return false;
  }

 private:
  struct Node {
    std::unique_ptr<Replica> replica;
    std::unique_ptr<MeshTransport> transport;
  };
  std::size_t id_of(const PublicKey& key) const {
    const auto keys = replica_keys(world_.genesis);
    return static_cast<std::size_t>(std::find(keys.begin(), keys.end(), key) - keys.begin());
  }
  void introduce(std::size_t to, std::size_t about) {
    nodes_[to].transport->mesh().set_address(static_cast<net::PeerIndex>(about), "127.0.0.1",
                                             nodes_[about].transport->mesh().bound_port());
  }

  TemporaryDirectory directory_;
  sim::World world_;
  std::vector<crypto::Secret> seeds_;
  std::array<Node, 5> nodes_;
};

TEST_CASE("node: four validators and an observer agree over the mesh; one that was away catches up",
          "[mesh]") {
  Network network;
  const auto submit = [&](std::size_t node, std::uint64_t nonce) {
    const auto transaction = make_transaction(network.world(), nonce);
    // Until the mesh stands a push may be lost; it is pushed again after half a second.
    REQUIRE(network.replica(node).submit(encode(transaction)).has_value());
    return ledger::tx_id(transaction.body);
  };
  TxId last;
  for (std::uint64_t nonce = 1; nonce <= 20; ++nonce) last = submit(nonce % 5, nonce);
  for (std::size_t i = 0; i < 5; ++i) REQUIRE(network.wait_for(i, last));

  network.stop(2);
  for (std::uint64_t nonce = 21; nonce <= 40; ++nonce) {
    last = submit(nonce % 2, nonce);
    REQUIRE(network.wait_for(0, last));
  }
  network.start(2);
  REQUIRE(network.wait_for(2, last));
  REQUIRE(network.wait_for(4, last));

  const Height height = network.replica(2).chain().certified_height();
  const auto expected = network.replica(2).chain().header(height);
  REQUIRE(expected.has_value());
  for (const std::size_t i : {0U, 1U, 3U}) {
    REQUIRE(network.replica(i).wait_certified(height, 20'000));
    CHECK(network.replica(i).chain().header(height) == expected);
    CHECK(network.replica(i).status().alarm.empty());
    CHECK(network.replica(i).status().evidence.empty());
  }
}

}  // namespace
}  // namespace baolian::node
