#include "ledger/audit/block_check.h"

#include <algorithm>

#include "ledger/merkle.h"

namespace baolian::ledger {
namespace {

std::string body_place(std::size_t index) { return "transaction " + std::to_string(index); }
std::string receipt_place(std::size_t index) { return "receipt " + std::to_string(index); }

/// Rebuilds the leaves of a block from bodies and receipts, transaction by transaction.
class LeafBuilder {
 public:
  explicit LeafBuilder(const std::vector<Bytes>& receipts) : receipts_(receipts) {}

  /// False if there are fewer receipts than the transaction has operations, or one of them does not
  /// decode; `damaged_receipt()` says which.
  bool add(const Bytes& canonical, const Transaction& transaction, CheckedBlock& out) {
    const auto first = next_ < receipts_.size() ? decode<Receipt>(receipts_[next_])
                                                : Result<Receipt>(fail(Errc::truncated, ""));
    if (!first) return false;
    const TransactionBody& body = transaction.body;
    const bool rejected_whole = first->status == ReceiptStatus::transaction_rejected;
    out.transactions.push_back({.id = tx_id_of_canonical(canonical),
                                .first_leaf = static_cast<std::uint32_t>(next_),
                                .rejected_whole = rejected_whole});
    OperationLeaf leaf;
    leaf.tx_hash = tx_hash(canonical);
    leaf.sender = body.sender;
    if (rejected_whole) {
      leaf.op_index = kWholeTransaction;
      leaf.receipt = receipts_[next_];
      return add_leaf(leaf, out);
    }
    for (std::size_t i = 0; i < body.operations.size(); ++i) {
      if (next_ >= receipts_.size()) return false;
      leaf.op_index = static_cast<std::uint16_t>(i);
      leaf.operation = encode(body.operations[i]);
      leaf.receipt = receipts_[next_];
      if (!add_leaf(leaf, out)) return false;
    }
    return true;
  }

  std::size_t damaged_receipt() const { return next_; }
  bool is_at_end() const { return next_ == receipts_.size(); }

 private:
  bool add_leaf(const OperationLeaf& leaf, CheckedBlock& out) {
    auto row = operation_row(leaf);
    if (!row) return false;
    out.operations.push_back(*std::move(row));
    out.leaf_hashes.push_back(merkle_leaf_hash(encode(leaf)));
    ++next_;
    return true;
  }

  const std::vector<Bytes>& receipts_;
  std::size_t next_ = 0;
};

class BlockCheck {
 public:
  BlockCheck(const StoredBlock& block, const Header& header, const BlockRules& rules,
             AuditReport& report)
      : block_(block), header_(header), rules_(rules), report_(report) {}

  CheckedBlock run(TimeMs parent_timestamp) {
    const bool batch_holds = check_batch(parent_timestamp);
    const bool bodies_hold = check_bodies(batch_holds);
    CheckedBlock out;
    const bool leaves_hold = bodies_hold && check_leaves(out);
    out.is_whole = batch_holds && leaves_hold;
    return out;
  }

 private:
  void found(Damage damage, std::string place, std::string what) {
    report_.found(damage, header_.height, std::move(place), std::move(what));
  }

  bool check_batch(TimeMs parent_timestamp) {
    auto facts = rules_.batches(header_, block_.batch);
    if (!facts) {
      found(Damage::batch, "batch", "it cannot be read: " + facts.error().context);
      return false;
    }
    batch_ = *std::move(facts);
    if (batch_.digest != header_.batch_digest) {
      found(Damage::batch, "batch", "it does not have the header's batch_digest");
      return false;
    }
    const TimeMs time =
        batch_.proposed_at ? std::max(parent_timestamp, *batch_.proposed_at) : parent_timestamp;
    if (header_.timestamp != time) {
      found(Damage::header, "timestamp", "it is not the batch's time, or below the parent's");
    }
    return true;
  }

  bool check_bodies(bool batch_holds) {
    const std::vector<Bytes>& bodies = block_.transactions;
    bool holds = true;
    if (batch_holds && bodies.size() != batch_.transactions.size()) {
      found(Damage::body, "transactions",
            std::to_string(bodies.size()) + " are stored, the batch lists " +
                std::to_string(batch_.transactions.size()));
      holds = false;
    }
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      const bool is_listed = i < batch_.transactions.size();
      if (batch_holds && is_listed && tx_hash(bodies[i]) != batch_.transactions[i]) {
        found(Damage::body, body_place(i), "it does not have the hash that the batch lists");
        holds = false;
        continue;
      }
      auto transaction = rules_.signatures == TransactionSignatures::verified
                             ? check_transaction(bodies[i], rules_.chain_id, rules_.verifier)
                             : decode<Transaction>(bodies[i]);
      if (!transaction) {
        found(Damage::body, body_place(i), transaction.error().context);
        holds = false;
      } else {
        transactions_.push_back(*std::move(transaction));
      }
    }
    return holds;
  }

  bool check_leaves(CheckedBlock& out) {
    LeafBuilder leaves(block_.receipts);
    for (std::size_t i = 0; i < block_.transactions.size(); ++i) {
      if (leaves.add(block_.transactions[i], transactions_[i], out)) continue;
      found(Damage::receipt, receipt_place(leaves.damaged_receipt()),
            "it is missing or does not decode");
      return false;
    }
    if (!leaves.is_at_end()) {
      found(Damage::receipt, receipt_place(leaves.damaged_receipt()), "it belongs to no operation");
      return false;
    }
    if (merkle_root(out.leaf_hashes) != header_.operations_root) {
      found(Damage::receipt, "receipts",
            "bodies and receipts do not give the header's operations_root, though the bodies are "
            "those of the batch");
      return false;
    }
    return true;
  }

  const StoredBlock& block_;
  const Header& header_;
  const BlockRules& rules_;
  AuditReport& report_;
  BatchFacts batch_;
  std::vector<Transaction> transactions_;
};

}  // namespace

CheckedBlock check_block(const StoredBlock& block, const Header& header, TimeMs parent_timestamp,
                         const BlockRules& rules, AuditReport& report) {
  ASSERT(header.height.value > 0);
  return BlockCheck(block, header, rules, report).run(parent_timestamp);
}

std::vector<BlockTransaction> transactions_of(const StoredBlock& block) {
  CheckedBlock out;
  LeafBuilder leaves(block.receipts);
  for (const Bytes& body : block.transactions) {
    const auto transaction = decode<Transaction>(body);
    if (!transaction || !leaves.add(body, *transaction, out)) break;
  }
  return std::move(out.transactions);
}

}  // namespace baolian::ledger
