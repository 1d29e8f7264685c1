/// The simulator's network: delays, reorders, duplicates, drops, partitions, and bans.
///
/// It joins endpoints, not replicas: an endpoint is one running instance. Two endpoints may act for
/// one replica (twins).
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/prng.h"
#include "node/ports.h"
#include "sim/costs.h"
#include "sim/event_queue.h"

namespace baolian::sim {

/// One running instance, 0 ... N-1 in the order in which the simulation made them.
using EndpointId = std::uint16_t;

struct NetworkFaults {
  std::uint64_t delay_ms_max = 5;
  std::uint64_t drop_percent = 0;
  std::uint64_t duplicate_percent = 0;
  std::uint64_t slow_percent = 0;  ///< share of messages that take up to slow_ms_max
  std::uint64_t slow_ms_max = 2000;
};

class Network {
 public:
  using Deliver =
      std::function<void(EndpointId from, EndpointId to, node::MessageClass, node::SharedBytes)>;
  Network(EventQueue& events, Prng prng, std::size_t endpoints, Deliver deliver)
      : events_(events),
        prng_(prng),
        deliver_(std::move(deliver)),
        endpoints_(endpoints),
        links_(endpoints * endpoints) {}

  std::size_t endpoints() const { return endpoints_; }
  void set_faults(const NetworkFaults& faults) { faults_ = faults; }
  /// Cuts one direction of a link.
  void cut(EndpointId from, EndpointId to) { link(from, to).cut = true; }
  void heal() {
    for (Link& one : links_) one.cut = false;
  }
  bool is_cut(EndpointId from, EndpointId to) const { return links_[from * endpoints_ + to].cut; }
  /// Everything on this direction of a link takes so much longer.
  void set_link_delay(EndpointId from, EndpointId to, std::uint64_t delay_ms) {
    link(from, to).delay_ms = delay_ms;
  }
  void clear_link_delays() {
    for (Link& one : links_) one.delay_ms = 0;
  }
  /// The connection of two endpoints is closed, and not opened again for this long.
  void disconnect(EndpointId a, EndpointId b, std::uint64_t ms) {
    const Tick until = events_.now() + ms;
    for (Link* one : {&link(a, b), &link(b, a)}) {
      one->closed_until = std::max(one->closed_until, until);
    }
  }

  void send(EndpointId from, EndpointId to, node::MessageClass message_class,
            const node::SharedBytes& bytes) {
    const Link& one = link(from, to);
    if (one.cut || events_.now() < one.closed_until) return;
    if (prng_.chance_percent(faults_.drop_percent)) return;
    const int copies = prng_.chance_percent(faults_.duplicate_percent) ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) {
      std::uint64_t delay_ms = prng_.between(0, faults_.delay_ms_max);
      if (prng_.chance_percent(faults_.slow_percent)) delay_ms = prng_.below(faults_.slow_ms_max);
      deliver_later(one.delay_ms + delay_ms, from, to, message_class, bytes);
    }
  }

  /// Counts from now on what is sent, by kind.
  void count_into(Costs* costs) { costs_ = costs; }

  std::uint64_t sent_messages() const { return sent_messages_; }
  std::uint64_t sent_bytes() const { return sent_bytes_; }

 private:
  struct Link {
    bool cut = false;
    std::uint64_t delay_ms = 0;
    Tick closed_until;
  };
  Link& link(EndpointId from, EndpointId to) { return links_[from * endpoints_ + to]; }

  void deliver_later(std::uint64_t delay_ms, EndpointId from, EndpointId to,
                     node::MessageClass message_class, const node::SharedBytes& bytes) {
    ++sent_messages_;
    sent_bytes_ += bytes->size();
    if (costs_ != nullptr) costs_->count(*bytes);
    events_.after(delay_ms, [this, from, to, message_class, bytes] {
      deliver_(from, to, message_class, bytes);
    });
  }

  EventQueue& events_;
  Prng prng_;
  Deliver deliver_;
  std::size_t endpoints_;
  std::vector<Link> links_;
  NetworkFaults faults_;
  std::uint64_t sent_messages_ = 0;
  std::uint64_t sent_bytes_ = 0;
  Costs* costs_ = nullptr;
};

}  // namespace baolian::sim
