/// STATUS (consensus.md 1.6, S1-S3, S6): the heartbeat, and the only way in which lost messages
/// come again. A STATUS changes no state but the record of what its sender said.
#include "consensus/replica/replica_engine.h"

namespace baolian::consensus {
namespace {

/// True if the peer says no more than in its last STATUS: only then does it need help. A peer that
/// moves gets what it lacks from the normal case.
bool stands_still(const std::optional<StatusBody>& before, const StatusBody& now) {
  if (!before.has_value()) return true;
  return now.certified <= before->certified && now.executed <= before->executed;
}

}  // namespace

// ------------------------------------------------------------------ S1

void ReplicaEngine::send_status_if_due() {
  if (!is_validator()) return;
  const std::uint64_t gap = leads() || anything_open() ? kHeartbeatMs : kIdleStatusMs;
  if (run_.status_at.has_value() && run_.now < *run_.status_at + gap) return;
  run_.status_at = run_.now;
  const OwnMessage message =
      sign_message(MessageKind::status, crypto::ObjectType::status, encode(own_status()));
  send(std::nullopt, MessageClass::vote, message.bytes);
}

StatusBody ReplicaEngine::own_status() const {
  StatusBody out;
  out.view = at_.view;
  out.active = at_.active;
  out.view_change = newest_view_change();
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
bool ReplicaEngine::anything_open() const {
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

Verdict ReplicaEngine::on_status(const Verified& message) {
  if (!is_validator() && !config_.silent) return Verdict::reject(RejectReason::not_wanted);
  Result<StatusBody> decoded = decode<StatusBody>(message.envelope().body);
  if (!decoded.has_value()) return malformed(message.from(), decoded.error());
  if (decoded->progress.size() > config_.epoch.log_window || decoded->view.value >= kViewLimit ||
      decoded->view_change.value >= kViewLimit || decoded->certified.value >= kViewLimit ||
      decoded->executed.value >= kViewLimit) {
    return malformed(message.from(), fail(Errc::bad_message, "STATUS with impossible numbers"));
  }
  Peer& peer = peers_[message.from()];
  const bool needs_help = stands_still(peer.status, *decoded);
  if (!config_.silent) on_peer_status(message.from(), *decoded);
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
/// source by last_exec). S3: the own EXECs of the heights above its h, and what the protocol adds.
void ReplicaEngine::help(ReplicaId peer, const StatusBody& status) {
  if (seeded_bug(Bug::status_never_helps)) return;
  if (newest_certificate_ != nullptr && status.certified < at_.certified) {
    send_reply(peer, Reply{0, ReplyCertificate{newest_certificate_->header,
                                               newest_certificate_->certificate}});
  }
  // Whose log has left this epoch may be the last to know how it ended, but says no more than that.
  if (config_.silent) return;
  for (const auto& [height, slot] : slots_) {
    if (height <= status.certified) continue;
    if (height.value - status.certified.value > config_.epoch.log_window) break;
    if (slot.execution.exec.durable) send(peer, MessageClass::vote, slot.execution.exec.bytes);
  }
  help_more(peer, status);
}

}  // namespace baolian::consensus
