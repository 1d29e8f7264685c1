#include "node/log_format.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>

#include "core/assert.h"
#include "core/codec.h"
#include "crypto/hash.h"

namespace baolian::node {

namespace {

constexpr std::array<std::uint8_t, 4> kMagic{'B', 'L', 'G', '1'};

std::uint64_t read_little_endian(BytesView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

struct Found : LogFrame {
  std::size_t segment = 0;
  std::size_t offset = 0;
};

std::vector<Found> find_records(std::span<const SegmentImage> segments) {
  std::vector<Found> all;
  for (std::size_t index = 0; index < segments.size(); ++index) {
    std::size_t offset = 0;
    while (offset + kLogHeaderBytes <= segments[index].bytes.size()) {
      if (const auto frame = frame_at(segments[index], offset)) {
        all.push_back({*frame, index, offset});
        offset = frame->end;
      } else {
        offset += kLogAlignmentBytes;
      }
    }
  }
  return all;
}

bool is_zero(BytesView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

}  // namespace

std::optional<LogFrame> frame_at(const SegmentImage& segment, std::size_t offset) {
  const BytesView rest = segment.bytes.subspan(offset);
  if (rest.size() < kLogHeaderBytes) return std::nullopt;
  if (!std::equal(kMagic.begin(), kMagic.end(), rest.begin())) return std::nullopt;
  const auto header_crc = static_cast<std::uint32_t>(read_little_endian(rest.subspan(40, 4)));
  if (crypto::crc32c(rest.subspan(0, 40)) != header_crc) return std::nullopt;
  const auto length = static_cast<std::size_t>(read_little_endian(rest.subspan(4, 4)));
  const std::uint8_t type = rest[32];
  if (length > kLogPayloadBytesMax || length > rest.size() - kLogHeaderBytes) return std::nullopt;
  if (!is_enum_value<consensus::RecordType>(type)) return std::nullopt;
  LogFrame frame;
  frame.position.seq = read_little_endian(rest.subspan(8, 8));
  frame.position.segment_id = read_little_endian(rest.subspan(16, 8));
  frame.position.synced_upto = read_little_endian(rest.subspan(24, 8));
  if (frame.position.segment_id != segment.id) return std::nullopt;
  frame.payload = rest.subspan(kLogHeaderBytes, length);
  const auto payload_crc = static_cast<std::uint32_t>(read_little_endian(rest.subspan(36, 4)));
  if (crypto::crc32c(frame.payload) != payload_crc) return std::nullopt;
  frame.type = static_cast<consensus::RecordType>(type);
  frame.end = offset + framed_size_bytes(length);
  return frame;
}

std::size_t framed_size_bytes(std::size_t payload_bytes) {
  const std::size_t whole = kLogHeaderBytes + payload_bytes;
  return (whole + kLogAlignmentBytes - 1) / kLogAlignmentBytes * kLogAlignmentBytes;
}

void append_frame(Bytes& out, const LogPosition& position, const consensus::LogRecord& record) {
  ASSERT(out.size() % kLogAlignmentBytes == 0);
  ASSERT(record.body != nullptr);
  const Bytes& payload = *record.body;
  ASSERT(payload.size() <= kLogPayloadBytesMax);
  ASSERT(position.seq > position.synced_upto);
  const std::size_t start = out.size();
  out.reserve(start + framed_size_bytes(payload.size()));
  Encoder encoder(out);
  encoder.raw(kMagic);
  encoder.integer(static_cast<std::uint32_t>(payload.size()));
  encoder.integer(position.seq);
  encoder.integer(position.segment_id);
  encoder.integer(position.synced_upto);
  encoder.integer(static_cast<std::uint32_t>(record.type));  // one byte and three zeros
  encoder.integer(crypto::crc32c(payload));
  encoder.integer(crypto::crc32c(BytesView(out).subspan(start)));
  ASSERT(out.size() - start == kLogHeaderBytes);
  encoder.raw(payload);
  out.resize(start + framed_size_bytes(payload.size()), 0);
}

Result<LogScan> scan_log(std::span<const SegmentImage> segments) {
  LogScan scan;
  if (segments.empty()) return scan;
  const std::vector<Found> all = find_records(segments);

  // The newest whole snapshot is where the log begins; without one it must be whole from segment 1.
  std::size_t first = 0;
  std::uint64_t expected = 1;
  bool has_snapshot = false;
  for (std::size_t i = all.size(); i-- > 0 && !has_snapshot;) {
    if (all[i].offset != 0 || all[i].type != consensus::RecordType::snapshot) continue;
    first = i;
    expected = all[i].position.seq;
    has_snapshot = true;
  }
  if (has_snapshot) {
    scan.first_segment = all[first].segment;
  } else if (segments.front().number != 1) {
    return fail(Errc::log_corrupt,
                "the consensus log begins with segment " + std::to_string(segments.front().number) +
                    ", whose snapshot record is unreadable; do not vote with this log");
  }

  scan.end_segment = scan.first_segment;
  std::size_t next = first;
  for (; next < all.size() && all[next].position.seq == expected; ++next, ++expected) {
    scan.records.push_back(
        {all[next].type, std::make_shared<const Bytes>(to_bytes(all[next].payload))});
    scan.end_segment = all[next].segment;
    scan.end_offset = all[next].end;
  }
  scan.last_seq = expected - 1;

  // `expected` is the first seq that is not there. Whoever was written later knows if it ever was.
  for (std::size_t i = next; i < all.size(); ++i) {
    const LogPosition& later = all[i].position;
    if (later.seq < expected || later.synced_upto >= expected) {
      return fail(Errc::log_corrupt, "record " + std::to_string(expected) +
                                         " of the consensus log is missing or bad, " +
                                         "but record " + std::to_string(later.seq) +
                                         " says that it was durable; do not vote with this log");
    }
  }
  for (std::size_t i = scan.end_segment; i < segments.size(); ++i) {
    const std::size_t from = i == scan.end_segment ? scan.end_offset : 0;
    if (from < segments[i].bytes.size() && !is_zero(segments[i].bytes.subspan(from))) {
      scan.tail_is_clean = false;
    }
  }
  return scan;
}

}  // namespace baolian::node
