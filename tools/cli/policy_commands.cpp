#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/output.h"

namespace baolian::cli {
namespace {

using nlohmann::json;

struct EnrolOptions {
  std::vector<std::string> persons;
  std::string product;
  std::string from;
  std::string to;
  std::string premium_class = "adult";
  bool attest = true;
};

Result<json> enrol(ApiClient& client, const EnrolOptions& options) {
  json lines = json::array();
  for (const auto& person : options.persons) {
    lines.push_back({{"person", {{"value", person}}},
                     {"class", options.premium_class},
                     {"from", options.from},
                     {"to", options.to},
                     {"premium_source", "cash"}});
  }
  return client.request_json("POST", "/v1/policies",
                             {{"product", options.product},
                              {"version", 1},
                              {"purposes", {"HPAYMT"}},
                              {"classes", {"bill", "clinical_summary", "document"}},
                              {"level_max", 3},
                              {"attest", options.attest},
                              {"lines", lines}});
}

void print_enrolled(const json& answer) {
  fmt::print("{} policies, consents {}; certified at height {} after {} ms\n",
             answer["policies"].size(),
             answer.value("attested", false) ? "attested" : "not attested: without effect",
             number_at(answer, "height"), number_at(answer, "certified_ms"));
  for (const auto& policy : answer["policies"]) fmt::print("  {}\n", policy.get<std::string>());
}

void add_register(CLI::App& app, Context& context) {
  auto* group = app.add_subcommand("product", "Products of an insurer");
  group->require_subcommand(1);
  add_product_commands(*group, context);
  add_publish_command(*group, context);
  auto* command = group->add_subcommand("register", "Register a product without content");
  command->footer(
      "Claims of such a product are filed and opened, never decided.\n\nExample:\n"
      "  baolian product register --from 2026-01-01 --to 2026-12-31");
  auto from = std::make_shared<std::string>("2026-01-01");
  auto to = std::make_shared<std::string>("2026-12-31");
  command->add_option("--from", *from, "first civil day on which cover may start");
  command->add_option("--to", *to, "last one");
  command->callback([from, to, &context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    const json body = {{"cover_basis", "discharge"},
                       {"per_claim_authorization", false},
                       {"payer_rank", 10},
                       {"premium_sources", {"cash"}},
                       {"from", *from},
                       {"to", *to}};
    show(context, client->request_json("POST", "/v1/products", body), [](const json& answer) {
      fmt::print("product {}, certified at height {}\n", text_at(answer, "product"),
                 number_at(answer, "height"));
    });
  });
}

}  // namespace

void add_policy_commands(CLI::App& app, Context& context) {
  add_register(app, context);
  auto* group = app.add_subcommand("policy", "Enrol insured persons");
  group->require_subcommand(1);
  add_policy_show_command(*group, context);
  auto* command = group->add_subcommand("enrol", "One policy and one consent a person");
  command->footer(
      "With attestation (the default) the node first asks the medical-insurance bureau's node.\n\n"
      "Example:\n  baolian policy enrol --product 9a… --person 999999198001010018 \\\n"
      "    --from 2026-01-01 --to 2026-12-31");
  auto options = std::make_shared<EnrolOptions>();
  command->add_option("--product", options->product, "product id")->required();
  command->add_option("--person", options->persons, "number of a person; may be repeated")
      ->required();
  command->add_option("--from", options->from, "first civil day of cover")->required();
  command->add_option("--to", options->to, "last civil day of cover")->required();
  command->add_option("--premium-class", options->premium_class, "adult, minor ...");
  command->add_flag("!--no-attest", options->attest, "do not ask the bureau");
  command->callback([options, &context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    show(context, enrol(*client, *options), print_enrolled);
  });
}

}  // namespace baolian::cli
