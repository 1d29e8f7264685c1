/// Virtual time: what happens next, in one fixed order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/assert.h"
#include "core/ids.h"

namespace baolian::sim {

/// Events by time, those of one millisecond in the order in which they were planned.
class EventQueue {
 public:
  Tick now() const { return now_; }

  void after(std::uint64_t delay_ms, std::function<void()> event) {
    heap_.push_back({now_.value + delay_ms, next_order_++, std::move(event)});
    std::push_heap(heap_.begin(), heap_.end(), Later{});
  }
  /// Carries out the next event. Requires: there is one.
  void run_next() {
    ASSERT(!heap_.empty());
    std::pop_heap(heap_.begin(), heap_.end(), Later{});
    const Event next = std::move(heap_.back());
    heap_.pop_back();
    ASSERT(next.at >= now_.value);
    now_ = Tick{next.at};
    next.run();
  }
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }

  /// Civil time, which every clock of the simulation follows.
  TimeMs wall() const { return TimeMs{kWallStartMs + now_.value + leapt_ms_}; }
  /// Moves civil time on without carrying out anything: a day of silence costs no events. Timers
  /// run on ticks and do not notice. Requires of the caller: nothing is being agreed on, because a
  /// proposal from before the leap is too old for ever after it.
  void leap(std::uint64_t ms) { leapt_ms_ += ms; }

 private:
  static constexpr std::uint64_t kWallStartMs = 1'750'000'100'000;
  struct Event {
    std::uint64_t at = 0;
    std::uint64_t order = 0;
    std::function<void()> run;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
  };

  std::vector<Event> heap_;
  std::uint64_t next_order_ = 0;
  std::uint64_t leapt_ms_ = 0;
  Tick now_;
};

}  // namespace baolian::sim
