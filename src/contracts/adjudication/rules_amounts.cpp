/// Rule 1: a bill that does not add up is not decided, it waits for the paper that is missing.
#include <algorithm>

#include "contracts/adjudication/rules.h"
#include "core/assert.h"

namespace baolian::contracts {
namespace {

bool small(std::uint64_t amount) { return amount <= kExpenseMax; }
bool small(const std::optional<std::uint64_t>& amount) { return small(amount.value_or(0)); }

/// Sum of the items' amounts by invoice; what is above kExpenseMax stays just above it.
std::vector<std::uint64_t> item_sums(const DecisionInput& input, const AssembledBill& bill) {
  std::vector<std::uint64_t> out(input.payload.invoices.size(), 0);
  for (const BillItem& one : bill.items) {
    ASSERT(one.item->invoice < out.size());
    std::uint64_t& sum = out[one.item->invoice];
    sum = add_limited(sum, std::min(one.item->amount.value_or(0), kExpenseMax + 1));
  }
  return out;
}

std::uint64_t known_parts(const Invoice& invoice) {
  std::uint64_t out = 0;
  for (const auto& part : {invoice.basic_pool, invoice.serious_illness, invoice.aid,
                           invoice.account, invoice.cash, invoice.rest}) {
    out = add_limited(out, part.value_or(0));
  }
  return out;
}

bool parts_add_up(const Invoice& invoice) {
  const std::uint64_t parts = known_parts(invoice);
  return invoice.rest ? parts == *invoice.total : parts <= *invoice.total;
}

/// Returns: whether the invoice adds up, so that an item without amount can only be 0.
bool check_invoice(std::size_t index, const Invoice& invoice, std::uint64_t items,
                   Findings& findings) {
  TraceStep step{1, 1, TraceResult::passed, {{"invoice", static_cast<std::int64_t>(index)}}};
  step.inputs.push_back({"items", static_cast<std::int64_t>(items)});
  const auto missing = [&](ReasonCode code) {
    findings.paper(code, index);
    step.result = TraceResult::paper;
  };
  if (!invoice.total) {
    missing(ReasonCode::invoice_without_total);
  } else {
    step.inputs.push_back({"total", static_cast<std::int64_t>(*invoice.total)});
    step.inputs.push_back({"parts", static_cast<std::int64_t>(known_parts(invoice))});
    if (!parts_add_up(invoice)) missing(ReasonCode::payment_parts_mismatch);
    if (items != *invoice.total) missing(ReasonCode::items_total_mismatch);
  }
  findings.trace.push_back(std::move(step));
  return invoice.total && items == *invoice.total;
}

/// A liability that pays class C only must know the class of each item that it could pay.
bool asks_for_class(const Product& product, const Item& item) {
  return std::any_of(product.liabilities.begin(), product.liabilities.end(),
                     [&](const Liability& liability) {
                       return liability.decider == Decider::engine &&
                              liability.base == ExpenseBase::outside_catalogue &&
                              liability.takes_code(item.system, item.code);
                     });
}

void check_classes(const DecisionInput& input, const AssembledBill& bill, Findings& findings) {
  std::int64_t unknown = 0;
  for (std::size_t i = 0; i < bill.items.size(); ++i) {
    const BillItem& one = bill.items[i];
    if (one.catalogue_class != CatalogueClass::unknown || one.item->amount.value_or(0) == 0) {
      continue;
    }
    if (!asks_for_class(input.product, *one.item)) continue;
    findings.paper(ReasonCode::class_unknown, i);
    ++unknown;
  }
  findings.trace.push_back({1,
                            1,
                            unknown > 0 ? TraceResult::paper : TraceResult::passed,
                            {{"items_of_unknown_class", unknown}}});
}

}  // namespace

std::uint64_t add_limited(std::uint64_t a, std::uint64_t b) {
  return std::min(a + b, kExpenseMax + 1);
}

bool amounts_computable(const DecisionInput& input, const AssembledBill& bill) {
  std::uint64_t billed = 0;
  for (const Invoice& invoice : input.payload.invoices) {
    for (const auto& amount : {invoice.total, invoice.basic_pool, invoice.serious_illness,
                               invoice.aid, invoice.account, invoice.cash, invoice.rest}) {
      if (!small(amount)) return false;
    }
    if (!small(known_parts(invoice))) return false;
    billed = add_limited(billed, invoice.total.value_or(0));
  }
  for (const std::uint64_t sum : item_sums(input, bill)) {
    if (!small(sum)) return false;
  }
  const auto& kept = input.accumulators;
  return small(billed) && small(kept.total_paid) &&
         std::all_of(input.invoices.begin(), input.invoices.end(),
                     [](const InvoiceStanding& one) { return small(one.balance); }) &&
         std::all_of(kept.values.begin(), kept.values.end(),
                     [](const AccumulatorValue& one) { return small(one.amount); });
}

void check_amounts(const DecisionInput& input, const AssembledBill& bill, Findings& findings) {
  const auto sums = item_sums(input, bill);
  std::vector<bool> adds_up;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    adds_up.push_back(check_invoice(i, input.payload.invoices[i], sums[i], findings));
  }
  for (std::size_t i = 0; i < bill.items.size(); ++i) {
    const Item& item = *bill.items[i].item;
    if (!item.amount && !adds_up[item.invoice]) {
      findings.paper(ReasonCode::item_without_amount, i);
    }
  }
  check_classes(input, bill, findings);
}

}  // namespace baolian::contracts
