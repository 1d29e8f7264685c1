/// The network that a simulation is about: a genesis of toy keys, one institution a node.
#pragma once

#include <memory>
#include <vector>

#include "consensus/engine.h"
#include "crypto/signing.h"
#include "ledger/genesis.h"

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

  bool is_validator(consensus::ReplicaId id) const { return id < validator_count; }
};

/// A world that depends on its arguments alone.
World make_world(std::size_t validators, std::size_t observers, std::uint64_t seed);

}  // namespace baolian::sim
