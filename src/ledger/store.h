/// The chain on disk: blocks, state, index and meta of one height, moved together (architecture.md,
/// Storage). RocksDB behind it stands in store_rocksdb.cpp alone; the memory store serves the
/// simulator and tests and keeps the same rules.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "crypto/certificate.h"
#include "ledger/header.h"
#include "ledger/state_view.h"
#include "ledger/transaction.h"

namespace baolian::ledger {

/// Column families.
enum class Family : std::uint8_t { blocks = 0, state = 1, index = 2, meta = 3 };

inline constexpr std::size_t kFamilyCount = 4;

/// Natural keys of the state that are looked for by prefix and are many (a person's policies,
/// consents) share more than this with what is looked for: a filter over so many bytes says that
/// there are none.
inline constexpr std::size_t kStatePrefixBytes = 79;

struct StoreWrite {
  Family family{};
  Bytes key;
  std::optional<Bytes> value;  ///< nullopt = erase
};

/// A write whose bytes stand elsewhere.
struct RowView {
  Family family{};
  BytesView key;
  std::optional<BytesView> value;  ///< nullopt = erase
};

/// An ordered key-value store with families and atomic batches. Reads see only whole batches.
/// Thread-safe.
class KeyValueStore {
 public:
  virtual ~KeyValueStore() = default;
  virtual std::optional<Bytes> read(Family family, BytesView key) const = 0;
  /// The rows of a range, ascending, at most `limit`.
  virtual std::vector<KeyValue> scan(Family family, const KeyRange& range,
                                     std::size_t limit) const = 0;
  std::vector<KeyValue> scan(Family family, BytesView prefix, BytesView from,
                             std::size_t limit) const {
    return scan(family, KeyRange{prefix, from, {}}, limit);
  }
  /// Hands every row with first <= key < end (empty: from the first, to the last) to `row`,
  /// ascending: for reading all of a family once. The views live as long as the call.
  virtual void visit(Family family, BytesView first, BytesView end,
                     const std::function<void(BytesView key, BytesView value)>& row) const;
  /// The values of many keys, nullopt where there is none. Fastest for ascending keys.
  virtual std::vector<std::optional<Bytes>> read_many(Family family,
                                                      const std::vector<Bytes>& keys) const;
  /// Keys that divide a family into about `parts` ranges of equal size, ascending, fewer or none if
  /// that is not known: for reading all of it by several threads.
  virtual std::vector<Bytes> split(Family, std::size_t /*parts*/) const { return {}; }
  /// The state as it is now, whatever is applied later. Lives no longer than the store, and holding
  /// it keeps old rows on the disk.
  virtual std::unique_ptr<StateReader> freeze_state() const = 0;
  /// Applies all or nothing, also across a crash. Not yet durable: see flush(). A write error ends
  /// the process.
  virtual void apply(const std::vector<StoreWrite>& batch) = 0;
  /// apply() of `batch` and of these writes of Family::state together, without a copy of them.
  virtual void apply_with_state(const std::vector<StoreWrite>& batch,
                                const StateOverlay::Writes& state);
  /// Erases every row of a family. Not at once: after a crash some may be left.
  virtual void clear(Family family);
  /// Erases every row of a family with first <= key < end and applies `batch`, all or nothing; else
  /// as apply().
  virtual void erase_range(Family family, BytesView first, BytesView end,
                           const std::vector<StoreWrite>& batch);
  /// Gives the space of rows erased in [first, end) (empty: from the first, to the last) back to
  /// the disk. Takes as long as rewriting the files that hold the range; others read and write
  /// meanwhile. Ends early once `cancelled` is true: the next call does the rest. Requires: the
  /// erasure is durable.
  virtual void reclaim(Family, BytesView /*first*/, BytesView /*end*/,
                       std::atomic<bool>& /*cancelled*/) {}
  /// Returns when everything applied so far survives a power cut.
  virtual void flush() = 0;
  /// flush() in two parts: finish_flush() returns when everything applied before begin_flush()
  /// survives a power cut. Between the two and during the second others may apply. Any thread may
  /// finish what another began.
  virtual void begin_flush() {}
  virtual void finish_flush() { flush(); }
  /// Memory of what was applied since begin_flush().
  virtual std::size_t waiting_bytes() const { return 0; }
  /// So much waits that it should be flushed soon.
  virtual bool wants_flush() const { return false; }
  /// How much may wait before it should be flushed, from now on.
  virtual void gather_up_to(std::size_t /*bytes*/) {}
  /// apply() of many rows and flush(). All or nothing across a crash, but that rows of
  /// Family::blocks may be left by one. Requires: ascending by family and key, each key once.
  virtual void apply_and_flush(std::vector<RowView> rows);
};

/// How rows of state and index are packed when they are merged. A store reads both.
enum class Packing : std::uint8_t {
  fast,   ///< for a node at work, which merges the same rows again and again
  dense,  ///< for a compaction that is asked for: fewer bytes, more work
};

/// Returns: Errc::io_failed, Errc::store_corrupt.
Result<std::unique_ptr<KeyValueStore>> open_rocksdb_store(const std::string& directory,
                                                          Packing packing = Packing::fast);
std::unique_ptr<KeyValueStore> make_memory_store();

/// A stored block. `batch` is the canonical consensus batch, `transactions` its bodies in order,
/// `receipts` the canonical receipts in leaf order.
struct StoredBlock {
  static constexpr std::string_view kTypeName = "StoredBlock";
  Version<1> version;
  Header header;
  Bytes batch;
  std::vector<Bytes> transactions;
  std::vector<Bytes> receipts;

  friend bool operator==(const StoredBlock&, const StoredBlock&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &StoredBlock::version, "format version"),
        field("header", &StoredBlock::header, "the header that EXEC signs"),
        field("batch", &StoredBlock::batch, at_most(512 * 1024), "canonical batch of consensus"),
        field("transactions", &StoredBlock::transactions, list_of_bytes(5000, kTransactionBytesMax),
              "canonical transactions in batch order"),
        field("receipts", &StoredBlock::receipts, list_of_bytes(20000, 512 * 1024),
              "canonical receipts in the order of the operation leaves"));
  }
};

}  // namespace baolian::ledger
