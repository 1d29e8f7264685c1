#include "sim/simulation.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "core/codec.h"
#include "core/prng.h"
#include "crypto/hash.h"
#include "sim/sim_node.h"
#include "sim/workload.h"

namespace baolian::sim {

namespace {

/// What the seed draws (swarm testing: each run has its own mix of faults).
struct Swarm {
  NetworkFaults network;
  std::uint64_t partition_every_ms = 0;  ///< 0 = never
  std::uint64_t crash_every_ms = 0;      ///< 0 = never
  std::uint64_t down_ms_max = 2000;
  bool primary_crashes = false;
  bool power_cut_of_all = false;
  std::size_t backups_lost_at_the_end = 0;  ///< at most F stay away in the liveness phase
  Workload::Options work;
  std::vector<NodeOptions> nodes;
};

Swarm draw_swarm(Prng& prng, const SimulationConfig& config) {
  Swarm swarm;
  swarm.network.delay_ms_max = prng.between(0, 30);
  if (prng.chance_percent(60)) swarm.network.drop_percent = prng.between(0, 30);
  if (prng.chance_percent(50)) swarm.network.duplicate_percent = prng.between(0, 20);
  if (prng.chance_percent(40)) swarm.network.slow_percent = prng.between(0, 5);
  if (prng.chance_percent(60)) swarm.partition_every_ms = prng.between(300, 3000);
  if (prng.chance_percent(70)) swarm.crash_every_ms = prng.between(200, 3000);
  swarm.down_ms_max = prng.between(50, 3000);
  swarm.primary_crashes = prng.chance_percent(50);
  swarm.power_cut_of_all = prng.chance_percent(40);
  const std::size_t faulty_max = (config.validators - 1) / 3;
  if (prng.chance_percent(30)) swarm.backups_lost_at_the_end = prng.between(0, faulty_max);
  swarm.work.pause_ms_max = prng.between(5, 400);
  swarm.work.outstanding_max = prng.between(1, 12);
  swarm.work.operations_max = prng.between(1, 20);
  for (std::size_t i = 0; i < config.validators + config.observers; ++i) {
    NodeOptions node;
    node.disk = config.disk;
    node.sync_ms_max = prng.chance_percent(20) ? prng.between(20, 200) : prng.between(0, 5);
    node.execute_ms_max = prng.chance_percent(20) ? prng.between(20, 200) : prng.between(0, 5);
    node.clock_skew_ms = static_cast<std::int64_t>(prng.between(0, 200)) - 100;
    node.log_segment_bytes = prng.between(4, 256) * 1024;
    node.driver.flush_heights = prng.between(1, 64);
    node.driver.flush_ms = prng.between(50, 5000);
    node.driver.linger_ms = prng.between(0, 20);
    node.driver.pool.transactions_max = prng.chance_percent(20) ? 20 : 10'000;
    swarm.nodes.push_back(node);
  }
  return swarm;
}

std::string describe(const Swarm& swarm) {
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  return "delay<=" + number(swarm.network.delay_ms_max) +
         "ms drop=" + number(swarm.network.drop_percent) +
         "% dup=" + number(swarm.network.duplicate_percent) +
         "% slow=" + number(swarm.network.slow_percent) + "% partition/" +
         number(swarm.partition_every_ms) + "ms crash/" + number(swarm.crash_every_ms) + "ms" +
         (swarm.primary_crashes ? " primary-crashes" : "") +
         (swarm.power_cut_of_all ? " power-cut" : "") +
         " lost=" + number(swarm.backups_lost_at_the_end);
}

class Simulation {
 public:
  explicit Simulation(const SimulationConfig& config)
      : config_(config),
        prng_(config.seed),
        world_(make_world(config.validators, config.observers, prng_.next())),
        checker_(world_),
        network_(events_, prng_.fork(1),
                 [this](node::ReplicaId from, node::ReplicaId to, node::MessageClass message_class,
                        node::SharedBytes bytes) {
                   nodes_[to]->deliver(from, message_class, std::move(bytes));
                 }),
        swarm_(draw_swarm(prng_, config)) {
    const SimNode::Surroundings around{world_, events_, network_, checker_,
                                       [this](node::ReplicaId id, std::string_view what,
                                              BytesView bytes) { trace(id, what, bytes); }};
    for (std::size_t i = 0; i < world_.node_signers.size(); ++i) {
      nodes_.push_back(std::make_unique<SimNode>(static_cast<node::ReplicaId>(i), swarm_.nodes[i],
                                                 around, prng_.fork(100 + i)));
    }
    work_ =
        std::make_unique<Workload>(world_, swarm_.work, events_, checker_, nodes_, prng_.fork(2));
  }

  SimulationReport run() {
    for (const auto& node : nodes_) node->start();
    work_->start();
    network_.set_faults(swarm_.network);
    plan_faults();
    run_until(Tick{config_.safety_ms}, [] { return false; });
    heal();
    const Tick healed = events_.now();
    run_until(healed + config_.liveness_ms_max, [this] { return has_ended(); });
    if (!checker_.first_violation() && !has_ended()) report_unfinished();
    judge_end();
    return report(healed);
  }

 private:
  void trace(node::ReplicaId id, std::string_view what, BytesView bytes) {
    Bytes line;
    Encoder encoder(line);
    encoder.integer(events_.now().value);
    encoder.integer(id);
    encoder.raw(as_bytes(what));
    encoder.integer(crypto::crc32c(bytes));
    trace_.update(line);
  }

  template <typename Done>
  void run_until(Tick end, const Done& done) {
    while (events_.now() < end && !checker_.first_violation() && !done()) {
      events_.run_next();
      ++steps_;
    }
  }

  void plan_faults() {
    if (swarm_.crash_every_ms > 0) events_.after(swarm_.crash_every_ms, [this] { crash_one(); });
    if (swarm_.partition_every_ms > 0) {
      events_.after(swarm_.partition_every_ms, [this] { partition(); });
    }
    if (swarm_.power_cut_of_all) {
      events_.after(prng_.between(config_.safety_ms / 4, config_.safety_ms), [this] {
        for (std::size_t i = 0; i < nodes_.size(); ++i) crash(i, prng_.below(500));
      });
    }
  }

  bool in_safety() const { return !healing_; }

  void crash(std::size_t index, std::uint64_t down_ms) {
    if (!nodes_[index]->is_up()) return;
    trace(static_cast<node::ReplicaId>(index), "crash", {});
    nodes_[index]->crash();
    ++crashes_;
    events_.after(down_ms, [this, index] { restart(index); });
  }

  void restart(std::size_t index) {
    if (nodes_[index]->is_up() || checker_.first_violation()) return;
    if (healing_ && is_lost(index)) return;
    trace(static_cast<node::ReplicaId>(index), "restart", {});
    nodes_[index]->start();
  }

  void crash_one() {
    if (!in_safety()) return;
    const std::size_t index = prng_.below(nodes_.size());
    // View 0 is the only one: its primary is validator 0.
    if (index != 0 || swarm_.primary_crashes) crash(index, prng_.below(swarm_.down_ms_max + 1));
    events_.after(1 + prng_.below(2 * swarm_.crash_every_ms), [this] { crash_one(); });
  }

  /// Cuts the nodes in two, both ways or one way only; heals after a while.
  void partition() {
    if (!in_safety()) return;
    network_.heal();
    const bool both_ways = prng_.chance_percent(70);
    std::vector<bool> side;
    for (std::size_t i = 0; i < nodes_.size(); ++i) side.push_back(prng_.chance_percent(50));
    for (std::size_t a = 0; a < nodes_.size(); ++a) {
      for (std::size_t b = 0; b < nodes_.size(); ++b) {
        const bool cuts = side[a] != side[b] && (both_ways || side[a]);
        if (cuts) network_.cut(static_cast<node::ReplicaId>(a), static_cast<node::ReplicaId>(b));
      }
    }
    events_.after(prng_.below(2000), [this] { network_.heal(); });
    events_.after(1 + prng_.below(2 * swarm_.partition_every_ms), [this] { partition(); });
  }

  bool is_lost(std::size_t index) const {
    return index > 0 && index <= swarm_.backups_lost_at_the_end;
  }

  void heal() {
    healing_ = true;
    network_.heal();
    network_.set_faults({.delay_ms_max = 20});
    work_->drain();
    if (checker_.first_violation()) return;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      nodes_[i]->become_quick();
      if (is_lost(i)) {
        if (nodes_[i]->is_up()) nodes_[i]->crash();
      } else if (!nodes_[i]->is_up()) {
        restart(i);
      }
    }
  }

  /// Every admitted transaction has ended, and all nodes stand at one certified height.
  bool has_ended() const {
    if (!work_->all_settled()) return false;
    const Height height = checker_.executed_height();
    for (const auto& node : nodes_) {
      if (!node->is_up()) continue;
      if (node->chain().height() != height || node->chain().certified_height() != height) {
        return false;
      }
    }
    return checker_.certified_height() == height;
  }

  void report_unfinished() {
    std::string where;
    for (const auto& node : nodes_) {
      if (!node->is_up()) {
        where += " down";
        continue;
      }
      const consensus::Status status = node->status();
      where += " " + std::to_string(status.executed.value) + "/" +
               std::to_string(status.certified.value) + "/" +
               std::to_string(status.highest_seen.value) + "/" +
               std::to_string(node->driver().pool().size());
    }
    checker_.violation("I17: " + std::to_string(work_->submitted() - work_->settled()) +
                       " transactions have no end after " +
                       std::to_string(config_.liveness_ms_max) +
                       " ms without faults; executed/certified/seen/pool:" + where);
  }

  void judge_end() {
    if (checker_.first_violation()) return;
    for (const auto& node : nodes_) {
      if (!node->is_up()) continue;
      for (Height at{1}; at <= checker_.certified_height(); ++at) {
        const auto certified = checker_.certified_header(at);
        const auto own = node->chain().header(at);
        if (!own || (certified && ledger::header_hash(*own) != *certified)) {
          return checker_.violation("I5: a certified block is missing at the end, height " +
                                    std::to_string(at.value));
        }
      }
      const auto rebuilt = node->rebuild_and_compare();
      if (!rebuilt) return checker_.violation("I7: " + rebuilt.error().context);
    }
  }

  SimulationReport report(Tick healed) {
    SimulationReport out;
    out.violation = checker_.first_violation();
    out.trace_hash = trace_.finish();
    out.steps = steps_;
    out.virtual_ms = events_.now().value;
    out.height = checker_.certified_height().value;
    out.crashes = crashes_;
    out.submitted = work_->submitted();
    out.settled = work_->settled();
    out.applied_operations = checker_.applied_operations();
    out.rejected_transactions = checker_.rejected_count();
    out.healed_after_ms = events_.now().value - healed.value;
    out.options = describe(swarm_);
    return out;
  }

  SimulationConfig config_;
  Prng prng_;
  World world_;
  EventQueue events_;
  Checker checker_;
  Network network_;
  Swarm swarm_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::unique_ptr<Workload> work_;
  crypto::Sha256 trace_;
  std::uint64_t steps_ = 0;
  std::uint64_t crashes_ = 0;
  bool healing_ = false;
};

}  // namespace

SimulationReport simulate(const SimulationConfig& config) { return Simulation(config).run(); }

std::string repeating_command(const SimulationConfig& config) {
  return "baolian-sim --seed " + std::to_string(config.seed) + " --nodes " +
         std::to_string(config.validators) + " --observers " + std::to_string(config.observers) +
         " --safety-ms " + std::to_string(config.safety_ms) + " --liveness-ms " +
         std::to_string(config.liveness_ms_max);
}

}  // namespace baolian::sim
