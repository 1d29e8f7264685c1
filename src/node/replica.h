/// One replica as threads: the production runtime around ReplicaDriver (architecture.md, "Threads
/// of a node"). The network stays outside: whoever owns it implements Transport and calls receive()
/// (mesh_transport.h).
///
/// | thread | does |
/// |---|---|
/// | core | driver and engine; the only one that touches them |
/// | log | writes and fdatasyncs the consensus log (log_store.h) |
/// | executor | contracts, chain, certificates, flushes, reading blocks for peers |
/// | verify (1 or more) | checks of transaction bodies |
/// | listener | tells who waits for certified heights |
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "crypto/signing.h"
#include "ledger/chain.h"
#include "ledger/genesis.h"
#include "node/log_store.h"
#include "node/ports.h"
#include "node/replica_driver.h"

namespace baolian::node {

/// The keys of all nodes by ReplicaId: validators ascending, then observers ascending.
std::vector<PublicKey> replica_keys(const ledger::Genesis& genesis);

/// A running validator or observer.
///
/// Threads: all functions are thread-safe unless they say otherwise.
class Replica {
 public:
  struct Config {
    std::string directory;  ///< holds log/ and store/; must exist
    ledger::Genesis genesis;
    std::shared_ptr<const crypto::Signer> signer;  ///< the node's consensus key
    const crypto::Verifier* verifier = &crypto::ed25519_verifier();
    std::size_t verify_threads = 1;
    std::size_t log_segment_bytes = 16 * 1024 * 1024;
    std::shared_ptr<const ledger::Archive> archive;  ///< for pruned blocks; may be null
    std::uint64_t tick_ms = 10;
    std::size_t inbox_bytes_max = 64 * 1024 * 1024;  ///< of peers' messages; receive() waits above
    ReplicaDriver::Config driver;                    ///< `engine` is filled in from the genesis
    /// DIVERGED, HALT, a failed execution: call the operator. Runs on the core thread.
    std::function<void(const std::string& reason)> on_alarm;
    /// A snapshot of the others is here as a whole new store: stop and open this node again, which
    /// takes it. Runs on a thread that must not be waited for by whoever stops the node.
    std::function<void()> on_joined;
    /// A snapshot could not be made: the node goes on without. Any thread.
    std::function<void(const std::string& reason)> on_snapshot_problem;
    std::uint64_t snapshot_heights = 0;  ///< a snapshot at every multiple of this; 0: none
    std::uint64_t snapshot_gap_ms = 0;   ///< but no sooner than this after the one before
  };
  struct Status {
    consensus::Status consensus;
    ReplicaDriver::Figures figures;
    std::size_t pool_transactions = 0;
    std::size_t pool_bytes = 0;
    std::uint64_t log_syncs = 0;                ///< fdatasyncs of the consensus log since the start
    std::vector<consensus::Evidence> evidence;  ///< validators that contradicted themselves (N8)
    consensus::ProbeCounts probes;              ///< rare branches taken since the start
    SnapshotProgress transfer;                  ///< a snapshot that is being fetched
    std::string alarm;  ///< why the node votes no more; empty while all is well
  };

  /// Opens store and log and recovers; nothing runs or is sent before start().
  /// Returns: Errc::config_invalid if the key is no node of the genesis; Errc::log_corrupt, also
  /// for a validator whose log is gone while its chain is not (it may have forgotten votes);
  /// the errors of ledger::open_rocksdb_store, ledger::Chain::open and LogFile::open.
  static Result<std::unique_ptr<Replica>> open(Config config);
  /// Stops.
  ~Replica();
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  /// Starts the threads. The transport must outlive stop(). Call once.
  void start(Transport& transport);
  /// Ends the threads and flushes everything that was executed. Safe to call again. The transport
  /// must have stopped calling receive() or must bear that it does nothing.
  void stop();

  /// A frame from a peer. Waits while more than inbox_bytes_max wait for the core thread.
  void receive(ReplicaId from, MessageClass message_class, SharedBytes bytes);

  /// Takes a transaction of this institution: checks it, keeps it, pushes it to all validators. The
  /// same bytes again are a success too, waiting or executed: ask the chain for the outcome.
  /// Returns: the hash; the errors of ledger::check_transaction; Errc::busy if the pool is full
  /// (send the same bytes later); Errc::closed when stopping. Waits for the core thread (well below
  /// a millisecond unless it is overloaded); not to be called on it or on the alarm callback.
  Result<TxHash> submit(Bytes canonical_transaction);
  /// The same without waiting: `done` runs on the core thread (or here, for a refusal) and must be
  /// quick.
  void submit(Bytes canonical_transaction, std::function<void(Result<TxHash>)> done);

  /// Calls `listener` for each height, in order and once a run, when it and all below are executed
  /// here and a certificate that covers them is durable. The first height is the one after
  /// chain().certified_height() at open(): what is older must be read from the chain. Runs on the
  /// listener thread, so a slow listener delays others but not the node. Call before start().
  void on_certified(std::function<void(Height)> listener);
  /// Waits until the height is certified as above. False when the time is over or the node stops.
  bool wait_certified(Height height, std::uint64_t timeout_ms) const;

  Status status() const;
  const ledger::Chain& chain() const;
  /// Chain::prune() and Chain::reclaim(), for one thread beside the executor.
  void prune(Height last);
  void reclaim(std::atomic<bool>& cancelled);
  /// This run of this disk, for HELLO.
  BootRecord boot() const;
  ReplicaId self() const;
  bool is_validator() const;

 private:
  struct State;
  explicit Replica(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace baolian::node
