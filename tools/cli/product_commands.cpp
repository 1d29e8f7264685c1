/// product check, product explain: products as files, without any node. What explain prints is
/// personal data of whoever's bill it is: for the screen of who holds the file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <optional>

#include "cli/commands.h"
#include "cli/output.h"
#include "contracts/adjudication/decision.h"
#include "contracts/adjudication/explain.h"
#include "gateway/code_map_json.h"
#include "gateway/fhir.h"
#include "gateway/money.h"
#include "gateway/product_json.h"
#include "gateway/supplement_json.h"
#include "gateway/table.h"

namespace baolian::cli {
namespace {

using contracts::Decision;
using contracts::Language;
using contracts::Product;
using nlohmann::json;

/// A whole file; an error names it, since a command reads several.
Result<std::string> read_text(const std::string& path, std::size_t bytes_max) {
  auto text = gateway::read_bundle_file(path, bytes_max);
  if (!text) return fail(text.error().code, path + " cannot be read, or is too large");
  return text;
}

Result<Product> read_product(const std::string& path) {
  TRY(const std::string text, read_text(path, gateway::kProductBytesMax));
  return gateway::read_product_json(text);
}

// ---------------------------------------------------------------- check

Result<json> check(const std::string& path) {
  TRY(const Product product, read_product(path));
  json values = json::array();
  for (const auto& one : gateway::product_values(product)) {
    values.push_back({{"path", one.path},
                      {"value", one.value},
                      {"provenance", std::string(enum_name(one.provenance->kind))},
                      {"source", one.provenance->source}});
  }
  return json{{"name", {{"zh", product.name.zh}, {"en", product.name.en}}},
              {"content_hash", contracts::product_content_hash(product).hex()},
              {"order_free", contracts::is_order_free(product)},
              {"values", values}};
}

void print_checked(const json& answer) {
  fmt::print("{}\n{}\ncontent hash {}\n", gateway::printable(text_at(answer["name"], "zh")),
             gateway::printable(text_at(answer["name"], "en")), text_at(answer, "content_hash"));
  fmt::print("{}\n\n", answer["order_free"].get<bool>()
                           ? "order-free: the year's sum does not depend on the order of bills"
                           : "not order-free: the year's sum may depend on the order of bills");
  gateway::Table table({{"value"}, {""}, {"provenance"}, {"source"}});
  for (const auto& one : answer["values"]) {
    table.add_row({gateway::printable(text_at(one, "path")),
                   gateway::printable(text_at(one, "value")), text_at(one, "provenance"),
                   gateway::printable(text_at(one, "source"))});
  }
  fmt::print("{}", table.text());
}

void add_check(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand("check", "Read a product's file and check all of it");
  command->footer(
      "Needs no node. Says whether the product is order-free, the hash under which its content\n"
      "stands on the chain, and where each value comes from.\n\nExample:\n"
      "  baolian product check examples/products/tyynb-2023.json");
  auto file = std::make_shared<std::string>();
  command->add_option("file", *file, "product (JSON)")->required();
  command->callback([file, &context] { show(context, check(*file), print_checked); });
}

// ---------------------------------------------------------------- explain

struct ExplainOptions {
  std::string file;
  std::string bill;
  std::string map;
  std::vector<std::string> supplements;
  std::vector<std::string> paid;
  std::vector<std::string> expense;
  std::string language = "en";
};

/// "1=630.00" as (1, 63000).
Result<std::pair<std::uint16_t, std::uint64_t>> numbered_amount(const std::string& text,
                                                                unsigned minor_digits) {
  const std::size_t sign = text.find('=');
  const Error malformed = fail(Errc::bad_argument, "write --paid and --expense as NUMBER=AMOUNT");
  if (sign == std::string::npos || sign == 0) return malformed;
  const auto number = gateway::parse_amount(text.substr(0, sign), 0);
  if (!number || *number > 0x7FFF) return malformed;
  TRY(const std::uint64_t amount, gateway::parse_amount(text.substr(sign + 1), minor_digits));
  return std::pair{static_cast<std::uint16_t>(*number), amount};
}

Result<contracts::Accumulators> accumulators(const Product& product,
                                             const ExplainOptions& options) {
  contracts::Accumulators out;
  std::map<std::uint16_t, std::uint64_t> values;
  for (const auto& text : options.expense) {
    TRY(const auto one, numbered_amount(text, product.minor_digits));
    values[contracts::group_accumulator(one.first)] = one.second;
  }
  for (const auto& text : options.paid) {
    TRY(const auto one, numbered_amount(text, product.minor_digits));
    values[contracts::liability_accumulator(one.first)] = one.second;
    TRY(out.total_paid, gateway::add_amounts(out.total_paid, one.second));
  }
  for (const auto& [id, amount] : values) out.values.push_back({id, amount});
  return out;
}

json decision_json(const Product& product, const contracts::ClaimPayload& payload,
                   const Decision& decision, Language language) {
  json reasons = json::array();
  for (const auto& reason : decision.reasons) {
    reasons.push_back({{"code", std::string(enum_name(reason.code))},
                       {"detail", reason.detail},
                       {"text", contracts::reason_text(product, payload, reason, language)}});
  }
  json lines = json::array();
  for (const auto& line : decision.lines) {
    lines.push_back({{"liability", line.liability},
                     {"invoice", payload.invoices[line.invoice].number},
                     {"eligible_minor", line.eligible},
                     {"expense_before_minor", line.expense_before},
                     {"expense_after_minor", line.expense_after},
                     {"by_tiers_minor", line.by_tiers},
                     {"paid_minor", line.paid}});
  }
  return {{"encounter", payload.encounter_number},
          {"outcome", std::string(enum_name(decision.outcome))},
          {"billed_minor", decision.billed},
          {"payable_minor", decision.payable},
          {"withheld", std::string(enum_name(decision.withheld))},
          {"reasons", reasons},
          {"lines", lines},
          {"total_paid_after_minor", decision.after.total_paid},
          {"explanation", contracts::explain(product, payload, decision, language)}};
}

Result<std::vector<contracts::BillSupplement>> read_supplements(const Product& product,
                                                                const ExplainOptions& options) {
  std::vector<contracts::BillSupplement> out;
  for (const auto& path : options.supplements) {
    TRY(const std::string text, read_text(path, gateway::kSupplementBytesMax));
    TRY(auto one, gateway::read_supplement_json(text, product.minor_digits));
    out.push_back(std::move(one));
  }
  return out;
}

Result<json> explain(const ExplainOptions& options) {
  TRY(const Product product, read_product(options.file));
  TRY(auto kept, accumulators(product, options));
  TRY(const auto supplements, read_supplements(product, options));
  std::optional<contracts::CodeMap> map;
  if (!options.map.empty()) {
    TRY(const std::string text, read_text(options.map, gateway::kCodeMapBytesMax));
    TRY(map, gateway::read_code_map_json(text));
  }
  gateway::FhirOptions fhir;
  fhir.currency = product.currency;
  fhir.minor_digits = product.minor_digits;
  TRY(const std::string bundle, read_text(options.bill, gateway::kBundleBytesMax));
  TRY(const auto discharges, gateway::read_discharges(bundle, fhir));
  const Language language = options.language == "zh" ? Language::zh : Language::en;

  json decisions = json::array();
  for (const auto& discharge : discharges) {
    const auto& payload = discharge.payload;
    contracts::DecisionInput input{.product = product,
                                   .policy = {product.from_day, product.to_day},
                                   .accumulators = kept,
                                   .payload = payload,
                                   .supplements = supplements,
                                   .invoices = {},
                                   .map = map ? &*map : nullptr,
                                   .ruling = {}};
    for (const auto& invoice : payload.invoices) {
      const auto balance = contracts::initial_balance(invoice);
      input.invoices.push_back({balance ? *balance : 0});
    }
    const Decision decision = contracts::decide(input);
    decisions.push_back(decision_json(product, payload, decision, language));
    kept = decision.after;
  }
  return json{{"product", contracts::product_content_hash(product).hex()},
              {"currency", product.currency},
              {"decisions", decisions}};
}

void print_explained(const json& answer) {
  for (const auto& decision : answer["decisions"]) {
    fmt::print("{}  {}\n", gateway::printable(text_at(decision, "encounter")),
               text_at(decision, "outcome"));
    // Names of items come from the bill: no control character of theirs reaches the terminal.
    std::string_view rest = decision["explanation"].get_ref<const std::string&>();
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      fmt::print("{}\n", gateway::printable(rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    fmt::print("\n");
  }
}

void add_explain(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand("explain", "Decide a FHIR bundle's bills under a product");
  command->footer(
      "Needs no node and changes nothing: what the engine would decide, and why. The policy "
      "covers\n"
      "the product's days; the stays of a bundle follow each other in one policy year. Without\n"
      "--expense and --paid the year begins with the first of them.\n\nExamples:\n"
      "  baolian product explain examples/products/full-indemnity.json \\\n"
      "    --bill examples/discharges/published_case.json --language zh\n"
      "  baolian --json product explain tyynb.json --bill stay.json --expense 1=9150.00 \\\n"
      "    --paid 1=630.00");
  auto options = std::make_shared<ExplainOptions>();
  command->add_option("file", options->file, "product (JSON)")->required();
  command->add_option("--bill", options->bill, "FHIR R4 bundle (JSON)")->required();
  command->add_option("--map", options->map, "code map (JSON); without it codes are as written");
  command->add_option("--supplement", options->supplements,
                      "supplement to the bill (JSON); may be repeated");
  command->add_option("--expense", options->expense,
                      "GROUP=AMOUNT: expense of the year before; may be repeated");
  command->add_option("--paid", options->paid,
                      "LIABILITY=AMOUNT: paid in the year before; may be repeated");
  command->add_option("--language", options->language, "of the explanation: zh or en")
      ->check(CLI::IsMember({"zh", "en"}));
  command->callback([options, &context] { show(context, explain(*options), print_explained); });
}

}  // namespace

void add_product_commands(CLI::App& product_group, Context& context) {
  add_check(product_group, context);
  add_explain(product_group, context);
}

}  // namespace baolian::cli
