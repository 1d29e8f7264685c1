// baolian-sim: whole networks in one thread, drawn from seeds (design: testing.md, "The
// simulator").
//
// A1 has no view change yet: a primary that crashes comes back, in every run.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "sim/simulation.h"

namespace {

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

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Simulates whole networks with faults and checks the invariants."};
  SimulationConfig config;
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 1;
  bool quiet = false;
  auto* one = app.add_option("--seed", config.seed, "run this seed only");
  app.add_option("--first-seed", first_seed, "first of many seeds")->excludes(one);
  app.add_option("--seeds", seeds, "how many seeds to run")->excludes(one);
  app.add_option("--nodes", config.validators, "validators")->check(CLI::Range(1, 31));
  app.add_option("--observers", config.observers, "observers")->check(CLI::Range(0, 16));
  app.add_option("--safety-ms", config.safety_ms, "virtual ms with faults");
  app.add_option("--liveness-ms", config.liveness_ms_max,
                 "virtual ms in which everything must end afterwards");
  app.add_flag("--quiet", quiet, "print violations and the summary only");
  CLI11_PARSE(app, argc, argv);
  if (one->count() > 0) {
    first_seed = config.seed;
    seeds = 1;
  }

  Totals totals;
  for (std::uint64_t seed = first_seed; seed < first_seed + seeds; ++seed) {
    config.seed = seed;
    const SimulationReport report = baolian::sim::simulate(config);
    ++totals.runs;
    totals.virtual_ms += report.virtual_ms;
    totals.transactions += report.settled;
    totals.crashes += report.crashes;
    if (report.violation) ++totals.violations;
    if (!quiet || report.violation) print_report(config, report);
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
