#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands.h"
#include "cli/output.h"
#include "gateway/table.h"
#include "node/network_init.h"

namespace baolian::cli {
namespace {

struct InitOptions {
  std::string directory;
  std::string currency = "CNY";
  std::string chain_name;
  std::string consensus = "pbft";
  std::uint16_t base_port = 0;
  std::size_t departments = 0;
  std::vector<std::string> institutions;
  bool interactive_cost = false;
};

/// "slug:name:kind+kind:vote|observe"
Result<node::InstitutionPlan> parse_institution(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ':') {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  if (parts.size() != 4 || (parts[3] != "vote" && parts[3] != "observe")) {
    return fail(Errc::bad_argument,
                "--institution is slug:name:kind+kind:vote|observe, for example "
                "hospital-a:First Hospital:hospital:vote");
  }
  node::InstitutionPlan plan;
  plan.slug = parts[0];
  plan.name = parts[1];
  plan.votes = parts[3] == "vote";
  std::string kind;
  for (const char c : parts[2] + "+") {
    if (c != '+') {
      kind.push_back(c);
      continue;
    }
    const auto value = enum_from_name<ledger::InstitutionKind>(kind);
    if (!value) return fail(Errc::bad_argument, "unknown kind of institution: " + kind);
    plan.kinds.push_back(*value);
    kind.clear();
  }
  return plan;
}

Result<node::NetworkFiles> init(const InitOptions& options) {
  node::NetworkPlan plan = node::demo_plan(options.directory);
  plan.currency = options.currency;
  plan.base_port = options.base_port;
  const auto kind = enum_from_name<crypto::ConsensusKind>(options.consensus);
  if (!kind) {
    return fail(Errc::bad_argument, "unknown consensus " + options.consensus +
                                        ": pbft bears validators that lie, raft only crashes");
  }
  plan.consensus = *kind;
  if (!options.chain_name.empty()) plan.chain_name = options.chain_name;
  plan.keystore_cost = options.interactive_cost ? crypto::Keystore::Cost::interactive
                                                : crypto::Keystore::Cost::moderate;
  if (!options.institutions.empty()) {
    plan.institutions.clear();
    for (const auto& text : options.institutions) {
      TRY(node::InstitutionPlan institution, parse_institution(text));
      plan.institutions.push_back(std::move(institution));
    }
  }
  for (node::InstitutionPlan& institution : plan.institutions) {
    const auto& kinds = institution.kinds;
    const bool is_hospital =
        std::find(kinds.begin(), kinds.end(), ledger::InstitutionKind::hospital) != kinds.end();
    if (is_hospital) institution.departments = options.departments;
  }
  return node::init_network(plan);
}

nlohmann::json to_json(const node::NetworkFiles& files) {
  nlohmann::json nodes = nlohmann::json::array();
  for (const auto& node : files.nodes) {
    nodes.push_back({{"slug", node.slug},
                     {"name", node.name},
                     {"config", node.config_file},
                     {"api", "https://" + node.api_address},
                     {"votes", node.votes}});
  }
  return {{"genesis", files.genesis_file},
          {"chain_id", files.chain_id_hex},
          {"consensus", std::string(enum_name(files.epoch.consensus_kind))},
          {"trust", crypto::trust_words(files.epoch)},
          {"nodes", nodes},
          {"profiles", files.profiles}};
}

void print_people(const nlohmann::json& files) {
  fmt::print("chain {}\ngenesis {}\n{}\n\n", text_at(files, "chain_id"), text_at(files, "genesis"),
             text_at(files, "trust"));
  gateway::Table table({{"node"}, {"institution"}, {"role"}, {"API"}, {"start with"}});
  for (const auto& node : files["nodes"]) {
    table.add_row({text_at(node, "slug"), text_at(node, "name"),
                   node["votes"].get<bool>() ? "validator" : "observer", text_at(node, "api"),
                   "baoliand --config " + text_at(node, "config")});
  }
  fmt::print("{}\n{} profiles for the command line, for example\n  export BAOLIAN_PROFILE={}\n",
             table.text(), files["profiles"].size(),
             files["profiles"].empty() ? "" : files["profiles"][0].get<std::string>());
}

}  // namespace

void add_network_commands(CLI::App& app, Context& context) {
  auto* group = app.add_subcommand("network", "Lay out a network");
  group->require_subcommand(1);
  auto* command =
      group->add_subcommand("init", "Write genesis, keystores, configurations, profiles");
  command->footer(
      "Without --institution: two hospitals, two insurers, and an observer that is regulator and\n"
      "medical-insurance bureau.\n\n"
      "--consensus is what the chain trusts, and stays with it: pbft bears less than a third of\n"
      "validators that crash or lie; raft bears less than half that crash, and none that lies.\n\n"
      "Examples:\n"
      "  baolian network init demo-network --fast-keystores\n"
      "  baolian network init one-trust --consensus raft --fast-keystores\n"
      "  baolian network init for-bench --departments 4 --fast-keystores\n"
      "  baolian network init net --currency USD \\\n"
      "    --institution 'hospital-a:First Hospital:hospital:vote' \\\n"
      "    --institution 'insurer-a:Harbour Life:insurer:vote' \\\n"
      "    --institution 'bureau:Bureau:medical_insurance+regulator:observe'");
  auto options = std::make_shared<InitOptions>();
  command->add_option("directory", options->directory, "new directory")->required();
  command->add_option("--currency", options->currency, "ISO 4217 code of the chain");
  command->add_option("--name", options->chain_name, "name of the chain");
  command->add_option("--consensus", options->consensus, "pbft (default) or raft");
  command->add_option("--base-port", options->base_port, "first of the ports; default: free ones");
  command->add_option("--institution", options->institutions, "slug:name:kinds:vote|observe");
  command
      ->add_option("--departments", options->departments,
                   "systems of each hospital with a key of their own, 0 to 64: they sign "
                   "operations themselves")
      ->check(CLI::Range(0, 64));
  command->add_flag("--fast-keystores", options->interactive_cost,
                    "cheaper passphrase derivation, for trials of many nodes on one machine");
  command->callback([options, &context] {
    auto files = init(*options);
    if (!files) return context.failed(files.error());
    show(context, Result<nlohmann::json>(to_json(*files)), print_people);
  });
}

}  // namespace baolian::cli
