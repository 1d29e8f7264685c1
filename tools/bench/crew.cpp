#include "bench/crew.h"

#include <thread>

namespace baolian::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kWatchEvery = std::chrono::milliseconds(20);

void merge(Tally& into, Tally&& from) {
  into.samples.insert(into.samples.end(), from.samples.begin(), from.samples.end());
  into.places.insert(into.places.end(), from.places.begin(), from.places.end());
  into.applied += from.applied;
  into.rejected += from.rejected;
  into.busy += from.busy;
  into.sent_again += from.sent_again;
  into.dropped += from.dropped;
  if (!from.problem.empty()) into.problem = std::move(from.problem);
}

}  // namespace

std::uint64_t Crew::elapsed_us() const {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began_).count());
}

std::optional<std::uint64_t> Crew::next_due_us() {
  if (is_ended_) return std::nullopt;
  if (pace_.calls_per_s <= 0) return elapsed_us();
  const auto due_us =
      static_cast<std::uint64_t>(static_cast<double>(next_call_++) / pace_.calls_per_s * 1e6);
  std::this_thread::sleep_until(began_ + std::chrono::microseconds(due_us));
  if (is_ended_) return std::nullopt;
  return due_us;
}

Result<Tally> Crew::run(Work& work, const std::function<void()>& watch) {
  began_ = Clock::now();
  running_ = pace_.clients;
  std::vector<Result<void>> results(pace_.clients, ok());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < pace_.clients; ++i) {
    threads.emplace_back([this, i, &results, &work] {
      Tally tally;
      results[i] = work.run_client(*this, i, tally);
      const std::lock_guard lock(mutex_);
      merge(tally_, std::move(tally));
      --running_;
    });
  }
  while (running_ > 0) {
    std::this_thread::sleep_for(kWatchEvery);
    watch();
  }
  for (std::thread& thread : threads) thread.join();
  for (const Result<void>& result : results) {
    if (!result) return result.error();
  }
  return std::move(tally_);
}

}  // namespace baolian::bench
