#include "gateway/dry_run.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "gateway/dates.h"
#include "gateway/money.h"
#include "gateway/table.h"

namespace baolian::gateway {
namespace {

using Json = nlohmann::ordered_json;

std::optional<std::uint64_t> total_of(const ClaimPayload& payload) {
  std::uint64_t sum = 0;
  for (const Invoice& invoice : payload.invoices) {
    if (!invoice.total) return std::nullopt;
    const Result<std::uint64_t> more = add_amounts(sum, *invoice.total);
    if (!more.has_value()) return std::nullopt;
    sum = *more;
  }
  return sum;
}

Json amount_json(const std::optional<std::uint64_t>& amount) {
  return amount ? Json(*amount) : Json(nullptr);
}

std::string amount_text(const std::optional<std::uint64_t>& amount, const Discharge& discharge) {
  return amount ? format_money(*amount, discharge.minor_digits, {}) : "-";
}

std::string problem_sentence(const Problem& problem, const Discharge& discharge) {
  std::string out = "  ! " + problem_text(problem);
  if (problem.code == ProblemCode::base_cost_item_added) {
    return out + fmt::format(": a line of {} that the source does not have\n",
                             format_money(static_cast<std::uint64_t>(problem.detail),
                                          discharge.minor_digits, discharge.currency));
  }
  const bool is_money = problem.code == ProblemCode::items_total_mismatch ||
                        problem.code == ProblemCode::payment_parts_mismatch;
  if (!is_money) return out + '\n';
  const bool less = problem.detail >= 0;
  const auto minor = static_cast<std::uint64_t>(less ? problem.detail : -problem.detail);
  const char* what = problem.code == ProblemCode::items_total_mismatch ? "items" : "payment parts";
  return out + fmt::format(": the {} sum to {} {} than the total\n", what,
                           format_money(minor, discharge.minor_digits, discharge.currency),
                           less ? "less" : "more");
}

std::string item_table(const Discharge& discharge) {
  Table table({{"", Align::left},
               {"code", Align::left},
               {"name", Align::left},
               {"class", Align::left},
               {"amount", Align::right},
               {"self-pay", Align::right}});
  for (const Item& item : discharge.payload.items) {
    table.add_row({"", item.code, item.name, std::string(enum_name(item.catalogue_class)),
                   amount_text(item.amount, discharge), amount_text(item.self_pay, discharge)});
  }
  return table.text();
}

}  // namespace

std::string dry_run_json(const std::vector<Discharge>& discharges) {
  Json list = Json::array();
  for (const Discharge& discharge : discharges) {
    Json items = Json::array();
    for (const Item& item : discharge.payload.items) {
      items.push_back(Json{{"code", item.code}, {"amount_minor", amount_json(item.amount)}});
    }
    Json problems = Json::array();
    for (const Problem& problem : discharge.payload.problems) {
      problems.push_back(problem_text(problem));
    }
    list.push_back(Json{{"encounter", discharge.payload.encounter_number},
                        {"admitted", discharge.admitted_text},
                        {"discharged", discharge.discharged_text},
                        {"currency", discharge.currency},
                        {"total_minor", amount_json(total_of(discharge.payload))},
                        {"items", std::move(items)},
                        {"problems", std::move(problems)}});
  }
  return Json{{"discharges", std::move(list)}}.dump(2) + '\n';
}

std::string dry_run_text(const std::vector<Discharge>& discharges, int utc_offset_minutes) {
  std::string out = fmt::format("{} discharge{} (dry run: nothing was sent)\n", discharges.size(),
                                discharges.size() == 1 ? "" : "s");
  for (const Discharge& discharge : discharges) {
    const ClaimPayload& payload = discharge.payload;
    const auto total = total_of(payload);
    out += fmt::format(
        "\n{}  {} to {}  {}\n", printable(payload.encounter_number),
        format_time(payload.admitted, utc_offset_minutes),
        format_time(payload.discharged, utc_offset_minutes),
        total ? format_money(*total, discharge.minor_digits, discharge.currency) : "total unknown");
    if (!payload.department.empty()) out += "  " + printable(payload.department) + '\n';
    if (!payload.items.empty()) out += item_table(discharge);
    for (const Problem& problem : payload.problems) out += problem_sentence(problem, discharge);
  }
  return out;
}

}  // namespace baolian::gateway
