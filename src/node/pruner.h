/// Moves old blocks out of the store: one span after the other becomes an archive file, the file is
/// read back and checked, and only then the store forgets the blocks (docs/adr/0025). What is old
/// is judged by block time. Nothing of this is agreed on: each node does it when it likes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "ledger/archive.h"
#include "ledger/audit/chain_audit.h"
#include "ledger/chain.h"

namespace baolian::node {

/// Threads: its own, which runs at low priority; the functions below belong to whoever made it.
class Pruner {
 public:
  struct Config {
    std::uint64_t retention_ms = 0;  ///< a span whose last block is older than this may go
    std::uint64_t poll_ms = 60'000;  ///< how often it looks
    const crypto::Verifier* verifier = &crypto::ed25519_verifier();
  };
  struct Ports {
    const ledger::Chain& chain;
    std::shared_ptr<const ledger::Archive> archive;
    std::function<void(Height last)> prune;                     ///< Chain::prune()
    std::function<void(std::atomic<bool>& cancelled)> reclaim;  ///< Chain::reclaim()
  };
  struct Done {
    ledger::HeightSpan span;
    Hash hash;  ///< of the archive file
    std::uint64_t size_bytes = 0;
    std::uint64_t archive_ms = 0;  ///< writing and checking
    std::uint64_t reclaim_ms = 0;
  };

  /// The chain must outlive it.
  Pruner(Config config, Ports ports);
  ~Pruner();
  Pruner(const Pruner&) = delete;
  Pruner& operator=(const Pruner&) = delete;

  /// Starts the thread. Call once.
  void start();
  /// Ends the thread; a span in work is given up and begun again by the next run. Safe to call
  /// again.
  void stop();

  /// The next span that may go: its last block is older than the retention, durable, and so far
  /// below the durable height that no engine and no peer's usual catch-up asks for it.
  std::optional<ledger::HeightSpan> due() const;
  /// Archives, checks and prunes the span that is due; nothing if none is. Not while the thread
  /// runs. Returns: the errors of ledger::write_archive; Errc::store_corrupt, naming the first
  /// finding, if the file that was read back does not hold: nothing is pruned then.
  Result<std::optional<Done>> prune_next();

 private:
  void run();
  Result<ledger::ArchiveFile> check(const ledger::HeightSpan& span) const;

  const Config config_;
  const Ports ports_;
  const ledger::StateOverlay::Writes genesis_writes_;
  const ledger::BatchReader batches_;
  std::atomic<bool> cancelled_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace baolian::node
