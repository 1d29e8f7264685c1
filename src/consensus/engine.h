/// The sans-IO engine interface that PBFT and Raft share (architecture.md, "The engine").
///
/// An engine is a deterministic state machine: step(input) changes it and appends effects, nothing
/// else happens. It knows no thread, clock, socket, file or randomness. The replica driver
/// (node/replica_driver.h) is the only interpreter of effects; the simulator runs that same driver.
///
/// Raft index = PBFT sequence number = block height.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "consensus/batch.h"
#include "consensus/log_record.h"
#include "consensus/probes.h"
#include "core/ids.h"
#include "crypto/certificate.h"
#include "crypto/signing.h"

namespace baolian::consensus {

/// Immutable bytes shared between slots, log and network queues without copies.
using SharedBytes = std::shared_ptr<const Bytes>;

// ------------------------------------------------------------------ messages

/// First byte of a message's body kind on the wire. Numbers only grow.
enum class MessageKind : std::uint8_t {
  pre_prepare = 1,
  prepare = 2,
  commit = 3,
  exec = 4,
  suspect = 5,
  view_change = 6,
  new_view = 7,
  status = 8,
  fetch = 9,
  reply = 10,
  request_vote = 11,  ///< Raft, from here on
  vote_reply = 12,
  append_entries = 13,
  append_reply = 14,
  timeout_now = 15,
};
constexpr auto enum_names(MessageKind) {
  return std::array<std::string_view, 16>{
      "",           "pre_prepare",    "prepare",      "commit",
      "exec",       "suspect",        "view_change",  "new_view",
      "status",     "fetch",          "reply",        "request_vote",
      "vote_reply", "append_entries", "append_reply", "timeout_now"};
}

/// Every consensus message on the wire: {version, kind, epoch, sender, body, signature}. FETCH and
/// REPLY carry no signature of their own (zeros): what they bring certifies itself, and TLS names
/// the peer. Raft's messages carry none either: under its crash model the peer's name is enough.
struct Envelope {
  static constexpr std::string_view kTypeName = "Envelope";
  Version<1> version;
  MessageKind kind{MessageKind::status};
  Epoch epoch;
  ValidatorIndex sender = 0;  ///< kObserver for nodes that do not vote
  Bytes body;                 ///< canonical body of the kind
  Signature signature;

  friend bool operator==(const Envelope&, const Envelope&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &Envelope::version, "format version"),
        field("kind", &Envelope::kind, "which body follows"),
        field("epoch", &Envelope::epoch, "epoch of the sender"),
        field("sender", &Envelope::sender, "validator index; 65535 = observer"),
        field("body", &Envelope::body, at_most(4 * 1024 * 1024 - 256), "canonical body"),
        field("signature", &Envelope::signature,
              "over the body, for pre_prepare over its leading vote; zeros for fetch, reply and "
              "Raft's messages"));
  }
};
inline constexpr ValidatorIndex kObserver = 0xFFFF;

/// A node as the engine names it: validators by their index, then observers from validator_count up
/// in the order of their consensus keys. The driver maps it to net's peers.
using ReplicaId = std::uint16_t;

/// A message that is canonical, of the right epoch, and of a kind and size that its peer may send.
/// Who signed it is not known: nothing is done with it but asking whether it is wanted.
class Unverified {
 public:
  const Envelope& envelope() const { return envelope_; }
  ReplicaId from() const { return from_; }      ///< the peer that delivered it
  SharedBytes bytes() const { return bytes_; }  ///< as received, for resending and as evidence

 private:
  friend Result<Unverified> read_envelope(ReplicaId, SharedBytes, const crypto::EpochRecord&);
  Unverified() = default;
  Envelope envelope_;
  ReplicaId from_ = 0;
  SharedBytes bytes_;
};

/// A message whose signature by the named sender was checked too. Only verify() makes one, so that
/// no handler can see an unverified message.
class Verified {
 public:
  const Envelope& envelope() const { return read_.envelope(); }
  ReplicaId from() const { return read_.from(); }
  SharedBytes bytes() const { return read_.bytes(); }

 private:
  friend Result<Verified> verify(Unverified, const ChainId&, const crypto::EpochRecord&,
                                 const crypto::Verifier&);
  explicit Verified(Unverified read) : read_(std::move(read)) {}
  Unverified read_;
};

/// The checks of a message from peer `from` that cost little (consensus.md 1.12). Votes and
/// pre-prepares must come from their signer or be relayed inside a REPLY; SUSPECT and STATUS count
/// only directly from their signer.
/// Returns: codec errors, Errc::wrong_epoch, Errc::bad_message.
Result<Unverified> read_envelope(ReplicaId from, SharedBytes bytes,
                                 const crypto::EpochRecord& epoch);
/// Requires: the message was read for this epoch. Returns: Errc::bad_signature, Errc::not_canonical
/// for a signature on a kind that has none.
Result<Verified> verify(Unverified message, const ChainId& chain, const crypto::EpochRecord& epoch,
                        const crypto::Verifier& verifier);
/// Both. Returns: the errors of both.
Result<Verified> verify_envelope(ReplicaId from, SharedBytes bytes, const ChainId& chain,
                                 const crypto::EpochRecord& epoch,
                                 const crypto::Verifier& verifier);

/// Queue class of an outgoing message, best first.
enum class MessageClass : std::uint8_t {
  vote = 0,
  view_change = 1,
  proposal = 2,
  sync = 3,
  transaction = 4
};

// ------------------------------------------------------------------ inputs

/// Time passes. `now` never decreases; `wall` is the node's civil clock for the proposer-time rule
/// (1.11).
struct TickInput {
  Tick now;
  TimeMs wall;
  /// Status::request_clock at the admission of the oldest transaction that is admitted here and in
  /// no block that is committed here; none if there is none (1.6 V1; ADR 0027).
  std::optional<Tick> oldest_request{};
};
struct DeliverInput {
  Verified message;
};
/// The driver offers a batch; ignored unless can_propose(). Bodies are in the order of the hashes
/// and statelessly valid.
struct ProposeInput {
  TimeMs proposed_at;
  std::vector<TxHash> transactions;
  std::vector<SharedBytes> bodies;
};
/// Answer to NeedBodies: all bodies of the batch are local and statelessly valid.
struct BodiesInput {
  Hash digest;
  std::vector<SharedBytes> bodies;
};
/// Answer to NeedBodies: a body is invalid for every correct node (the proposer is faulty).
struct BadBodiesInput {
  Hash digest;
};
/// The log holds the writes of this Persist, fsynced.
struct PersistedInput {
  PersistId id;
};
/// Execution of a height is finished and stored.
struct AppliedInput {
  Height height;
  Bytes header;  ///< canonical header
  Hash header_hash;
  /// The change of validators that this height fixed (1.10): it begins at height + L + 1.
  std::optional<crypto::EpochRecord> next_epoch{};
};
/// The store has flushed block, state and certificate up to this height: the log may be cut (1.7).
struct FlushedInput {
  Height height;
};
/// The driver looks for a snapshot and fetches it, or gave up. While it does no blocks are asked
/// for: the node begins anew on the snapshot (1.8). As soon as one is chosen, `certificate` is the
/// checked certificate of its header, or of a later one: h moves there before the state does.
struct TransferInput {
  bool under_way = false;
  std::optional<crypto::ExecCertificate> certificate{};
  Bytes header{};  ///< canonical header of the certificate
};
/// A block of the past that the driver read from the store for a peer (answer to ReadBlocks).
struct BlocksReadInput {
  ReplicaId peer = 0;               ///< as ReadBlocks named it
  std::vector<SharedBytes> blocks;  ///< canonical SyncBlock
};

/// Raft: the operator wants `target` to lead (R7). Taken only by a leader; it proposes nothing
/// until the target leads or one election timeout has passed.
struct TransferLeadershipInput {
  ReplicaId target = 0;
};

/// A peer sent something of a later epoch: all blocks of this one may be asked from it, whether it
/// votes here or not. Nothing is believed: a lie costs one unanswered FETCH.
struct PeerAheadInput {
  ReplicaId peer = 0;
};

using Input = std::variant<TickInput, DeliverInput, ProposeInput, BodiesInput, BadBodiesInput,
                           PersistedInput, AppliedInput, FlushedInput, TransferInput,
                           BlocksReadInput, TransferLeadershipInput, PeerAheadInput>;

// ------------------------------------------------------------------ epochs (1.10)

/// EPOCH: how an epoch after the first begins. Body of the log's EPOCH record, behind which all
/// records are of this epoch.
struct EpochStart {
  static constexpr std::string_view kTypeName = "EpochStart";
  crypto::EpochRecord epoch;
  Bytes header;                         ///< of the last height of the epoch before
  crypto::ExecCertificate certificate;  ///< of that header, by the validators before

  friend bool operator==(const EpochStart&, const EpochStart&) = default;
  static constexpr auto fields() {
    return field_list(
        field("epoch", &EpochStart::epoch, "EPOCH record of the epoch that begins"),
        field("header", &EpochStart::header, at_most(1024),
              "canonical header of the last height of the epoch before"),
        field("certificate", &EpochStart::certificate, "of that header, by the set that ended"));
  }
};

// ------------------------------------------------------------------ effects

/// Send to one replica, or to all other validators if `to` is empty.
struct Send {
  std::optional<ReplicaId> to;
  MessageClass message_class{};
  SharedBytes bytes;  ///< canonical Envelope
};
/// Write to the log; when it is durable, first do then_send, then give PersistedInput. What must
/// not leave before the write rides here: the wrong order cannot be written.
struct Persist {
  PersistId id;
  std::vector<LogRecord> writes;
  std::vector<Send> then_send;
};
/// Bodies of a batch are wanted: answer with BodiesInput or BadBodiesInput, after fetching from
/// peers if need be. `inline_bodies` came with the message.
struct NeedBodies {
  Hash digest;
  Height height;
  std::vector<TxHash> transactions;
  ReplicaId ask_first = 0;
  std::vector<SharedBytes> inline_bodies;
};
/// A height is decided: execute it, strictly in order (heights come in order, each once a run).
struct Commit {
  Height height;
  Hash digest;
  SharedBytes batch;  ///< canonical Batch; null for the null batch
  std::vector<SharedBytes> bodies;
  /// Set when the block came with its certificate: execution must give this header (else DIVERGED).
  std::optional<crypto::ExecCertificate> certificate;
};
/// A height is certified and its certificate durable: acknowledge clients, store it beside the
/// block.
struct Certified {
  crypto::ExecCertificate certificate;
};
/// A peer lacks blocks: read up to `bytes_max` of certified blocks from `first` and answer with
/// BlocksReadInput.
struct ReadBlocks {
  ReplicaId peer = 0;
  Epoch epoch;  ///< whose question it is; blocks of later epochs are not wanted
  Height first;
  std::uint32_t bytes_max = 0;
  std::uint32_t count_max = 32;  ///< and no more blocks than this
};
/// The last height of the epoch is executed and certified here, durably: this engine has nothing
/// more to decide. The driver writes the EPOCH record, makes the engine of the next epoch and lets
/// this one go; peers that are still in this epoch are served by a PastEpoch (1.10).
struct EpochEnded {
  EpochStart next;
};
/// Records with a position below this are no longer needed (the driver makes a new segment that
/// begins with `snapshot`).
struct CutLog {
  LogRecord snapshot;
};
/// A peer sent what no correct node sends: disconnect and ban it.
struct BanPeer {
  ReplicaId peer = 0;
  std::string reason;
};
/// A view was entered (V8), or this replica leads a new term of Raft: batches of older views that
/// are not among these may never be executed, so their transactions can be proposed again.
struct ViewEntered {
  View view;
  std::vector<TxHash>
      proposed;  ///< listed by the batches that the view began with, as far as known
};
/// DIVERGED or HALT: the engine votes no more. The driver raises an alarm and keeps evidence.
struct Stop {
  enum class Kind : std::uint8_t { diverged = 1, halt = 2, rolled_back = 3 } kind{};
  std::string reason;
};
constexpr auto enum_names(Stop::Kind) {
  return std::array<std::string_view, 4>{"", "diverged", "halt", "rolled_back"};
}

using Effect = std::variant<Send, Persist, NeedBodies, Commit, Certified, ReadBlocks, CutLog,
                            BanPeer, ViewEntered, EpochEnded, Stop>;
using Effects = std::vector<Effect>;

// ------------------------------------------------------------------ judgement and status

/// Protocol judgements are not errors: they feed metrics, peer scoring and golden tests.
enum class RejectReason : std::uint8_t {
  none = 0,
  stale_view,
  future_view,
  inactive,
  outside_window,
  not_primary,
  not_member,
  bad_digest,
  bad_time,
  bad_content,
  duplicate,
  equivocation,
  bad_certificate,
  already_decided,
  not_wanted,
  stopped,
};
constexpr auto enum_names(RejectReason) {
  return std::array<std::string_view, 16>{
      "none",        "stale_view",   "future_view",     "inactive",        "outside_window",
      "not_primary", "not_member",   "bad_digest",      "bad_time",        "bad_content",
      "duplicate",   "equivocation", "bad_certificate", "already_decided", "not_wanted",
      "stopped"};
}
struct Verdict {
  bool accepted = true;
  RejectReason reason = RejectReason::none;

  static Verdict accept() { return {}; }
  static Verdict reject(RejectReason why) { return {false, why}; }
};

struct Status {
  Epoch epoch;
  View view;
  bool active = false;  ///< takes part in the view (false: view change, stopped or observer)
  View view_change;     ///< view of the newest VIEW-CHANGE sent; 0 = none
  bool stopped = false;
  std::optional<ReplicaId> leader;  ///< primary (PBFT) or leader (Raft), if known
  bool is_leader = false;
  Height certified;     ///< h: newest height whose ExecCert is durable here
  Height executed;      ///< last_exec
  Height highest_seen;  ///< newest height proposed or certified that was seen
  View voted_view{};    ///< position of the last durable vote (for HELLO, 1.7)
  Height voted_height{};
  std::optional<Height> epoch_last{};  ///< A - 1 while a change of validators is pending
  bool silent = false;                 ///< the log is in a later epoch: it only follows
  /// Time during which the primary is to blame if nothing is executed: it stands still while only
  /// EXECs are missing, and over gaps between ticks (1.6 V1, V9). Stamp for admitted transactions.
  Tick request_clock{};
};

/// Two signed messages of one validator that cannot both come from a correct one: same epoch, type,
/// view and height, another digest (N8). Anyone can check it with the epoch's keys.
struct Evidence {
  static constexpr std::string_view kTypeName = "Contradiction";  // Evidence is the ledger's file
  crypto::ObjectType type{};
  Epoch epoch;
  ValidatorIndex signer = 0;
  Bytes first_body;  ///< signed bodies: canonical Vote, ExecVote or NewView
  Bytes second_body;
  Signature first_signature;
  Signature second_signature;

  static constexpr auto fields() {
    return field_list(
        field("type", &Evidence::type,
              "what was signed: pre_prepare, prepare, commit, exec, new_view, raft_entry"),
        field("epoch", &Evidence::epoch, "epoch of the signer"),
        field("signer", &Evidence::signer, "validator index"),
        field("first_body", &Evidence::first_body, at_most(64 * 1024), "signed body"),
        field("second_body", &Evidence::second_body, at_most(64 * 1024),
              "signed body that no correct validator signs after the first"),
        field("first_signature", &Evidence::first_signature, "over first_body"),
        field("second_signature", &Evidence::second_signature, "over second_body"));
  }
};

// ------------------------------------------------------------------ the engine

struct EngineConfig {
  ChainId chain_id;
  crypto::EpochRecord epoch;
  /// How the epoch began; none for the epoch of the genesis. Its epoch is `epoch`.
  std::optional<EpochStart> start{};
  /// The change that is fixed at or below `executed` and has not begun there.
  std::optional<crypto::EpochRecord> next_epoch{};
  /// Position of this node among the validators; kObserver for one that does not vote.
  ValidatorIndex self = kObserver;
  /// The epoch has ended here before: the log is in a later one, and the store stands below it. A
  /// validator signs nothing, for nothing of this epoch is written any more, and what was may have
  /// been cut; it follows the certified blocks as an observer does.
  bool silent = false;
  std::size_t observer_count = 0;
  const crypto::Signer* signer = nullptr;      ///< null for who does not vote; outlives the engine
  const crypto::Verifier* verifier = nullptr;  ///< outlives the engine
  std::uint64_t drift_max_ms = 500;  ///< 1.11: a proposal may be this far ahead of the own clock
  std::uint64_t proposal_age_max_ms = 10'000;  ///< 1.11: and this far behind
  std::uint32_t inline_body_bytes_max = 256 * 1024;
  /// 1.7: a valid signature of this node that its log does not know means that the log was rolled
  /// back or copied: stop. False only for the twins of the simulator, which are copies.
  bool stops_when_copied = true;
  /// 1.6 V9: every timer is base * 2^k, at most timer_max_ms.
  struct Timers {
    std::uint64_t request_ms = 1000;   ///< T_req
    std::uint64_t commit_ms = 1000;    ///< T_commit
    std::uint64_t new_view_ms = 1000;  ///< T0
    std::uint64_t heartbeat_ms = 500;  ///< T_hb
    std::uint64_t timer_max_ms = 20'000;
    /// Raft R6: an election begins after a random time in [election_ms, 2 * election_ms) without a
    /// leader; no vote is given within election_ms of a leader's word.
    std::uint64_t election_ms = 300;
    std::uint64_t append_ms = 50;  ///< Raft: the leader's heartbeat
  };
  Timers timers = {};
  std::uint64_t seed = 0;  ///< of Raft's election timeouts; another one at every node and start
};

/// Facts of a header that the engine must know and cannot read (the ledger's format is not its
/// business).
struct HeaderFacts {
  Epoch epoch;
  Height height;
  Hash header_hash;
  Hash batch_digest;
  Hash parent_hash{};          ///< links a block to a certificate of a later height
  Height epoch_last_height{};  ///< A - 1 if a change is pending at this height, else 0
};
using HeaderReader = std::function<Result<HeaderFacts>(BytesView canonical_header)>;

inline constexpr std::uint32_t kLaterHeadersMax = 1024;  ///< no window is larger

/// A certified block on its way to a node that lacks it (catch-up "near", 1.8).
struct SyncBlock {
  static constexpr std::string_view kTypeName = "SyncBlock";
  Version<1> version;
  Bytes header;  ///< canonical header
  crypto::ExecCertificate certificate;
  Bytes batch;  ///< canonical Batch; empty for the null batch
  std::vector<Bytes> bodies;
  /// Empty if the certificate is of this height. Else the certificate is of the last of these: the
  /// headers of the following heights, each naming the one before as its parent (N6).
  std::vector<Bytes> later_headers;

  static constexpr auto fields() {
    return field_list(
        field("version", &SyncBlock::version, "format version"),
        field("header", &SyncBlock::header, at_most(1024), "canonical header"),
        field("certificate", &SyncBlock::certificate,
              "ExecCert of the header, or of the last of later_headers"),
        field("batch", &SyncBlock::batch, at_most(512 * 1024),
              "canonical batch; empty for the null batch"),
        field("bodies", &SyncBlock::bodies, list_of_bytes(kBatchTransactionsMax, 256 * 1024),
              "transactions in batch order"),
        field("later_headers", &SyncBlock::later_headers, list_of_bytes(kLaterHeadersMax, 1024),
              "headers of the heights after this one up to the certificate's"));
  }
};

class Engine {
 public:
  virtual ~Engine() = default;
  /// Processes one input and appends its effects in the order in which they must happen.
  virtual Verdict step(Input input, Effects& effects) = 0;
  /// False if step() would refuse this message for its window, view or filled slot, whoever signed
  /// it: then its signature need not be checked (1.12).
  virtual bool wants(const Unverified& message) const = 0;
  virtual Status status() const = 0;
  /// What was seen of validators that contradict themselves; at most one entry per signer and type.
  virtual const std::vector<Evidence>& evidence() const = 0;
  /// How often rare branches were taken.
  virtual const ProbeCounts& probes() const = 0;
  /// True if the engine is leader, active, and has room in window and in-flight limit.
  virtual bool can_propose() const = 0;
  /// ASSERTs the engine's invariants; the simulator calls it after every step.
  virtual void check_invariants() const = 0;
};

/// Makes a PBFT engine from what the log replay found (log_record.h). `executed` is the height at
/// which the store stands, `executed_header_hash` its header hash. Construction is recovery: the
/// first effects (resent stored bytes, heights to execute again) come with the first TickInput.
std::unique_ptr<Engine> make_pbft_engine(const EngineConfig& config, HeaderReader header_reader,
                                         std::vector<LogRecord> log, Height executed,
                                         Hash executed_header_hash);
/// The same for Raft. Requires: config.epoch.consensus_kind == raft.
std::unique_ptr<Engine> make_raft_engine(const EngineConfig& config, HeaderReader header_reader,
                                         std::vector<LogRecord> log, Height executed,
                                         Hash executed_header_hash);
/// The engine of config.epoch.consensus_kind.
std::unique_ptr<Engine> make_engine(const EngineConfig& config, HeaderReader header_reader,
                                    std::vector<LogRecord> log, Height executed,
                                    Hash executed_header_hash);

}  // namespace baolian::consensus
