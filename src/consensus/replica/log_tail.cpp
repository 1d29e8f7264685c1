#include "consensus/replica/log_tail.h"

#include "core/assert.h"
#include "core/seeded_bug.h"

namespace baolian::consensus {
namespace {

std::size_t size_of(const std::vector<LogRecord>& records) {
  std::size_t size = 0;
  for (const LogRecord& record : records) size += record.body->size();
  return size;
}

}  // namespace

void LogTail::add(Height height, LogRecord record) {
  ASSERT(record.body != nullptr);
  if (height <= cut_) return;
  bytes_ += record.body->size();
  records_[height].push_back(std::move(record));
}

void LogTail::keep_view(LogRecord record) {
  ASSERT(record.type == RecordType::view_enter || record.type == RecordType::vc_sent ||
         record.type == RecordType::raft_term);
  if (record.type == RecordType::raft_term) {
    raft_term_ = std::move(record);
  } else {
    (record.type == RecordType::view_enter ? view_enter_ : vc_sent_) = std::move(record);
  }
}

void LogTail::drop(RecordType type, Height first, Height last) {
  for (auto at = records_.lower_bound(first); at != records_.end() && at->first <= last; ++at) {
    bytes_ -= size_of(at->second);
    std::erase_if(at->second, [&](const LogRecord& record) { return record.type == type; });
    bytes_ += size_of(at->second);
  }
}

void LogTail::limit(Height certified) {
  while (bytes_ > bytes_max_ && !records_.empty() && records_.begin()->first <= certified) {
    const auto oldest = records_.begin();
    bytes_ -= size_of(oldest->second);
    forgotten_ = std::max(forgotten_, oldest->first);
    records_.erase(oldest);
  }
}

void LogTail::cut_through(Height height) {
  ASSERT(height >= forgotten_ && height >= cut_);
  cut_ = height;
  while (!records_.empty() && records_.begin()->first <= height) {
    bytes_ -= size_of(records_.begin()->second);
    records_.erase(records_.begin());
  }
}

std::vector<LogRecord> LogTail::records() const {
  std::vector<LogRecord> out = kept_;
  if (!seeded_bug(Bug::cut_loses_view)) {
    if (view_enter_.has_value()) out.push_back(*view_enter_);
    if (vc_sent_.has_value()) out.push_back(*vc_sent_);
    if (raft_term_.has_value()) out.push_back(*raft_term_);
  }
  for (const auto& [height, records] : records_) {
    out.insert(out.end(), records.begin(), records.end());
  }
  return out;
}

}  // namespace baolian::consensus
