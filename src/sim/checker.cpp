#include "sim/checker.h"

#include "consensus/pbft/messages.h"
#include "crypto/certificate.h"
#include "node/ports.h"

namespace baolian::sim {

using consensus::MessageKind;

namespace {

std::string name(node::ReplicaId id) { return "node " + std::to_string(id); }
std::string at(Height height) { return " at height " + std::to_string(height.value); }

/// What a vote binds: its slot and its digest.
struct Bound {
  View view;
  Height height;
  Hash digest;
};
std::optional<Bound> bound_by(const consensus::Envelope& envelope) {
  switch (envelope.kind) {
    case MessageKind::pre_prepare: {
      const auto body = decode<consensus::pbft::PrePrepare>(envelope.body);
      if (!body) return std::nullopt;
      return Bound{body->vote.view, body->vote.height, body->vote.digest};
    }
    case MessageKind::prepare:
    case MessageKind::commit: {
      const auto body = decode<crypto::Vote>(envelope.body);
      if (!body) return std::nullopt;
      return Bound{body->view, body->height, body->digest};
    }
    case MessageKind::exec: {
      const auto body = decode<crypto::ExecVote>(envelope.body);
      if (!body) return std::nullopt;
      return Bound{View{}, body->height, body->header_hash};
    }
    case MessageKind::suspect:
    case MessageKind::view_change:
    case MessageKind::new_view:
    case MessageKind::status:
    case MessageKind::fetch:
    case MessageKind::reply:
      break;
  }
  return std::nullopt;
}

}  // namespace

void Checker::on_sent(node::ReplicaId from, BytesView bytes) {
  const auto envelope = decode<consensus::Envelope>(bytes);
  // A vote of another validator that is only passed on is that one's matter.
  if (!envelope || envelope->sender != from) return;
  const bool is_vote = envelope->kind == MessageKind::pre_prepare ||
                       envelope->kind == MessageKind::prepare ||
                       envelope->kind == MessageKind::commit || envelope->kind == MessageKind::exec;
  if (!is_vote) return;
  const auto bound = bound_by(*envelope);
  if (!bound) return violation("I4: " + name(from) + " sent a vote that does not decode");
  const auto [slot, is_new] = signed_.emplace(
      std::tuple(from, envelope->epoch.value, envelope->kind, bound->view, bound->height),
      bound->digest);
  if (!is_new && slot->second != bound->digest) {
    violation("I4: " + name(from) + " signed two digests of one kind" + at(bound->height));
  }
}

void Checker::on_executed(node::ReplicaId node, const ledger::Chain& chain, Height height) {
  const auto header = chain.header(height);
  if (!header) return violation("I1: " + name(node) + " lacks the header it made" + at(height));
  const Block block{header->batch_digest, ledger::header_hash(*header)};
  const auto [known, is_new] = blocks_.emplace(height, block);
  if (!is_new && (known->second.batch_digest != block.batch_digest ||
                  known->second.header_hash != block.header_hash)) {
    violation("I1: " + name(node) + " executed another block than others" + at(height));
  }
  if (is_new) learn_block(chain, height);
  // The certificate of a later height certifies this one too, through parent_hash.
  if (!world_.is_validator(node) && height > certified_height()) {
    violation("I18: observer " + name(node) + " executed before any certificate" + at(height));
  }
  if (const auto certified = certified_.find(height);
      certified != certified_.end() && certified->second != block.header_hash) {
    violation("I5: " + name(node) + " executed another block than the certified one" + at(height));
  }
}

void Checker::learn_block(const ledger::Chain& chain, Height height) {
  const auto leaves = chain.leaves(height);
  const auto block = chain.block(height);
  if (!block) return violation("I1: a block that was just executed cannot be read" + at(height));
  std::map<TxHash, TxId> ids;
  for (const Bytes& body : block->transactions) {
    ids[ledger::tx_hash(body)] = ledger::tx_id_of_canonical(body);
  }
  std::map<TxId, bool> whole;  // rejected as a whole?
  for (const ledger::OperationLeaf& leaf : leaves) {
    const auto receipt = decode<ledger::Receipt>(leaf.receipt);
    if (!receipt) return violation("I1: a receipt does not decode" + at(height));
    const bool rejected = leaf.op_index == ledger::kWholeTransaction;
    if (receipt->status == ledger::ReceiptStatus::applied) ++applied_operations_;
    whole[ids.at(leaf.tx_hash)] = rejected;
    if (rejected) ++rejected_;
  }
  for (const auto& [id, rejected] : whole) {
    seen_in_.emplace(id, height);
    if (const auto sent = submitted_after_.find(id);
        sent != submitted_after_.end() && height <= sent->second) {
      violation("I12: a transaction sent after a certificate stands before it" + at(height));
    }
    if (rejected) continue;
    if (!executed_.emplace(id, height).second && executed_.at(id) != height) {
      violation("I3: a transaction was executed twice, the second time" + at(height));
    }
  }
}

void Checker::on_certified(const crypto::ExecCertificate& certificate) {
  const Height height = certificate.vote.height;
  const auto [known, is_new] = certified_.emplace(height, certificate.vote.header_hash);
  if (!is_new && known->second != certificate.vote.header_hash) {
    return violation("I1: two certificates for different headers" + at(height));
  }
  if (is_new) {
    const auto checked = crypto::check_certificate(certificate, world_.chain_id,
                                                   world_.genesis.epoch, crypto::toy_verifier());
    if (!checked) violation("I14: a certificate does not verify" + at(height));
  }
  if (const auto block = blocks_.find(height);
      block != blocks_.end() && block->second.header_hash != certificate.vote.header_hash) {
    violation("I1: the certificate is of another block than the executed one" + at(height));
  }
}

void Checker::on_status(node::ReplicaId node, const consensus::Status& status) {
  NodeView& view = nodes_[node];
  if (status.view < view.view) violation("I6: the view of " + name(node) + " went back");
  if (status.certified < view.certified) violation("I6: h of " + name(node) + " went back");
  if (status.executed < view.executed) {
    violation("I6: the executed height of " + name(node) + " went back");
  }
  view = {status.view, status.certified, status.executed};
}

void Checker::on_stopped(node::ReplicaId node, const std::string& reason) {
  violation("I16: " + name(node) + " stopped: " + reason);
}

void Checker::on_banned(node::ReplicaId by, node::ReplicaId peer, const std::string& reason) {
  violation("a correct node was banned: " + name(peer) + " by " + name(by) + ": " + reason);
}

void Checker::on_restarted(node::ReplicaId node, Height executed) {
  nodes_[node].executed = executed;
}

void Checker::on_submitted(const TxId& id) { submitted_after_.emplace(id, certified_height()); }

std::optional<Hash> Checker::certified_header(Height height) const {
  const auto at_height = certified_.find(height);
  if (at_height == certified_.end()) return std::nullopt;
  return at_height->second;
}

std::optional<Height> Checker::executed_at(const TxId& id) const {
  const auto found = executed_.find(id);
  if (found == executed_.end()) return std::nullopt;
  return found->second;
}

bool Checker::is_settled(const TxId& id) const {
  const auto found = seen_in_.find(id);
  return found != seen_in_.end() && found->second <= certified_height();
}

}  // namespace baolian::sim
