#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/output.h"
#include "gateway/table.h"

namespace baolian::cli {
namespace {

using nlohmann::json;

void print_claims(const json& answer) {
  gateway::Table table({{"claim"}, {"state"}, {"insurer"}, {"reported by"}, {"filed"}});
  for (const auto& claim : answer["claims"]) {
    table.add_row({text_at(claim, "claim"), text_at(claim, "state"), text_at(claim, "insurer_name"),
                   text_at(claim, "reporter_name"), iso_time(number_at(claim, "filed_ms"))});
  }
  fmt::print("{}", table.text());
}

void print_claim(const json& claim) {
  for (const auto& [name, value] : claim.items()) {
    const bool is_time = name.ends_with("_ms") && value.is_number_unsigned();
    fmt::print("{:<16} {}\n", name,
               is_time ? iso_time(value.get<std::uint64_t>()) : text_at(claim, name.c_str()));
  }
}

void print_timeline(const json& answer) {
  gateway::Table table({{"time"},
                        {"ms", gateway::Align::right},
                        {"height", gateway::Align::right},
                        {"operation"},
                        {"event"},
                        {"by"}});
  std::uint64_t first = 0;
  for (const auto& entry : answer["entries"]) {
    const std::uint64_t time = number_at(entry, "time_ms");
    if (first == 0) first = time;
    table.add_row({iso_time(time), fmt::format("+{}", time - first),
                   std::to_string(number_at(entry, "height")), text_at(entry, "operation"),
                   text_at(entry, "event"), text_at(entry, "institution_name")});
  }
  fmt::print("{}", table.text());
}

}  // namespace

void add_claim_commands(CLI::App& app, Context& context) {
  auto* group = app.add_subcommand("claim", "Claims of the node's institution");
  group->require_subcommand(1);

  add_decision_commands(*group, context);

  auto* list = group->add_subcommand("list", "All claims, newest last");
  list->footer("Example:\n  baolian claim list --state opened");
  auto state = std::make_shared<std::string>();
  list->add_option("--state", *state, "only claims in this state");
  list->callback([state, &context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    const std::string target = state->empty() ? "/v1/claims" : "/v1/claims?state=" + *state;
    show(context, client->request_json("GET", target), print_claims);
  });

  auto id = std::make_shared<std::string>();
  auto* one = group->add_subcommand("show", "One claim with all its fields");
  one->add_option("claim", *id, "claim id")->required();
  one->footer("Example:\n  baolian claim show 41d0…");
  one->callback([id, &context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    show(context, client->request_json("GET", "/v1/claims/" + *id), print_claim);
  });

  auto* timeline = group->add_subcommand("timeline", "What happened to a claim, with times");
  timeline->add_option("claim", *id, "claim id")->required();
  timeline->footer("Example:\n  baolian claim timeline 41d0…");
  timeline->callback([id, &context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    show(context, client->request_json("GET", "/v1/claims/" + *id + "/timeline"), print_timeline);
  });
}

}  // namespace baolian::cli
