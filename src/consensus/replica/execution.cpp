/// Decisions, execution in order, EXEC certificates (consensus.md 1.5, N4-N7).
#include <string>

#include "consensus/replica/replica_engine.h"

namespace baolian::consensus {

// ------------------------------------------------------------------ decisions (N4)

void ReplicaEngine::decide(Slot& slot, const Hash& digest,
                           std::optional<crypto::VoteCertificate> certificate) {
  if (slot.is_decided() && slot.decision->digest != digest) {
    return stop(Stop::Kind::halt, "height " + std::to_string(slot.height.value) +
                                      " is decided with two digests: more than F validators are "
                                      "faulty");
  }
  note_seen(slot.height);
  if (!slot.is_decided()) slot.decision = Decision{digest, std::nullopt, Decision::State::known};
  if (!slot.decision->certificate.has_value()) slot.decision->certificate = std::move(certificate);
  const Content* content = slot.content(digest);
  if (content != nullptr && content->complete) log_decision(slot);
}

/// COMMITTED or BLOCK, together with batch and bodies unless a PP_ACCEPT holds them.
void ReplicaEngine::log_decision(Slot& slot) {
  ASSERT(slot.is_decided());
  if (slot.decision->state != Decision::State::known) return;
  Content& content = *slot.content(slot.decision->digest);
  ASSERT(content.complete);
  const Height height = slot.height;
  if (slot.synced.has_value()) {
    const SyncedBlock& block = *slot.synced;
    auto certified = std::make_shared<CertifiedHeader>();
    certified->certificate = block.certificate;
    certified->header = block.later_headers.empty() ? block.header : block.later_headers.back();
    if (block.later_headers.empty()) slot.execution.certificate = certified;
    stage(RecordType::block,
          encode_block(block.header, block.certificate, content.batch, content.bodies,
                       block.later_headers),
          height, [this, height, certified] { on_decision_durable(height, certified); });
    content.logged = true;
    slot.decision->state = Decision::State::logged;
  } else {
    slot.decision->state = log_votes(slot, content);
  }
  deliver();
}

/// COMMITTED or BLOCK is durable: EXEC may be sent, and a block's certificate counts.
void ReplicaEngine::on_decision_durable(Height height, const SharedCertificate& certificate) {
  Slot* slot = slots_.find(height);
  if (slot != nullptr && slot->is_decided_at_least(Decision::State::logged)) {
    slot->decision->state = Decision::State::durable;
  }
  if (certificate != nullptr) advance_certified(certificate);
  slot = slots_.find(height);  // advancing may have pruned it
  if (slot != nullptr && !run_.stopped) send_exec(*slot);
  deliver();
}

// ------------------------------------------------------------------ execution (N5, N6)

/// The one queue into execution, for consensus and sync alike: strictly in order, each height once.
void ReplicaEngine::deliver() {
  while (!run_.stopped && at_.delivered < at_.executed + keep_ahead()) {
    Slot* slot = slots_.find(at_.delivered.next());
    if (slot == nullptr || !slot->is_decided_at_least(executable_from())) return;
    const Content* content = slot->content(slot->decision->digest);
    ASSERT(content != nullptr && content->complete);
    at_.delivered = slot->height;
    Commit commit{slot->height, content->digest, content->batch, content->bodies, std::nullopt};
    if (slot->execution.certificate != nullptr) {
      commit.certificate = slot->execution.certificate->certificate;
    }
    out_.effects->push_back(std::move(commit));
  }
}

Verdict ReplicaEngine::on_applied(AppliedInput& input) {
  if (input.height <= at_.executed) return Verdict::reject(RejectReason::duplicate);
  if (input.height != at_.executed.next() || input.height > at_.delivered) {
    return Verdict::reject(RejectReason::not_wanted);
  }
  Slot& slot = slots_.at_or_new(input.height);
  // The log may hold an EXEC of an earlier run for this height: the same header must come again.
  if (slot.execution.header_hash.has_value() && slot.execution.header_hash != input.header_hash) {
    stop(Stop::Kind::diverged, "height " + std::to_string(input.height.value) +
                                   " was executed again with another header than the signed one");
    return Verdict::reject(RejectReason::stopped);
  }
  at_.executed = input.height;
  at_.executed_hash = input.header_hash;
  at_.change_known = std::max(at_.change_known, input.height);
  if (input.next_epoch.has_value()) {
    ASSERT(input.next_epoch->first_height == input.height + config_.epoch.log_window + 1);
    ending_.next = std::move(input.next_epoch);
    ending_.last_height = Height{ending_.next->first_height.value - 1};
  }
  on_executed();
  slot.execution.header_hash = input.header_hash;
  slot.execution.header = std::move(input.header);
  if (!agrees_with_certificate(slot)) return Verdict::reject(RejectReason::stopped);
  if (newest_certificate_ != nullptr && slot.height == at_.certified) {
    // It may have come when this height was so far ahead that no slot could keep it, or with a
    // block that is still on its way to the disk.
    if (slot.execution.certificate == nullptr) slot.execution.certificate = newest_certificate_;
    slot.execution.certificate_durable = true;
    if (newest_certificate_->header.empty()) {
      auto complete = std::make_shared<CertifiedHeader>(*newest_certificate_);
      complete->header = slot.execution.header;
      newest_certificate_ = std::move(complete);
    }
  }
  send_exec(slot);
  announce(slot);
  prune();
  deliver();
  return Verdict::accept();
}

/// N6: EXEC_SENT, then EXEC; only above h, and only when COMMITTED is durable.
void ReplicaEngine::send_exec(Slot& slot) {
  if (!is_validator()) return;
  if (slot.height <= at_.certified || slot.height > high_mark()) return;
  if (!slot.execution.header_hash.has_value() || slot.execution.exec.bytes != nullptr) return;
  if (slot.height > at_.executed) return;
  if (!slot.is_decided_at_least(Decision::State::durable)) return;
  const crypto::ExecVote vote{slot.height, *slot.execution.header_hash};
  slot.execution.exec = sign_message(MessageKind::exec, crypto::ObjectType::exec, encode(vote));
  ExecSent record;
  record.vote = vote;
  record.message = *slot.execution.exec.bytes;
  stage(RecordType::exec_sent, encode(record), slot.height, [this, vote, view = at_.view] {
    Slot* sent = slots_.find(vote.height);
    if (sent == nullptr || sent->execution.exec.bytes == nullptr) return;
    count_own(sent->execution.exec, sent->execs, vote.header_hash, view, vote.height);
    check_exec_certificate(*sent);
  });
  out_.sends.push_back(Send{std::nullopt, MessageClass::vote, slot.execution.exec.bytes});
}

// ------------------------------------------------------------------ certificates (N6, N7)

Verdict ReplicaEngine::judge_exec(const crypto::ExecVote& vote) const {
  if (!is_validator()) return Verdict::reject(RejectReason::not_wanted);
  if (vote.height <= at_.certified || vote.height > high_mark()) {
    return Verdict::reject(RejectReason::outside_window);
  }
  return Verdict::accept();
}

bool ReplicaEngine::wants_exec(const Envelope& envelope) const {
  const Result<crypto::ExecVote> vote = decode<crypto::ExecVote>(envelope.body);
  if (!vote.has_value()) return true;  // its signer is to blame, if it is signed
  if (!judge_exec(*vote).accepted) return false;
  const Slot* slot = slots_.find(vote->height);
  return slot == nullptr || !slot->execs.holds(envelope.sender, vote->header_hash);
}

Verdict ReplicaEngine::on_exec(const Verified& message) {
  const Envelope& envelope = message.envelope();
  const Result<crypto::ExecVote> decoded = decode<crypto::ExecVote>(envelope.body);
  if (!decoded.has_value()) return malformed(message.from(), decoded.error());
  const Verdict wanted = judge_exec(*decoded);
  if (!wanted.accepted) return wanted;
  Slot& slot = slots_.at_or_new(decoded->height);
  const Verdict stored = store_vote(slot.execs, envelope, crypto::ObjectType::exec,
                                    decoded->header_hash, encode(*decoded));
  if (stored.accepted) check_exec_certificate(slot);
  return stored;
}

void ReplicaEngine::check_exec_certificate(Slot& slot) {
  if (slot.execution.certificate != nullptr) return;
  const std::size_t needed = seeded_bug(Bug::exec_certificate_weak) ? weak_quorum() : quorum_;
  const std::optional<Hash> hash = slot.execs.digest_with(needed);
  if (!hash.has_value()) return;
  auto certified = std::make_shared<CertifiedHeader>();
  certified->certificate.epoch = config_.epoch.epoch;
  certified->certificate.vote = {slot.height, *hash};
  certified->certificate.signatures = slot.execs.certificate(*hash, needed);
  if (slot.height <= at_.executed) certified->header = slot.execution.header;
  slot.execution.certified_hash = *hash;
  slot.execution.certificate = certified;
  if (!agrees_with_certificate(slot)) return;
  take_certificate(std::move(certified));
}

/// EXECCERT of a checked certificate; when it is durable, h moves.
void ReplicaEngine::take_certificate(SharedCertificate certificate) {
  const Height height = certificate->certificate.vote.height;
  at_.certifying = std::max(at_.certifying, height);
  note_seen(height);
  const ExecCert record{certificate->header, certificate->certificate};
  if (seeded_bug(Bug::h_before_durable)) advance_certified(certificate);
  stage(RecordType::exec_cert, encode(record), height,
        [this, certificate = std::move(certificate)] { advance_certified(certificate); });
}

/// N7: an own header that differs from a certified one ends this node's part.
bool ReplicaEngine::agrees_with_certificate(const Slot& slot) {
  const Execution& execution = slot.execution;
  const bool known = execution.header_hash.has_value() && slot.height <= at_.executed;
  if (!known) return true;
  bool agrees = true;
  if (execution.certified_hash.has_value())
    agrees = execution.certified_hash == execution.header_hash;
  if (newest_certificate_ != nullptr &&
      newest_certificate_->certificate.vote.height == slot.height) {
    agrees = agrees && newest_certificate_->certificate.vote.header_hash == *execution.header_hash;
  }
  if (!agrees) {
    stop(Stop::Kind::diverged, "the header of height " + std::to_string(slot.height.value) +
                                   " differs from the one that a quorum signed");
  }
  return agrees;
}

/// A certificate is durable: h and the window move, clients are acknowledged.
void ReplicaEngine::advance_certified(const SharedCertificate& certificate) {
  const Height height = certificate->certificate.vote.height;
  const bool is_near = height > low_mark() && height <= at_.executed + keep_ahead();
  if (Slot* slot = is_near ? &slots_.at_or_new(height) : slots_.find(height)) {
    slot->execution.certified_hash = certificate->certificate.vote.header_hash;
    if (slot->execution.certificate == nullptr) slot->execution.certificate = certificate;
    slot->execution.certificate_durable = true;
    if (!agrees_with_certificate(*slot)) return;
    announce(*slot);
  } else if (height <= at_.executed) {
    // Executed faster than its block became durable: the slot is gone, the store lacks it still.
    out_.effects->push_back(Certified{certificate->certificate});
  }
  if (height <= at_.certified) return;
  const Height from = at_.certified;
  at_.certified = height;
  if (!certificate->header.empty()) note_certified_header(certificate->header);
  newest_certificate_ = certificate;
  note_seen(height);
  if (height > at_.executed) probes_.hit(Probe::certified_above_executed);
  on_certified(from);
  prune();
}

/// Certified: once, when the certificate is durable and the height executed here.
void ReplicaEngine::announce(Slot& slot) {
  Execution& execution = slot.execution;
  if (slot.height > at_.executed || execution.announced) return;
  if (execution.certificate == nullptr || !execution.certificate_durable) return;
  execution.announced = true;
  out_.effects->push_back(Certified{execution.certificate->certificate});
}

// ------------------------------------------------------------------ the end of an epoch (1.10)

/// What a quorum signed says whether a change of validators is pending.
void ReplicaEngine::note_certified_header(BytesView header) {
  const Result<HeaderFacts> facts = read_header_(header);
  if (!facts.has_value()) return;
  at_.change_known = std::max(at_.change_known, facts->height);
  if (facts->epoch_last_height.value != 0) ending_.last_height = facts->epoch_last_height;
}

/// Heights came to lie inside the window: what was executed meanwhile is signed now.
void ReplicaEngine::window_moved(Height from) {
  for (auto& [height, slot] : slots_) {
    if (height > from && height <= high_mark()) send_exec(slot);
  }
  on_window_moved(from);
}

/// The last height is executed and certified here: this engine's work is done.
void ReplicaEngine::end_epoch_if_due() {
  if (ending_.announced || !ending_.next.has_value()) return;
  const Height last = *ending_.last_height;
  if (at_.executed < last || at_.certified < last) return;
  ASSERT(at_.executed == last && at_.certified == last && newest_certificate_ != nullptr);
  ending_.announced = true;
  probes_.hit(Probe::epoch_ended);
  out_.effects->push_back(EpochEnded{
      EpochStart{*ending_.next, newest_certificate_->header, newest_certificate_->certificate}});
}

}  // namespace baolian::consensus
