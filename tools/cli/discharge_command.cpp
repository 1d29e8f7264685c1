#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/output.h"
#include "gateway/dry_run.h"
#include "gateway/fhir.h"
#include "gateway/money.h"

namespace baolian::cli {
namespace {

using nlohmann::json;

struct DischargeOptions {
  std::string file;
  bool dry_run = false;
  bool base_cost_item = false;
  std::string currency = "CNY";
  int utc_offset_minutes = 480;
};

void dry_run(Context& context, const DischargeOptions& options) {
  gateway::FhirOptions fhir;
  fhir.currency = options.currency == "any" ? std::string() : options.currency;
  fhir.minor_digits = gateway::currency_minor_digits(options.currency);
  fhir.utc_offset_minutes = options.utc_offset_minutes;
  if (options.base_cost_item) fhir.base_cost_item = gateway::BaseCostItem::add;
  auto text = gateway::read_bundle_file(options.file);
  if (!text) return context.failed(text.error());
  auto discharges = gateway::read_discharges(*text, fhir);
  if (!discharges) return context.failed(discharges.error());
  std::fputs(context.json ? gateway::dry_run_json(*discharges).c_str()
                          : gateway::dry_run_text(*discharges, options.utc_offset_minutes).c_str(),
             stdout);
}

Result<json> post(Context& context, const DischargeOptions& options) {
  TRY(const std::string text, gateway::read_bundle_file(options.file));
  TRY(ApiClient client, context.connect());
  const std::string target =
      options.base_cost_item ? "/v1/discharges?base_cost_item=1" : "/v1/discharges";
  TRY(const std::string answer, client.request_text("POST", target, text, "application/fhir+json"));
  json parsed = json::parse(answer, nullptr, false);
  if (parsed.is_discarded()) return fail(Errc::bad_json, "the node's answer is no JSON");
  return parsed;
}

void print_discharges(const json& answer) {
  for (const auto& discharge : answer["discharges"]) {
    fmt::print("{}  {}  reported in {} ms\n", text_at(discharge, "encounter"),
               text_at(discharge, "outcome"),
               number_at(discharge.value("stages_ms", json::object()), "certified"));
    for (const auto& claim : discharge.value("claims", json::array())) {
      fmt::print("  claim {} at {}\n", text_at(claim, "claim"), text_at(claim, "insurer_name"));
    }
    for (const auto& problem : discharge.value("problems", json::array())) {
      fmt::print("  problem: {}\n", problem.get<std::string>());
    }
    if (discharge.value("outcome", "") == "rejected") {
      fmt::print("  rejected: {}\n", text_at(discharge, "code"));
    }
  }
}

}  // namespace

void add_discharge_command(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("discharge", "Report the discharges of a FHIR R4 bundle");
  command->footer(
      "Each finished inpatient Encounter becomes one report; where a policy and an effective\n"
      "consent exist, a claim is filed by itself. --dry-run shows what would be read, without a\n"
      "node.\n\nExamples:\n"
      "  baolian discharge examples/discharges/published_case.json\n"
      "  baolian --json discharge bundle.json --dry-run --currency USD --base-cost-item");
  auto options = std::make_shared<DischargeOptions>();
  command->add_option("file", options->file, "FHIR R4 bundle (JSON)")->required();
  command->add_flag("--dry-run", options->dry_run, "read the file only; no node is needed");
  command->add_flag("--base-cost-item", options->base_cost_item,
                    "where the items of an invoice are less than its total, add one line of the\n"
                    "difference, named as added: Synthea puts an encounter's base cost into the\n"
                    "total only. Said as the problem base_cost_item_added");
  command->add_option("--currency", options->currency,
                      "with --dry-run: ISO 4217 code the amounts must be in, or 'any'");
  command->add_option("--utc-offset", options->utc_offset_minutes,
                      "with --dry-run: civil zone in minutes east of UTC");
  command->add_flag("--json", context.json, "JSON for programs");
  command->callback([options, &context] {
    if (options->dry_run) return dry_run(context, *options);
    show(context, post(context, *options), print_discharges);
  });
}

}  // namespace baolian::cli
