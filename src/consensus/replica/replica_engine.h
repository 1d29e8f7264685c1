/// What every engine does around ordering (consensus.md 1.5 N4-N9, 1.6 STATUS, 1.7, 1.8): a height
/// that is decided is logged, executed in order, signed with EXEC and certified; what others lack
/// is served, what this replica lacks is fetched; the log is replayed and cut; an epoch ends.
/// PBFT (pbft/engine.h) and Raft (raft/engine.h) add how a height comes to be decided.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "consensus/engine.h"
#include "consensus/messages.h"
#include "consensus/records.h"
#include "consensus/replica/log_tail.h"
#include "consensus/replica/slots.h"
#include "core/seeded_bug.h"

namespace baolian::consensus {

inline constexpr std::uint64_t kHeartbeatMs = 100;    ///< S1: leader, or anything open
inline constexpr std::uint64_t kIdleStatusMs = 1000;  ///< S1: others
inline constexpr std::uint64_t kHelpGapMs = 80;       ///< S6: between two answers to one peer
inline constexpr std::uint64_t kReadGapMs = 5;        ///< between two reads of blocks for one peer
inline constexpr std::uint64_t kBehindMs = 50;  ///< how long to be behind before asking for blocks
inline constexpr std::uint64_t kBlocksTimeoutMs = 500;  ///< then another source is asked
inline constexpr std::uint64_t kBodiesRetryMs = 100;    ///< between FETCHes of a batch's bodies
inline constexpr std::uint64_t kParkedFetchMs = 1000;   ///< a FETCH above the tip waits this long
inline constexpr std::uint32_t kReplyBytes = 1024 * 1024;
inline constexpr std::uint64_t kReplyBytesHard = 3'500'000;

/// Where the replica stands.
struct Position {
  View view;            ///< PBFT's view, Raft's term
  bool active = false;  ///< takes part in `view`
  Height certified;     ///< h: newest height whose ExecCert is durable here; may be above executed
  Height executed;      ///< last_exec
  Hash executed_hash;   ///< its header hash; zeros if not known
  Height delivered;     ///< last height given to execution
  Height certifying;    ///< highest height whose certificate was issued to the log
  Height change_known;  ///< highest height whose header says whether a change is pending
  Height highest_seen;
  View voted_view;  ///< position of the last durable vote
  Height voted_height;
};

/// What is known of a peer; fixed size but for the window's progress list.
struct Peer {
  std::optional<StatusBody> status;
  Tick status_at;
  std::optional<Tick> helped_at;
  struct ParkedFetch {
    std::uint64_t request = 0;
    Height first;
    Tick since;
  };
  std::optional<ParkedFetch> parked;   ///< FETCH of blocks that waits for its height
  std::optional<ParkedFetch> reading;  ///< ReadBlocks under way
  std::optional<Tick> read_at;
  std::optional<Tick> bodies_at;        ///< last answer to FetchBodies
  std::optional<Tick> batches_at;       ///< last answer to FetchBatch
  std::optional<Tick> view_changes_at;  ///< since when VIEW-CHANGEs served are counted
  std::size_t view_changes_served = 0;
  bool is_ahead = false;  ///< in a later epoch
};

/// The one FETCH of blocks that may be open.
struct BlockFetch {
  bool open = false;
  bool eager = false;   ///< the last answer was useful: go on at once
  bool paused = false;  ///< a snapshot is on its way
  std::uint64_t request = 0;
  ReplicaId source = 0;
  Tick sent_at;
  Height taken_through;                ///< last height that came with the last answer
  std::optional<Tick> behind_since{};  ///< since when the next height is certified elsewhere
  Height behind_at;
};

inline bool is_signed_by(const crypto::Signatures& signatures, ValidatorIndex validator) {
  return std::any_of(signatures.begin(), signatures.end(),
                     [&](const auto& s) { return s.validator == validator; });
}

/// Sum of the sizes.
inline std::size_t total_size_bytes(const std::vector<SharedBytes>& bodies) {
  std::size_t size = 0;
  for (const SharedBytes& body : bodies) size += body->size();
  return size;
}

/// How the epoch ends (1.10).
struct EpochEnding {
  std::optional<Height> last_height;        ///< A - 1
  std::optional<crypto::EpochRecord> next;  ///< by execution
  bool announced = false;                   ///< EpochEnded was emitted
};

/// The part of an engine that does not depend on how heights are decided. A derived engine calls
/// recover() at the end of its constructor, decide() when a height is decided, and answers the
/// questions below.
///
/// Bounds:      slots as slots.h says; peers, votes and evidence are of fixed size.
/// Invariants:  (1) h, executed and delivered only grow; executed <= delivered  (2) what is decided
///              and logged has its content  (3) an own EXEC is sent only above h and only for a
///              header that execution gave here.
/// Ownership:   values; signer and verifier of the config outlive it. Threads: none.
/// Persistence: by Persist effects only. What a peer may see rides in then_send.
class ReplicaEngine : public Engine {
 public:
  Verdict step(Input input, Effects& effects) final;
  bool wants(const Unverified& message) const final;
  Status status() const override;
  const std::vector<Evidence>& evidence() const final { return evidence_; }
  const ProbeCounts& probes() const final { return probes_; }
  void check_invariants() const override;

 protected:
  /// Runs when the writes staged with it are durable.
  using Completion = std::function<void()>;

  ReplicaEngine(const EngineConfig& config, HeaderReader header_reader, Height executed,
                Hash executed_header_hash);
  void recover(const std::vector<LogRecord>& log);

  // ---------------------------------------------------------------- what the protocol says

  /// A message of a kind that is the protocol's own.
  virtual Verdict on_message(const Verified& message) = 0;
  /// See wants(): any kind but EXEC.
  virtual bool wants_message(const Envelope&) const { return true; }
  virtual Verdict on_propose(ProposeInput& input) = 0;
  /// A REPLY of a kind that is the protocol's own.
  virtual Verdict on_protocol_reply(ReplicaId from, Reply& reply);
  virtual Verdict on_protocol_fetch(ReplicaId from, const Fetch& fetch);
  /// The clock moved to run_.now; `input` was taken over. Before and after the common duties.
  virtual void pass_time(Tick now) = 0;
  virtual void on_time() = 0;
  /// First tick, after the common part: resend stored bytes, resume what was under way.
  virtual void resume() = 0;
  /// Primary or leader: heartbeats and proposals come from here.
  virtual bool leads() const = 0;
  /// Batch and bodies of `digest` are complete here for the first time.
  virtual void on_complete_content(Slot& slot, const Hash& digest) = 0;
  /// The driver says that bodies of `digest`, not decided, can never be valid. False: they must
  /// be, so they are fetched again.
  virtual bool on_impossible_content(Slot& slot, const Hash& digest) = 0;
  /// Writes what makes a decision by votes durable, and says how far it is.
  virtual Decision::State log_votes(Slot& slot, Content& content) = 0;
  /// A certified block of this digest came for a height that is not decided here.
  virtual void before_certified_block(Slot& slot, const Hash& digest);
  /// A STATUS of a peer that is new here.
  virtual void on_peer_status(ReplicaId peer, const StatusBody& status);
  /// The operator wants another leader (R7).
  virtual Verdict on_transfer(const TransferLeadershipInput& input);
  /// The last thing a step does before its writes leave.
  virtual void finish_step() {}
  /// How far a decision must be before its height is executed.
  virtual Decision::State executable_from() const { return Decision::State::logged; }
  /// What the protocol adds to S2-S5 for a peer that stands still.
  virtual void help_more(ReplicaId peer, const StatusBody& status) = 0;
  virtual View newest_view_change() const { return {}; }
  virtual void on_executed() {}
  /// high_mark() moved up from `from`, by execution or by a certificate.
  virtual void on_window_moved(Height from);
  /// h moved up from `from`.
  virtual void on_certified(Height from);
  /// A record that only the protocol knows; not one of the common types.
  virtual Result<void> replay_own(const LogRecord& record) = 0;
  /// What of the protocol stands in SNAPSHOT beside the records of the tail.
  virtual void fill_snapshot(Snapshot&) const {}
  virtual Result<void> replay_snapshot_fields(const Snapshot&) { return ok(); }

  // ---------------------------------------------------------------- replica_engine.cpp

  /// Writes a record of a height; `completion` runs when it is durable.
  void stage(RecordType type, Bytes body, Height height, Completion completion);
  /// Evidence: written like a vote, though nothing waits for it.
  void stage_kept(RecordType type, Bytes body);
  void stage_record(LogRecord record, Completion completion);
  void stop(Stop::Kind kind, std::string reason);
  Verdict malformed(ReplicaId from, const Error& error);
  SharedBytes make_message(MessageKind kind, Bytes body, const Signature& signature) const;
  OwnMessage sign_message(MessageKind kind, crypto::ObjectType type, Bytes body) const;
  void send(std::optional<ReplicaId> to, MessageClass message_class, SharedBytes bytes);
  void keep_evidence(Evidence evidence);
  /// An own vote is durable: it is counted, and its position is told in HELLO.
  void count_own(OwnMessage& message, VoteTable& votes, const Hash& digest, View view,
                 Height height);
  /// Votes in this epoch.
  bool is_validator() const { return config_.self != kObserver && !config_.silent; }
  std::size_t validator_count() const { return config_.epoch.validators.size(); }
  std::size_t weak_quorum() const { return crypto::Quorum{validator_count()}.weak_quorum(); }
  Height low_mark() const { return std::min(at_.certified, at_.executed); }
  /// H: the highest height that may be voted on.
  Height high_mark() const {
    return std::min(window_base() + config_.epoch.log_window, last_votable());
  }
  /// Where the window begins: h.
  virtual Height window_base() const { return at_.certified; }
  /// Nothing is voted on above it: A - 1, as far as it is known here (1.10).
  Height last_votable() const;
  std::uint64_t keep_ahead() const { return 2ULL * config_.epoch.log_window + 32; }
  void note_seen(Height height) { at_.highest_seen = std::max(at_.highest_seen, height); }
  /// A - 1 once the change is known, by execution or by a certified header.
  std::optional<Height> epoch_last() const { return ending_.last_height; }
  /// Drops what no rule needs any more (N6): heights at or below min(h, executed), and those so far
  /// above the executed height that they will come again as certified blocks.
  void prune();

  // ---------------------------------------------------------------- contents.cpp

  void add_batch(Slot& slot, Content& content, SharedBytes batch, std::vector<TxHash> transactions,
                 ReplicaId source);
  void need_bodies(const Slot& slot, Content& content, std::vector<SharedBytes> inline_bodies);
  void on_content(Slot& slot, const Hash& digest);
  Verdict store_vote(VoteTable& table, const Envelope& envelope, crypto::ObjectType type,
                     const Hash& digest, const Bytes& body);
  void fetch_batch(const Slot& slot, Content& content);
  Result<std::vector<TxHash>> check_batch(BytesView batch, Height height, const Hash& digest) const;

  // ---------------------------------------------------------------- execution.cpp

  void decide(Slot& slot, const Hash& digest, std::optional<crypto::VoteCertificate> certificate);
  /// Height of the last block before the epoch.
  Height epoch_base() const { return {config_.epoch.first_height.value - 1}; }
  void on_decision_durable(Height height, const SharedCertificate& certificate);
  void deliver();
  void send_exec(Slot& slot);
  void check_exec_certificate(Slot& slot);
  void take_certificate(SharedCertificate certificate);

  // ---------------------------------------------------------------- catch_up.cpp, status.cpp

  SharedBytes make_fetch(decltype(Fetch::what) what, std::uint64_t request) const;
  void send_reply(ReplicaId to, Reply reply) {
    send_reply(to, MessageClass::sync, std::move(reply));
  }
  void send_reply(ReplicaId to, MessageClass message_class, Reply reply);
  /// 1.7: a valid signature of this node that its log does not know is looked for.
  bool looks_for_copies() const { return is_validator() && config_.stops_when_copied; }
  bool knows_own_exec(const crypto::ExecCertificate& certificate) const;
  StatusBody own_status() const;
  bool anything_open() const;

  // ---------------------------------------------------------------- recovery.cpp

  Result<void> replay(const LogRecord& record);
  Result<OwnMessage> own_message(Bytes bytes) const;
  Content& recover_content(Slot& slot, const Hash& digest, Bytes&& batch,
                           std::vector<Bytes>&& bodies);

  struct Staged {
    Effects* effects = nullptr;
    std::vector<LogRecord> writes;
    std::vector<Send> sends;
    std::vector<Completion> completions;
  };
  struct Run {
    bool started = false;
    bool stopped = false;
    Tick now;
    TimeMs wall;
    std::optional<Tick> status_at;
    std::optional<Tick> oldest_request;  ///< see TickInput
    std::uint64_t next_request = 1;
    PersistId next_persist{1};
    std::optional<Error> log_error;         ///< the log could not be replayed: refuse to vote
    std::optional<Stopped> stopped_before;  ///< by the log: refuse to vote
    std::vector<crypto::ExecCertificate> recovered;  ///< certificates to be announced again
  };

  EngineConfig config_;
  HeaderReader read_header_;
  std::size_t quorum_;
  Position at_;
  Run run_;
  Slots slots_;
  LogTail tail_;
  Staged out_;
  std::vector<Peer> peers_;
  SharedCertificate newest_certificate_;  ///< of height h; null at the genesis
  std::vector<Evidence> evidence_;
  ProbeCounts probes_;

 private:
  // replica_engine.cpp
  Verdict dispatch(Input& input);
  Verdict on_tick(const TickInput& input);
  Verdict on_deliver(const Verified& message);
  Verdict on_persisted(const PersistedInput& input);
  Verdict on_flushed(const FlushedInput& input);
  void flush_staged();

  // contents.cpp
  Verdict on_bodies(BodiesInput& input);
  Verdict on_bad_bodies(const BadBodiesInput& input);
  Verdict serve_bodies(ReplicaId peer, const Fetch& fetch, const FetchBodies& what);
  Verdict serve_batch(ReplicaId peer, const FetchBatch& what);
  void fetch_bodies_if_due();
  std::optional<ReplicaId> bodies_source(const Slot& slot, const Content& content) const;
  Verdict on_reply_bodies(ReplicaId from, ReplyBodies& reply);
  Verdict on_reply_batch(ReplicaId from, ReplyBatch& reply);

  // execution.cpp
  void log_decision(Slot& slot);
  Verdict on_applied(AppliedInput& input);
  Verdict on_state_transfer(TransferInput& input);
  Verdict judge_exec(const crypto::ExecVote& vote) const;
  bool wants_exec(const Envelope& envelope) const;
  Verdict on_exec(const Verified& message);
  void advance_certified(const SharedCertificate& certificate);
  void announce(Slot& slot);
  bool agrees_with_certificate(const Slot& slot);
  void note_certified_header(BytesView header);
  void end_epoch_if_due();
  void window_moved(Height from);

  // status.cpp
  void send_status_if_due();
  Verdict on_status(const Verified& message);
  void help(ReplicaId peer, const StatusBody& status);

  // catch_up.cpp
  Verdict on_fetch(const Verified& message);
  void serve_parked();
  Verdict on_blocks_read(BlocksReadInput& input);
  Verdict on_reply(const Verified& message);
  Verdict on_reply_blocks(ReplicaId from, std::uint64_t request, ReplyBlocks& reply);
  Verdict on_reply_certificate(ReplicaId from, ReplyCertificate& reply);
  void take_block(ReplicaId from, SyncBlock& block, const HeaderFacts& facts);
  Result<HeaderFacts> check_block(const SyncBlock& block) const;
  void fetch_blocks_if_due();
  Verdict on_peer_ahead(const PeerAheadInput& input);
  bool has_peer_ahead() const;
  bool may_serve(ReplicaId id) const;
  std::optional<ReplicaId> next_source(ReplicaId first) const;
  Height highest_served_elsewhere() const;

  // recovery.cpp
  Result<Height> replay_exec_sent(BytesView body);
  Result<Height> replay_exec_cert(BytesView body);
  Result<Height> replay_block(BytesView body);
  Result<void> replay_snapshot(BytesView body);
  Result<void> replay_kept(const LogRecord& record);
  void recover_certified(const SharedCertificate& certificate);
  void start();
  LogRecord make_snapshot() const;

  std::map<PersistId, std::vector<Completion>> persisting_;
  EpochEnding ending_;
  BlockFetch fetch_;
};

}  // namespace baolian::consensus
