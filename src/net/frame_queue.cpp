#include "net/frame_queue.h"

#include <string>

namespace baolian::net {

namespace {

constexpr std::size_t kControlFramesMax = 16;
/// Content of a TLS record: what one gather fills.
constexpr std::size_t kGatherBytes = 16 * 1024;
/// Up to here copying is cheaper than a TLS record of its own.
constexpr std::size_t kSmallFrameBytes = 4 * 1024;

bool drops_oldest(MessageClass message_class) {
  return message_class != MessageClass::sync && message_class != MessageClass::transactions;
}

std::size_t charged_bytes(const Frame& frame) { return frame->size() + kFrameOverheadBytes; }

}  // namespace

Result<FrameHeader> parse_frame_header(BytesView in, std::uint32_t content_bytes_max) {
  ASSERT(in.size() >= kFrameHeaderBytes);
  FrameHeader header;
  for (std::size_t i = 4; i-- > 0;) header.content_bytes = header.content_bytes << 8 | in[i];
  if (header.content_bytes > content_bytes_max) {
    return fail(Errc::limit_exceeded, "a frame of " + std::to_string(header.content_bytes) +
                                          " bytes where at most " +
                                          std::to_string(content_bytes_max) + " are allowed");
  }
  if (in[4] > kFrameKindMax) return fail(Errc::not_canonical, "a frame of unknown kind");
  header.kind = static_cast<FrameKind>(in[4]);
  const bool is_empty_kind = header.kind == FrameKind::welcome || header.kind == FrameKind::ping;
  if (is_empty_kind && header.content_bytes != 0) {
    return fail(Errc::not_canonical, "a welcome or ping frame with content");
  }
  return header;
}

void append_frame_header(Bytes& out, const FrameHeader& header) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<std::uint8_t>(header.content_bytes >> shift & 0xFF));
  }
  out.push_back(static_cast<std::uint8_t>(header.kind));
}

ClassCounters& ClassCounters::operator+=(const ClassCounters& more) {
  queued_frames += more.queued_frames;
  sent_frames += more.sent_frames;
  sent_bytes += more.sent_bytes;
  dropped_frames += more.dropped_frames;
  refused_frames += more.refused_frames;
  received_frames += more.received_frames;
  received_bytes += more.received_bytes;
  return *this;
}

SendOutcome FrameQueue::push(MessageClass message_class, Frame frame) {
  ASSERT(frame != nullptr);
  const std::size_t charge = charged_bytes(frame);
  const std::size_t cap = caps_.bytes[class_index(message_class)];
  const std::lock_guard lock(mutex_);
  if (is_closed_) return SendOutcome::not_connected;
  Class& queue = classes_[class_index(message_class)];
  if (frame->size() > kFrameBytesMax || charge > cap) {
    ++queue.counters.refused_frames;
    return SendOutcome::refused_too_large;
  }
  auto outcome = SendOutcome::queued;
  if (queue.waiting_bytes + charge > cap) {
    if (!drops_oldest(message_class)) {
      ++queue.counters.refused_frames;
      return SendOutcome::refused_full;
    }
    while (queue.waiting_bytes + charge > cap) {
      queue.waiting_bytes -= charged_bytes(queue.frames.front());
      queue.frames.pop_front();
      ++queue.counters.dropped_frames;
    }
    outcome = SendOutcome::queued_dropped_older;
  }
  queue.waiting_bytes += charge;
  queue.frames.push_back(std::move(frame));
  ++queue.counters.queued_frames;
  return outcome;
}

void FrameQueue::push_control(FrameKind kind, Bytes content) {
  ASSERT(content.size() <= kFrameBytesMax);
  const std::lock_guard lock(mutex_);
  if (is_closed_ || control_.size() >= kControlFramesMax) return;
  control_.push_back({kind, std::move(content)});
}

bool FrameQueue::gather(WriteBatch& out) {
  out.small.clear();
  out.large.reset();
  const std::lock_guard lock(mutex_);
  while (!control_.empty()) {
    const Control& next = control_.front();
    append_frame_header(out.small, {static_cast<std::uint32_t>(next.content.size()), next.kind});
    append(out.small, next.content);
    control_.pop_front();
  }
  for (std::size_t i = 0; i < kMessageClassCount; ++i) {
    Class& queue = classes_[i];
    while (!queue.frames.empty()) {
      const std::size_t size = queue.frames.front()->size();
      const bool is_small = size <= kSmallFrameBytes;
      const std::size_t copied = kFrameHeaderBytes + (is_small ? size : 0);
      if (!out.small.empty() && out.small.size() + copied > kGatherBytes) return true;
      append_frame_header(out.small,
                          {static_cast<std::uint32_t>(size), static_cast<FrameKind>(i + 1)});
      Frame frame = std::move(queue.frames.front());
      queue.frames.pop_front();
      queue.waiting_bytes -= charged_bytes(frame);
      ++queue.counters.sent_frames;
      queue.counters.sent_bytes += size;
      if (!is_small) {
        out.large = std::move(frame);
        return true;
      }
      append(out.small, *frame);
    }
  }
  return !out.small.empty();
}

void FrameQueue::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  control_.clear();
  for (Class& queue : classes_) {
    queue.counters.dropped_frames += queue.frames.size();
    queue.frames.clear();
    queue.waiting_bytes = 0;
  }
}

void FrameQueue::count_received(MessageClass message_class, std::size_t content_bytes) {
  const std::lock_guard lock(mutex_);
  ClassCounters& counters = classes_[class_index(message_class)].counters;
  ++counters.received_frames;
  counters.received_bytes += content_bytes;
}

Counters FrameQueue::counters() const {
  const std::lock_guard lock(mutex_);
  Counters out;
  for (std::size_t i = 0; i < kMessageClassCount; ++i) out[i] = classes_[i].counters;
  return out;
}

std::size_t FrameQueue::waiting_bytes(MessageClass message_class) const {
  const std::lock_guard lock(mutex_);
  return classes_[class_index(message_class)].waiting_bytes;
}

}  // namespace baolian::net
