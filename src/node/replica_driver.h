/// The replica driver: the only interpreter of an engine's effects (architecture.md, "The engine").
/// It speaks to ports (ports.h) and never to threads, files, sockets or clocks, so that the
/// simulator runs it unchanged.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "consensus/engine.h"
#include "node/epoch_engines.h"
#include "node/ports.h"
#include "node/snapshot_exchange.h"
#include "node/transaction_pool.h"

namespace baolian::node {

/// Drives the engine of the epoch that runs, the transaction pool and the spreading of bodies.
///
/// Order:       a message that rides on a write is given to the transport only after the log said
///              that the write is durable, and before the engine hears of it.
/// Proposing:   an idle network gets a proposal at once; while heights are in flight the next batch
///              fills until it is full or its oldest transaction has waited linger_ms for each of
///              them. A network under load is idle for moments only: there a batch waits for
///              crowd_batch operations, crowd_linger_ms at most, if others come meanwhile: each
///              block costs what it costs however little it holds.
/// Epochs:      at the end of one the next engine takes over (epoch_engines.h); writes of the
///              engine before may still become durable, and what rides on them is still sent.
/// Ownership:   the engines; none of the ports, which outlive the driver.
/// Threads:     one, the core thread. Port methods may call back at once: what comes while an input
///              is worked on is queued.
class ReplicaDriver {
 public:
  struct Ports {
    Transport& transport;
    LogStore& log;
    Application& application;
    BodyVerifier& verifier;
    Watcher& watcher;
    SnapshotPort& snapshots;
  };
  struct Config {
    consensus::EngineConfig engine = {};  ///< chain and verifier, as the engines have them
    TransactionPool::Limits pool = {};
    TransactionPool::BatchLimits batch = {};
    std::uint64_t linger_ms = 15;          ///< for each height in flight
    std::uint64_t crowd_linger_ms = 40;    ///< with no height in flight, under load
    std::size_t crowd_batch = 500;         ///< a block of so many costs little more an operation
                                           ///< than a full one
    std::size_t crowd_operations = 160;    ///< load: so many are executed in crowd_linger_ms
    std::uint64_t closing_block_ms = 50;   ///< quiet time before an empty block closes the last one
    std::uint64_t fetch_delay_ms = 10;     ///< a push on its way mostly makes the fetch needless
    std::uint64_t fetch_again_ms = 100;    ///< then the next validator is asked
    std::uint64_t flush_quiet_ms = 1'000;  ///< the store is flushed and the log cut when nothing
                                           ///< was executed for so long, if anything was before
    std::uint64_t flush_ms = 60'000;       ///< or after this time
    std::uint64_t flush_heights = 4096;    ///< or after so many
    std::uint64_t flush_log_bytes = 32 * 1024 * 1024;  ///< or when the log has grown by this; less
                                                       ///< than consensus::kTailBytesMax
    std::size_t flush_store_bytes = 72 * 1024 * 1024;  ///< or when rows that wait take this, or
                                                       ///< more if the chain has memory for it
    std::size_t push_bytes_per_tick = 256 * 1024;      ///< bodies pushed again
    std::size_t serve_bytes_per_peer = 4 * 1024 * 1024;  ///< bodies a peer may fetch in 100 ms
    std::size_t verifying_max = 20'000;       ///< bodies pushed by peers that wait for their check
    SnapshotExchange::Config snapshots = {};  ///< genesis and verifier are needed
  };

  ReplicaDriver(Config config, Ports ports, EpochEngines engines);
  ~ReplicaDriver();

  /// Time passes. `now` never decreases. About every 10 ms.
  void on_tick(Tick now, TimeMs wall);
  /// A message from an authenticated peer.
  void on_message(ReplicaId from, MessageClass message_class, SharedBytes bytes);

  /// Admits a transaction of this institution and pushes it to all validators.
  /// Returns: Errc::busy if the pool is full, Errc::already_exists if it is known.
  Result<void> submit(CheckedTransaction transaction);

  /// Asks the leader, if this node is it, to hand over to a node (Raft R7; PBFT ignores it).
  void transfer_leadership(ReplicaId node);

  // Answers of the ports.
  void on_persisted(PersistId id);
  void on_applied(AppliedBlock block);
  void on_execution_failed(const Error& error);
  void on_verified(BodyVerdict verdict);
  void on_blocks_read(const consensus::ReadBlocks& wanted, std::vector<SharedBytes> blocks);
  void on_flushed(Height durable);
  void on_chunk_read(ReplicaId peer, SharedBytes part);
  void on_install_begun(const ledger::SnapshotInstaller::Chunks& stored);
  void on_chunk_stored(std::uint16_t number, const Result<void>& result);

  SnapshotProgress transfer() const { return snapshots_.progress(); }
  consensus::Status status() const { return engines_.engine().status(); }
  /// Validators and parameters of the epoch that runs here.
  const crypto::EpochRecord& epoch() const { return engines_.epoch(); }
  /// This node votes in that epoch.
  bool is_validator() const { return engines_.is_validator(); }
  /// Validators that contradicted themselves (N8).
  const std::vector<consensus::Evidence>& evidence() const { return engines_.engine().evidence(); }
  /// How often rare branches of the engine were taken.
  consensus::ProbeCounts probes() const;
  const TransactionPool& pool() const { return pool_; }
  void check_invariants() const { engines_.engine().check_invariants(); }

  /// What happened so far, for metrics.
  struct Figures {
    std::uint64_t proposed_batches = 0;
    std::uint64_t proposed_transactions = 0;
    std::uint64_t rejected_inputs = 0;  ///< engine verdicts that refused
    std::uint64_t undecodable = 0;      ///< messages that did not verify
    std::uint64_t unwanted = 0;         ///< dropped before their signature was checked
    std::uint64_t pushes_refused = 0;   ///< pushed to us without room for it
    std::uint64_t fetches_sent = 0;
    std::uint64_t executed_transactions = 0;
  };
  const Figures& figures() const { return figures_; }

 private:
  /// A batch whose bodies the engine waits for.
  struct Wanted {
    Height height;
    std::vector<TxHash> transactions;
    std::vector<SharedBytes> bodies;                     ///< by position; null while missing
    std::map<TxHash, std::vector<std::size_t>> missing;  ///< a batch may list one hash twice
    std::size_t operations = 0;
    std::uint64_t weight = 0;
    ReplicaId ask_first = 0;
    std::uint64_t attempts = 0;
    Tick fetch_at;
  };
  struct Verifying {
    std::optional<ReplicaId> pushed_by;
  };

  void give(consensus::Input input);
  void pump();
  void tell_of_transfer();
  void refuse(ReplicaId from, const Error& why);
  void handle(consensus::Effect& effect);
  void handle(consensus::Send& send);
  void handle(consensus::Persist& persist);
  void handle(consensus::NeedBodies& need);
  void handle(consensus::Commit& commit);
  void handle(consensus::Certified& certified);
  void handle(consensus::ReadBlocks& read);
  void handle(consensus::CutLog& cut);
  void handle(consensus::BanPeer& ban);
  void handle(consensus::ViewEntered& entered);
  void handle(consensus::EpochEnded& ended);
  void handle(consensus::Stop& stop);

  // replica_driver_epochs.cpp
  void address(consensus::Send&& send, std::vector<consensus::Send>& out) const;
  void transmit(const consensus::Send& send);
  void broadcast(MessageClass message_class, const SharedBytes& bytes);
  void append_opening();
  void on_other_epoch(ReplicaId from, Epoch epoch, SharedBytes bytes);
  void handle_past(consensus::Effects& effects, const EpochEngines::Past& past);

  std::vector<std::pair<TxHash, SharedBytes>> begin_wanting(consensus::NeedBodies& need);
  void on_pool_message(ReplicaId from, BytesView bytes);
  void on_push(ReplicaId from, std::vector<Bytes> transactions);
  bool is_worth_a_check(ReplicaId from, const TxHash& hash, std::size_t size_bytes);
  void on_reply(std::vector<Bytes> transactions);
  void serve_fetch(ReplicaId from, const std::vector<TxHash>& hashes);
  void start_check(const TxHash& hash, SharedBytes bytes, std::optional<ReplicaId> pushed_by);
  void fill_wanted(const CheckedTransaction& transaction);
  void fill(Wanted& wanted, const CheckedTransaction& transaction);
  void refuse_wanted(const TxHash& hash);
  void finish_if_complete(const Hash& digest);
  void forget_wanted(const Hash& digest);
  void fetch_missing();
  ReplicaId fetch_target(Wanted& wanted) const;
  void push(const std::vector<SharedBytes>& bodies);
  void push_again();
  void note_arrival();
  bool is_crowded() const;
  bool is_batch_due() const;
  void propose();
  void propose_empty_block();
  std::uint64_t flush_at(std::uint64_t bytes) const;
  void flush_if_due();

  Config config_;
  Ports ports_;
  EpochEngines engines_;
  consensus::ProbeCounts probes_before_;  ///< of engines that ended
  TransactionPool pool_;
  SnapshotExchange snapshots_;
  Tick now_;
  TimeMs wall_;

  std::deque<consensus::Input> inputs_;
  bool pumping_ = false;
  bool stopped_ = false;

  /// A write on its way to the disk. Numbers of the log are the driver's, for every engine counts
  /// its own from 1.
  struct Writing {
    Epoch epoch;
    PersistId id;                            ///< as the engine of that epoch named it
    std::vector<consensus::Send> then_send;  ///< to nodes, not replicas
  };
  PersistId next_write_{1};
  std::map<PersistId, Writing> writing_;
  std::map<Hash, Wanted> wanted_;
  std::unordered_multimap<TxHash, Hash, FixedBytesHash> wanted_by_;  // body -> batches
  std::unordered_map<TxHash, Verifying, FixedBytesHash> verifying_;
  std::map<ReplicaId, std::size_t> served_bytes_;
  Tick served_since_;
  std::map<ReplicaId, PoolLoad> pushed_;  ///< what peers made this node check lately
  Tick pushed_since_;

  bool flushing_ = false;
  Height flushed_;      // durable in the store
  Height flush_asked_;  // executed when the last flush was asked for
  Tick flushed_at_;
  Height last_executed_;
  Tick executed_at_;  // when last_executed_ was seen first
  std::uint64_t log_bytes_ = 0;
  std::size_t waiting_bytes_ = 0;  ///< memory of rows that wait for a flush
  std::size_t gather_bytes_;       ///< at which they are flushed
  bool takes_turn_ = true;         ///< the next flush of full memory comes earlier, see flush_at()
  bool open_end_ = false;          ///< the newest block has transactions
  Tick applied_at_;
  std::optional<Tick> crowded_at_;  ///< a transaction came while a height was in flight
  Figures figures_;
};

}  // namespace baolian::node
