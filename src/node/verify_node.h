/// Checks everything that a node keeps on its disk, without writing a byte and without asking
/// anybody: the chain store (ledger/audit), RocksDB's files, the consensus log, the vault and the
/// other durable files. `baolian audit verify-node` prints what it finds.
///
/// It is the answer to "was anything changed behind the node's back?": a block, a receipt, a value
/// of the state, an index row, a file. What it does not do: execute the blocks again. That the
/// state is what execution gives is what the validators' certificate over state_root says.
#pragma once

#include <optional>
#include <string>

#include "crypto/secret.h"
#include "ledger/audit/chain_audit.h"
#include "ledger/genesis.h"

namespace baolian::node {

struct VerifyNodeOptions {
  std::string data_directory;
  ledger::Genesis genesis;
  /// The node's key-encryption key. Without it sealed files are only looked at from outside.
  std::optional<crypto::Secret> key_encryption_key;
  ledger::TransactionSignatures signatures = ledger::TransactionSignatures::verified;
  std::optional<ledger::Checkpoint> checkpoint;  ///< of another node
  const crypto::Verifier* verifier = nullptr;    ///< null: by the genesis' algorithm, Ed25519
};

struct VerifyNodeAnswer {
  bool node_runs = false;                         ///< a process had the consensus log open
  std::optional<ledger::ChainAuditResult> chain;  ///< none if the store cannot be opened
  std::optional<ledger::CheckpointAnswer> checkpoint;
};

/// What is wrong goes to `report`. Nothing on the disk can make it fail or end the process.
VerifyNodeAnswer verify_node(const VerifyNodeOptions& options, ledger::AuditReport& report);

/// Reads consensus::Batch for the ledger's checks.
ledger::BatchReader batch_reader(const ChainId& chain_id);

/// Reads what `GET /v1/checkpoint` and `baolian --json audit checkpoint` give.
/// Returns: Errc::bad_json, Errc::limit_exceeded and the other errors of ledger::from_json_form.
Result<ledger::Checkpoint> checkpoint_from_json(std::string_view text);

}  // namespace baolian::node
