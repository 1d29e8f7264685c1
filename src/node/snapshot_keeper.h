/// Snapshots of this node's disk: made while the chain goes on, kept for others, and installed from
/// what others gave (snapshot_exchange.h).
///
/// | path below the data directory | what |
/// |---|---|
/// | snapshots/HEIGHT/ | a whole snapshot (ledger/snapshot_files.h); the newest two stay |
/// | snapshots/making/ | one that is being made |
/// | store.joining/ | a store that is being made of a fetched snapshot |
/// | store.joined/ | a whole one: the next start takes it in the place of store/ |
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "crypto/signing.h"
#include "ledger/chain.h"
#include "ledger/snapshot_files.h"
#include "ledger/snapshot_installer.h"
#include "node/snapshot_exchange.h"
#include "node/work_queue.h"

namespace baolian::node {

/// Takes a store that an earlier run made of a snapshot (store.joined) in the place of store/; a
/// crash at any point leaves the old one or the new one. Call before the store is opened.
/// Returns: Errc::io_failed.
Result<void> take_joined_store(const std::string& directory);

/// Threads: start() and after_block() on the executor thread, the port on the core thread, stop()
/// where the replica is; it has two threads of its own, one that makes and one that moves.
class SnapshotKeeper final : public SnapshotPort {
 public:
  struct Config {
    std::string directory;      ///< the node's data directory
    std::uint64_t heights = 0;  ///< a snapshot at every multiple of this; 0: none is made
    std::uint64_t gap_ms = 0;   ///< but no sooner than this after the one before
  };
  /// Answers of the port, from the moving thread.
  struct Answers {
    std::function<void(ReplicaId peer, SharedBytes part)> chunk_read;
    std::function<void(const ledger::SnapshotInstaller::Chunks&)> install_begun;
    std::function<void(std::uint16_t number, Result<void>)> chunk_stored;
    std::function<void()> installed;                   ///< the node must begin anew
    std::function<void(const Error&)> install_failed;  ///< the disk refused
    std::function<void(const Error&)> not_made;        ///< no snapshot this time
  };

  /// Finds the whole snapshots of this chain and removes what is not whole.
  /// Returns: Errc::io_failed.
  static Result<std::unique_ptr<SnapshotKeeper>> open(Config config, const ledger::Chain& chain,
                                                      Answers answers);
  ~SnapshotKeeper() override;
  /// Gives up what is being made and waits for the threads.
  void stop();

  /// A chain that began with a snapshot has no blocks to offer below it: if no snapshot is held
  /// here either, one is made at once. On the executor thread.
  void start();
  /// The newest height was executed just now. On the executor thread.
  void after_block();

  std::optional<Held> held(Height height) const override;
  void read_chunk(ReplicaId peer, const FetchChunk& wanted) override;
  void begin_install(const ledger::SnapshotHead& head) override;
  void store_chunk(std::uint16_t number, Bytes chunk) override;
  void finish_install() override;

 private:
  struct Kept {
    std::shared_ptr<const ledger::SnapshotFile> file;
    SharedBytes offer;
  };
  SnapshotKeeper(Config config, const ledger::Chain& chain, Answers answers);
  Result<void> load();
  void begin_making();
  void keep(std::shared_ptr<const ledger::SnapshotFile> file);
  Result<void> make(const ledger::SnapshotCut& cut);
  Result<ledger::SnapshotHead> wait_for_head(const ledger::SnapshotCut& cut) const;
  std::shared_ptr<const ledger::SnapshotFile> file_of(Height height) const;
  std::string path_of(const std::string& name) const { return config_.directory + "/" + name; }
  Result<void> open_installer(const ledger::SnapshotHead& head);
  Result<void> install();

  Config config_;
  const ledger::Chain& chain_;
  Answers answers_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> making_{false};
  std::optional<std::uint64_t> made_at_ms_;  // executor thread; steady clock

  mutable std::mutex mutex_;  // guards kept_
  std::map<Height, Kept> kept_;

  std::optional<ledger::SnapshotInstaller> installer_;  // moving thread
  WorkQueue making_queue_{"snapshots", 1};
  WorkQueue moving_queue_{"snapshots", 1};
};

}  // namespace baolian::node
