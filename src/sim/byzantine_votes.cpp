// Scripts about votes: equivocation, wrong results, and old messages again.
#include <map>

#include "consensus/pbft/messages.h"
#include "core/codec.h"
#include "sim/byzantine.h"

namespace baolian::sim {

namespace {

using consensus::MessageKind;
namespace pbft = consensus::pbft;

/// Votes for what nobody proposed, or for what was proposed elsewhere, to half of the others.
class EquivocatingVoter final : public ByzantineScript {
 public:
  using ByzantineScript::ByzantineScript;
  void on_send(node::ReplicaId to, node::MessageClass message_class,
               const node::SharedBytes& bytes) override {
    const auto message = peek(*bytes);
    if (!message || !in_second_half(to) || message->sender != hands_.self) {
      return transmit(to, message_class, bytes);
    }
    if (message->kind == MessageKind::exec) {
      auto vote = decode<crypto::ExecVote>(message->body);
      if (!vote) return;
      vote->header_hash.bytes[0] ^= 1;
      return say(to, message->kind, encode(*vote));
    }
    if (message->kind != MessageKind::prepare && message->kind != MessageKind::commit) {
      return transmit(to, message_class, bytes);
    }
    auto vote = decode<crypto::Vote>(message->body);
    if (!vote) return;
    const Hash own = vote->digest;
    if (chance(40)) {
      vote->digest =
          consensus::null_digest(hands_.forge.chain(), hands_.forge.epoch(), vote->height);
    } else if (chance(50) && !last_digest_.is_zero()) {
      vote->digest = last_digest_;
    } else {
      vote->digest.bytes[31] ^= 0x80;
    }
    last_digest_ = own;
    say(to, message->kind, encode(*vote));
    if (chance(30)) transmit(to, message_class, bytes);  // and the true one as well
  }

 private:
  Hash last_digest_;
};

/// Signs results that execution did not give, to everybody alike.
class WrongExec final : public ByzantineScript {
 public:
  using ByzantineScript::ByzantineScript;
  void on_send(node::ReplicaId to, node::MessageClass message_class,
               const node::SharedBytes& bytes) override {
    const auto message = peek(*bytes);
    if (!message || message->kind != MessageKind::exec || message->sender != hands_.self) {
      return transmit(to, message_class, bytes);
    }
    auto vote = decode<crypto::ExecVote>(message->body);
    if (!vote) return;
    if (vote->height.value % 3 == 0) {
      vote->height = Height{vote->height.value + 1};  // the right hash at the wrong height
    } else {
      vote->header_hash.bytes[vote->height.value % 32] ^= 0x10;
    }
    say(to, message->kind, encode(*vote));
  }
};

/// Keeps what it sent and sends it again later, whole or under a signature that fits elsewhere.
class Replay final : public ByzantineScript {
 public:
  using ByzantineScript::ByzantineScript;
  void on_send(node::ReplicaId to, node::MessageClass message_class,
               const node::SharedBytes& bytes) override {
    transmit(to, message_class, bytes);
    if (const auto message = peek(*bytes)) {
      if (kept_.size() < kKeptMax) {
        kept_.push_back({message->kind, message_class, bytes});
      } else {
        kept_[hands_.prng.below(kKeptMax)] = {message->kind, message_class, bytes};
      }
    }
  }
  bool on_receive(node::ReplicaId, node::MessageClass, BytesView bytes) override {
    const auto message = peek(bytes);
    if (!message || !chance(10)) return true;
    if (message->kind == MessageKind::view_change) old_change_ = to_bytes(bytes);
    if (message->kind == MessageKind::pre_prepare) old_proposal_ = to_bytes(bytes);
    return true;
  }
  void on_tick() override {
    if (kept_.empty() || !chance(20)) return;
    const node::ReplicaId to = others()[hands_.prng.below(others().size())];
    const Kept& old = kept_[hands_.prng.below(kept_.size())];
    const std::uint64_t way = hands_.prng.below(1000);
    if (way < 970) {
      transmit(to, old.message_class, old.bytes);
    } else if (way < 980) {
      relay(to);
    } else {
      send_foreign(to, old, way);
    }
  }

 private:
  struct Kept {
    MessageKind kind{};
    node::MessageClass message_class{};
    node::SharedBytes bytes;
  };
  static constexpr std::size_t kKeptMax = 400;

  /// Old messages of others travel inside replies.
  void relay(node::ReplicaId to) {
    consensus::Reply reply;
    if (!old_change_.empty() && chance(50)) {
      reply.what = consensus::ReplyViewChange{old_change_};
    } else if (!old_proposal_.empty()) {
      reply.what = consensus::ReplyPrePrepare{old_proposal_};
    } else {
      return;
    }
    say(to, MessageKind::reply, encode(reply));
  }

  /// A signature of another type, chain or epoch under the same body.
  void send_foreign(node::ReplicaId to, const Kept& old, std::uint64_t way) {
    const auto message = peek(*old.bytes);
    if (!message || !signed_as(old.kind)) return;
    const Bytes body = to_bytes(message->body);
    const Forge& forge = hands_.forge;
    ChainId chain = forge.chain();
    Epoch epoch = forge.epoch();
    auto type = signed_as(old.kind);
    if (way < 987) {
      chain.bytes[0] ^= 1;
    } else if (way < 994) {
      epoch = Epoch{epoch.value + 1};
    } else {
      type = type == crypto::ObjectType::prepare ? crypto::ObjectType::commit
                                                 : crypto::ObjectType::prepare;
    }
    transmit(to, old.message_class, forge.message_as(old.kind, body, type, chain, epoch));
  }

  std::vector<Kept> kept_;
  Bytes old_change_;
  Bytes old_proposal_;
};

}  // namespace

std::unique_ptr<ByzantineScript> make_voting_script(ByzantineKind kind, ByzantineHands& hands) {
  if (kind == ByzantineKind::equivocating_voter) {
    return std::make_unique<EquivocatingVoter>(std::move(hands));
  }
  if (kind == ByzantineKind::wrong_exec) return std::make_unique<WrongExec>(std::move(hands));
  if (kind == ByzantineKind::replay) return std::make_unique<Replay>(std::move(hands));
  return nullptr;
}

}  // namespace baolian::sim
