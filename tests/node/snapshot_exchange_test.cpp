#include "node/snapshot_exchange.h"

#include <deque>
#include <functional>

#include "contracts/execute.h"
#include "crypto/hash.h"
#include "ledger/fixture.h"
#include "sim/sim_snapshots.h"
#include "sim/world.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

using ledger::test::BlockBuilder;

constexpr std::uint64_t kBlocks = 40;
constexpr std::uint64_t kSnapshotHeights = 20;
constexpr ReplicaId kJoiner = 3;
constexpr int kEventsPerTick = 40;  // so that a transfer takes some seconds

const sim::World& world() {
  static const sim::World one = sim::make_world(4, 0, 1);
  return one;
}

std::unique_ptr<ledger::Chain> open_chain() {
  auto chain = ledger::Chain::open(ledger::make_memory_store(), world().genesis,
                                   contracts::genesis_writes(world().genesis));
  REQUIRE(chain.has_value());
  return *std::move(chain);
}

void append_block(ledger::Chain& chain) {
  const Height height = chain.height().next();
  BlockBuilder builder(chain, chain.header(chain.height())->timestamp);
  for (int i = 0; i < 60; ++i) {
    const std::uint64_t number = height.value * 60 + static_cast<std::uint64_t>(i);
    builder.write("row/" + std::to_string(number), std::to_string(number * 3));
  }
  const ledger::Header header = chain.append(builder.take());
  crypto::ExecCertificate certificate;
  certificate.epoch = header.epoch;
  certificate.vote = {header.height, ledger::header_hash(header)};
  const Hash body = crypto::sha256(encode(certificate.vote));
  for (ValidatorIndex i = 0; i < 3; ++i) {
    certificate.signatures.push_back(
        {i, world().node_signers[i]->sign_object(crypto::ObjectType::exec, header.chain_id,
                                                 header.epoch, body)});
  }
  chain.put_certificate(certificate);
}

/// Four nodes; three hold snapshots, the fourth wants one. Messages and answers wait in a queue.
struct Town {
  struct Node final : Transport {
    Town* town = nullptr;
    ReplicaId id = 0;
    std::unique_ptr<ledger::Chain> chain = open_chain();
    sim::SnapshotDisk disk;
    std::unique_ptr<sim::SimSnapshots> port;
    std::unique_ptr<SnapshotExchange> exchange;
    bool installed = false;
    bool is_silent = false;
    std::size_t chunks_asked = 0;  ///< of this node
    std::vector<ReplicaId> banned;
    std::function<void(Bytes&)> lie;  ///< changes what this node sends

    void send(ReplicaId to, MessageClass message_class, SharedBytes bytes) override {
      CHECK(message_class == MessageClass::sync);
      Bytes copy = *bytes;
      if (lie) lie(copy);
      if (is_silent) return;
      town->queue.push_back([this, to, copy = std::move(copy)] {
        Node& target = town->nodes[to];
        if (target.is_silent) return;
        if (copy.front() == kFetchChunk) ++target.chunks_asked;
        target.exchange->on_message(id, copy);
      });
    }
    void send_to_validators(MessageClass, SharedBytes) override { FAIL("to nobody by name"); }
    void ban(ReplicaId peer, std::string) override { banned.push_back(peer); }

    void open(const SnapshotExchange::Config& config) {
      sim::SimSnapshots::Answers answers;
      answers.chunk_read = [this](ReplicaId peer, SharedBytes part) {
        exchange->on_chunk_read(peer, std::move(part));
      };
      answers.install_begun = [this](const ledger::SnapshotInstaller::Chunks& stored) {
        exchange->on_install_begun(stored);
      };
      answers.chunk_stored = [this](std::uint16_t number, const Result<void>& result) {
        exchange->on_chunk_stored(number, result);
      };
      answers.installed = [this] { installed = true; };
      port = std::make_unique<sim::SimSnapshots>(
          disk, *chain, kSnapshotHeights, std::move(answers),
          [this](std::function<void()> event) { town->queue.push_back(std::move(event)); });
      exchange = std::make_unique<SnapshotExchange>(config, *this, *port, 4, id);
    }
  };

  std::deque<std::function<void()>> queue;
  std::vector<Node> nodes{4};
  Tick now{1000};
  SnapshotExchange::Config config{&world().genesis, &crypto::toy_verifier(), 10, false};

  Town() {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      nodes[i].town = this;
      nodes[i].id = static_cast<ReplicaId>(i);
      nodes[i].open(config);
    }
    for (std::size_t i = 0; i < kJoiner; ++i) grow(nodes[i], kBlocks);
  }
  static void grow(Node& node, std::uint64_t blocks) {
    for (; blocks > 0; --blocks) {
      append_block(*node.chain);
      node.port->after_block();
      static_cast<void>(node.port->held(Height{}));
    }
  }
  Node& joiner() { return nodes[kJoiner]; }

  void run(std::uint64_t ms) {
    for (const Tick end = now + ms; now < end; now = now + 10) {
      for (Node& node : nodes) node.exchange->on_tick(now, node.chain->height());
      for (int i = 0; i < kEventsPerTick && !queue.empty(); ++i) {
        auto event = std::move(queue.front());
        queue.pop_front();
        event();
      }
    }
  }
  /// The joiner asks somebody for blocks, as its engine would.
  void ask_for_blocks(ReplicaId of = 0) {
    nodes[of].exchange->on_blocks_wanted(kJoiner, joiner().chain->height().next());
  }
  void check_joined() {
    REQUIRE(joiner().installed);
    auto chain = ledger::Chain::open(ledger::make_memory_store(joiner().disk.joined),
                                     world().genesis, contracts::genesis_writes(world().genesis));
    REQUIRE(chain.has_value());
    CHECK((*chain)->base() == Height{kBlocks});
    CHECK((*chain)->header(Height{kBlocks}) == nodes[0].chain->header(Height{kBlocks}));
  }
};

void flip_in_chunk(Bytes& bytes) {
  if (bytes.front() == kChunkPart) bytes[bytes.size() / 2] ^= 1;
}

}  // namespace

TEST_CASE("1.8: a node far behind is offered a snapshot and gets its chunks from all who hold it",
          "[snapshot]") {
  Town town;
  town.ask_for_blocks();
  town.run(500);
  CHECK_FALSE(town.joiner().exchange->take_input().has_value());  // offers of others are awaited
  town.run(5'000);
  town.check_joined();
  for (std::size_t i = 0; i < kJoiner; ++i) CHECK(town.nodes[i].chunks_asked > 500);
  const auto input = town.joiner().exchange->take_input();
  REQUIRE(input.has_value());
  CHECK(input->under_way);
  REQUIRE(input->certificate.has_value());
  CHECK(input->certificate->vote.height == Height{kBlocks});
  CHECK(input->header == encode(*town.nodes[0].chain->header(Height{kBlocks})));
  CHECK(town.joiner().exchange->progress().is_staged);
  CHECK(town.joiner().banned.empty());
}

TEST_CASE("1.8: a peer with wrong chunks is banned, and the others bring the right ones",
          "[snapshot]") {
  Town town;
  town.nodes[1].lie = flip_in_chunk;
  town.ask_for_blocks();
  town.run(10'000);
  town.check_joined();
  CHECK(town.joiner().banned == std::vector<ReplicaId>{1});
}

TEST_CASE("1.8: a head that does not follow from the genesis is not taken", "[snapshot]") {
  Town town;
  town.nodes[0].lie = [](Bytes& bytes) {
    if (bytes.front() != kSnapshotOffer) return;
    auto offer = decode<SnapshotOffer>(bytes).value();
    offer.head.header.state_root.bytes[0] ^= 1;
    bytes = encode(offer);
  };
  town.ask_for_blocks();
  town.run(3'000);
  CHECK(town.joiner().banned == std::vector<ReplicaId>{0});
  CHECK_FALSE(town.joiner().installed);
  town.ask_for_blocks(1);
  town.run(10'000);
  town.check_joined();
}

TEST_CASE("1.8: peers that fall silent are left; when nobody is there it is tried again later",
          "[snapshot]") {
  Town town;
  town.ask_for_blocks();
  town.run(1'020);
  town.nodes[0].is_silent = true;
  town.run(30'000);
  town.check_joined();

  Town alone;
  alone.ask_for_blocks();
  alone.run(1'020);
  for (std::size_t i = 0; i < kJoiner; ++i) alone.nodes[i].is_silent = true;
  alone.run(30'000);
  CHECK_FALSE(alone.joiner().installed);
  for (std::size_t i = 0; i < kJoiner; ++i) alone.nodes[i].is_silent = false;
  alone.ask_for_blocks();
  alone.run(10'000);
  alone.check_joined();
}

TEST_CASE("1.8: a snapshot that nobody holds any more is given up for a newer one", "[snapshot]") {
  Town town;
  town.ask_for_blocks();
  town.run(1'020);
  REQUIRE(town.joiner().exchange->take_input()->under_way);
  for (std::size_t i = 0; i < kJoiner; ++i) Town::grow(town.nodes[i], kSnapshotHeights);
  town.run(70'000);
  const auto input = town.joiner().exchange->take_input();
  REQUIRE(input.has_value());
  CHECK_FALSE(input->under_way);
  town.ask_for_blocks();
  town.run(10'000);
  REQUIRE(town.joiner().installed);
  CHECK(town.joiner().exchange->progress().height == Height{kBlocks + kSnapshotHeights});
}

TEST_CASE("1.8: an interrupted transfer goes on with what is stored", "[snapshot]") {
  Town town;
  town.nodes[1].is_silent = town.nodes[2].is_silent = true;
  town.ask_for_blocks();
  town.run(1'020);
  // A part at a time from here: the process ends in the middle.
  for (int i = 0; i < 6'000 && !town.queue.empty(); ++i) {
    auto event = std::move(town.queue.front());
    town.queue.pop_front();
    event();
  }
  const std::size_t stored = town.joiner().exchange->progress().chunks;
  INFO("stored " << stored);
  town.queue.clear();
  const std::size_t asked = town.nodes[0].chunks_asked;
  town.joiner().open(town.config);
  town.nodes[0].open(town.config);
  town.run(1'500);
  town.ask_for_blocks();
  town.run(10'000);
  town.check_joined();
  CHECK(town.nodes[0].chunks_asked - asked <= ledger::kChunkCount - stored);
}

TEST_CASE("1.8: a near snapshot is taken only if it is wanted, or if the blocks do not come",
          "[snapshot]") {
  Town town;
  town.config.far_heights = 1000;
  town.joiner().open(town.config);
  town.run(100);
  town.ask_for_blocks();
  town.run(4'000);
  CHECK(town.joiner().exchange->progress().height == Height{});
  town.ask_for_blocks();  // stands still for more than 5 s by now
  town.run(2'000);
  town.ask_for_blocks();
  town.run(10'000);
  town.check_joined();

  Town wanting;
  wanting.config.far_heights = 1000;
  wanting.config.wants_snapshot = true;
  wanting.joiner().open(wanting.config);
  wanting.run(10'000);  // asks by itself
  wanting.check_joined();
}

}  // namespace baolian::node
