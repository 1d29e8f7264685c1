#include "contracts/adjudication/report_check.h"

#include <algorithm>

#include "contracts/calendar.h"
#include "crypto/commitment.h"

namespace baolian::contracts {
namespace {

bool subject_opens(const ReportOnChain& report, const SubjectOpening& opening) {
  const Commitment computed =
      crypto::commit(crypto::domain::kSubject, opening.salt, encode(opening.subject));
  return computed == report.subject_commitment && opening.subject.is_care();
}

bool same_months(const ReportOnChain& report, const ClaimPayload& payload) {
  return civil_month(payload.admitted_day) == report.first_month &&
         civil_month(payload.discharged_day) == report.last_month;
}

// A bill that states no sound total was reported with nothing payable.
bool balances_are_initial(const ClaimPayload& payload) {
  if (payload.openings.balances.size() != payload.invoices.size()) return false;
  for (std::size_t i = 0; i < payload.invoices.size(); ++i) {
    const auto balance = initial_balance(payload.invoices[i]);
    if (payload.openings.balances[i].amount != (balance ? *balance : 0)) return false;
  }
  return true;
}

bool list_opens(const ReportOnChain& report, const ClaimPayload& payload) {
  // A longer list cannot be committed to at all: RecordList takes 64.
  if (payload.records.size() > 64) return false;
  return commit_record_list(payload.openings.record_list_salt, payload.records) ==
         report.record_list;
}

}  // namespace

Result<std::vector<Tag32>> match_invoices(const ClaimPayload& payload,
                                          const std::vector<InvoiceLine>& invoices) {
  const auto& openings = payload.openings.balances;
  if (openings.size() != payload.invoices.size() || openings.size() != invoices.size()) {
    return fail(Errc::bad_commitment,
                "the payload opens another number of invoices than were reported");
  }
  std::vector<Tag32> out;
  std::vector<bool> used(invoices.size(), false);
  for (const BalanceOpening& opening : openings) {
    const auto commitment = crypto::pedersen_commit(opening.amount, opening.blinding);
    std::size_t i = 0;
    while (i < invoices.size() && (used[i] || !commitment || invoices[i].balance != *commitment)) {
      ++i;
    }
    if (i == invoices.size()) {
      return fail(Errc::bad_commitment, "a balance of the payload opens none that was reported");
    }
    used[i] = true;
    out.push_back(invoices[i].tag);
  }
  return out;
}

std::vector<ReportDifference> compare_report(const ReportOnChain& report,
                                             const ClaimPayload& payload) {
  std::vector<ReportDifference> out;
  const auto demand = [&out](bool same, ReportDifference otherwise) {
    if (!same) out.push_back(otherwise);
  };
  const ReportOpenings& openings = payload.openings;
  demand(subject_opens(report, openings.subject), ReportDifference::subject_commitment);
  demand(!report.care_subject || *report.care_subject == openings.subject.subject,
         ReportDifference::care_subject);
  demand(report.insured == report.insured_derived, ReportDifference::insured);
  demand(list_opens(report, payload), ReportDifference::record_list);
  demand(same_months(report, payload), ReportDifference::months);
  demand(balances_are_initial(payload) && match_invoices(payload, report.invoices).has_value(),
         ReportDifference::invoices);
  return out;
}

}  // namespace baolian::contracts
