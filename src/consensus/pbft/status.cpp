/// STATUS (consensus.md 1.6, S1-S6): the heartbeat, and the only way in which lost messages
/// come again. A STATUS changes no state but the record of what its sender said.
#include "consensus/pbft/engine.h"
#include "core/seeded_bug.h"

namespace baolian::consensus::pbft {
namespace {

/// True if the peer says no more than in its last STATUS: only then does it need help. A peer that
/// moves gets what it lacks from the normal case.
bool stands_still(const std::optional<StatusBody>& before, const StatusBody& now) {
  if (!before.has_value()) return true;
  return now.certified <= before->certified && now.executed <= before->executed;
}

}  // namespace

// ------------------------------------------------------------------ S1

void PbftEngine::send_status_if_due() {
  if (!is_validator()) return;
  const std::uint64_t gap = is_primary() || anything_open() ? kHeartbeatMs : kIdleStatusMs;
  if (run_.status_at.has_value() && run_.now < *run_.status_at + gap) return;
  run_.status_at = run_.now;
  const OwnMessage message =
      sign_message(MessageKind::status, crypto::ObjectType::status, encode(own_status()));
  send(std::nullopt, MessageClass::vote, message.bytes);
}

StatusBody PbftEngine::own_status() const {
  StatusBody out;
  out.view = at_.view;
  out.active = at_.active;
  out.view_change = changing_.sent;
  out.certified = at_.certified;
  out.executed = at_.executed;
  for (std::uint64_t i = 1; i <= config_.epoch.log_window; ++i) {
    const Slot* slot = slots_.find(at_.certified + i);
    out.progress.push_back(slot == nullptr ? Progress::none : slot->progress());
  }
  while (!out.progress.empty() && out.progress.back() == Progress::none) out.progress.pop_back();
  return out;
}

/// Anything undecided, unexecuted or uncertified, here or (by a recent STATUS) at a peer.
bool PbftEngine::anything_open() const {
  if (!at_.active) return true;
  if (slots_.size() > 0 || fetch_.open || at_.executed < at_.certified) return true;
  for (const Peer& peer : peers_) {
    if (!peer.status.has_value() || peer.status_at + 2 * kIdleStatusMs < run_.now) continue;
    const Height reached = peer.status->certified + peer.status->progress.size();
    if (reached > at_.certified) return true;
  }
  return false;
}

// ------------------------------------------------------------------ S2, S3, S6

Verdict PbftEngine::on_status(const Verified& message) {
  if (!is_validator()) return Verdict::reject(RejectReason::not_wanted);
  Result<StatusBody> decoded = decode<StatusBody>(message.envelope().body);
  if (!decoded.has_value()) return malformed(message.from(), decoded.error());
  if (decoded->progress.size() > config_.epoch.log_window || decoded->view.value >= kViewLimit ||
      decoded->view_change.value >= kViewLimit || decoded->certified.value >= kViewLimit ||
      decoded->executed.value >= kViewLimit) {
    return malformed(message.from(), fail(Errc::bad_message, "STATUS with impossible numbers"));
  }
  Peer& peer = peers_[message.from()];
  const bool needs_help = stands_still(peer.status, *decoded);
  if (message.from() == primary_of(at_.view) && decoded->view == at_.view && decoded->active) {
    changing_.heartbeat_at = patience_.clock();
  }
  peer.status = *std::move(decoded);
  peer.status_at = run_.now;
  const bool may_help = !peer.helped_at.has_value() || *peer.helped_at + kHelpGapMs <= run_.now;
  if (needs_help && may_help) {
    peer.helped_at = run_.now;
    help(message.from(), *peer.status);
  }
  return Verdict::accept();
}

/// S2: the newest certificate to a peer with a lower h (it asks for the blocks itself, choosing its
/// source by last_exec). S3: votes and certificates of the heights above its h.
void PbftEngine::help(ReplicaId peer, const StatusBody& status) {
  if (seeded_bug(Bug::status_never_helps)) return;
  relay_new_view(peer, status);
  // S5: a peer that left its view needs Q VIEW-CHANGEs.
  if (!status.active && !at_.active && changing_.own != nullptr &&
      !seeded_bug(Bug::no_retransmission) && changing_.resent_at.has_value() &&
      changing_.sent >= status.view_change) {
    send(peer, MessageClass::view_change, changing_.own);
  }
  if (newest_certificate_ != nullptr && status.certified < at_.certified) {
    send_reply(peer, Reply{0, ReplyCertificate{newest_certificate_->header,
                                               newest_certificate_->certificate}});
  }
  for (const auto& [height, slot] : slots_) {
    if (height <= status.certified) continue;
    const std::uint64_t index = height.value - status.certified.value - 1;
    const Progress progress = index < status.progress.size()
                                  ? status.progress[static_cast<std::size_t>(index)]
                                  : Progress::none;
    if (index < config_.epoch.log_window) help_with_slot(peer, status, slot, progress);
  }
}

void PbftEngine::help_with_slot(ReplicaId peer, const StatusBody& status, const Slot& slot,
                                Progress progress) {
  if (slot.execution.exec.durable) send(peer, MessageClass::vote, slot.execution.exec.bytes);
  if (progress == Progress::committed) return;
  if (slot.is_decided_at_least(Decision::State::logged) && slot.decision->certificate.has_value()) {
    const Content& content = *slot.content(slot.decision->digest);
    send_reply(peer, Reply{0, ReplyCommit{*slot.decision->certificate,
                                          content.batch ? *content.batch : Bytes{}}});
  }
  if (status.view != at_.view || !status.active || !at_.active) return;
  if (progress == Progress::none && slot.proposal.has_value()) {
    if (SharedBytes proposal = stored_pre_prepare(slot)) {
      // The primary's own goes directly, anybody else's inside a REPLY.
      if (is_primary()) {
        send(peer, MessageClass::proposal, std::move(proposal));
      } else {
        send_reply(peer, Reply{0, ReplyPrePrepare{*proposal}});
      }
    }
  }
  if (progress < Progress::prepared && slot.own_prepare.durable) {
    send(peer, MessageClass::vote, slot.own_prepare.bytes);
  }
  if (slot.own_commit.durable) send(peer, MessageClass::vote, slot.own_commit.bytes);
}

/// The accepted pre-prepare without inline bodies; null if it came from NEW-VIEW's O, or is not
/// durable here yet.
SharedBytes PbftEngine::stored_pre_prepare(const Slot& slot) const {
  ASSERT(slot.proposal.has_value());
  if (slot.proposal->state != Proposal::State::durable) return nullptr;
  if (slot.proposal->signature.is_zero()) return nullptr;
  const Content* content = slot.content(slot.proposal->vote.digest);
  ASSERT(content != nullptr && content->batch != nullptr);
  Envelope envelope;
  envelope.kind = MessageKind::pre_prepare;
  envelope.epoch = config_.epoch.epoch;
  envelope.sender = primary_of(slot.proposal->vote.view);
  envelope.body = encode_pre_prepare(slot.proposal->vote, content->batch, {});
  envelope.signature = slot.proposal->signature;
  return std::make_shared<const Bytes>(encode(envelope));
}

}  // namespace baolian::consensus::pbft
