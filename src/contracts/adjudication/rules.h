/// The parts of decide(): the bill put together, and its rules one by one. Internal to this folder.
///
/// Views and pointers live as long as the DecisionInput.
#pragma once

#include <optional>
#include <vector>

#include "contracts/adjudication/decision.h"
#include "contracts/adjudication/payout.h"

namespace baolian::contracts {

/// a + b, but kExpenseMax + 1 for everything above kExpenseMax. Requires: each at most that.
std::uint64_t add_limited(std::uint64_t a, std::uint64_t b);

/// One line of the bill, with the class that a supplement may have given to it.
struct BillItem {
  const Item* item = nullptr;
  CatalogueClass catalogue_class = CatalogueClass::unknown;
};

/// The payload's items with what the supplements add.
struct AssembledBill {
  std::vector<BillItem> items;          ///< the payload's, then added lines
  std::vector<std::uint32_t> unusable;  ///< supplements that name what is not there; not applied
  std::vector<std::uint32_t> to_read;   ///< supplements without any fact
};
AssembledBill assemble(const DecisionInput& input);

/// What the rules found so far.
struct Findings {
  std::vector<DecisionReason> papers;
  std::vector<DecisionReason> persons;
  std::vector<TraceStep> trace;

  void paper(ReasonCode code, std::size_t detail);
  void person(ReasonCode code, std::size_t detail);
};

/// False if an amount or a sum is above kExpenseMax: nothing may be computed with it.
bool amounts_computable(const DecisionInput& input, const AssembledBill& bill);

/// Rule 1: parts and items give the total, and classes that are asked for are known.
void check_amounts(const DecisionInput& input, const AssembledBill& bill, Findings& findings);

/// Rules 10 and 11: excluded and ambiguous diagnoses, liabilities that a person decides.
void check_codes(const DecisionInput& input, const AssembledBill& bill, Findings& findings);

/// Rule 2.
struct DateFinding {
  std::vector<DecisionReason> reasons;  ///< why something is withheld
  bool stay_out = false;                ///< nothing of the stay is covered
  std::vector<bool> item_out;           ///< by item; empty = none
};
DateFinding check_dates(const DecisionInput& input, const AssembledBill& bill, Findings& findings);

/// Rules 3 and 4. Fills lines, payouts, payable and `after`.
/// Returns: false if an expense would be above kExpenseMax; then nothing of `out` is changed.
bool compute_payout(const DecisionInput& input, const AssembledBill& bill, const DateFinding& dates,
                    Findings& findings, Decision& out);

/// Whether the item is part of the liability's expense base. An unknown class is not class C.
bool is_eligible(const Liability& liability, const BillItem& item);

/// Indices of the payload's invoices in the order of (code, number).
std::vector<std::size_t> invoice_order(const ClaimPayload& payload);

}  // namespace baolian::contracts
