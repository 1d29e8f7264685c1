#include "ledger/stage_times.h"

#include <ctime>

namespace baolian::ledger {

void StageTimes::end(Stage stage) {
  const std::uint64_t now_ns = thread_ns();
  std::atomic<std::uint64_t>& spent_ns = spent_ns_[static_cast<std::size_t>(stage)];
  spent_ns.store(spent_ns.load(std::memory_order_relaxed) + now_ns - since_ns_,
                 std::memory_order_relaxed);
  since_ns_ = now_ns;
}

std::uint64_t StageTimes::thread_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace baolian::ledger
