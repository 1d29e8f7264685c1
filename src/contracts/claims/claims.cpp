/// Steps of a claim that are not a filing.
#include "contracts/claims/claims.h"

#include <algorithm>

namespace baolian::contracts {

using ledger::LogKind;

std::optional<ClaimState> find_claim(const ledger::StateReader& state, const ClaimId& id) {
  return ledger::read_as<ClaimState>(state, keys::claim(id));
}

bool names_record(const ClaimState& claim, const RecordRef& record) {
  return claim.payload == record ||
         std::binary_search(claim.records.begin(), claim.records.end(), record) ||
         std::find(claim.supplements.begin(), claim.supplements.end(), record) !=
             claim.supplements.end();
}

bool is_readable(const ClaimState& claim) {
  switch (claim.phase) {
    case ClaimPhase::filed:
    case ClaimPhase::opened:
    case ClaimPhase::waiting_paper:
    case ClaimPhase::in_review:
      return true;
    case ClaimPhase::decided:
    case ClaimPhase::paid:
    case ClaimPhase::closed:
    case ClaimPhase::withdrawn:
    case ClaimPhase::void_:
    case ClaimPhase::recovering:
      return false;
  }
  return false;
}

void write_claim(OperationContext& context, const ClaimId& id, ClaimState claim,
                 DeadlineKind due_kind, TimeMs due) {
  if (claim.due_kind != DeadlineKind::none) {
    context.state.erase(keys::deadline(claim.due, id, claim.due_kind));
  }
  claim.due_kind = due_kind;
  claim.due = due_kind == DeadlineKind::none ? TimeMs{} : due;
  if (due_kind != DeadlineKind::none) {
    context.state.write_as(keys::deadline(due, id, due_kind), Marker{});
  }
  context.state.write_as(keys::claim(id), claim);
}

void payload_granted(OperationContext& context, const ClaimId& id, const RecordRef& record) {
  auto claim = find_claim(context.state, id);
  ASSERT(claim.has_value());
  const bool starts_release = claim->phase == ClaimPhase::filed && claim->payload == record &&
                              claim->due_kind == DeadlineKind::insurer_request;
  // A second request does not give the hospital more time.
  if (!starts_release) return;
  write_claim(context, id, std::move(*claim), DeadlineKind::hospital_release,
              context.after(ParameterId::hospital_release_ms));
}

void payload_received(OperationContext& context, const ClaimId& id, const RecordRef& record) {
  auto claim = find_claim(context.state, id);
  ASSERT(claim.has_value());
  if (claim->phase != ClaimPhase::filed || claim->payload != record) return;
  const TimeMs due = context.after(ParameterId::insurer_decide_ms);
  context.emit(ClaimOpened{.version = {},
                           .claim = id,
                           .insurer = claim->insurer(),
                           .payload_version = record.version,
                           .due = due});
  context.state.erase(keys::consent_claim(claim->consent, id));
  claim->phase = ClaimPhase::opened;
  claim->opened_at = context.now();
  write_claim(context, id, std::move(*claim), DeadlineKind::insurer_decide, due);
}

void withdraw_filed_claims(OperationContext& context, const ConsentId& consent) {
  const Bytes prefix = keys::consent_claims(consent);
  // A consent carries at most kClaimsPerConsentMax filed claims, kept by the filing.
  const auto filed = context.state.scan(prefix, prefix, kClaimsPerConsentMax);
  if (filed.empty()) return;
  ClaimsWithdrawn event{.version = {}, .consent = consent, .claims = {}};
  for (const ledger::KeyValue& entry : filed) {
    const auto id = keys::last_id<ClaimId>(entry.key);
    auto claim = find_claim(context.state, id);
    ASSERT(claim.has_value() && claim->phase == ClaimPhase::filed);
    context.log(LogKind::claim, id, event.claims.size());
    event.claims.push_back({id, claim->insurer()});
    context.state.erase(entry.key);
    claim->phase = ClaimPhase::withdrawn;
    write_claim(context, id, std::move(*claim), DeadlineKind::none, {});
  }
  context.emit(event);
}

}  // namespace baolian::contracts
