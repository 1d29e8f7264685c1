/// Clients of the simulation: they sign transactions, keep the bytes, and send the same bytes again
/// until the outcome is certified. They do not know who is Byzantine.
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
    std::uint64_t pause_ms_max = 200;  ///< longest pause between two transactions of one client
    std::uint64_t outstanding_max = 4;
    std::uint64_t operations_max = 5;  ///< in one transaction
    std::uint64_t resend_ms = 1500;
    /// In the liveness phase new transactions come until the old ones have ended: progress with
    /// some must not hide that others stand still (V1, the oldest).
    bool goes_on = false;
  };
  Workload(const World& world, const Options& options, EventQueue& events, Checker& checker,
           std::vector<std::unique_ptr<SimNode>>& nodes, Prng prng);

  void start();
  /// No new transactions, or (goes_on) only until the open ones have ended. Each is sent on until a
  /// correct node that `stays` has admitted it: from then on its end is that network's affair.
  void drain(std::function<bool(const SimNode&)> stays);
  bool all_settled() const;
  std::size_t submitted() const { return submitted_; }
  std::size_t settled() const { return settled_; }

 private:
  struct Open {
    node::SharedBytes bytes;
    Tick resend_at;
    bool is_old = false;  ///< from before the liveness phase
    /// The correct node that admitted it in the liveness phase, and its start: a node that begins
    /// anew on a snapshot has lost its pool.
    const SimNode* holder = nullptr;
    std::uint64_t holder_run = 0;
  };
  struct Client {
    Sender sender;
    std::uint64_t next_nonce = 1;
    Tick submit_at;
    std::map<TxId, Open> open;
    std::vector<RecordId> records;
  };
  void step(std::size_t index);
  void submit_new(Client& client);
  void send(Open& open);
  static bool is_held(const Open& open);
  ledger::Operation make_operation(Client& client);

  const World& world_;
  Options options_;
  EventQueue& events_;
  Checker& checker_;
  std::vector<std::unique_ptr<SimNode>>& nodes_;
  Prng prng_;
  std::vector<Client> clients_;
  std::function<bool(const SimNode&)> stays_;  ///< set in the liveness phase
  std::size_t old_left_ = 0;
  std::size_t submitted_ = 0;
  std::size_t settled_ = 0;
};

}  // namespace baolian::sim
