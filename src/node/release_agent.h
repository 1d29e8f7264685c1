/// The custodian's agent: answers grants by releasing, and hands keys out once the release is
/// certified. Sends the same bytes again until they are received or the grant has ended.
#pragma once

#include <map>
#include <mutex>

#include "contracts/events.h"
#include "node/services.h"

namespace baolian::node {

class ReleaseAgent {
 public:
  explicit ReleaseAgent(const Services& services) : services_(services) {}

  // Events of certified blocks; called by the agents' thread.
  void on_granted(const contracts::Granted& event);
  void on_released(const contracts::Released& event, Height height, std::uint32_t leaf);
  void on_received(const contracts::Received& event);
  /// Every few seconds: sends open deliveries again and forgets wraps whose grant has ended.
  void resend();
  /// The height before the oldest release that is not received yet; the largest height if there is
  /// none.
  Height oldest_open() const;

 private:
  void deliver(const GrantId& grant, Height height, std::uint32_t leaf);
  void sweep();

  struct Place {
    Height height;
    std::uint32_t leaf = 0;
    std::uint64_t sent_at_ms = 0;
  };
  const Services& services_;
  std::uint64_t swept_at_ms_ = 0;
  std::map<GrantId, Place> released_;  // certified releases not yet received
};

}  // namespace baolian::node
