/// The reader's agent: takes deliveries into the own vault and says so on the chain; for an insurer
/// it also requests the payload of every claim that is filed with it.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>

#include "contracts/events.h"
#include "node/services.h"

namespace baolian::node {

class ReadingAgent {
 public:
  explicit ReadingAgent(const Services& services) : services_(services) {}

  // Events of certified blocks; called by the agents' thread.
  void on_filed(const contracts::Filed& event);
  void on_received(const contracts::Received& event);

  /// A piece of a delivery from a node of `from`. Called by the mesh thread: only collects; work()
  /// does the rest.
  void on_delivery_part(const InstitutionId& from, BytesView message);
  /// Accepts what is complete; called by the agents' thread.
  void work();

  /// Waits until a grant is received here (true) or mismatched or the time is over (false).
  bool wait_received(const GrantId& grant, std::uint64_t timeout_ms);

 private:
  struct Collecting {
    InstitutionId from;
    std::uint16_t count = 0;
    std::map<std::uint16_t, Bytes> parts;
  };
  static constexpr std::size_t kCollectingMax = 64;
  static constexpr std::size_t kFinishedMax = 10'000;

  void request_payload(const ClaimId& id);
  void accept(const GrantId& grant, const Bytes& delivery);

  const Services& services_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<GrantId, Collecting> collecting_;
  std::vector<std::pair<GrantId, Bytes>> complete_;
  std::map<GrantId, contracts::ReceiveResult> finished_;
};

}  // namespace baolian::node
