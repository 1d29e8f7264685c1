/// Rules 3 and 4: deductible and tiers on the expense of the year, cut to limits and to what
/// remains of each invoice.
#include <algorithm>

#include "contracts/adjudication/rules.h"
#include "core/assert.h"

namespace baolian::contracts {
namespace {

std::uint64_t less(std::uint64_t from, std::uint64_t take) { return from > take ? from - take : 0; }

void set_value(Accumulators& accumulators, std::uint16_t id, std::uint64_t amount) {
  for (AccumulatorValue& one : accumulators.values) {
    if (one.id == id) one.amount = amount;
  }
}

/// Runs through invoices and liabilities with what is used up so far.
class Payout {
 public:
  Payout(const DecisionInput& input, const AssembledBill& bill, const DateFinding& dates,
         const Decision& so_far)
      : input_(input),
        bill_(bill),
        dates_(dates),
        after_(so_far.before),
        payouts_(input.payload.invoices.size(), 0),
        claim_expense_(input.product.groups.size(), 0) {}

  bool run() {
    std::vector<std::vector<std::uint64_t>> eligible;
    for (const Liability& liability : input_.product.liabilities) {
      eligible.push_back(eligible_by_invoice(liability));
    }
    for (const std::size_t invoice : invoice_order(input_.payload)) {
      for (std::size_t l = 0; l < input_.product.liabilities.size(); ++l) {
        const Liability& liability = input_.product.liabilities[l];
        if (liability.decider != Decider::engine) continue;
        if (!pay(liability, invoice, eligible[l][invoice])) return false;
      }
      trace_invoice(invoice);
    }
    return true;
  }

  void into(Findings& findings, Decision& out) {
    findings.trace.insert(findings.trace.end(), trace_.begin(), trace_.end());
    out.lines = std::move(lines_);
    out.payable = after_.total_paid - out.before.total_paid;
    out.invoice_payouts = std::move(payouts_);
    out.after = std::move(after_);
  }

 private:
  std::vector<std::uint64_t> eligible_by_invoice(const Liability& liability) const {
    std::vector<std::uint64_t> out(input_.payload.invoices.size(), 0);
    if (liability.decider != Decider::engine) return out;
    for (std::size_t i = 0; i < bill_.items.size(); ++i) {
      const BillItem& one = bill_.items[i];
      if (!dates_.item_out.empty() && dates_.item_out[i]) continue;
      if (one.item->amount && is_eligible(liability, one)) {
        out[one.item->invoice] += *one.item->amount;
      }
    }
    return out;
  }

  /// A group of scope claim begins at 0 with each claim and leaves nothing behind.
  std::uint64_t expense(const DeductibleGroup& group) const {
    return group.scope == DeductibleScope::claim ? claim_expense_[group.id - 1U]
                                                 : after_.value(group_accumulator(group.id));
  }
  void set_expense(const DeductibleGroup& group, std::uint64_t amount) {
    if (group.scope == DeductibleScope::claim) {
      claim_expense_[group.id - 1U] = amount;
    } else {
      set_value(after_, group_accumulator(group.id), amount);
    }
  }

  bool pay(const Liability& liability, std::size_t invoice, std::uint64_t eligible) {
    const Product& product = input_.product;
    const DeductibleGroup* group = product.find_group(liability.group);
    ASSERT(group != nullptr);
    const std::uint16_t paid_id = liability_accumulator(liability.id);
    const std::uint64_t paid_before = after_.value(paid_id);
    const std::uint64_t invoice_left = less(input_.invoices[invoice].balance, payouts_[invoice]);
    const std::uint64_t limit_left = less(liability.limit, paid_before);
    const std::uint64_t total_left = less(product.total_limit, after_.total_paid);

    DecisionLine line{liability.id, static_cast<std::uint16_t>(invoice), eligible};
    line.expense_before = expense(*group);
    line.expense_after = line.expense_before + std::min(eligible, invoice_left);
    if (line.expense_after > kExpenseMax) return false;
    line.by_tiers = cumulative_payout(*group, product.rounding, line.expense_after) -
                    cumulative_payout(*group, product.rounding, line.expense_before);
    line.paid = std::min({line.by_tiers, limit_left, total_left, invoice_left});

    set_expense(*group, line.expense_after);
    set_value(after_, paid_id, paid_before + line.paid);
    after_.total_paid += line.paid;
    payouts_[invoice] += line.paid;
    trace_line(line, invoice_left, limit_left, total_left);
    lines_.push_back(line);
    return true;
  }

  void trace_line(const DecisionLine& line, std::uint64_t invoice_left, std::uint64_t limit_left,
                  std::uint64_t total_left) {
    const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
    trace_.push_back({4,
                      1,
                      TraceResult::applied,
                      {{"liability", line.liability},
                       {"invoice", line.invoice},
                       {"eligible", number(line.eligible)},
                       {"invoice_left", number(invoice_left)},
                       {"expense_before", number(line.expense_before)},
                       {"expense_after", number(line.expense_after)},
                       {"by_tiers", number(line.by_tiers)},
                       {"limit_left", number(limit_left)},
                       {"total_left", number(total_left)},
                       {"paid", number(line.paid)}}});
  }

  void trace_invoice(std::size_t invoice) {
    const std::uint64_t balance = input_.invoices[invoice].balance;
    trace_.push_back({3,
                      1,
                      TraceResult::applied,
                      {{"invoice", static_cast<std::int64_t>(invoice)},
                       {"balance_before", static_cast<std::int64_t>(balance)},
                       {"paid", static_cast<std::int64_t>(payouts_[invoice])},
                       {"balance_after", static_cast<std::int64_t>(balance - payouts_[invoice])}}});
  }

  const DecisionInput& input_;
  const AssembledBill& bill_;
  const DateFinding& dates_;
  Accumulators after_;
  std::vector<std::uint64_t> payouts_;
  std::vector<std::uint64_t> claim_expense_;
  std::vector<DecisionLine> lines_;
  std::vector<TraceStep> trace_;
};

}  // namespace

std::vector<std::size_t> invoice_order(const ClaimPayload& payload) {
  std::vector<std::size_t> out(payload.invoices.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = i;
  std::stable_sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) {
    const Invoice& x = payload.invoices[a];
    const Invoice& y = payload.invoices[b];
    return x.code != y.code ? x.code < y.code : x.number < y.number;
  });
  return out;
}

bool compute_payout(const DecisionInput& input, const AssembledBill& bill, const DateFinding& dates,
                    Findings& findings, Decision& out) {
  Payout payout(input, bill, dates, out);
  if (!payout.run()) return false;
  payout.into(findings, out);
  return true;
}

}  // namespace baolian::contracts
