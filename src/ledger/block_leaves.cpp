#include "ledger/block_leaves.h"

namespace baolian::ledger {
namespace {

Error corrupt_block(std::string what) { return fail(Errc::store_corrupt, std::move(what)); }

/// The leaves of one transaction; takes their receipts from `receipt` on.
Result<void> add_leaves(const Bytes& canonical, const std::vector<Bytes>& receipts,
                        std::size_t& receipt, std::vector<OperationLeaf>& leaves) {
  auto transaction = decode<Transaction>(canonical);
  if (!transaction) return corrupt_block("a transaction does not decode");
  if (receipt >= receipts.size()) return corrupt_block("a receipt is missing");
  const TransactionBody& body = transaction->body;
  const auto first = decode<Receipt>(receipts[receipt]);
  if (!first) return corrupt_block("a receipt does not decode");
  OperationLeaf leaf;
  leaf.tx_hash = tx_hash(canonical);
  leaf.sender = body.sender;
  if (first->status == ReceiptStatus::transaction_rejected) {
    leaf.op_index = kWholeTransaction;
    leaf.receipt = receipts[receipt++];
    leaves.push_back(std::move(leaf));
    return ok();
  }
  for (std::size_t i = 0; i < body.operations.size(); ++i) {
    if (receipt >= receipts.size()) return corrupt_block("a receipt is missing");
    leaf.op_index = static_cast<std::uint16_t>(i);
    leaf.operation = encode(body.operations[i]);
    leaf.receipt = receipts[receipt++];
    leaves.push_back(leaf);
  }
  return ok();
}

}  // namespace

Result<std::vector<OperationLeaf>> leaves_of_block(const StoredBlock& block) {
  std::vector<OperationLeaf> leaves;
  leaves.reserve(block.receipts.size());
  std::size_t receipt = 0;
  for (const Bytes& transaction : block.transactions) {
    TRY(add_leaves(transaction, block.receipts, receipt, leaves));
  }
  if (receipt != block.receipts.size()) return corrupt_block("a receipt belongs to no operation");
  return leaves;
}

}  // namespace baolian::ledger
