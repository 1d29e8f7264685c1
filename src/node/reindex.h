/// Makes the index of a stored chain again from its blocks (`baoliand --reindex`): entries of
/// complete logs, their subtrees, places of transactions, rows of operations.
///
/// To which logs an operation is appended is decided by contracts and stands in no block. So all
/// blocks are executed again from the genesis, by the same executor, over a state of their own that
/// is thrown away; every header that comes out must be the stored one. It is therefore also a check
/// that this program executes the whole chain as its validators did.
///
/// Crash: before the first row goes the mark of the index says that it is not whole, and a node
/// does not open such a store. Whoever runs it again begins anew.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "crypto/signing.h"
#include "ledger/genesis.h"
#include "ledger/store.h"

namespace baolian::node {

/// Heights done of how many.
using ReindexProgress = std::function<void(Height done, Height newest)>;

/// `scratch` is empty and takes the state: about as large as the chain's own. The verifier checks
/// cosignatures again. Returns: the newest height; Errc::pruned (nothing was changed) and
/// Errc::wrong_chain as StoredChain::open; Errc::store_corrupt, Errc::bad_block with the height
/// whose block cannot be read or gives another header.
Result<Height> reindex(ledger::KeyValueStore& store, std::unique_ptr<ledger::KeyValueStore> scratch,
                       const ledger::Genesis& genesis, const crypto::Verifier& verifier,
                       const ReindexProgress& progress);

/// The same for a node's data directory; the state stands in its reindex.tmp/ meanwhile. Returns
/// also: Errc::io_failed, for example while the node runs.
Result<Height> reindex_directory(const std::string& data_directory, const ledger::Genesis& genesis,
                                 const ReindexProgress& progress);

}  // namespace baolian::node
