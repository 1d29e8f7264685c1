#include "consensus/replica/past_epoch.h"

#include "consensus/replica/replica_engine.h"

namespace baolian::consensus {

PastEpoch::PastEpoch(crypto::EpochRecord epoch, ValidatorIndex self, EpochStart next)
    : epoch_(std::move(epoch)), self_(self), next_(std::move(next)) {
  ASSERT(next_.epoch.epoch == epoch_.epoch.next());
}

Verdict PastEpoch::on_message(const Verified& message, Tick now, Effects& effects) {
  Peer& peer = peers_[message.from()];
  if (message.envelope().kind == MessageKind::status) {
    const Result<StatusBody> status = decode<StatusBody>(message.envelope().body);
    if (!status.has_value()) return Verdict::reject(RejectReason::bad_content);
    if (status->certified >= next_.certificate.vote.height) {
      return Verdict::reject(RejectReason::not_wanted);
    }
    if (peer.helped_at.has_value() && now < *peer.helped_at + kHelpGapMs) {
      return Verdict::reject(RejectReason::not_wanted);
    }
    peer.helped_at = now;
    reply(message.from(), Reply{0, ReplyCertificate{next_.header, next_.certificate}}, effects);
    return Verdict::accept();
  }
  if (message.envelope().kind != MessageKind::fetch) {
    return Verdict::reject(RejectReason::not_wanted);
  }
  const Result<Fetch> fetch = decode<Fetch>(message.envelope().body);
  if (!fetch.has_value()) return Verdict::reject(RejectReason::bad_content);
  const auto* blocks = std::get_if<FetchBlocks>(&fetch->what);
  if (blocks == nullptr || blocks->first.value == 0) {
    return Verdict::reject(RejectReason::not_wanted);
  }
  if (peer.read_at.has_value() && now < *peer.read_at + kReadGapMs) {
    return Verdict::reject(RejectReason::not_wanted);
  }
  peer.read_at = now;
  peer.reading = fetch->request;
  // Who has the last block may lack its certificate, which comes with it.
  const Height first = std::min(blocks->first, next_.certificate.vote.height);
  effects.push_back(ReadBlocks{message.from(), epoch_.epoch, first, kReplyBytes, kReplyBlocksMax});
  return Verdict::accept();
}

void PastEpoch::on_blocks_read(const BlocksReadInput& input, Effects& effects) {
  const auto peer = peers_.find(input.peer);
  if (peer == peers_.end() || !peer->second.reading.has_value()) return;
  const std::uint64_t request = *std::exchange(peer->second.reading, std::nullopt);
  std::optional<ReplyBlocks> blocks = fitting_blocks(input.blocks);
  if (blocks.has_value()) reply(input.peer, Reply{request, *std::move(blocks)}, effects);
}

void PastEpoch::reply(ReplicaId to, Reply body, Effects& effects) const {
  effects.push_back(
      Send{to, MessageClass::sync,
           make_envelope(MessageKind::reply, epoch_.epoch, self_, encode(body), Signature{})});
}

std::optional<ReplyBlocks> fitting_blocks(const std::vector<SharedBytes>& blocks) {
  ReplyBlocks out;
  std::size_t size = 0;
  for (const SharedBytes& block : blocks) {
    size += block->size() + 4;
    if (size > kReplyBytesHard || out.blocks.size() == kReplyBlocksMax) break;
    out.blocks.push_back(*block);
  }
  if (out.blocks.empty()) return std::nullopt;
  return out;
}

}  // namespace baolian::consensus
