/// Restart: PBFT's own records (consensus.md 1.7).
#include <algorithm>

#include "consensus/pbft/engine.h"
#include "core/seeded_bug.h"

namespace baolian::consensus::pbft {

Result<void> PbftEngine::replay_own(const LogRecord& record) {
  if (record.type == RecordType::view_enter) return replay_view_enter(record);
  if (record.type == RecordType::vc_sent) return replay_view_change(record);
  Height height;
  if (record.type == RecordType::pp_accept) {
    TRY(height, replay_pp_accept(*record.body));
  } else if (record.type == RecordType::prepared) {
    TRY(height, replay_prepared(*record.body));
  } else if (record.type == RecordType::committed) {
    TRY(height, replay_committed(*record.body));
  } else {
    return fail(Errc::log_corrupt, "a record that PBFT does not write");
  }
  tail_.add(height, record);
  tail_.limit(at_.certified);
  return ok();
}

/// The view was entered: what was accepted before it belongs to older views.
Result<void> PbftEngine::replay_view_enter(const LogRecord& record) {
  if (seeded_bug(Bug::forget_view_on_restart)) return ok();
  TRY(ViewEnter body, decode<ViewEnter>(*record.body));
  if (body.view <= at_.view) return ok();  // the copy in a snapshot
  EnteredView entered;
  entered.new_view = std::make_shared<const Bytes>(std::move(body.new_view));
  for (Bytes& bytes : body.view_changes) {
    TRY(SharedViewChange one, recovered_view_change(std::move(bytes)));
    if (one->message.new_view != body.view) {
      return fail(Errc::log_corrupt, "VIEW_ENTER with a VIEW-CHANGE of another view");
    }
    entered.view_changes.push_back(std::move(one));
  }
  if (entered.view_changes.empty()) return fail(Errc::log_corrupt, "VIEW_ENTER without reasons");
  const ProposalsOutcome outcome =
      compute_proposals(config_.chain_id, config_.epoch.epoch, body.view, entered.view_changes);
  patience_.recover(body.backoff);
  become_member_of(outcome.proposals);
  changing_.entered = std::move(entered);
  changing_.recovered = outcome.proposals;
  at_.voted_view = std::max(at_.voted_view, at_.view);
  tail_.keep_view(record);
  return ok();
}

/// The view was left: a crash in a view change restarts in it, with the same VIEW-CHANGE.
Result<void> PbftEngine::replay_view_change(const LogRecord& record) {
  if (seeded_bug(Bug::forget_view_change_on_restart)) return ok();
  TRY(ViewChangeSent body, decode<ViewChangeSent>(*record.body));
  if (body.new_view <= changing_.sent) return ok();
  TRY(const SharedViewChange own, recovered_view_change(std::move(body.message)));
  if (own->sender != config_.self || own->message.new_view != body.new_view) {
    return fail(Errc::log_corrupt, "VC_SENT with the VIEW-CHANGE of another validator or view");
  }
  changing_.sent = body.new_view;
  changing_.own = own->bytes;
  changing_.held[config_.self] = own;
  at_.active = at_.active && body.new_view <= at_.view;
  at_.voted_view = std::max(at_.voted_view, body.new_view);
  tail_.keep_view(record);
  return ok();
}

/// Was checked before it was logged; the log's own checksums hold it together.
Result<SharedViewChange> PbftEngine::recovered_view_change(Bytes bytes) const {
  auto shared = std::make_shared<const Bytes>(std::move(bytes));
  TRY(const Envelope envelope, decode<Envelope>(*shared));
  TRY(ViewChange body, decode<ViewChange>(envelope.body));
  for (const crypto::VoteCertificate& entry : body.prepared) {
    // O is as long as the highest of these is far above the lowest h.
    if (entry.vote.height <= body.certified ||
        entry.vote.height.value - body.certified.value > config_.epoch.log_window) {
      return fail(Errc::log_corrupt, "P of a logged VIEW-CHANGE is not inside the window");
    }
  }
  return std::make_shared<const HeldViewChange>(HeldViewChange{
      envelope.sender, std::move(body), crypto::sha256(envelope.body), std::move(shared)});
}

Result<Height> PbftEngine::replay_pp_accept(BytesView body) {
  TRY(PpAccept record, decode<PpAccept>(body));
  Slot& slot = slots_.at_or_new(record.vote.height);
  recover_content(slot, record.vote.digest, std::move(record.batch), std::move(record.bodies));
  if (!slot.voted_view.has_value() || *slot.voted_view < record.vote.view) {
    slot.voted_view = record.vote.view;
  }
  if (record.vote.view == at_.view && !seeded_bug(Bug::forget_votes_on_restart)) {
    TRY(slot.own_prepare, own_message(std::move(record.prepare)));
    slot.proposal = Proposal{record.vote, record.proposal, Proposal::State::durable};
    slot.prepares[0].store(config_.self, validator_count(), record.vote.digest,
                           slot.own_prepare.signature);
    if (is_primary()) proposed_ = std::max(proposed_, slot.height);
  }
  at_.voted_view = std::max(at_.voted_view, record.vote.view);
  at_.voted_height = std::max(at_.voted_height, record.vote.height);
  return record.vote.height;
}

Result<Height> PbftEngine::replay_prepared(BytesView body) {
  TRY(Prepared record, decode<Prepared>(body));
  const crypto::Vote vote = record.certificate.vote;
  Slot& slot = slots_.at_or_new(vote.height);
  if (slot.content(vote.digest) == nullptr) {
    return fail(Errc::log_corrupt, "PREPARED without the PP_ACCEPT of its digest");
  }
  if (vote.view == at_.view) {
    TRY(slot.own_commit, own_message(std::move(record.commit)));
    slot.commits[0].store(config_.self, validator_count(), vote.digest, slot.own_commit.signature);
  }
  if (seeded_bug(Bug::forget_prepared_on_restart)) {
    slot.own_commit = {};
    return vote.height;
  }
  if (!slot.prepared.has_value() || slot.prepared->vote.view <= vote.view) {
    slot.prepared = std::move(record.certificate);
  }
  return vote.height;
}

Result<Height> PbftEngine::replay_committed(BytesView body) {
  TRY(Committed record, decode<Committed>(body));
  const crypto::Vote vote = record.certificate.vote;
  Slot& slot = slots_.at_or_new(vote.height);
  const bool is_null =
      vote.digest == null_digest(config_.chain_id, config_.epoch.epoch, vote.height);
  if (!record.batch.empty() || is_null) {
    recover_content(slot, vote.digest, std::move(record.batch), std::move(record.bodies));
  }
  const Content* content = slot.content(vote.digest);
  if (content == nullptr || !content->complete) {
    return fail(Errc::log_corrupt, "COMMITTED without batch and bodies");
  }
  slot.decision = Decision{vote.digest, std::move(record.certificate), Decision::State::durable};
  return vote.height;
}

// ------------------------------------------------------------------ first effects

void PbftEngine::resume() {
  if (!is_validator()) return;
  resume_view();
  for (auto& [height, slot] : slots_) {
    resend_stored(slot);
    check_prepared(slot);
    check_committed(slot);
  }
}

/// O that was not accepted before the crash is accepted now; a VIEW-CHANGE is sent again.
void PbftEngine::resume_view() {
  if (at_.view.value > 0) probes_.hit(Probe::restart_above_view_0);
  const std::optional<Proposals> proposals = std::exchange(changing_.recovered, std::nullopt);
  if (at_.active && proposals.has_value()) adopt_proposals(*proposals, at_.certified);
  if (proposals.has_value()) {
    announce_view(*proposals);
    changing_.entered.proposals = *proposals;
  }
  if (changing_.sent <= at_.view) return;
  probes_.hit(Probe::restart_in_view_change);
  send(std::nullopt, MessageClass::view_change, changing_.own);
  changing_.resent_at = patience_.clock();
  on_view_changes();
}

void PbftEngine::resend_stored(const Slot& slot) {
  if (slot.height <= at_.certified) return;
  if (at_.active && is_primary() && slot.proposal.has_value()) {
    if (SharedBytes proposal = stored_pre_prepare(slot)) {
      send(std::nullopt, MessageClass::proposal, std::move(proposal));
    }
  }
  if (!at_.active) return;  // V2: left is left
  for (const OwnMessage* message : {&slot.own_prepare, &slot.own_commit}) {
    if (message->durable) send(std::nullopt, MessageClass::vote, message->bytes);
  }
}

// ------------------------------------------------------------------ cut

void PbftEngine::fill_snapshot(Snapshot& snapshot) const { snapshot.backoff = patience_.backoff(); }

Result<void> PbftEngine::replay_snapshot_fields(const Snapshot& snapshot) {
  patience_.recover(snapshot.backoff);
  return ok();
}

}  // namespace baolian::consensus::pbft
