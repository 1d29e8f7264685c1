/// One block against its header, from the bytes alone: what verify-node, archives and whoever reads
/// blocks from a peer's disk have in common. Nothing here ends the process on bad bytes.
#pragma once

#include <functional>
#include <vector>

#include "core/result.h"
#include "crypto/signing.h"
#include "ledger/audit/report.h"
#include "ledger/header.h"
#include "ledger/operation_index.h"
#include "ledger/store.h"
#include "ledger/transaction.h"

namespace baolian::ledger {

/// What a batch of consensus says of a block. The ledger does not know the batch's format.
struct BatchFacts {
  Hash digest;
  std::optional<TimeMs> proposed_at;  ///< none for the null batch
  std::vector<TxHash> transactions;
};
/// Reads the batch bytes of a stored block (empty: the null batch of the header's height).
/// Returns: codec errors; Errc::bad_block for a batch of another height or epoch.
using BatchReader = std::function<Result<BatchFacts>(const Header& header, BytesView batch)>;

enum class TransactionSignatures : std::uint8_t {
  verified,
  skipped,  ///< the certified batch names the hash over body and signature all the same
};

/// A transaction of a block.
struct BlockTransaction {
  TxId id;
  std::uint32_t first_leaf = 0;
  bool rejected_whole = false;
};

/// What could be read of a block. `is_whole` if everything below holds against the header;
/// otherwise the lists may be incomplete.
struct CheckedBlock {
  bool is_whole = false;
  std::vector<Hash> leaf_hashes;
  std::vector<BlockTransaction> transactions;
  std::vector<OperationRow> operations;  ///< the index row that each leaf must have
};

/// How a block is checked.
struct BlockRules {
  const ChainId& chain_id;
  const BatchReader& batches;
  const crypto::Verifier& verifier;
  TransactionSignatures signatures = TransactionSignatures::verified;
};

/// Checks batch digest, timestamp, bodies against the batch, receipts against operations_root. The
/// header itself is taken as it is. Findings go to `report` with the header's height.
/// Requires: a height above 0.
CheckedBlock check_block(const StoredBlock& block, const Header& header, TimeMs parent_timestamp,
                         const BlockRules& rules, AuditReport& report);

/// The transactions of a block without any check; what cannot be read is left out.
std::vector<BlockTransaction> transactions_of(const StoredBlock& block);

}  // namespace baolian::ledger
