/// The engines of a node, one epoch after the other (consensus.md 1.10): which engine runs, what of
/// the log is its, how replicas are named in its epoch, and who serves peers that are still in an
/// epoch that ended here.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "consensus/engine.h"
#include "consensus/replica/past_epoch.h"
#include "ledger/chain.h"

namespace baolian::node {

using consensus::ReplicaId;

/// Nodes have one number each for as long as the process lives (the transport's); replicas are
/// named anew in every epoch. In the epoch of the genesis both are the same.
///
/// Ownership:   the engine; not the signer and the verifier.
/// Threads:     the core thread.
/// Persistence: take_opening(). While later records stand in the log already (a restart below the
///              end of an epoch), nothing is written, so the engine is silent and only follows: the
///              epoch has ended, and what a timer would have it say would not be remembered.
class EpochEngines {
 public:
  struct Config {
    /// Of every epoch; epoch, self, signer, observer_count, start and next_epoch are set here.
    consensus::EngineConfig engine;
    std::vector<PublicKey> nodes;            ///< consensus keys by node number
    ReplicaId self = 0;                      ///< number of this node
    const crypto::Signer* signer = nullptr;  ///< of this node
  };
  /// What log and store hold at the start.
  struct Recovered {
    std::vector<consensus::LogRecord> log;
    Height executed;
    Hash executed_header_hash;
    std::vector<crypto::EpochRecord> epochs;  ///< all that are fixed, from the genesis on
    /// How epochs after the first began, as far as the store has the certificates.
    std::vector<consensus::EpochStart> starts;
  };
  /// What a chain says; the log is added.
  static Recovered recovered_from(const ledger::Chain& chain,
                                  std::vector<consensus::LogRecord> log);
  /// Makes the engine of the epoch in which the store stands.
  /// Returns: Errc::log_corrupt if the log does not begin at or below the store's height.
  static Result<EpochEngines> recover(Config config, Recovered recovered);
  /// One engine of one epoch, for tests: there is no other.
  EpochEngines(const consensus::EngineConfig& config, std::unique_ptr<consensus::Engine> engine);

  consensus::Engine& engine() { return *engine_; }
  const consensus::Engine& engine() const { return *engine_; }
  const crypto::EpochRecord& epoch() const { return epoch_; }
  bool is_validator() const { return self_replica_ != consensus::kObserver; }
  ValidatorIndex self() const { return self_replica_; }
  ReplicaId node_of_self() const { return config_.self; }
  /// The log holds records of the next epoch already.
  bool is_replaying() const { return !later_.empty(); }

  /// The epoch ended: makes the engine of the next.
  /// Returns: Errc::log_corrupt if the log holds another epoch than the chain made.
  Result<void> begin(consensus::EpochStart next);
  /// The EPOCH record that must be appended before anything else of this engine; once, and only if
  /// the log lacks it.
  std::optional<consensus::LogRecord> take_opening();
  /// The certificate with which this epoch began; once. The store may have lost it in a crash, and
  /// peers of the epoch before, and evidence, need exactly this one.
  std::optional<crypto::ExecCertificate> take_start_certificate();

  ReplicaId replica_of(ReplicaId node) const { return replica_of_[node]; }
  ReplicaId node_of(ReplicaId replica) const { return node_of_[replica]; }
  std::size_t node_count() const { return replica_of_.size(); }
  /// In the epoch of the genesis: the transport knows who votes.
  bool is_first() const { return epoch_.epoch.value == 0; }
  /// Numbers of the validators of this epoch, without this node.
  const std::vector<ReplicaId>& other_validators() const { return other_validators_; }

  /// An epoch that ended here, for the messages of a node that is still in it; null if unknown.
  struct Past {
    consensus::PastEpoch server;
    std::vector<ReplicaId> replica_of;
    std::vector<ReplicaId> node_of;
  };
  Past* past(Epoch epoch);

 private:
  EpochEngines() = default;
  struct Names {
    std::vector<ReplicaId> replica_of;
    std::vector<ReplicaId> node_of;
    ValidatorIndex self = consensus::kObserver;
  };
  struct Part {
    std::optional<consensus::EpochStart> start;
    std::vector<consensus::LogRecord> records;

    Epoch epoch() const { return start.has_value() ? start->epoch.epoch : Epoch{}; }
  };
  /// Where an engine begins.
  struct Beginning {
    Part part;
    Height executed;
    Hash executed_header_hash;
    std::optional<crypto::EpochRecord> pending{};
    bool silent = false;
  };
  static Result<std::vector<Part>> split(std::vector<consensus::LogRecord> log);
  void silence_if_left(Beginning& beginning, Epoch epoch) const;
  static consensus::LogRecord opening_of(const consensus::EpochStart& start);
  Names names_in(const crypto::EpochRecord& epoch) const;
  void start_engine(Beginning beginning, const crypto::EpochRecord& epoch);
  /// The part of the log that is of this epoch, and what follows it into later_; none if the log
  /// says nothing of it.
  std::optional<Part> take_part(std::vector<Part> parts, Epoch epoch);
  void remember(const crypto::EpochRecord& ended, const consensus::EpochStart& next);

  Config config_;
  crypto::EpochRecord epoch_;
  std::unique_ptr<consensus::Engine> engine_;
  ValidatorIndex self_replica_ = consensus::kObserver;
  std::vector<ReplicaId> replica_of_;
  std::vector<ReplicaId> node_of_;
  std::vector<ReplicaId> other_validators_;
  std::vector<Part> later_;
  std::optional<consensus::LogRecord> opening_;
  std::optional<crypto::ExecCertificate> start_certificate_;
  std::map<Epoch, Past> past_;
};

}  // namespace baolian::node
