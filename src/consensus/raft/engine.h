/// Raft as a sans-IO engine (consensus.md 3): elections, the replicated log, and nothing else. What
/// is decided is executed, signed with EXEC and certified by the code that PBFT uses too
/// (replica/), so a client sees the same certificate, of a majority.
///
/// Term = View, index = Height. An entry is Slot::proposal with the content of its digest.
#pragma once

#include <compare>
#include <deque>
#include <optional>
#include <vector>

#include "consensus/engine.h"
#include "consensus/raft/entry_terms.h"
#include "consensus/raft/messages.h"
#include "consensus/replica/gapless_clock.h"
#include "consensus/replica/replica_engine.h"
#include "core/prng.h"

namespace baolian::consensus::raft {

inline constexpr std::uint64_t kFlightBytesMax = 8 * 1024 * 1024;  ///< R12: in flight to a follower
inline constexpr std::size_t kAppendBytesMax = 1024 * 1024;        ///< entries of one message
inline constexpr std::uint64_t kTermsKept = 64;  ///< indexes below the log whose terms are kept
inline constexpr std::size_t kHeldSendsMax = 64;

/// What a leader knows of a follower (5.3). `next` is sent next; up to `match` the follower's log
/// is the leader's and durable.
///
/// Invariant: match < next.
struct Follower {
  Height match;
  Height next;
  bool probing = true;  ///< one message with entries at a time, until one matched
  bool probe_sent = false;
  std::uint64_t probe_request = 0;  ///< the probe under way, and its last index
  Height probe_end;
  Tick probe_after;                                   ///< not before this
  Tick heard_at;                                      ///< last answer of this term: CheckQuorum
  Tick sent_at;                                       ///< last AppendEntries
  Tick progress_at;                                   ///< match moved, or next was set back
  Height commit_sent;                                 ///< commit index it was told
  std::uint64_t ok_request = 0;                       ///< newest request it said yes to
  std::uint64_t stale_through = 0;                    ///< R5: a NACK of these says nothing new
  std::deque<std::pair<Height, std::size_t>> flight;  ///< sizes of the entries in (match, next)
  std::size_t flight_bytes = 0;
};

/// The engine. See consensus/engine.h for the contract of step().
///
/// Bounds:      slots in (min(h, executed), that + 2 * keep_ahead()]; a follower takes batches up
///              to keep_ahead() above it, and above only the empty entries that begin a term.
/// Invariants:  (1) one vote a term, durable before it is seen (R1, R2)  (2) nothing at or below
/// the
///              commit index is dropped (R3)  (3) above h the entries are contiguous, and were so
///              in the log of one leader  (4) records of entries are written in index order.
/// Ownership:   values; signer and verifier of the config outlive it. Threads: none.
/// Persistence: term and vote in RAFT_TERM, entries in RAFT_ENTRY. The commit index is volatile.
/// Source:      Ongaro & Ousterhout, extended version, section 5; Ongaro's thesis 3.10, 6.2, 9.6.
///              Differs: docs/adr/0021-raft.md.
class RaftEngine final : public ReplicaEngine {
 public:
  RaftEngine(const EngineConfig& config, HeaderReader header_reader,
             const std::vector<LogRecord>& log, Height executed, Hash executed_header_hash);

  Status status() const override;
  bool can_propose() const override;
  void check_invariants() const override;

 private:
  enum class Role : std::uint8_t { follower, pre_candidate, candidate, leader };
  enum class Election : std::uint8_t { by_timeout, by_transfer };
  /// How the log fits to the entry before an AppendEntries.
  enum class Fit : std::uint8_t { by_term, by_certificate, none };

  /// Ends a term's log in an election: the last entry that is logged here.
  struct LogEnd {
    View term;  ///< 0: not known any more
    Height index;
    friend auto operator<=>(const LogEnd&, const LogEnd&) = default;
  };
  struct Transfer {
    ReplicaId target = 0;
    Tick until;
    bool sent = false;
  };

  // ReplicaEngine
  Verdict on_message(const Verified& message) override;
  Verdict on_propose(ProposeInput& input) override;
  void pass_time(Tick now) override;
  void on_time() override;
  void resume() override;
  bool leads() const override { return role_ == Role::leader; }
  void on_complete_content(Slot& slot, const Hash& digest) override;
  bool on_impossible_content(Slot& slot, const Hash& digest) override;
  Decision::State log_votes(Slot& slot, Content& content) override;
  void before_certified_block(Slot& slot, const Hash& digest) override;
  Verdict on_transfer(const TransferLeadershipInput& input) override;
  void finish_step() override;
  /// R1: an entry is executed only when it is durable in the own log, a block like any other.
  Decision::State executable_from() const override { return Decision::State::durable; }
  void help_more(ReplicaId, const StatusBody&) override {}
  void on_certified(Height from) override;
  Result<void> replay_own(const LogRecord& record) override;

  // engine.cpp: the log
  /// Up to here everything is known by certificate or was executed before the log began.
  Height log_floor() const { return std::max(at_.certified, base_); }
  Height last_index() const { return std::max(log_floor(), terms_.last()); }
  LogEnd log_end() const;
  Height durable_through() const;
  void drop_entries(Height first, Height last);
  void truncate_from(Height first);
  void drop_unproven(Height last);
  void drop_incomplete();
  bool may_stand();
  void log_entries();
  void log_entry(Slot& slot);
  void on_entry_durable(const crypto::Vote& vote);
  void advance_commit(Height to);
  void decide_committed();
  bool has_room_for(Height index, bool is_null) const;
  void send_in_term(std::optional<ReplicaId> to, MessageClass message_class, SharedBytes bytes);
  SharedBytes unsigned_message(MessageKind kind, Bytes body) const {
    return make_message(kind, std::move(body), Signature{});
  }

  // election.cpp: terms and votes (R2, R6, R7)
  void adopt_term(View term);
  void stage_term();
  void on_term_durable(View term, std::optional<ValidatorIndex> voted_for);
  void become_follower();
  void reset_election_timer();
  void begin_pre_vote();
  void campaign(Election election);
  RequestVote request_vote(View term) const;
  bool in_contact() const;
  bool is_up_to_date(const RequestVote& candidate) const;
  Verdict on_request_vote(const Verified& message);
  Verdict on_pre_vote(ReplicaId from, const RequestVote& request);
  Verdict on_real_vote(ReplicaId from, const RequestVote& request);
  void reply_vote(ReplicaId to, const VoteReply& reply);
  Verdict on_vote_reply(const Verified& message);
  void count_votes();
  void become_leader();
  Verdict on_timeout_now(const Verified& message);

  // append.cpp: the follower (R1, R3, R13)
  Verdict on_append(const Verified& message);
  Verdict judge_leader(ReplicaId from, const AppendEntries& append);
  Result<void> check_entries(ReplicaId from, const AppendEntries& append) const;
  Result<std::vector<TxHash>> check_entry(const Entry& entry) const;
  Fit fit(const AppendEntries& append) const;
  void refuse_append(const AppendEntries& append);
  Verdict take_entries(ReplicaId from, AppendEntries& append);
  Verdict take_entry(ReplicaId from, Entry& entry, Height& taken);
  Verdict resolve_conflict(const Slot& slot, const Entry& entry);
  void send_append_ack();

  // leader.cpp (R3-R5, R7, R12)
  Slot& append_own(Height index, const Hash& digest);
  Height first_sendable() const;
  bool terms_fall_after(Height index) const;
  void replicate();
  void replicate_to(ReplicaId to, Follower& follower, Height first);
  bool may_send(const Follower& follower) const;
  void send_entries(ReplicaId to, Follower& follower);
  void send_heartbeat(ReplicaId to, Follower& follower);
  AppendEntries append_head(Height prev);
  Verdict on_append_reply(const Verified& message);
  void on_append_ok(Follower& follower, const AppendReply& reply);
  Verdict on_append_refused(Follower& follower, const AppendReply& reply);
  void set_back(Follower& follower, Height next);
  void count_matches();
  void check_quorum();
  void resend_if_stalled(Follower& follower);
  void drive_transfer();

  // recovery.cpp
  Result<void> replay_term(const LogRecord& record);
  Result<Height> replay_entry(BytesView body);

  Role role_ = Role::follower;
  View term_;  ///< at_.view is the newest term that is durable
  std::optional<ValidatorIndex> voted_for_;
  bool vote_durable_ = false;
  std::optional<ValidatorIndex> leader_;  ///< of term_, if known
  std::vector<bool> votes_;               ///< for this candidate
  EntryTerms terms_;
  Height base_;     ///< executed before the log begins, not certified here; 0 = none
  Height commit_;   ///< own entries up to here are decided
  Height matched_;  ///< own entries up to here are those of term_'s leader
  Height noop_;     ///< the entry with which the own term began
  std::vector<Follower> followers_;  ///< of this leader, by validator
  std::optional<Transfer> transfer_;
  bool ack_due_ = false;
  std::uint64_t ack_request_ = 0;
  std::vector<Send> held_;  ///< waits for the term to be durable
  Prng random_;
  GaplessClock clock_;  ///< all timers run by it
  Tick election_at_;
  Tick contact_at_;  ///< last word of the leader
};

}  // namespace baolian::consensus::raft
