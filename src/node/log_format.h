/// Framing and replay of the consensus log (consensus.md 1.7): pure functions over bytes, so that
/// the file (log_store.h) and the simulator's disk obey the same rules.
///
/// A log is a row of segments, numbered from 1. A segment has a random 64-bit id that stands in its
/// file name and in every record: nobody who does not see the disk can put bytes into a transaction
/// that would look like a record when replay searches for one.
///
/// Records begin on 64-byte boundaries; integers are little-endian.
///
/// | offset | bytes | what |
/// |---|---|---|
/// | 0 | 4 | magic "BLG1" |
/// | 4 | 4 | length of the payload, at most 2^27 |
/// | 8 | 8 | seq: 1, 2, 3 ... through all segments |
/// | 16 | 8 | id of the segment |
/// | 24 | 8 | synced_upto: highest seq known durable when this record was written |
/// | 32 | 1 | type (consensus/log_record.h) |
/// | 33 | 3 | zeros |
/// | 36 | 4 | CRC-32C of the payload |
/// | 40 | 4 | CRC-32C of bytes 0..39 |
/// | 44 | length | payload |
/// | | 0..63 | zeros up to the next 64-byte boundary |
///
/// Worked example (tests/node/log_format_test.cpp decodes it): type boot (1), payload 61 62 63, seq
/// 1, segment id 0x1122334455667788, synced_upto 0:
///
///   424c4731 03000000 0100000000000000 8877665544332211 0000000000000000 01 000000 b73f4b36
///   0135f171 616263 and 17 zeros
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "consensus/log_record.h"
#include "core/result.h"

namespace baolian::node {

inline constexpr std::size_t kLogAlignmentBytes = 64;
inline constexpr std::size_t kLogHeaderBytes = 44;
inline constexpr std::uint32_t kLogPayloadBytesMax = 1U << 27;

/// What a record says about its place.
struct LogPosition {
  std::uint64_t seq = 0;
  std::uint64_t segment_id = 0;
  std::uint64_t synced_upto = 0;
};

/// Bytes that a payload of this size takes in a segment, padding included.
std::size_t framed_size_bytes(std::size_t payload_bytes);

/// Appends one framed record. Requires: out.size() is a multiple of 64, the record has a body, and
/// its payload is at most kLogPayloadBytesMax.
void append_frame(Bytes& out, const LogPosition& position, const consensus::LogRecord& record);

/// A segment as it was read from disk. The view must outlive the scan.
struct SegmentImage {
  std::uint64_t number = 0;  ///< 1, 2, 3 ...; from the file name
  std::uint64_t id = 0;      ///< random; from the file name
  BytesView bytes;
};

/// One record where it stands. The payload lies in the segment's bytes.
struct LogFrame {
  LogPosition position;
  consensus::RecordType type{};
  BytesView payload;
  std::size_t end = 0;  ///< offset behind its padding; may be above the segment's size
};

/// The record at this offset; nothing unless header and payload have their CRCs and it belongs to
/// the segment. Requires: offset <= segment.bytes.size().
std::optional<LogFrame> frame_at(const SegmentImage& segment, std::size_t offset);

/// What replay found.
struct LogScan {
  std::vector<consensus::LogRecord> records;  ///< from the newest whole snapshot on, in order
  std::uint64_t last_seq = 0;                 ///< seq of the last of them; 0 if there is none
  std::size_t first_segment = 0;  ///< index of the first segment still needed; older ones may go
  std::size_t end_segment = 0;    ///< index of the segment in which the log ends
  std::size_t end_offset = 0;     ///< where it ends: everything behind must be zeroed
  bool tail_is_clean = true;      ///< false: something other than zeros follows the end
};

/// Finds the records by searching every 64-byte boundary of all segments (a flipped length must not
/// hide later records), begins at the newest segment whose first record is a valid SNAPSHOT, and
/// ends before the first seq that is missing.
///
/// Requires: segments ascending by number.
/// Returns: Errc::log_corrupt if a record is missing or bad of which a later valid record says that
/// it was durable, or if the log begins with a later segment than 1 that has no valid snapshot: the
/// node must not vote.
Result<LogScan> scan_log(std::span<const SegmentImage> segments);

}  // namespace baolian::node
