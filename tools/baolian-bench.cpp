/// baolian-bench: starts a network of real nodes on this machine, drives it and measures.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>

#include "bench/cluster.h"
#include "bench/drive.h"
#include "bench/plot.h"
#include "bench/readings.h"
#include "bench/report.h"
#include "bench/settings.h"
#include "contracts/facts.h"
#include "ledger/evidence.h"
#include "progress_bar.h"

namespace {

using namespace baolian;
using bench::Settings;

constexpr std::size_t kRegistrationsPerTx = 500;
constexpr std::size_t kPreparingClients = 16;
/// Nonces of one key under way: below the window of 1,024.
constexpr std::size_t kUnderWayMax = 1000;

Result<void> check(const Settings& settings) {
  if (settings.workload != "readings") {
    return fail(Errc::bad_argument, "the workload is readings");
  }
  if (settings.validators == 0 || settings.ops_per_tx == 0 ||
      settings.ops_per_tx > ledger::kOperationsMax || settings.tx_per_call == 0 ||
      settings.tx_per_call > node::kSignedTransactionsMax || settings.clients == 0 ||
      settings.duration_s == 0 || settings.subjects == 0) {
    return fail(Errc::bad_argument, "a number is out of its range; see --help");
  }
  return ok();
}

/// Registers all records through the ordinary path, in large transactions.
Result<std::uint64_t> prepare(const bench::Readings& workload,
                              std::vector<std::unique_ptr<bench::Department>>& departments,
                              std::uint64_t seed) {
  std::vector<std::atomic<std::uint64_t>> next(workload.hospital_count());
  for (std::size_t i = 0; i < next.size(); ++i) next[i] = i;
  const std::uint64_t step = kRegistrationsPerTx * workload.hospital_count();
  bench::Drive drive(
      departments, {.clients = kPreparingClients},
      [&](std::size_t hospital, Prng&) {
        return workload.registrations(hospital, next[hospital].fetch_add(step),
                                      kRegistrationsPerTx);
      },
      seed);
  tools::ProgressBar bar;
  const bool has_bar = tools::ProgressBar::is_wanted();
  TRY(const bench::Tally tally, drive.run([&] {
    if (has_bar) bar.show("registering records", drive.certified(), workload.record_count());
  }));
  if (has_bar) bar.clear();
  if (tally.applied != workload.record_count()) {
    return fail(Errc::internal, fmt::format("{} of {} records were registered: {}", tally.applied,
                                            workload.record_count(), tally.problem));
  }
  return tally.applied;
}

/// Asks each hospital for evidence of some of its operations and verifies it with the genesis
/// alone.
Result<void> verify_sample(const bench::Cluster& cluster, std::size_t count,
                           bench::Measured& measured) {
  const auto& places = measured.tally.places;
  std::map<std::size_t, cli::ApiClient> clients;
  for (std::size_t i = 0; i < std::min(count, places.size()); ++i) {
    const bench::Place& place = places[i * places.size() / std::min(count, places.size())];
    if (!clients.contains(place.hospital)) {
      TRY(const cli::Profile profile,
          cli::load_profile(cluster.profile(cluster.hospitals()[place.hospital] + "-compliance")));
      TRY(cli::ApiClient client, cli::ApiClient::connect(profile));
      clients.emplace(place.hospital, std::move(client));
    }
    ++measured.evidence_asked;
    TRY(const std::string file,
        clients.at(place.hospital)
            .request_text("GET", fmt::format("/v1/audit/evidence?height={}&leaf={}",
                                             place.height.value, place.leaf)));
    const ledger::Verification verification = ledger::verify_evidence(
        file, cluster.genesis(), crypto::ed25519_verifier(), contracts::fact_reader());
    if (verification.ok) ++measured.evidence_held;
  }
  return ok();
}

/// Tells when the measured time begins and ends, takes the figures then, and draws the bar.
class Watch {
 public:
  Watch(const Settings& settings, bench::Cluster& cluster, bench::Drive& drive,
        bench::Measured& out)
      : cluster_(cluster), drive_(drive), out_(out) {
    out_.from_us = settings.warm_up_s * 1'000'000;
    out_.to_us = out_.from_us + settings.duration_s * 1'000'000;
  }

  void look() {
    const std::uint64_t now_us = drive_.elapsed_us();
    if (out_.before.nodes.empty() && now_us >= out_.from_us) take(out_.before);
    if (out_.after.nodes.empty() && now_us >= out_.to_us) {
      take(out_.after);
      drive_.end();
    }
    if (has_bar_ && now_us >= next_picture_us_) draw(now_us);
  }
  /// Of taking the figures.
  const Result<void>& result() const { return result_; }

 private:
  void take(bench::Reading& into) {
    auto figures = cluster_.figures();
    into.at_us = drive_.elapsed_us();
    if (figures) {
      into.nodes = *std::move(figures);
    } else {
      result_ = figures.error();
      drive_.end();
    }
  }

  void draw(std::uint64_t now_us) {
    const std::uint64_t certified = drive_.certified();
    bar_.show(now_us < out_.from_us ? "warming up" : "measuring", now_us / 1'000'000,
              out_.to_us / 1'000'000, fmt::format("{}/s", certified - shown_));
    shown_ = certified;
    next_picture_us_ += 1'000'000;
    if (now_us >= out_.to_us) bar_.clear();
  }

  bench::Cluster& cluster_;
  bench::Drive& drive_;
  bench::Measured& out_;
  Result<void> result_ = ok();
  tools::ProgressBar bar_;
  bool has_bar_ = tools::ProgressBar::is_wanted();
  std::uint64_t next_picture_us_ = 1'000'000;
  std::uint64_t shown_ = 0;
};

Result<bench::Measured> measure(const Settings& settings, bench::Cluster& cluster,
                                const bench::Readings& workload,
                                std::vector<std::unique_ptr<bench::Department>>& departments) {
  bench::Measured out;
  const auto ops_per_call = static_cast<double>(settings.ops_per_tx * settings.tx_per_call);
  bench::Drive drive(
      departments,
      {.clients = settings.clients,
       .tx_per_call = settings.tx_per_call,
       .calls_per_s = settings.rate_per_s / ops_per_call},
      [&](std::size_t hospital, Prng& prng) {
        return workload.readings(hospital, settings.ops_per_tx, prng);
      },
      settings.seed);
  Watch watch(settings, cluster, drive, out);
  TRY(out.tally, drive.run([&] { watch.look(); }));
  TRY(watch.result());
  return out;
}

/// One load after the other on the same network; the figures at the top are those of the most
/// certified operations a second.
Result<nlohmann::json> measure_all(Settings settings, bench::Cluster& cluster,
                                   const bench::Readings& workload,
                                   std::vector<std::unique_ptr<bench::Department>>& departments,
                                   bench::Measured prepared) {
  const std::vector<double> rates =
      settings.curve.empty() ? std::vector<double>{settings.rate_per_s} : settings.curve;
  nlohmann::json best;
  std::vector<bench::CurvePoint> points;
  nlohmann::json curve = nlohmann::json::array();
  for (const double rate : rates) {
    settings.rate_per_s = rate;
    TRY(bench::Measured measured, measure(settings, cluster, workload, departments));
    measured.prepared_operations = prepared.prepared_operations;
    measured.prepared_s = prepared.prepared_s;
    TRY(verify_sample(cluster, settings.sample, measured));
    nlohmann::json report = bench::report(settings, measured);
    points.push_back({rate, report["ops_per_s"], report["p50_ms"], report["p99_ms"]});
    curve.push_back({{"rate_per_s", rate},
                     {"ops_per_s", report["ops_per_s"]},
                     {"p50_ms", report["p50_ms"]},
                     {"p99_ms", report["p99_ms"]},
                     {"cpu_us_per_op_all_nodes", report["cpu_us_per_op_all_nodes"]}});
    if (best.is_null() || report["ops_per_s"] > best["ops_per_s"]) best = std::move(report);
  }
  if (!settings.curve.empty()) best["curve"] = std::move(curve);
  if (!settings.plot_file.empty()) {
    const std::string title =
        fmt::format("{}: {} {} validators, {} operations a transaction", settings.workload,
                    settings.validators, enum_name(settings.consensus), settings.ops_per_tx);
    TRY(cli::write_text_file(settings.plot_file, bench::curve_svg(title, points)));
  }
  return best;
}

Result<nlohmann::json> run(const Settings& settings, bool compacts) {
  TRY(check(settings));
  TRY(const std::unique_ptr<bench::Cluster> cluster, bench::Cluster::start(settings));
  TRY(auto departments, bench::load_departments(*cluster));
  const std::size_t under_way = (settings.clients / departments.size() + 1) * settings.tx_per_call;
  if (under_way > kUnderWayMax) {
    return fail(Errc::bad_argument,
                "more transactions of one key would be under way than its nonces allow; use fewer "
                "clients or transactions a call");
  }
  const bench::Readings workload(cluster->genesis(), settings);
  const auto began = std::chrono::steady_clock::now();
  bench::Measured prepared;
  TRY(prepared.prepared_operations, prepare(workload, departments, settings.seed));
  const std::chrono::duration<double> preparing = std::chrono::steady_clock::now() - began;
  prepared.prepared_s = preparing.count();
  std::uint64_t bytes_before = 0;
  if (compacts) {
    cluster->stop();
    TRY(bytes_before, cluster->compact());
    TRY(cluster->run());
  }
  TRY(nlohmann::json out,
      measure_all(settings, *cluster, workload, departments, std::move(prepared)));
  if (compacts) {
    cluster->stop();
    TRY(const std::uint64_t bytes_after, cluster->compact());
    const auto nodes = static_cast<double>(settings.validators + settings.observers);
    out["disk_bytes_per_op_compacted"] =
        (static_cast<double>(bytes_after) - static_cast<double>(bytes_before)) / nodes /
        out["applied"].get<double>();
  }
  return out;
}

/// baoliand stands beside this program.
std::string program_beside(const char* name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / name).string();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Drives a network of real nodes on this machine and measures it");
  app.footer(
      "Every figure is of certified operations: signed, ordered, executed by every node, durable.\n"
      "The JSON carries ops_per_s, p50_ms, p99_ms and every setting.\n\nExamples:\n"
      "  baolian-bench --workload readings --validators 4 --ops-per-tx 100 --duration 60 --json\n"
      "  baolian-bench --ops-per-tx 1 --tx-per-call 8 --clients 64\n"
      "  baolian-bench --rate 12000                 (open loop: latency at a load)\n"
      "  baolian-bench --curve 2000,4000,8000 --duration 20 --plot curve.svg\n"
      "  baolian-bench --ops-per-tx 1 --clients 1   (idle latency)");
  Settings settings;
  settings.node_program = program_beside("baoliand");
  std::string consensus = "pbft";
  bool compacts = false;
  app.add_option("--workload", settings.workload, "readings")->capture_default_str();
  app.add_option("--validators", settings.validators, "nodes that vote")->capture_default_str();
  app.add_option("--observers", settings.observers, "nodes that follow")->capture_default_str();
  app.add_option("--consensus", consensus, "pbft or raft")
      ->check(CLI::IsMember({"pbft", "raft"}))
      ->capture_default_str();
  app.add_option("--ops-per-tx", settings.ops_per_tx, "operations a signature")
      ->capture_default_str();
  app.add_option("--tx-per-call", settings.tx_per_call, "transactions an HTTPS request")
      ->capture_default_str();
  app.add_option("--clients", settings.clients, "requests under way at most")
      ->capture_default_str();
  app.add_option("--rate", settings.rate_per_s, "operations a second; 0: closed loop")
      ->capture_default_str();
  app.add_option("--curve", settings.curve, "such rates one after the other, for example 2000,4000")
      ->delimiter(',');
  app.add_option("--plot", settings.plot_file, "SVG of latency against throughput");
  app.add_option("--warm-up", settings.warm_up_s, "seconds before the measured ones")
      ->capture_default_str();
  app.add_option("--duration", settings.duration_s, "measured seconds")->capture_default_str();
  app.add_option("--records", settings.records, "records that are read")->capture_default_str();
  app.add_option("--subjects", settings.subjects, "persons whose they are")->capture_default_str();
  app.add_option("--other-records", settings.other_records, "records that only stand there")
      ->capture_default_str();
  app.add_option("--seed", settings.seed, "of what is drawn")->capture_default_str();
  app.add_option("--sample", settings.sample, "operations whose evidence is verified offline")
      ->capture_default_str();
  app.add_option("--directory", settings.directory, "for the network's files; must be empty");
  app.add_flag("--keep", settings.keep, "leave the network's files");
  app.add_flag("--compact", compacts,
               "compact the stores before and after, and say what an operation takes");
  app.add_option("--node", settings.node_program, "the node's program")->capture_default_str();
  app.add_flag("--json", settings.json, "print JSON");
  CLI11_PARSE(app, argc, argv);
  settings.consensus = *enum_from_name<crypto::ConsensusKind>(consensus);

  const auto result = run(settings, compacts);
  if (!result) {
    fmt::print(stderr, "baolian-bench: {}: {}\n", errc_name(result.error().code),
               result.error().context);
    return 1;
  }
  if (settings.json) {
    fmt::print("{}\n", result->dump(1));
  } else {
    bench::print_report(*result);
  }
  return 0;
}
