// Scripts about proposals: two of them, by the wrong one, at the wrong time or height.
#include <algorithm>
#include <map>

#include "consensus/pbft/messages.h"
#include "core/codec.h"
#include "sim/byzantine.h"

namespace baolian::sim {

namespace {

using consensus::MessageKind;
namespace pbft = consensus::pbft;

/// As primary it proposes another batch than its node made to some of the others, and its own
/// PREPARE and COMMIT to them are for that batch.
class OtherBatch : public ByzantineScript {
 public:
  using ByzantineScript::ByzantineScript;
  void on_send(node::ReplicaId to, node::MessageClass message_class,
               const node::SharedBytes& bytes) override {
    if (!is_meant(to)) return transmit(to, message_class, bytes);
    const auto message = peek(*bytes);
    if (!message || message->sender != hands_.self) return transmit(to, message_class, bytes);
    if (message->kind == MessageKind::pre_prepare) return propose_other(to, *message, bytes);
    if (message->kind != MessageKind::prepare && message->kind != MessageKind::commit) {
      return transmit(to, message_class, bytes);
    }
    auto vote = decode<crypto::Vote>(message->body);
    if (!vote) return transmit(to, message_class, bytes);
    const auto other = other_.find({vote->view, vote->height});
    if (other == other_.end()) return transmit(to, message_class, bytes);
    vote->digest = other->second.vote.digest;
    say(to, message->kind, encode(*vote));
  }

 protected:
  /// Who gets the other batch.
  virtual bool is_meant(node::ReplicaId to) = 0;
  virtual void change(consensus::Batch& batch) = 0;

 private:
  void propose_other(node::ReplicaId to, const MessageView& message,
                     const node::SharedBytes& bytes) {
    auto proposal = decode<pbft::PrePrepare>(message.body);
    if (!proposal) return transmit(to, node::MessageClass::proposal, bytes);
    const auto slot = std::pair(proposal->vote.view, proposal->vote.height);
    auto other = other_.find(slot);
    if (other == other_.end() && chance(70)) {
      auto batch = decode<consensus::Batch>(proposal->batch);
      if (!batch) return transmit(to, node::MessageClass::proposal, bytes);
      change(*batch);
      proposal->batch = encode(*batch);
      proposal->vote.digest = consensus::batch_digest(proposal->batch);
      other = other_.emplace(slot, *std::move(proposal)).first;
    }
    if (other == other_.end()) return transmit(to, node::MessageClass::proposal, bytes);
    say(to, MessageKind::pre_prepare, encode(other->second));
  }

  std::map<std::pair<View, Height>, pbft::PrePrepare> other_;
};

/// To half of the others, and sound in everything. Either half may win; both must not.
class EquivocatingPrimary final : public OtherBatch {
 public:
  using OtherBatch::OtherBatch;

 private:
  bool is_meant(node::ReplicaId to) override { return in_second_half(to); }
  /// Fewer transactions, another order, or another time: all of them could be proposed.
  void change(consensus::Batch& batch) override {
    const std::uint64_t way = hands_.prng.below(4);
    if (way == 0 && batch.transactions.size() > 1) {
      std::reverse(batch.transactions.begin(), batch.transactions.end());
    } else if (way == 1 && !batch.transactions.empty()) {
      batch.transactions.pop_back();
    } else if (way == 2 && !batch.transactions.empty()) {
      batch.transactions.clear();
    } else {
      batch.proposed_at = TimeMs{batch.proposed_at.value + 1};
    }
  }
};

/// To everybody: an hour off, or just beyond what a correct clock may take (1.11).
class TimeLiar final : public OtherBatch {
 public:
  using OtherBatch::OtherBatch;

 private:
  static constexpr std::uint64_t kHourMs = 3'600'000;

  bool is_meant(node::ReplicaId) override { return true; }
  void change(consensus::Batch& batch) override {
    std::uint64_t& at = batch.proposed_at.value;
    switch (hands_.prng.below(4)) {
      case 0:
        at += kHourMs;
        return;
      case 1:
        at -= kHourMs;
        return;
      case 2:
        at += hands_.prng.between(400, 5'000);
        return;
      default:
        at -= hands_.prng.between(9'900, 30'000);
        return;
    }
  }
};

/// An empty batch, sound but for what the script is about.
pbft::PrePrepare empty_proposal(const ByzantineHands& hands, View view, Height height) {
  consensus::Batch batch;
  batch.epoch = hands.forge.epoch();
  batch.height = height;
  batch.origin_view = view;
  batch.proposer = hands.self;
  batch.proposed_at = hands.events.wall();
  pbft::PrePrepare out;
  out.batch = encode(batch);
  out.vote = {view, height, consensus::batch_digest(out.batch)};
  return out;
}

/// Proposes in the place of the primary, before its proposal can be there.
class Usurper final : public ByzantineScript {
 public:
  using ByzantineScript::ByzantineScript;
  void on_tick() override {
    if (!chance(20)) return;
    const consensus::Status status = hands_.status();
    if (!status.active || status.is_leader) return;
    const Height height{status.highest_seen.value + 1 + hands_.prng.below(3)};
    say_to_all(MessageKind::pre_prepare, encode(empty_proposal(hands_, status.view, height)));
  }
};

/// As primary it fills the memory of everybody with heights that are not to be voted on yet.
class WindowRunner final : public ByzantineScript {
 public:
  using ByzantineScript::ByzantineScript;
  void on_tick() override {
    constexpr std::uint64_t kAtOnce = 10;
    constexpr std::uint64_t kHeights = 400;
    const consensus::Status status = hands_.status();
    if (!status.is_leader) return;
    const Height above{status.certified.value + hands_.world.genesis.epoch.log_window};
    if (view_ != status.view) next_ = above;
    view_ = status.view;
    next_ = std::max(next_, above);
    for (std::uint64_t i = 0; i < kAtOnce && next_ < above + kHeights; ++i) {
      next_ = next_.next();
      say_to_all(MessageKind::pre_prepare, encode(empty_proposal(hands_, status.view, next_)));
    }
  }

 private:
  std::optional<View> view_;
  Height next_;
};

}  // namespace

std::unique_ptr<ByzantineScript> make_proposal_script(ByzantineKind kind, ByzantineHands& hands) {
  if (kind == ByzantineKind::equivocating_primary) {
    return std::make_unique<EquivocatingPrimary>(std::move(hands));
  }
  if (kind == ByzantineKind::usurper) return std::make_unique<Usurper>(std::move(hands));
  if (kind == ByzantineKind::time_liar) return std::make_unique<TimeLiar>(std::move(hands));
  if (kind == ByzantineKind::window_runner) return std::make_unique<WindowRunner>(std::move(hands));
  return nullptr;
}

}  // namespace baolian::sim
