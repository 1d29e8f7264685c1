/// The consensus log as files (consensus.md 1.7): segments, group commit, cut. The bytes inside and
/// the rules of replay are in log_format.h.
///
/// One segment is one file `<number, 10 digits>-<id, 16 hex digits>.log`, preallocated with zeros,
/// never used again after it is full. A file comes to be under the suffix `.new`; its size, its
/// content so far and its directory entry are durable before a record in it counts. A segment made
/// by cut() begins with a SNAPSHOT record, fsynced before the older segments are removed; one that
/// only continues a full segment does not, and is replayed together with those before it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/codec.h"
#include "node/ports.h"

namespace baolian::node {

/// BOOT: one run of one disk. Written and fsynced before the first message of a run, and again
/// behind the snapshot of each cut, so that it is never cut away. A lost or replaced disk shows as
/// another incarnation, a copied or rolled back one as a counter that went back (consensus.md 1.7).
struct BootRecord {
  static constexpr std::string_view kTypeName = "BootRecord";
  Version<1> version;
  std::uint64_t incarnation = 0;
  std::uint64_t boot_counter = 0;

  friend bool operator==(const BootRecord&, const BootRecord&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &BootRecord::version, "format version"),
        field("incarnation", &BootRecord::incarnation, "random; chosen with the first segment"),
        field("boot_counter", &BootRecord::boot_counter, "1 in the first run, then one more each"));
  }
};

/// The log of one node in one directory.
///
/// Threads:     append() and cut() on one thread (the core thread); writing, fdatasync and the
///              on_durable callback on the log's own thread. Everything queued while one fdatasync
///              runs shares the next one.
/// Persistence: a write or fsync error ends the process: nobody can say what is on the disk then.
class LogFile final : public LogStore {
 public:
  struct Config {
    std::string directory;  ///< made if it is missing (its parent must exist)
    std::size_t segment_bytes = 16 * 1024 * 1024;  ///< preallocated; larger if one record needs it
    std::function<void(PersistId)> on_durable;     ///< called on the log thread, in order of append
  };
  /// What replay found when the log was opened.
  struct Replayed {
    std::vector<consensus::LogRecord> records;  ///< without BOOT records
    BootRecord boot;                            ///< of this run, durable
  };

  /// Opens or makes the log, replays it, zeroes what a crash left behind its end, and makes that
  /// and this run's BOOT record durable.
  /// Returns: Errc::log_corrupt (see scan_log), Errc::io_failed for a directory that cannot be
  /// used, Errc::already_exists if another process has it open.
  static Result<std::unique_ptr<LogFile>> open(Config config, Replayed& replayed);

  /// Makes everything durable that was appended, calls on_durable for it, and ends the thread.
  ~LogFile() override;
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  void append(PersistId id, std::vector<consensus::LogRecord> records) override;
  void cut(consensus::LogRecord snapshot) override;

  /// fdatasyncs of records since the start. Any thread.
  std::uint64_t sync_count() const;

 private:
  struct State;
  explicit LogFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace baolian::node
