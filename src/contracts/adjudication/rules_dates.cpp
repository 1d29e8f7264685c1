/// Rule 2: what lies outside of the cover is not paid, and no accumulator moves for it.
#include "contracts/adjudication/rules.h"

namespace baolian::contracts {
namespace {

/// Why a day does not count; none if it does.
std::optional<ReasonCode> judge_day(const DecisionInput& input, std::uint32_t day) {
  if (day < input.policy.from_day || day > input.policy.to_day) return ReasonCode::outside_cover;
  const std::uint64_t waiting_ends =
      std::uint64_t{input.policy.from_day} + input.product.waiting_days;
  if (day < waiting_ends) return ReasonCode::in_waiting_period;
  return std::nullopt;
}

void judge_items(const DecisionInput& input, const AssembledBill& bill, DateFinding& out) {
  std::uint32_t outside = 0;
  std::uint32_t waiting = 0;
  out.item_out.assign(bill.items.size(), false);
  for (std::size_t i = 0; i < bill.items.size(); ++i) {
    const Item& item = *bill.items[i].item;
    const auto code = judge_day(input, item.day.value_or(input.payload.discharged_day));
    if (!code || item.amount.value_or(0) == 0) continue;
    out.item_out[i] = true;
    ++(*code == ReasonCode::outside_cover ? outside : waiting);
  }
  if (outside > 0) out.reasons.push_back({ReasonCode::outside_cover, outside});
  if (waiting > 0) out.reasons.push_back({ReasonCode::in_waiting_period, waiting});
}

void judge_stay(const DecisionInput& input, std::uint32_t day, DateFinding& out) {
  const auto code = judge_day(input, day);
  if (!code) return;
  out.stay_out = true;
  out.reasons.push_back({*code, 0});
}

}  // namespace

DateFinding check_dates(const DecisionInput& input, const AssembledBill& bill, Findings& findings) {
  const ClaimPayload& payload = input.payload;
  DateFinding out;
  if (payload.admitted_day > payload.discharged_day || payload.admitted > payload.discharged) {
    out.stay_out = true;
    out.reasons.push_back({ReasonCode::dates_reversed, 0});
  } else {
    switch (input.product.cover_basis) {
      case CoverBasis::admission:
        judge_stay(input, payload.admitted_day, out);
        break;
      case CoverBasis::discharge:
        judge_stay(input, payload.discharged_day, out);
        break;
      case CoverBasis::item_date:
        judge_items(input, bill, out);
        break;
    }
  }
  findings.trace.push_back({2,
                            1,
                            out.reasons.empty() ? TraceResult::passed : TraceResult::withheld,
                            {{"admitted_day", payload.admitted_day},
                             {"discharged_day", payload.discharged_day},
                             {"cover_from_day", input.policy.from_day},
                             {"cover_to_day", input.policy.to_day},
                             {"waiting_days", input.product.waiting_days}}});
  return out;
}

}  // namespace baolian::contracts
