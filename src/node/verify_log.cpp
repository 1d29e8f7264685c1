/// The consensus log's part of verify_node().
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "node/log_format.h"
#include "node/verify_parts.h"
#include "vault/durable_file.h"

namespace baolian::node {
namespace {

namespace fs = std::filesystem;
using ledger::AuditReport;
using ledger::Damage;

/// A node that runs cuts its log now and then: between listing and reading a segment may go.
constexpr int kAttemptsWhileInUse = 5;
constexpr std::size_t kNumberDigits = 10;
constexpr std::size_t kIdDigits = 16;

struct SegmentFile {
  std::string name;
  std::uint64_t number = 0;
  std::uint64_t id = 0;
  Bytes bytes;
};

/// `<number, 10 digits>-<id, 16 hex digits>.log` (log_store.h).
std::optional<SegmentFile> parse_name(const std::string& name) {
  if (name.size() != kNumberDigits + 1 + kIdDigits + 4 || !name.ends_with(".log") ||
      name[kNumberDigits] != '-') {
    return std::nullopt;
  }
  SegmentFile out;
  out.name = name;
  const char* text = name.data();
  const char* id = text + kNumberDigits + 1;
  const auto number = std::from_chars(text, text + kNumberDigits, out.number);
  const auto hex = std::from_chars(id, id + kIdDigits, out.id, 16);
  const bool is_whole = number.ec == std::errc{} && number.ptr == text + kNumberDigits &&
                        hex.ec == std::errc{} && hex.ptr == id + kIdDigits;
  return is_whole ? std::optional(std::move(out)) : std::nullopt;
}

/// Reads the newest first: what a newer segment says was durable is then read from the older ones
/// later, when it is there.
Result<std::vector<SegmentFile>> read_segments(const std::string& directory) {
  std::vector<SegmentFile> out;
  TRY(const std::vector<std::string> names, vault::names_in(directory, ".log"));
  for (const std::string& name : names) {
    if (auto segment = parse_name(name + ".log")) out.push_back(std::move(*segment));
  }
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return a.number > b.number; });
  for (SegmentFile& segment : out) {
    TRY(segment.bytes, vault::read_file(directory + "/" + segment.name));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

bool is_zero(BytesView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

class SegmentWalk {
 public:
  explicit SegmentWalk(AuditReport& report) : report_(report) {}

  /// Every record and every byte of a segment. `end`: where the log ends, if it ends in this one:
  /// what follows there was never acknowledged.
  void walk(const SegmentFile& file, std::optional<std::size_t> end) {
    const SegmentImage image{file.number, file.id, file.bytes};
    std::size_t offset = 0;
    while (offset < file.bytes.size()) {
      if (end && offset >= *end) {
        check_tail(file, offset);
        return;
      }
      const auto frame = frame_at(image, offset);
      if (!frame) break;
      const std::size_t padding = offset + kLogHeaderBytes + frame->payload.size();
      const std::size_t next = std::min(frame->end, file.bytes.size());
      if (!is_zero(BytesView(file.bytes).subspan(padding, next - padding))) {
        found(file, padding, "the bytes that fill up a record are not zero");
      }
      report_.advance();
      offset = next;
    }
    // A segment is full before the next one begins: what follows its last record is zero.
    if (offset < file.bytes.size() && !is_zero(BytesView(file.bytes).subspan(offset))) {
      found(file, offset, "neither a whole record nor zeros: its CRC or header is wrong");
    }
  }

 private:
  void found(const SegmentFile& file, std::size_t offset, std::string what) {
    report_.found(Damage::consensus_log, std::nullopt,
                  "log/" + file.name + " at byte " + std::to_string(offset), std::move(what));
  }

  void check_tail(const SegmentFile& file, std::size_t offset) {
    if (is_zero(BytesView(file.bytes).subspan(offset))) return;
    report_.remark("log/" + file.name + " ends at byte " + std::to_string(offset) +
                   " with an unfinished write: a crash leaves that, a clean stop does not");
  }

  AuditReport& report_;
};

/// Returns: false if a node that runs may have been the reason and it should be tried again.
bool verify_once(const std::string& directory, AuditReport& report, bool is_last_attempt) {
  auto segments = read_segments(directory);
  if (!segments) {
    if (!is_last_attempt) return false;
    report.begin("consensus log", 0);
    report.found(Damage::consensus_log, std::nullopt, "log/", segments.error().context);
    return true;
  }
  std::vector<SegmentImage> images;
  for (const SegmentFile& segment : *segments) {
    images.push_back({segment.number, segment.id, segment.bytes});
  }
  const auto scan = scan_log(images);
  if (!scan && !is_last_attempt) return false;
  report.begin("consensus log", scan ? scan->records.size() : 0);
  if (segments->empty()) {
    report.remark("there is no consensus log");
    return true;
  }
  SegmentWalk walk(report);
  const std::uint64_t before = report.damage_count();
  for (std::size_t i = scan ? scan->first_segment : 0; i < segments->size(); ++i) {
    const bool is_end = scan && i >= scan->end_segment;
    const std::size_t end = scan && i == scan->end_segment ? scan->end_offset : 0;
    walk.walk((*segments)[i], is_end ? std::optional(end) : std::nullopt);
  }
  if (!scan && report.damage_count() == before) {
    report.found(Damage::consensus_log, std::nullopt, "log/", scan.error().context);
  }
  return true;
}

}  // namespace

bool log_is_in_use(const std::string& directory) {
  const int fd = ::open((directory + "/lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool is_free = ::flock(fd, LOCK_SH | LOCK_NB) == 0;
  ::close(fd);
  return !is_free;
}

void verify_log(const std::string& directory, LogUse use, AuditReport& report) {
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    report.begin("consensus log", 0);
    report.remark("there is no consensus log");
    return;
  }
  const int attempts = use == LogUse::in_use ? kAttemptsWhileInUse : 1;
  for (int attempt = 1; !verify_once(directory, report, attempt == attempts); ++attempt) {
  }
}

}  // namespace baolian::node
