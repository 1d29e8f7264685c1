#include "sim/simulation.h"

#include <algorithm>
#include <string>
#include <vector>

#include "sim/byzantine.h"
#include "support/catch.h"

namespace baolian::sim {
namespace {

/// Under a sanitizer a seed takes ten times as long; what it looks for shows in the first ones.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
constexpr std::uint64_t kSeeds = 5;
constexpr std::uint64_t kSeedsOfStrategy = 1;
#else
constexpr bool kSanitized = false;
constexpr std::uint64_t kSeeds = 50;
constexpr std::uint64_t kSeedsOfStrategy = 4;
#endif

SimulationConfig short_life(std::uint64_t seed) {
  SimulationConfig config;
  config.seed = seed;
  config.safety_ms = 6'000;
  return config;
}

SimulationReport require_clean(const SimulationConfig& config) {
  const SimulationReport report = simulate(config);
  INFO("repeat with: " << repeating_command(config));
  INFO("drawn: " << report.options);
  const std::string violation = report.violation.value_or("");
  CHECK(violation.empty());
  CHECK(report.height > 0);
  CHECK(report.submitted > 0);
  CHECK(report.settled == report.submitted);
  return report;
}

TEST_CASE("sim: a range of seeds of four validators and an observer keeps every invariant",
          "[sim]") {
  std::uint64_t views = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    views += require_clean(short_life(seed)).highest_view;
  }
  CHECK(views > 0);  // primaries were replaced
}

TEST_CASE("sim: other sizes of network keep every invariant", "[sim]") {
  const std::vector<std::pair<std::size_t, std::size_t>> sizes = {
      {1, 0}, {1, 2}, {2, 0}, {6, 1}, {7, 2}};
  std::uint64_t seed = 101;
  for (const auto& [validators, observers] : sizes) {
    SimulationConfig config = short_life(seed++);
    config.validators = validators;
    config.observers = observers;
    require_clean(config);
  }
}

TEST_CASE("sim: F nodes of every Byzantine strategy break no invariant", "[sim]") {
  std::uint64_t seed = 201;
  for (const std::string_view name : kByzantineNames) {
    for (std::uint64_t i = 0; i < kSeedsOfStrategy; ++i) {
      SimulationConfig config = short_life(seed++);
      config.byzantine = find_byzantine(name);
      if (kSanitized) config.safety_ms = 2'000;
      require_clean(config);
    }
  }
}

TEST_CASE("sim: calm and impatient networks keep every invariant, and repeat", "[sim]") {
  std::uint64_t seed = 401;
  for (const Conditions conditions : {Conditions::calm, Conditions::impatient}) {
    for (std::uint64_t i = 0; i < kSeedsOfStrategy; ++i) {
      SimulationConfig config = short_life(seed++);
      config.conditions = conditions;
      if (kSanitized) config.safety_ms = 2'000;
      const SimulationReport report = require_clean(config);
      // Nothing can be prepared before the timers have grown (V9).
      if (conditions == Conditions::impatient) CHECK(report.highest_view > 0);
      if (i == 0) CHECK(simulate(config).trace_hash == report.trace_hash);
    }
  }
}

TEST_CASE("sim: the same seed twice gives the same trace", "[sim]") {
  for (std::uint64_t seed = 7; seed <= (kSanitized ? 7U : 9U); ++seed) {
    const SimulationReport a = simulate(short_life(seed));
    const SimulationReport b = simulate(short_life(seed));
    CHECK(a.trace_hash == b.trace_hash);
    CHECK(a.steps == b.steps);
    CHECK(a.height == b.height);
  }
  if (!kSanitized) {
    CHECK(simulate(short_life(7)).trace_hash != simulate(short_life(8)).trace_hash);
  }
}

TEST_CASE("sim: a trace that is written changes nothing", "[sim]") {
  SimulationConfig config = short_life(7);
  config.safety_ms = 1'000;
  const Hash plain = simulate(config).trace_hash;
  std::vector<std::string> lines;
  config.trace.form = TraceForm::text;
  config.trace.write = [&](const std::string& line) { lines.push_back(line); };
  CHECK(simulate(config).trace_hash == plain);
  CHECK(std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("PRE-PREPARE v0 h1 ") != std::string::npos;
  }));
  lines.clear();
  config.trace.form = TraceForm::mermaid;
  CHECK(simulate(config).trace_hash == plain);
  REQUIRE_FALSE(lines.empty());
  CHECK(lines.front() == "sequenceDiagram");
}

TEST_CASE("sim: a disk whose sync lies is noticed", "[sim]") {
  if (kSanitized) return;  // a statement about the checkers and not about memory
  std::size_t noticed = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SimulationConfig config = short_life(seed);
    config.disk = DiskHonesty::lying;
    if (simulate(config).violation) ++noticed;
  }
  CHECK(noticed >= 3);
}

TEST_CASE("sim: validators come and go, and every epoch begins where the one before ended",
          "[sim][epoch]") {
  std::uint64_t epochs = 0;
  for (std::uint64_t seed = 1; seed <= (kSanitized ? 3U : 8U); ++seed) {
    CAPTURE(seed);
    SimulationConfig config = short_life(seed);
    config.epochs = 3;
    config.safety_ms = 20'000;
    const SimulationReport report = simulate(config);
    CHECK_FALSE(report.violation.has_value());
    CHECK(simulate(config).trace_hash == report.trace_hash);
    epochs += report.epoch;
  }
  CHECK(epochs >= (kSanitized ? 1U : 4U));
}

TEST_CASE("sim: the power may go at every step of what a node writes", "[sim][crash]") {
  for (const auto consensus : {crypto::ConsensusKind::pbft, crypto::ConsensusKind::raft}) {
    SimulationConfig config = short_life(3);
    config.consensus = consensus;
    config.conditions = Conditions::calm;
    config.draws_byzantine = false;
    config.epochs = 0;
    config.safety_ms = 400;
    const std::uint64_t steps = require_clean(config).write_steps;
    REQUIRE(steps > 20);
    const std::uint64_t stride = kSanitized ? 1 + steps / 6 : 1 + steps / 60;
    for (config.cut.step = 1; config.cut.step <= steps; config.cut.step += stride) {
      require_clean(config);
    }
  }
}

TEST_CASE("sim: operations of real contracts are applied at the rate that is promised", "[sim]") {
  SimulationConfig config = short_life(3);
  config.draws_byzantine = false;
  const SimulationReport report = simulate(config);
  CHECK(report.applied_operations >= 20 * config.safety_ms / 1000);
}

}  // namespace
}  // namespace baolian::sim
