/// The judgement of cosignatures: signature, validity, and whether the key may act in the capacity.
#include <algorithm>

#include "contracts/membership/membership.h"

namespace baolian::contracts {
namespace {

using ledger::Capacity;
using ledger::Cosignature;

/// Which capacities an operation takes; every other cosignature is refused.
bool takes(OperationKind kind, Capacity capacity) {
  switch (kind) {
    case OperationKind::consent_give:
    case OperationKind::consent_confirm:
    case OperationKind::consent_revoke:
    case OperationKind::consent_register_key:
      return capacity == Capacity::attestor || capacity == Capacity::person;
    case OperationKind::policies_enrol:
      return capacity == Capacity::attestor;
    case OperationKind::claims_decide:
      return capacity == Capacity::countersigner || capacity == Capacity::second_approver;
    case OperationKind::claims_withdraw:
    case OperationKind::claims_request_review:
      return capacity == Capacity::attestor || capacity == Capacity::person;
    case OperationKind::records_read:
    case OperationKind::records_request:
      return capacity == Capacity::originator;
    default:
      return false;
  }
}

Code use_originator_nonce(OperationContext& context, const Cosignature& cosignature) {
  Bytes key = keys::nonce(cosignature.key);
  auto window = context.state.read_as<NonceWindow>(key).value_or(NonceWindow{});
  switch (window.ask(cosignature.nonce)) {
    case NonceWindow::Answer::used:
      return Code::originator_nonce_used;
    case NonceWindow::Answer::too_old:
      return Code::originator_nonce_too_old;
    case NonceWindow::Answer::fresh:
      break;
  }
  window.use(cosignature.nonce);
  context.state.write_as(std::move(key), window);
  return Code::applied;
}

bool is_duplicate(const OperationContext& context, const Cosignature& cosignature) {
  if (cosignature.key == context.sender_key) return true;
  if (std::find(context.person_keys.begin(), context.person_keys.end(), cosignature.key) !=
      context.person_keys.end()) {
    return true;
  }
  return std::any_of(context.cosigners.begin(), context.cosigners.end(), [&](const Cosigner& c) {
    const bool second_originator =
        c.capacity == Capacity::originator && cosignature.capacity == Capacity::originator;
    return c.key == cosignature.key || second_originator;
  });
}

/// Whether a member may act in a capacity at all; the rule judges the institution of countersigners
/// and attestors further.
Code check_role(const OperationContext& context, Capacity capacity, const MemberState& member,
                const InstitutionState& institution) {
  switch (capacity) {
    case Capacity::originator:
    case Capacity::person:
      return Code::applied;
    case Capacity::attestor:
      return member.has(ledger::Role::attestor) && may_attest(context, institution)
                 ? Code::applied
                 : Code::cosigner_not_attestor;
    case Capacity::countersigner:
      return member.has(ledger::Role::gateway) || member.has(ledger::Role::agent)
                 ? Code::applied
                 : Code::cosigner_role;
    case Capacity::second_approver:
      return is_adjuster(member) && member.institution == context.sender.institution
                 ? Code::applied
                 : Code::cosigner_role;
  }
  return Code::cosigner_role;
}

bool is_valid(const OperationContext& context, const Cosignature& cosignature) {
  return ledger::check_cosignature(context.operation, cosignature, context.sender.institution,
                                   context.block.chain_id, context.block.verifier);
}

Code check_one(OperationContext& context, const Cosignature& cosignature) {
  const auto kind = static_cast<OperationKind>(context.operation.kind);
  if (!takes(kind, cosignature.capacity)) return Code::cosignature_unexpected;
  if (is_duplicate(context, cosignature)) return Code::cosignature_duplicate;
  if (cosignature.not_after < context.now()) return Code::cosignature_expired;
  const bool is_originator = cosignature.capacity == Capacity::originator;
  if (!is_originator && cosignature.nonce != Nonce{}) return Code::cosignature_nonce;

  if (cosignature.capacity == Capacity::person) {
    if (!is_valid(context, cosignature)) return Code::cosignature_invalid;
    context.person_keys.push_back(cosignature.key);
    return Code::applied;
  }

  auto member = find_member(context.state, cosignature.key);
  if (!member) return Code::cosigner_unknown;
  if (!member->is_valid_at(context.now())) return Code::cosigner_not_valid;
  auto institution = find_institution(context.state, member->institution);
  ASSERT(institution.has_value());
  const Code role = check_role(context, cosignature.capacity, *member, *institution);
  if (role != Code::applied) return role;
  if (!is_valid(context, cosignature)) return Code::cosignature_invalid;
  if (is_originator) {
    const Code nonce = use_originator_nonce(context, cosignature);
    if (nonce != Code::applied) return nonce;
  }
  context.cosigners.push_back(
      {cosignature.capacity, cosignature.key, std::move(*member), std::move(*institution)});
  return Code::applied;
}

}  // namespace

Code check_cosignatures(OperationContext& context) {
  for (const Cosignature& cosignature : context.operation.cosignatures) {
    const Code code = check_one(context, cosignature);
    if (code != Code::applied) return code;
  }
  return Code::applied;
}

}  // namespace baolian::contracts
