#include "sim/checker.h"

#include <algorithm>

#include "core/codec.h"
#include "crypto/certificate.h"
#include "crypto/hash.h"
#include "node/ports.h"
#include "sim/checker_words.h"

namespace baolian::sim {

namespace {

/// What correct limits never reach: a pool of 8 MiB with the bodies of a whole window beside it,
/// and a log that is cut every few seconds.
constexpr std::size_t kPoolBytesMax = 48 * 1024 * 1024;
constexpr std::size_t kLogBytesMax = 64 * 1024 * 1024;

}  // namespace

Checker::Checker(const World& world) : world_(world) {
  epochs_.emplace(world.genesis.epoch.epoch, world.genesis.epoch);
}

void Checker::on_epoch(node::ReplicaId node, const crypto::EpochRecord& next) {
  if (!is_correct(node)) return;
  const auto [known, is_new] = epochs_.emplace(next.epoch, next);
  if (!is_new && known->second != next) {
    violation("I1: " + name(node) + " fixed another epoch " + std::to_string(next.epoch.value));
  }
}

const crypto::EpochRecord* Checker::record_of(Epoch epoch) const {
  const auto found = epochs_.find(epoch);
  return found == epochs_.end() ? nullptr : &found->second;
}

std::size_t Checker::quorum(Epoch epoch) const {
  const crypto::EpochRecord* record = record_of(epoch);
  const std::size_t count = record == nullptr ? world_.validator_count : record->validators.size();
  if (record != nullptr && record->consensus_kind == crypto::ConsensusKind::raft) {
    return count / 2 + 1;
  }
  return (count + (count - 1) / 3) / 2 + 1;
}

RaftChecker::Membership Checker::membership(Epoch epoch) const {
  RaftChecker::Membership out;
  const crypto::EpochRecord* record = record_of(epoch);
  if (record == nullptr) return out;
  out.base = Height{record->first_height.value - 1};
  for (std::size_t i = 0; i < record->validators.size(); ++i) {
    const auto node = node_of(epoch, static_cast<ValidatorIndex>(i));
    if (node.has_value()) out.voters.push_back(*node);
  }
  return out;
}

std::optional<node::ReplicaId> Checker::node_of(Epoch epoch, ValidatorIndex validator) const {
  const crypto::EpochRecord* record = record_of(epoch);
  if (record == nullptr || validator >= record->validators.size()) return std::nullopt;
  for (std::size_t i = 0; i < world_.node_signers.size(); ++i) {
    if (world_.node_signers[i]->public_key() == record->validators[validator]) {
      return static_cast<node::ReplicaId>(i);
    }
  }
  return std::nullopt;
}

void Checker::on_executed(node::ReplicaId node, const ledger::Chain& chain, Height height) {
  if (!is_correct(node)) return;
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
  const bool votes =
      crypto::validator_index(chain.epoch_at(height), world_.node_signers[node]->public_key())
          .has_value();
  if (!votes && height > certified_height()) {
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

void Checker::on_certified(node::ReplicaId node, const crypto::ExecCertificate& certificate) {
  const Height height = certificate.vote.height;
  // A valid certificate is one whoever holds it first; what else a Byzantine node holds is nothing.
  if (is_correct(node)) {
    check_certificate(node, certificate);
  } else if (!is_valid(certificate)) {
    return;
  }
  const auto [known, is_new] = certified_.emplace(height, certificate.vote.header_hash);
  if (!is_new && known->second != certificate.vote.header_hash) {
    return violation("I1: two certificates for different headers" + at(height));
  }
  if (const auto block = blocks_.find(height);
      block != blocks_.end() && block->second.header_hash != certificate.vote.header_hash) {
    violation("I1: the certificate is of another block than the executed one" + at(height));
  }
}

void Checker::on_status(node::ReplicaId node, const consensus::Status& status) {
  if (!is_correct(node)) return;
  NodeView& view = nodes_[{node, status.epoch}];
  Height& executed = executed_by_[node];
  if (status.executed < executed) {
    violation("I6: the executed height of " + name(node) + " went back");
  }
  executed = status.executed;
  if (status.silent) return;  // of what it was in this epoch it knows nothing, and says nothing
  if (status.view < view.view) violation("I6: the view of " + name(node) + " went back");
  if (status.certified < view.certified) violation("I6: h of " + name(node) + " went back");
  if (status.view_change < durable_[{node, status.epoch}].view_change) {
    violation("I6: " + name(node) + " has forgotten its newest VIEW-CHANGE");
  }
  view.view = status.view;
  view.certified = status.certified;
  highest_view_ = std::max(highest_view_, status.view);
}

void Checker::on_stopped(node::ReplicaId node, const std::string& reason) {
  if (is_correct(node)) violation("I16: " + name(node) + " stopped: " + reason);
}

void Checker::on_banned(node::ReplicaId by, node::ReplicaId peer, const std::string& reason) {
  if (!is_correct(by)) return;
  if (!is_correct(peer)) {
    ++bans_;
    return;
  }
  violation("a correct node was banned: " + name(peer) + " by " + name(by) + ": " + reason);
}

void Checker::on_evidence(node::ReplicaId node, const std::vector<consensus::Evidence>& evidence) {
  if (!is_correct(node)) return;
  if (evidence.empty()) return;
  NodeView& view = nodes_[{node, evidence.front().epoch}];
  for (std::size_t i = view.evidence; i < evidence.size(); ++i) {
    const consensus::Evidence& one = evidence[i];
    ++evidence_;
    const auto signer = node_of(one.epoch, one.signer);
    if (!signer || is_correct(*signer)) {
      return violation("I4: " + name(node) + " has evidence against a correct validator");
    }
    const crypto::EpochRecord& epoch = *record_of(one.epoch);
    const auto is_signed = [&](const Bytes& body, const Signature& signature) {
      return crypto::toy_verifier().verify_object(epoch.validators[one.signer], one.type,
                                                  world_.chain_id, one.epoch, crypto::sha256(body),
                                                  signature);
    };
    if (one.first_body == one.second_body || !is_signed(one.first_body, one.first_signature) ||
        !is_signed(one.second_body, one.second_signature)) {
      return violation("N8: " + name(node) + " holds evidence that proves nothing");
    }
  }
  view.evidence = evidence.size();
}

void Checker::on_bounds(node::ReplicaId node, std::size_t pool_bytes, std::size_t log_bytes) {
  if (!is_correct(node)) return;
  if (pool_bytes > kPoolBytesMax) violation("I15: the pool of " + name(node) + " has no bound");
  if (log_bytes > kLogBytesMax) violation("I15: the log of " + name(node) + " has no bound");
}

void Checker::on_restarted(node::ReplicaId node, Height executed) {
  executed_by_[node] = executed;
  for (auto& [of, view] : nodes_) {
    if (of.first == node) view.evidence = 0;
  }
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
