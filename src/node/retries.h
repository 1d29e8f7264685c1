/// Steps of agents that could not be sent, or whose outcome did not come: done again after a pause,
/// for as long as the node runs. A step looks at the state first, so that once too often is no
/// harm; after a restart the agents' cursor brings it back.
///
/// Threads: later() from any; run_due() on the agents' thread.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace baolian::node {

class Retries {
 public:
  static constexpr std::uint64_t kPauseMs = 1'000;

  void later(std::uint64_t now_ms, std::function<void()> step) {
    const std::lock_guard lock(mutex_);
    steps_.push_back({now_ms + kPauseMs, std::move(step)});
  }

  void run_due(std::uint64_t now_ms) {
    std::vector<Step> due;
    {
      const std::lock_guard lock(mutex_);
      std::vector<Step> rest;
      for (auto& step : steps_) {
        (step.due_ms <= now_ms ? due : rest).push_back(std::move(step));
      }
      steps_.swap(rest);
    }
    for (auto& step : due) step.run();
  }

 private:
  struct Step {
    std::uint64_t due_ms = 0;
    std::function<void()> run;
  };
  std::mutex mutex_;
  std::vector<Step> steps_;
};

}  // namespace baolian::node
