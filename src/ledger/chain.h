/// The chain of one node: headers, state tree, history and logs over a KeyValueStore; one height
/// moves together.
///
/// Threads:     one writer (the executor) calls append(); certificates may come from the same
/// thread only. Any thread
///              may call the const queries: they see the last whole height.
/// Persistence: append() applies one atomic batch of block, receipts, state, log entries, index
/// rows and the height
///              mark. flush() makes it durable; durable_height() is what a power cut leaves.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/result.h"
#include "crypto/certificate.h"
#include "ledger/genesis.h"
#include "ledger/header.h"
#include "ledger/log.h"
#include "ledger/merkle.h"
#include "ledger/operation_index.h"
#include "ledger/snapshot.h"
#include "ledger/stage_times.h"
#include "ledger/state_tree.h"
#include "ledger/state_view.h"
#include "ledger/store.h"
#include "ledger/transaction.h"

namespace baolian::ledger {

/// What execution gives for one height; append() makes roots and header from it.
struct ExecutedBlock {
  Height height;
  Hash batch_digest;
  TimeMs timestamp;                 ///< effective block time, not below the parent's
  Bytes batch;                      ///< canonical batch of consensus
  std::vector<Bytes> transactions;  ///< bodies in batch order
  std::vector<OperationLeaf> leaves;
  struct Append {
    std::uint32_t leaf_index = 0;
    LogAppend append;
  };
  std::vector<Append> appends;  ///< in order of execution
  StateOverlay::Writes writes;  ///< what contracts wrote; log frontiers are added by append()
  /// The change of validators that this block fixes (consensus.md 1.10). Requires: none is pending,
  /// and it begins L + 1 heights above this block, L of the present epoch.
  std::optional<crypto::EpochRecord> next_epoch{};
};

/// One entry of a complete log with its position.
struct PositionedEntry {
  static constexpr std::string_view kTypeName = "PositionedEntry";
  std::uint64_t index = 0;
  LogEntry entry;

  friend bool operator==(const PositionedEntry&, const PositionedEntry&) = default;
  static constexpr auto fields() {
    return field_list(field("index", &PositionedEntry::index, "position in its log, from 0"),
                      field("entry", &PositionedEntry::entry, "the entry"));
  }
};

/// A window of more entries is proved in several.
inline constexpr std::uint32_t kWindowEntriesMax = 100'000;

/// A window of a complete log with everything that proves it (ledger.md, Complete logs).
struct LogWindowProof {
  static constexpr std::string_view kTypeName = "LogWindowProof";
  Frontier frontier;              ///< count and peaks in the state at the proof's height
  std::uint64_t first_index = 0;  ///< index of the first entry handed over
  std::vector<LogEntry> entries;  ///< left neighbour if any, the window, right neighbour if any
  std::vector<Hash> range;        ///< range_proof of the entries
  StateProof state;               ///< the frontier (or its absence, count 0) under state_root

  friend bool operator==(const LogWindowProof&, const LogWindowProof&) = default;
  static constexpr auto fields() {
    return field_list(
        field("frontier", &LogWindowProof::frontier, "count and peaks in the state"),
        field("first_index", &LogWindowProof::first_index, "index of the first entry here"),
        field("entries", &LogWindowProof::entries, at_most(kWindowEntriesMax + 2),
              "left neighbour, window, right neighbour"),
        field("range", &LogWindowProof::range, at_most(128), "range proof of the entries"),
        field("state", &LogWindowProof::state, "proof of the frontier, or of its absence"));
  }
};

class Archive;

using SharedLeaves = std::shared_ptr<const std::vector<OperationLeaf>>;

/// Block 0: timestamp = created, parent_hash and batch_digest zeros, operations_root and
/// history_root those of an empty tree, state_root of the writes. It has no certificate: every
/// verifier makes it again from the genesis.
Header genesis_header(const Genesis& genesis, const StateOverlay::Writes& genesis_writes);

class Chain {
 public:
  /// Opens the store, or writes block 0 if it is empty: `genesis_writes` are the state of the
  /// genesis (contracts make them; they stand in no log). Rebuilds the state tree and refuses a
  /// store whose root differs from its newest header. Returns: Errc::store_corrupt,
  /// Errc::wrong_chain if the store holds another genesis or another block 0 than genesis_header()
  /// makes.
  static Result<std::unique_ptr<Chain>> open(std::unique_ptr<KeyValueStore> store,
                                             const Genesis& genesis,
                                             const StateOverlay::Writes& genesis_writes);
  ~Chain();

  const Genesis& genesis() const;
  const ChainId& chain_id() const;
  /// The epoch record in force at a height, as far as changes are fixed by now. The reference stays
  /// valid as long as the chain.
  const crypto::EpochRecord& epoch_at(Height height) const;
  /// The record of a number; none if that epoch is not fixed by an executed block.
  std::optional<crypto::EpochRecord> epoch(Epoch number) const;
  /// The change that the block of this height fixed, if it is executed and fixed one.
  std::optional<crypto::EpochRecord> epoch_fixed_at(Height height) const;

  /// The changes of validators from the genesis to an epoch.
  /// Returns: Errc::not_certified while the certificate of an epoch's last block is not here.
  Result<std::vector<TrailLink>> trail(Epoch to) const;

  /// 0, or the height of the snapshot with which this chain began (consensus.md 1.8): blocks,
  /// headers and entries of logs up to it are not here, but the headers with which epochs ended.
  Height base() const;
  Height height() const;          ///< newest executed height
  Height durable_height() const;  ///< newest height whose block, state and certificate (its own or
                                  ///< a later one) are flushed
  std::optional<Header> header(Height height) const;
  std::optional<crypto::ExecCertificate> certificate(Height height) const;
  /// Newest height with a certificate stored here.
  Height certified_height() const;
  /// The lowest height above 0 whose block the store keeps: no block at heights 1 .. first_block()
  /// - 1 is here, though headers, history, logs and places of transactions may be. Block 0 stays.
  Height first_block() const;
  /// A block with its bodies and receipts: from the store or, below first_block(), from the archive
  /// as far as its bytes are those of this chain's header.
  /// Returns: Errc::not_found above height(); Errc::pruned, which names the archive file, if no
  /// file here has it; Errc::store_corrupt and others if the file is there and does not hold.
  Result<StoredBlock> read_block(Height height) const;
  /// The operation leaves of a block for who follows the chain: those of the newest blocks are in
  /// memory. Null if read_leaves() fails.
  SharedLeaves shared_leaves(Height height) const;
  /// The operation leaves of a block, rebuilt from bodies and receipts. Returns: as read_block().
  Result<std::vector<OperationLeaf>> read_leaves(Height height) const;
  /// The same for who only asks whether it is here: nothing for every error.
  std::optional<StoredBlock> block(Height height) const;
  std::vector<OperationLeaf> leaves(Height height) const;
  /// Where a transaction was executed: height and index of its first leaf.
  struct Location {
    Height height;
    std::uint32_t first_leaf = 0;
  };
  std::optional<Location> find_transaction(const TxId& id) const;

  const StateReader& state() const;
  /// The same for the thread that appends, which mostly finds it in memory. No other thread's.
  const StateReader& executing_state() const;
  /// Of the same thread, which counts `decode` and `execute` itself.
  StageTimes& stage_times();
  const StageTimes& stage_times() const;
  std::optional<Bytes> read_state(BytesView key) const { return state().read(key); }

  /// Computes logs, operations_root, state_root and history_root, stores the height, returns its
  /// header. `written`, if given, gets back what was written into the state: by contracts, and the
  /// frontiers of logs. Requires: block.height == height() + 1 and block.timestamp >= parent's.
  Header append(ExecutedBlock block, StateOverlay::Writes* written = nullptr);
  /// Stores a checked certificate of an executed height; it need not be the next one. Keeps the
  /// first. Requires: 0 < its height <= height(), and it names the header that is stored there.
  void put_certificate(const crypto::ExecCertificate& certificate);
  void flush();
  /// flush() in two parts, so that the thread that appends need not wait for the disk: it begins,
  /// any one thread finishes while others append. Returns: what durable_height() will be.
  Height begin_flush();
  void finish_flush(Height certified);
  /// Memory of what waits for the next flush.
  std::size_t waiting_bytes() const;
  /// How much of it is best: the more rows go down together, the fewer times a row that changes
  /// often is written, and memory that the tree of a small state does not take is there for it. For
  /// the thread that appends.
  std::size_t gather_bytes() const;
  /// So much waits that it should be flushed soon.
  bool wants_flush() const;

  /// Blocks below first_block() are looked for there. Call before other threads use the chain.
  void use_archive(std::shared_ptr<const Archive> archive);
  /// Erases blocks first_block() .. last, durably; everything else of these heights stays. Any one
  /// thread, also while blocks are appended. Requires: last <= durable_height() and below height();
  /// whoever calls it has seen to it that an archive file holds them.
  void prune(Height last);
  /// Gives the space of pruned blocks back to the disk: long, and nobody waits for it. Ends early
  /// once `cancelled` is true. The thread of prune().
  void reclaim(std::atomic<bool>& cancelled);

  /// Entries of a log with from <= time < to, at most `limit`, starting at `from_index`. An entry
  /// keeps its index for ever: a page that begins behind the last one's end is its continuation,
  /// whatever was appended meanwhile.
  std::vector<PositionedEntry> log_entries(const LogId& log, TimeMs from, TimeMs to,
                                           std::uint64_t from_index, std::size_t limit) const;
  /// What tables show of the operations behind entries, one for each, from their index rows; none
  /// for an operation whose row this node does not have.
  std::vector<std::optional<OperationRow>> operations_of(
      const std::vector<PositionedEntry>& entries) const;
  Frontier log_frontier(const LogId& log) const;
  /// Entries of a log below this index are not here: they are older than base().
  std::uint64_t first_log_index(const LogId& log) const;
  /// State, log and tree belong to the newest height, which `at` receives: ask again when it is
  /// certified. Returns: Errc::limit_exceeded for more than kWindowEntriesMax entries,
  /// Errc::bad_argument if from > to, Errc::pruned if the window or its left neighbour is older
  /// than base().
  Result<LogWindowProof> prove_log_window(const LogId& log, TimeMs from, TimeMs to,
                                          Height& at) const;
  struct StateAnswer {
    Height at;
    std::optional<Bytes> value;
    StateProof proof;
  };
  /// The value of a key with its proof under the state_root of the newest height.
  StateAnswer prove_state(BytesView key) const;
  /// Inclusion path of a leaf in its block's operations_root. Returns: Errc::not_found.
  Result<std::vector<Hash>> prove_operation(Height height, std::uint32_t leaf_index) const;
  /// Inclusion of the header of `old_height` in the history_root of `height`: root_from_inclusion
  /// of merkle_leaf_hash(header hash), index old_height, size height.
  /// Returns: Errc::bad_argument unless old_height < height; Errc::not_found above height();
  /// Errc::pruned below base().
  Result<std::vector<Hash>> prove_history(Height old_height, Height height) const;
  /// Consistency of the history_roots of two headers: check_consistency of sizes old_height and
  /// height. Returns: Errc::bad_argument unless 0 < old_height <= height; Errc::not_found;
  /// Errc::pruned below base().
  Result<std::vector<Hash>> prove_consistency(Height old_height, Height height) const;

  /// The state of the newest height, from which a snapshot is made while the chain goes on
  /// (snapshot_files.h). Takes a few milliseconds. Requires: the thread that appends; height() > 0.
  SnapshotCut cut() const;
  /// The head of a snapshot cut here. Returns: Errc::not_certified while no certificate covers it
  /// here; ask again.
  Result<SnapshotHead> snapshot_head(const SnapshotCut& cut) const;

 private:
  struct State;
  explicit Chain(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace baolian::ledger
