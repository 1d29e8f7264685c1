/// Questions to another institution's node whose answers come over the mesh: each has a request id,
/// one institution that may answer, and somebody who waits.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>

#include "core/ids.h"

namespace baolian::node {

/// `Reply` has a member `request`. Threads: safe for concurrent use.
template <typename Reply>
class Asking {
 public:
  /// Before the question is sent. `to` is whose answer counts.
  void expect(const RequestId& request, const InstitutionId& to) {
    const std::lock_guard lock(mutex_);
    waiting_[request] = {to, std::nullopt};
  }
  /// Waits for the answer; nullopt when the time is over. Ends the question.
  std::optional<Reply> wait(const RequestId& request, std::uint64_t timeout_ms) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                      [&] { return waiting_[request].reply.has_value(); });
    auto reply = std::move(waiting_[request].reply);
    waiting_.erase(request);
    return reply;
  }
  /// An answer that nobody waits for, or of another institution, is dropped.
  void answer(const InstitutionId& from, Reply reply) {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(reply.request);
    if (found == waiting_.end() || found->second.from != from) return;
    found->second.reply = std::move(reply);
    arrived_.notify_all();
  }

 private:
  struct Waiting {
    InstitutionId from;
    std::optional<Reply> reply;
  };
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<RequestId, Waiting> waiting_;
};

}  // namespace baolian::node
