/// A queue of jobs between threads, and the thread that carries them out.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "net/thread_name.h"

namespace baolian::node {

/// Jobs in order for `threads` workers (one: strict order).
///
/// Bounds:    none of its own: whoever posts is bounded (the engine's window, the pool's limits).
/// Threads:   post() from any; jobs on the workers. close() and the destructor not from a worker.
class WorkQueue {
 public:
  /// `name` is that of the threads and outlives them; niceness as in net::set_niceness().
  WorkQueue(const char* name, std::size_t threads, int niceness = 0) {
    for (std::size_t i = 0; i < threads; ++i) {
      workers_.emplace_back([this, name, niceness] {
        net::name_thread(name);
        if (niceness != 0) net::set_niceness(niceness);
        run();
      });
    }
  }
  ~WorkQueue() { close(); }
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  /// False after close(): the job is not carried out.
  bool post(std::function<void()> job) {
    {
      const std::lock_guard hold(mutex_);
      if (closed_) return false;
      jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
    return true;
  }

  /// Carries out what was posted, then ends the workers. Safe to call again.
  void close() {
    {
      const std::lock_guard hold(mutex_);
      closed_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) {
      if (worker.joinable()) worker.join();
    }
  }

 private:
  void run() {
    for (;;) {
      std::function<void()> job;
      {
        std::unique_lock hold(mutex_);
        wake_.wait(hold, [this] { return closed_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      job();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool closed_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace baolian::node
