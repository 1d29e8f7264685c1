#include "sim/simulation.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "core/prng.h"
#include "crypto/certificate.h"
#include "sim/faults.h"
#include "sim/sim_node.h"
#include "sim/swarm.h"
#include "sim/workload.h"

namespace baolian::sim {

namespace {

SwarmLimits limits_of(const SimulationConfig& config) {
  return {config.validators, config.observers, config.disk,       config.draws_byzantine,
          config.byzantine,  config.epochs,    config.conditions, config.consensus};
}

class Simulation {
 public:
  explicit Simulation(const SimulationConfig& config)
      : config_(config),
        prng_(config.seed),
        world_(make_world(config.validators, config.observers, prng_.next(), config.consensus)),
        checker_(world_),
        trace_(events_, config.trace),
        network_(events_, prng_.fork(1), world_.node_signers.size(),
                 [this](EndpointId from, EndpointId to, node::MessageClass message_class,
                        node::SharedBytes bytes) {
                   nodes_[to]->deliver(from, message_class, std::move(bytes));
                 }),
        swarm_(draw_swarm(prng_, limits_of(config))),
        faults_(swarm_, {events_, network_, checker_, trace_, nodes_}, prng_.fork(3)) {
    plan_changes(world_, swarm_.changes);
    for (std::size_t i = 0; i < world_.node_signers.size(); ++i) {
      replica_of_.push_back(static_cast<node::ReplicaId>(i));
    }
    if (config_.counts_costs) network_.count_into(&costs_);
    const SimNode::Surroundings around{world_, events_,     network_, checker_,
                                       trace_, replica_of_, verifier_};
    for (std::size_t i = 0; i < replica_of_.size(); ++i) {
      nodes_.push_back(std::make_unique<SimNode>(static_cast<EndpointId>(i), swarm_.nodes[i],
                                                 around, prng_.fork(100 + i)));
    }
    for (const ByzantineRole& role : swarm_.byzantine) {
      checker_.set_byzantine(replica_of_[role.endpoint]);
      nodes_[role.endpoint]->misbehave(role.kind);
    }
    nodes_[config_.cut.node]->cut_power_at(config_.cut.step);
    work_ =
        std::make_unique<Workload>(world_, swarm_.work, events_, checker_, nodes_, prng_.fork(2));
  }

  SimulationReport run() {
    for (const auto& node : nodes_) node->start();
    work_->start();
    faults_.begin(config_.safety_ms);
    run_until(Tick{config_.safety_ms}, [] { return false; });
    finish_costs();
    faults_.heal();
    work_->drain([this](const SimNode& node) { return !faults_.is_away(node.endpoint()); });
    const Tick healed = events_.now();
    run_until(healed + config_.liveness_ms_max, [this] { return has_ended(); });
    if (!checker_.first_violation() && !has_ended()) report_unfinished();
    judge_end();
    return report(healed);
  }

 private:
  void finish_costs() {
    network_.count_into(nullptr);
    costs_.signature_checks = verifier_.checks();
    costs_.blocks = checker_.certified_height().value;
    costs_.virtual_ms = events_.now().value;
  }

  template <typename Done>
  void run_until(Tick end, const Done& done) {
    std::uint64_t looked_at_ms = 0;
    while (events_.now() < end && !checker_.first_violation()) {
      events_.run_next();
      ++steps_;
      if (events_.now().value == looked_at_ms) continue;
      looked_at_ms = events_.now().value;
      if (done()) return;
    }
  }

  /// A node that must make progress in the liveness phase.
  bool is_judged(const SimNode& node) const {
    return checker_.is_correct(node.id()) && !faults_.is_away(node.endpoint());
  }

  /// V10: who is in no view, or an old one, and asks for no later view than that of others is told
  /// of it by any of them, whatever its primary does. R6: terms that differ are told in answers, so
  /// that all come to one.
  bool is_any_left_behind() const {
    std::pair<Epoch, View> highest;
    for (const auto& node : nodes_) {
      if (!is_judged(*node) || !node->is_up()) continue;
      const consensus::Status status = node->status();
      highest = std::max(highest, {status.epoch, status.view});
    }
    const bool is_raft = config_.consensus == crypto::ConsensusKind::raft;
    return std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
      if (!is_judged(*node) || !node->is_up() || !node->driver().is_validator()) return false;
      const consensus::Status status = node->status();
      if (status.epoch != highest.first || status.view >= highest.second) return false;
      return is_raft || status.view_change <= highest.second;
    });
  }

  /// Every admitted transaction has ended, and all correct nodes stand at one certified height.
  bool has_ended() const {
    const Height height = checker_.executed_height();
    if (checker_.certified_height() != height || !work_->all_settled()) return false;
    if (is_any_left_behind()) return false;
    return std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
      if (!is_judged(*node)) return true;
      return node->is_up() && node->chain().height() == height &&
             node->chain().certified_height() == height;
    });
  }

  void report_unfinished() {
    std::string where = " view/view change/executed/certified/seen/pool:";
    for (const auto& node : nodes_) {
      where += " n" + std::to_string(node->id());
      if (!checker_.is_correct(node->id())) where += "(byzantine)";
      if (faults_.is_away(node->endpoint())) where += "(away)";
      if (!node->is_up()) {
        where += ":down";
        continue;
      }
      const consensus::Status status = node->status();
      where += ":v" + std::to_string(status.view.value) + (status.active ? "" : "-inactive") +
               "/vc" + std::to_string(status.view_change.value) + "/e" +
               std::to_string(status.epoch.value) + "/" + std::to_string(status.executed.value) +
               "/" + std::to_string(status.certified.value) + "/" +
               std::to_string(status.highest_seen.value) + "/" +
               std::to_string(node->driver().pool().size());
    }
    if (work_->all_settled() && is_any_left_behind()) {
      return checker_.violation("V10: nobody told a node of the newest view or term;" + where);
    }
    checker_.violation("I17: " + std::to_string(work_->submitted() - work_->settled()) +
                       " transactions have no end after " +
                       std::to_string(config_.liveness_ms_max) + " ms without faults;" + where);
  }

  void judge_end() {
    for (const auto& node : nodes_) {
      if (checker_.first_violation()) return;
      if (!node->is_up() || !checker_.is_correct(node->id())) continue;
      judge_chain(*node);
      const auto rebuilt = node->rebuild_and_compare();
      if (!rebuilt) checker_.violation("I7: " + rebuilt.error().context);
    }
  }

  /// What was certified anywhere stands in the chain of every correct node that got so far.
  void judge_chain(const SimNode& node) {
    const Height last = std::min(checker_.certified_height(), node.chain().height());
    if (is_judged(node) && last < checker_.certified_height()) {
      checker_.violation("I5: a certified block is missing at the end");
    }
    for (Height at = std::max(Height{1}, node.chain().base()); at <= last; ++at) {
      const auto certified = checker_.certified_header(at);
      const auto own = node.chain().header(at);
      if (!own || (certified && ledger::header_hash(*own) != *certified)) {
        return checker_.violation("I5: a certified block is another one at the end, height " +
                                  std::to_string(at.value));
      }
    }
  }

  SimulationReport report(Tick healed) {
    SimulationReport out;
    out.violation = checker_.first_violation();
    out.trace_hash = trace_.finish();
    out.steps = steps_;
    out.virtual_ms = events_.now().value;
    out.height = checker_.certified_height().value;
    out.highest_view = checker_.highest_view().value;
    out.epoch = checker_.newest_epoch().value;
    out.crashes = faults_.crashes();
    out.submitted = work_->submitted();
    out.settled = work_->settled();
    out.applied_operations = checker_.applied_operations();
    out.rejected_transactions = checker_.rejected_count();
    out.bans = checker_.bans();
    out.evidence = checker_.evidence_count();
    out.messages = network_.sent_messages();
    out.message_bytes = network_.sent_bytes();
    out.healed_after_ms = events_.now().value - healed.value;
    for (const auto& node : nodes_) {
      if (checker_.is_correct(node->id())) out.probes.add(node->probes());
    }
    out.costs = costs_;
    out.write_steps = nodes_[config_.cut.node]->write_steps();
    out.options = describe(swarm_);
    return out;
  }

  SimulationConfig config_;
  Prng prng_;
  World world_;
  EventQueue events_;
  Checker checker_;
  Trace trace_;
  Network network_;
  Swarm swarm_;
  Costs costs_;
  CountingVerifier verifier_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  Faults faults_;
  std::vector<node::ReplicaId> replica_of_;
  std::unique_ptr<Workload> work_;
  std::uint64_t steps_ = 0;
};

}  // namespace

SimulationReport simulate(const SimulationConfig& config) { return Simulation(config).run(); }

std::string repeating_command(const SimulationConfig& config) {
  std::string out = "baolian-sim --seed " + std::to_string(config.seed) + " --nodes " +
                    std::to_string(config.validators) + " --observers " +
                    std::to_string(config.observers) + " --safety-ms " +
                    std::to_string(config.safety_ms) + " --liveness-ms " +
                    std::to_string(config.liveness_ms_max);
  if (config.byzantine) {
    out += " --byzantine " + std::string(byzantine_name(*config.byzantine));
  } else if (!config.draws_byzantine && config.consensus == crypto::ConsensusKind::pbft) {
    out += " --byzantine none";
  }
  if (config.consensus == crypto::ConsensusKind::raft) out += " --consensus raft";
  if (config.epochs) out += " --epochs " + std::to_string(*config.epochs);
  if (config.conditions) {
    out += " --conditions " +
           std::string(kConditionsNames[static_cast<std::size_t>(*config.conditions)]);
  }
  if (config.cut.step > 0) {
    out += " --cut-node " + std::to_string(config.cut.node) + " --cut-step " +
           std::to_string(config.cut.step);
  }
  if (config.disk == DiskHonesty::lying) out += " --bug lying_disk";
  return out;
}

}  // namespace baolian::sim
