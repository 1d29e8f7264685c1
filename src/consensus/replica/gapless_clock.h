/// Time for which somebody can be blamed: the ticks without the gaps between them, in which this
/// process did not run, or was not asked to (consensus.md 1.6 V9).
#pragma once

#include <cstdint>
#include <optional>

#include "core/ids.h"

namespace baolian::consensus {

inline constexpr std::uint64_t kTickGapMs = 200;  ///< a larger gap shifts all timers by the gap

/// Ownership: values. Threads: engine-confined. Persistence: none; it starts again with every run.
class GaplessClock {
 public:
  /// Time passes. Returns: the ms that count; none after a gap, whose time does not count at all.
  std::optional<std::uint64_t> tick(Tick now) {
    const std::uint64_t passed = last_.has_value() ? now.value - last_->value : 0;
    last_ = now;
    if (passed > kTickGapMs) return std::nullopt;
    now_ = now_ + passed;
    return passed;
  }
  Tick now() const { return now_; }

 private:
  std::optional<Tick> last_;
  Tick now_;
};

}  // namespace baolian::consensus
