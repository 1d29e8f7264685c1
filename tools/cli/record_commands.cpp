#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/audit_query.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "crypto/base64.h"
#include "gateway/table.h"

namespace baolian::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kRecordFileMax = 20 * 1024 * 1024;

struct PutOptions {
  std::string file;
  std::string person;
  std::string record_class = "document";
  int level = 3;
};

Result<json> put(ApiClient& client, const PutOptions& options) {
  TRY(const std::string content, read_text_file(options.file, kRecordFileMax));
  return client.request_json("POST", "/v1/records",
                             {{"person", {{"value", options.person}}},
                              {"class", options.record_class},
                              {"level", options.level},
                              {"content_base64", crypto::base64_encode(as_bytes(content))}});
}

void add_put(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand("put", "Seal a document and register it");
  command->footer("Example:\n  baolian record put summary.pdf --person 9999… --class document");
  auto options = std::make_shared<PutOptions>();
  command->add_option("file", options->file, "document")->required()->check(CLI::ExistingFile);
  command->add_option("--person", options->person, "number of the person")->required();
  command->add_option("--class", options->record_class,
                      "administrative, bill, clinical_summary, document, image");
  command->add_option("--level", options->level, "confidentiality, 1 to 5");
  command->callback([options, &context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    show(context, put(*client, *options), [](const json& answer) {
      fmt::print("record {} version {}, certified at height {}\n", text_at(answer, "record"),
                 number_at(answer, "version"), number_at(answer, "height"));
    });
  });
}

struct ReadOptions {
  std::string record;
  std::string purpose = "TREAT";
  std::string output;
  bool request = false;
};

Result<json> read(ApiClient& client, const ReadOptions& options) {
  const std::string target =
      "/v1/records/" + options.record + (options.request ? "/request" : "/read");
  TRY(json answer, client.request_json("POST", target, {{"purpose", options.purpose}}));
  if (!options.output.empty() && answer.contains("content_base64")) {
    TRY(const Bytes content, crypto::base64_decode(text_at(answer, "content_base64")));
    TRY(write_text_file(options.output, as_text(content)));
    answer["written_to"] = options.output;
    answer.erase("content_base64");
  }
  return answer;
}

void print_read(const json& answer) {
  fmt::print("{}", text_at(answer, "outcome"));
  if (answer.value("outcome", "") == "denied") fmt::print(" ({})", text_at(answer, "code"));
  fmt::print(", recorded at height {}\n", number_at(answer, "height"));
  if (answer.contains("written_to")) {
    fmt::print("written to {}\n", text_at(answer, "written_to"));
  } else if (answer.contains("content_base64")) {
    auto content = crypto::base64_decode(text_at(answer, "content_base64"));
    if (content) fmt::print("{}\n", gateway::printable(as_text(*content)));
  }
}

void add_read(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand("read", "Read a record; the reading is recorded first");
  command->footer(
      "A record that this institution holds is opened here. With --request another institution's\n"
      "vault is asked: grant or denial is recorded.\n\nExamples:\n"
      "  baolian record read 77aa… --purpose TREAT\n"
      "  baolian record read 77aa… --request --purpose TREAT --output summary.pdf");
  auto options = std::make_shared<ReadOptions>();
  command->add_option("record", options->record, "record id")->required();
  command->add_option("--purpose", options->purpose, "TREAT, HPAYMT, HOPERAT ...");
  command->add_option("--output", options->output, "write the content to this file");
  command->add_flag("--request", options->request, "ask the custodian's vault");
  command->callback([options, &context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    auto answer = read(*client, *options);
    if (answer && answer->value("outcome", "") == "denied") context.exit = Exit::refused;
    show(context, answer, print_read);
  });
}

}  // namespace

void add_record_commands(CLI::App& app, Context& context) {
  auto* group = app.add_subcommand("record", "Medical records of the node's vault");
  group->require_subcommand(1);
  add_put(*group, context);
  add_read(*group, context);

  auto* list = group->add_subcommand("list", "What this vault holds");
  list->footer("Example:\n  baolian record list");
  list->callback([&context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    show(context, client->request_json("GET", "/v1/records"), [](const json& answer) {
      gateway::Table table(
          {{"record"}, {"version"}, {"class"}, {"level"}, {"custodian"}, {"held as"}});
      for (const auto& record : answer["records"]) {
        table.add_row({text_at(record, "record"), text_at(record, "version"),
                       text_at(record, "class"), text_at(record, "level"),
                       text_at(record, "custodian_name"), text_at(record, "held_as")});
      }
      fmt::print("{}", table.text());
    });
  });

  auto* log = group->add_subcommand("log", "Who read this record");
  log->footer("Example:\n  baolian record log 77aa… --prove evidence.json");
  auto query = std::make_shared<AuditQuery>();
  query->kind = "reads_of_record";
  log->add_option("record", query->id, "record id")->required();
  add_window_options(*log, *query);
  log->callback([query, &context] { run_audit_query(context, *query); });
}

}  // namespace baolian::cli
