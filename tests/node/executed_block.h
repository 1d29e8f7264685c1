/// Blocks of given transactions without contracts: their leaves say what the test wants.
#pragma once

#include <utility>
#include <vector>

#include "ledger/chain.h"
#include "ledger/fixture.h"
#include "ledger/transaction.h"

namespace baolian::node::test {

/// The leaves of one transaction. A rejected one has codes from 100 on, in order of its operations.
inline void add_transaction(ledger::ExecutedBlock& block, const Bytes& bytes,
                            ledger::ReceiptStatus status) {
  const auto transaction = decode<ledger::Transaction>(bytes).value();
  block.transactions.push_back(bytes);
  ledger::OperationLeaf leaf;
  leaf.tx_hash = ledger::tx_hash(bytes);
  leaf.sender = transaction.body.sender;
  const bool whole = status == ledger::ReceiptStatus::transaction_rejected;
  const std::size_t count = whole ? 1 : transaction.body.operations.size();
  for (std::size_t i = 0; i < count; ++i) {
    leaf.op_index = whole ? ledger::kWholeTransaction : static_cast<std::uint16_t>(i);
    if (!whole) leaf.operation = encode(transaction.body.operations[i]);
    ledger::Receipt receipt;
    receipt.status = status;
    receipt.code =
        status == ledger::ReceiptStatus::applied ? 0 : static_cast<std::uint16_t>(100 + i);
    leaf.receipt = encode(receipt);
    block.leaves.push_back(leaf);
  }
}

/// Executes the next block. Not certified yet.
inline void execute_block(ledger::Chain& chain, const std::vector<Bytes>& transactions, TimeMs time,
                          ledger::ReceiptStatus status = ledger::ReceiptStatus::applied,
                          ledger::StateOverlay::Writes writes = {}) {
  ledger::ExecutedBlock block;
  block.height = chain.height().next();
  block.timestamp = time;
  block.batch_digest = ledger::test::numbered<Hash>(block.height.value);
  for (const auto& bytes : transactions) add_transaction(block, bytes, status);
  block.writes = std::move(writes);
  chain.append(std::move(block));
}

}  // namespace baolian::node::test
