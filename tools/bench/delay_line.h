/// TCP connections that can be made slow: bytes arrive a while after they were sent, in both
/// directions, in order. It knows nothing of what it carries.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.h"

namespace baolian::bench {

/// Ownership: a thread and its sockets. Threads: any.
class DelayLine {
 public:
  DelayLine();
  ~DelayLine();
  DelayLine(const DelayLine&) = delete;
  DelayLine& operator=(const DelayLine&) = delete;

  /// Listens on loopback; what connects there is connected to `port` of loopback. Returns: the port
  /// to connect to; Errc::io_failed.
  Result<std::uint16_t> add_route(std::uint16_t port);
  /// Of each direction, from now on; 0 at the beginning. What is under way keeps its order.
  void set_delay_ms(std::uint32_t delay_ms);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace baolian::bench
