/// Frames of the mesh. First the parser on any stream: what it takes must be written the same way,
/// and a length above the limit is refused before anything is allocated. Then the queue: frames
/// pushed in any order come out by class, first in first out within one, never above the caps, and
/// what is lost is counted.
#include <deque>

#include "fuzz/input_bytes.h"
#include "net/frame_queue.h"

namespace baolian::fuzz {
namespace {

void check_stream(BytesView in, std::uint32_t limit) {
  while (in.size() >= net::kFrameHeaderBytes) {
    const auto header = net::parse_frame_header(in, limit);
    if (!header) return;
    ASSERT(header->content_bytes <= limit);
    Bytes written;
    net::append_frame_header(written, *header);
    ASSERT(std::equal(written.begin(), written.end(), in.begin()));
    in = in.subspan(net::kFrameHeaderBytes);
    if (header->content_bytes > in.size()) return;
    in = in.subspan(header->content_bytes);
  }
}

/// The queue against what a reader of it must see.
class QueueModel {
 public:
  explicit QueueModel(std::size_t cap) {
    caps_.bytes.fill(cap);
    queue_.emplace(caps_);
  }

  void push(InputBytes& in) {
    const auto message_class = static_cast<net::MessageClass>(1 + in.pick(5));
    const std::size_t size = in.word() % 6000;
    const auto content = std::make_shared<const Bytes>(size, static_cast<std::uint8_t>(next_++));
    auto& waiting = waiting_[net::class_index(message_class)];
    switch (queue_->push(message_class, content)) {
      case net::SendOutcome::queued:
        waiting.push_back(content);
        break;
      case net::SendOutcome::queued_dropped_older:
        waiting.push_back(content);
        while (waiting.size() > 1 && charge(waiting) > caps_.bytes[0]) waiting.pop_front();
        break;
      case net::SendOutcome::refused_full:
      case net::SendOutcome::refused_too_large:
        break;
      case net::SendOutcome::not_connected:
        ASSERT(is_closed_);
    }
    ASSERT(charge(waiting) <= caps_.bytes[0]);
    ASSERT(charge(waiting) == queue_->waiting_bytes(message_class));
  }

  void gather() {
    net::WriteBatch batch;
    if (!queue_->gather(batch)) {
      for (const auto& waiting : waiting_) ASSERT(waiting.empty());
      return;
    }
    Bytes wire = batch.small;
    if (batch.large != nullptr) append(wire, *batch.large);
    BytesView rest = wire;
    while (!rest.empty()) {
      ASSERT(rest.size() >= net::kFrameHeaderBytes);
      const auto header = net::parse_frame_header(rest, net::kFrameBytesMax);
      ASSERT(header.has_value());
      rest = rest.subspan(net::kFrameHeaderBytes);
      ASSERT(rest.size() >= header->content_bytes);
      const BytesView content = rest.first(header->content_bytes);
      rest = rest.subspan(header->content_bytes);
      expect_next(*header, content);
    }
  }

  void close() {
    queue_->close();
    is_closed_ = true;
    for (auto& waiting : waiting_) waiting.clear();
  }

  /// What was accepted is sent, dropped or still waits.
  void check_counters() const {
    const net::Counters counters = queue_->counters();
    for (std::size_t i = 0; i < net::kMessageClassCount; ++i) {
      ASSERT(counters[i].queued_frames ==
             counters[i].sent_frames + counters[i].dropped_frames + waiting_[i].size());
    }
  }

 private:
  using Waiting = std::deque<net::Frame>;

  static std::size_t charge(const Waiting& waiting) {
    std::size_t out = 0;
    for (const net::Frame& frame : waiting) out += frame->size() + net::kFrameOverheadBytes;
    return out;
  }
  void expect_next(const net::FrameHeader& header, BytesView content) {
    const auto message_class = net::message_class(header.kind);
    ASSERT(message_class.has_value());
    for (std::size_t i = 0; i < net::class_index(*message_class); ++i) ASSERT(waiting_[i].empty());
    Waiting& waiting = waiting_[net::class_index(*message_class)];
    ASSERT(!waiting.empty());
    ASSERT(std::equal(content.begin(), content.end(), waiting.front()->begin(),
                      waiting.front()->end()));
    waiting.pop_front();
  }

  net::QueueCaps caps_;
  std::optional<net::FrameQueue> queue_;
  std::array<Waiting, net::kMessageClassCount> waiting_;
  std::size_t next_ = 0;
  bool is_closed_ = false;
};

void check_queue(InputBytes in) {
  QueueModel model(1000 + 64 * in.pick(256));
  while (!in.is_empty()) {
    switch (in.pick(8)) {
      case 0:
      case 1:
        model.gather();
        break;
      case 2:
        if (in.pick(32) == 31) model.close();
        break;
      default:
        model.push(in);
    }
    model.check_counters();
  }
}

}  // namespace
}  // namespace baolian::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace baolian;
  if (size == 0) return 0;
  const BytesView in = BytesView(data, size).subspan(1);
  switch (data[0] % 3) {
    case 0:
      fuzz::check_stream(in, net::kFrameBytesMax);
      break;
    case 1:
      fuzz::check_stream(in, 1024);
      break;
    default:
      fuzz::check_queue(fuzz::InputBytes(in));
  }
  return 0;
}
