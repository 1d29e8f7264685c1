#include "sim/twins_runs.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <vector>

namespace baolian::sim_program {
namespace {

struct Totals {
  std::uint64_t scenarios = 0;
  std::uint64_t violations = 0;
  std::uint64_t changed_view = 0;  // scenarios in which a correct instance changed the view
  std::uint64_t decided = 0;       // ... executed a height
  std::uint64_t found_out = 0;     // ... found a contradiction of the twins
  std::uint64_t messages = 0;
  std::uint64_t highest_view = 0;
};

// For the report of an ASSERT, which ends the process.
volatile std::uint64_t playing = 0;

void on_abort(int) {
  char text[96];
  const int size = std::snprintf(text, sizeof text, "ASSERT in twins scenario %llu\n",
                                 static_cast<unsigned long long>(playing));
  static_cast<void>(::write(STDOUT_FILENO, text, static_cast<std::size_t>(size)));
  std::signal(SIGABRT, SIG_DFL);
}

std::string command_of(const TwinsOptions& options, std::uint64_t number) {
  return fmt::format("baolian-sim --twins --first-seed {} --seeds 1 --nodes {} --rounds {}{}",
                     number, options.config.validators, options.config.rounds,
                     options.config.draws_losses ? " --losses" : "");
}

Totals play_range(const TwinsOptions& options, std::uint64_t first, std::uint64_t step) {
  std::signal(SIGABRT, on_abort);
  Totals out;
  const std::uint64_t all = sim::twins_scenarios(options.config);
  const std::uint64_t end = options.first + options.count;
  for (std::uint64_t number = first; number < end && number < all; number += step) {
    playing = number;
    const sim::TwinsScenario scenario = sim::twins_scenario(options.config, number);
    const sim::TwinsReport report = sim::play_twins(options.config, scenario);
    ++out.scenarios;
    out.messages += report.messages;
    if (report.view > 0) ++out.changed_view;
    if (report.height > 0) ++out.decided;
    if (report.evidence > 0) ++out.found_out;
    out.highest_view = std::max(out.highest_view, report.view);
    if (!report.violation) continue;
    ++out.violations;
    fmt::print("scenario {} VIOLATION\n  {}\n  {}\n  repeat: {}\n", number, *report.violation,
               sim::describe(scenario), command_of(options, number));
    std::fflush(stdout);
    if (options.stop_at_first) break;
  }
  return out;
}

void add(Totals& sum, const Totals& one) {
  sum.scenarios += one.scenarios;
  sum.violations += one.violations;
  sum.changed_view += one.changed_view;
  sum.decided += one.decided;
  sum.found_out += one.found_out;
  sum.messages += one.messages;
  sum.highest_view = std::max(sum.highest_view, one.highest_view);
}

// One child a job; each plays every jobs-th scenario and tells its totals through a pipe.
Totals play_in_children(const TwinsOptions& options) {
  struct Child {
    pid_t process = 0;
    int pipe = -1;
  };
  std::vector<Child> children;
  for (std::uint64_t job = 0; job < options.jobs; ++job) {
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) break;
    const pid_t process = ::fork();
    if (process == 0) {
      const Totals totals = play_range(options, options.first + job, options.jobs);
      const bool told = ::write(ends[1], &totals, sizeof totals) == sizeof totals;
      std::_Exit(told ? 0 : 1);
    }
    ::close(ends[1]);
    children.push_back({process, ends[0]});
  }
  Totals sum;
  for (const Child& child : children) {
    Totals one;
    const bool told = ::read(child.pipe, &one, sizeof one) == sizeof one;
    if (!told) one.violations = 1;  // it failed an ASSERT and has said where
    add(sum, one);
    ::close(child.pipe);
    ::waitpid(child.process, nullptr, 0);
  }
  return sum;
}

}  // namespace

int run_twins(const TwinsOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  std::fflush(stdout);
  const Totals totals = play_in_children(options);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  fmt::print(
      "{} twins scenarios of {} (n = {}, {} rounds), {} violations; {} changed the view, {} "
      "executed, {} found the twins out; highest view {}, {} messages, {:.1f} s, {:.0f} "
      "scenarios/s\n",
      totals.scenarios, sim::twins_scenarios(options.config), options.config.validators,
      options.config.rounds, totals.violations, totals.changed_view, totals.decided,
      totals.found_out, totals.highest_view, totals.messages, seconds,
      static_cast<double>(totals.scenarios) / std::max(seconds, 0.001));
  return totals.violations == 0 ? 0 : 1;
}

}  // namespace baolian::sim_program
