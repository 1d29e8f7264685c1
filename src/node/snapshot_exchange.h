/// Snapshots between nodes (consensus.md 1.8): what this node holds is offered to who is far
/// behind, and what it lacks is fetched, chunk by chunk, from all who hold the same snapshot. No
/// peer is believed: heads are checked from the genesis, chunks against the head's state_root.
///
/// Part of the driver: no thread, file, socket or clock; the simulator runs it too.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "consensus/engine.h"
#include "crypto/signing.h"
#include "ledger/genesis.h"
#include "ledger/snapshot_installer.h"
#include "node/ports.h"
#include "node/snapshot_messages.h"
#include "node/snapshot_progress.h"

namespace baolian::node {

/// What the exchange may touch: snapshots held here, and the store that is made of a fetched one.
/// Answers come back through ReplicaDriver on the core thread, at once or later, in the order of
/// the calls.
class SnapshotPort {
 public:
  struct Held {
    Height height;
    SharedBytes offer;  ///< canonical SnapshotOffer
  };
  virtual ~SnapshotPort() = default;
  /// The snapshot of a height that is held here whole; of 0: the newest.
  virtual std::optional<Held> held(Height height) const = 0;
  /// Answer: on_chunk_read(peer, canonical ChunkPart).
  virtual void read_chunk(ReplicaId peer, const FetchChunk& wanted) = 0;
  /// Begins to install, or goes on with what is there of the same snapshot. What is there of
  /// another one is thrown away. Answer: on_install_begun(chunks that are there).
  virtual void begin_install(const ledger::SnapshotHead& head) = 0;
  /// Answer: on_chunk_stored(number, what SnapshotInstaller::add() said).
  virtual void store_chunk(std::uint16_t number, Bytes chunk) = 0;
  /// All chunks are stored: makes the new store durable, to be taken at the next start, and lets
  /// the node begin anew. No answer.
  virtual void finish_install() = 0;
};

/// Ownership: neither the ports nor genesis and verifier. Threads: the core thread.
class SnapshotExchange {
 public:
  struct Config {
    const ledger::Genesis* genesis = nullptr;
    const crypto::Verifier* verifier = nullptr;
    /// A snapshot is worth its bytes when it is that far above what is executed here, or when the
    /// blocks in between do not come: others may have pruned them, or never had them.
    std::uint64_t far_heights = 512;
    /// Asks for snapshots at the start, and takes one that is above what is executed at all.
    bool wants_snapshot = false;
  };
  SnapshotExchange(const Config& config, Transport& transport, SnapshotPort& port,
                   std::size_t nodes, ReplicaId self);

  void on_tick(Tick now, Height executed);
  /// A frame whose first byte is one of snapshot_messages.h.
  void on_message(ReplicaId from, BytesView bytes);
  /// A peer asks for blocks from this height on.
  void on_blocks_wanted(ReplicaId peer, Height first);

  void on_chunk_read(ReplicaId peer, SharedBytes part);
  void on_install_begun(const ledger::SnapshotInstaller::Chunks& stored);
  void on_chunk_stored(std::uint16_t number, const Result<void>& result);

  /// What the engine must hear of a transfer that began or was given up, once.
  std::optional<consensus::TransferInput> take_input();
  SnapshotProgress progress() const;

 private:
  enum class Phase : std::uint8_t { idle, choosing, beginning, fetching, staged };
  enum class ChunkState : std::uint8_t { wanted, fetching, storing, stored };
  /// A snapshot that peers offer.
  struct Candidate {
    ledger::SnapshotHead head;
    std::uint64_t size_bytes = 0;
    std::set<ReplicaId> peers;
  };
  /// A chunk on its way from one peer.
  struct Fetching {
    ReplicaId source = 0;
    Bytes bytes;
    Tick asked_at;
  };
  /// What is known of a peer.
  struct Peer {
    std::optional<Tick> offered_at;  ///< the last offer to it
    std::optional<Tick> judged_at;   ///< the last offer of it that was checked
    std::size_t reading = 0;         ///< parts that are read for it
    std::size_t misses = 0;          ///< parts of it that did not come in time
    bool lied = false;
  };

  void on_offer(ReplicaId from, BytesView bytes);
  void on_query(ReplicaId from, BytesView bytes);
  void on_fetch(ReplicaId from, BytesView bytes);
  void on_part(ReplicaId from, BytesView bytes);
  void offer(ReplicaId to, Height height);
  void ask_all(Height height);
  void look_for_one();
  void choose();
  void give_up();
  void refuse(ReplicaId from, const std::string& why);
  void fetch_more();
  void ask(std::uint16_t number, Fetching& fetching);
  void drop_source(ReplicaId peer);
  void drop_late();
  void finish_if_whole();
  Height target() const { return head_ ? head_->header.height : Height{}; }
  bool is_worth_it(Height height) const;

  Config config_;
  Transport& transport_;
  SnapshotPort& port_;
  ReplicaId self_;
  Tick now_;
  Height executed_;
  Tick executed_at_;  ///< when that last grew
  std::vector<Peer> peers_;

  Phase phase_ = Phase::idle;
  std::map<Hash, Candidate> candidates_;  ///< by header hash
  Tick choosing_since_;
  std::optional<Tick> asked_all_at_;
  std::optional<Tick> looking_since_;
  std::optional<ledger::SnapshotHead> head_;  ///< what is fetched
  Hash head_hash_;
  std::uint64_t size_bytes_ = 0;
  std::set<ReplicaId> sources_;
  std::array<ChunkState, ledger::kChunkCount> chunks_{};
  std::size_t stored_ = 0;
  std::uint64_t fetched_bytes_ = 0;
  std::map<std::uint16_t, Fetching> fetching_;
  std::map<std::uint16_t, ReplicaId> storing_;  ///< from whom
  Tick moved_at_;                               ///< when the last part came
  std::optional<consensus::TransferInput> input_;
};

}  // namespace baolian::node
