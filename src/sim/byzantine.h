/// Nodes that do not follow the rules: scripts that stand between a whole production node and the
/// network (testing.md, fault model; L3 ByzzFuzz, L4 scripted adversaries).
///
/// The node behind a script is the production node with its own key. The script sees every message
/// that it sends and may drop, change, re-sign, double, delay, replay and add; it may also close
/// the node's ears. It holds no key but its own, so it can forge nothing that others sign.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/prng.h"
#include "sim/event_queue.h"
#include "sim/wire.h"
#include "sim/world.h"

namespace baolian::sim {

enum class ByzantineKind : std::uint8_t {
  silent,                ///< sends nothing, or nothing to some
  equivocating_primary,  ///< other batches, sound ones, to half of the others
  equivocating_voter,    ///< other PREPAREs, COMMITs and EXECs to half of the others
  slow_primary,          ///< proposes late, but before any timer
  censoring_primary,     ///< never proposes what one sender sends
  wrong_exec,            ///< signs header hashes that execution did not give
  forged_certificates,   ///< short, doubled, foreign and altered certificates wherever they travel
  replay,                ///< old messages again; signatures of another epoch, chain or type
  hidden_prepared,       ///< VIEW-CHANGE that hides P, or has an old checkpoint
  bad_new_view,          ///< NEW-VIEW with wrong O, chosen or repeated VCs, or two of them
  huge_view,             ///< views of 2^62 and above
  body_withholding,      ///< proposes what nobody else has, and serves nobody
  flood,                 ///< many messages of every kind
  lying_status,          ///< heights and views that it does not have
  constant_suspect,      ///< suspects every primary, always
  mutate,                ///< ByzzFuzz: one field of one message is another
  time_shift,            ///< ByzzFuzz: some messages come very late
  usurper,               ///< proposes in views of which it is not primary
  time_liar,             ///< proposes with the time of another hour, or just beyond the bounds
  window_runner,         ///< proposes heights above the window of everybody
  partial_new_view,      ///< sends NEW-VIEW to no more than it needs
  kCount
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(ByzantineKind::kCount)>
    kByzantineNames = {"silent",
                       "equivocating_primary",
                       "equivocating_voter",
                       "slow_primary",
                       "censoring_primary",
                       "wrong_exec",
                       "forged_certificates",
                       "replay",
                       "hidden_prepared",
                       "bad_new_view",
                       "huge_view",
                       "body_withholding",
                       "flood",
                       "lying_status",
                       "constant_suspect",
                       "mutate",
                       "time_shift",
                       "usurper",
                       "time_liar",
                       "window_runner",
                       "partial_new_view"};
inline std::string_view byzantine_name(ByzantineKind kind) {
  return kByzantineNames[static_cast<std::size_t>(kind)];
}
std::optional<ByzantineKind> find_byzantine(std::string_view name);

/// What a script may use of the node that it stands before.
struct ByzantineHands {
  const World& world;
  node::ReplicaId self;
  EventQueue& events;
  Forge forge;
  Prng prng;
  /// Puts a message on the network, past the script.
  std::function<void(node::ReplicaId to, node::MessageClass, node::SharedBytes,
                     std::uint64_t delay_ms)>
      transmit;
  std::function<consensus::Status()> status;
  std::function<node::SharedBytes(const TxHash&)> find_body;  ///< of its pool; null if unknown
};

class ByzantineScript {
 public:
  explicit ByzantineScript(ByzantineHands hands);
  virtual ~ByzantineScript() = default;

  /// The node sends one message to one replica.
  virtual void on_send(node::ReplicaId to, node::MessageClass message_class,
                       const node::SharedBytes& bytes) {
    transmit(to, message_class, bytes);
  }
  /// The node sends to all other validators. Default: on_send to each.
  virtual void on_broadcast(node::MessageClass message_class, const node::SharedBytes& bytes);
  /// A message arrives. False: the node does not hear of it.
  virtual bool on_receive(node::ReplicaId, node::MessageClass, BytesView) { return true; }
  /// A client brings a transaction. False: it is not admitted.
  virtual bool admits(BytesView) { return true; }
  /// About every 10 ms.
  virtual void on_tick() {}

 protected:
  void transmit(node::ReplicaId to, node::MessageClass message_class, node::SharedBytes bytes,
                std::uint64_t delay_ms = 0) {
    hands_.transmit(to, message_class, std::move(bytes), delay_ms);
  }
  /// Signs and sends a message of its own making.
  void say(node::ReplicaId to, consensus::MessageKind kind, Bytes body) {
    transmit(to, class_of(kind), hands_.forge.message(kind, std::move(body)));
  }
  void say_to_all(consensus::MessageKind kind, const Bytes& body);
  const std::vector<node::ReplicaId>& others() const { return others_; }
  /// A fixed half of the others: at least one is in it, and at least one is not.
  bool in_second_half(node::ReplicaId id) const { return second_half_[id]; }
  bool chance(std::uint64_t percent) { return hands_.prng.chance_percent(percent); }

  ByzantineHands hands_;

 private:
  std::vector<node::ReplicaId> others_;
  std::vector<bool> second_half_;
};

std::unique_ptr<ByzantineScript> make_byzantine(ByzantineKind kind, ByzantineHands hands);

// One maker a file of scripts; null if the kind is of another file.
std::unique_ptr<ByzantineScript> make_voting_script(ByzantineKind kind, ByzantineHands& hands);
std::unique_ptr<ByzantineScript> make_proposal_script(ByzantineKind kind, ByzantineHands& hands);
std::unique_ptr<ByzantineScript> make_view_script(ByzantineKind kind, ByzantineHands& hands);
std::unique_ptr<ByzantineScript> make_certificate_script(ByzantineKind kind, ByzantineHands& hands);
std::unique_ptr<ByzantineScript> make_fuzzing_script(ByzantineKind kind, ByzantineHands& hands);
std::unique_ptr<ByzantineScript> make_conduct_script(ByzantineKind kind, ByzantineHands& hands);

}  // namespace baolian::sim
