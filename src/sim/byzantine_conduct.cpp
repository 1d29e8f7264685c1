// Scripts that change no content: who is served, when, and how often.
#include "consensus/pbft/messages.h"
#include "core/codec.h"
#include "ledger/transaction.h"
#include "node/pool_messages.h"
#include "sim/byzantine.h"

namespace baolian::sim {

namespace {

using consensus::MessageKind;
namespace pbft = consensus::pbft;

/// Says nothing, to everybody or to some; in spells or for good.
class Silent final : public ByzantineScript {
 public:
  explicit Silent(ByzantineHands hands) : ByzantineScript(std::move(hands)) {
    to_all_ = chance(50);
    spell_ms_ = chance(50) ? 0 : hands_.prng.between(500, 10'000);
  }
  void on_send(node::ReplicaId to, node::MessageClass message_class,
               const node::SharedBytes& bytes) override {
    const bool quiet = spell_ms_ == 0 || (hands_.events.now().value / spell_ms_) % 2 == 0;
    if (quiet && (to_all_ || in_second_half(to))) return;
    transmit(to, message_class, bytes);
  }

 private:
  bool to_all_ = true;
  std::uint64_t spell_ms_ = 0;
};

/// Proposes so late that nobody may complain.
class SlowPrimary final : public ByzantineScript {
 public:
  explicit SlowPrimary(ByzantineHands hands) : ByzantineScript(std::move(hands)) {
    delay_ms_ = hands_.prng.between(100, 800);
  }
  void on_send(node::ReplicaId to, node::MessageClass message_class,
               const node::SharedBytes& bytes) override {
    transmit(to, message_class, bytes,
             message_class == node::MessageClass::proposal ? delay_ms_ : 0);
  }

 private:
  std::uint64_t delay_ms_ = 0;
};

/// One sender's transactions do not exist for it: they are neither admitted nor proposed.
class CensoringPrimary final : public ByzantineScript {
 public:
  explicit CensoringPrimary(ByzantineHands hands) : ByzantineScript(std::move(hands)) {
    const auto& senders = hands_.world.senders;
    victim_ = senders[hands_.prng.below(senders.size())].signer->public_key();
  }
  bool on_receive(node::ReplicaId from, node::MessageClass message_class,
                  BytesView bytes) override {
    static_cast<void>(from);
    if (message_class != node::MessageClass::transaction || bytes.empty() ||
        bytes.front() != node::kPushTransactions) {
      return true;
    }
    const auto push = decode<node::PushTransactions>(bytes);
    if (!push) return true;
    for (const Bytes& body : push->transactions) {
      if (!admits(body)) return false;
    }
    return true;
  }
  bool admits(BytesView transaction) override {
    const auto decoded = decode<ledger::Transaction>(transaction);
    return !decoded || decoded->body.sender != victim_;
  }

 private:
  PublicKey victim_;
};

/// Proposes transactions that it showed to nobody, and hands nothing over.
class BodyWithholding final : public ByzantineScript {
 public:
  using ByzantineScript::ByzantineScript;
  void on_send(node::ReplicaId to, node::MessageClass message_class,
               const node::SharedBytes& bytes) override {
    if (message_class == node::MessageClass::transaction) return;
    const auto message = peek(*bytes);
    if (message && message->kind == MessageKind::reply) {
      const auto reply = decode<consensus::Reply>(message->body);
      if (reply && std::holds_alternative<consensus::ReplyBodies>(reply->what)) return;
    }
    if (message && message->kind == MessageKind::pre_prepare) {
      auto proposal = decode<pbft::PrePrepare>(message->body);
      if (proposal && !proposal->inline_bodies.empty()) {
        proposal->inline_bodies.clear();
        return say(to, MessageKind::pre_prepare, encode(*proposal));
      }
    }
    transmit(to, message_class, bytes);
  }
};

/// Sends everything many times, and asks for more than anybody needs.
class Flood final : public ByzantineScript {
 public:
  explicit Flood(ByzantineHands hands) : ByzantineScript(std::move(hands)) {
    copies_ = hands_.prng.between(2, 6);
  }
  void on_send(node::ReplicaId to, node::MessageClass message_class,
               const node::SharedBytes& bytes) override {
    for (std::uint64_t i = 0; i < copies_; ++i) transmit(to, message_class, bytes);
  }
  void on_tick() override {
    const node::ReplicaId to = others()[hands_.prng.below(others().size())];
    const consensus::Status status = hands_.status();
    const Height height{status.certified.value + hands_.prng.below(40)};
    const crypto::Vote vote{View{status.view.value + hands_.prng.below(3)}, height, random_hash()};
    switch (hands_.prng.below(8)) {
      case 0:
        return say(to, MessageKind::prepare, encode(vote));
      case 1:
        return say(to, MessageKind::commit, encode(vote));
      case 2:
        return say(to, MessageKind::suspect,
                   encode(pbft::Suspect{vote.view, pbft::SuspectReason::no_heartbeat}));
      case 3:
        return fetch(to, {hands_.prng.next(), consensus::FetchBlocks{Height{1}}});
      case 4:
        return fetch(to, {hands_.prng.next(), consensus::FetchBodies{height, vote.digest}});
      case 5:
        return fetch(to, {hands_.prng.next(), consensus::FetchBatch{height, vote.digest}});
      default:
        return;
    }
  }

 private:
  Hash random_hash() {
    Hash out;
    for (std::uint8_t& byte : out.bytes) byte = static_cast<std::uint8_t>(hands_.prng.next());
    return out;
  }
  void fetch(node::ReplicaId to, const consensus::Fetch& what) {
    say(to, MessageKind::fetch, encode(what));
  }
  std::uint64_t copies_ = 2;
};

/// Wants to leave every view, for any reason that there is.
class ConstantSuspect final : public ByzantineScript {
 public:
  using ByzantineScript::ByzantineScript;
  void on_tick() override {
    if (hands_.events.now().value < next_at_) return;
    next_at_ = hands_.events.now().value + 200;
    const consensus::Status status = hands_.status();
    const auto reason = static_cast<pbft::SuspectReason>(hands_.prng.between(1, 4));
    say_to_all(MessageKind::suspect, encode(pbft::Suspect{status.view, reason}));
    if (status.view_change > status.view) {
      say_to_all(MessageKind::suspect, encode(pbft::Suspect{status.view_change, reason}));
    }
  }

 private:
  std::uint64_t next_at_ = 0;
};

/// Some messages, or some kinds, or those of some spells, come seconds late.
class TimeShift final : public ByzantineScript {
 public:
  explicit TimeShift(ByzantineHands hands) : ByzantineScript(std::move(hands)) {
    percent_ = chance(50) ? 100 : hands_.prng.between(2, 30);
    kind_ = static_cast<MessageKind>(hands_.prng.between(1, 10));
    delay_ms_max_ = hands_.prng.between(500, 20'000);
  }
  void on_send(node::ReplicaId to, node::MessageClass message_class,
               const node::SharedBytes& bytes) override {
    const auto message = peek(*bytes);
    const bool meant = message && (percent_ < 100 || message->kind == kind_);
    const bool shifted = meant && chance(percent_);
    transmit(to, message_class, bytes, shifted ? hands_.prng.below(delay_ms_max_) : 0);
  }

 private:
  std::uint64_t percent_ = 0;
  MessageKind kind_{};
  std::uint64_t delay_ms_max_ = 0;
};

}  // namespace

std::unique_ptr<ByzantineScript> make_conduct_script(ByzantineKind kind, ByzantineHands& hands) {
  if (kind == ByzantineKind::silent) return std::make_unique<Silent>(std::move(hands));
  if (kind == ByzantineKind::slow_primary) return std::make_unique<SlowPrimary>(std::move(hands));
  if (kind == ByzantineKind::censoring_primary) {
    return std::make_unique<CensoringPrimary>(std::move(hands));
  }
  if (kind == ByzantineKind::body_withholding) {
    return std::make_unique<BodyWithholding>(std::move(hands));
  }
  if (kind == ByzantineKind::flood) return std::make_unique<Flood>(std::move(hands));
  if (kind == ByzantineKind::constant_suspect) {
    return std::make_unique<ConstantSuspect>(std::move(hands));
  }
  if (kind == ByzantineKind::time_shift) return std::make_unique<TimeShift>(std::move(hands));
  return nullptr;
}

}  // namespace baolian::sim
