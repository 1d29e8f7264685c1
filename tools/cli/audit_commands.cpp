#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>

#include "cli/audit_query.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "gateway/table.h"

namespace baolian::cli {
namespace {

using nlohmann::json;

std::uint64_t now_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

Result<std::string> window(const AuditQuery& query) {
  std::uint64_t from = 0;
  std::uint64_t to = now_ms();
  if (!query.from.empty()) {
    TRY(from, parse_time(query.from));
  }
  if (!query.to.empty()) {
    TRY(to, parse_time(query.to));
  }
  return fmt::format("kind={}&id={}&from_ms={}&to_ms={}&min_height={}", query.kind, query.id, from,
                     to, query.min_height);
}

void print_log(const json& answer) {
  gateway::Table table({{"#", gateway::Align::right},
                        {"time"},
                        {"height", gateway::Align::right},
                        {"operation"},
                        {"outcome"},
                        {"institution"}});
  for (const auto& entry : answer["entries"]) {
    table.add_row({std::to_string(number_at(entry, "index")), iso_time(number_at(entry, "time_ms")),
                   std::to_string(number_at(entry, "height")), text_at(entry, "operation"),
                   text_at(entry, "outcome"), text_at(entry, "institution_name")});
  }
  fmt::print("{}{} entries in this window, {} in the whole list\n", table.text(),
             answer["entries"].size(), number_at(answer, "count"));
  if (const auto older = number_at(answer, "first_index_here"); older > 0) {
    fmt::print(
        "the first {} entries are older than the snapshot with which this node began and not "
        "here: ask another node\n",
        older);
  }
}

Result<json> ask(ApiClient& client, const AuditQuery& query) {
  TRY(const std::string where, window(query));
  TRY(json answer, client.request_json("GET", "/v1/audit/log?" + where));
  if (!query.prove.empty()) {
    TRY(const std::string evidence, client.request_text("GET", "/v1/audit/evidence?" + where));
    TRY(write_text_file(query.prove, evidence));
    answer["evidence"] = query.prove;
  }
  return answer;
}

void add_log_command(CLI::App& group, Context& context, const char* name, const char* kind,
                     const char* id_option, const char* what) {
  auto* command = group.add_subcommand(name, what);
  command->footer(
      fmt::format("Example:\n  baolian audit {} {} 77aa… --prove evidence.json", name, id_option));
  auto query = std::make_shared<AuditQuery>();
  query->kind = kind;
  command->add_option(id_option, query->id, "64 hexadecimal digits")->required();
  command->add_option("--kind", query->kind, "another kind of list (docs/formats.md)");
  add_window_options(*command, *query);
  command->callback([query, &context] { run_audit_query(context, *query); });
}

struct OperationQuery {
  std::uint64_t height = 0;
  std::uint32_t leaf = 0;
  std::string prove;
};

void add_operation_command(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand("operation", "Evidence of one operation and its receipt");
  command->footer(
      "Height and leaf stand in the answer to every write.\n\nExample:\n"
      "  baolian audit operation --height 12 --leaf 0 --prove evidence.json");
  auto query = std::make_shared<OperationQuery>();
  command->add_option("--height", query->height, "block height")->required();
  command->add_option("--leaf", query->leaf, "index in the block's operations")->required();
  command->add_option("--prove", query->prove, "write the evidence to this file")->required();
  command->callback([query, &context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    auto evidence = client->request_text(
        "GET", fmt::format("/v1/audit/evidence?height={}&leaf={}", query->height, query->leaf));
    if (!evidence) return context.failed(evidence.error());
    if (auto written = write_text_file(query->prove, *evidence); !written) {
      return context.failed(written.error());
    }
    show(context, Result<json>(json{{"evidence", query->prove}}), [](const json& answer) {
      fmt::print("evidence written to {}\n", text_at(answer, "evidence"));
    });
  });
}

}  // namespace

void add_window_options(CLI::App& command, AuditQuery& query) {
  command.add_option("--from", query.from, "start of the window, included");
  command.add_option("--to", query.to, "its end, not included; default now");
  command.add_option("--prove", query.prove, "write evidence that `baolian verify` takes");
  command.add_option(
      "--min-height", query.min_height,
      "answer only from this certified height on: what was acknowledged there by any "
      "node is in the answer");
}

void run_audit_query(Context& context, const AuditQuery& query) {
  auto client = context.connect();
  if (!client) return context.failed(client.error());
  show(context, ask(*client, query), [&](const json& answer) {
    print_log(answer);
    if (!query.prove.empty()) {
      fmt::print("evidence written to {}; check it with: baolian verify {} --genesis GENESIS\n",
                 query.prove, query.prove);
    }
  });
}

void add_audit_commands(CLI::App& app, Context& context) {
  auto* group = app.add_subcommand("audit", "Complete answers, with proof");
  group->require_subcommand(1);
  add_log_command(*group, context, "reads", "reads_of_record", "--record", "Readings of a record");
  add_log_command(*group, context, "claims", "claims_of_insurer", "--insurer",
                  "Claims of an insurer");
  add_log_command(*group, context, "log", "reads_by_institution", "--id", "Any complete list");
  add_log_command(*group, context, "payouts", "payouts_of_insurer", "--insurer",
                  "Payouts of an insurer");
  add_log_command(*group, context, "alarms", "alarms", "--id", "Deadlines that passed, and flags");
  add_payout_command(*group, context);
  add_operation_command(*group, context);
  add_verify_node_command(*group, context);
  auto* checkpoint = group->add_subcommand("checkpoint", "Newest certified header");
  checkpoint->footer("Example:\n  baolian --json audit checkpoint > checkpoint.json");
  auto min_height = std::make_shared<std::uint64_t>(0);
  checkpoint->add_option("--min-height", *min_height, "wait a little until the node has this one");
  checkpoint->callback([min_height, &context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    show(context,
         client->request_json("GET", fmt::format("/v1/checkpoint?min_height={}", *min_height)),
         [](const json& answer) { fmt::print("{}\n", answer.dump(1)); });
  });
}

}  // namespace baolian::cli
