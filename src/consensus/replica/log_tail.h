/// What the consensus log must still say: every record issued for a height above the last cut, so
/// that a SNAPSHOT can begin a new segment and all older segments can go (consensus.md 1.7).
///
/// Bounds:      records of certified heights are kept up to kTailBytesMax in all. When there are
///              more, the oldest are forgotten here (not in the log), and a cut must wait until the
///              store has flushed what was forgotten. Records above h are never forgotten; the
///              window bounds them.
/// Invariants:  (1) cut() and forgotten() only grow  (2) no record at or below cut() is held.
/// Threads:     engine-confined.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "consensus/log_record.h"
#include "core/ids.h"

namespace baolian::consensus {

inline constexpr std::size_t kTailBytesMax = 48 * 1024 * 1024;

class LogTail {
 public:
  explicit LogTail(std::size_t bytes_max = kTailBytesMax) : bytes_max_(bytes_max) {}

  void add(Height height, LogRecord record);
  /// Forgets records of this type at `first` <= height <= `last`: another entry took their place.
  void drop(RecordType type, Height first, Height last);
  /// The newest VIEW_ENTER, VC_SENT or RAFT_TERM: kept until the next of its type, whatever is cut.
  void keep_view(LogRecord record);
  /// A record that no cut takes away: evidence, STOPPED. Few by nature.
  void keep_always(LogRecord record) { kept_.push_back(std::move(record)); }
  /// Forgets certified heights, oldest first, while more than the bound is held.
  void limit(Height certified);
  /// Drops what is at or below `height`.
  void cut_through(Height height);

  Height cut() const { return cut_; }
  /// A cut below this height would lose what a restart needs.
  Height forgotten() const { return forgotten_; }
  std::size_t size_bytes() const { return bytes_; }
  /// What no cut takes away, the newest VIEW_ENTER, VC_SENT and RAFT_TERM, then all records in the
  /// order of heights, and of writing within a height.
  std::vector<LogRecord> records() const;

 private:
  std::map<Height, std::vector<LogRecord>> records_;
  std::optional<LogRecord> view_enter_;
  std::optional<LogRecord> vc_sent_;
  std::optional<LogRecord> raft_term_;
  std::vector<LogRecord> kept_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  Height cut_;
  Height forgotten_;
};

}  // namespace baolian::consensus
