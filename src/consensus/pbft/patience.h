/// How long a replica waits before it blames the primary (consensus.md 1.6 V1, V9): the clocks that
/// count only time for which somebody can be blamed, and the backoff k.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "consensus/engine.h"
#include "consensus/replica/gapless_clock.h"

namespace baolian::consensus::pbft {

inline constexpr std::uint8_t kBackoffMax = 6;
inline constexpr std::uint64_t kBackoffLowerMs = 10'000;  ///< k - 1 at most this often

/// Two clocks and k.
///
/// Invariants:  (1) request_clock() <= clock() <= the ticks seen
///              (2) 0 <= backoff() <= kBackoffMax.
/// Ownership:   values. Threads: engine-confined.
/// Persistence: k rides in VIEW_ENTER and SNAPSHOT; the clocks start again with every run.
class Patience {
 public:
  explicit Patience(const EngineConfig::Timers& timers) : timers_(timers) {}

  enum class Gap : std::uint8_t { none, shifted };
  enum class Requests : std::uint8_t { run, stand_still };

  /// Time passes. The requests stand still while only EXECs are missing (V1).
  Gap tick(Tick now, Requests requests) {
    const std::optional<std::uint64_t> passed = clock_.tick(now);
    if (!passed.has_value()) return Gap::shifted;
    if (requests == Requests::run) request_clock_ = request_clock_ + *passed;
    return Gap::none;
  }

  /// Everything but requests and commits is measured on this one.
  Tick clock() const { return clock_.now(); }
  Tick request_clock() const { return request_clock_; }
  std::uint8_t backoff() const { return backoff_; }
  const EngineConfig::Timers& timers() const { return timers_; }
  /// A timer of this base under the present backoff.
  std::uint64_t scaled_ms(std::uint64_t base_ms) const {
    return std::min(base_ms << backoff_, timers_.timer_max_ms);
  }

  void recover(std::uint8_t backoff) { backoff_ = std::min(backoff, kBackoffMax); }
  /// k += v' - v.
  void raise(std::uint64_t views) {
    backoff_ = static_cast<std::uint8_t>(std::min<std::uint64_t>(kBackoffMax, backoff_ + views));
    fresh_certified_ = 0;
  }
  /// `heights` more fresh heights were certified in a row. True if k went down.
  bool on_certified(std::uint64_t heights, std::uint64_t log_window) {
    fresh_certified_ += heights;
    if (backoff_ == 0 || fresh_certified_ < log_window) return false;
    if (lowered_at_.has_value() && clock() < *lowered_at_ + kBackoffLowerMs) return false;
    lowered_at_ = clock();
    fresh_certified_ = 0;
    --backoff_;
    return true;
  }

 private:
  EngineConfig::Timers timers_;
  GaplessClock clock_;
  Tick request_clock_;
  std::uint8_t backoff_ = 0;
  std::uint64_t fresh_certified_ = 0;
  std::optional<Tick> lowered_at_;
};

}  // namespace baolian::consensus::pbft
