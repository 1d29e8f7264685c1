/// What follows a decision, or takes its place: papers, payment, explanation, review, withdrawal,
/// and the countersignature that came late.
#include <algorithm>

#include "contracts/claims/claims.h"
#include "contracts/membership/membership.h"

namespace baolian::contracts {
namespace {

using ledger::InstitutionKind;
using ledger::LogKind;
using ledger::Role;

constexpr std::size_t kSupplementsMax = 64;

/// Who speaks for the insured person of a claim (docs/contracts.md, What holds for every
/// operation).
struct Speaker {
  Code code = Code::person_not_attested;
  InstitutionId attested_by;  ///< zeros for the person's own key
};

Speaker speaker_of(const OperationContext& context, const ClaimState& claim) {
  if (!context.person_keys.empty()) {
    const auto registered = context.state.read_as<PersonKeyState>(keys::person_key(claim.subject));
    const bool holds = registered && registered->attested_by != claim.insurer() &&
                       context.person_keys == std::vector<PublicKey>{registered->key};
    return {holds ? Code::applied : Code::person_key_not_registered, {}};
  }
  for (const AttestorRef& attestor : attestors_of(context)) {
    if (attestor.institution == claim.insurer()) continue;
    return {Code::applied, attestor.institution};
  }
  return {};
}

/// Who carries what the insured person wants.
Code require_carrier(const OperationContext& context) {
  return require_role(context, {Role::gateway, Role::agent, Role::attestor});
}

/// The insurer's own step on one of its claims: applied, or why it may not.
Code check_insurer(const OperationContext& context, const std::optional<ClaimState>& claim) {
  if (!claim) return Code::claim_unknown;
  return claim->insurer() == context.sender.institution ? Code::applied
                                                        : Code::not_the_claims_insurer;
}

/// Payment, explanation and late countersignature belong to a decision; they go on while a review
/// runs, and a claim may close before the last of them.
bool may_settle(const ClaimState& claim) {
  switch (claim.phase) {
    case ClaimPhase::decided:
    case ClaimPhase::paid:
    case ClaimPhase::closed:
    case ClaimPhase::in_review:
      return true;
    case ClaimPhase::filed:
    case ClaimPhase::opened:
    case ClaimPhase::waiting_paper:
    case ClaimPhase::withdrawn:
    case ClaimPhase::void_:
    case ClaimPhase::recovering:
      return false;
  }
  return false;
}

/// decided becomes paid, and paid closed, when nothing is owed any more.
void move_on(ClaimState& claim) {
  if (claim.phase == ClaimPhase::decided && claim.unpaid == 0) claim.phase = ClaimPhase::paid;
  if (claim.phase == ClaimPhase::paid && claim.unexplained == 0) claim.phase = ClaimPhase::closed;
}

/// A claim whose own deadline does not change.
void rewrite_claim(OperationContext& context, const ClaimId& id, const ClaimState& claim) {
  context.state.write_as(keys::claim(id), claim);
}

Code check_brought(const OperationContext& context, const ClaimState& claim,
                   const ClaimsSupplement& content) {
  const auto encounter = context.state.read_as<EncounterState>(keys::encounter(claim.encounter));
  ASSERT(encounter && encounter->care_subject);
  for (const RecordRef& brought : content.records) {
    const auto record = context.state.read_as<RecordState>(keys::record(brought.record));
    const bool is_theirs = record && record->custodian == context.sender.institution &&
                           context.state.read(keys::record_version(brought)).has_value();
    if (!is_theirs) return Code::listed_record_unknown;
    if (record->subject != encounter->care_subject) return Code::listed_record_of_other_subject;
    if (names_record(claim, brought)) return Code::duplicate_in_operation;
  }
  return claim.supplements.size() + content.records.size() <= kSupplementsMax
             ? Code::applied
             : Code::too_many_records;
}

}  // namespace

Code supplement_claim(OperationContext& context, const ClaimsSupplement& content) {
  Code code = require_role(context, {Role::gateway, Role::agent, Role::clinician, Role::attestor,
                                     Role::compliance, Role::data_officer});
  if (code != Code::applied) return code;
  auto claim = find_claim(context.state, content.claim);
  if (!claim) return Code::claim_unknown;
  if (claim->phase != ClaimPhase::waiting_paper) return Code::claim_state;
  code = check_brought(context, *claim, content);
  if (code != Code::applied) return code;
  claim->supplements.insert(claim->supplements.end(), content.records.begin(),
                            content.records.end());
  const TimeMs due = context.now() + claim->remaining_ms;
  context.log(LogKind::claim, content.claim);
  context.emit(ClaimSupplemented{.version = {},
                                 .claim = content.claim,
                                 .insurer = claim->insurer(),
                                 .brought_by = context.sender.institution,
                                 .due = due});
  claim->phase = ClaimPhase::opened;
  claim->remaining_ms = 0;
  write_claim(context, content.claim, std::move(*claim), DeadlineKind::insurer_decide, due);
  return Code::applied;
}

Code withdraw_claim(OperationContext& context, const ClaimsWithdraw& content) {
  const Code code = require_carrier(context);
  if (code != Code::applied) return code;
  auto claim = find_claim(context.state, content.claim);
  if (!claim) return Code::claim_unknown;
  if (!is_readable(*claim)) return Code::claim_state;
  if (claim->reviews > 0) return Code::payable_already_decided;
  const Speaker speaker = speaker_of(context, *claim);
  if (speaker.code != Code::applied) return speaker.code;
  if (claim->phase == ClaimPhase::filed) {
    context.state.erase(keys::consent_claim(claim->consent, content.claim));
  }
  context.log(LogKind::claim, content.claim);
  context.emit(ClaimWithdrawn{.version = {},
                              .claim = content.claim,
                              .insurer = claim->insurer(),
                              .attested_by = speaker.attested_by});
  claim->phase = ClaimPhase::withdrawn;
  write_claim(context, content.claim, std::move(*claim), DeadlineKind::none, {});
  return Code::applied;
}

Code pay_claim(OperationContext& context, const ClaimsPay& content) {
  Code code = require_role(context, {Role::gateway, Role::agent});
  if (code != Code::applied) return code;
  auto claim = find_claim(context.state, content.claim);
  code = check_insurer(context, claim);
  if (code != Code::applied) return code;
  if (!may_settle(*claim)) return Code::claim_state;
  if (content.payee_kind != PayeeKind::person || content.payee) return Code::payee_reserved;
  const Bytes key = keys::decision(content.claim, content.number);
  auto decision = context.state.read_as<DecisionState>(key);
  if (!decision) return Code::decision_unknown;
  if (decision->paid_at != TimeMs{}) return Code::decision_already_paid;
  decision->paid_at = context.now();
  context.state.write_as(key, *decision);
  context.state.erase(keys::deadline(decision->pay_due, content.claim, DeadlineKind::insurer_pay));
  ASSERT(claim->unpaid > 0);
  --claim->unpaid;
  move_on(*claim);
  rewrite_claim(context, content.claim, *claim);
  context.log(LogKind::claim, content.claim);
  context.log(LogKind::payouts_of_insurer, claim->insurer());
  context.emit(ClaimPaid{.version = {},
                         .claim = content.claim,
                         .insurer = claim->insurer(),
                         .number = content.number,
                         .closed = claim->phase == ClaimPhase::closed});
  return Code::applied;
}

Code explain_claim(OperationContext& context, const ClaimsExplained& content) {
  Code code = require_role(context, {Role::gateway, Role::agent, Role::claims_adjuster});
  if (code != Code::applied) return code;
  auto claim = find_claim(context.state, content.claim);
  code = check_insurer(context, claim);
  if (code != Code::applied) return code;
  if (!may_settle(*claim)) return Code::claim_state;
  const Bytes key = keys::decision(content.claim, content.number);
  auto decision = context.state.read_as<DecisionState>(key);
  if (!decision) return Code::decision_unknown;
  if (decision->explain_due == TimeMs{} || decision->explained_at != TimeMs{}) {
    return Code::nothing_to_explain;
  }
  decision->explained_at = context.now();
  context.state.write_as(key, *decision);
  context.state.erase(
      keys::deadline(decision->explain_due, content.claim, DeadlineKind::insurer_explain));
  if (decision->withheld == Withheld::provisional) {
    ASSERT(claim->unexplained > 0);
    --claim->unexplained;
  }
  move_on(*claim);
  rewrite_claim(context, content.claim, *claim);
  context.log(LogKind::claim, content.claim);
  context.emit(ClaimExplained{.version = {},
                              .claim = content.claim,
                              .insurer = claim->insurer(),
                              .number = content.number,
                              .closed = claim->phase == ClaimPhase::closed});
  return Code::applied;
}

Code request_review(OperationContext& context, const ClaimsRequestReview& content) {
  const Code code = require_carrier(context);
  if (code != Code::applied) return code;
  auto claim = find_claim(context.state, content.claim);
  if (!claim) return Code::claim_unknown;
  // A review that runs is not begun again; before a decision there is nothing to review.
  if (!may_settle(*claim) || claim->phase == ClaimPhase::in_review) return Code::claim_state;
  const Speaker speaker = speaker_of(context, *claim);
  if (speaker.code != Code::applied) return speaker.code;
  const TimeMs due = context.after(ParameterId::second_review_ms);
  context.log(LogKind::claim, content.claim);
  context.emit(ReviewRequested{.version = {},
                               .claim = content.claim,
                               .insurer = claim->insurer(),
                               .attested_by = speaker.attested_by,
                               .due = due});
  claim->phase = ClaimPhase::in_review;
  if (claim->reviews < UINT16_MAX) ++claim->reviews;
  write_claim(context, content.claim, std::move(*claim), DeadlineKind::insurer_review, due);
  return Code::applied;
}

Code countersign_late(OperationContext& context, const ClaimsLateCountersign& content) {
  const Code code = require_role(context, {Role::gateway, Role::agent});
  if (code != Code::applied) return code;
  const auto claim = find_claim(context.state, content.claim);
  if (!claim) return Code::claim_unknown;
  if (claim->reporter != context.sender.institution) return Code::not_the_reporter;
  if (!may_settle(*claim)) return Code::claim_state;
  const Bytes key = keys::decision(content.claim, content.number);
  auto decision = context.state.read_as<DecisionState>(key);
  if (!decision) return Code::decision_unknown;
  if (decision->countersigning == Countersigning::countersigned) return Code::not_uncountersigned;
  decision->countersigning = Countersigning::countersigned;
  context.state.write_as(key, *decision);
  for (const Tag32& tag : decision->invoices) {
    auto invoice = context.state.read_as<InvoiceState>(keys::invoice(tag));
    ASSERT(invoice.has_value());
    // A later decision of the claim may hold it by now.
    if (invoice->frozen != DecisionRef{content.claim, content.number}) continue;
    invoice->frozen.reset();
    context.state.write_as(keys::invoice(tag), *invoice);
  }
  context.log(LogKind::claim, content.claim);
  context.emit(LateCountersigned{.version = {},
                                 .claim = content.claim,
                                 .reporter = claim->reporter,
                                 .number = content.number});
  return Code::applied;
}

}  // namespace baolian::contracts
