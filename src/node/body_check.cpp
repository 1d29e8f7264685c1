#include "ledger/transaction.h"
#include "node/ports.h"

namespace baolian::node {

Result<CheckedTransaction> check_body(SharedBytes bytes, const ChainId& chain,
                                      const crypto::Verifier& verifier) {
  ASSERT(bytes != nullptr);
  TRY(const ledger::Transaction transaction, ledger::check_transaction(*bytes, chain, verifier));
  CheckedTransaction out;
  out.hash_ = ledger::tx_hash(*bytes);
  out.id_ = ledger::tx_id(transaction.body);
  out.operation_count_ = transaction.body.operations.size();
  out.bytes_ = std::move(bytes);
  return out;
}

}  // namespace baolian::node
