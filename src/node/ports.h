/// The ports of the replica driver: everything it may touch of the world. The threaded runtime
/// (replica.h) and the simulator (sim/) implement them; the driver cannot tell which.
///
/// Answers come back through methods of ReplicaDriver, on the core thread. An implementation may
/// call back from inside the port's method or later; the driver queues what comes while it works.
///
/// Time is no port: it enters with ReplicaDriver::on_tick().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "consensus/engine.h"
#include "core/ids.h"
#include "crypto/certificate.h"

namespace baolian::node {

using consensus::MessageClass;
using consensus::ReplicaId;
using consensus::SharedBytes;

/// Sends to peers, which have the same numbers for as long as the process lives: validators of the
/// genesis by their index, then the other nodes. Never blocks: what a peer's queue cannot hold is
/// dropped and counted there; the protocol's STATUS and the driver's retries make up for it.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual void send(ReplicaId to, MessageClass message_class, SharedBytes bytes) = 0;
  /// To every validator of the genesis but this node.
  virtual void send_to_validators(MessageClass message_class, SharedBytes bytes) = 0;
  /// Disconnects a peer that sent what no correct node sends. `reason` holds no personal data.
  virtual void ban(ReplicaId peer, std::string reason) = 0;
};

/// The consensus log. Appends and cuts are carried out in the order of the calls.
class LogStore {
 public:
  virtual ~LogStore() = default;
  /// Answer, in the order of the calls, once the records are durable: on_persisted(id).
  virtual void append(PersistId id, std::vector<consensus::LogRecord> records) = 0;
  /// Begins a new segment with `snapshot`, makes it durable and removes the older ones. No answer.
  virtual void cut(consensus::LogRecord snapshot) = 0;
};

/// A decided height on its way to execution.
struct ExecuteRequest {
  Height height;
  Hash digest;
  SharedBytes batch;  ///< canonical Batch; null for the null batch
  std::vector<SharedBytes> bodies;
};

/// An executed height.
struct AppliedBlock {
  Height height;
  Bytes header;  ///< canonical header
  Hash header_hash;
  std::vector<TxHash> transactions;
  std::vector<SharedBytes> bodies;  ///< in the order of `transactions`
  /// The change of validators that this height fixed (consensus.md 1.10).
  std::optional<crypto::EpochRecord> next_epoch{};
  std::size_t waiting_bytes = 0;  ///< memory of rows that wait for a flush
  std::size_t gather_bytes = 0;   ///< how much is best before one; 0: the driver's own measure
};

/// Execution and the chain. Calls are carried out in order.
class Application {
 public:
  virtual ~Application() = default;
  /// Answer: on_applied, in order of heights; or on_execution_failed, after which nothing more is
  /// executed.
  virtual void execute(ExecuteRequest request) = 0;
  /// Stores a certificate that is durable in the log; its height may be executed later.
  virtual void put_certificate(crypto::ExecCertificate certificate) = 0;
  /// Answer: on_blocks_read(wanted, canonical SyncBlocks of its epoch from `first` on), possibly
  /// none.
  virtual void read_blocks(const consensus::ReadBlocks& wanted) = 0;
  /// Answer: on_flushed(durable height).
  virtual void flush() = 0;
};

/// A transaction that passed check_body(), which alone makes one.
class CheckedTransaction {
 public:
  const TxHash& hash() const { return hash_; }
  const TxId& id() const { return id_; }
  const SharedBytes& bytes() const { return bytes_; }
  std::size_t operation_count() const { return operation_count_; }
  /// Key writes that it declares (contracts::declared_weight).
  std::uint64_t weight() const { return weight_; }

 private:
  friend Result<CheckedTransaction> check_body(SharedBytes, const ChainId&,
                                               const crypto::EpochRecord&, const crypto::Verifier&);
  CheckedTransaction() = default;
  TxHash hash_;
  TxId id_;
  SharedBytes bytes_;
  std::size_t operation_count_ = 0;
  std::uint64_t weight_ = 0;
};

/// The stateless check of one transaction: canonical, sizes, chain, signature under the key that it
/// carries, and its declared weight. Thread-safe. Returns: the errors of ledger::check_transaction;
/// Errc::limit_exceeded above the epoch's transaction_weight_max, for it could fit into no block.
Result<CheckedTransaction> check_body(SharedBytes bytes, const ChainId& chain,
                                      const crypto::EpochRecord& epoch,
                                      const crypto::Verifier& verifier);

/// What became of the check of one body.
struct BodyVerdict {
  TxHash hash;
  Result<CheckedTransaction> transaction;
  bool executed = false;  ///< its tx_id stands in the chain already
};

/// Checks bodies, in the node in a pool of threads.
class BodyVerifier {
 public:
  virtual ~BodyVerifier() = default;
  /// Answer: on_verified(verdict). `hash` is tx_hash(*bytes).
  virtual void verify(TxHash hash, SharedBytes bytes) = 0;
};

/// What the driver tells whoever watches this node; calls come on the core thread.
class Watcher {
 public:
  virtual ~Watcher() = default;
  /// DIVERGED, HALT or rolled back: the engine votes no more. Raise an alarm.
  virtual void on_stop(consensus::Stop::Kind kind, const std::string& reason) = 0;
};

}  // namespace baolian::node
