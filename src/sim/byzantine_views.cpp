// Scripts about views: what is hidden, chosen or invented in a view change.
#include <algorithm>
#include <map>

#include "consensus/pbft/messages.h"
#include "consensus/pbft/proposals.h"
#include "core/codec.h"
#include "crypto/hash.h"
#include "sim/byzantine.h"

namespace baolian::sim {

namespace {

using consensus::MessageKind;
namespace pbft = consensus::pbft;

/// Hides what it prepared: P without entries, with the oldest only, or above an older checkpoint.
class HiddenPrepared final : public ByzantineScript {
 public:
  using ByzantineScript::ByzantineScript;
  void on_send(node::ReplicaId to, node::MessageClass message_class,
               const node::SharedBytes& bytes) override {
    const auto message = peek(*bytes);
    if (!message || message->kind != MessageKind::view_change) {
      return transmit(to, message_class, bytes);
    }
    auto change = decode<pbft::ViewChange>(message->body);
    if (!change) return;
    // One message a view: a replica that contradicts itself is told by its evidence.
    const auto [held, is_new] = said_.emplace(change->new_view, Bytes{});
    if (is_new) held->second = encode(hide(*std::move(change)));
    say(to, MessageKind::view_change, held->second);
  }

 private:
  pbft::ViewChange hide(pbft::ViewChange change) {
    if (change.checkpoint && chance(25)) checkpoints_.push_back(*change.checkpoint);
    const std::uint64_t way = hands_.prng.below(4);
    if (way == 0 || change.prepared.empty()) {
      change.prepared.clear();
    } else if (way == 1) {
      change.prepared.resize(1);
    } else if (way == 2) {
      const auto at = static_cast<std::ptrdiff_t>(hands_.prng.below(change.prepared.size()));
      change.prepared.erase(change.prepared.begin() + at);
    }
    if (way == 3 || chance(30)) {
      if (!checkpoints_.empty() && chance(70)) {
        change.checkpoint = checkpoints_[hands_.prng.below(checkpoints_.size())];
        change.certified = change.checkpoint->vote.height;
      } else {
        change.checkpoint = std::nullopt;  // as if it had never moved from the genesis
        change.certified = Height{};
      }
      const Height top{change.certified.value + 16};
      std::erase_if(change.prepared, [&](const auto& entry) { return entry.vote.height > top; });
    }
    return change;
  }

  std::map<View, Bytes> said_;
  std::vector<crypto::ExecCertificate> checkpoints_;
};

/// As primary of a new view it breaks the rules of NEW-VIEW, and sometimes opens views unasked.
class BadNewView final : public ByzantineScript {
 public:
  using ByzantineScript::ByzantineScript;
  bool on_receive(node::ReplicaId, node::MessageClass, BytesView bytes) override {
    remember(bytes);
    return true;
  }
  void on_send(node::ReplicaId to, node::MessageClass message_class,
               const node::SharedBytes& bytes) override {
    remember(*bytes);
    const auto message = peek(*bytes);
    if (!message || message->kind != MessageKind::new_view || message->sender != hands_.self) {
      return transmit(to, message_class, bytes);
    }
    auto view = decode<pbft::NewView>(message->body);
    if (!view) return;
    if (way_ < 0 || chance(20)) way_ = static_cast<int>(hands_.prng.below(8));
    if (way_ == 7 && !in_second_half(to)) return transmit(to, message_class, bytes);
    spoil(*view);
    say(to, MessageKind::new_view, encode(*view));
  }
  void on_tick() override {
    if (!chance(1) || !chance(30)) return;
    // A view that nobody asked for, resting on view changes of some other view.
    const std::uint64_t count = hands_.world.validator_count;
    const std::uint64_t now = hands_.status().view.value;
    std::uint64_t next = now + 1;
    while (next % count != hands_.self) ++next;
    pbft::NewView view;
    view.view = View{next};
    rest_on(view, latest_, quorum());
    say_to_all(MessageKind::new_view, encode(view));
  }

 private:
  std::size_t quorum() const {
    const std::size_t count = hands_.world.validator_count;
    return (count + (count - 1) / 3) / 2 + 1;
  }
  /// H(O) of an O without any proposal.
  static Hash proposals_hash(View view, Height checkpoint) {
    return crypto::sha256(encode(pbft::Proposals{view, checkpoint, {}}));
  }

  void remember(BytesView bytes) {
    const auto message = peek(bytes);
    if (!message || message->kind != MessageKind::view_change) return;
    auto body = decode<pbft::ViewChange>(message->body);
    if (!body) return;
    const Hash hash = crypto::sha256(message->body);
    const auto latest = latest_.find(message->sender);
    if (latest != latest_.end() && latest->second.message_hash == hash) return;
    if (latest != latest_.end()) earlier_[message->sender] = latest->second;
    latest_[message->sender] = {message->sender, *std::move(body), hash, nullptr};
  }

  using Heard = std::map<ValidatorIndex, pbft::HeldViewChange>;
  /// Names `count` of these view changes, whatever view they were for, with the O that follows.
  void rest_on(pbft::NewView& view, const Heard& heard, std::size_t count) {
    std::vector<pbft::SharedViewChange> chosen;
    view.view_changes.clear();
    for (const auto& [sender, held] : heard) {
      if (chosen.size() == count) break;
      auto copy = std::make_shared<pbft::HeldViewChange>(held);
      copy->message.new_view = view.view;
      chosen.push_back(std::move(copy));
      view.view_changes.push_back({sender, held.message_hash});
    }
    if (chosen.empty()) return;
    const auto outcome = pbft::compute_proposals(
        hands_.world.chain_id, hands_.world.genesis.epoch.epoch, view.view, chosen);
    view.proposals_hash = pbft::proposals_hash(outcome.proposals);
  }

  /// Each way breaks one rule of V5 to V7.
  void spoil(pbft::NewView& view) {
    switch (way_) {
      case 0:
        view.proposals_hash.bytes[0] ^= 1;
        return;
      case 1:  // as if nothing had been prepared
        view.proposals_hash = proposals_hash(view.view, hands_.status().certified);
        return;
      case 2:
        if (!view.view_changes.empty()) view.view_changes.pop_back();
        return;
      case 3:  // one view change in the place of another
        if (view.view_changes.size() > 1) {
          view.view_changes[1].message_hash = view.view_changes[0].message_hash;
        }
        return;
      case 4:  // one that nobody sent
        if (!view.view_changes.empty()) view.view_changes.back().message_hash.bytes[5] ^= 1;
        return;
      case 5:  // true ones, of a view of the past
        if (earlier_.size() >= quorum()) rest_on(view, earlier_, quorum());
        return;
      case 6: {  // one too few, without one other, and the O that follows
        Heard fewer = latest_;
        std::erase_if(fewer,
                      [&](const auto& one) { return one.second.message.new_view != view.view; });
        if (fewer.size() > 1)
          fewer.erase(fewer.begin()->first == hands_.self ? std::next(fewer.begin())
                                                          : fewer.begin());
        rest_on(view, fewer, quorum() - 1);
        return;
      }
      default:  // a second one, to half of the others
        view.proposals_hash = proposals_hash(view.view, Height{hands_.status().certified.value});
        return;
    }
  }

  int way_ = -1;
  Heard latest_;
  Heard earlier_;  ///< the one before the latest of each
};

/// Views at the edges of what a number can hold, wherever a view may stand.
class HugeView final : public ByzantineScript {
 public:
  using ByzantineScript::ByzantineScript;
  void on_send(node::ReplicaId to, node::MessageClass message_class,
               const node::SharedBytes& bytes) override {
    const auto message = peek(*bytes);
    if (!message || !chance(10)) return transmit(to, message_class, bytes);
    if (message->kind == MessageKind::status) {
      auto status = decode<consensus::StatusBody>(message->body);
      if (!status) return;
      (chance(50) ? status->view : status->view_change) = huge();
      return say(to, MessageKind::status, encode(*status));
    }
    if (message->kind == MessageKind::view_change) {
      auto change = decode<pbft::ViewChange>(message->body);
      if (!change) return;
      change->new_view = huge();
      return say(to, MessageKind::view_change, encode(*change));
    }
    transmit(to, message_class, bytes);
  }
  void on_tick() override {
    if (!chance(4)) return;
    if (chance(50)) {
      return say_to_all(MessageKind::suspect,
                        encode(pbft::Suspect{huge(), pbft::SuspectReason::no_heartbeat}));
    }
    pbft::ViewChange change;
    change.new_view = huge();
    say_to_all(MessageKind::view_change, encode(change));
  }

 private:
  /// Mostly below the limit of 2^62, so that the network goes on listening.
  View huge() {
    if (chance(1)) return View{chance(50) ? consensus::kViewLimit : UINT64_MAX};
    return View{chance(70) ? consensus::kViewLimit - 1 : hands_.status().view.value + 1000};
  }
};

/// Claims heights, views and progress that it does not have, and asks for help that it does not
/// need.
class LyingStatus final : public ByzantineScript {
 public:
  using ByzantineScript::ByzantineScript;
  void on_send(node::ReplicaId to, node::MessageClass message_class,
               const node::SharedBytes& bytes) override {
    const auto message = peek(*bytes);
    if (!message || message->kind != MessageKind::status) {
      return transmit(to, message_class, bytes);
    }
    auto status = decode<consensus::StatusBody>(message->body);
    if (!status) return;
    switch (hands_.prng.below(6)) {
      case 0:
        status->certified = status->executed = Height{status->certified.value + 1'000'000};
        break;
      case 1:
        status->certified = status->executed = Height{};
        break;
      case 2:
        status->executed = Height{UINT64_MAX};
        break;
      case 3:
        status->view = View{status->view.value + hands_.prng.below(5)};
        status->active = !status->active;
        break;
      case 4:
        status->progress.assign(16, consensus::Progress::committed);
        break;
      default:
        status->view_change = View{status->view.value + 1};
        break;
    }
    say(to, MessageKind::status, encode(*status));
  }
};

/// As primary of a new view it tells one replica less than all: that one needs others to hear of
/// it.
class PartialNewView final : public ByzantineScript {
 public:
  using ByzantineScript::ByzantineScript;
  void on_send(node::ReplicaId to, node::MessageClass message_class,
               const node::SharedBytes& bytes) override {
    const auto message = peek(*bytes);
    if (!message || message->sender != hands_.self) return transmit(to, message_class, bytes);
    if (message->kind == MessageKind::new_view) {
      const auto view = decode<pbft::NewView>(message->body);
      if (view) left_out_ = others()[view->view.value / (others().size() + 1) % others().size()];
      if (to == left_out_) return;
    } else if (message->kind == MessageKind::reply && to == left_out_) {
      const auto reply = decode<consensus::Reply>(message->body);
      if (reply && std::holds_alternative<consensus::ReplyNewView>(reply->what)) return;
    }
    transmit(to, message_class, bytes);
  }

 private:
  std::optional<node::ReplicaId> left_out_;  ///< of its newest view
};

}  // namespace

std::unique_ptr<ByzantineScript> make_view_script(ByzantineKind kind, ByzantineHands& hands) {
  if (kind == ByzantineKind::hidden_prepared) {
    return std::make_unique<HiddenPrepared>(std::move(hands));
  }
  if (kind == ByzantineKind::bad_new_view) return std::make_unique<BadNewView>(std::move(hands));
  if (kind == ByzantineKind::huge_view) return std::make_unique<HugeView>(std::move(hands));
  if (kind == ByzantineKind::partial_new_view) {
    return std::make_unique<PartialNewView>(std::move(hands));
  }
  if (kind == ByzantineKind::lying_status) return std::make_unique<LyingStatus>(std::move(hands));
  return nullptr;
}

}  // namespace baolian::sim
