/// Runs decided batches through the contracts and the chain, one height after the other. The node
/// calls it on its executor thread, the simulator from its event queue: the same code.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "crypto/signing.h"
#include "ledger/chain.h"
#include "node/ports.h"

namespace baolian::node {

/// The change of validators that the block of a height fixes, if any: what governance operations
/// say. It is asked with every height at which no change is pending, with the record in force, and
/// must answer alike on every node. The record that it gives gets its number and first height here.
using EpochChanges = std::function<std::optional<crypto::EpochRecord>(
    Height height, const crypto::EpochRecord& present)>;

/// Deterministic: the same chain and requests give the same headers on every node.
///
/// Signatures of transactions are not checked here: a batch is prepared only after every correct
/// validator checked its bodies (consensus.md 1.3), and a block that came by sync carries a
/// certificate. The verifier serves cosignatures, which need the state.
///
/// Ownership:   neither the chain nor the verifier; both outlive it.
/// Threads:     one at a time.
class Executor {
 public:
  Executor(ledger::Chain& chain, const crypto::Verifier& verifier, EpochChanges changes = {});

  /// Executes the next height. A height that the chain has already is answered from it.
  /// Returns: Errc::bad_block if the height is not the next one, or batch or bodies are not what
  /// the digest promises: more than F validators are faulty, and nothing may go on.
  Result<AppliedBlock> execute(const ExecuteRequest& request);

  /// Stores the certificate, now or when its height is executed. A certificate of another header
  /// than the one executed here is not stored (the engine stops as DIVERGED).
  void put_certificate(const crypto::ExecCertificate& certificate);

  /// A block that was executed here and that no certificate has confirmed yet.
  struct UncertifiedBlock {
    Bytes header;
    ledger::StateOverlay::Writes writes;  ///< of the contracts, and frontiers of logs
  };
  /// Those of this run, for the inquiry when this node has diverged (N7); as many as the window.
  const std::map<Height, UncertifiedBlock>& uncertified() const { return uncertified_; }

  /// Every height up to this one is executed and, itself or through a later header, certified here.
  Height acknowledged() const;

  /// Canonical consensus::SyncBlocks from `wanted.first` on: at most wanted.count_max, and at most
  /// wanted.bytes_max in all but at least one; empty if `first` is not certified here.
  std::vector<SharedBytes> read_blocks(const consensus::ReadBlocks& wanted) const;

  /// Makes everything durable. Returns the durable height.
  Height flush();
  /// The same in two parts: any one thread may finish while this one executes what follows.
  Height begin_flush() { return chain_.begin_flush(); }
  Height finish_flush(Height begun);

 private:
  Result<ledger::ExecutedBlock> run(const ExecuteRequest& request, const ledger::Header& parent,
                                    std::vector<TxHash>& transactions) const;
  std::optional<crypto::EpochRecord> change_fixed_by(Height height,
                                                     const crypto::EpochRecord& present) const;
  std::optional<consensus::SyncBlock> sync_block(Height height) const;
  void store_if_own(const crypto::ExecCertificate& certificate);

  ledger::Chain& chain_;
  const crypto::Verifier& verifier_;
  EpochChanges changes_;
  std::map<Height, crypto::ExecCertificate> early_;  // certified before executed here; at most L
  std::map<Height, UncertifiedBlock> uncertified_;
};

}  // namespace baolian::node
