/// Clients that work at the same time, each on a thread of its own, at one pace; and what became of
/// their work. It knows nothing of what they do.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/result.h"

namespace baolian::bench {

/// What became of one thing that a client did: a call's transaction, a claim, a reading.
struct Sample {
  std::uint64_t due_us = 0;   ///< when its first request was to be sent, from the beginning
  std::uint64_t done_us = 0;  ///< when its certified outcome was here
  std::uint32_t operations = 0;
};

/// Where a certified operation stands.
struct Place {
  std::string node;  ///< short name of the institution whose node answered
  Height height;
  std::uint32_t leaf = 0;
};

/// What happened.
struct Tally {
  std::vector<Sample> samples;
  std::vector<Place> places;     ///< an operation of each sample
  std::uint64_t applied = 0;     ///< operations
  std::uint64_t rejected = 0;    ///< operations that executed and were rejected
  std::uint64_t busy = 0;        ///< requests that were refused as busy and sent again
  std::uint64_t sent_again = 0;  ///< requests whose outcome was open
  std::uint64_t dropped = 0;     ///< what was given up: refused for another reason, or never done
  std::string problem;           ///< the newest one
};

/// How a crew goes on.
struct Pace {
  std::size_t clients = 1;
  double calls_per_s = 0;  ///< open loop; 0: each client goes on when it has its answer
};

class Crew;

/// What clients do.
class Work {
 public:
  virtual ~Work() = default;
  /// One client, from its first call to crew.next_due_us() to that call's end. Called for all
  /// clients at once, on threads of their own. Returns: what ends the whole run.
  virtual Result<void> run_client(Crew& crew, std::size_t number, Tally& tally) = 0;
};

/// Latency counts from the time at which a call was due: in an open loop a network that falls
/// behind makes calls wait, and that is part of it.
///
/// Threads: any, but run() once.
class Crew {
 public:
  explicit Crew(Pace pace) : pace_(pace) {}

  /// Until end(), or until all clients are at the end of their work. `watch` is called on this
  /// thread, 50 times a second. Returns: the first error of a client.
  Result<Tally> run(Work& work, const std::function<void()>& watch);
  /// No call is begun from now on. What was begun is brought to its end.
  void end() { is_ended_ = true; }

  std::size_t clients() const { return pace_.clients; }
  /// When the next call is to go out, in an open loop after having waited for it; none at the end.
  std::optional<std::uint64_t> next_due_us();
  /// Since run() began.
  std::uint64_t elapsed_us() const;
  /// So many operations more are certified.
  void count(std::uint64_t operations) { certified_ += operations; }
  /// Certified operations so far.
  std::uint64_t certified() const { return certified_; }

 private:
  Pace pace_;
  std::chrono::steady_clock::time_point began_;
  std::atomic<std::uint64_t> next_call_{0};
  std::atomic<std::uint64_t> certified_{0};
  std::atomic<std::size_t> running_{0};
  std::atomic<bool> is_ended_{false};
  std::mutex mutex_;  ///< of tally_
  Tally tally_;
};

}  // namespace baolian::bench
