/// The claims contract: a report becomes claims, and each claim goes from filed to its end
/// (docs/contracts.md, States of a claim).
#pragma once

#include "contracts/context.h"

namespace baolian::contracts {

Code report_encounter(OperationContext& context, const ClaimsReport& content);
Code file_claims(OperationContext& context, const ClaimsFile& content);

Code decide_claim(OperationContext& context, const ClaimsDecide& content);
Code supplement_claim(OperationContext& context, const ClaimsSupplement& content);
Code withdraw_claim(OperationContext& context, const ClaimsWithdraw& content);
Code pay_claim(OperationContext& context, const ClaimsPay& content);
Code explain_claim(OperationContext& context, const ClaimsExplained& content);
Code request_review(OperationContext& context, const ClaimsRequestReview& content);
Code countersign_late(OperationContext& context, const ClaimsLateCountersign& content);

std::optional<ClaimState> find_claim(const ledger::StateReader& state, const ClaimId& id);
/// Whether a claim names this record version: as its payload or in its list.
bool names_record(const ClaimState& claim, const RecordRef& record);
/// Whether a claim is in a state in which its insurer may request: filed .. in_review.
bool is_readable(const ClaimState& claim);

/// Writes a claim whose deadline becomes `due_kind` at `due` (none: no deadline), moving the key
/// under deadline/.
void write_claim(OperationContext& context, const ClaimId& id, ClaimState claim,
                 DeadlineKind due_kind, TimeMs due);

/// A request of the claim's payload was granted: the reporter owes its release.
void payload_granted(OperationContext& context, const ClaimId& id, const RecordRef& record);
/// The insurer received this record by this claim: opens the claim if it is its payload.
void payload_received(OperationContext& context, const ClaimId& id, const RecordRef& record);
/// The consent was revoked: withdraws the claims that are still filed under it.
void withdraw_filed_claims(OperationContext& context, const ConsentId& consent);

}  // namespace baolian::contracts
