/// Rule 0: what the chain says of a report is recomputed from the opened payload. A difference is
/// a dispute, and then nothing is decided.
#pragma once

#include <optional>
#include <vector>

#include "contracts/adjudication/bill.h"
#include "contracts/claims/operations.h"

namespace baolian::contracts {

/// What stands on the chain of one report, and for whom its claim was filed.
struct ReportOnChain {
  Commitment subject_commitment;
  Commitment record_list;
  std::uint16_t first_month = 0;
  std::uint16_t last_month = 0;
  std::optional<SubjectId> care_subject;  ///< as disclosed by the filing; none before any
  SubjectId insured;                      ///< the claim's
  SubjectId insured_derived;              ///< what the insurer derived from the payload's person
  std::vector<InvoiceLine> invoices;      ///< with the balances of the report, not of today
};

/// Returns: every difference, ascending; empty if chain and payload say the same. Total: any
/// payload that decodes has an answer.
std::vector<ReportDifference> compare_report(const ReportOnChain& report,
                                             const ClaimPayload& payload);

/// The tag of each invoice of the payload, in the payload's order. Tags are keyed, so an insurer
/// cannot compute them: it finds each by its balance, whose opening the payload has.
/// Returns: Errc::bad_commitment if an invoice of either side has no counterpart of its own.
Result<std::vector<Tag32>> match_invoices(const ClaimPayload& payload,
                                          const std::vector<InvoiceLine>& invoices);

}  // namespace baolian::contracts
