/// Virtual time: what happens next, in one fixed order.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "core/assert.h"
#include "core/ids.h"

namespace baolian::sim {

/// Events by time, those of one millisecond in the order in which they were planned.
class EventQueue {
 public:
  Tick now() const { return now_; }

  void after(std::uint64_t delay_ms, std::function<void()> event) {
    events_.emplace(std::pair(now_.value + delay_ms, next_order_++), std::move(event));
  }
  /// Carries out the next event. Requires: there is one.
  void run_next() {
    ASSERT(!events_.empty());
    auto first = events_.extract(events_.begin());
    ASSERT(first.key().first >= now_.value);
    now_ = Tick{first.key().first};
    first.mapped()();
  }
  bool empty() const { return events_.empty(); }

  /// Civil time, which every clock of the simulation follows.
  TimeMs wall() const { return TimeMs{kWallStartMs + now_.value + leapt_ms_}; }
  /// Moves civil time on without carrying out anything: a day of silence costs no events. Timers
  /// run on ticks and do not notice. Requires of the caller: nothing is being agreed on, because a
  /// proposal from before the leap is too old for ever after it.
  void leap(std::uint64_t ms) { leapt_ms_ += ms; }

 private:
  static constexpr std::uint64_t kWallStartMs = 1'750'000'100'000;

  std::map<std::pair<std::uint64_t, std::uint64_t>, std::function<void()>> events_;
  std::uint64_t next_order_ = 0;
  std::uint64_t leapt_ms_ = 0;
  Tick now_;
};

}  // namespace baolian::sim
