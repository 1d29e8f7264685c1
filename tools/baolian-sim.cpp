// baolian-sim: whole networks in one thread, drawn from seeds (design: testing.md, "The
// simulator").
//
// A1 has no view change yet: a primary that crashes comes back, in every run.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "sim/claims_simulation.h"
#include "sim/simulation.h"

namespace {

using baolian::sim::ClaimsConfig;
using baolian::sim::SimulationConfig;
using baolian::sim::SimulationReport;

void print_report(const SimulationConfig& config, const SimulationReport& report) {
  std::printf(
      "seed %llu %s: height %llu, %llu of %llu transactions ended, %llu operations applied, "
      "%llu crashes, %llu steps, healed after %llu ms, trace %s\n",
      static_cast<unsigned long long>(config.seed), report.violation ? "VIOLATION" : "ok",
      static_cast<unsigned long long>(report.height),
      static_cast<unsigned long long>(report.settled),
      static_cast<unsigned long long>(report.submitted),
      static_cast<unsigned long long>(report.applied_operations),
      static_cast<unsigned long long>(report.crashes),
      static_cast<unsigned long long>(report.steps),
      static_cast<unsigned long long>(report.healed_after_ms),
      report.trace_hash.hex().substr(0, 16).c_str());
  if (!report.violation) return;
  std::printf("  %s\n  drawn: %s\n  repeat: %s\n", report.violation->c_str(),
              report.options.c_str(), baolian::sim::repeating_command(config).c_str());
}

struct Totals {
  std::uint64_t runs = 0;
  std::uint64_t violations = 0;
  std::uint64_t virtual_ms = 0;
  std::uint64_t transactions = 0;
  std::uint64_t crashes = 0;
};

struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t count = 1;
  bool quiet = false;
};

int run_networks(SimulationConfig config, const Seeds& seeds) {
  Totals totals;
  for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    config.seed = seed;
    const SimulationReport report = baolian::sim::simulate(config);
    ++totals.runs;
    totals.virtual_ms += report.virtual_ms;
    totals.transactions += report.settled;
    totals.crashes += report.crashes;
    if (report.violation) ++totals.violations;
    if (!seeds.quiet || report.violation) print_report(config, report);
    std::fflush(stdout);
  }
  std::printf(
      "%llu runs, %llu violations, %llu s of virtual time, %llu transactions, %llu crashes\n",
      static_cast<unsigned long long>(totals.runs),
      static_cast<unsigned long long>(totals.violations),
      static_cast<unsigned long long>(totals.virtual_ms / 1000),
      static_cast<unsigned long long>(totals.transactions),
      static_cast<unsigned long long>(totals.crashes));
  return totals.violations == 0 ? 0 : 1;
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

int run_claims(ClaimsConfig config, const Seeds& seeds) {
  std::uint64_t violations = 0;
  std::uint64_t claims = 0;
  baolian::sim::ClaimTally seen;
  for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    config.seed = seed;
    const auto report = baolian::sim::simulate_claims(config);
    if (report.violation) ++violations;
    claims += report.claims;
    seen.add(report.tally);
    if (!seeds.quiet || report.violation) print_claims(config, report);
    std::fflush(stdout);
  }
  std::printf("%llu runs, %llu violations, %llu claims; seen: %s\n",
              static_cast<unsigned long long>(seeds.count),
              static_cast<unsigned long long>(violations), static_cast<unsigned long long>(claims),
              baolian::sim::tally_text(seen).c_str());
  return violations == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Simulates whole networks with faults and checks the invariants."};
  SimulationConfig config;
  ClaimsConfig claims;
  Seeds seeds;
  std::string strategy;
  bool plays_claims = false;
  auto* one = app.add_option("--seed", config.seed, "run this seed only");
  app.add_option("--first-seed", seeds.first, "first of many seeds")->excludes(one);
  app.add_option("--seeds", seeds.count, "how many seeds to run")->excludes(one);
  app.add_option("--nodes", config.validators, "validators")->check(CLI::Range(1, 31));
  app.add_option("--observers", config.observers, "observers")->check(CLI::Range(0, 16));
  auto* safety = app.add_option("--safety-ms", config.safety_ms, "virtual ms with faults");
  app.add_option("--liveness-ms", config.liveness_ms_max,
                 "virtual ms in which everything must end afterwards");
  auto* flag = app.add_flag("--claims", plays_claims,
                            "claims between parties of which some misbehave, on five nodes");
  app.add_option("--strategy", strategy, "with --claims: how they misbehave; default: drawn")
      ->needs(flag)
      ->check(CLI::Validator(
          [](const std::string& name) {
            return baolian::sim::find_strategy(name) ? std::string() : "no such strategy";
          },
          "STRATEGY"));
  app.add_option("--persons", claims.persons, "with --claims: insured persons")
      ->needs(flag)
      ->check(CLI::Range(1, 100));
  app.add_flag("--quiet", seeds.quiet, "print violations and the summary only");
  CLI11_PARSE(app, argc, argv);
  if (one->count() > 0) {
    seeds.first = config.seed;
    seeds.count = 1;
  }
  if (!plays_claims) return run_networks(config, seeds);
  claims.only = baolian::sim::find_strategy(strategy);
  claims.liveness_ms_max = config.liveness_ms_max;
  if (safety->count() > 0) claims.safety_ms = config.safety_ms;
  return run_claims(claims, seeds);
}
