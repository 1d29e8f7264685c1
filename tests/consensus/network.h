/// A network of engines, PBFT's or Raft's, in one thread with scripted time, delivery, persistence
/// and execution. It stands in for the replica driver: what the engines ask for is queued and done
/// when the test says so, in order or in a seeded random order. Every message that leaves a node is
/// checked: no validator signs two digests for one (type, view, height), also across restarts (I4),
/// a VIEW-CHANGE holds every height above h for which its sender sent COMMIT, whichever of the two
/// left first (I13), no two nodes execute different batches at a height (I1), no node's view or h
/// goes back, also across restarts (I6). Under Raft: one vote a term and voter, one leader a term,
/// one entry a term and index, and votes
/// and acknowledged entries are in the log when they leave.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "consensus/engine.h"
#include "consensus/pbft/messages.h"
#include "consensus/raft/messages.h"
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
    return field_list(field("epoch", &TestHeader::epoch, ""),
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
crypto::EpochRecord test_epoch(std::size_t validators,
                               crypto::ConsensusKind kind = crypto::ConsensusKind::pbft);
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
  std::map<TxHash, Tick> pool;      ///< admitted, not executed: request clock of the admission
  std::set<TxHash> proposed;        ///< of the pool: in a batch that may still be executed
  bool is_killed = false;
  std::uint64_t runs = 0;  ///< how often it was started
  View view_max;           ///< highest view and h that were ever reported
  Height certified_max;

  Height height() const { return {store.size() - 1}; }
  Status status() const { return engine->status(); }
};

class Network {
 public:
  explicit Network(std::size_t validators, std::size_t observers = 0, std::uint16_t window = 16,
                   std::uint16_t in_flight = 8,
                   crypto::ConsensusKind kind = crypto::ConsensusKind::pbft);

  Node& node(std::size_t i) { return nodes_[i]; }
  std::size_t size() const { return nodes_.size(); }
  std::size_t validators() const { return epoch_.validators.size(); }
  const crypto::EpochRecord& epoch() const { return epoch_; }
  Tick now() const { return now_; }

  void start(std::size_t i);
  void start_all();
  /// Stops a node at once: what was not durable is gone, the store falls back to `flushed`.
  void crash(std::size_t i);
  /// Stops a node for good.
  void kill(std::size_t i);
  /// Messages between nodes of different groups are lost; a node that is in no group hears nobody.
  void partition(const std::vector<std::vector<std::size_t>>& groups);
  void heal() { group_of_.clear(); }
  /// Passes time in steps of tick_ms, doing all work after each.
  void pass(std::uint64_t milliseconds);
  /// Passes time until `done` holds. False if it does not within `milliseconds_max`.
  bool pass_until(const std::function<bool()>& done, std::uint64_t milliseconds_max);
  /// Does queued work until there is none (or `steps_max` is reached).
  void run(std::size_t steps_max = 1'000'000);
  /// One piece of queued work, the next in order or (with `random`) any. False if there is none.
  bool work();
  /// Offers a batch of `transactions` fresh ones to the primary. False if it cannot propose.
  bool propose(std::size_t transactions = 1, std::size_t size_bytes = 16);
  /// A fresh transaction becomes known to every node and waits to be executed; the primaries
  /// propose what waits with each tick (`proposes`).
  void admit(std::size_t count = 1);
  /// Every running node has executed every admitted transaction.
  bool all_executed() const;
  /// The running node that leads and may propose, if there is one.
  std::optional<std::size_t> leader() const;
  void inject(ReplicaId from, ReplicaId to, SharedBytes bytes);
  Verdict give(std::size_t i, Input input);
  /// Tells a node that its store has flushed everything up to `height`.
  Verdict flush(std::size_t i, Height height);
  /// All running nodes have executed and certified `height` with equal headers.
  bool all_at(Height height);
  /// All running nodes have executed and certified one height, whichever, with equal headers.
  bool all_level();
  /// Where every node stands, for the report of a failure.
  std::string describe() const;

  std::function<bool(const Message&, MessageKind)> drop;  ///< true: the message is lost
  Prng* random = nullptr;                                 ///< set: work is done in random order
  bool hold_persistence = false;                          ///< Persists wait until released
  std::function<void(std::size_t)> before_persist;  ///< called before a Persist becomes durable
  std::function<void(std::size_t)>
      after_sends;                 ///< ... after its records and sends, before it is reported
  std::uint64_t lack_percent = 0;  ///< how often a node lacks a body; needs `random`
  std::size_t messages_sent = 0;
  std::uint64_t tick_ms = 10;
  bool proposes = true;            ///< primaries propose admitted transactions by themselves
  std::size_t batch_size_max = 2;  ///< ... so many in a batch

 private:
  void tick(std::size_t i);
  void propose_admitted(std::size_t i);
  static void forget_executed(Node& node, const StoredBlock& block);
  bool separated(std::size_t from, std::size_t to) const;
  void watch_view_change(const Envelope& envelope);
  void watch_commit(ValidatorIndex sender, const crypto::Vote& vote);
  bool work_of(std::size_t i);
  bool finish_persist(Node& node, std::size_t i);
  void execute(Node& node);
  void interpret(std::size_t i, Effects effects);
  void route(std::size_t from, const Send& send);
  void watch(std::size_t from, const Send& send);
  std::vector<LogRecord> logged(std::size_t i) const;
  bool has_vote_logged(std::size_t i, View term, ReplicaId candidate) const;
  void watch_raft(std::size_t from, std::optional<ReplicaId> to, const Envelope& envelope);
  void answer_bodies(Node& node, const NeedBodies& need);
  void answer_blocks(Node& node, const ReadBlocks& read);

  crypto::EpochRecord epoch_;
  std::vector<Node> nodes_;
  std::deque<Message> wire_;
  std::map<TxHash, SharedBytes> transactions_;
  std::map<std::tuple<ValidatorIndex, MessageKind, std::uint64_t, std::uint64_t>, Hash> signed_;
  std::map<std::uint64_t, Hash> executed_;
  std::map<std::pair<std::size_t, View>, ReplicaId> votes_given_;
  std::map<View, std::size_t> leaders_;
  std::map<std::pair<View, Height>, Hash> entries_;
  std::map<std::size_t, std::size_t> group_of_;  ///< empty: no partition
  std::set<TxHash> admitted_;
  /// Views of the COMMITs that a validator sent, by height, and its newest VIEW-CHANGE.
  std::map<ValidatorIndex, std::map<Height, View>> commits_;
  std::map<ValidatorIndex, pbft::ViewChange> view_changes_;
  std::uint64_t next_transaction_ = 1;
  Tick now_{1000};
};

inline constexpr std::uint64_t kWallOffset = 1'700'000'000'000;

}  // namespace baolian::consensus::testing
