#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/output.h"
#include "gateway/table.h"

namespace baolian::cli {
namespace {

/// PBFT: the view and its primary. Raft: the term and its leader, if this node knows one.
std::string agreement_line(const nlohmann::json& status) {
  const bool is_own = status.value("is_primary", false);
  const bool is_validator = text_at(status, "role") == "validator";
  const auto leader = status.find("leader");
  const bool is_known = leader != status.end() && leader->is_string();
  const std::string name = is_known ? leader->get<std::string>() : "";
  if (text_at(status, "consensus") == "raft") {
    // Only validators take part in elections: an observer never knows the term.
    const std::string who = is_own     ? "this node leads"
                            : is_known ? "led by " + name
                                       : "no leader is known here";
    return is_validator ? fmt::format("term        {}, {}", number_at(status, "term"), who)
                        : std::string("term        known to validators only");
  }
  const bool left = is_validator && !status.value("active", true);
  const std::string who = is_own     ? ", this node is the primary"
                          : is_known ? ", primary " + name
                                     : "";
  return fmt::format("view        {}{}{}", number_at(status, "view"), who,
                     left ? ", left; waiting for the next view" : "");
}

void print_status(const nlohmann::json& status) {
  fmt::print("{}  ({}, {})\n", text_at(status, "institution_name"), text_at(status, "name"),
             text_at(status, "role"));
  fmt::print("chain       {}\n", text_at(status, "chain_id"));
  fmt::print("height      {} executed, {} certified\n", number_at(status, "height"),
             number_at(status, "certified_height"));
  if (number_at(status, "base_height") > 0) {
    fmt::print("began with  a snapshot of block {}; older entries are not here\n",
               number_at(status, "base_height"));
  }
  const auto transfer = status.find("snapshot_transfer");
  if (transfer != status.end() && transfer->is_object()) {
    fmt::print("joining     snapshot of block {}: {} of {} chunks from {} peers\n",
               number_at(*transfer, "height"), number_at(*transfer, "chunks"),
               number_at(*transfer, "chunks_total"), number_at(*transfer, "sources"));
  }
  fmt::print("consensus   {}\n", text_at(status, "trust"));
  fmt::print("{}\n", agreement_line(status));
  fmt::print("state root  {}\n\n", text_at(status, "state_root"));
  gateway::Table table({{"peer"}, {"connected"}});
  for (const auto& peer : status.value("peers", nlohmann::json::array())) {
    table.add_row({text_at(peer, "name"), peer.value("connected", false) ? "yes" : "no"});
  }
  fmt::print("{}", table.text());
  for (const auto& warning : status.value("warnings", nlohmann::json::array())) {
    fmt::print("warning: {}\n", warning.get<std::string>());
  }
}

void print_contradictions(const nlohmann::json& answer) {
  gateway::Table table({{"validator"}, {"key"}, {"signed twice as"}, {"epoch"}});
  const auto found = answer.value("contradictions", nlohmann::json::array());
  for (const auto& one : found) {
    table.add_row({fmt::format("{}", number_at(one, "validator")), text_at(one, "key"),
                   text_at(one, "signed_as"), fmt::format("{}", number_at(one, "epoch"))});
  }
  fmt::print("{}", found.empty() ? "no validator contradicted itself\n" : table.text());
}

}  // namespace

void add_node_commands(CLI::App& app, Context& context) {
  auto* group = app.add_subcommand("node", "Look at the node of the profile");
  group->require_subcommand(1);
  auto* status = group->add_subcommand("status", "Height, view, peers, warnings");
  status->footer(
      "Example:\n  baolian --profile demo-network/profiles/bureau-auditor.json node status");
  status->callback([&context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    show(context, client->request_json("GET", "/v1/status"), print_status);
  });
  auto* contradictions = group->add_subcommand(
      "contradictions", "Validators that signed two things of which a correct one signs one");
  contradictions->footer(
      "Bodies and signatures are in the --json answer; anyone with the genesis can check them.\n"
      "Example:\n  baolian --profile demo-network/profiles/bureau-auditor.json --json node "
      "contradictions");
  contradictions->callback([&context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    show(context, client->request_json("GET", "/v1/contradictions"), print_contradictions);
  });
}

}  // namespace baolian::cli
