/// PBFT as a sans-IO engine (consensus.md 1.2-1.7): the normal case with EXEC certificates, the
/// view change, recovery from the log. What is not PBFT's alone is in replica/.
#pragma once

#include <optional>
#include <vector>

#include "consensus/engine.h"
#include "consensus/pbft/messages.h"
#include "consensus/pbft/patience.h"
#include "consensus/pbft/records.h"
#include "consensus/pbft/view_change.h"
#include "consensus/replica/replica_engine.h"
#include "core/seeded_bug.h"

namespace baolian::consensus::pbft {

/// The engine. See consensus/engine.h for the contract of step().
///
/// Bounds:      slots as slots.h says; peers, votes and evidence are of fixed size.
/// Invariants:  (1) a COMMIT sent for n > h has a P entry (2) one digest per (v, n) was voted for
///              (3) h, executed and delivered only grow; executed <= delivered.
/// Ownership:   values; signer and verifier of the config outlive it. Threads: none.
/// Persistence: by Persist effects only. What a peer may see rides in then_send.
/// Source:      Castro & Liskov, OSDI'99 section 4. Differs: signatures, not MACs; a checkpoint at
///              every height; the primary also sends PREPARE.
class PbftEngine final : public ReplicaEngine {
 public:
  PbftEngine(const EngineConfig& config, HeaderReader header_reader,
             const std::vector<LogRecord>& log, Height executed, Hash executed_header_hash);

  Status status() const override;
  bool can_propose() const override;
  void check_invariants() const override;

 private:
  // ReplicaEngine
  Verdict on_message(const Verified& message) override;
  Verdict on_propose(ProposeInput& input) override;
  Verdict on_protocol_reply(ReplicaId from, Reply& reply) override;
  Verdict on_protocol_fetch(ReplicaId from, const Fetch& fetch) override;
  void pass_time(Tick now) override;
  void on_time() override;
  void resume() override;
  bool leads() const override { return is_primary(); }
  void on_complete_content(Slot& slot, const Hash& digest) override;
  bool on_impossible_content(Slot& slot, const Hash& digest) override;
  Decision::State log_votes(Slot& slot, Content& content) override;
  void on_peer_status(ReplicaId peer, const StatusBody& status) override;
  void help_more(ReplicaId peer, const StatusBody& status) override;
  View newest_view_change() const override { return changing_.sent; }
  void on_executed() override { executed_at_ = patience_.request_clock(); }
  void on_certified(Height from) override;
  Result<void> replay_own(const LogRecord& record) override;
  void fill_snapshot(Snapshot& snapshot) const override;
  Result<void> replay_snapshot_fields(const Snapshot& snapshot) override;
  void on_window_moved(Height from) override;
  Height window_base() const override {
    const bool is_broken = seeded_bug(Bug::vote_above_window_in_new_view);
    return is_broken ? std::max(at_.certified, proposals_top_) : at_.certified;
  }

  // engine.cpp
  void stage_view_record(RecordType type, Bytes body, Completion completion);
  void keep_if_second_new_view(const Envelope& envelope, const SharedBytes& first);
  ValidatorIndex primary_of(View view) const;
  bool is_primary() const;

  // normal_case.cpp: N1-N4
  Verdict on_pre_prepare(const Verified& message);
  Verdict judge_proposal(const crypto::Vote& vote, ValidatorIndex sender) const;
  Verdict judge_slot(Slot& slot, const crypto::Vote& vote, const Envelope& envelope);
  Verdict judge_batch(const crypto::Vote& vote, ValidatorIndex sender, BytesView bytes,
                      Batch& batch) const;
  void accept(Slot& slot, const Content& content, std::optional<Send> pre_prepare);
  void on_accept_durable(Height height, View view);
  bool wants_message(const Envelope& envelope) const override;
  bool wants_pre_prepare(const Envelope& envelope) const;
  bool wants_vote(const Envelope& envelope) const;
  Verdict judge_vote(MessageKind kind, const crypto::Vote& vote) const;
  std::size_t table_of(View view) const;
  Verdict on_vote(const Verified& message);
  void check_prepared(Slot& slot);
  void on_prepared_durable(Height height, View view);
  void check_committed(Slot& slot);

  // view_change.cpp: V1-V4, V9
  View view_in_question() const;
  std::uint64_t scaled_ms(std::uint64_t base_ms) const { return patience_.scaled_ms(base_ms); }
  bool window_is_committed() const;
  std::optional<SuspectReason> reason_to_suspect() const;
  void note_suspicion(SuspectReason reason);
  bool drains() const;
  void suspect_if_due();
  void suspect_left_view_if_due();
  Verdict on_suspect(const Verified& message);
  void check_suspects();
  void check_view_changes();
  void leave_view(View target);
  void on_view_change_durable(const SharedViewChange& own);
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
  void adopt_proposals(const Proposals& proposals, Height above);
  void announce_view(const Proposals& proposals);
  void fetch_view_changes_if_due();
  Verdict serve_view_change(ReplicaId to, const FetchViewChange& wanted);
  void relay_new_view(ReplicaId to, const StatusBody& status);

  // status.cpp: S3-S5
  void help_with_slot(ReplicaId peer, const StatusBody& status, const Slot& slot,
                      Progress progress);
  SharedBytes stored_pre_prepare(const Slot& slot) const;

  // passed_on.cpp
  Verdict on_reply_commit(ReplicaId from, ReplyCommit& reply);
  Verdict on_reply_pre_prepare(ReplicaId from, ReplyPrePrepare& reply);
  bool knows_own_commit(const crypto::VoteCertificate& certificate) const;
  bool knows_own_prepare(const crypto::VoteCertificate& certificate) const;

  // recovery.cpp
  Result<Height> replay_pp_accept(BytesView body);
  Result<Height> replay_prepared(BytesView body);
  Result<Height> replay_committed(BytesView body);
  Result<void> replay_view_enter(const LogRecord& record);
  Result<void> replay_view_change(const LogRecord& record);
  Result<SharedViewChange> recovered_view_change(Bytes bytes) const;
  void resume_view();
  void resend_stored(const Slot& slot);

  Height proposals_top_;  ///< maxs(v): up to here proposals come from NEW-VIEW's O only
  Height proposed_;       ///< highest own proposal of this view
  Tick executed_at_;      ///< request clock of the last execution
  /// 1.10: request clock when the next height of an ending epoch came to be due.
  std::optional<Tick> drains_since_;
  ViewChanges changing_;
  Patience patience_;
  VerifiedCertificates verified_;
};

}  // namespace baolian::consensus::pbft
