#include "sim/disk.h"

#include <algorithm>

#include "core/assert.h"

namespace baolian::sim {

Result<std::vector<consensus::LogRecord>> LogDisk::replay() {
  std::vector<node::SegmentImage> images;
  for (const Segment& segment : segments_) {
    images.push_back({segment.number, segment.id, segment.written});
  }
  TRY(node::LogScan scan, node::scan_log(images));
  last_seq_ = synced_upto_ = scan.last_seq;
  if (!segments_.empty()) {
    segments_.resize(scan.end_segment + 1);
    segments_.back().written.resize(scan.end_offset);
    segments_.back().synced = scan.end_offset;
    segments_.erase(segments_.begin(),
                    segments_.begin() + static_cast<std::ptrdiff_t>(scan.first_segment));
  }
  return std::move(scan.records);
}

void LogDisk::power_cut(Prng& prng) {
  constexpr std::size_t kSectorBytes = 512;
  for (Segment& segment : segments_) {
    for (std::size_t at = segment.synced; at < segment.written.size();) {
      const std::size_t end =
          std::min(segment.written.size(), (at / kSectorBytes + 1) * kSectorBytes);
      const std::uint64_t fate = prng.below(3);
      std::size_t keep = end;
      if (fate == 1) keep = at;
      if (fate == 2) keep = at + prng.below(end - at);
      std::fill(segment.written.begin() + static_cast<std::ptrdiff_t>(keep),
                segment.written.begin() + static_cast<std::ptrdiff_t>(end), std::uint8_t{0});
      at = end;
    }
    segment.synced = segment.written.size();
  }
}

std::size_t LogDisk::size_bytes() const {
  std::size_t out = 0;
  for (const Segment& segment : segments_) out += segment.written.size();
  return out;
}

SimLog::SimLog(Config config, LogDisk& disk, Prng prng)
    : config_(std::move(config)), disk_(disk), prng_(prng) {}

void SimLog::append(PersistId id, std::vector<consensus::LogRecord> records) {
  queue_.push_back({id, std::move(records), std::nullopt});
  if (!busy_) start_group();
}

void SimLog::cut(consensus::LogRecord snapshot) {
  queue_.push_back({{}, {}, std::move(snapshot)});
  if (!busy_) start_group();
}

void SimLog::new_segment() {
  const std::uint64_t number = disk_.segments_.empty() ? 1 : disk_.segments_.back().number + 1;
  disk_.segments_.push_back({number, prng_.next(), {}, 0});
}

void SimLog::write(const consensus::LogRecord& record) {
  const std::size_t size = node::framed_size_bytes(record.body->size());
  if (disk_.segments_.empty() ||
      disk_.segments_.back().written.size() + size > config_.segment_bytes) {
    // What stands in a full segment is synced before the next one begins.
    if (!disk_.segments_.empty()) {
      disk_.segments_.back().synced = disk_.segments_.back().written.size();
      disk_.synced_upto_ = disk_.last_seq_;
    }
    new_segment();
  }
  LogDisk::Segment& segment = disk_.segments_.back();
  node::append_frame(segment.written, {++disk_.last_seq_, segment.id, disk_.synced_upto_}, record);
}

/// Writes everything up to the next cut, or the cut alone; the sync comes later.
void SimLog::start_group() {
  ASSERT(!busy_ && !queue_.empty());
  busy_ = true;
  is_cut_ = queue_.front().snapshot.has_value();
  if (is_cut_) {
    new_segment();
    LogDisk::Segment& segment = disk_.segments_.back();
    node::append_frame(segment.written, {++disk_.last_seq_, segment.id, disk_.synced_upto_},
                       *queue_.front().snapshot);
    syncing_records_.push_back(*std::move(queue_.front().snapshot));
    queue_.pop_front();
    if (config_.power_goes()) return;
  } else {
    while (!queue_.empty() && !queue_.front().snapshot) {
      for (consensus::LogRecord& record : queue_.front().records) {
        write(record);
        syncing_records_.push_back(std::move(record));
        if (config_.power_goes()) return;
      }
      syncing_.push_back(queue_.front().id);
      queue_.pop_front();
    }
  }
  config_.after(prng_.between(config_.sync_ms_min, *config_.sync_ms_max),
                [this] { finish_group(); });
}

void SimLog::finish_group() {
  if (config_.honesty == DiskHonesty::honest) {
    for (LogDisk::Segment& segment : disk_.segments_) segment.synced = segment.written.size();
  }
  disk_.synced_upto_ = disk_.last_seq_;
  if (is_cut_) disk_.segments_.erase(disk_.segments_.begin(), disk_.segments_.end() - 1);
  busy_ = false;
  std::vector<PersistId> durable;
  durable.swap(syncing_);
  std::vector<consensus::LogRecord> records;
  records.swap(syncing_records_);
  if (config_.honesty == DiskHonesty::honest) {
    for (const consensus::LogRecord& record : records) config_.on_record(record);
  }
  if (config_.power_goes()) return;
  if (!queue_.empty()) start_group();
  for (const PersistId id : durable) config_.on_durable(id);
}

}  // namespace baolian::sim
