#include "bench/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include "bench/api_work.h"
#include "bench/background.h"
#include "bench/cluster.h"
#include "bench/drive.h"
#include "bench/enrolment.h"
#include "bench/jrt0193.h"
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

/// What a network of the bench's own has, and one that runs already has not.
Result<void> check_network(const Settings& settings) {
  const Settings plain;
  if (settings.network.empty()) return ok();
  const bool is_shaped = settings.validators != plain.validators ||
                         settings.observers != plain.observers ||
                         settings.consensus != plain.consensus;
  if (is_shaped) {
    return fail(Errc::bad_argument,
                "--network: its genesis says who votes and by which consensus; leave out "
                "--validators, --observers and --consensus");
  }
  if (settings.fault != Fault::none || settings.compacts || settings.jrt0193 || settings.keep ||
      !settings.directory.empty()) {
    return fail(Errc::bad_argument,
                "--fault, --compact, --jrt0193, --keep and --directory are for a network that the "
                "bench starts itself; leave out --network");
  }
  return ok();
}

/// The five measures come from one load of readings on a new network.
Result<void> check_jrt0193(const Settings& settings) {
  if (!settings.jrt0193) return ok();
  if (settings.workload != "readings" || !settings.curve.empty() || settings.overload > 0 ||
      settings.fault != Fault::none || settings.compacts) {
    return fail(Errc::bad_argument,
                "--jrt0193 is for --workload readings and one load; leave out --curve, --overload, "
                "--fault and --compact");
  }
  return ok();
}

/// What only some workloads have.
Result<void> check_api(const Settings& settings) {
  const bool is_api = is_api_workload(settings.workload);
  const bool has_background = settings.background_rate > 0;
  if (has_background && !is_api) {
    return fail(Errc::bad_argument,
                "--background-rate sends readings beside a workload through the JSON API, such as "
                "paid; " +
                    settings.workload + " has --rate");
  }
  if (settings.workload != "enrolment" &&
      settings.persons_per_call != Settings{}.persons_per_call) {
    return fail(Errc::bad_argument, "--persons-per-call is for --workload enrolment");
  }
  if (is_api && settings.workload != "gateway" && settings.fault != Fault::none) {
    return fail(Errc::bad_argument,
                settings.workload + " needs the insurers' nodes, which --fault slows down or ends");
  }
  if (is_api && settings.tx_per_call != 1) {
    return fail(Errc::bad_argument,
                settings.workload + ": the nodes sign; leave out --tx-per-call");
  }
  if (is_api && !has_background && settings.ops_per_tx != Settings{}.ops_per_tx) {
    return fail(Errc::bad_argument,
                settings.workload + ": the nodes batch as they will; leave out --ops-per-tx");
  }
  return ok();
}

Result<void> check(const Settings& settings) {
  if (!is_workload(settings.workload) && !is_api_workload(settings.workload)) {
    return fail(Errc::bad_argument, "there is no workload " + settings.workload + "; see --help");
  }
  TRY(check_api(settings));
  TRY(check_jrt0193(settings));
  if (settings.workload == "mixed" && settings.tx_per_call != 1) {
    return fail(Errc::bad_argument, "mixed: one transaction a call");
  }
  if (settings.validators == 0 || settings.ops_per_tx == 0 ||
      settings.ops_per_tx > ledger::kOperationsMax || settings.tx_per_call == 0 ||
      settings.tx_per_call > node::kSignedTransactionsMax || settings.clients == 0 ||
      settings.persons_per_call == 0 || settings.persons_per_call > kPersonsPerCallMax ||
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
            .request_text("GET", fmt::format("/v1/audit/evidence?height={}&leaf={}&min_height={}",
                                             place.height.value, place.leaf, place.height.value)));
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

/// The network and what is sent to it.
struct Site {
  Cluster& cluster;
  std::optional<Records> records = std::nullopt;              ///< if any are read by who signs
  std::vector<std::unique_ptr<Department>> departments = {};  ///< those who sign
  std::unique_ptr<ApiWork> api_work = nullptr;                ///< a workload through the JSON API
};

/// Calls a second.
double calls_per_s(const Settings& settings, const Site& site) {
  if (settings.workload == "enrolment") {
    return settings.rate_per_s / static_cast<double>(settings.persons_per_call);
  }
  if (site.api_work != nullptr) return settings.rate_per_s;
  return settings.rate_per_s / static_cast<double>(settings.ops_per_tx * settings.tx_per_call);
}

std::unique_ptr<Drive> make_drive(const Settings& settings, Site& site) {
  return std::make_unique<Drive>(
      site.departments, settings.tx_per_call,
      [&](std::size_t hospital) {
        return make_script(settings.workload, *site.records, hospital, settings.ops_per_tx);
      },
      settings.seed);
}

Result<Measured> measure(const Settings& settings, Site& site) {
  Measured out;
  Crew crew({.clients = settings.clients, .calls_per_s = calls_per_s(settings, site)});
  Watch watch(settings, site.cluster, crew, out);
  std::optional<Background> background;
  if (settings.background_rate > 0) {
    background.emplace(settings, *site.records, site.departments);
    background->start();
  }
  if (site.api_work != nullptr) {
    TRY(out.tally, crew.run(*site.api_work, [&] { watch.look(); }));
  } else {
    TRY(out.tally, crew.run(*make_drive(settings, site), [&] { watch.look(); }));
  }
  if (background) {
    TRY(out.background, background->finish());
  }
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
                           "transactions_refused_as_busy", "transactions_dropped", "threads"}) {
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
Result<nlohmann::json> measure_all(Settings settings, Site& site, const Measured& prepared) {
  const bool is_curve = !settings.curve.empty();
  nlohmann::json first;
  nlohmann::json top;
  std::vector<CurvePoint> points;
  nlohmann::json lines = nlohmann::json::array();
  for (const Load& load : loads_of(settings)) {
    settings.clients = load.clients;
    settings.rate_per_s = load.rate_per_s;
    if (load.begins_with_fault) site.cluster.inflict();
    TRY(Measured measured, measure(settings, site));
    measured.prepared_operations = prepared.prepared_operations;
    measured.prepared_s = prepared.prepared_s;
    TRY(verify_sample(site.cluster, settings.sample, measured));
    nlohmann::json figures = report(settings, measured);
    if (site.api_work != nullptr) {
      site.api_work->describe(figures, measured.from_us, measured.to_us);
    }
    if (first.is_null()) first = figures;
    points.push_back({load.rate_per_s, figures["ops_per_s"], figures["p50_ms"], figures["p99_ms"]});
    lines.push_back(line_of(load, figures, first));
    if (top.is_null() || (is_curve && figures["ops_per_s"] > top["ops_per_s"])) top = figures;
  }
  if (lines.size() > 1 || is_curve) top[is_curve ? "curve" : "loads"] = std::move(lines);
  TRY(write_plot(settings, points));
  return top;
}

/// Nonces of one key under way must fit into its window.
Result<void> check_nonces(const Settings& settings, std::size_t departments) {
  const std::size_t clients = settings.clients * std::max<std::size_t>(1, settings.overload);
  const std::size_t under_way = (clients / departments + 1) * settings.tx_per_call;
  if (under_way <= kUnderWayMax) return ok();
  return fail(Errc::bad_argument,
              "more transactions of one key would be under way than its nonces allow; use fewer "
              "clients or transactions a call");
}

/// Records, consents, persons: whatever the workload needs.
Result<Measured> prepare_all(const Settings& settings, Site& site) {
  const auto began = std::chrono::steady_clock::now();
  Measured out;
  const bool is_api = is_api_workload(settings.workload);
  if (!is_api || settings.background_rate > 0) {
    TRY(site.departments, load_departments(site.cluster));
    if (!is_api) TRY(check_nonces(settings, site.departments.size()));
    site.records.emplace(site.cluster.genesis(), settings);
    if (needs_consents(settings.workload) && site.records->hospital_count() < 2) {
      return fail(Errc::bad_argument,
                  settings.workload +
                      ": records are exchanged by two hospitals, and the network "
                      "has one; a network of the bench's own has two from "
                      "--validators 3 on");
    }
    TRY(out.prepared_operations, prepare(settings, site.cluster, *site.records, site.departments));
  }
  if (is_api) {
    TRY(site.api_work, make_api_work(settings, site.cluster));
    TRY(const std::uint64_t more, site.api_work->prepare());
    out.prepared_operations += more;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
  out.prepared_s = seconds.count();
  return out;
}

/// What the genesis of a network that runs already says.
void take_shape(const Cluster& cluster, Settings& settings) {
  settings.consensus = cluster.genesis().epoch.consensus_kind;
  settings.validators = cluster.genesis().epoch.validators.size();
  settings.observers = cluster.parties().size() - settings.validators;
}

}  // namespace

Result<nlohmann::json> run(const Settings& asked) {
  Settings settings = asked;
  TRY(check_network(settings));
  std::unique_ptr<Cluster> cluster;
  if (!settings.network.empty()) {
    TRY(cluster, Cluster::attach(settings));
    take_shape(*cluster, settings);
  }
  TRY(check(settings));
  if (cluster == nullptr) {
    TRY(cluster, Cluster::start(settings));
  }
  Site site{.cluster = *cluster};
  TRY(const Measured prepared, prepare_all(settings, site));
  std::uint64_t bytes_before = 0;
  if (settings.compacts) {
    cluster->stop();
    TRY(bytes_before, cluster->compact());
    TRY(cluster->run());
  }
  double disk_before = 0;
  if (settings.jrt0193) {
    TRY(disk_before, quiet_disk_bytes(*cluster));
  }
  TRY(nlohmann::json out, measure_all(settings, site, prepared));
  if (settings.jrt0193) {
    TRY(measure_jrt0193(settings, *cluster, *site.records, disk_before, out));
  }
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
