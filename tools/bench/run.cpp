#include "bench/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "bench/cluster.h"
#include "bench/drive.h"
#include "bench/plot.h"
#include "bench/prepare.h"
#include "bench/report.h"
#include "contracts/facts.h"
#include "ledger/evidence.h"
#include "progress_bar.h"

namespace baolian::bench {
namespace {

/// Nonces of one key under way: below the window of 1,024.
constexpr std::size_t kUnderWayMax = 1000;

Result<void> check(const Settings& settings) {
  if (!is_workload(settings.workload)) {
    return fail(Errc::bad_argument, "the workload is readings, exchanged or mixed");
  }
  if (needs_consents(settings.workload) && settings.validators + settings.observers < 3) {
    return fail(Errc::bad_argument, "records are exchanged by two hospitals: three nodes or more");
  }
  if (settings.workload == "mixed" && settings.tx_per_call != 1) {
    return fail(Errc::bad_argument, "mixed: one transaction a call");
  }
  if (settings.validators == 0 || settings.ops_per_tx == 0 ||
      settings.ops_per_tx > ledger::kOperationsMax || settings.tx_per_call == 0 ||
      settings.tx_per_call > node::kSignedTransactionsMax || settings.clients == 0 ||
      settings.duration_s == 0 || settings.subjects == 0) {
    return fail(Errc::bad_argument, "a number is out of its range; see --help");
  }
  if (settings.compacts && !settings.curve.empty()) {
    return fail(Errc::bad_argument, "--compact weighs one load; leave out --curve");
  }
  const bool has_fault = settings.fault != Fault::none;
  if ((settings.compacts || !settings.curve.empty()) && (has_fault || settings.overload > 0)) {
    return fail(Errc::bad_argument, "--fault and --overload compare loads of their own");
  }
  if (has_fault && settings.overload > 0) {
    return fail(Errc::bad_argument, "one of --fault and --overload at a time");
  }
  if (has_fault && (settings.validators < 4 || settings.consensus != crypto::ConsensusKind::pbft)) {
    return fail(Errc::bad_argument, "a fault needs four PBFT validators or more");
  }
  return ok();
}

/// Asks each hospital for evidence of some of its operations and verifies it with the genesis
/// alone.
Result<void> verify_sample(const Cluster& cluster, std::size_t count, Measured& measured) {
  const auto& places = measured.tally.places;
  std::map<std::string, cli::ApiClient> clients;
  for (std::size_t i = 0; i < std::min(count, places.size()); ++i) {
    const Place& place = places[i * places.size() / std::min(count, places.size())];
    if (!clients.contains(place.node)) {
      TRY(const cli::Profile profile,
          cli::load_profile(cluster.profile(place.node + "-compliance")));
      TRY(cli::ApiClient client, cli::ApiClient::connect(profile));
      clients.emplace(place.node, std::move(client));
    }
    ++measured.evidence_asked;
    TRY(const std::string file,
        clients.at(place.node)
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
  Watch(const Settings& settings, Cluster& cluster, Crew& crew, Measured& out)
      : cluster_(cluster), crew_(crew), out_(out) {
    out_.from_us = settings.warm_up_s * 1'000'000;
    out_.to_us = out_.from_us + settings.duration_s * 1'000'000;
  }

  void look() {
    const std::uint64_t now_us = crew_.elapsed_us();
    if (out_.before.nodes.empty() && now_us >= out_.from_us) take(out_.before);
    if (out_.after.nodes.empty() && now_us >= out_.to_us) {
      take(out_.after);
      crew_.end();
    }
    if (now_us >= next_moment_us_) {
      out_.timeline.push_back({now_us, crew_.certified(), cluster_.rss_bytes()});
      next_moment_us_ += kMomentUs;
    }
    if (has_bar_ && now_us >= next_picture_us_) draw(now_us);
  }
  /// Of taking the figures.
  const Result<void>& result() const { return result_; }

 private:
  static constexpr std::uint64_t kMomentUs = 2'000'000;

  void take(Reading& into) {
    auto figures = cluster_.figures();
    into.at_us = crew_.elapsed_us();
    if (figures) {
      into.nodes = *std::move(figures);
    } else {
      result_ = figures.error();
      crew_.end();
    }
  }

  void draw(std::uint64_t now_us) {
    const std::uint64_t certified = crew_.certified();
    bar_.show(now_us < out_.from_us ? "warming up" : "measuring", now_us / 1'000'000,
              out_.to_us / 1'000'000, fmt::format("{}/s", certified - shown_));
    shown_ = certified;
    next_picture_us_ += 1'000'000;
    if (now_us >= out_.to_us) bar_.clear();
  }

  Cluster& cluster_;
  Crew& crew_;
  Measured& out_;
  Result<void> result_ = ok();
  tools::ProgressBar bar_;
  bool has_bar_ = tools::ProgressBar::is_wanted();
  std::uint64_t next_moment_us_ = 0;
  std::uint64_t next_picture_us_ = 1'000'000;
  std::uint64_t shown_ = 0;
};

Result<Measured> measure(const Settings& settings, Cluster& cluster, const Records& records,
                         std::vector<std::unique_ptr<Department>>& departments) {
  Measured out;
  const auto ops_per_call = static_cast<double>(settings.ops_per_tx * settings.tx_per_call);
  Drive drive(
      departments, settings.tx_per_call,
      [&](std::size_t hospital) {
        return make_script(settings.workload, records, hospital, settings.ops_per_tx);
      },
      settings.seed);
  Crew crew({.clients = settings.clients, .calls_per_s = settings.rate_per_s / ops_per_call});
  Watch watch(settings, cluster, crew, out);
  TRY(out.tally, crew.run(drive, [&] { watch.look(); }));
  TRY(watch.result());
  return out;
}

/// What is driven at once.
struct Load {
  std::string name;
  std::size_t clients = 0;
  double rate_per_s = 0;
  bool begins_with_fault = false;
};

std::vector<Load> loads_of(const Settings& settings) {
  const Load ordinary{"ordinary", settings.clients, settings.rate_per_s};
  if (settings.overload > 0) {
    const Load much{"overload", settings.clients * settings.overload,
                    settings.rate_per_s * static_cast<double>(settings.overload)};
    return {ordinary, much, {"after", settings.clients, settings.rate_per_s}};
  }
  if (settings.fault != Fault::none) {
    return {ordinary,
            {std::string(fault_name(settings.fault)), settings.clients, settings.rate_per_s, true}};
  }
  std::vector<Load> out;
  for (const double rate : settings.curve) {
    out.push_back({fmt::format("{:.0f}/s", rate), settings.clients, rate});
  }
  return out.empty() ? std::vector<Load>{ordinary} : out;
}

/// The line of one load among several. `first`: the one that the others are compared with.
nlohmann::json line_of(const Load& load, const nlohmann::json& figures,
                       const nlohmann::json& first) {
  std::uint64_t rss_max_mib = 0;
  std::uint64_t view = 0;
  for (const nlohmann::json& node : figures["nodes"]) {
    rss_max_mib = std::max(rss_max_mib, node["rss_max_mib"].get<std::uint64_t>());
    view = std::max(view, node["view"].get<std::uint64_t>());
  }
  const double part = figures["ops_per_s"].get<double>() / first["ops_per_s"].get<double>();
  nlohmann::json out = {{"load", load.name},
                        {"clients", load.clients},
                        {"rate_per_s", load.rate_per_s},
                        {"of_first_percent", 100 * part},
                        {"rss_max_mib", rss_max_mib},
                        {"view", view}};
  for (const char* same : {"ops_per_s", "p50_ms", "p99_ms", "cpu_us_per_op_all_nodes", "rejected",
                           "transactions_refused_as_busy", "transactions_dropped"}) {
    out[same] = figures[same];
  }
  return out;
}

Result<void> write_plot(const Settings& settings, const std::vector<CurvePoint>& points) {
  if (settings.plot_file.empty()) return ok();
  const std::string title =
      fmt::format("{}: {} {} validators, {} operations a transaction", settings.workload,
                  settings.validators, enum_name(settings.consensus), settings.ops_per_tx);
  return cli::write_text_file(settings.plot_file, curve_svg(title, points));
}

/// One load after the other on the same network. The figures at the top are those of a curve's most
/// certified operations a second; otherwise those of the first load.
Result<nlohmann::json> measure_all(Settings settings, Cluster& cluster, const Records& records,
                                   std::vector<std::unique_ptr<Department>>& departments,
                                   Measured prepared) {
  const bool is_curve = !settings.curve.empty();
  nlohmann::json first;
  nlohmann::json top;
  std::vector<CurvePoint> points;
  nlohmann::json lines = nlohmann::json::array();
  for (const Load& load : loads_of(settings)) {
    settings.clients = load.clients;
    settings.rate_per_s = load.rate_per_s;
    if (load.begins_with_fault) cluster.inflict();
    TRY(Measured measured, measure(settings, cluster, records, departments));
    measured.prepared_operations = prepared.prepared_operations;
    measured.prepared_s = prepared.prepared_s;
    TRY(verify_sample(cluster, settings.sample, measured));
    const nlohmann::json figures = report(settings, measured);
    if (first.is_null()) first = figures;
    points.push_back({load.rate_per_s, figures["ops_per_s"], figures["p50_ms"], figures["p99_ms"]});
    lines.push_back(line_of(load, figures, first));
    if (top.is_null() || (is_curve && figures["ops_per_s"] > top["ops_per_s"])) top = figures;
  }
  if (lines.size() > 1 || is_curve) top[is_curve ? "curve" : "loads"] = std::move(lines);
  TRY(write_plot(settings, points));
  return top;
}

}  // namespace

Result<nlohmann::json> run(const Settings& settings) {
  TRY(check(settings));
  TRY(const std::unique_ptr<Cluster> cluster, Cluster::start(settings));
  TRY(auto departments, load_departments(*cluster));
  const std::size_t clients = settings.clients * std::max<std::size_t>(1, settings.overload);
  const std::size_t under_way = (clients / departments.size() + 1) * settings.tx_per_call;
  if (under_way > kUnderWayMax) {
    return fail(Errc::bad_argument,
                "more transactions of one key would be under way than its nonces allow; use fewer "
                "clients or transactions a call");
  }
  const Records records(cluster->genesis(), settings);
  const auto began = std::chrono::steady_clock::now();
  Measured prepared;
  TRY(prepared.prepared_operations, prepare(settings, *cluster, records, departments));
  const std::chrono::duration<double> preparing = std::chrono::steady_clock::now() - began;
  prepared.prepared_s = preparing.count();
  std::uint64_t bytes_before = 0;
  if (settings.compacts) {
    cluster->stop();
    TRY(bytes_before, cluster->compact());
    TRY(cluster->run());
  }
  TRY(nlohmann::json out,
      measure_all(settings, *cluster, records, departments, std::move(prepared)));
  if (settings.compacts) {
    cluster->stop();
    TRY(const std::uint64_t bytes_after, cluster->compact());
    const auto nodes = static_cast<double>(settings.validators + settings.observers);
    out["disk_bytes_per_op_compacted"] =
        (static_cast<double>(bytes_after) - static_cast<double>(bytes_before)) / nodes /
        out["applied"].get<double>();
  }
  return out;
}

}  // namespace baolian::bench
