/// The pauses between attempts of a durable step: doubled each time up to a limit, for as long as
/// the step is open.
#pragma once

#include <algorithm>
#include <cstdint>

namespace baolian::node {

struct Backoff {
  std::uint64_t first_ms = 1'000;    ///< after the first attempt that failed; at least 1
  std::uint64_t max_ms = 3'600'000;  ///< one hour: what is refused for days is still asked about

  /// The pause after so many attempts, 1 or more.
  std::uint64_t pause_ms(std::uint32_t attempts) const {
    std::uint64_t pause = first_ms;
    for (std::uint32_t i = 1; i < attempts && pause < max_ms; ++i) pause *= 2;
    return std::min(pause, max_ms);
  }

  /// Whether a step planned for `next` is due. One planned further ahead than `longest_ms` was
  /// planned by a clock that has been set back since, and is due as well.
  static bool is_due(std::uint64_t next_ms, std::uint64_t now_ms, std::uint64_t longest_ms) {
    return next_ms <= now_ms || next_ms - now_ms > longest_ms;
  }
};

}  // namespace baolian::node
