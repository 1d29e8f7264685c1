// ByzzFuzz (OOPSLA'23): one field of one message is changed, and the message signed again.
#include "consensus/pbft/messages.h"
#include "core/codec.h"
#include "sim/byzantine.h"
#include "sim/mutate.h"

namespace baolian::sim {

namespace {

using consensus::MessageKind;
namespace pbft = consensus::pbft;

class Mutate final : public ByzantineScript {
 public:
  explicit Mutate(ByzantineHands hands) : ByzantineScript(std::move(hands)) {
    percent_ = hands_.prng.between(1, 15);
    // One kind in some runs: a node that breaks everything is soon listened to by nobody.
    if (chance(60)) only_ = static_cast<MessageKind>(hands_.prng.between(1, 10));
  }
  void on_send(node::ReplicaId to, node::MessageClass message_class,
               const node::SharedBytes& bytes) override {
    const auto message = peek(*bytes);
    if (!message || (only_ && message->kind != *only_) || !chance(percent_)) {
      return transmit(to, message_class, bytes);
    }
    auto body = changed(message->kind, message->body);
    if (!body) return transmit(to, message_class, bytes);
    say(to, message->kind, *std::move(body));
  }

 private:
  template <typename Body>
  std::optional<Bytes> change_one(BytesView bytes) {
    auto body = decode<Body>(bytes);
    if (!body) return std::nullopt;
    Mutator(hands_.prng).mutate(*body);
    return encode(*body);
  }

  /// A proposal is changed inside its batch as well, and then its digest fits again.
  std::optional<Bytes> change_proposal(BytesView bytes) {
    if (chance(50)) return change_one<pbft::PrePrepare>(bytes);
    auto proposal = decode<pbft::PrePrepare>(bytes);
    if (!proposal) return std::nullopt;
    auto batch = decode<consensus::Batch>(proposal->batch);
    if (!batch) return std::nullopt;
    Mutator(hands_.prng).mutate(*batch);
    proposal->batch = encode(*batch);
    proposal->vote.digest = consensus::batch_digest(proposal->batch);
    return encode(*proposal);
  }

  std::optional<Bytes> changed(MessageKind kind, BytesView body) {
    switch (kind) {
      case MessageKind::pre_prepare:
        return change_proposal(body);
      case MessageKind::prepare:
      case MessageKind::commit:
        return change_one<crypto::Vote>(body);
      case MessageKind::exec:
        return change_one<crypto::ExecVote>(body);
      case MessageKind::suspect:
        return change_one<pbft::Suspect>(body);
      case MessageKind::view_change:
        return change_one<pbft::ViewChange>(body);
      case MessageKind::new_view:
        return change_one<pbft::NewView>(body);
      case MessageKind::status:
        return change_one<consensus::StatusBody>(body);
      case MessageKind::fetch:
        return change_one<consensus::Fetch>(body);
      case MessageKind::reply:
        return change_one<consensus::Reply>(body);
      case MessageKind::request_vote:
      case MessageKind::vote_reply:
      case MessageKind::append_entries:
      case MessageKind::append_reply:
      case MessageKind::timeout_now:
        return std::nullopt;  // Raft tolerates crashes, not lies
    }
    return std::nullopt;
  }

  std::uint64_t percent_ = 0;
  std::optional<MessageKind> only_;
};

}  // namespace

std::unique_ptr<ByzantineScript> make_fuzzing_script(ByzantineKind kind, ByzantineHands& hands) {
  if (kind != ByzantineKind::mutate) return nullptr;
  return std::make_unique<Mutate>(std::move(hands));
}

}  // namespace baolian::sim
