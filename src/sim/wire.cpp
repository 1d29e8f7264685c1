#include "sim/wire.h"

#include "consensus/pbft/messages.h"
#include "crypto/hash.h"

namespace baolian::sim {

using consensus::MessageKind;

namespace {

std::uint64_t read_integer(BytesView bytes, std::size_t at, std::size_t size) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < size; ++i) out |= std::uint64_t{bytes[at + i]} << (8 * i);
  return out;
}

}  // namespace

std::optional<MessageView> peek(BytesView envelope) {
  // version u8, kind u8, epoch u64, sender u16, body u32 + bytes, signature 64
  constexpr std::size_t kHead = 1 + 1 + 8 + 2 + 4;
  if (envelope.size() < kHead + Signature::kSize || envelope[0] != 1) return std::nullopt;
  if (!is_enum_value<MessageKind>(envelope[1])) return std::nullopt;
  const std::uint64_t length = read_integer(envelope, 12, 4);
  if (envelope.size() != kHead + length + Signature::kSize) return std::nullopt;
  MessageView out;
  out.kind = static_cast<MessageKind>(envelope[1]);
  out.epoch = Epoch{read_integer(envelope, 2, 8)};
  out.sender = static_cast<ValidatorIndex>(read_integer(envelope, 10, 2));
  out.body = envelope.subspan(kHead, length);
  out.signature = envelope.last(Signature::kSize);
  return out;
}

std::optional<VoteHead> peek_vote(const MessageView& message) {
  VoteHead out;
  std::size_t at = 0;
  switch (message.kind) {
    case MessageKind::pre_prepare:
    case MessageKind::prepare:
    case MessageKind::commit:
      if (message.body.size() < consensus::kVoteBytes) return std::nullopt;
      out.view = View{read_integer(message.body, 0, 8)};
      at = 8;
      break;
    case MessageKind::exec:
      if (message.body.size() < consensus::kExecVoteBytes) return std::nullopt;
      break;
    case MessageKind::suspect:
    case MessageKind::view_change:
    case MessageKind::new_view:
    case MessageKind::status:
    case MessageKind::fetch:
    case MessageKind::reply:
    case MessageKind::request_vote:
    case MessageKind::vote_reply:
    case MessageKind::append_entries:
    case MessageKind::append_reply:
    case MessageKind::timeout_now:
      return std::nullopt;
  }
  out.height = Height{read_integer(message.body, at, 8)};
  std::copy_n(message.body.begin() + static_cast<std::ptrdiff_t>(at + 8), out.digest.bytes.size(),
              out.digest.bytes.begin());
  return out;
}

node::MessageClass class_of(MessageKind kind) {
  switch (kind) {
    case MessageKind::pre_prepare:
    case MessageKind::append_entries:
      return node::MessageClass::proposal;
    case MessageKind::suspect:
    case MessageKind::view_change:
    case MessageKind::new_view:
      return node::MessageClass::view_change;
    case MessageKind::fetch:
    case MessageKind::reply:
      return node::MessageClass::sync;
    case MessageKind::prepare:
    case MessageKind::commit:
    case MessageKind::exec:
    case MessageKind::status:
    case MessageKind::request_vote:
    case MessageKind::vote_reply:
    case MessageKind::append_reply:
    case MessageKind::timeout_now:
      break;
  }
  return node::MessageClass::vote;
}

Signature Forge::sign(crypto::ObjectType type, BytesView body) const {
  return signer_->sign_object(type, chain_, epoch_, crypto::sha256(body));
}

node::SharedBytes Forge::message_as(MessageKind kind, Bytes body,
                                    std::optional<crypto::ObjectType> type, const ChainId& chain,
                                    Epoch epoch) const {
  consensus::Envelope envelope;
  envelope.kind = kind;
  envelope.epoch = epoch;
  envelope.sender = self_;
  envelope.body = std::move(body);
  if (type) {
    BytesView part = envelope.body;
    if (kind == MessageKind::pre_prepare && part.size() > consensus::kVoteBytes) {
      part = part.first(consensus::kVoteBytes);
    }
    envelope.signature = signer_->sign_object(*type, chain, epoch, crypto::sha256(part));
  }
  return std::make_shared<const Bytes>(encode(envelope));
}

}  // namespace baolian::sim
