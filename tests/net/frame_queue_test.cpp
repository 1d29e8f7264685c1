#include "net/frame_queue.h"

#include "net/net_fixture.h"
#include "support/catch.h"

using namespace baolian;       // NOLINT: a test
using namespace baolian::net;  // NOLINT: a test
using baolian::test::frame_of;

namespace {

Frame sized(std::size_t size_bytes, std::uint8_t fill = 0) {
  return std::make_shared<const Bytes>(size_bytes, fill);
}

/// All that waits, as (kind, content), through as many gathers as it takes.
std::vector<std::pair<FrameKind, Bytes>> drain(FrameQueue& queue) {
  Bytes all;
  WriteBatch batch;
  while (queue.gather(batch)) {
    append(all, batch.small);
    if (batch.large != nullptr) append(all, *batch.large);
  }
  std::vector<std::pair<FrameKind, Bytes>> out;
  BytesView rest = all;
  while (!rest.empty()) {
    const auto header = parse_frame_header(rest, kFrameBytesMax);
    REQUIRE(header.has_value());
    rest = rest.subspan(kFrameHeaderBytes);
    out.emplace_back(header->kind, to_bytes(rest.first(header->content_bytes)));
    rest = rest.subspan(header->content_bytes);
  }
  return out;
}

}  // namespace

TEST_CASE("frame header: little-endian length, kind, checked before anything is allocated",
          "[net][frame]") {
  Bytes out;
  append_frame_header(out, {0x00030201, FrameKind::proposal});
  CHECK(to_hex(out) == "0102030003");
  const auto back = parse_frame_header(out, kFrameBytesMax);
  REQUIRE(back.has_value());
  CHECK(back->content_bytes == 0x00030201);
  CHECK(back->kind == FrameKind::proposal);

  CHECK(parse_frame_header(*from_hex("0000400001"), kFrameBytesMax).has_value());
  const auto too_large = parse_frame_header(*from_hex("0100400001"), kFrameBytesMax);
  CHECK(too_large.error().code == Errc::limit_exceeded);
  CHECK(parse_frame_header(*from_hex("ffffffff01"), kFrameBytesMax).error().code ==
        Errc::limit_exceeded);
  CHECK(parse_frame_header(*from_hex("0000000008"), kFrameBytesMax).error().code ==
        Errc::not_canonical);
  CHECK(parse_frame_header(*from_hex("0100000006"), kFrameBytesMax).error().code ==
        Errc::not_canonical);
  CHECK(parse_frame_header(*from_hex("0100000007"), kFrameBytesMax).error().code ==
        Errc::not_canonical);
}

TEST_CASE("consensus 1.12: classes leave by priority, in order within one", "[net][frame]") {
  FrameQueue queue({});
  queue.push(MessageClass::transactions, frame_of("t1"));
  queue.push(MessageClass::sync, sized(100'000, 9));
  queue.push(MessageClass::proposal, frame_of("p1"));
  queue.push(MessageClass::votes, frame_of("v1"));
  queue.push(MessageClass::view_change, frame_of("c1"));
  queue.push(MessageClass::votes, frame_of("v2"));
  queue.push_control(FrameKind::ping, {});
  const auto got = drain(queue);
  REQUIRE(got.size() == 7);
  CHECK(got[0].first == FrameKind::ping);
  CHECK(got[1].second == to_bytes("v1"));
  CHECK(got[2].second == to_bytes("v2"));
  CHECK(got[3].second == to_bytes("c1"));
  CHECK(got[4].second == to_bytes("p1"));
  CHECK(got[5].second == Bytes(100'000, 9));
  CHECK(got[6].second == to_bytes("t1"));
}

TEST_CASE("frame queue: a vote overtakes all but the write under way", "[net][frame]") {
  FrameQueue queue({});
  for (int i = 0; i < 10; ++i) queue.push(MessageClass::sync, sized(50'000));
  WriteBatch batch;
  REQUIRE(queue.gather(batch));
  CHECK(batch.large->size() == 50'000);
  queue.push(MessageClass::votes, frame_of("vote"));
  REQUIRE(queue.gather(batch));
  CHECK(as_text(batch.small).substr(kFrameHeaderBytes, 4) == "vote");
}

TEST_CASE("frame queue: many small frames make one write of at most a TLS record", "[net][frame]") {
  FrameQueue queue({});
  for (int i = 0; i < 1000; ++i) queue.push(MessageClass::votes, sized(200));
  WriteBatch batch;
  REQUIRE(queue.gather(batch));
  CHECK(batch.small.size() <= 16 * 1024);
  CHECK(batch.small.size() > 15 * 1024);
  CHECK(batch.large == nullptr);
}

TEST_CASE("frame queue: full classes drop their oldest or refuse the newest", "[net][frame]") {
  QueueCaps caps;
  caps.bytes.fill(10 * (100 + kFrameOverheadBytes));
  for (std::uint8_t c = 1; c <= kMessageClassCount; ++c) {
    const auto message_class = static_cast<MessageClass>(c);
    FrameQueue queue(caps);
    for (std::uint8_t i = 0; i < 10; ++i) {
      CHECK(queue.push(message_class, sized(100, i)) == SendOutcome::queued);
    }
    CHECK(queue.waiting_bytes(message_class) == caps.bytes[0]);
    const SendOutcome outcome = queue.push(message_class, sized(100, 10));
    CHECK(queue.waiting_bytes(message_class) == caps.bytes[0]);
    const ClassCounters counters = queue.counters()[class_index(message_class)];
    const auto got = drain(queue);
    REQUIRE(got.size() == 10);
    if (message_class == MessageClass::sync || message_class == MessageClass::transactions) {
      CHECK(outcome == SendOutcome::refused_full);
      CHECK(counters.refused_frames == 1);
      CHECK(got.front().second[0] == 0);
      CHECK(got.back().second[0] == 9);
    } else {
      CHECK(outcome == SendOutcome::queued_dropped_older);
      CHECK(counters.dropped_frames == 1);
      CHECK(got.front().second[0] == 1);
      CHECK(got.back().second[0] == 10);
    }
    CHECK(queue.waiting_bytes(message_class) == 0);
  }
}

TEST_CASE("frame queue: empty frames are not free, large ones are refused", "[net][frame]") {
  QueueCaps caps;
  caps.bytes.fill(1000);
  FrameQueue queue(caps);
  for (int i = 0; i < 100; ++i) queue.push(MessageClass::votes, sized(0));
  CHECK(queue.waiting_bytes(MessageClass::votes) <= 1000);
  CHECK(queue.push(MessageClass::votes, sized(1000)) == SendOutcome::refused_too_large);

  caps.bytes.fill(64u << 20);
  FrameQueue roomy(caps);
  CHECK(roomy.push(MessageClass::sync, sized(kFrameBytesMax)) == SendOutcome::queued);
  CHECK(roomy.push(MessageClass::sync, sized(kFrameBytesMax + 1)) ==
        SendOutcome::refused_too_large);
}

TEST_CASE("frame queue: after the end nothing is taken and the rest counts as dropped",
          "[net][frame]") {
  FrameQueue queue({});
  queue.push(MessageClass::votes, sized(10));
  queue.close();
  CHECK(queue.push(MessageClass::votes, sized(10)) == SendOutcome::not_connected);
  CHECK(queue.counters()[0].dropped_frames == 1);
  WriteBatch batch;
  CHECK_FALSE(queue.gather(batch));
}
