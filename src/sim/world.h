/// The network that a simulation is about: a genesis of toy keys, one institution a node.
#pragma once

#include <memory>
#include <vector>

#include "consensus/engine.h"
#include "crypto/signing.h"
#include "ledger/genesis.h"
#include "node/executor.h"

namespace baolian::sim {

/// A member that sends transactions.
struct Sender {
  std::shared_ptr<const crypto::Signer> signer;
  InstitutionId institution;
  MemberId member;  ///< a person: clinician
  MemberId vault;   ///< the institution's vault
};

struct World {
  ledger::Genesis genesis;
  ChainId chain_id;
  /// By ReplicaId: validators ascending by key, then observers ascending by key.
  std::vector<std::shared_ptr<const crypto::Signer>> node_signers;
  std::size_t validator_count = 0;
  std::vector<Sender> senders;  ///< two an institution: a clinician and a gateway
  /// What governance will decide: the blocks that fix a change of validators. Empty: none.
  node::EpochChanges epoch_changes;

  std::vector<PublicKey> node_keys() const;  ///< by ReplicaId
  bool is_validator(consensus::ReplicaId id) const { return id < validator_count; }
};

/// The first block at or above `height` in the epoch before fixes these validators for the next.
struct PlannedChange {
  Height height;
  std::vector<consensus::ReplicaId> validators;  ///< by their number in the world
};
/// Plans the changes from epoch 0 to 1, from 1 to 2 and so on.
void plan_changes(World& world, const std::vector<PlannedChange>& changes);

/// A world that depends on its arguments alone.
World make_world(std::size_t validators, std::size_t observers, std::uint64_t seed,
                 crypto::ConsensusKind consensus = crypto::ConsensusKind::pbft);

}  // namespace baolian::sim
