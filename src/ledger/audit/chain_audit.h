/// Checks a whole chain store against the genesis: every block, certificate and epoch, the history,
/// the state, the complete logs, the index, the marks, and that no row is there without a reason.
///
/// What is trusted: the genesis, its block 0 as this program makes it, and this program. The root
/// of trust above that is the validators' signatures: a certificate that holds decides which header
/// is right, and certifies all below it through parent_hash.
///
/// Memory: the state tree (as in a node), 8 bytes an operation, 20 bytes a block; rows are
/// streamed.
#pragma once

#include <vector>

#include "crypto/certificate.h"
#include "crypto/validator_set.h"
#include "ledger/audit/audit_store.h"
#include "ledger/audit/block_check.h"
#include "ledger/audit/report.h"
#include "ledger/genesis.h"
#include "ledger/state_view.h"

namespace baolian::ledger {

class Archive;

struct ChainAuditConfig {
  const Genesis& genesis;
  const StateOverlay::Writes& genesis_writes;  ///< what contracts make of the genesis
  const BatchReader& batches;
  const crypto::Verifier& verifier;
  TransactionSignatures signatures = TransactionSignatures::verified;
  const Archive* archive = nullptr;  ///< where pruned blocks are; null: nowhere
};

/// What a checked store holds, for what is compared with it.
struct ChainAuditResult {
  Height newest;
  Height certified;  ///< newest height with a certificate that holds
  Height pruned;     ///< the store has no blocks of heights 1 up to it
  Height base;       ///< of the snapshot with which the chain began; 0: with block 0
  /// Epoch 0 and those whose records hold, ascending.
  std::vector<crypto::EpochRecord> epochs;
};

/// Findings, remarks and counts go to `report`. Bytes on disk cannot end the process.
ChainAuditResult audit_chain(const AuditStore& store, const ChainAuditConfig& config,
                             AuditReport& report);

/// The store's header of that height; none if there is none, or none that can be read.
std::optional<Header> header_in(const AuditStore& store, Height height);

/// Another node's newest certified header.
struct Checkpoint {
  Header header;
  crypto::ExecCertificate certificate;
};
enum class CheckpointAnswer : std::uint8_t {
  same,     ///< our header at that height is the same
  behind,   ///< it is above our newest height, or below our base: nothing to compare with
  differs,  ///< two headers of one height, or no certificate: see the report
};
/// Checks the certificate by the epochs of `chain` and compares the header with ours.
CheckpointAnswer compare_checkpoint(const AuditStore& store, const ChainAuditConfig& config,
                                    const ChainAuditResult& chain, const Checkpoint& other,
                                    AuditReport& report);

}  // namespace baolian::ledger
