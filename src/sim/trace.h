/// What happened in a simulated run: a hash of all of it, and on demand lines that people read.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/ids.h"
#include "sim/network.h"

namespace baolian::sim {

enum class TraceForm : std::uint8_t {
  none,
  text,     ///< one line an event
  mermaid,  ///< a sequence diagram: deliveries, crashes, view changes
};

/// What is written, and from when to when.
struct TraceOptions {
  TraceForm form = TraceForm::none;
  std::uint64_t from_ms = 0;
  std::uint64_t to_ms = UINT64_MAX;
  std::function<void(const std::string& line)> write;
};

/// The hash is chained from 64-bit words and checksums of the messages: it tells two runs apart and
/// withstands accidents, which is all that "the same seed gives the same run" needs.
class Trace {
 public:
  explicit Trace(const EventQueue& events, TraceOptions options = {});

  void sent(EndpointId from, std::optional<std::uint16_t> to, BytesView bytes);
  void delivered(EndpointId from, EndpointId to, BytesView bytes);
  /// Anything else: a crash, an execution. `what` is part of the hash.
  void event(std::uint16_t whose, std::string_view what, BytesView bytes = {});
  /// For readers alone: not in the hash.
  void note(std::uint16_t whose, const std::string& text);

  Hash finish() const;

 private:
  void mix(std::uint64_t word);
  bool is_written() const;
  void write_line(const std::string& line) const { options_.write(line); }

  const EventQueue& events_;
  TraceOptions options_;
  std::uint64_t low_ = 0x9E3779B97F4A7C15ULL;
  std::uint64_t high_ = 0xD1B54A32D192ED03ULL;
};

/// "PREPARE v1 h12 4f2a9c01"; what a message says, for people.
std::string describe_message(BytesView bytes);

}  // namespace baolian::sim
