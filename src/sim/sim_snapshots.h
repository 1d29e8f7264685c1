/// Snapshots of a simulated node: what SnapshotKeeper does with files and threads, in memory and
/// virtual time. Who fetches, from whom and what is believed is the driver's own code.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "ledger/chain.h"
#include "ledger/memory_store.h"
#include "ledger/snapshot_installer.h"
#include "node/snapshot_exchange.h"

namespace baolian::sim {

/// What outlives a crash.
struct SnapshotDisk {
  struct Whole {
    Height height;
    node::SharedBytes offer;
    std::vector<Bytes> chunks;
  };
  std::optional<Whole> whole;                   ///< the newest one that is whole
  std::shared_ptr<ledger::MemoryDisk> joining;  ///< a store that is being made of a snapshot
  std::shared_ptr<ledger::MemoryDisk> joined;   ///< a whole one, for the next start
};

/// Ownership: neither the disk, the chain nor the genesis.
class SimSnapshots final : public node::SnapshotPort {
 public:
  struct Answers {
    std::function<void(node::ReplicaId peer, node::SharedBytes part)> chunk_read;
    std::function<void(const ledger::SnapshotInstaller::Chunks&)> install_begun;
    std::function<void(std::uint16_t number, const Result<void>&)> chunk_stored;
    std::function<void()> installed;  ///< the node must begin anew
  };
  /// `later` carries events out in the order of the calls.
  SimSnapshots(SnapshotDisk& disk, const ledger::Chain& chain, std::uint64_t heights,
               Answers answers, std::function<void(std::function<void()>)> later)
      : disk_(disk),
        chain_(chain),
        heights_(heights),
        answers_(std::move(answers)),
        later_(std::move(later)) {}

  /// As SnapshotKeeper::start().
  void start();
  /// The newest height was executed just now.
  void after_block();
  std::optional<Held> held(Height height) const override;
  void read_chunk(node::ReplicaId peer, const node::FetchChunk& wanted) override;
  void begin_install(const ledger::SnapshotHead& head) override;
  void store_chunk(std::uint16_t number, Bytes chunk) override;
  void finish_install() override;

 private:
  void complete() const;

  SnapshotDisk& disk_;
  const ledger::Chain& chain_;
  std::uint64_t heights_;
  Answers answers_;
  std::function<void(std::function<void()>)> later_;
  /// Cut, and waiting for its certificate.
  mutable std::optional<ledger::SnapshotCut> cut_;
  std::optional<ledger::SnapshotInstaller> installer_;
};

}  // namespace baolian::sim
