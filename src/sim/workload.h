/// Clients of the simulation: they sign transactions, keep the bytes, and send the same bytes again
/// until the outcome is certified.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "core/prng.h"
#include "sim/checker.h"
#include "sim/event_queue.h"
#include "sim/sim_node.h"
#include "sim/world.h"

namespace baolian::sim {

class Workload {
 public:
  struct Options {
    std::uint64_t pause_ms_max = 200;  ///< between two transactions of one client
    std::uint64_t outstanding_max = 4;
    std::uint64_t operations_max = 5;  ///< in one transaction
    std::uint64_t padding_bytes_max = 200;
    std::uint64_t resend_ms = 1500;
  };
  Workload(const World& world, const Options& options, EventQueue& events, Checker& checker,
           std::vector<std::unique_ptr<SimNode>>& nodes, Prng prng);

  void start();
  /// No new transactions; the open ones are sent on.
  void drain() { draining_ = true; }
  bool all_settled() const;
  std::size_t submitted() const { return submitted_; }
  std::size_t settled() const { return settled_; }

 private:
  struct Open {
    node::SharedBytes bytes;
    Tick resend_at;
  };
  struct Client {
    Sender sender;
    std::uint64_t next_nonce = 1;
    std::map<TxId, Open> open;
    std::vector<RecordId> records;
  };
  void step(std::size_t index);
  void submit_new(Client& client);
  void send(const node::SharedBytes& bytes);
  ledger::Operation make_operation(Client& client);

  const World& world_;
  Options options_;
  EventQueue& events_;
  Checker& checker_;
  std::vector<std::unique_ptr<SimNode>>& nodes_;
  Prng prng_;
  std::vector<Client> clients_;
  bool draining_ = false;
  std::size_t submitted_ = 0;
  std::size_t settled_ = 0;
};

}  // namespace baolian::sim
