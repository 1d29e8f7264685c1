/// From the bodies and receipts of a block back to its operation leaves.
#pragma once

#include <vector>

#include "core/result.h"
#include "ledger/store.h"

namespace baolian::ledger {

/// In order, as operations_root is over them. Returns: Errc::store_corrupt, saying why bodies and
/// receipts do not give any.
Result<std::vector<OperationLeaf>> leaves_of_block(const StoredBlock& block);

}  // namespace baolian::ledger
