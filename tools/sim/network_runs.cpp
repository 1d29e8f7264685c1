#include "sim/network_runs.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "core/codec.h"
#include "sim/probe_list.h"

namespace baolian::sim_program {

namespace {

using consensus::Probe;
using sim::SimulationConfig;
using sim::SimulationReport;

// What a seed's process tells its parent. A process that says nothing has failed an ASSERT.
struct Outcome {
  static constexpr std::string_view kTypeName = "Outcome";
  bool violated = false;
  std::uint64_t virtual_ms = 0;
  std::uint64_t steps = 0;
  std::uint64_t operations = 0;
  std::uint64_t submitted_ms = 0;
  std::uint64_t real_us = 0;
  std::uint64_t messages = 0;
  std::string text;
  std::vector<std::uint64_t> probes;
  std::vector<std::uint64_t> costs;

  static constexpr auto fields() {
    return field_list(field("violated", &Outcome::violated, "an invariant was broken"),
                      field("virtual_ms", &Outcome::virtual_ms, "simulated time"),
                      field("steps", &Outcome::steps, "events"),
                      field("operations", &Outcome::operations, "applied operations"),
                      field("submitted_ms", &Outcome::submitted_ms, "time with load"),
                      field("real_us", &Outcome::real_us, "processor time"),
                      field("messages", &Outcome::messages, "on the network"),
                      field("text", &Outcome::text, at_most(1U << 20), "for people"),
                      field("probes", &Outcome::probes, at_most(1024), "counts of probes"),
                      field("costs", &Outcome::costs, at_most(1024), "see flat()"));
  }
};

// Costs as a list, to be added up over seeds: blocks, ms, signature checks, then messages and bytes
// of each kind.
std::vector<std::uint64_t> flat(const sim::Costs& costs) {
  std::vector<std::uint64_t> out = {costs.blocks, costs.virtual_ms, costs.signature_checks};
  for (const auto& one : costs.sent) {
    out.push_back(one.messages);
    out.push_back(one.bytes);
  }
  return out;
}

void add_up(std::vector<std::uint64_t>& sum, const std::vector<std::uint64_t>& more) {
  if (sum.size() < more.size()) sum.resize(more.size());
  for (std::size_t i = 0; i < more.size(); ++i) sum[i] += more[i];
}

// The table of --costs. `sum` is flat() over all seeds.
std::string costs_text(const std::vector<std::uint64_t>& sum, std::size_t validators) {
  if (sum.size() < 3 || sum[0] == 0) return "no block: no costs\n";
  const auto blocks = static_cast<double>(sum[0]);
  const double seconds = static_cast<double>(sum[1]) / 1000;
  std::string out = fmt::format(
      "{} validators, {} blocks, {:.1f} blocks/s; per block, sent by all nodes:\n"
      "{:<16} {:>10} {:>12}\n",
      validators, sum[0], blocks / seconds, "kind", "messages", "bytes");
  constexpr auto kNames = enum_names(consensus::MessageKind{});
  std::uint64_t status_messages = 0;
  std::uint64_t status_bytes = 0;
  for (std::size_t kind = 0; kind < kNames.size(); ++kind) {
    const std::uint64_t messages = sum[3 + 2 * kind];
    const std::uint64_t bytes = sum[4 + 2 * kind];
    if (messages == 0) continue;
    if (kind == static_cast<std::size_t>(consensus::MessageKind::status)) {
      status_messages = messages;
      status_bytes = bytes;
      continue;  // by time, not by block
    }
    out += fmt::format("{:<16} {:>10.1f} {:>12.0f}\n", kind == 0 ? "(pool)" : kNames[kind],
                       static_cast<double>(messages) / blocks, static_cast<double>(bytes) / blocks);
  }
  out += fmt::format("status, a second: {:.1f} messages, {:.0f} bytes\n",
                     static_cast<double>(status_messages) / seconds,
                     static_cast<double>(status_bytes) / seconds);
  const double checks = static_cast<double>(sum[2]) - static_cast<double>(status_messages);
  return out + fmt::format(
                   "signature checks a block and validator, without those of status: "
                   "{:.1f}\n",
                   checks / blocks / static_cast<double>(validators));
}

// What the run of this number is: of a seed, or of a step of one seed.
SimulationConfig config_of(const RunOptions& options, std::uint64_t number) {
  SimulationConfig config = options.config;
  (options.sweeps_cuts ? config.cut.step : config.seed) = number;
  return config;
}

std::string_view numbered(const RunOptions& options) {
  return options.sweeps_cuts ? "step" : "seed";
}

std::string command_of(const RunOptions& options, std::uint64_t number) {
  std::string out = sim::repeating_command(config_of(options, number));
  const bool named = out.find("--bug") != std::string::npos;
  if (!options.bug.empty() && !named) out += " --bug " + options.bug;
  return out;
}

std::string text_of(const RunOptions& options, std::uint64_t number,
                    const SimulationReport& report) {
  std::string out = fmt::format(
      "{} {} {}: height {}, view {}, epoch {}, {} of {} transactions ended, {} operations, {} "
      "crashes, "
      "{} bans, {} steps, ended after {} ms, trace {}\n",
      numbered(options), number, report.violation ? "VIOLATION" : "ok", report.height,
      report.highest_view, report.epoch, report.settled, report.submitted,
      report.applied_operations, report.crashes, report.bans, report.steps, report.healed_after_ms,
      report.trace_hash.hex().substr(0, 16));
  if (report.violation) out += fmt::format("  {}\n", *report.violation);
  if (report.violation || options.seeds.count == 1) {
    out += fmt::format("  drawn: {}\n  repeat: {}\n", report.options, command_of(options, number));
  }
  return out;
}

Outcome run_one(const RunOptions& options, std::uint64_t number) {
  const SimulationConfig config = config_of(options, number);
  const std::clock_t begin = std::clock();
  const SimulationReport report = sim::simulate(config);
  Outcome out;
  out.real_us = static_cast<std::uint64_t>(std::clock() - begin) * 1'000'000 / CLOCKS_PER_SEC;
  out.violated = report.violation.has_value();
  out.virtual_ms = report.virtual_ms;
  out.submitted_ms = std::min(report.virtual_ms, config.safety_ms);
  out.steps = report.steps;
  out.messages = report.messages;
  out.operations = report.applied_operations;
  out.text = text_of(options, number, report);
  if (config.counts_costs) out.costs = flat(report.costs);
  for (std::size_t i = 0; i < static_cast<std::size_t>(Probe::kCount); ++i) {
    out.probes.push_back(report.probes[static_cast<Probe>(i)]);
  }
  return out;
}

void write_all(int file, const Bytes& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t wrote = ::write(file, bytes.data() + at, bytes.size() - at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    at += static_cast<std::size_t>(wrote);
  }
}

Bytes read_all(int file) {
  Bytes out;
  std::uint8_t buffer[4096];
  while (true) {
    const ssize_t got = ::read(file, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return out;
    out.insert(out.end(), buffer, buffer + got);
  }
}

struct Totals {
  std::uint64_t runs = 0;
  std::uint64_t violations = 0;
  std::uint64_t virtual_ms = 0;
  std::uint64_t submitted_ms = 0;
  std::uint64_t operations = 0;
  std::uint64_t steps = 0;
  std::uint64_t messages = 0;
  std::uint64_t real_us = 0;
  std::vector<std::uint64_t> probes =
      std::vector<std::uint64_t>(static_cast<std::size_t>(Probe::kCount));
  std::vector<std::uint64_t> costs;
};

// One child a seed: an ASSERT ends that seed alone, and memory is given back whole.
class Runs {
 public:
  explicit Runs(const RunOptions& options) : options_(options) {}

  int run() {
    const auto begin = std::chrono::steady_clock::now();
    const std::uint64_t end = options_.seeds.first + options_.seeds.count;
    std::uint64_t next = options_.seeds.first;
    while (next < end || !children_.empty()) {
      const bool stops = options_.stop_at_first && totals_.violations > 0;
      if (stops && children_.empty()) break;
      if (!stops && next < end && children_.size() < options_.jobs) {
        start(next++);
      } else {
        finish_one();
        show_progress();
      }
      if (stops) next = end;
    }
    clear_progress();
    const std::chrono::duration<double> real = std::chrono::steady_clock::now() - begin;
    return summarize(real.count());
  }

 private:
  struct Child {
    pid_t process = 0;
    int pipe = -1;
    std::uint64_t number = 0;
  };

  void start(std::uint64_t number) {
    int ends[2] = {-1, -1};
    if (options_.seeds.count == 1) return take(run_one(options_, number));
    if (::pipe(ends) != 0) return take(run_one(options_, number));
    std::fflush(stdout);
    const pid_t process = ::fork();
    if (process == 0) {
      ::close(ends[0]);
      write_all(ends[1], encode(run_one(options_, number)));
      ::_exit(0);
    }
    ::close(ends[1]);
    if (process < 0) {
      ::close(ends[0]);
      return take(run_one(options_, number));
    }
    children_.push_back({process, ends[0], number});
  }

  // The oldest child: results come in the order of the seeds.
  void finish_one() {
    if (children_.empty()) return;
    const Child child = children_.front();
    children_.erase(children_.begin());
    const auto outcome = decode<Outcome>(read_all(child.pipe));
    ::close(child.pipe);
    int status = 0;
    while (::waitpid(child.process, &status, 0) < 0 && errno == EINTR) {
    }
    if (outcome) return take(*outcome);
    Outcome dead;
    dead.violated = true;
    dead.text = fmt::format(
        "{} {} VIOLATION: the process ended by signal {} (a failed ASSERT stands above)\n"
        "  repeat: {}\n",
        numbered(options_), child.number, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        command_of(options_, child.number));
    take(dead);
  }

  void take(const Outcome& outcome) {
    ++totals_.runs;
    totals_.violations += outcome.violated ? 1U : 0U;
    totals_.virtual_ms += outcome.virtual_ms;
    totals_.submitted_ms += outcome.submitted_ms;
    totals_.operations += outcome.operations;
    totals_.steps += outcome.steps;
    totals_.messages += outcome.messages;
    totals_.real_us += outcome.real_us;
    for (std::size_t i = 0; i < outcome.probes.size() && i < totals_.probes.size(); ++i) {
      totals_.probes[i] += outcome.probes[i];
    }
    add_up(totals_.costs, outcome.costs);
    if (options_.quiet && !outcome.violated) return;
    clear_progress();
    std::fputs(outcome.text.c_str(), stdout);
    std::fflush(stdout);
  }

  void show_progress() {
    if (options_.seeds.count < 20 || ::isatty(STDERR_FILENO) == 0) return;
    constexpr std::uint64_t kWidth = 40;
    const std::uint64_t filled = totals_.runs * kWidth / options_.seeds.count;
    std::fputs(
        fmt::format("\r[{:#<{}}{:.<{}}] {}/{} {}s, {} violations ", "", filled, "", kWidth - filled,
                    totals_.runs, options_.seeds.count, numbered(options_), totals_.violations)
            .c_str(),
        stderr);
    std::fflush(stderr);
    progress_shown_ = true;
  }
  void clear_progress() {
    if (!progress_shown_) return;
    std::fputs("\r\033[K", stderr);
    progress_shown_ = false;
  }

  int summarize(double real_seconds) const {
    std::string missed;
    std::size_t hit = 0;
    const auto wanted = sim::wanted_probes(options_.config.consensus);
    for (const Probe probe : wanted) {
      if (totals_.probes[static_cast<std::size_t>(probe)] > 0) {
        ++hit;
      } else {
        missed += (missed.empty() ? "" : " ") + std::string(enum_name(probe));
      }
    }
    if (!missed.empty()) std::printf("probes never hit: %s\n", missed.c_str());
    const double processor_seconds = static_cast<double>(totals_.real_us) / 1e6;
    const double virtual_seconds = static_cast<double>(totals_.virtual_ms) / 1e3;
    const double load_seconds = static_cast<double>(totals_.submitted_ms) / 1e3;
    std::fputs(
        fmt::format("{} {}s, {:.2f} simulated hours, {} violations, probes hit {}/{}, {} steps, "
                    "{:.1f} operations/s, {:.1f} s, simulated:real {:.0f}:1 per core\n",
                    totals_.runs, numbered(options_), virtual_seconds / 3600, totals_.violations,
                    hit, wanted.size(), totals_.steps,
                    load_seconds > 0 ? static_cast<double>(totals_.operations) / load_seconds : 0,
                    real_seconds, processor_seconds > 0 ? virtual_seconds / processor_seconds : 0)
            .c_str(),
        stdout);
    if (options_.config.counts_costs) {
      std::fputs(costs_text(totals_.costs, options_.config.validators).c_str(), stdout);
    }
    if (totals_.violations > 0) return 1;
    return options_.require_probes && !missed.empty() ? 1 : 0;
  }

  const RunOptions& options_;
  Totals totals_;
  std::vector<Child> children_;
  bool progress_shown_ = false;
};

}  // namespace

int run_networks(const RunOptions& options) { return Runs(options).run(); }

int sweep_cuts(RunOptions options) {
  options.config.cut.step = 0;
  const SimulationReport whole = sim::simulate(options.config);
  if (whole.violation || whole.write_steps == 0) {
    std::printf("the run without a cut is of no use: %s\n",
                whole.violation ? whole.violation->c_str() : "the node writes nothing");
    return 1;
  }
  options.sweeps_cuts = true;
  options.seeds = {1, whole.write_steps};
  return run_networks(options);
}

}  // namespace baolian::sim_program
