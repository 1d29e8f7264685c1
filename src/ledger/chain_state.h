/// Inside of Chain: what it holds and how rows are keyed. Not for other folders. The table of keys
/// stands at the head of chain.cpp.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <shared_mutex>
#include <thread>

#include "ledger/chain.h"
#include "ledger/hot_state.h"

namespace baolian::ledger {

/// Perfect subtrees of 2^kSubtreeLevelMin leaves and more have a row; smaller ones are hashed from
/// their leaves when a proof needs them.
inline constexpr unsigned kSubtreeLevelMin = 8;

/// Leaves of the newest blocks, which submitter, desks and agents read a moment after.
inline constexpr std::size_t kRecentLeavesBytes = std::size_t{16} << 20;
inline constexpr std::size_t kHotStateBytes = std::size_t{160} << 20;

/// Rows that wait for a flush. While one runs beside blocks, memory holds twice as many of them,
/// bodies in a batch and in a memtable too, and what RocksDB needs to make files. With the tree
/// that is most of what a node takes; below the least, flushes would be too many.
inline constexpr std::size_t kTreeAndRowsBytes = std::size_t{1000} << 20;
inline constexpr std::size_t kRowCopies = 5;
inline constexpr std::size_t kGatherBytesMin = std::size_t{72} << 20;
inline constexpr std::size_t kGatherBytesMax = std::size_t{160} << 20;

namespace chain_keys {
Bytes header(Height height);
Bytes block(Height height);
Bytes certificate(Height height);
Bytes log_entries(const LogId& log);  ///< prefix of all entries
/// Of the run whose last entry has this position.
Bytes log_run(const LogId& log, std::uint64_t last);
Bytes log_subtree(const LogId& log, unsigned level, std::uint64_t first);
Bytes transaction(const TxId& id);
Bytes operations(Height height, std::uint32_t first_leaf);
Bytes epoch(Epoch number);
Bytes genesis();
Bytes newest_height();
Bytes newest_certified();
Bytes index_mark();
Bytes history_frontier();
Bytes pruned();
Bytes header_hashes();  ///< prefix
Bytes header_hash(Height height);
Bytes history_subtree(unsigned level, std::uint64_t first);
Bytes base();
Bytes log_base(const LogId& log);
Bytes installed_chunk(std::uint16_t number);
Bytes installing();
}  // namespace chain_keys

/// Row of a transaction's place.
struct TransactionRow {
  static constexpr std::string_view kTypeName = "TransactionRow";
  Height height;
  std::uint32_t first_leaf = 0;
  bool rejected_whole = false;

  static constexpr auto fields() {
    return field_list(
        field("height", &TransactionRow::height, "block that lists it"),
        field("first_leaf", &TransactionRow::first_leaf, "index of its first operation leaf"),
        field("rejected_whole", &TransactionRow::rejected_whole,
              "1 = rejected as a whole; a later execution of the same id replaces the row"));
  }
};

/// One number as a row's value.
struct HeightRow {
  static constexpr std::string_view kTypeName = "HeightRow";
  Height height;

  static constexpr auto fields() {
    return field_list(field("height", &HeightRow::height, "a block height"));
  }
};

/// The state of the newest height as the store has it.
class StoredState final : public StateReader {
 public:
  explicit StoredState(const KeyValueStore& store) : store_(store) {}
  std::optional<Bytes> read(BytesView key) const override {
    return store_.read(Family::state, key);
  }
  std::vector<KeyValue> scan(const KeyRange& range, std::size_t limit) const override {
    return store_.scan(Family::state, range, limit);
  }

 private:
  const KeyValueStore& store_;
};

/// Prints what was found and ends the process: a store that does not decode is beyond repair here.
[[noreturn]] void stop_on_corrupt_row(const char* row);

/// A row decoded; nullopt if absent. A row that does not decode ends the process.
template <typename T>
std::optional<T> read_row(const KeyValueStore& store, Family family, BytesView key) {
  const auto bytes = store.read(family, key);
  if (!bytes) return std::nullopt;
  auto value = decode<T>(*bytes);
  if (!value) stop_on_corrupt_row(T::kTypeName.data());
  return std::move(*value);
}

/// Root over perfect subtrees of one tree: from its rows at level >= kSubtreeLevelMin, else from
/// its leaf hashes. The first `base.count` leaves are not here, only their peaks are.
/// Returns: Errc::store_corrupt if rows are missing, Errc::pruned for a subtree below `base` that
/// is none of its peaks.
Result<Hash> stored_subtree(
    const Frontier& base, std::uint64_t first, std::uint64_t size,
    const std::function<std::optional<Bytes>(unsigned level, std::uint64_t first)>& row,
    const std::function<std::vector<Hash>(std::uint64_t first, std::uint64_t count)>& leaf_hashes);

struct Chain::State {
  State(std::unique_ptr<KeyValueStore> opened, const Genesis& agreed)
      : store(std::move(opened)),
        genesis(agreed),
        chain_id(chain_id_of(agreed)),
        reader(*store),
        hot(*store, kHotStateBytes) {}

  const std::unique_ptr<KeyValueStore> store;
  const Genesis genesis;
  const ChainId chain_id;
  const StoredState reader;

  /// Guards what follows. append() holds it exclusively from the update of the tree to the store's
  /// batch, so that who holds it shared sees tree, store and height of one block.
  mutable std::shared_mutex mutex;
  StateTree tree{std::max(1U, std::thread::hardware_concurrency())};
  HotState hot;            ///< of the thread that appends, which the mutex does not guard
  StageTimes stage_times;  ///< of that thread too
  Header newest;
  Hash newest_hash;
  Frontier history;  ///< over header hashes 0..newest
  Height certified;  ///< newest height with a certificate
  Height durable;
  Height pruned;  ///< blocks 1 .. pruned are not in the store
  std::shared_ptr<const Archive> archive;
  std::deque<std::pair<Height, SharedLeaves>> recent_leaves;  ///< of the newest blocks, ascending
  std::size_t recent_bytes = 0;                               ///< of operations and receipts there
  std::optional<SnapshotHead> base;  ///< with which it began, if not with block 0
  /// Ascending; the last may not have begun. A deque: references outlive the changes.
  std::deque<crypto::EpochRecord> epochs;

  const crypto::EpochRecord& epoch_at(Height height) const;
  /// Keeps the leaves of the newest block, and lets go of older ones. Requires: mutex is held.
  void keep_recent(Height height, std::vector<OperationLeaf> leaves);
  /// The change that is fixed and has not begun at the height.
  const crypto::EpochRecord* pending_at(Height height) const;
  /// Frontier over the leaves of the history that are not here.
  Frontier history_base() const { return base ? base->history : Frontier{}; }
  /// Frontier of a log's entries that are not here.
  Frontier log_base(const LogId& log) const;
  std::size_t gather_bytes() const;
  Header header_of(const ExecutedBlock& block, const Hash& operations_root) const;
  void fix_epoch(Height height, const crypto::EpochRecord& next, std::vector<StoreWrite>& rows);
  /// Opening, in order (chain_open.cpp).
  void write_block_zero(const StateOverlay::Writes& genesis_writes);
  Result<void> load(const StateOverlay::Writes& genesis_writes);
  Result<void> load_base();
  Result<void> load_certificates();
  Result<void> load_pruned();
  Result<void> load_epochs();
  void erase_unfinished();
  Result<void> rebuild_tree();
};

/// H(key) and H(value) of every write.
std::vector<StateTree::Change> tree_changes(const StateOverlay::Writes& writes);

/// The rows that every block adds for its header: header, history leaf and subtrees, the new
/// frontier, the height mark. `history` receives the header.
void add_header_rows(const Header& header, const Hash& hash, Frontier& history,
                     std::vector<StoreWrite>& rows);

}  // namespace baolian::ledger
