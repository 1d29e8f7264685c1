// A script about certificates: short, doubled, foreign and altered ones, wherever they travel.
#include <algorithm>

#include "consensus/pbft/messages.h"
#include "core/codec.h"
#include "sim/byzantine.h"

namespace baolian::sim {

namespace {

using consensus::MessageKind;
namespace pbft = consensus::pbft;

class ForgedCertificates final : public ByzantineScript {
 public:
  using ByzantineScript::ByzantineScript;
  void on_send(node::ReplicaId to, node::MessageClass message_class,
               const node::SharedBytes& bytes) override {
    const auto message = peek(*bytes);
    if (!message) return transmit(to, message_class, bytes);
    if (message->kind == MessageKind::view_change && chance(80)) {
      return send_view_change(to, *message);
    }
    if (message->kind == MessageKind::reply && chance(30)) return send_reply(to, *message);
    remember(*message);
    transmit(to, message_class, bytes);
  }
  bool on_receive(node::ReplicaId, node::MessageClass, BytesView bytes) override {
    if (const auto message = peek(bytes)) remember(*message);
    return true;
  }
  /// Offers decisions that were never made, unasked.
  void on_tick() override {
    if (!chance(2)) return;
    const consensus::Status status = hands_.status();
    const node::ReplicaId to = others()[hands_.prng.below(others().size())];
    consensus::Reply reply;
    if (chance(50)) {
      consensus::ReplyCommit commit;
      commit.certificate.epoch = hands_.forge.epoch();
      commit.certificate.vote = {status.view, Height{status.certified.value + 1}, {}};
      commit.certificate.vote.digest = consensus::null_digest(
          hands_.forge.chain(), hands_.forge.epoch(), commit.certificate.vote.height);
      commit.certificate.signatures =
          own_signatures(crypto::ObjectType::commit, encode(commit.certificate.vote));
      reply.what = std::move(commit);
    } else {
      consensus::ReplyCertificate answer;
      answer.certificate.epoch = hands_.forge.epoch();
      answer.certificate.vote = {Height{status.certified.value + 1 + hands_.prng.below(50)}, {}};
      answer.certificate.vote.header_hash.bytes[0] = 7;
      answer.certificate.signatures =
          own_signatures(crypto::ObjectType::exec, encode(answer.certificate.vote));
      reply.what = std::move(answer);
    }
    say(to, MessageKind::reply, encode(reply));
  }

 private:
  /// Its own signature in the name of a quorum: all that it can really sign.
  crypto::Signatures own_signatures(crypto::ObjectType type, const Bytes& body) {
    const Signature own = hands_.forge.sign(type, body);
    crypto::Signatures out;
    if (chance(50)) {
      out.assign(quorum(), {hands_.self, own});  // one signer, many times
    } else {
      for (std::size_t i = 0; i < quorum(); ++i) {
        out.push_back({static_cast<ValidatorIndex>(i), own});  // many signers, one signature
      }
    }
    return out;
  }
  std::size_t quorum() const {
    const std::size_t count = hands_.world.validator_count;
    return (count + (count - 1) / 3) / 2 + 1;
  }

  /// PREPAREs seen, to build P entries of less than a quorum.
  void remember(const MessageView& message) {
    if (message.kind != MessageKind::prepare) return;
    const auto vote = decode<crypto::Vote>(message.body);
    if (!vote) return;
    if (seen_.vote != *vote) seen_ = {hands_.forge.epoch(), *vote, {}};
    crypto::IndexedSignature one{message.sender, {}};
    std::copy(message.signature.begin(), message.signature.end(), one.signature.bytes.begin());
    const auto at = std::lower_bound(seen_.signatures.begin(), seen_.signatures.end(), one);
    if (at == seen_.signatures.end() || at->validator != one.validator) {
      seen_.signatures.insert(at, one);
    }
  }

  /// Breaks one thing about a certificate.
  template <typename Certificate>
  void spoil(Certificate& certificate) {
    crypto::Signatures& signatures = certificate.signatures;
    if (signatures.empty()) return;
    switch (hands_.prng.below(7)) {
      case 0:  // short
        signatures.pop_back();
        return;
      case 1:  // one signer twice
        signatures.back() = signatures.front();
        return;
      case 2:
        certificate.epoch = Epoch{certificate.epoch.value + 1};
        return;
      case 3:
        signatures.back().signature.bytes[3] ^= 1;
        return;
      case 4:  // a signature under another name
        std::swap(signatures.front().signature, signatures.back().signature);
        return;
      case 5:
        certificate.vote.height = Height{certificate.vote.height.value + 1};
        return;
      default:
        signatures.back().validator = 126;
        return;
    }
  }

  void send_view_change(node::ReplicaId to, const MessageView& message) {
    auto change = decode<pbft::ViewChange>(message.body);
    if (!change) return;
    if (change->checkpoint && chance(30)) {
      spoil(*change->checkpoint);
    } else if (!change->prepared.empty() && chance(60)) {
      spoil(change->prepared[hands_.prng.below(change->prepared.size())]);
    } else if (seen_.vote.height > change->certified) {
      // What was never prepared, with the signatures that there are, in the highest view.
      crypto::VoteCertificate invented = seen_;
      invented.vote.view = View{change->new_view.value - 1};
      std::erase_if(change->prepared,
                    [&](const auto& entry) { return entry.vote.height >= invented.vote.height; });
      change->prepared.push_back(std::move(invented));
    }
    say(to, MessageKind::view_change, encode(*change));
  }

  void send_reply(node::ReplicaId to, const MessageView& message) {
    auto reply = decode<consensus::Reply>(message.body);
    if (!reply) return;
    if (auto* held = std::get_if<consensus::ReplyCertificate>(&reply->what)) {
      spoil(held->certificate);
    } else if (auto* commit = std::get_if<consensus::ReplyCommit>(&reply->what)) {
      spoil(commit->certificate);
    } else if (auto* blocks = std::get_if<consensus::ReplyBlocks>(&reply->what)) {
      if (!blocks->blocks.empty()) spoil_block(blocks->blocks.back());
    }
    say(to, MessageKind::reply, encode(*reply));
  }

  void spoil_block(Bytes& bytes) {
    auto block = decode<consensus::SyncBlock>(bytes);
    if (!block) return;
    if (chance(50)) {
      spoil(block->certificate);
    } else if (!block->bodies.empty() && chance(50)) {
      block->bodies.pop_back();
    } else if (!block->header.empty()) {
      block->header[hands_.prng.below(block->header.size())] ^= 1;
    }
    bytes = encode(*block);
  }

  crypto::VoteCertificate seen_;
};

}  // namespace

std::unique_ptr<ByzantineScript> make_certificate_script(ByzantineKind kind,
                                                         ByzantineHands& hands) {
  if (kind != ByzantineKind::forged_certificates) return nullptr;
  return std::make_unique<ForgedCertificates>(std::move(hands));
}

}  // namespace baolian::sim
