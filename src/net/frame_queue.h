/// Frames between nodes and the bounded queues in which they wait to be written.
///
/// | offset | bytes | what | limit |
/// |---|---|---|---|
/// | 0 | 4 | n, bytes of the content, little-endian | 4 MiB, checked before allocation |
/// | 4 | 1 | kind: 0 hello, 1 votes, 2 view change, 3 proposal, 4 sync, 5 transactions, 6 welcome,
/// 7 ping | | | 5 | n | content; empty for welcome and ping | 1,024 until both HELLOs are verified
/// |
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "core/bytes.h"
#include "core/result.h"

namespace baolian::net {

/// What a frame is about, by falling priority (consensus.md 1.12). The values go on the wire.
enum class MessageClass : std::uint8_t {
  votes = 1,
  view_change = 2,
  proposal = 3,
  sync = 4,
  transactions = 5,
};
inline constexpr std::size_t kMessageClassCount = 5;
/// 0-based position of a class, for arrays.
constexpr std::size_t class_index(MessageClass c) { return static_cast<std::size_t>(c) - 1; }

/// The kind byte: the five classes and three frames of the mesh itself.
enum class FrameKind : std::uint8_t {
  hello = 0,
  votes = 1,
  view_change = 2,
  proposal = 3,
  sync = 4,
  transactions = 5,
  welcome = 6,  ///< "I have verified your HELLO"
  ping = 7,     ///< keeps the connection alive; needs no answer
};
inline constexpr std::uint8_t kFrameKindMax = 7;
/// The class of a frame, none for the mesh's own.
constexpr std::optional<MessageClass> message_class(FrameKind kind) {
  const auto value = static_cast<std::uint8_t>(kind);
  if (value < 1 || value > kMessageClassCount) return std::nullopt;
  return static_cast<MessageClass>(value);
}

inline constexpr std::size_t kFrameHeaderBytes = 5;
inline constexpr std::uint32_t kFrameBytesMax = 4 * 1024 * 1024;

struct FrameHeader {
  std::uint32_t content_bytes = 0;
  FrameKind kind = FrameKind::ping;
};
/// Requires: in.size() >= kFrameHeaderBytes.
/// Returns: Errc::limit_exceeded above `content_bytes_max`, Errc::not_canonical for no known kind
/// or a welcome or ping with content.
Result<FrameHeader> parse_frame_header(BytesView in, std::uint32_t content_bytes_max);
void append_frame_header(Bytes& out, const FrameHeader& header);

/// Content shared by all receivers of a broadcast.
using Frame = std::shared_ptr<const Bytes>;

/// What became of a frame. Nothing here ever waits.
enum class SendOutcome : std::uint8_t {
  queued = 0,
  queued_dropped_older,  ///< votes, view_change, proposal: the oldest of the class made room
  refused_full,          ///< sync, transactions: the class is full; try again later
  refused_too_large,     ///< above kFrameBytesMax or above the class's cap
  not_connected,         ///< nothing is kept for a peer that is away
};
constexpr bool is_queued(SendOutcome outcome) {
  return outcome == SendOutcome::queued || outcome == SendOutcome::queued_dropped_older;
}

/// Bytes that may wait for one peer, by class. Each frame counts its content plus
/// kFrameOverheadBytes.
struct QueueCaps {
  std::array<std::size_t, kMessageClassCount> bytes = {
      2u << 20,  // votes: 10,000 of them, more than any window needs
      8u << 20,  // view changes: 16 of the largest
      8u << 20,  // proposals: two of the largest frame, thousands of usual ones
      8u << 20,  // sync replies
      8u << 20,  // transactions
  };
};
inline constexpr std::size_t kFrameOverheadBytes = 64;

struct ClassCounters {
  std::uint64_t queued_frames = 0;   ///< accepted by push()
  std::uint64_t sent_frames = 0;     ///< handed to TLS
  std::uint64_t sent_bytes = 0;      ///< their content
  std::uint64_t dropped_frames = 0;  ///< made room for newer ones, or the connection ended
  std::uint64_t refused_frames = 0;  ///< full or too large
  std::uint64_t received_frames = 0;
  std::uint64_t received_bytes = 0;

  ClassCounters& operator+=(const ClassCounters& more);
};
using Counters = std::array<ClassCounters, kMessageClassCount>;

/// One write to TLS: many small frames copied together, then at most one large one by reference.
struct WriteBatch {
  Bytes small;
  Frame large;
};

/// The queues of one connection.
///
/// Bounds:   QueueCaps per class; 16 frames of the mesh itself.
/// Overflow: votes, view changes and proposals drop their OLDEST frames: newer ones matter more
///           and STATUS fetches again what is missing. Sync and transactions refuse the NEW frame:
///           their senders can wait, and a hole in a stream would cost more than a pause.
/// Order:    strictly by class, first in first out within one.
/// Threads:  all functions from any thread.
class FrameQueue {
 public:
  explicit FrameQueue(const QueueCaps& caps) : caps_(caps) {}

  /// Requires: frame != nullptr.
  SendOutcome push(MessageClass message_class, Frame frame);
  /// A frame of the mesh itself; goes before all others. Dropped if 16 of them wait.
  void push_control(FrameKind kind, Bytes content);
  /// Moves the next frames into `out`. Returns: false if nothing waits.
  bool gather(WriteBatch& out);
  /// Ends the queue: what waits counts as dropped, push() gives not_connected.
  void close();
  void count_received(MessageClass message_class, std::size_t content_bytes);
  Counters counters() const;
  std::size_t waiting_bytes(MessageClass message_class) const;

 private:
  struct Class {
    std::deque<Frame> frames;
    std::size_t waiting_bytes = 0;
    ClassCounters counters;
  };
  struct Control {
    FrameKind kind;
    Bytes content;
  };

  const QueueCaps caps_;
  mutable std::mutex mutex_;
  bool is_closed_ = false;
  std::deque<Control> control_;
  std::array<Class, kMessageClassCount> classes_;
};

}  // namespace baolian::net
