/// Restart: the state is rebuilt from the log, stored bytes are sent again, nothing is signed anew
/// (consensus.md 1.7). And the SNAPSHOT with which the log can be cut.
#include <algorithm>

#include "consensus/pbft/engine.h"
#include "core/seeded_bug.h"

namespace baolian::consensus::pbft {

Result<void> PbftEngine::replay(const LogRecord& record) {
  ASSERT(record.body != nullptr);
  if (record.type == RecordType::boot || record.type == RecordType::epoch) {
    return ok();  // the driver's
  }
  if (record.type == RecordType::snapshot) return replay_snapshot(*record.body);
  if (record.type == RecordType::view_enter) return replay_view_enter(record);
  if (record.type == RecordType::vc_sent) return replay_view_change(record);
  if (record.type == RecordType::contradiction || record.type == RecordType::stopped) {
    return replay_kept(record);
  }
  TRY(const Height height, replay_height(record.type, *record.body));
  tail_.add(height, record);
  tail_.limit(at_.certified);
  return ok();
}

/// Replays a record of one height and names it.
Result<Height> PbftEngine::replay_height(RecordType type, BytesView body) {
  switch (type) {
    case RecordType::pp_accept:
      return replay_pp_accept(body);
    case RecordType::prepared:
      return replay_prepared(body);
    case RecordType::committed:
      return replay_committed(body);
    case RecordType::exec_sent:
      return replay_exec_sent(body);
    case RecordType::exec_cert:
      return replay_exec_cert(body);
    case RecordType::block:
      return replay_block(body);
    case RecordType::view_enter:
    case RecordType::vc_sent:
    case RecordType::contradiction:
    case RecordType::stopped:
    case RecordType::boot:
    case RecordType::epoch:
    case RecordType::snapshot:
      break;
  }
  return fail(Errc::log_corrupt, "a record of an unknown type");
}

Result<void> PbftEngine::replay_snapshot(BytesView body) {
  TRY(Snapshot snapshot, decode<Snapshot>(body));
  patience_.recover(snapshot.backoff);
  at_.voted_view = std::max(at_.voted_view, snapshot.voted_view);
  at_.voted_height = std::max(at_.voted_height, snapshot.voted_height);
  if (snapshot.certified.has_value()) {
    auto certified = std::make_shared<CertifiedHeader>();
    certified->certificate = std::move(snapshot.certified->certificate);
    certified->header = std::move(snapshot.certified->header);
    recover_certified(certified);
  }
  for (SnapshotEntry& entry : snapshot.entries) {
    if (entry.type == RecordType::snapshot) {
      return fail(Errc::log_corrupt, "a snapshot inside a snapshot");
    }
    TRY(replay(LogRecord{entry.type, std::make_shared<const Bytes>(std::move(entry.body))}));
  }
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

Result<void> PbftEngine::replay_kept(const LogRecord& record) {
  if (record.type == RecordType::stopped) {
    TRY(run_.stopped_before, decode<Stopped>(*record.body));
  } else {
    TRY(Evidence evidence, decode<Evidence>(*record.body));
    for (const Evidence& kept : evidence_) {
      if (kept.signer == evidence.signer && kept.type == evidence.type) return ok();
    }
    evidence_.push_back(std::move(evidence));
  }
  tail_.keep_always(record);
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

/// An own vote as it was sent, with its signature.
Result<OwnMessage> PbftEngine::own_message(Bytes bytes) const {
  TRY(const Envelope envelope, decode<Envelope>(bytes));
  if (envelope.sender != config_.self) {
    return fail(Errc::log_corrupt, "the log holds votes of another validator");
  }
  OwnMessage out;
  out.signature = envelope.signature;
  out.bytes = std::make_shared<const Bytes>(std::move(bytes));
  out.durable = true;
  return out;
}

Content& PbftEngine::recover_content(Slot& slot, const Hash& digest, Bytes&& batch,
                                     std::vector<Bytes>&& bodies) {
  Content& content = slot.content_or_new(digest);
  if (content.complete) return content;
  if (!batch.empty()) {
    Result<Batch> decoded = decode<Batch>(batch);
    if (decoded.has_value()) content.transactions = std::move(decoded->transactions);
    content.batch = std::make_shared<const Bytes>(std::move(batch));
  }
  content.bodies = share_all(std::move(bodies));
  content.complete = true;
  content.logged = true;
  return content;
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
    if (is_primary()) at_.proposed = std::max(at_.proposed, slot.height);
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

Result<Height> PbftEngine::replay_exec_sent(BytesView body) {
  TRY(ExecSent record, decode<ExecSent>(body));
  Slot& slot = slots_.at_or_new(record.vote.height);
  TRY(slot.execution.exec, own_message(std::move(record.message)));
  slot.execution.header_hash = record.vote.header_hash;
  slot.execs.store(config_.self, validator_count(), record.vote.header_hash,
                   slot.execution.exec.signature);
  at_.voted_height = std::max(at_.voted_height, record.vote.height);
  return record.vote.height;
}

Result<Height> PbftEngine::replay_exec_cert(BytesView body) {
  TRY(ExecCert record, decode<ExecCert>(body));
  auto certified = std::make_shared<CertifiedHeader>();
  certified->certificate = std::move(record.certificate);
  certified->header = std::move(record.header);
  const Height height = certified->certificate.vote.height;
  recover_certified(certified);
  return height;
}

Result<Height> PbftEngine::replay_block(BytesView body) {
  TRY(SyncBlock block, decode<SyncBlock>(body));
  TRY(const HeaderFacts facts, read_header_(block.header));
  Slot& slot = slots_.at_or_new(facts.height);
  recover_content(slot, facts.batch_digest, std::move(block.batch), std::move(block.bodies));
  if (!slot.is_decided()) {
    slot.decision = Decision{facts.batch_digest, std::nullopt, Decision::State::durable};
  }
  slot.execution.certified_hash = facts.header_hash;
  auto certified = std::make_shared<CertifiedHeader>();
  certified->certificate = std::move(block.certificate);
  certified->header =
      block.later_headers.empty() ? std::move(block.header) : std::move(block.later_headers.back());
  recover_certified(certified);
  return facts.height;
}

void PbftEngine::recover_certified(const SharedCertificate& certificate) {
  const crypto::ExecVote& vote = certificate->certificate.vote;
  if (vote.height <= at_.executed) {
    run_.recovered.push_back(certificate->certificate);
  } else if (vote.height <= at_.executed + keep_ahead()) {
    Slot& slot = slots_.at_or_new(vote.height);
    slot.execution.certified_hash = vote.header_hash;
    slot.execution.certificate = certificate;
    slot.execution.certificate_durable = true;
  }
  at_.certifying = std::max(at_.certifying, vote.height);
  if (vote.height <= at_.certified) return;
  at_.certified = vote.height;
  newest_certificate_ = certificate;
}

// ------------------------------------------------------------------ first effects

/// With the first tick: what was certified is announced again (the store may have lost it), what is
/// decided above the store's height is executed again, and stored votes are sent again.
void PbftEngine::start() {
  if (run_.log_error.has_value()) {
    return stop(Stop::Kind::halt,
                "the consensus log cannot be replayed: " + run_.log_error->context);
  }
  if (run_.stopped_before.has_value()) {
    return stop(run_.stopped_before->kind,
                "stopped in an earlier run: " + run_.stopped_before->reason);
  }
  for (crypto::ExecCertificate& certificate : run_.recovered) {
    out_.effects->push_back(Certified{std::move(certificate)});
  }
  run_.recovered.clear();
  if (at_.executed > at_.certified && !at_.executed_hash.is_zero()) {
    Slot& slot = slots_.at_or_new(at_.executed);
    if (slot.execution.header_hash.has_value() && slot.execution.header_hash != at_.executed_hash) {
      return stop(Stop::Kind::diverged, "the store holds another header than the one signed");
    }
    slot.execution.header_hash = at_.executed_hash;
  }
  resume_view();
  for (auto& [height, slot] : slots_) {
    if (!is_validator()) break;
    resend_stored(slot);
    check_prepared(slot);
    check_committed(slot);
    send_exec(slot);
    if (height > at_.certified) check_exec_certificate(slot);
  }
  deliver();
}

/// O that was not accepted before the crash is accepted now; a VIEW-CHANGE is sent again.
void PbftEngine::resume_view() {
  if (!is_validator()) return;
  if (at_.view.value > 0) probes_.hit(Probe::restart_above_view_0);
  const std::optional<Proposals> proposals = std::exchange(changing_.recovered, std::nullopt);
  if (at_.active && proposals.has_value()) adopt_proposals(*proposals);
  if (proposals.has_value()) announce_view(*proposals);
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
  for (const OwnMessage* message : {&slot.own_prepare, &slot.own_commit, &slot.execution.exec}) {
    if (message != &slot.execution.exec && !at_.active) continue;  // V2: left is left
    if (message->durable) send(std::nullopt, MessageClass::vote, message->bytes);
  }
}

// ------------------------------------------------------------------ cut

/// Everything a restart needs that older segments hold, including what was issued but is not yet
/// durable: the snapshot follows it in the same log.
LogRecord PbftEngine::make_snapshot() const {
  Snapshot snapshot;
  snapshot.view = at_.view;
  snapshot.proposals_top = at_.proposals_top;
  snapshot.backoff = patience_.backoff();
  snapshot.voted_view = at_.voted_view;
  snapshot.voted_height = at_.voted_height;
  if (newest_certificate_ != nullptr) {
    snapshot.certified = ExecCert{newest_certificate_->header, newest_certificate_->certificate};
  }
  for (const LogRecord& record : tail_.records()) {
    snapshot.entries.push_back(SnapshotEntry{record.type, *record.body});
  }
  return LogRecord{RecordType::snapshot, std::make_shared<const Bytes>(encode(snapshot))};
}

}  // namespace baolian::consensus::pbft
