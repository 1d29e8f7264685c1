// What an insurer and a bureau publish: products and code maps, and what a policy looks like.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/output.h"
#include "crypto/base64.h"
#include "gateway/code_map_json.h"
#include "gateway/money.h"
#include "gateway/product_json.h"
#include "gateway/table.h"

namespace baolian::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kContentBytesMax = 8 * 1024 * 1024;

struct PublishOptions {
  std::string file;
  std::string id;
  std::uint32_t version = 1;
};

json publish_body(const Bytes& content, const char* id_name, const PublishOptions& options) {
  json body = {{"content_base64", crypto::base64_encode(content)}, {"version", options.version}};
  if (!options.id.empty()) body[id_name] = options.id;
  return body;
}

Result<json> publish_product(Context& context, const PublishOptions& options) {
  TRY(const std::string text, read_text_file(options.file, kContentBytesMax));
  TRY(const contracts::Product product, gateway::read_product_json(text));
  TRY(contracts::check_product(product));
  TRY(ApiClient client, context.connect());
  return client.request_json("POST", "/v1/products",
                             publish_body(encode(product), "product", options));
}

Result<json> publish_map(Context& context, const PublishOptions& options) {
  TRY(const std::string text, read_text_file(options.file, kContentBytesMax));
  TRY(const contracts::CodeMap map, gateway::read_code_map_json(text));
  TRY(contracts::check_code_map(map));
  TRY(ApiClient client, context.connect());
  return client.request_json("POST", "/v1/catalog", publish_body(encode(map), "catalog", options));
}

void add_options(CLI::App& command, PublishOptions& options, const char* id_name) {
  command.add_option("file", options.file, "what to publish (JSON)")->required();
  command.add_option(id_name, options.id, "id of an earlier version; without it a new id is made");
  command.add_option("--version-number", options.version, "1, or the next one of that id");
}

void print_policy(const json& policy) {
  const std::string currency = policy.value("currency", "CNY");
  const auto money = [&](std::uint64_t minor) {
    return gateway::format_money(minor, gateway::currency_minor_digits(currency), currency);
  };
  fmt::print("policy   {}\nproduct  {} version {}\ncover    {} to {}, {}\npaid     {}\n",
             text_at(policy, "policy"), text_at(policy, "product"),
             number_at(policy, "product_version"), text_at(policy, "from"), text_at(policy, "to"),
             text_at(policy, "state"), money(number_at(policy, "paid_fen")));
  gateway::Table table({{"accumulator"}, {"amount", gateway::Align::right}});
  for (const auto& one : policy.value("accumulators", json::array())) {
    const std::uint64_t id = number_at(one, "id");
    const bool is_liability = (id & 0x8000U) != 0;
    table.add_row({is_liability ? fmt::format("paid, liability {}", id & 0x7FFFU)
                                : fmt::format("expense, group {}", id),
                   money(number_at(one, "amount_fen"))});
  }
  fmt::print("{}", table.text());
}

}  // namespace

void add_publish_command(CLI::App& product_group, Context& context) {
  auto* command = product_group.add_subcommand("publish", "Publish a product with its content");
  command->footer(
      "The content's hash stands on the chain; the content itself is public and is fetched by the\n"
      "other nodes.\n\nExamples:\n  baolian product publish examples/products/full-indemnity.json\n"
      "  baolian product publish next.json --product 9a… --version-number 2");
  auto options = std::make_shared<PublishOptions>();
  add_options(*command, *options, "--product");
  command->callback([options, &context] {
    show(context, publish_product(context, *options), [](const json& answer) {
      fmt::print("product {} version {}, certified at height {}\n", text_at(answer, "product"),
                 number_at(answer, "version"), number_at(answer, "height"));
    });
  });
}

void add_catalog_commands(CLI::App& app, Context& context) {
  auto* group = app.add_subcommand("catalog", "Code systems and maps between them");
  group->require_subcommand(1);
  auto* command = group->add_subcommand("publish", "Publish a code map");
  command->footer(
      "For a bureau, regulator or operator.\n\nExample:\n"
      "  baolian catalog publish examples/catalog/icd10-clinical-to-insurance.json");
  auto options = std::make_shared<PublishOptions>();
  add_options(*command, *options, "--catalog");
  command->callback([options, &context] {
    show(context, publish_map(context, *options), [](const json& answer) {
      fmt::print("catalogue {} version {}, certified at height {}\n", text_at(answer, "catalog"),
                 number_at(answer, "version"), number_at(answer, "height"));
    });
  });
}

void add_policy_show_command(CLI::App& policy_group, Context& context) {
  auto* command = policy_group.add_subcommand("show", "A policy and what its year has used up");
  command->footer(
      "Amounts are opened by the insurer's node.\n\nExample:\n  baolian policy show 5c…");
  auto id = std::make_shared<std::string>();
  command->add_option("policy", *id, "policy id")->required();
  command->callback([id, &context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    show(context, client->request_json("GET", "/v1/policies/" + *id), print_policy);
  });
}

}  // namespace baolian::cli
