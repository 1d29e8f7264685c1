/// PBFT as a sans-IO engine (consensus.md 1.2-1.7): the normal case with EXEC certificates, the
/// view change, STATUS, catch-up by certified blocks, recovery from the log.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "consensus/engine.h"
#include "consensus/pbft/log_tail.h"
#include "consensus/pbft/messages.h"
#include "consensus/pbft/patience.h"
#include "consensus/pbft/records.h"
#include "consensus/pbft/slots.h"
#include "consensus/pbft/view_change.h"
#include "core/seeded_bug.h"

namespace baolian::consensus::pbft {

inline constexpr std::uint64_t kHeartbeatMs = 100;    ///< S1: primary, or anything open
inline constexpr std::uint64_t kIdleStatusMs = 1000;  ///< S1: others
inline constexpr std::uint64_t kHelpGapMs = 80;       ///< S6: between two answers to one peer
inline constexpr std::uint64_t kBehindMs = 50;  ///< how long to be behind before asking for blocks
inline constexpr std::uint64_t kBlocksTimeoutMs = 500;  ///< then another source is asked
inline constexpr std::uint64_t kBodiesRetryMs = 100;    ///< between FETCHes of a batch's bodies
inline constexpr std::uint64_t kParkedFetchMs = 1000;   ///< a FETCH above the tip waits this long
inline constexpr std::uint64_t kObserverPatienceMs = 2000;  ///< then an observer asks another
inline constexpr std::uint32_t kReplyBytes = 1024 * 1024;
inline constexpr std::uint64_t kReplyBytesHard = 3'500'000;

/// Where the replica stands.
struct Position {
  View view;
  bool active = false;   ///< votes in `view`
  Height proposals_top;  ///< maxs(v): up to here proposals come from NEW-VIEW's O only
  Height certified;      ///< h: newest height whose ExecCert is durable here; may be above executed
  Height executed;       ///< last_exec
  Hash executed_hash;    ///< its header hash; zeros if not known
  Height delivered;      ///< last height given to execution
  Height proposed;       ///< highest own proposal of this view
  Height certifying;     ///< highest height whose certificate was issued to the log
  Height highest_seen;
  View voted_view;  ///< position of the last durable vote
  Height voted_height;
};

/// What becomes true when a Persist is durable.
struct Durable {
  enum class Kind : std::uint8_t {
    accepted,
    prepared,
    decided,
    exec_sent,
    certified,
    view_change_sent,
    view_entered,
    noted,  ///< nothing follows
  } kind{};
  Height height;
  View view;
  SharedCertificate certificate{};  ///< of `certified`, and of `decided` by a block
  SharedViewChange view_change{};   ///< of `view_change_sent`
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
};

/// The one FETCH of blocks that may be open.
struct BlockFetch {
  bool open = false;
  bool eager = false;  ///< the last answer was useful: go on at once
  std::uint64_t request = 0;
  ReplicaId source = 0;
  Tick sent_at;
  Height taken_through;                ///< last height that came with the last answer
  std::optional<Tick> behind_since{};  ///< since when the next height is certified elsewhere
  Height behind_at;
};

/// The engine. See consensus/engine.h for the contract of step().
///
/// Bounds:      slots as slots.h says; peers, votes and evidence are of fixed size.
/// Invariants:  (1) a COMMIT sent for n > h has a P entry (2) one digest per (v, n) was voted for
///              (3) h, executed and delivered only grow; executed <= delivered.
/// Ownership:   values; signer and verifier of the config outlive it. Threads: none.
/// Persistence: by Persist effects only. What a peer may see rides in then_send.
/// Source:      Castro & Liskov, OSDI'99 section 4. Differs: signatures, not MACs; a checkpoint at
///              every height; the primary also sends PREPARE.
class PbftEngine final : public Engine {
 public:
  PbftEngine(const EngineConfig& config, HeaderReader header_reader, std::vector<LogRecord> log,
             Height executed, Hash executed_header_hash);

  Verdict step(Input input, Effects& effects) override;
  Status status() const override;
  const std::vector<Evidence>& evidence() const override { return evidence_; }
  const ProbeCounts& probes() const override { return probes_; }
  bool can_propose() const override;
  void check_invariants() const override;

 private:
  // engine.cpp: dispatch, durability, small questions
  Verdict dispatch(Input& input);
  Verdict on_tick(const TickInput& input);
  void pass_time(Tick now);
  Verdict on_deliver(const Verified& message);
  Verdict on_persisted(const PersistedInput& input);
  Verdict on_flushed(const FlushedInput& input);
  void complete(const Durable& durable);
  void stage(RecordType type, Bytes body, Durable durable);
  void stage_view_record(RecordType type, Bytes body, Durable durable);
  void stage_kept(RecordType type, Bytes body);
  void flush_staged();
  void stop(Stop::Kind kind, std::string reason);
  Verdict malformed(ReplicaId from, const Error& error);
  SharedBytes make_message(MessageKind kind, Bytes body, const Signature& signature) const;
  OwnMessage sign_message(MessageKind kind, crypto::ObjectType type, Bytes body) const;
  void send(std::optional<ReplicaId> to, MessageClass message_class, SharedBytes bytes);
  void keep_evidence(Evidence evidence);
  void keep_if_second_new_view(const Envelope& envelope, const SharedBytes& first);
  bool is_validator() const { return config_.self != kObserver; }
  std::size_t validator_count() const { return config_.epoch.validators.size(); }
  ValidatorIndex primary_of(View view) const;
  bool is_primary() const;
  Height low_mark() const { return std::min(at_.certified, at_.executed); }
  Height high_mark() const {
    const Height base = seeded_bug(Bug::vote_above_window_in_new_view)
                            ? std::max(at_.certified, at_.proposals_top)
                            : at_.certified;
    return base + config_.epoch.log_window;
  }
  std::uint64_t keep_ahead() const { return 2ULL * config_.epoch.log_window + 32; }
  void note_seen(Height height) { at_.highest_seen = std::max(at_.highest_seen, height); }
  void prune();

  // normal_case.cpp: N1-N4
  Verdict on_propose(ProposeInput& input);
  Verdict on_pre_prepare(const Verified& message);
  Verdict judge_proposal(const crypto::Vote& vote, ValidatorIndex sender) const;
  Verdict judge_slot(Slot& slot, const crypto::Vote& vote, const Envelope& envelope);
  Verdict judge_batch(const crypto::Vote& vote, ValidatorIndex sender, BytesView bytes,
                      Batch& batch) const;
  Verdict on_bodies(BodiesInput& input);
  Verdict on_bad_bodies(const BadBodiesInput& input);
  void add_batch(Slot& slot, Content& content, SharedBytes batch, std::vector<TxHash> transactions,
                 ReplicaId source);
  void need_bodies(const Slot& slot, Content& content, std::vector<SharedBytes> inline_bodies);
  void on_content(Slot& slot, const Hash& digest);
  void accept(Slot& slot, const Content& content, std::optional<Send> pre_prepare);
  Verdict on_vote(const Verified& message);
  Verdict store_vote(VoteTable& table, const Envelope& envelope, crypto::ObjectType type,
                     const Hash& digest, const Bytes& body);
  void check_prepared(Slot& slot);
  void check_committed(Slot& slot);

  // view_change.cpp: V1-V4, V9
  View view_in_question() const;
  std::size_t weak_quorum() const { return crypto::Quorum{validator_count()}.weak_quorum(); }
  std::uint64_t scaled_ms(std::uint64_t base_ms) const { return patience_.scaled_ms(base_ms); }
  bool window_is_committed() const;
  std::optional<SuspectReason> reason_to_suspect() const;
  void note_suspicion(SuspectReason reason);
  void suspect_if_due();
  void suspect_left_view_if_due();
  Verdict on_suspect(const Verified& message);
  void check_suspects();
  void check_view_changes();
  void leave_view(View target);
  void on_view_change_durable(const Durable& durable);
  void resend_view_change_if_due();
  Verdict on_view_change(const Verified& message);
  Verdict refused_view_change(ReplicaId from, const Error& error);
  Verdict take_view_change(const SharedViewChange& taken);
  void on_view_changes();
  Result<SharedViewChange> check_view_change(const Verified& message, Passage passage);
  Result<void> check_prepared_entries(const ViewChange& body);
  Result<void> verify_once(const crypto::ExecCertificate& certificate);
  Result<void> verify_once(const crypto::VoteCertificate& certificate);

  // new_view.cpp: V5-V8, V10
  void make_new_view_if_possible();
  Verdict on_new_view(const Verified& message);
  Verdict judge_new_view(const Verified& message, NewView& body);
  void suspect_primary_of(View view);
  bool fill_pending(const SharedViewChange& taken);
  Verdict try_pending_new_view();
  Verdict accept_new_view(const NewView& body, const SharedBytes& bytes,
                          std::vector<SharedViewChange> view_changes);
  Verdict on_reply_new_view(ReplicaId from, ReplyNewView& reply);
  Verdict on_reply_view_change(ReplicaId from, ReplyViewChange& reply);
  Result<Verified> verify_passed_on(MessageKind kind, Bytes& bytes) const;
  void enter_view(const ProposalsOutcome& outcome, const SharedBytes& new_view,
                  std::vector<SharedViewChange> view_changes);
  void finish_entering(View view);
  void become_member_of(const Proposals& proposals);
  void adopt_proposals(const Proposals& proposals);
  void announce_view(const Proposals& proposals);
  void fetch_view_changes_if_due();
  Verdict serve_view_change(ReplicaId to, const FetchViewChange& wanted);
  void relay_new_view(ReplicaId to, const StatusBody& status);

  // execution.cpp: N4-N7
  void decide(Slot& slot, const Hash& digest, std::optional<crypto::VoteCertificate> certificate);
  void log_decision(Slot& slot);
  void deliver();
  Verdict on_applied(AppliedInput& input);
  Verdict on_state_installed(const StateInstalledInput& input);
  void send_exec(Slot& slot);
  Verdict on_exec(const Verified& message);
  void check_exec_certificate(Slot& slot);
  void advance_certified(const SharedCertificate& certificate);
  void announce(Slot& slot);
  bool agrees_with_certificate(const Slot& slot);

  // status.cpp: S1-S3, S6
  void send_status_if_due();
  StatusBody own_status() const;
  bool anything_open() const;
  Verdict on_status(const Verified& message);
  void help(ReplicaId peer, const StatusBody& status);
  void help_with_slot(ReplicaId peer, const StatusBody& status, const Slot& slot,
                      Progress progress);
  SharedBytes stored_pre_prepare(const Slot& slot) const;

  // catch_up.cpp: FETCH and REPLY
  Verdict on_fetch(const Verified& message);
  Verdict serve_bodies(ReplicaId peer, const Fetch& fetch, const FetchBodies& what);
  Verdict serve_batch(ReplicaId peer, const FetchBatch& what);
  void serve_parked();
  Verdict on_blocks_read(BlocksReadInput& input);
  Verdict on_reply(const Verified& message);
  Verdict on_reply_blocks(ReplicaId from, std::uint64_t request, ReplyBlocks& reply);
  Verdict on_reply_bodies(ReplicaId from, ReplyBodies& reply);
  Verdict on_reply_certificate(ReplicaId from, ReplyCertificate& reply);
  Verdict on_reply_commit(ReplicaId from, ReplyCommit& reply);
  Verdict on_reply_pre_prepare(ReplicaId from, ReplyPrePrepare& reply);
  Verdict on_reply_batch(ReplicaId from, ReplyBatch& reply);
  void take_block(ReplicaId from, SyncBlock& block, const HeaderFacts& facts);
  void take_certificate(SharedCertificate certificate);
  Result<HeaderFacts> check_block(const SyncBlock& block) const;
  Result<std::vector<TxHash>> check_batch(BytesView batch, Height height, const Hash& digest) const;
  bool looks_for_copies() const { return is_validator() && config_.stops_when_copied; }
  bool knows_own_exec(const crypto::ExecCertificate& certificate) const;
  bool knows_own_commit(const crypto::VoteCertificate& certificate) const;
  bool knows_own_prepare(const crypto::VoteCertificate& certificate) const;
  void fetch_batch(const Slot& slot, Content& content);
  void fetch_bodies_if_due();
  void fetch_blocks_if_due();
  std::optional<ReplicaId> next_source(ReplicaId first) const;
  std::optional<ReplicaId> bodies_source(const Slot& slot, const Content& content) const;
  Height highest_served_elsewhere() const;
  SharedBytes make_fetch(decltype(Fetch::what) what, std::uint64_t request) const;
  void send_reply(ReplicaId to, Reply reply) {
    send_reply(to, MessageClass::sync, std::move(reply));
  }
  void send_reply(ReplicaId to, MessageClass message_class, Reply reply);

  // recovery.cpp: replay, first effects, cut
  Result<void> replay(const LogRecord& record);
  Result<Height> replay_height(RecordType type, BytesView body);
  Result<void> replay_snapshot(BytesView body);
  Result<Height> replay_pp_accept(BytesView body);
  Result<Height> replay_prepared(BytesView body);
  Result<Height> replay_committed(BytesView body);
  Result<Height> replay_exec_sent(BytesView body);
  Result<Height> replay_exec_cert(BytesView body);
  Result<Height> replay_block(BytesView body);
  Result<void> replay_view_enter(const LogRecord& record);
  Result<void> replay_view_change(const LogRecord& record);
  Result<SharedViewChange> recovered_view_change(Bytes bytes) const;
  Result<void> replay_kept(const LogRecord& record);
  Result<OwnMessage> own_message(Bytes bytes) const;
  Content& recover_content(Slot& slot, const Hash& digest, Bytes&& batch,
                           std::vector<Bytes>&& bodies);
  void recover_certified(const SharedCertificate& certificate);
  void start();
  void resume_view();
  void resend_stored(const Slot& slot);
  LogRecord make_snapshot() const;

  struct Staged {
    Effects* effects = nullptr;
    std::vector<LogRecord> writes;
    std::vector<Send> sends;
    std::vector<Durable> completions;
  };
  struct Run {
    bool started = false;
    bool stopped = false;
    Tick now;
    TimeMs wall;
    std::optional<Tick> status_at;
    std::optional<Tick> oldest_request;  ///< see TickInput
    Tick executed_at;                    ///< request clock of the last execution
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
  std::map<PersistId, std::vector<Durable>> persisting_;
  std::vector<Peer> peers_;
  BlockFetch fetch_;
  SharedCertificate newest_certificate_;  ///< of height h; null at the genesis
  std::vector<Evidence> evidence_;
  ViewChanges changing_;
  Patience patience_;
  VerifiedCertificates verified_;
  ProbeCounts probes_;
};

}  // namespace baolian::consensus::pbft
