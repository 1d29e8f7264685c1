/// What PBFT adds to STATUS (consensus.md 1.6, S3-S5): votes, certificates and NEW-VIEW for a peer
/// that stands still.
#include "consensus/pbft/engine.h"
#include "core/seeded_bug.h"

namespace baolian::consensus::pbft {
/// S4, S5 and the rest of S3.
void PbftEngine::help_more(ReplicaId peer, const StatusBody& status) {
  relay_new_view(peer, status);
  // S5: a peer that left its view needs Q VIEW-CHANGEs.
  if (!status.active && !at_.active && changing_.own != nullptr &&
      !seeded_bug(Bug::no_retransmission) && changing_.resent_at.has_value() &&
      changing_.sent >= status.view_change) {
    send(peer, MessageClass::view_change, changing_.own);
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
  return make_envelope(
      MessageKind::pre_prepare, config_.epoch.epoch, primary_of(slot.proposal->vote.view),
      encode_pre_prepare(slot.proposal->vote, content->batch, {}), slot.proposal->signature);
}

}  // namespace baolian::consensus::pbft
