#include "sim/claims_simulation.h"

#include <algorithm>
#include <array>

#include "crypto/random.h"
#include "sim/claim_audit.h"
#include "sim/claim_parties.h"

namespace baolian::sim {
namespace {

constexpr std::uint64_t kDayMs = 86'400'000;
/// Longer than every deadline of a claim that anybody lets pass here.
constexpr std::uint64_t kAllDeadlinesMs = 31 * kDayMs;
/// Until every node has read its clock after a leap.
constexpr std::uint64_t kSettleMs = 50;

/// What the seed draws.
struct Weather {
  NetworkFaults network;
  PartyChannel::Faults channel;
  std::uint64_t partition_every_ms = 0;  ///< 0 = never
  std::uint64_t crash_every_ms = 0;      ///< 0 = never
  std::uint64_t down_ms_max = 0;
  std::vector<NodeOptions> nodes;
};

Weather draw_weather(Prng& prng, std::size_t nodes) {
  Weather out;
  out.network.delay_ms_max = prng.between(0, 20);
  if (prng.chance_percent(60)) out.network.drop_percent = prng.between(0, 20);
  if (prng.chance_percent(50)) out.network.duplicate_percent = prng.between(0, 20);
  out.channel = {prng.between(0, 300), prng.between(0, 40), prng.between(0, 40)};
  if (prng.chance_percent(50)) out.partition_every_ms = prng.between(500, 3000);
  if (prng.chance_percent(70)) out.crash_every_ms = prng.between(300, 2500);
  out.down_ms_max = prng.between(50, 1500);
  for (std::size_t i = 0; i < nodes; ++i) {
    NodeOptions node;
    node.sync_ms_max = prng.between(0, 5);
    node.execute_ms_max = prng.between(0, 5);
    node.clock_skew_ms = static_cast<std::int64_t>(prng.between(0, 200)) - 100;
    node.log_segment_bytes = prng.between(16, 256) * 1024;
    node.driver.flush_heights = prng.between(1, 64);
    node.driver.flush_quiet_ms = prng.between(50, 5000);
    node.driver.flush_ms = node.driver.flush_quiet_ms;
    node.driver.linger_ms = prng.between(0, 20);
    node.write_behind = i % 2 == 1;
    out.nodes.push_back(node);
  }
  return out;
}

class ClaimsSimulation {
 public:
  explicit ClaimsSimulation(const ClaimsConfig& config)
      : config_(config),
        prng_(config.seed),
        world_(make_claim_world(prng_.next(), events_.wall())),
        checker_(world_.world),
        trace_(events_),
        network_(events_, prng_.fork(1), world_.world.node_signers.size(),
                 [this](EndpointId from, EndpointId to, node::MessageClass message_class,
                        node::SharedBytes bytes) {
                   nodes_[to]->deliver(from, message_class, std::move(bytes));
                 }),
        weather_(draw_weather(prng_, world_.world.node_signers.size())),
        script_(draw_script(world_, config.persons, config.only, first_book_, prng_.fork(2))),
        feed_(nodes_, checker_),
        channel_(events_, prng_.fork(3)),
        scene_{
            world_,
            script_,
            events_,
            checker_,
            nodes_,
            feed_,
            channel_,
            tally_,
            [this](std::string_view what, BytesView bytes) { trace_.event(kParty, what, bytes); },
            config.fault},
        hospital_(scene_, first_book_, prng_.fork(4)),
        insurers_{Insurer(scene_, hospital_, 0, prng_.fork(5)),
                  Insurer(scene_, hospital_, 1, prng_.fork(6))},
        sweeper_(scene_, prng_.fork(7)) {
    for (std::size_t i = 0; i < world_.world.node_signers.size(); ++i) {
      replica_of_.push_back(static_cast<node::ReplicaId>(i));
    }
    const SimNode::Surroundings around{world_.world, events_, network_,
                                       checker_,     trace_,  replica_of_};
    for (std::size_t i = 0; i < replica_of_.size(); ++i) {
      nodes_.push_back(std::make_unique<SimNode>(static_cast<EndpointId>(i), weather_.nodes[i],
                                                 around, prng_.fork(100 + i)));
    }
  }

  ClaimsReport run() {
    for (const auto& node : nodes_) node->start();
    for (Insurer& insurer : insurers_) insurer.start();
    for (std::size_t party = 0; party < kParties; ++party) step_party(party);
    play_round();
    while (const auto wakes = next_wake()) {
      if (checker_.first_violation()) break;
      leap(wakes->value - events_.wall().value + prng_.below(kDayMs / 24));
      play_round();
    }
    if (!checker_.first_violation()) {
      leap(kAllDeadlinesMs);
      play_round();
    }
    return report();
  }

 private:
  static constexpr std::size_t kParties = 4;
  static constexpr node::ReplicaId kParty = 1000;

  template <typename Done>
  void run_until(Tick end, const Done& done) {
    while (events_.now() < end && !checker_.first_violation() && !done()) events_.run_next();
  }

  void step_party(std::size_t party) {
    if (!scene_.paused && !checker_.first_violation()) {
      feed_.poll();
      if (party == 0) hospital_.step();
      if (party == 1 || party == 2) insurers_[party - 1].step();
      if (party == 3) sweeper_.step();
    }
    events_.after(5 + prng_.below(30), [this, party] { step_party(party); });
  }

  /// Faults, then none until everything has ended that can, then a sweep.
  void play_round() {
    begin_faults();
    run_until(events_.now() + config_.safety_ms, [] { return false; });
    heal();
    run_to_rest("a round");
    sweeper_.begin();
    run_to_rest("a sweep");
  }

  void run_to_rest(const std::string& what) {
    run_until(events_.now() + config_.liveness_ms_max, [this] { return is_at_rest(); });
    if (!checker_.first_violation() && !is_at_rest()) {
      checker_.violation("I17: " + what + " did not end without faults: hospital " +
                         (hospital_.idle() ? "idle" : "busy") + ", X " +
                         (insurers_[0].idle() ? "idle" : insurers_[0].busy_text()) + ", Y " +
                         (insurers_[1].idle() ? "idle" : insurers_[1].busy_text()) + nodes_text());
    }
  }

  /// What keeps the network from rest.
  std::string nodes_text() const {
    std::string out = "; executed " + std::to_string(checker_.executed_height().value) +
                      ", certified " + std::to_string(checker_.certified_height().value);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const SimNode& node = *nodes_[i];
      out += "; node " + std::to_string(i) + ": ";
      if (!node.is_up()) {
        out += "down";
        continue;
      }
      out += std::to_string(node.chain().height().value) + " executed, " +
             std::to_string(node.chain().certified_height().value) + " certified, " +
             std::to_string(node.status().highest_seen.value) + " seen, " +
             std::to_string(node.driver().pool().size()) + " transactions wait";
    }
    return out;
  }

  bool is_at_rest() const {
    if (!hospital_.idle() || !insurers_[0].idle() || !insurers_[1].idle() || !sweeper_.idle()) {
      return false;
    }
    const Height height = checker_.executed_height();
    return checker_.certified_height() == height &&
           std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
             // Nothing is proposed or waits to be: a leap would make it too old to be agreed on.
             return node->is_up() && node->chain().height() == height &&
                    node->chain().certified_height() == height &&
                    node->status().highest_seen <= height && node->driver().pool().size() == 0;
           });
  }

  std::optional<TimeMs> next_wake() const {
    const auto x = insurers_[0].wakes();
    const auto y = insurers_[1].wakes();
    return x && y ? std::min(x, y) : (x ? x : y);
  }

  void leap(std::uint64_t ms) {
    scene_.paused = true;
    events_.leap(ms);
    leapt_ms_ += ms;
    run_until(events_.now() + kSettleMs, [] { return false; });
    scene_.paused = false;
  }

  // ---------------------------------------------------------------- faults

  void begin_faults() {
    healing_ = false;
    network_.set_faults(weather_.network);
    channel_.set_faults(weather_.channel);
    const std::uint64_t round = ++round_;
    if (weather_.crash_every_ms > 0) {
      events_.after(weather_.crash_every_ms, [this, round] { crash_one(round); });
    }
    if (weather_.partition_every_ms > 0) {
      events_.after(weather_.partition_every_ms, [this, round] { partition(round); });
    }
  }

  void crash_one(std::uint64_t round) {
    if (healing_ || round != round_) return;
    const std::size_t index = prng_.below(nodes_.size());
    if (nodes_[index]->is_up()) {
      trace_.event(static_cast<EndpointId>(index), "crash");
      nodes_[index]->crash();
      ++crashes_;
      events_.after(prng_.below(weather_.down_ms_max), [this, index] { restart(index); });
    }
    events_.after(1 + prng_.below(2 * weather_.crash_every_ms),
                  [this, round] { crash_one(round); });
  }

  void restart(std::size_t index) {
    if (nodes_[index]->is_up() || checker_.first_violation()) return;
    trace_.event(static_cast<EndpointId>(index), "restart");
    nodes_[index]->start();
  }

  void partition(std::uint64_t round) {
    if (healing_ || round != round_) return;
    network_.heal();
    std::vector<bool> side;
    for (std::size_t i = 0; i < nodes_.size(); ++i) side.push_back(prng_.chance_percent(50));
    for (std::size_t a = 0; a < nodes_.size(); ++a) {
      for (std::size_t b = 0; b < nodes_.size(); ++b) {
        if (side[a] == side[b]) continue;
        network_.cut(static_cast<EndpointId>(a), static_cast<EndpointId>(b));
      }
    }
    events_.after(prng_.below(1500), [this] { network_.heal(); });
    events_.after(1 + prng_.below(2 * weather_.partition_every_ms),
                  [this, round] { partition(round); });
  }

  void heal() {
    healing_ = true;
    network_.heal();
    network_.set_faults({.delay_ms_max = 10});
    channel_.set_faults({});
    for (std::size_t i = 0; i < nodes_.size(); ++i) restart(i);
  }

  // ---------------------------------------------------------------- the end

  ClaimsReport report() {
    ClaimsReport out;
    if (!checker_.first_violation()) judge(out);
    out.violation = checker_.first_violation();
    out.trace_hash = trace_.finish();
    out.height = checker_.certified_height().value;
    out.virtual_ms = events_.now().value;
    out.leapt_ms = leapt_ms_;
    out.crashes = crashes_;
    out.operations = checker_.applied_operations();
    out.tally = tally_;
    return out;
  }

  void judge(ClaimsReport& out) {
    feed_.poll();
    const AuditInput input{scene_, {&insurers_[0].book(), &insurers_[1].book()}, *nodes_.front()};
    const AuditReport audit = audit_claims(input);
    out.claims = audit.claims;
    out.decisions = audit.decisions;
    out.paid_minor = audit.paid_minor;
    out.refused = audit.refused;
    if (audit.violation) return checker_.violation(*audit.violation);
    for (const auto& node : nodes_) {
      const auto rebuilt = node->rebuild_and_compare();
      if (!rebuilt) checker_.violation("I7: " + rebuilt.error().context);
    }
  }

  ClaimsConfig config_;
  Prng prng_;
  EventQueue events_;
  ClaimWorld world_;
  Checker checker_;
  Trace trace_;
  Network network_;
  Weather weather_;
  OpeningBook first_book_;
  ClaimScript script_;
  std::vector<node::ReplicaId> replica_of_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  CertifiedFeed feed_;
  PartyChannel channel_;
  ClaimTally tally_;
  ClaimScene scene_;
  Hospital hospital_;
  std::array<Insurer, kInsurers> insurers_;
  Sweeper sweeper_;
  std::uint64_t crashes_ = 0;
  std::uint64_t leapt_ms_ = 0;
  std::uint64_t round_ = 0;
  bool healing_ = false;
};

}  // namespace

ClaimsReport simulate_claims(const ClaimsConfig& config) {
  crypto::initialize();
  return ClaimsSimulation(config).run();
}

std::string repeating_command(const ClaimsConfig& config) {
  std::string out = "baolian-sim --claims --seed " + std::to_string(config.seed) + " --persons " +
                    std::to_string(config.persons) + " --safety-ms " +
                    std::to_string(config.safety_ms) + " --liveness-ms " +
                    std::to_string(config.liveness_ms_max);
  if (config.only) out += " --strategy " + std::string(strategy_name(*config.only));
  return out;
}

void ClaimTally::add(const ClaimTally& other) {
  for (const auto& [strategy, count] : other.fired) fired[strategy] += count;
  for (const auto& [code, count] : other.refused) refused[code] += count;
  alarms += other.alarms;
  sweeps += other.sweeps;
}

std::string tally_text(const ClaimTally& tally) {
  std::string out;
  for (const auto& [strategy, count] : tally.fired) {
    out += (out.empty() ? "" : ", ") + std::string(strategy_name(strategy)) + " " +
           std::to_string(count);
  }
  std::string refused;
  for (const auto& [code, count] : tally.refused) {
    refused += (refused.empty() ? "; refused: " : ", ") + std::string(contracts::code_name(code)) +
               " " + std::to_string(count);
  }
  return out + refused + "; alarms " + std::to_string(tally.alarms) + " in " +
         std::to_string(tally.sweeps) + " sweeps";
}

}  // namespace baolian::sim
