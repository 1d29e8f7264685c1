/// Replay of the consensus log (consensus.md 1.7). The first byte chooses: either the input is the
/// disk itself, or it writes a log of its own and then damages it the way disks do. Replay never
/// fails for what a crash alone can do, gives back what was written and nothing else, and either
/// finds what a later whole record calls durable, or says that the log is corrupt.
#include <algorithm>
#include <vector>

#include "fuzz/input_bytes.h"
#include "node/log_format.h"

namespace baolian::fuzz {
namespace {

using consensus::LogRecord;
using consensus::RecordType;
using node::LogScan;
using node::SegmentImage;

struct Written {
  LogRecord record;
  std::uint64_t synced_upto = 0;
  std::size_t segment = 0;
  std::size_t offset = 0;
  std::size_t size = 0;
};

struct Segment {
  std::uint64_t number = 1;
  std::uint64_t id = 0;
  Bytes bytes;  ///< written so far; the file has zeros behind
};

constexpr std::size_t kFileBytes = 4096;
constexpr std::size_t kRecordsMax = 64;

/// Writes as LogFile does: in order, a SNAPSHOT at the head of a segment made by a cut, everything
/// before the last fsync named as durable.
class Writer {
 public:
  void run(InputBytes& in) {
    segments_.push_back({1, next_id(), {}});
    const std::size_t count = in.pick(kRecordsMax);
    for (std::size_t i = 0; i < count; ++i) write(in);
  }
  void write(InputBytes& in) {
    const std::size_t what = in.pick(16);
    if (what == 0 && !written_.empty()) {
      cut_or_continue(in.flip());
    } else if (what < 4) {
      synced_ = written_.size();
    } else {
      const auto type = static_cast<RecordType>(3 + in.pick(9));
      append(type, to_bytes(in.take(in.pick(4) == 0 ? in.byte() : 8)));
    }
  }

  std::vector<Segment>& segments() { return segments_; }
  const std::vector<Written>& written() const { return written_; }
  /// How many records are durable: a crash cannot touch them.
  std::size_t synced() const { return synced_; }
  /// Goes on behind a scan: what it did not find was never there.
  void resume(const LogScan& scan, std::vector<Segment> segments) {
    segments_ = std::move(segments);
    written_.resize(static_cast<std::size_t>(scan.last_seq));
    synced_ = written_.size();
    segments_.resize(scan.end_segment + 1);
    segments_.back().bytes.resize(scan.end_offset);
  }

 private:
  std::uint64_t next_id() { return 0x9E3779B97F4A7C15ULL * ++ids_; }
  void cut_or_continue(bool with_snapshot) {
    synced_ = written_.size();
    segments_.push_back({segments_.back().number + 1, next_id(), {}});
    if (with_snapshot) {
      append(RecordType::snapshot, Bytes(12, 0x5A));
      synced_ = written_.size();
    }
  }
  void append(RecordType type, Bytes body) {
    Segment* segment = &segments_.back();
    if (segment->bytes.size() + node::framed_size_bytes(body.size()) > kFileBytes) {
      cut_or_continue(false);
      segment = &segments_.back();
    }
    Written out;
    out.record = {type, std::make_shared<const Bytes>(std::move(body))};
    out.synced_upto = synced_;
    out.segment = segments_.size() - 1;
    out.offset = segment->bytes.size();
    node::append_frame(segment->bytes, {written_.size() + 1, segment->id, out.synced_upto},
                       out.record);
    out.size = segment->bytes.size() - out.offset;
    written_.push_back(std::move(out));
  }

  std::vector<Segment> segments_;
  std::vector<Written> written_;
  std::size_t synced_ = 0;
  std::uint64_t ids_ = 0;
};

std::vector<SegmentImage> images_of(const std::vector<Segment>& segments) {
  std::vector<SegmentImage> out;
  for (const Segment& segment : segments)
    out.push_back({segment.number, segment.id, segment.bytes});
  return out;
}

/// Whether the record still stands there as it was written.
bool is_intact(const Written& written, const std::vector<Segment>& damaged,
               const std::vector<Segment>& original) {
  if (written.segment >= damaged.size()) return false;
  const Bytes& now = damaged[written.segment].bytes;
  const Bytes& then = original[written.segment].bytes;
  if (now.size() < written.offset + written.size) return false;
  const auto at = static_cast<std::ptrdiff_t>(written.offset);
  return std::equal(then.begin() + at,
                    then.begin() + at + static_cast<std::ptrdiff_t>(written.size),
                    now.begin() + at);
}

enum class Reach : std::uint8_t { unsynced_only, anywhere };

/// Bytes that were never fsynced may be lost or torn in any way; `anywhere` is a bad disk.
void damage(InputBytes& in, Reach reach, const Writer& writer, std::vector<Segment>& segments) {
  std::size_t first_segment = 0;
  std::size_t first_offset = 0;
  if (reach == Reach::unsynced_only && writer.synced() > 0) {
    const Written& last = writer.written()[writer.synced() - 1];
    first_segment = last.segment;
    first_offset = last.offset + last.size;
  }
  const std::size_t count = 1 + in.pick(6);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = first_segment + in.pick(segments.size() - first_segment);
    Bytes& bytes = segments[at].bytes;
    const std::size_t from = at == first_segment ? first_offset : 0;
    if (from >= bytes.size()) continue;
    const std::size_t offset = from + in.word() % (bytes.size() - from);
    const std::size_t length = std::min<std::size_t>(1 + in.byte(), bytes.size() - offset);
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(offset);
    switch (in.pick(4)) {
      case 0:
        bytes[offset] ^= static_cast<std::uint8_t>(1U << in.pick(8));
        break;
      case 1:  // lost
        std::fill_n(begin, length, std::uint8_t{0});
        break;
      case 2:  // cut off
        bytes.resize(offset);
        break;
      default:  // something else
        for (const std::uint8_t b : in.take(length)) bytes[offset + (b % length)] = b;
    }
  }
}

void check_found(const LogScan& scan, const Writer& writer) {
  ASSERT(scan.records.size() <= scan.last_seq && scan.last_seq <= writer.written().size());
  const std::size_t first = static_cast<std::size_t>(scan.last_seq) - scan.records.size();
  for (std::size_t i = 0; i < scan.records.size(); ++i) {
    const LogRecord& then = writer.written()[first + i].record;
    ASSERT(scan.records[i].type == then.type && *scan.records[i].body == *then.body);
  }
  ASSERT(scan.records.empty() || first == 0 || scan.records[0].type == RecordType::snapshot);
}

void check_written(InputBytes in) {
  Writer writer;
  writer.run(in);
  const auto reach = in.flip() ? Reach::anywhere : Reach::unsynced_only;
  std::vector<Segment> disk = writer.segments();
  damage(in, reach, writer, disk);
  const auto scan = node::scan_log(images_of(disk));
  if (!scan) {
    ASSERT(scan.error().code == Errc::log_corrupt);
    ASSERT(reach == Reach::anywhere);
    return;
  }
  check_found(*scan, writer);
  if (reach == Reach::unsynced_only) ASSERT(scan->last_seq >= writer.synced());
  for (const Written& written : writer.written()) {
    const bool speaks = is_intact(written, disk, writer.segments());
    ASSERT(!speaks || written.synced_upto <= scan->last_seq);
  }
  if (reach == Reach::anywhere) return;

  // The node zeroes what is behind the end and goes on; after that nothing old may come back.
  writer.resume(*scan, std::move(disk));
  for (std::size_t i = 0; i < 8; ++i) writer.write(in);
  const auto again = node::scan_log(images_of(writer.segments()));
  ASSERT(again.has_value() && again->tail_is_clean);
  check_found(*again, writer);
  ASSERT(again->last_seq == writer.written().size());
}

void check_raw(InputBytes in) {
  std::vector<Segment> segments;
  const std::size_t count = 1 + in.pick(3);
  const std::uint64_t first = 1 + in.pick(2);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t size = i + 1 == count ? SIZE_MAX : in.word();
    segments.push_back({first + i, 0x1122334455667788ULL, to_bytes(in.take(size))});
  }
  const auto scan = node::scan_log(images_of(segments));
  if (!scan) {
    ASSERT(scan.error().code == Errc::log_corrupt);
    return;
  }
  ASSERT(scan->first_segment <= scan->end_segment && scan->end_segment < segments.size());
  ASSERT(scan->records.size() <= scan->last_seq);
}

}  // namespace
}  // namespace baolian::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace baolian;
  fuzz::InputBytes in({data, size});
  if (in.pick(4) == 3) {
    fuzz::check_raw(in);
  } else {
    fuzz::check_written(in);
  }
  return 0;
}
