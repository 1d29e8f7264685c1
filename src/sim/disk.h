/// The simulator's disk under the consensus log: what is not synced can be lost or torn.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "core/prng.h"
#include "node/log_format.h"
#include "node/ports.h"
#include "sim/event_queue.h"

namespace baolian::sim {

/// The platters: outlive the process of the node. Same framing and replay as the real log.
class LogDisk {
 public:
  /// Replays the log as node::LogFile does, including the zeroing of a torn tail.
  Result<std::vector<consensus::LogRecord>> replay();

  /// The power goes: each unsynced 512-byte sector is kept, dropped, or torn in the middle.
  void power_cut(Prng& prng);
  std::size_t size_bytes() const;

 private:
  friend class SimLog;
  struct Segment {
    std::uint64_t number = 0;
    std::uint64_t id = 0;
    Bytes written;           ///< what a reader of the running system sees
    std::size_t synced = 0;  ///< bytes that a power cut leaves
  };
  std::vector<Segment> segments_;
  std::uint64_t last_seq_ = 0;
  std::uint64_t synced_upto_ = 0;
};

/// Whether a sync does what it says. A lying disk is a seeded bug: the checker must notice it.
enum class DiskHonesty : std::uint8_t { honest, lying };

/// The log of one run of a node: group commit with a delay of its own for each sync.
class SimLog final : public node::LogStore {
 public:
  struct Config {
    const std::uint64_t* sync_ms_max = nullptr;  ///< one fdatasync; may change meanwhile
    std::uint64_t sync_ms_min = 0;
    DiskHonesty honesty = DiskHonesty::honest;
    std::size_t segment_bytes = 256 * 1024;
    std::function<void(PersistId)> on_durable;
    /// A record that a power cut leaves from now on; before on_durable. A SNAPSHOT: all older
    /// segments are gone.
    std::function<void(const consensus::LogRecord&)> on_record;
    /// Asked at every step of a write (a record is written, a sync is done): true if the power goes
    /// just there. Nothing more happens to the disk then.
    std::function<bool()> power_goes = [] { return false; };
    /// Runs an event of this node unless it crashed in between.
    std::function<void(std::uint64_t delay_ms, std::function<void()>)> after;
  };
  SimLog(Config config, LogDisk& disk, Prng prng);

  void append(PersistId id, std::vector<consensus::LogRecord> records) override;
  void cut(consensus::LogRecord snapshot) override;

 private:
  struct Item {
    PersistId id;
    std::vector<consensus::LogRecord> records;
    std::optional<consensus::LogRecord> snapshot;
  };
  void start_group();
  void finish_group();
  void write(const consensus::LogRecord& record);
  void new_segment();

  Config config_;
  LogDisk& disk_;
  Prng prng_;
  std::deque<Item> queue_;
  std::vector<PersistId> syncing_;
  std::vector<consensus::LogRecord> syncing_records_;
  bool is_cut_ = false;
  bool busy_ = false;
};

}  // namespace baolian::sim
