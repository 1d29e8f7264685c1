#include "contracts/adjudication/decision.h"

#include <algorithm>

#include "contracts/adjudication/rules.h"
#include "core/assert.h"

namespace baolian::contracts {
namespace {

/// Every group of the policy year and every liability of the engine, also where nothing moves.
Accumulators looked_at(const DecisionInput& input) {
  Accumulators out;
  out.total_paid = input.accumulators.total_paid;
  const auto take = [&](std::uint16_t id) {
    out.values.push_back({id, input.accumulators.value(id)});
  };
  for (const DeductibleGroup& group : input.product.groups) {
    if (group.scope == DeductibleScope::policy_year) take(group_accumulator(group.id));
  }
  for (const Liability& liability : input.product.liabilities) {
    if (liability.decider == Decider::engine) take(liability_accumulator(liability.id));
  }
  return out;
}

std::uint64_t billed_total(const ClaimPayload& payload) {
  std::uint64_t out = 0;
  for (const Invoice& invoice : payload.invoices) {
    out = add_limited(out, std::min(invoice.total.value_or(0), kExpenseMax + 1));
  }
  return out;
}

void set_reasons(Decision& out, std::vector<DecisionReason> reasons) {
  std::sort(reasons.begin(), reasons.end());
  reasons.erase(std::unique(reasons.begin(), reasons.end()), reasons.end());
  if (reasons.size() > kReasonsMax) reasons.resize(kReasonsMax);
  out.reasons = std::move(reasons);
}

Decision wait(Decision out, Outcome outcome, std::vector<DecisionReason> reasons,
              Findings& findings) {
  out.outcome = outcome;
  set_reasons(out, std::move(reasons));
  out.trace = std::move(findings.trace);
  return out;
}

Decision pay_nothing(Decision out, std::vector<DecisionReason> reasons, Findings& findings) {
  out.outcome = Outcome::payable;
  out.withheld = Withheld::provisional;
  set_reasons(out, std::move(reasons));
  out.trace = std::move(findings.trace);
  return out;
}

/// What a ruling settles in the person's favour is forgotten; what it leaves unpaid is not.
std::vector<DecisionReason> left_by_ruling(const Findings& findings) {
  std::vector<DecisionReason> out = findings.papers;
  for (const DecisionReason& reason : findings.persons) {
    if (reason.code == ReasonCode::liability_by_person ||
        reason.code == ReasonCode::supplement_unusable) {
      out.push_back(reason);
    }
  }
  return out;
}

bool has_totals(const ClaimPayload& payload) {
  return std::all_of(payload.invoices.begin(), payload.invoices.end(),
                     [](const Invoice& invoice) { return invoice.total.has_value(); });
}

Decision pay_by_product(const DecisionInput& input, const AssembledBill& bill, Decision out,
                        Findings& findings) {
  std::vector<DecisionReason> reasons = left_by_ruling(findings);
  const DateFinding dates = check_dates(input, bill, findings);
  reasons.insert(reasons.end(), dates.reasons.begin(), dates.reasons.end());
  if (dates.stay_out) return pay_nothing(std::move(out), std::move(reasons), findings);
  if (!compute_payout(input, bill, dates, findings, out)) {
    return wait(std::move(out), Outcome::needs_person, {{ReasonCode::amount_too_large, 0}},
                findings);
  }
  out.outcome = Outcome::payable;
  if (out.payable == out.billed && has_totals(input.payload)) {
    out.withheld = Withheld::none;
  } else {
    out.withheld = reasons.empty() ? Withheld::declared : Withheld::provisional;
    set_reasons(out, std::move(reasons));
  }
  out.trace = std::move(findings.trace);
  return out;
}

/// Reasons for which the bill waits; none if it can be decided.
std::optional<Outcome> waits_for(const AssembledBill& bill, Findings& findings) {
  if (!findings.papers.empty()) {
    // Who answered with something that no program can use is not asked again: a person looks at it.
    for (const std::uint32_t index : bill.to_read) {
      findings.person(ReasonCode::supplement_to_read, index);
    }
    return bill.to_read.empty() && bill.unusable.empty() ? Outcome::needs_paper
                                                         : Outcome::needs_person;
  }
  if (!findings.persons.empty()) return Outcome::needs_person;
  return std::nullopt;
}

}  // namespace

void Findings::paper(ReasonCode code, std::size_t detail) {
  papers.push_back({code, static_cast<std::uint32_t>(detail)});
}

void Findings::person(ReasonCode code, std::size_t detail) {
  persons.push_back({code, static_cast<std::uint32_t>(detail)});
}

Decision decide(const DecisionInput& input) {
  ASSERT(input.invoices.size() == input.payload.invoices.size());
  const AssembledBill bill = assemble(input);
  Decision out;
  out.billed = billed_total(input.payload);
  out.invoice_payouts.assign(input.payload.invoices.size(), 0);
  out.before = looked_at(input);
  out.after = out.before;

  Findings findings;
  if (input.ruling && input.ruling->verdict == Verdict::decline) {
    return pay_nothing(std::move(out), {{ReasonCode::declined_by_person, 0}}, findings);
  }
  if (!amounts_computable(input, bill)) {
    return wait(std::move(out), Outcome::needs_person, {{ReasonCode::amount_too_large, 0}},
                findings);
  }
  check_amounts(input, bill, findings);
  for (const std::uint32_t index : bill.unusable) {
    findings.person(ReasonCode::supplement_unusable, index);
  }
  check_codes(input, bill, findings);
  if (!input.ruling) {
    if (const auto outcome = waits_for(bill, findings)) {
      std::vector<DecisionReason> reasons = findings.papers;
      if (*outcome == Outcome::needs_person) {
        reasons.insert(reasons.end(), findings.persons.begin(), findings.persons.end());
      }
      return wait(std::move(out), *outcome, std::move(reasons), findings);
    }
  }
  return pay_by_product(input, bill, std::move(out), findings);
}

}  // namespace baolian::contracts
