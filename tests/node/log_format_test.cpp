#include "node/log_format.h"

#include "core/prng.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

using consensus::LogRecord;
using consensus::RecordType;

constexpr std::uint64_t kId = 0x1122334455667788ULL;

LogRecord record(RecordType type, Bytes body) {
  return {type, std::make_shared<const Bytes>(std::move(body))};
}

/// One segment whose records were synced one by one (synced_upto = seq - 1) or all at once (0).
enum class Synced { one_by_one, never };
Bytes segment_of(std::size_t count, Synced synced, std::size_t payload_bytes = 100) {
  Bytes out;
  for (std::uint64_t seq = 1; seq <= count; ++seq) {
    append_frame(
        out, {seq, kId, synced == Synced::one_by_one ? seq - 1 : 0},
        record(RecordType::pp_accept, Bytes(payload_bytes, static_cast<std::uint8_t>(seq))));
  }
  return out;
}

Result<LogScan> scan_one(const Bytes& bytes) {
  const SegmentImage image{1, kId, bytes};
  return scan_log({&image, 1});
}

TEST_CASE("log format: the worked example decodes", "[log]") {
  const auto bytes = from_hex(
      "424c473103000000010000000000000088776655443322110000000000000000"
      "01000000b73f4b360135f1716162630000000000000000000000000000000000");
  REQUIRE(bytes.has_value());
  Bytes framed;
  append_frame(framed, {1, kId, 0}, record(RecordType::boot, to_bytes("abc")));
  CHECK(to_hex(framed) == to_hex(*bytes));
  const auto scan = scan_one(*bytes);
  REQUIRE(scan.has_value());
  REQUIRE(scan->records.size() == 1);
  CHECK(scan->records[0].type == RecordType::boot);
  CHECK(*scan->records[0].body == to_bytes("abc"));
  CHECK(scan->last_seq == 1);
  CHECK(scan->end_offset == 64);
}

TEST_CASE("log format: an empty or zeroed segment is an empty log", "[log]") {
  const auto scan = scan_one(Bytes(4096, 0));
  REQUIRE(scan.has_value());
  CHECK(scan->records.empty());
  CHECK(scan->end_offset == 0);
  CHECK(scan->tail_is_clean);
}

TEST_CASE(
    "consensus 1.7: cut at every length, the log ends before the first record that is not "
    "whole",
    "[log]") {
  const Bytes whole = segment_of(6, Synced::one_by_one);
  const std::size_t frame = framed_size_bytes(100);
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    Bytes cut = whole;
    std::fill(cut.begin() + static_cast<std::ptrdiff_t>(length), cut.end(), std::uint8_t{0});
    const auto scan = scan_one(cut);
    REQUIRE(scan.has_value());
    // The zeros behind a record are padding: it is whole when its payload is.
    std::size_t expected = 0;
    while (expected < 6 && length >= expected * frame + kLogHeaderBytes + 100) ++expected;
    REQUIRE(scan->records.size() == expected);
    REQUIRE(scan->last_seq == expected);
    const auto shorter =
        scan_one(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)));
    REQUIRE(shorter.has_value());
    REQUIRE(shorter->records.size() == expected);
  }
}

TEST_CASE("consensus 1.7: a changed bit in a record that a later one knows durable is corruption",
          "[log]") {
  const Bytes whole = segment_of(5, Synced::one_by_one);
  const std::size_t frame = framed_size_bytes(100);
  const std::size_t used = kLogHeaderBytes + 100;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    if (at % frame >= used) continue;  // padding says nothing
    Bytes bad = whole;
    bad[at] ^= static_cast<std::uint8_t>(1U << (at % 8));
    const auto scan = scan_one(bad);
    if (at < 4 * frame) {
      REQUIRE_FALSE(scan.has_value());
      REQUIRE(scan.error().code == Errc::log_corrupt);
    } else {
      // Nothing later speaks of the last record: it may have been torn by a power cut.
      REQUIRE(scan.has_value());
      REQUIRE(scan->records.size() == 4);
      REQUIRE_FALSE(scan->tail_is_clean);
    }
  }
}

TEST_CASE("consensus 1.7: a bad record before valid ones that were never synced is a torn tail",
          "[log]") {
  const Bytes whole = segment_of(5, Synced::never);
  const std::size_t frame = framed_size_bytes(100);
  for (std::size_t victim = 0; victim < 5; ++victim) {
    Bytes torn = whole;
    std::fill_n(torn.begin() + static_cast<std::ptrdiff_t>(victim * frame), frame, std::uint8_t{0});
    const auto scan = scan_one(torn);
    REQUIRE(scan.has_value());
    CHECK(scan->records.size() == victim);
    CHECK(scan->end_offset == victim * frame);
    CHECK(scan->tail_is_clean == (victim == 4));
  }
}

TEST_CASE("log format: a flipped length hides no later record", "[log]") {
  Bytes bad = segment_of(3, Synced::one_by_one);
  bad[6] = 0xFF;  // record 1 claims 16 MiB
  const auto scan = scan_one(bad);
  REQUIRE_FALSE(scan.has_value());
  CHECK(scan.error().code == Errc::log_corrupt);
}

TEST_CASE("log format: a record inside another's payload is not one of the log", "[log]") {
  // Whoever writes a transaction cannot know the segment's id; with a wrong one it does not count.
  Bytes inner;
  append_frame(inner, {2, kId + 1, 1}, record(RecordType::pp_accept, Bytes(10, 1)));
  Bytes payload(64 - kLogHeaderBytes, 0);
  append(payload, inner);
  Bytes outer;
  append_frame(outer, {1, kId, 0}, record(RecordType::pp_accept, payload));
  outer[40] ^= 1;  // the outer record is torn
  const auto scan = scan_one(outer);
  REQUIRE(scan.has_value());
  CHECK(scan->records.empty());
}

TEST_CASE("log format: replay begins at the newest whole snapshot", "[log]") {
  const Bytes first = segment_of(3, Synced::one_by_one);
  Bytes second;
  append_frame(second, {4, kId + 1, 3}, record(RecordType::snapshot, to_bytes("s")));
  append_frame(second, {5, kId + 1, 4}, record(RecordType::prepared, to_bytes("p")));
  std::vector<SegmentImage> images{{1, kId, first}, {2, kId + 1, second}};
  auto scan = scan_log(images);
  REQUIRE(scan.has_value());
  CHECK(scan->records.size() == 2);
  CHECK(scan->first_segment == 1);

  SECTION("a torn snapshot leaves the older segments in force") {
    Bytes torn(second.size(), 0);
    images[1].bytes = torn;
    scan = scan_log(images);
    REQUIRE(scan.has_value());
    CHECK(scan->records.size() == 3);
    CHECK(scan->first_segment == 0);
    CHECK(scan->end_segment == 0);
  }
  SECTION("without older segments a bad snapshot is corruption") {
    Bytes bad = second;
    bad[50] ^= 1;
    bad[44] ^= 1;
    const SegmentImage image{2, kId + 1, bad};
    scan = scan_log({&image, 1});
    REQUIRE_FALSE(scan.has_value());
    CHECK(scan.error().code == Errc::log_corrupt);
  }
}

TEST_CASE("log format: a continued segment is replayed after the full one", "[log]") {
  const Bytes first = segment_of(3, Synced::one_by_one);
  Bytes second;
  append_frame(second, {4, kId + 1, 3}, record(RecordType::prepared, to_bytes("p")));
  const std::vector<SegmentImage> images{{1, kId, first}, {2, kId + 1, second}};
  const auto scan = scan_log(images);
  REQUIRE(scan.has_value());
  CHECK(scan->records.size() == 4);
  CHECK(scan->end_segment == 1);

  const std::vector<SegmentImage> lost{{2, kId + 1, second}};
  CHECK_FALSE(scan_log(lost).has_value());
}

TEST_CASE("log format: random bytes and random damage never crash the scan", "[log]") {
  Prng prng(7);
  for (int round = 0; round < 300; ++round) {
    Bytes bytes = segment_of(4, Synced::one_by_one, prng.below(300));
    const std::uint64_t hits = prng.below(40);
    for (std::uint64_t hit = 0; hit < hits; ++hit) {
      bytes[prng.below(bytes.size())] = static_cast<std::uint8_t>(prng.below(256));
    }
    const auto scan = scan_one(bytes);
    if (scan) CHECK(scan->records.size() <= 4);
  }
}

}  // namespace
}  // namespace baolian::node
