/// baolian-bench: drives a network of real nodes, of its own or running already, and measures.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "bench/report.h"
#include "bench/run.h"

namespace {

using namespace baolian;

/// baoliand stands beside this program.
std::string program_beside(const char* name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / name).string();
}

/// Which network, and what is sent.
void add_workload_options(CLI::App& app, bench::Settings& settings, std::string& consensus) {
  app.add_option(
         "--workload", settings.workload,
         "readings: of own records; exchanged: of another's, requested, released and "
         "received; mixed: 95 % readings; paid: discharges reported through to paid claims; "
         "enrolment: persons enrolled and attested; gateway: single readings, batched by "
         "the nodes")
      ->check(CLI::IsMember({"readings", "exchanged", "mixed", "paid", "enrolment", "gateway"}))
      ->capture_default_str();
  app.add_option(
      "--network", settings.network,
      "directory of `baolian network init --departments 4` whose nodes run; without it a "
      "network of the bench's own, started and ended by it");
  app.add_option("--validators", settings.validators, "nodes that vote")->capture_default_str();
  app.add_option("--observers", settings.observers, "nodes that follow")->capture_default_str();
  app.add_option("--consensus", consensus, "pbft or raft")
      ->check(CLI::IsMember({"pbft", "raft"}))
      ->capture_default_str();
  app.add_option("--ops-per-tx", settings.ops_per_tx, "operations a signature")
      ->capture_default_str();
  app.add_option("--tx-per-call", settings.tx_per_call, "transactions an HTTPS request")
      ->capture_default_str();
  app.add_option("--persons-per-call", settings.persons_per_call, "enrolment: persons a request")
      ->capture_default_str();
}

/// How much of it, and what happens meanwhile.
void add_load_options(CLI::App& app, bench::Settings& settings) {
  app.add_option("--clients", settings.clients, "requests under way at most")
      ->capture_default_str();
  app.add_option("--rate", settings.rate_per_s, "operations a second; 0: closed loop")
      ->capture_default_str();
  app.add_option("--background-rate", settings.background_rate,
                 "readings a second beside paid, enrolment or gateway; --ops-per-tx is theirs");
  app.add_option("--curve", settings.curve, "such rates one after the other, for example 2000,4000")
      ->delimiter(',');
  app.add_option("--plot", settings.plot_file, "SVG of latency against throughput");
  app.add_option("--overload", settings.overload,
                 "three loads: ordinary, so many times the clients, ordinary again");
  app.add_option_function<std::string>(
         "--fault",
         [&settings](const std::string& name) {
           for (const bench::Fault fault : bench::kFaults) {
             if (bench::fault_name(fault) == name) settings.fault = fault;
           }
         },
         "two loads: all well; then a backup killed, or a backup or the primary slow")
      ->check(CLI::IsMember({"backup-dead", "backup-slow", "primary-slow"}));
  app.add_option("--delay", settings.delay_ms,
                 "milliseconds that a slow validator's messages take, each way")
      ->capture_default_str();
  app.add_option("--warm-up", settings.warm_up_s, "seconds before the measured ones")
      ->capture_default_str();
  app.add_option("--duration", settings.duration_s, "measured seconds")->capture_default_str();
  app.add_option("--records", settings.records, "records that are read")->capture_default_str();
  app.add_option("--subjects", settings.subjects, "persons whose they are; paid: who are insured")
      ->capture_default_str();
  app.add_option("--other-records", settings.other_records, "records that only stand there")
      ->capture_default_str();
  app.add_option("--seed", settings.seed, "of what is drawn")->capture_default_str();
  app.add_option("--sample", settings.sample, "operations whose evidence is verified offline")
      ->capture_default_str();
}

void add_output_options(CLI::App& app, bench::Settings& settings) {
  app.add_option("--directory", settings.directory, "for the network's files; must be empty");
  app.add_flag("--keep", settings.keep, "leave the network's files");
  app.add_flag("--jrt0193", settings.jrt0193,
               "the five measures of JR/T 0193: rates of transactions and queries, synchronisation "
               "of a new node, deployment, growth of the ledger");
  app.add_flag("--compact", settings.compacts,
               "compact the stores before and after, and say what an operation takes");
  app.add_option("--node", settings.node_program, "the node's program")->capture_default_str();
  app.add_flag("--json", settings.json, "print JSON");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Drives a network of real nodes and measures it");
  app.footer(
      "Every figure is of certified operations: signed, ordered, executed by every node, durable.\n"
      "The JSON carries ops_per_s, p50_ms, p99_ms and every setting.\n\nExamples:\n"
      "  baolian-bench --workload readings --validators 4 --ops-per-tx 100 --duration 60 --json\n"
      "  baolian-bench --workload exchanged         (latency: of all three transactions)\n"
      "  baolian-bench --ops-per-tx 1 --tx-per-call 8 --clients 64\n"
      "  baolian-bench --rate 12000                 (open loop: latency at a load)\n"
      "  baolian-bench --curve 2000,4000,8000 --duration 20 --plot curve.svg\n"
      "  baolian-bench --ops-per-tx 1 --clients 1   (idle latency)\n"
      "  baolian-bench --workload paid --clients 1  (discharge to paid; an operation is a claim)\n"
      "  baolian-bench --workload paid --clients 1 --background-rate 7500\n"
      "  baolian-bench --workload enrolment --clients 8   (an operation is a person)\n"
      "  baolian-bench --workload gateway --clients 48    (one reading a request)\n"
      "  baolian-bench --network for-bench --records 2000 --other-records 0\n"
      "  baolian-bench --jrt0193 --duration 60      (five measures of JR/T 0193)\n"
      "  baolian-bench --overload 20                (20 times the clients, and the time after)\n"
      "  baolian-bench --fault primary-slow --delay 100");
  bench::Settings settings;
  settings.node_program = program_beside("baoliand");
  std::string consensus = "pbft";
  add_workload_options(app, settings, consensus);
  add_load_options(app, settings);
  add_output_options(app, settings);
  CLI11_PARSE(app, argc, argv);
  settings.consensus = *enum_from_name<crypto::ConsensusKind>(consensus);

  const auto result = bench::run(settings);
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
