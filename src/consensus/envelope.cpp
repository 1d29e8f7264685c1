/// read_envelope() and verify(): the one door through which messages reach an engine. The order of
/// checks is that of consensus.md 1.12, cheapest first: length, kind and role; then the caller asks
/// whether the message is wanted; then the signature.
#include <string>

#include "consensus/engine.h"
#include "consensus/pbft/messages.h"
#include "consensus/raft/messages.h"
#include "consensus/signed_as.h"

namespace baolian::consensus {
namespace {

struct BodyBounds {
  std::size_t min = 0;
  std::size_t max = 0;
};

BodyBounds body_bounds(MessageKind kind) {
  switch (kind) {
    case MessageKind::prepare:
    case MessageKind::commit:
      return {consensus::kVoteBytes, consensus::kVoteBytes};
    case MessageKind::exec:
      return {consensus::kExecVoteBytes, consensus::kExecVoteBytes};
    case MessageKind::pre_prepare:
      return {consensus::kVoteBytes, consensus::kBatchBytesMax + 1024 * 1024};
    case MessageKind::suspect:
    case MessageKind::fetch:
      return {1, 64};
    case MessageKind::status:
      return {1, 64 + consensus::kLogWindowMax};
    case MessageKind::view_change:
      return {1, 512 * 1024};
    case MessageKind::new_view:
      return {1, 64 * 1024};
    case MessageKind::reply:
    case MessageKind::append_entries:
      return {1, consensus::kMessageBodyBytesMax};
    case MessageKind::request_vote:
      return {1, raft::kRequestVoteBytesMax};
    case MessageKind::vote_reply:
    case MessageKind::append_reply:
    case MessageKind::timeout_now:
      return {1, 64};
  }
  return {};
}

/// What an observer may send: questions and answers that certify themselves.
bool is_for_observers(MessageKind kind) {
  return kind == MessageKind::fetch || kind == MessageKind::reply;
}

Result<void> check_sender(ReplicaId from, const Envelope& envelope, std::size_t validators) {
  if (envelope.sender == kObserver) {
    if (!is_for_observers(envelope.kind)) {
      return fail(Errc::bad_message, "an observer sends no consensus message");
    }
    if (from < validators) {
      return fail(Errc::bad_message, "validator " + std::to_string(from) + " sent as an observer");
    }
    return ok();
  }
  if (envelope.sender >= validators) {
    return fail(Errc::bad_message, "sender " + std::to_string(envelope.sender) +
                                       " is none of the " + std::to_string(validators) +
                                       " validators");
  }
  if (envelope.sender != from) {
    return fail(Errc::bad_message, "peer " + std::to_string(from) + " sent in the name of " +
                                       std::to_string(envelope.sender));
  }
  return ok();
}

}  // namespace

std::optional<crypto::ObjectType> signed_as(MessageKind kind) {
  switch (kind) {
    case MessageKind::pre_prepare:
      return crypto::ObjectType::pre_prepare;
    case MessageKind::prepare:
      return crypto::ObjectType::prepare;
    case MessageKind::commit:
      return crypto::ObjectType::commit;
    case MessageKind::exec:
      return crypto::ObjectType::exec;
    case MessageKind::suspect:
      return crypto::ObjectType::suspect;
    case MessageKind::view_change:
      return crypto::ObjectType::view_change;
    case MessageKind::new_view:
      return crypto::ObjectType::new_view;
    case MessageKind::status:
      return crypto::ObjectType::status;
    case MessageKind::fetch:
    case MessageKind::reply:
    case MessageKind::request_vote:
    case MessageKind::vote_reply:
    case MessageKind::append_entries:
    case MessageKind::append_reply:
    case MessageKind::timeout_now:
      return std::nullopt;
  }
  return std::nullopt;
}

SharedBytes make_envelope(MessageKind kind, Epoch epoch, ValidatorIndex sender, Bytes body,
                          const Signature& signature) {
  Envelope envelope;
  envelope.kind = kind;
  envelope.epoch = epoch;
  envelope.sender = sender;
  envelope.body = std::move(body);
  envelope.signature = signature;
  return std::make_shared<const Bytes>(encode(envelope));
}

std::optional<Epoch> envelope_epoch(BytesView bytes) {
  Decoder head(bytes);
  Version<1> version;
  MessageKind kind{};
  Epoch epoch;
  if (!head.value(version).has_value() || !head.value(kind).has_value() ||
      !head.value(epoch).has_value()) {
    return std::nullopt;
  }
  return epoch;
}

Result<Unverified> read_envelope(ReplicaId from, SharedBytes bytes,
                                 const crypto::EpochRecord& epoch) {
  ASSERT(bytes != nullptr);
  TRY(Envelope envelope, decode<Envelope>(*bytes));
  if (envelope.epoch != epoch.epoch) {
    return fail(Errc::wrong_epoch, "message of epoch " + std::to_string(envelope.epoch.value) +
                                       ", here is epoch " + std::to_string(epoch.epoch.value));
  }
  const BodyBounds bounds = body_bounds(envelope.kind);
  if (envelope.body.size() < bounds.min || envelope.body.size() > bounds.max) {
    return fail(Errc::bad_message, "a body of " + std::to_string(envelope.body.size()) +
                                       " bytes does not fit its kind");
  }
  TRY(check_sender(from, envelope, epoch.validators.size()));
  Unverified out;
  out.envelope_ = std::move(envelope);
  out.from_ = from;
  out.bytes_ = std::move(bytes);
  return out;
}

Result<Verified> verify(Unverified message, const ChainId& chain, const crypto::EpochRecord& epoch,
                        const crypto::Verifier& verifier) {
  const Envelope& envelope = message.envelope();
  ASSERT(envelope.epoch == epoch.epoch);
  const auto type = signed_as(envelope.kind);
  if (type.has_value()) {
    BytesView signed_part = envelope.body;
    if (envelope.kind == MessageKind::pre_prepare)
      signed_part = signed_part.first(consensus::kVoteBytes);
    if (!verifier.verify_object(epoch.validators[envelope.sender], *type, chain, envelope.epoch,
                                crypto::sha256(signed_part), envelope.signature)) {
      return fail(Errc::bad_signature, "message of validator " + std::to_string(envelope.sender) +
                                           " is not signed by it");
    }
  } else if (!envelope.signature.is_zero()) {
    return fail(Errc::not_canonical, "a message of this kind carries no signature");
  }
  return Verified(std::move(message));
}

Result<Verified> verify_envelope(ReplicaId from, SharedBytes bytes, const ChainId& chain,
                                 const crypto::EpochRecord& epoch,
                                 const crypto::Verifier& verifier) {
  TRY(Unverified message, read_envelope(from, std::move(bytes), epoch));
  return verify(std::move(message), chain, epoch, verifier);
}

}  // namespace baolian::consensus
