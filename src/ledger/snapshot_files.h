/// A snapshot on disk, as a node offers it to others: made by one pass over the state of the cut,
/// which is spread over 64 files by the first bits of kh, each of which is then small enough to be
/// put in order in memory.
///
/// A directory of a whole snapshot holds `chunks`, the canonical StateChunks one after the other in
/// the order of their numbers, and `index`, a canonical SnapshotIndex. It gets its name when it is
/// whole: what a crash leaves has another name.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/codec.h"
#include "core/result.h"
#include "ledger/snapshot.h"
#include "ledger/state_chunk.h"

namespace baolian::ledger {

/// A chunk has its rows' bytes and little more; who fetches one bounds it by this.
inline constexpr std::uint32_t kChunkBytesMax = 256U << 20;

struct SnapshotIndex {
  static constexpr std::string_view kTypeName = "SnapshotIndex";
  Version<1> version;
  SnapshotHead head;
  std::vector<std::uint64_t> ends;  ///< of the chunks in `chunks`, ascending

  friend bool operator==(const SnapshotIndex&, const SnapshotIndex&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &SnapshotIndex::version, "format version"),
                      field("head", &SnapshotIndex::head, "under which header the chunks stand"),
                      field("ends", &SnapshotIndex::ends, at_most(kChunkCount),
                            "4,096 offsets: where each chunk ends in the file of chunks"));
  }
};

/// Writes the chunks of a cut into DIRECTORY/chunks (made, or emptied), durably.
/// `is_stopped` is asked now and then. Returns: where the chunks end; Errc::io_failed; Errc::closed
/// if stopped.
Result<std::vector<std::uint64_t>> write_chunks(const SnapshotCut& cut,
                                                const std::string& directory,
                                                const std::function<bool()>& is_stopped);

/// A whole snapshot on disk, open for reading. Thread-safe.
class SnapshotFile {
 public:
  /// Writes DIRECTORY/index, names the directory `whole` and opens it.
  /// Returns: Errc::io_failed.
  static Result<std::shared_ptr<const SnapshotFile>> complete(const std::string& directory,
                                                              const std::string& whole,
                                                              SnapshotIndex index);
  /// Returns: Errc::io_failed, codec errors, Errc::store_corrupt if index and chunks do not fit.
  static Result<std::shared_ptr<const SnapshotFile>> open(const std::string& directory);
  ~SnapshotFile();
  SnapshotFile(const SnapshotFile&) = delete;
  SnapshotFile& operator=(const SnapshotFile&) = delete;

  const SnapshotHead& head() const { return index_.head; }
  std::uint64_t size_bytes() const { return index_.ends.back(); }
  std::uint64_t chunk_bytes(std::uint16_t number) const;
  /// At most `bytes_max` bytes of a chunk from `offset` on. Requires: number < kChunkCount.
  /// Returns: Errc::io_failed; Errc::bad_argument for an offset behind the chunk's end.
  Result<Bytes> read(std::uint16_t number, std::uint64_t offset, std::size_t bytes_max) const;

 private:
  SnapshotFile(int file, SnapshotIndex index) : file_(file), index_(std::move(index)) {}

  int file_;
  SnapshotIndex index_;
};

}  // namespace baolian::ledger
