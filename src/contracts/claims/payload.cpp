#include "contracts/claims/payload.h"

#include "contracts/claims/amounts.h"

namespace baolian::contracts {
namespace {

Result<void> check_amount(const std::optional<std::uint64_t>& amount) {
  if (amount.value_or(0) > kAmountMax) {
    return fail(Errc::bad_amount, "the payload has an amount of 2^63 minor units or more");
  }
  return ok();
}

}  // namespace

std::string problem_text(const Problem& problem) {
  return std::string(enum_name(problem.code)) + ' ' + std::to_string(problem.detail);
}

Result<std::uint64_t> initial_balance(const Invoice& invoice) {
  if (!invoice.total) {
    return fail(Errc::bad_amount, "an invoice has no total; it cannot be reported without one");
  }
  TRY(std::uint64_t paid,
      add_amounts(invoice.basic_pool.value_or(0), invoice.serious_illness.value_or(0)));
  TRY(paid, add_amounts(paid, invoice.aid.value_or(0)));
  if (paid > *invoice.total) {
    return fail(Errc::bad_amount,
                "public payers' parts exceed the invoice total; correct the bill");
  }
  return *invoice.total - paid;
}

Result<void> check_payload(const ClaimPayload& payload) {
  for (const Invoice& invoice : payload.invoices) {
    for (const auto& amount : {invoice.total, invoice.basic_pool, invoice.serious_illness,
                               invoice.aid, invoice.account, invoice.cash, invoice.rest}) {
      TRY(check_amount(amount));
    }
  }
  for (const Item& item : payload.items) {
    if (item.invoice >= payload.invoices.size()) {
      return fail(Errc::bad_argument, "an item of the payload names an invoice that is not there");
    }
    TRY(check_amount(item.amount));
    TRY(check_amount(item.self_pay));
  }
  if (payload.openings.balances.size() != payload.invoices.size()) {
    return fail(Errc::bad_argument, "the payload does not open one balance for each invoice");
  }
  for (std::size_t i = 0; i < payload.invoices.size(); ++i) {
    TRY(const std::uint64_t balance, initial_balance(payload.invoices[i]));
    if (balance != payload.openings.balances[i].amount) {
      return fail(Errc::bad_argument, "the payload opens another balance than its invoice has");
    }
  }
  return ok();
}

}  // namespace baolian::contracts
