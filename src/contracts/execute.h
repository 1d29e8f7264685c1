/// Execution of transactions on the state: pure functions of (block, transaction, state). No clock,
/// file, network, float or randomness; the same bytes in give the same bytes out on every node.
#pragma once

#include "core/ids.h"
#include "crypto/signing.h"
#include "crypto/validator_set.h"
#include "ledger/chain.h"
#include "ledger/genesis.h"
#include "ledger/state_view.h"
#include "ledger/transaction.h"

namespace baolian::contracts {

/// What every operation of a block sees.
struct BlockContext {
  const ledger::Genesis& genesis;
  const crypto::EpochRecord& epoch;
  ChainId chain_id;
  Height height;
  TimeMs time;  ///< effective block time; the only clock
  const crypto::Verifier& verifier;
};

/// Executes one statelessly valid transaction (ledger::check_transaction) after those before it in
/// the block (tx_hash and tx_id are its own): judges sender, nonce and expiry, runs its operations
/// in order, and appends leaves and log appends to `out` (height and time of `out` are not
/// touched). Writes of an operation reach `state` only if it is applied. A transaction rejected as
/// a whole gives one leaf with op_index 0xFFFF.
void execute_transaction(const BlockContext& block, const ledger::Transaction& transaction,
                         const TxHash& tx_hash, const TxId& tx_id, ledger::StateOverlay& state,
                         ledger::ExecutedBlock& out);

/// Erases expired state from the front of its range, at most twice the block's operations
/// (ledger.md, end). Called once, after the last transaction of a block.
void finish_block(const BlockContext& block, std::size_t operation_count,
                  ledger::StateOverlay& state);

/// The state of block 0.
ledger::StateOverlay::Writes genesis_writes(const ledger::Genesis& genesis);

}  // namespace baolian::contracts
