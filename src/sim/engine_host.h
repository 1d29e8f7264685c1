/// One engine alone with a disk that syncs at once, an execution that hashes the batch, and a store
/// in memory: what the twins generator drives by the hundred thousand.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "consensus/engine.h"
#include "crypto/signing.h"

namespace baolian::sim {

/// Validators with toy keys, and the epoch that they make.
struct EngineKeys {
  explicit EngineKeys(std::size_t validators);

  ChainId chain;
  crypto::EpochRecord epoch;
  std::vector<std::shared_ptr<const crypto::Signer>> signers;  ///< by validator index
};

/// Threads: none. Ownership: not the keys.
class EngineHost {
 public:
  struct Around {
    std::function<void(const consensus::Send&)> send;
    std::function<consensus::SharedBytes(const TxHash&)> find_body;
    std::function<void(Height, const Hash& batch_digest)> on_executed;
    std::function<void(const crypto::ExecCertificate&)> on_certified;
    std::function<void(const std::string& reason)> on_stop;
    std::function<void(consensus::ReplicaId peer, const std::string& reason)> on_ban;
  };
  /// `is_copy`: it knows that its key acts elsewhere too, and does not stop for it.
  EngineHost(const EngineKeys& keys, ValidatorIndex id, bool is_copy, Around around);

  consensus::ReplicaId id() const { return id_; }
  const consensus::Engine& engine() const { return *engine_; }

  void tick(Tick now);
  void propose(const TxHash& hash, const consensus::SharedBytes& body);
  void deliver(consensus::ReplicaId from, const consensus::SharedBytes& bytes);

 private:
  struct Block {
    Bytes header;
    Hash header_hash;
    consensus::SharedBytes batch;
    std::vector<consensus::SharedBytes> bodies;
    std::optional<crypto::ExecCertificate> certificate;
  };
  void give(consensus::Input input);
  void handle(consensus::Effect& effect);
  void execute(consensus::Commit& commit);
  std::vector<consensus::SharedBytes> read_blocks(const consensus::ReadBlocks& wanted) const;

  const EngineKeys& keys_;
  ValidatorIndex id_;
  Around around_;
  std::unique_ptr<consensus::Engine> engine_;
  std::deque<consensus::Input> inputs_;
  std::vector<Block> chain_;  ///< index = height
  Tick now_;
  bool working_ = false;
};

}  // namespace baolian::sim
