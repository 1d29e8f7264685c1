/// One whole node of the simulation: the production driver, executor, contracts and engine on
/// simulated disk, network and time.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ledger/chain.h"
#include "ledger/memory_store.h"
#include "node/executor.h"
#include "node/replica_driver.h"
#include "sim/byzantine.h"
#include "sim/checker.h"
#include "sim/disk.h"
#include "sim/event_queue.h"
#include "sim/network.h"
#include "sim/sim_snapshots.h"
#include "sim/trace.h"
#include "sim/world.h"

namespace baolian::sim {

/// What a store calls flushed. The production one counts a block when its certificate is there too,
/// so it never passes h; one that looks at blocks and state alone does, and the engine must know
/// better than to cut its log there (1.7: below min(h, f)).
enum class FlushedHeight : std::uint8_t { certified, executed };

/// How quick a node is, and where its limits stand.
struct NodeOptions {
  DiskHonesty disk = DiskHonesty::honest;
  std::uint64_t sync_ms_min = 0;     ///< never quicker than this, in the liveness phase neither
  std::uint64_t sync_ms_max = 3;     ///< one fdatasync of the log
  std::uint64_t execute_ms_max = 3;  ///< one block
  FlushedHeight flushed = FlushedHeight::certified;
  std::uint64_t message_ms = 0;  ///< every message; above 0 it is a slow processor
  std::int64_t clock_skew_ms = 0;
  std::uint64_t tick_ms = 10;
  std::size_t log_segment_bytes = 256 * 1024;
  bool write_behind = false;           ///< what is applied waits in memory for the next flush
  std::uint64_t snapshot_heights = 0;  ///< a snapshot at every multiple; 0: none
  std::uint64_t ban_ms = 0;  ///< a peer that is banned is not listened to for so long; doubles
  node::ReplicaDriver::Config driver;  ///< `engine` is filled in by the node, but for its timers
};

/// Threads: none. Ownership: not the world, the events, the network and the checker.
class SimNode final : node::Transport, node::Application, node::BodyVerifier, node::Watcher {
 public:
  struct Surroundings {
    const World& world;
    EventQueue& events;
    Network& network;
    Checker& checker;
    Trace& trace;
    /// Which replica acts at an endpoint; two endpoints may act for one (twins).
    const std::vector<node::ReplicaId>& replica_of;
    const crypto::Verifier& verifier = crypto::toy_verifier();  ///< of consensus messages
  };
  SimNode(EndpointId endpoint, const NodeOptions& options, const Surroundings& around, Prng prng);
  ~SimNode();
  SimNode(const SimNode&) = delete;
  SimNode& operator=(const SimNode&) = delete;

  /// Opens disk and store and starts; the first start makes the chain.
  void start();
  /// The power goes: memory is lost, unsynced log sectors and unflushed blocks may be.
  void crash();
  /// After a crash: the disk of the chain is gone, that of the consensus log is not. The next start
  /// asks the others for a snapshot.
  void lose_store();
  bool is_up() const { return driver_ != nullptr; }
  bool is_frozen() const { return frozen_; }
  /// SIGSTOP: nothing happens in the node, and what arrives waits; thaw() lets all of it happen.
  void freeze() { frozen_ = true; }
  void thaw();
  /// A slow node becomes as fast as the others (the liveness phase has no slow nodes).
  void become_quick();
  /// The civil clock of this node goes wrong by so much.
  void set_clock_skew(std::int64_t skew_ms) { options_.clock_skew_ms = skew_ms; }
  /// From now on the node's messages pass through a script. Its replica must be declared Byzantine
  /// to the checker.
  void misbehave(ByzantineKind kind);

  /// The power goes at this step of all that the node writes: of a record, a sync, a block, a
  /// flush. It comes back soon.
  void cut_power_at(std::uint64_t step) { cut_at_ = step; }
  std::uint64_t write_steps() const { return write_steps_; }

  node::ReplicaId id() const { return id_; }
  EndpointId endpoint() const { return endpoint_; }

  void deliver(EndpointId from, node::MessageClass message_class, node::SharedBytes bytes);
  /// Returns: the errors of the check and of ReplicaDriver::submit.
  Result<void> submit(const node::SharedBytes& transaction);

  /// R7: asks this leader to hand over. Requires: is_up().
  void transfer_leadership(node::ReplicaId target);

  const ledger::Chain& chain() const { return *chain_; }  ///< Requires: is_up().
  /// Counts its starts and ends.
  std::uint64_t run() const { return run_; }
  bool holds_snapshot() const { return snapshot_disk_.whole.has_value(); }
  consensus::Status status() const { return driver_->status(); }
  const node::ReplicaDriver& driver() const { return *driver_; }
  /// Rare branches taken, over all starts.
  consensus::ProbeCounts probes() const;

  /// Builds everything again from what is on the disk and compares the state root (I7).
  Result<void> rebuild_and_compare();

 private:
  // node::Transport
  void send(node::ReplicaId to, node::MessageClass message_class, node::SharedBytes bytes) override;
  void send_to_validators(node::MessageClass message_class, node::SharedBytes bytes) override;
  void ban(node::ReplicaId peer, std::string reason) override;
  // node::Application
  void execute(node::ExecuteRequest request) override;
  void put_certificate(crypto::ExecCertificate certificate) override;
  void read_blocks(const consensus::ReadBlocks& wanted) override;
  void flush() override;
  // node::BodyVerifier
  void verify(TxHash hash, node::SharedBytes bytes) override;
  // node::Watcher
  void on_stop(consensus::Stop::Kind kind, const std::string& reason) override;
  void after(std::uint64_t delay_ms, std::function<void()> event);
  /// Like `after`, but in the order of the calls: the executor thread.
  void on_executor(std::uint64_t delay_ms, std::function<void()> event);
  void tick();
  void after_step();
  void take(EndpointId from, node::MessageClass message_class, node::SharedBytes bytes);
  /// Puts a message on the network, to every endpoint of a replica.
  void transmit(node::ReplicaId to, node::MessageClass message_class,
                const node::SharedBytes& bytes);
  void restart_after_stop();
  /// Counts a step of writing. True if the power goes just there.
  bool power_goes();
  void begin_anew();
  void open_snapshots();
  std::unique_ptr<ledger::KeyValueStore> make_store() const;
  TimeMs wall() const;
  bool is_byzantine() const { return script_ != nullptr; }

  EndpointId endpoint_;
  node::ReplicaId id_;
  NodeOptions options_;
  Surroundings around_;
  Prng prng_;
  std::uint64_t write_steps_ = 0;
  std::uint64_t cut_at_ = 0;  ///< 0: never
  std::uint64_t run_ = 0;     ///< events of an earlier run do not happen
  std::unique_ptr<ByzantineScript> script_;
  bool frozen_ = false;
  std::deque<std::function<void()>> held_;  ///< what waits for thaw()
  Tick free_at_;                            ///< of a slow processor
  std::vector<std::uint64_t> ban_ms_;       ///< by replica: the next ban
  consensus::ProbeCounts probes_before_;    ///< of earlier starts

  // What outlives a crash.
  LogDisk log_disk_;
  std::shared_ptr<ledger::MemoryDisk> store_disk_ = std::make_shared<ledger::MemoryDisk>();
  SnapshotDisk snapshot_disk_;
  bool wants_snapshot_ = false;

  // What does not.
  std::unique_ptr<ledger::Chain> chain_;
  std::unique_ptr<node::Executor> executor_;
  std::unique_ptr<SimSnapshots> snapshots_;
  std::unique_ptr<SimLog> log_;
  std::unique_ptr<node::ReplicaDriver> driver_;
  Tick executor_free_at_;
};

}  // namespace baolian::sim
