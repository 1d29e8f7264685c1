// baolian-sim: whole networks in one thread, drawn from seeds (design: testing.md, "The
// simulator").
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>

#include "core/seeded_bug.h"
#include "sim/claims_simulation.h"
#include "sim/network_runs.h"
#include "sim/simulation.h"
#include "sim/twins_runs.h"

namespace {

using baolian::sim_program::RunOptions;
using baolian::sim_program::Seeds;

using baolian::sim::ClaimsConfig;

// Chooses the seeded bug of this process. Returns: why it cannot be had; empty if it is set.
std::string choose_bug(RunOptions& options) {
  if (options.bug.empty()) return {};
  if (options.bug == "lying_disk") {
    options.config.disk = baolian::sim::DiskHonesty::lying;
    return {};
  }
  const auto& names = baolian::kBugNames;
  const auto* const at = std::find(names.begin(), names.end(), options.bug);
  if (at == names.end()) {
    std::string out = "there is no seeded bug '" + options.bug + "'; there are:";
    for (const std::string_view name : names) out += " " + std::string(name);
    return out;
  }
#if defined(BAOLIAN_SEEDED_BUGS)
  baolian::active_bug() = static_cast<baolian::Bug>(at - names.begin());
  return {};
#else
  return "this program was built without seeded bugs; configure with -DBAOLIAN_SEEDED_BUGS=ON";
#endif
}

void print_claims(const ClaimsConfig& config, const baolian::sim::ClaimsReport& report) {
  std::printf(
      "seed %llu %s: height %llu, %llu claims, %llu decisions, %llu refused operations, "
      "%llu crashes, %llu ms played, %llu h leapt over, trace %s\n  %s\n",
      static_cast<unsigned long long>(config.seed), report.violation ? "VIOLATION" : "ok",
      static_cast<unsigned long long>(report.height),
      static_cast<unsigned long long>(report.claims),
      static_cast<unsigned long long>(report.decisions),
      static_cast<unsigned long long>(report.refused),
      static_cast<unsigned long long>(report.crashes),
      static_cast<unsigned long long>(report.virtual_ms),
      static_cast<unsigned long long>(report.leapt_ms / 3'600'000),
      report.trace_hash.hex().substr(0, 16).c_str(),
      baolian::sim::tally_text(report.tally).c_str());
  if (!report.violation) return;
  std::printf("  %s\n  repeat: %s\n", report.violation->c_str(),
              baolian::sim::repeating_command(config).c_str());
}

int run_claims(ClaimsConfig config, const Seeds& seeds, bool quiet) {
  std::uint64_t violations = 0;
  std::uint64_t claims = 0;
  baolian::sim::ClaimTally seen;
  for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    config.seed = seed;
    const auto report = baolian::sim::simulate_claims(config);
    if (report.violation) ++violations;
    claims += report.claims;
    seen.add(report.tally);
    if (!quiet || report.violation) print_claims(config, report);
    std::fflush(stdout);
  }
  std::printf("%llu runs, %llu violations, %llu claims; seen: %s\n",
              static_cast<unsigned long long>(seeds.count),
              static_cast<unsigned long long>(violations), static_cast<unsigned long long>(claims),
              baolian::sim::tally_text(seen).c_str());
  return violations == 0 ? 0 : 1;
}

constexpr const char* kExamples =
    "\nExamples:\n"
    "  baolian-sim --seeds 2000 --nodes 4 --quiet --require-probes\n"
    "  baolian-sim --first-seed 500 --seeds 100 --nodes 7 --jobs 2\n"
    "  baolian-sim --seed 17 --trace --from-ms 9000 --to-ms 9500\n"
    "  baolian-sim --seed 17 --mermaid --from-ms 9000 --to-ms 9500\n"
    "  baolian-sim --seed 3 --cut-sweep --cut-node 1 --conditions calm --byzantine none --epochs 0 "
    "--safety-ms 2000\n"
    "  baolian-sim --seeds 50 --byzantine equivocating_primary --safety-ms 10000\n"
    "  baolian-sim --seeds 200 --bug drop_prepared_on_execution --stop-at-first\n"
    "  baolian-sim --seeds 200 --nodes 3 --consensus raft --epochs 2\n"
    "  baolian-sim --costs --seeds 10 --nodes 31 --conditions calm --byzantine none --epochs 0\n"
    "  baolian-sim --twins --seeds 200000 --nodes 4 --jobs 2\n"
    "  baolian-sim --claims --seeds 20 --strategy paid_twice\n";

std::string byzantine_names() {
  std::string out = "none, drawn";
  for (const std::string_view name : baolian::sim::kByzantineNames) {
    out += ", " + std::string(name);
  }
  return out;
}

// What the command line says beyond the structs that are run.
struct Words {
  std::string consensus = "pbft";
  std::string byzantine = "drawn";
  std::string conditions = "drawn";
  std::string strategy;
  bool trace = false;
  bool mermaid = false;
  bool plays_claims = false;
  bool plays_twins = false;
  std::uint64_t rounds = 5;
  bool draws_losses = false;
  bool one_seed = false;
  bool sets_safety = false;
  bool sweeps_cuts = false;
};

void add_range_options(CLI::App& app, RunOptions& run, Words& words) {
  auto& config = run.config;
  auto* one = app.add_option("--seed", config.seed, "run this seed only");
  one->each([&words](const std::string&) { words.one_seed = true; });
  app.add_option("--first-seed", run.seeds.first, "first of many seeds")->excludes(one);
  app.add_option("--seeds", run.seeds.count, "how many seeds to run")->excludes(one);
  app.add_option("--jobs", run.jobs, "seeds that run at the same time")->check(CLI::Range(1, 256));
  app.add_option("--nodes", config.validators, "validators")->check(CLI::Range(1, 31));
  app.add_option("--observers", config.observers, "observers")->check(CLI::Range(0, 16));
  app.add_option("--consensus", words.consensus, "pbft or raft")
      ->check(CLI::IsMember({"pbft", "raft"}));
  app.add_option("--safety-ms", config.safety_ms, "virtual ms with faults")
      ->check(CLI::Range(std::uint64_t{100}, std::uint64_t{86'400'000}))
      ->each([&words](const std::string&) { words.sets_safety = true; });
  app.add_option("--liveness-ms", config.liveness_ms_max,
                 "virtual ms in which everything must end afterwards");
  app.add_option("--byzantine", words.byzantine, "strategy of F nodes: " + byzantine_names())
      ->check([](const std::string& name) {
        const bool known =
            name == "none" || name == "drawn" || baolian::sim::find_byzantine(name).has_value();
        return known ? std::string() : "no such strategy: " + name;
      });
  app.add_option("--epochs", config.epochs, "changes of validators in every run; else drawn")
      ->check(CLI::Range(0, 64));
  app.add_option("--conditions", words.conditions, "drawn, stormy, calm or impatient")
      ->check(CLI::IsMember({"drawn", "stormy", "calm", "impatient"}));
  app.add_option("--bug", run.bug, "a bug planted on purpose (core/seeded_bug.h)");
  app.add_flag("--stop-at-first", run.stop_at_first, "end at the first seed with a violation");
  app.add_flag("--require-probes", run.require_probes, "fail if a named rare branch was never met");
  app.add_flag("--costs", config.counts_costs,
               "print messages, bytes and signature checks per block; best with --conditions calm "
               "--byzantine none --epochs 0");
  app.add_flag("--quiet", run.quiet, "print violations and the summary only");
}

void add_cut_options(CLI::App& app, RunOptions& run, Words& words) {
  auto& cut = run.config.cut;
  app.add_option("--cut-node", cut.node, "whose power goes with --cut-step or --cut-sweep");
  app.add_option("--cut-step", cut.step,
                 "the power goes at this step of the node's writing: a record, a sync, a block, a "
                 "flush");
  app.add_flag("--cut-sweep", words.sweeps_cuts,
               "with --seed: one run for each step of the node's writing; best with --conditions "
               "calm --byzantine none --epochs 0 --safety-ms 2000");
}

void add_trace_options(CLI::App& app, RunOptions& run, Words& words) {
  auto& trace = run.config.trace;
  app.add_flag("--trace", words.trace, "with --seed: one line an event");
  app.add_flag("--mermaid", words.mermaid, "with --seed: a Mermaid sequence diagram");
  app.add_option("--from-ms", trace.from_ms, "with --trace or --mermaid: from this time");
  app.add_option("--to-ms", trace.to_ms, "with --trace or --mermaid: up to this time");
}

void add_claims_options(CLI::App& app, ClaimsConfig& claims, Words& words) {
  auto* flag = app.add_flag("--claims", words.plays_claims,
                            "claims between parties of which some misbehave, on five nodes");
  app.add_option("--strategy", words.strategy, "with --claims: how they misbehave; default: drawn")
      ->needs(flag)
      ->check([](const std::string& name) {
        return baolian::sim::find_strategy(name) ? std::string() : "no such strategy: " + name;
      });
  app.add_option("--persons", claims.persons, "with --claims: insured persons")
      ->needs(flag)
      ->check(CLI::Range(1, 100));
}

void add_twins_options(CLI::App& app, Words& words) {
  auto* flag = app.add_flag("--twins", words.plays_twins,
                            "engines only, F validators there twice; --first-seed and --seeds "
                            "number the scenarios");
  app.add_option("--rounds", words.rounds, "with --twins: partitions in a row")
      ->needs(flag)
      ->check(CLI::Range(1, 7));
  app.add_flag("--losses", words.draws_losses, "with --twins: votes are lost, drawn by round")
      ->needs(flag);
}

int run_chosen_twins(RunOptions& run, const Words& words) {
  if (const std::string why = choose_bug(run); !why.empty()) {
    std::fprintf(stderr, "baolian-sim: %s\n", why.c_str());
    return 2;
  }
  baolian::sim_program::TwinsOptions twins;
  twins.config.validators = run.config.validators;
  twins.config.rounds = words.rounds;
  twins.config.draws_losses = words.draws_losses;
  twins.first = words.one_seed ? run.config.seed : run.seeds.first;
  twins.count = words.one_seed ? 1 : run.seeds.count;
  twins.jobs = run.jobs;
  twins.stop_at_first = run.stop_at_first;
  return baolian::sim_program::run_twins(twins);
}

int run_chosen_networks(RunOptions& run, const Words& words) {
  if (words.consensus == "raft") {
    if (words.byzantine != "drawn" && words.byzantine != "none") {
      std::fputs("baolian-sim: under Raft nobody lies; leave --byzantine out\n", stderr);
      return 2;
    }
    run.config.consensus = baolian::crypto::ConsensusKind::raft;
  }
  if ((words.trace || words.mermaid) && !words.one_seed) {
    std::fputs("baolian-sim: a trace is of one run: name it with --seed\n", stderr);
    return 2;
  }
  if (const std::string why = choose_bug(run); !why.empty()) {
    std::fprintf(stderr, "baolian-sim: %s\n", why.c_str());
    return 2;
  }
  run.config.draws_byzantine = words.byzantine == "drawn";
  run.config.byzantine = baolian::sim::find_byzantine(words.byzantine);
  run.config.conditions = baolian::sim::find_conditions(words.conditions);
  if (words.trace) run.config.trace.form = baolian::sim::TraceForm::text;
  if (words.mermaid) run.config.trace.form = baolian::sim::TraceForm::mermaid;
  run.config.trace.write = [](const std::string& line) { std::puts(line.c_str()); };
  if (run.config.cut.node >= run.config.validators + run.config.observers) {
    std::fputs("baolian-sim: --cut-node is the number of a node, from 0\n", stderr);
    return 2;
  }
  if (words.sweeps_cuts) return baolian::sim_program::sweep_cuts(run);
  return baolian::sim_program::run_networks(run);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Simulates whole networks with faults and checks the invariants."};
  app.footer(kExamples);
  RunOptions run;
  ClaimsConfig claims;
  Words words;
  add_range_options(app, run, words);
  add_trace_options(app, run, words);
  add_cut_options(app, run, words);
  add_twins_options(app, words);
  add_claims_options(app, claims, words);
  CLI11_PARSE(app, argc, argv);
  if (words.one_seed) {
    run.seeds.first = run.config.seed;
    run.seeds.count = 1;
  }
  if (words.plays_twins) return run_chosen_twins(run, words);
  if (!words.plays_claims) return run_chosen_networks(run, words);
  claims.only = baolian::sim::find_strategy(words.strategy);
  claims.liveness_ms_max = run.config.liveness_ms_max;
  if (words.sets_safety) claims.safety_ms = run.config.safety_ms;
  return run_claims(claims, run.seeds, run.quiet);
}
