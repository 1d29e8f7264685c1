#include "contracts/membership/membership.h"

#include <algorithm>

namespace baolian::contracts {

using ledger::Capacity;
using ledger::InstitutionKind;
using ledger::Role;

bool InstitutionState::is(InstitutionKind kind) const {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

bool MemberState::has(Role role) const {
  return std::find(member.roles.begin(), member.roles.end(), role) != member.roles.end();
}

std::optional<InstitutionState> find_institution(const ledger::StateReader& state,
                                                 const InstitutionId& id) {
  return ledger::read_as<InstitutionState>(state, keys::institution(id));
}

std::optional<MemberState> find_member(const ledger::StateReader& state, const PublicKey& key) {
  return ledger::read_as<MemberState>(state, keys::member(key));
}

std::optional<MemberState> find_member(const ledger::StateReader& state,
                                       const InstitutionId& institution, const MemberId& member) {
  const auto key = ledger::read_as<MemberKey>(state, keys::member_id(institution, member));
  if (!key) return std::nullopt;
  return find_member(state, key->signing_key);
}

Code require_role(const OperationContext& context, std::initializer_list<Role> roles) {
  const bool has_one =
      std::any_of(roles.begin(), roles.end(), [&](Role role) { return context.sender.has(role); });
  return has_one ? Code::applied : Code::role_not_allowed;
}

Code require_kind(const OperationContext& context, std::initializer_list<InstitutionKind> kinds) {
  const bool is_one = std::any_of(kinds.begin(), kinds.end(), [&](InstitutionKind kind) {
    return context.sender_institution.is(kind);
  });
  return is_one ? Code::applied : Code::institution_kind_not_allowed;
}

const MemberState* find_vault(const OperationContext& context, const InstitutionId& institution,
                              const MemberId& vault) {
  const MemberState* const member = context.roster.find(context.state, institution, vault);
  const bool is_one = member != nullptr && member->has(Role::vault);
  return is_one && member->is_valid_at(context.now()) ? member : nullptr;
}

Code check_vault(const OperationContext& context, const InstitutionId& institution,
                 const MemberId& vault, const Journal& journal) {
  if (find_vault(context, institution, vault) == nullptr) return Code::vault_unknown;
  const auto committed = context.state.read_as<Journal>(keys::journal(institution, vault));
  return committed.value_or(Journal{}) == journal ? Code::applied : Code::journal_mismatch;
}

bool is_adjuster(const MemberState& member) {
  return member.member.kind == ledger::MemberKind::person && member.has(Role::claims_adjuster);
}

bool may_attest(const OperationContext& context, const InstitutionState& institution) {
  const auto& attesting = context.block.genesis.attestor_kinds;
  return std::any_of(attesting.begin(), attesting.end(),
                     [&](InstitutionKind kind) { return institution.is(kind); });
}

std::vector<AttestorRef> attestors_of(const OperationContext& context) {
  std::vector<AttestorRef> out;
  if (context.sender.has(Role::attestor) && may_attest(context, context.sender_institution)) {
    out.push_back({context.sender.institution,
                   context.sender_institution.is(InstitutionKind::medical_insurance)});
  }
  for (const Cosigner& cosigner : context.cosigners) {
    if (cosigner.capacity != Capacity::attestor) continue;
    out.push_back(
        {cosigner.member.institution, cosigner.institution.is(InstitutionKind::medical_insurance)});
  }
  return out;
}

}  // namespace baolian::contracts
