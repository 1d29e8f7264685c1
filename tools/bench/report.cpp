#include "bench/report.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <thread>

#include "bench/api_work.h"
#include "bench/jrt0193.h"
#include "ledger/stage_times.h"
#include "node/version.h"

namespace baolian::bench {
namespace {

using nlohmann::json;

double rounded(double value, int digits) {
  const double scale = std::pow(10.0, digits);
  return std::round(value * scale) / scale;
}

/// Latencies of those that were due in the measured time, by operation, ascending.
class Latencies {
 public:
  Latencies(const Measured& measured, const Tally& tally) {
    for (const Sample& sample : tally.samples) {
      if (sample.due_us < measured.from_us || sample.due_us >= measured.to_us) continue;
      values_.emplace_back(sample.done_us - sample.due_us, sample.operations);
      operations_ += sample.operations;
    }
    std::sort(values_.begin(), values_.end());
  }

  /// Nearest rank over operations; a transaction's are all as late as it is.
  double percentile_ms(double percent) const {
    const auto rank =
        static_cast<std::uint64_t>(std::ceil(percent / 100 * static_cast<double>(operations_)));
    std::uint64_t passed = 0;
    for (const auto& [us, operations] : values_) {
      passed += operations;
      if (passed >= rank) return rounded(static_cast<double>(us) / 1000, 2);
    }
    return 0;
  }

 private:
  std::vector<std::pair<std::uint64_t, std::uint32_t>> values_;
  std::uint64_t operations_ = 0;
};

/// Operations whose certified outcome came within a time.
double operations_within(const Tally& tally, std::uint64_t from_us, std::uint64_t to_us) {
  std::uint64_t out = 0;
  for (const Sample& sample : tally.samples) {
    if (sample.done_us >= from_us && sample.done_us < to_us) out += sample.operations;
  }
  return static_cast<double>(out);
}

/// What the nodes did between the two readings of their figures, the background with it; at
/// least 1.
double operations_watched(const Measured& measured) {
  const std::uint64_t from_us = measured.before.at_us;
  const std::uint64_t to_us = measured.after.at_us;
  return std::max(1.0, operations_within(measured.tally, from_us, to_us) +
                           operations_within(measured.background, from_us, to_us));
}

json machine() {
  utsname system{};
  ::uname(&system);
  std::string model = "unknown";
  std::ifstream cpus("/proc/cpuinfo");
  for (std::string line; std::getline(cpus, line);) {
    if (!line.starts_with("model name")) continue;
    model = line.substr(line.find(':') + 2);
    break;
  }
  double load = 0;
  std::ifstream("/proc/loadavg") >> load;
  return {{"cores", std::thread::hardware_concurrency()},
          {"cpu", model},
          {"kernel", system.release},
          {"load_average_at_the_end", load}};
}

/// What is counted.
std::string operation_name(const std::string& workload) {
  if (workload == "paid") return "claims paid";
  if (workload == "enrolment") return "persons enrolled";
  return "certified operations";
}

/// Whether clients sign transactions; otherwise nodes do, and batch as they will.
bool signs_itself(const Settings& settings) {
  return !is_api_workload(settings.workload) || settings.background_rate > 0;
}

json settings_json(const Settings& settings) {
  return {{"workload", settings.workload},
          {"network", settings.network.empty() ? json(nullptr) : json(settings.network)},
          {"validators", settings.validators},
          {"observers", settings.observers},
          {"consensus", std::string(enum_name(settings.consensus))},
          {"ops_per_tx", signs_itself(settings) ? json(settings.ops_per_tx) : json(nullptr)},
          {"tx_per_call", settings.tx_per_call},
          {"persons_per_call",
           settings.workload == "enrolment" ? json(settings.persons_per_call) : json(nullptr)},
          {"clients", settings.clients},
          {"rate_per_s", settings.rate_per_s},
          {"background_rate", settings.background_rate},
          {"overload", settings.overload},
          {"fault", fault_name(settings.fault)},
          {"delay_ms", is_slow(settings.fault) ? settings.delay_ms : 0},
          {"warm_up_s", settings.warm_up_s},
          {"duration_s", settings.duration_s},
          {"records", settings.records},
          {"subjects", settings.subjects},
          {"other_records", settings.other_records},
          {"seed", settings.seed}};
}

/// What happened between one moment and the next.
json timeline_json(const std::vector<Moment>& moments) {
  json out = json::array();
  for (std::size_t i = 1; i < moments.size(); ++i) {
    const double seconds = static_cast<double>(moments[i].at_us - moments[i - 1].at_us) / 1e6;
    const auto operations = static_cast<double>(moments[i].certified - moments[i - 1].certified);
    out.push_back({{"at_s", rounded(static_cast<double>(moments[i].at_us) / 1e6, 1)},
                   {"ops_per_s", rounded(operations / seconds, 1)},
                   {"rss_all_nodes_mib", moments[i].rss_bytes >> 20}});
  }
  return out;
}

/// How much more, in percent, there is in the last minute than in the second measured one; null if
/// the time is too short to tell.
json drift_json(const Measured& measured) {
  constexpr std::uint64_t kMinuteUs = 60'000'000;
  if (measured.to_us - measured.from_us < 3 * kMinuteUs) return nullptr;
  struct Mean {
    double rate = 0;
    double rss = 0;
  };
  const auto mean_from = [&](std::uint64_t from_us) {
    Mean out;
    const Moment* first = nullptr;
    std::size_t count = 0;
    for (const Moment& one : measured.timeline) {
      if (one.at_us < from_us || one.at_us > from_us + kMinuteUs) continue;
      if (first == nullptr) first = &one;
      out.rate = static_cast<double>(one.certified - first->certified) /
                 static_cast<double>(std::max<std::uint64_t>(1, one.at_us - first->at_us));
      out.rss += static_cast<double>(one.rss_bytes);
      ++count;
    }
    out.rss /= static_cast<double>(std::max<std::size_t>(1, count));
    return out;
  };
  const Mean early = mean_from(measured.from_us + kMinuteUs);
  const Mean late = mean_from(measured.to_us - kMinuteUs);
  return {{"ops_percent", rounded(100 * (late.rate / early.rate - 1), 2)},
          {"rss_percent", rounded(100 * (late.rss / early.rss - 1), 2)}};
}

/// Where the nodes' time goes: all nodes together, by the names of threads, most first.
json threads_json(const Measured& measured) {
  const double operations = operations_watched(measured);
  std::map<std::string, double> total_s;
  for (std::size_t i = 0; i < measured.after.nodes.size(); ++i) {
    for (const auto& [name, cpu_s] : measured.after.nodes[i].thread_cpu_s) total_s[name] += cpu_s;
    for (const auto& [name, cpu_s] : measured.before.nodes[i].thread_cpu_s) total_s[name] -= cpu_s;
  }
  std::vector<std::pair<double, std::string>> order;
  for (const auto& [name, cpu_s] : total_s) order.emplace_back(cpu_s * 1e6 / operations, name);
  std::sort(order.rbegin(), order.rend());
  json out = json::array();
  for (const auto& [us, name] : order) {
    if (rounded(us, 2) > 0) out.push_back({{"thread", name}, {"cpu_us_per_op", rounded(us, 2)}});
  }
  return out;
}

/// The executor's part of that, by what it does for a block.
json stages_json(const Measured& measured) {
  const double operations = operations_watched(measured);
  json out = json::array();
  for (std::size_t i = 0; i < ledger::kStageCount; ++i) {
    const std::string name(enum_name(static_cast<ledger::Stage>(i)));
    double us = 0;
    for (std::size_t node = 0; node < measured.after.nodes.size(); ++node) {
      us += static_cast<double>(measured.after.nodes[node].executor_us.at(name) -
                                measured.before.nodes[node].executor_us.at(name));
    }
    out.push_back({{"stage", name}, {"cpu_us_per_op", rounded(us / operations, 2)}});
  }
  return out;
}

json nodes_json(const Measured& measured) {
  json out = json::array();
  const std::uint64_t from_us = measured.before.at_us;
  const std::uint64_t to_us = measured.after.at_us;
  const double seconds = static_cast<double>(to_us - from_us) / 1e6;
  const double operations = operations_watched(measured);
  for (std::size_t i = 0; i < measured.after.nodes.size(); ++i) {
    const NodeFigures& before = measured.before.nodes[i];
    const NodeFigures& after = measured.after.nodes[i];
    const double cpu_s = after.cpu_s - before.cpu_s;
    const auto grown =
        static_cast<double>(after.disk_bytes) - static_cast<double>(before.disk_bytes);
    const auto syncs = static_cast<double>(after.log_syncs - before.log_syncs);
    out.push_back({{"name", after.name},
                   {"cpu_cores", rounded(cpu_s / seconds, 3)},
                   {"cpu_us_per_op", rounded(cpu_s * 1e6 / operations, 2)},
                   {"rss_mib", after.rss_bytes >> 20},
                   {"rss_before_mib", before.rss_bytes >> 20},
                   {"rss_max_mib", after.rss_max_bytes >> 20},
                   {"disk_bytes_per_op", rounded(grown / operations, 1)},
                   {"fsyncs_per_s", rounded(syncs / seconds, 1)},
                   {"view", after.view}});
  }
  return out;
}

/// null without one.
json background_json(const Settings& settings, const Measured& measured) {
  if (settings.background_rate <= 0) return nullptr;
  const Latencies latencies(measured, measured.background);
  const double seconds = static_cast<double>(measured.to_us - measured.from_us) / 1e6;
  const double operations =
      operations_within(measured.background, measured.from_us, measured.to_us);
  return {{"rate_per_s", settings.background_rate},
          {"ops_per_s", rounded(operations / seconds, 1)},
          {"p50_ms", latencies.percentile_ms(50)},
          {"p99_ms", latencies.percentile_ms(99)},
          {"rejected", measured.background.rejected},
          {"transactions_dropped", measured.background.dropped},
          {"problem", measured.background.problem}};
}

}  // namespace

json report(const Settings& settings, const Measured& measured) {
  const double seconds = static_cast<double>(measured.to_us - measured.from_us) / 1e6;
  const double operations = operations_within(measured.tally, measured.from_us, measured.to_us);
  const Latencies latencies(measured, measured.tally);
  json nodes = nodes_json(measured);
  double cpu_us = 0;
  for (const json& node : nodes) cpu_us += node["cpu_us_per_op"].get<double>();
  return {{"operation", operation_name(settings.workload)},
          {"ops_per_s", rounded(operations / seconds, 1)},
          {"p50_ms", latencies.percentile_ms(50)},
          {"p90_ms", latencies.percentile_ms(90)},
          {"p99_ms", latencies.percentile_ms(99)},
          {"max_ms", latencies.percentile_ms(100)},
          {"cpu_us_per_op_all_nodes", rounded(cpu_us, 2)},
          {"applied", measured.tally.applied},
          {"rejected", measured.tally.rejected},
          {"transactions_refused_as_busy", measured.tally.busy},
          {"transactions_sent_again", measured.tally.sent_again},
          {"transactions_dropped", measured.tally.dropped},
          {"problem", measured.tally.problem},
          {"evidence_verified_offline",
           {{"asked", measured.evidence_asked}, {"held", measured.evidence_held}}},
          {"prepared",
           {{"operations", measured.prepared_operations},
            {"seconds", rounded(measured.prepared_s, 1)}}},
          {"background", background_json(settings, measured)},
          {"nodes", std::move(nodes)},
          {"threads", threads_json(measured)},
          {"executor_stages", stages_json(measured)},
          {"timeline", timeline_json(measured.timeline)},
          {"drift", drift_json(measured)},
          {"settings", settings_json(settings)},
          // What a faster figure could be bought with. None of it can be switched off.
          {"guarantees",
           {{"fsync", "every vote rides on an fdatasync of the consensus log"},
            {"signatures", "Ed25519 of each transaction, checked by every validator"},
            {"executed", "by every node before it answers"},
            {"answered", "with the height that a certificate of the validators covers"}}},
          {"machine", machine()},
          {"version", node::version_number()},
          {"commit", node::commit_id()}};
}

void print_loads(const json& loads) {
  fmt::print("\n\n  {:<16} {:>12} {:>8} {:>10} {:>10} {:>8} {:>10} {:>5}\n", "load", "certified/s",
             "of first", "p50 ms", "p99 ms", "busy", "RSS MiB", "view");
  for (const json& load : loads) {
    fmt::print("  {:<16} {:>12.1f} {:>6.1f} % {:>10.2f} {:>10.2f} {:>8} {:>10} {:>5}\n",
               load["load"].get<std::string>(), load["ops_per_s"].get<double>(),
               load["of_first_percent"].get<double>(), load["p50_ms"].get<double>(),
               load["p99_ms"].get<double>(),
               load["transactions_refused_as_busy"].get<std::uint64_t>(),
               load["rss_max_mib"].get<std::uint64_t>(), load["view"].get<std::uint64_t>());
  }
}

/// Where the nodes' time goes.
void print_profile(const json& report) {
  const auto print = [](const json& rows, const char* name, const char* indent) {
    for (const json& row : rows) {
      fmt::print("{}{:<16} {:>8.2f}\n", indent, row[name].get<std::string>(),
                 row["cpu_us_per_op"].get<double>());
    }
  };
  fmt::print("\n  all nodes, by thread       us/op\n");
  print(report["threads"], "thread", "    ");
  fmt::print("  the executor, by stage     us/op\n");
  print(report["executor_stages"], "stage", "    ");
}

/// What a workload through the JSON API says beside the common figures.
void print_api_figures(const json& report) {
  if (report.contains("stages")) {
    fmt::print("\n\n  {:<28} {:>12} {:>10}\n", "from due to the block of", "p50 ms", "p99 ms");
    for (const json& stage : report["stages"]) {
      fmt::print("  {:<28} {:>12.1f} {:>10.1f}\n", stage["stage"].get<std::string>(),
                 stage["p50_ms"].get<double>(), stage["p99_ms"].get<double>());
    }
  }
  if (report.contains("ops_per_tx_reached")) {
    fmt::print("\n  {:<28} {:>12.2f}\n  {:<28} {:>12} of {}\n", "readings a transaction",
               report["ops_per_tx_reached"].get<double>(), "same outcome asked again",
               report["repeated"]["same"].get<std::uint64_t>(),
               report["repeated"]["asked"].get<std::uint64_t>());
  }
  const json& background = report["background"];
  if (!background.is_null()) {
    fmt::print("\n  {:<28} {:>12.1f} /s of {:.0f}, p50 {:.2f} ms, p99 {:.2f} ms",
               "readings beside it", background["ops_per_s"].get<double>(),
               background["rate_per_s"].get<double>(), background["p50_ms"].get<double>(),
               background["p99_ms"].get<double>());
  }
}

void print_report(const json& report) {
  const json& settings = report["settings"];
  fmt::print("{} on {} {} validators, ", settings["workload"].get<std::string>(),
             settings["validators"].get<std::size_t>(), settings["consensus"].get<std::string>());
  if (settings["ops_per_tx"].is_number()) {
    fmt::print("{} operations a transaction, ", settings["ops_per_tx"].get<std::size_t>());
  }
  fmt::print("{} s\n\n", settings["duration_s"].get<std::uint64_t>());
  fmt::print("  {:<28} {:>12.1f} /s\n", report["operation"].get<std::string>(),
             report["ops_per_s"].get<double>());
  for (const char* name : {"p50_ms", "p90_ms", "p99_ms", "max_ms"}) {
    fmt::print("  {:<28} {:>12.2f} ms\n", std::string("latency ") + name,
               report[name].get<double>());
  }
  fmt::print("  {:<28} {:>12.2f} us\n\n", "CPU an operation, all nodes",
             report["cpu_us_per_op_all_nodes"].get<double>());
  fmt::print("  {:<14} {:>7} {:>8} {:>9} {:>10} {:>9}\n", "node", "cores", "us/op", "RSS MiB",
             "disk B/op", "fsyncs/s");
  for (const json& node : report["nodes"]) {
    fmt::print("  {:<14} {:>7.3f} {:>8.2f} {:>9} {:>10.1f} {:>9.1f}\n",
               node["name"].get<std::string>(), node["cpu_cores"].get<double>(),
               node["cpu_us_per_op"].get<double>(), node["rss_mib"].get<std::uint64_t>(),
               node["disk_bytes_per_op"].get<double>(), node["fsyncs_per_s"].get<double>());
  }
  print_profile(report);
  print_api_figures(report);
  if (report.contains("disk_bytes_per_op_compacted")) {
    fmt::print("\n\n  {:<28} {:>12.1f} bytes", "disk an operation, compacted",
               report["disk_bytes_per_op_compacted"].get<double>());
  }
  if (report.contains("jrt0193")) print_jrt0193(report["jrt0193"]);
  if (report.contains("loads")) print_loads(report["loads"]);
  if (report.contains("curve")) {
    fmt::print("\n\n  {:>10} {:>12} {:>10} {:>10}\n", "offered/s", "certified/s", "p50 ms",
               "p99 ms");
    for (const json& point : report["curve"]) {
      fmt::print("  {:>10.0f} {:>12.1f} {:>10.2f} {:>10.2f}\n", point["rate_per_s"].get<double>(),
                 point["ops_per_s"].get<double>(), point["p50_ms"].get<double>(),
                 point["p99_ms"].get<double>());
    }
  }
  const json& evidence = report["evidence_verified_offline"];
  fmt::print(
      "\n  {} applied, {} rejected, {} refused as busy and sent again; {} of {} evidence\n"
      "  files verified offline\n",
      report["applied"].get<std::uint64_t>(), report["rejected"].get<std::uint64_t>(),
      report["transactions_refused_as_busy"].get<std::uint64_t>(),
      evidence["held"].get<std::size_t>(), evidence["asked"].get<std::size_t>());
  const std::uint64_t dropped = report["transactions_dropped"].get<std::uint64_t>();
  if (dropped > 0) {
    fmt::print("  {} dropped; the newest problem: {}\n", dropped,
               report["problem"].get<std::string>());
  }
  for (const auto& [what, how] : report["guarantees"].items()) {
    fmt::print("  {:<10} {}\n", what, how.get<std::string>());
  }
}

}  // namespace baolian::bench
