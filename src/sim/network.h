/// The simulator's network: delays, reorders, duplicates, drops, and partitions.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <utility>

#include "core/prng.h"
#include "node/ports.h"
#include "sim/event_queue.h"

namespace baolian::sim {

struct NetworkFaults {
  std::uint64_t delay_ms_max = 5;
  std::uint64_t drop_percent = 0;
  std::uint64_t duplicate_percent = 0;
  std::uint64_t slow_percent = 0;  ///< share of messages that take up to slow_ms_max
  std::uint64_t slow_ms_max = 2000;
};

class Network {
 public:
  using Deliver = std::function<void(node::ReplicaId from, node::ReplicaId to, node::MessageClass,
                                     node::SharedBytes)>;
  Network(EventQueue& events, Prng prng, Deliver deliver)
      : events_(events), prng_(prng), deliver_(std::move(deliver)) {}

  void set_faults(const NetworkFaults& faults) { faults_ = faults; }
  /// Cuts one direction of a link.
  void cut(node::ReplicaId from, node::ReplicaId to) { cut_.insert({from, to}); }
  void heal() { cut_.clear(); }

  void send(node::ReplicaId from, node::ReplicaId to, node::MessageClass message_class,
            const node::SharedBytes& bytes) {
    if (cut_.contains({from, to}) || prng_.chance_percent(faults_.drop_percent)) return;
    const int copies = prng_.chance_percent(faults_.duplicate_percent) ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) {
      std::uint64_t delay_ms = prng_.between(0, faults_.delay_ms_max);
      if (prng_.chance_percent(faults_.slow_percent)) delay_ms = prng_.below(faults_.slow_ms_max);
      events_.after(delay_ms, [this, from, to, message_class, bytes] {
        deliver_(from, to, message_class, bytes);
      });
    }
  }

 private:
  EventQueue& events_;
  Prng prng_;
  Deliver deliver_;
  NetworkFaults faults_;
  std::set<std::pair<node::ReplicaId, node::ReplicaId>> cut_;
};

}  // namespace baolian::sim
