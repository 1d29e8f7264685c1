#include "sim/byzantine.h"

#include "core/assert.h"

namespace baolian::sim {

std::optional<ByzantineKind> find_byzantine(std::string_view name) {
  for (std::size_t i = 0; i < kByzantineNames.size(); ++i) {
    if (kByzantineNames[i] == name) return static_cast<ByzantineKind>(i);
  }
  return std::nullopt;
}

ByzantineScript::ByzantineScript(ByzantineHands hands) : hands_(std::move(hands)) {
  const std::size_t validators = hands_.world.validator_count;
  second_half_.resize(hands_.world.node_signers.size());
  for (std::size_t i = 0; i < validators; ++i) {
    if (i != hands_.self) others_.push_back(static_cast<node::ReplicaId>(i));
  }
  for (const node::ReplicaId other : others_) second_half_[other] = chance(50);
  if (others_.size() < 2) return;
  const std::size_t one = hands_.prng.below(others_.size());
  second_half_[others_[one]] = true;
  second_half_[others_[(one + 1) % others_.size()]] = false;
}

void ByzantineScript::on_broadcast(node::MessageClass message_class,
                                   const node::SharedBytes& bytes) {
  for (const node::ReplicaId to : others_) on_send(to, message_class, bytes);
}

void ByzantineScript::say_to_all(consensus::MessageKind kind, const Bytes& body) {
  const node::SharedBytes bytes = hands_.forge.message(kind, body);
  for (const node::ReplicaId to : others_) transmit(to, class_of(kind), bytes);
}

std::unique_ptr<ByzantineScript> make_byzantine(ByzantineKind kind, ByzantineHands hands) {
  if (auto script = make_conduct_script(kind, hands)) return script;
  if (auto script = make_voting_script(kind, hands)) return script;
  if (auto script = make_proposal_script(kind, hands)) return script;
  if (auto script = make_view_script(kind, hands)) return script;
  if (auto script = make_certificate_script(kind, hands)) return script;
  auto script = make_fuzzing_script(kind, hands);
  ASSERT(script != nullptr);
  return script;
}

}  // namespace baolian::sim
