#include "bench/jrt0193.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "bench/api_work.h"
#include "bench/caller.h"
#include "bench/crew.h"
#include "core/prng.h"
#include "progress_bar.h"

namespace baolian::bench {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

/// Questions are asked for so long, or as long as the load was if that was shorter.
constexpr std::uint64_t kQueryS = 20;
constexpr std::size_t kPage = 20;
/// Nodes write what they gathered when they executed nothing for a second.
constexpr auto kQuiet = std::chrono::seconds(5);
constexpr auto kLook = std::chrono::milliseconds(20);
/// A latecomer that gets no further for so long has failed.
constexpr auto kStuck = std::chrono::seconds(60);

double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

double rounded(double value, double scale = 10) { return std::round(value * scale) / scale; }

/// Clients that ask for the newest readings of a record, any of those that are read: each at the
/// node of the record's hospital.
class Queries final : public Work {
 public:
  Queries(const std::vector<Holder>& auditors, const Records& records, std::uint64_t seed)
      : auditors_(auditors), records_(records), seed_(seed) {}

  Result<void> run_client(Crew& crew, std::size_t number, Tally& tally) override {
    const std::size_t hospital = number % auditors_.size();
    Caller caller(auditors_[hospital]);
    Prng prng(seed_ * 1'000'003 + number);
    while (const auto due_us = crew.next_due_us()) {
      const RecordId record = records_.record(records_.draw(hospital, prng));
      TRY(const Answer answer,
          caller.request("GET", fmt::format("/v1/audit/log?kind=reads_of_record&id={}&limit={}",
                                            record.hex(), kPage)));
      if (!answer.is_ok() || !answer.body.contains("entries")) {
        return fail(Errc::rejected, "a question was not answered: " + answer.problem());
      }
      ++tally.applied;
      tally.samples.push_back({*due_us, crew.elapsed_us(), 1});
      crew.count(1);
    }
    return ok();
  }

 private:
  const std::vector<Holder>& auditors_;
  const Records& records_;
  std::uint64_t seed_;
};

Result<json> query_rate(const Settings& settings, const Cluster& cluster, const Records& records) {
  std::vector<Holder> auditors;
  for (const std::string& hospital : cluster.hospitals()) {
    TRY(Holder auditor, load_holder(cluster, hospital, "compliance"));
    auditors.push_back(std::move(auditor));
  }
  Queries queries(auditors, records, settings.seed);
  Crew crew({.clients = settings.clients});
  const std::uint64_t seconds = std::min(settings.duration_s, kQueryS);
  tools::ProgressBar bar;
  const bool has_bar = tools::ProgressBar::is_wanted();
  TRY(const Tally tally, crew.run(queries, [&] {
    const std::uint64_t passed_s = crew.elapsed_us() / 1'000'000;
    if (passed_s >= seconds) crew.end();
    if (has_bar) bar.show("asking", passed_s, seconds, fmt::format("{} answers", crew.certified()));
  }));
  if (has_bar) bar.clear();
  std::uint64_t last_us = 1;
  std::vector<double> ms;
  for (const Sample& sample : tally.samples) {
    last_us = std::max(last_us, sample.done_us);
    ms.push_back(static_cast<double>(sample.done_us - sample.due_us) / 1000);
  }
  return json{{"queries_per_s",
               rounded(static_cast<double>(tally.applied) * 1e6 / static_cast<double>(last_us))},
              {"p50_ms", percentile_ms(ms, 50)},
              {"p99_ms", percentile_ms(ms, 99)},
              {"clients", settings.clients},
              {"query", "the newest readings of a record, GET /v1/audit/log"}};
}

/// An observer with an empty store takes every block from the others, checks its certificate and
/// executes it. `operations`: in all blocks.
Result<json> synchronisation(Cluster& cluster, std::uint64_t operations) {
  TRY(const std::uint64_t target, cluster.height_of(cluster.hospitals().front()));
  const auto began = Clock::now();
  TRY(cluster.start_latecomer());
  tools::ProgressBar bar;
  const bool has_bar = tools::ProgressBar::is_wanted();
  std::uint64_t height = 0;
  auto moved = Clock::now();
  while (height < target) {
    TRY(const std::uint64_t now_at, cluster.height_of(cluster.latecomer()));
    if (now_at > height) moved = Clock::now();
    height = now_at;
    if (has_bar) bar.show("synchronising", height, target, "blocks");
    if (Clock::now() - moved > kStuck) {
      return fail(Errc::timed_out,
                  fmt::format("{} stays at block {} of {}", cluster.latecomer(), height, target));
    }
    std::this_thread::sleep_for(kLook);
  }
  if (has_bar) bar.clear();
  const double seconds = seconds_since(began);
  TRY(const std::vector<NodeFigures> figures, cluster.figures());
  return json{{"seconds", rounded(seconds, 1000)},
              {"blocks", target},
              {"blocks_per_s", rounded(static_cast<double>(target) / seconds)},
              {"operations", operations},
              {"operations_per_s", rounded(static_cast<double>(operations) / seconds)},
              {"disk_bytes", figures.back().disk_bytes},
              {"cpu_s", rounded(figures.back().cpu_s)}};
}

/// Of the whole load, its warm-up too.
json growth(const Settings& settings, double disk_grown, const json& report) {
  const double bytes = disk_grown / std::max(1.0, report["applied"].get<double>());
  constexpr double kDayS = 86'400;
  const double per_s = bytes * report["ops_per_s"].get<double>();
  return {{"bytes_per_operation", rounded(bytes)},
          {"bytes_per_transaction", rounded(bytes * static_cast<double>(settings.ops_per_tx))},
          {"gib_per_day_at_this_rate", rounded(per_s * kDayS / (1ULL << 30))}};
}

}  // namespace

Result<double> quiet_disk_bytes(Cluster& cluster) {
  std::this_thread::sleep_for(kQuiet);
  TRY(const std::vector<NodeFigures> nodes, cluster.figures());
  double out = 0;
  for (const NodeFigures& node : nodes) out += static_cast<double>(node.disk_bytes);
  return out / static_cast<double>(nodes.size());
}

Result<void> measure_jrt0193(const Settings& settings, Cluster& cluster, const Records& records,
                             double disk_before, json& report) {
  TRY(const double disk_after, quiet_disk_bytes(cluster));
  TRY(json queries, query_rate(settings, cluster, records));
  const std::uint64_t operations = report["prepared"]["operations"].get<std::uint64_t>() +
                                   report["applied"].get<std::uint64_t>();
  TRY(json joined, synchronisation(cluster, operations));
  const double ops_per_s = report["ops_per_s"];
  report["jrt0193"] = {
      {"transaction_rate",
       {{"transactions_per_s", rounded(ops_per_s / static_cast<double>(settings.ops_per_tx))},
        {"operations_per_s", ops_per_s},
        {"ops_per_tx", settings.ops_per_tx}}},
      {"query_rate", std::move(queries)},
      {"synchronisation", std::move(joined)},
      {"deployment",
       {{"seconds", rounded(cluster.deployment_s(), 1000)}, {"nodes", report["nodes"].size()}}},
      {"ledger_growth", growth(settings, disk_after - disk_before, report)}};
  return ok();
}

void print_jrt0193(const json& measures) {
  const json& rate = measures["transaction_rate"];
  const json& query = measures["query_rate"];
  const json& sync = measures["synchronisation"];
  const json& deployment = measures["deployment"];
  const json& growth = measures["ledger_growth"];
  fmt::print("\n\n  JR/T 0193\n");
  fmt::print("  {:<28} {:>12.1f} /s, of {} operations each: {:.1f} operations/s\n", "transactions",
             rate["transactions_per_s"].get<double>(), rate["ops_per_tx"].get<std::size_t>(),
             rate["operations_per_s"].get<double>());
  fmt::print("  {:<28} {:>12.1f} /s, p50 {:.1f} ms, p99 {:.1f} ms, {} clients\n",
             "queries: log of a record", query["queries_per_s"].get<double>(),
             query["p50_ms"].get<double>(), query["p99_ms"].get<double>(),
             query["clients"].get<std::size_t>());
  fmt::print("  {:<28} {:>12.1f} s: {} blocks, {:.0f} operations/s\n", "a new node has all blocks",
             sync["seconds"].get<double>(), sync["blocks"].get<std::uint64_t>(),
             sync["operations_per_s"].get<double>());
  fmt::print("  {:<28} {:>12.1f} s: keys, genesis, {} nodes\n", "deployment",
             deployment["seconds"].get<double>(), deployment["nodes"].get<std::size_t>());
  fmt::print("  {:<28} {:>12.1f} bytes an operation and node; {:.1f} GiB a day at this rate\n",
             "growth of the ledger", growth["bytes_per_operation"].get<double>(),
             growth["gib_per_day_at_this_rate"].get<double>());
}

}  // namespace baolian::bench
