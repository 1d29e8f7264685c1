/// A network of PBFT engines in one thread with scripted time, delivery, persistence and execution.
/// It stands in for the replica driver: what the engines ask for is queued and done when the test
/// says so, in order or in a seeded random order. Every message that leaves a node is checked: no
/// validator signs two digests for one (type, view, height), also across restarts (I4), and no two
/// nodes execute different batches at a height (I1).
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "consensus/engine.h"
#include "consensus/pbft/messages.h"
#include "core/prng.h"

namespace baolian::consensus::testing {

/// Header of the tests: what the engine has to know, and nothing else.
struct TestHeader {
  static constexpr std::string_view kTypeName = "TestHeader";
  Epoch epoch;
  Height height;
  Hash parent;
  Hash batch_digest;
  static constexpr auto fields() {
    return std::make_tuple(field("epoch", &TestHeader::epoch, ""),
                           field("height", &TestHeader::height, ""),
                           field("parent", &TestHeader::parent, ""),
                           field("batch_digest", &TestHeader::batch_digest, ""));
  }
};
Hash header_hash_of(BytesView header);
HeaderReader test_header_reader();
Bytes test_header(Height height, const Hash& parent, const Hash& batch_digest);

SharedBytes transaction(std::uint64_t number, std::size_t size_bytes = 16);
TxHash hash_of(const Bytes& transaction);

ChainId test_chain();
/// Validators with toy keys of the seeds 1, 2, ... in this order.
crypto::EpochRecord test_epoch(std::size_t validators);
const crypto::Signer& test_signer(std::size_t validator);

/// Signs `body` as the message `kind` of a validator.
SharedBytes signed_message(const crypto::EpochRecord& epoch, MessageKind kind,
                           ValidatorIndex sender, Bytes body);
SharedBytes pre_prepare_message(const crypto::EpochRecord& epoch, ValidatorIndex sender,
                                const crypto::Vote& vote, const Bytes& batch,
                                std::vector<Bytes> inline_bodies = {});
SharedBytes unsigned_message(const crypto::EpochRecord& epoch, MessageKind kind,
                             ValidatorIndex sender, Bytes body);
crypto::ExecCertificate exec_certificate(const crypto::EpochRecord& epoch, Height height,
                                         const Hash& header_hash,
                                         const std::vector<ValidatorIndex>& signers);
crypto::VoteCertificate vote_certificate(const crypto::EpochRecord& epoch, crypto::ObjectType type,
                                         const crypto::Vote& vote,
                                         const std::vector<ValidatorIndex>& signers);

/// A block as a store keeps it.
struct StoredBlock {
  Bytes header;
  Hash header_hash;
  Hash digest;
  SharedBytes batch;
  std::vector<SharedBytes> bodies;
  std::optional<crypto::ExecCertificate> certificate;
};

struct Message {
  ReplicaId from = 0;
  ReplicaId to = 0;
  SharedBytes bytes;
};

struct Node {
  EngineConfig config;
  std::unique_ptr<Engine> engine;
  bool is_up = false;
  std::vector<LogRecord> log;      ///< durable records
  std::deque<Persist> persisting;  ///< issued, not durable yet
  std::deque<Commit> executing;
  std::deque<Input> inputs;        ///< answers of the driver that wait to be given
  std::vector<StoredBlock> store;  ///< index 0 = block 0
  Height flushed;
  std::vector<Stop> stops;
  std::vector<BanPeer> bans;
  std::vector<Height> certified;  ///< heights of Certified effects
  std::size_t cuts = 0;
  std::uint64_t persists = 0;       ///< Persist effects made durable, over all runs
  std::uint64_t bad_header_at = 0;  ///< executes this height wrongly

  Height height() const { return {store.size() - 1}; }
  Status status() const { return engine->status(); }
};

class Network {
 public:
  explicit Network(std::size_t validators, std::size_t observers = 0, std::uint16_t window = 16,
                   std::uint16_t in_flight = 8);

  Node& node(std::size_t i) { return nodes_[i]; }
  std::size_t size() const { return nodes_.size(); }
  std::size_t validators() const { return epoch_.validators.size(); }
  const crypto::EpochRecord& epoch() const { return epoch_; }
  Tick now() const { return now_; }

  void start(std::size_t i);
  void start_all();
  /// Stops a node at once: what was not durable is gone, the store falls back to `flushed`.
  void crash(std::size_t i);
  /// Passes time in steps of 10 ms, doing all work after each.
  void pass(std::uint64_t milliseconds);
  /// Does queued work until there is none (or `steps_max` is reached).
  void run(std::size_t steps_max = 1'000'000);
  /// One piece of queued work, the next in order or (with `random`) any. False if there is none.
  bool work();
  /// Offers a batch of `transactions` fresh ones to the primary. False if it cannot propose.
  bool propose(std::size_t transactions = 1, std::size_t size_bytes = 16);
  void inject(ReplicaId from, ReplicaId to, SharedBytes bytes);
  Verdict give(std::size_t i, Input input);
  /// Tells a node that its store has flushed everything up to `height`.
  Verdict flush(std::size_t i, Height height);
  /// All running nodes have executed and certified `height` with equal headers.
  bool all_at(Height height);

  std::function<bool(const Message&, MessageKind)> drop;  ///< true: the message is lost
  Prng* random = nullptr;                                 ///< set: work is done in random order
  bool hold_persistence = false;                          ///< Persists wait until released
  std::function<void(std::size_t)> before_persist;  ///< called before a Persist becomes durable
  std::uint64_t lack_percent = 0;  ///< how often a node lacks a body; needs `random`
  std::size_t messages_sent = 0;

 private:
  bool work_of(std::size_t i);
  bool finish_persist(Node& node, std::size_t i);
  void execute(Node& node);
  void interpret(std::size_t i, Effects effects);
  void route(std::size_t from, const Send& send);
  void watch(std::size_t from, const SharedBytes& bytes);
  void answer_bodies(Node& node, const NeedBodies& need);
  void answer_blocks(Node& node, const ReadBlocks& read);

  crypto::EpochRecord epoch_;
  std::vector<Node> nodes_;
  std::deque<Message> wire_;
  std::map<TxHash, SharedBytes> transactions_;
  std::map<std::tuple<ValidatorIndex, MessageKind, std::uint64_t, std::uint64_t>, Hash> signed_;
  std::map<std::uint64_t, Hash> executed_;
  std::uint64_t next_transaction_ = 1;
  Tick now_{1000};
};

inline constexpr std::uint64_t kWallOffset = 1'700'000'000'000;

}  // namespace baolian::consensus::testing
