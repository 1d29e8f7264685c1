/// A chain store opened for checking: nothing is written, and a row that cannot be read is an
/// answer. KeyValueStore ends the process there, which is right for a node and wrong for whoever
/// looks for the damage.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "ledger/store.h"

namespace baolian::ledger {

/// Rows of one family in the order of their keys. Lives no longer than its store. One thread.
class RowCursor {
 public:
  virtual ~RowCursor() = default;
  /// The next row, or the first one not below seek()'s key; false at the end.
  /// Returns: Errc::store_corrupt or Errc::io_failed for a place that cannot be read; seek() beyond
  /// it to go on.
  virtual Result<bool> next() = 0;
  virtual void seek(BytesView key) = 0;
  /// Of the row that next() gave; valid until the next call.
  virtual BytesView key() const = 0;
  virtual BytesView value() const = 0;
};

/// Reads are as of the moment of opening. Thread-safe but for its cursors.
class AuditStore {
 public:
  /// A file of the store that can be checked by itself.
  struct File {
    std::string path;
    std::uint64_t size_bytes = 0;
  };

  virtual ~AuditStore() = default;
  /// Returns: Errc::store_corrupt, Errc::io_failed.
  virtual Result<std::optional<Bytes>> read(Family family, BytesView key) const = 0;
  /// All rows whose key begins with `prefix`, from the first.
  virtual std::unique_ptr<RowCursor> rows(Family family, BytesView prefix) const = 0;
  /// The greatest key that begins with `prefix`. Returns: as read().
  virtual Result<std::optional<Bytes>> last_key(Family family, BytesView prefix) const = 0;
  /// About how many rows a family has, for progress only.
  virtual std::uint64_t estimated_rows(Family family) const = 0;
  /// Files with checksums of their own; none if the store has no files.
  virtual std::vector<File> files() const = 0;
  /// Reads a whole file against its checksums. Returns: Errc::store_corrupt, Errc::io_failed.
  virtual Result<void> check_file(const File& file) const = 0;
};

struct OpenedForAudit {
  std::unique_ptr<AuditStore> store;
  /// What was wrong with the files that say which files and rows there are, although the store
  /// could be opened in the end: rows may be missing because of it.
  std::vector<std::string> damages;
};

/// Opens a RocksDB store without writing a byte, also beside a node that has it open: the answer is
/// then the state of some moment, and files that the node removes meanwhile can no longer be read.
/// Returns: Errc::not_found if there is no store; Errc::store_corrupt, Errc::io_failed if it cannot
/// be opened at all.
Result<OpenedForAudit> open_rocksdb_for_audit(const std::string& directory);

/// The same over a store in memory, which must outlive it.
std::unique_ptr<AuditStore> audit_store_over(const KeyValueStore& store);

}  // namespace baolian::ledger
