#include "contracts/parameters.h"
#include "ledger/transaction.h"
#include "node/ports.h"

namespace baolian::node {

Result<CheckedTransaction> check_body(SharedBytes bytes, const ChainId& chain,
                                      const crypto::EpochRecord& epoch,
                                      const crypto::Verifier& verifier) {
  ASSERT(bytes != nullptr);
  TRY(const ledger::Transaction transaction, ledger::check_transaction(*bytes, chain, verifier));
  CheckedTransaction out;
  out.weight_ = contracts::declared_weight(epoch, transaction.body);
  if (out.weight_ > contracts::parameter(epoch, contracts::ParameterId::transaction_weight_max)) {
    return fail(Errc::limit_exceeded, "the transaction declares too many key writes; divide it");
  }
  out.hash_ = ledger::tx_hash(*bytes);
  out.id_ = ledger::tx_id_of_canonical(*bytes);
  out.operation_count_ = transaction.body.operations.size();
  out.bytes_ = std::move(bytes);
  return out;
}

}  // namespace baolian::node
