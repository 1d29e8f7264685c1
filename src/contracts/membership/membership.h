/// Members and institutions: who may send, sign for others, and keep a vault.
#pragma once

#include <initializer_list>
#include <optional>

#include "contracts/context.h"

namespace baolian::contracts {

std::optional<InstitutionState> find_institution(const ledger::StateReader& state,
                                                 const InstitutionId& id);
std::optional<MemberState> find_member(const ledger::StateReader& state, const PublicKey& key);
std::optional<MemberState> find_member(const ledger::StateReader& state,
                                       const InstitutionId& institution, const MemberId& member);

/// Whether the sender has one of these roles: applied or role_not_allowed.
Code require_role(const OperationContext& context, std::initializer_list<ledger::Role> roles);
/// Whether the sender's institution is of one of these kinds: applied or
/// institution_kind_not_allowed.
Code require_kind(const OperationContext& context,
                  std::initializer_list<ledger::InstitutionKind> kinds);

/// The institution's valid member of role vault, or null.
const MemberState* find_vault(const OperationContext& context, const InstitutionId& institution,
                              const MemberId& vault);
/// applied, vault_unknown, or journal_mismatch if its journal stands elsewhere.
Code check_vault(const OperationContext& context, const InstitutionId& institution,
                 const MemberId& vault, const Journal& journal);

/// Checks the operation's cosignatures and adds the cosigners to the context; uses the nonces of
/// originators.
Code check_cosignatures(OperationContext& context);

/// A person of role claims_adjuster: who may decide where a person must.
bool is_adjuster(const MemberState& member);

/// Whether an institution's attestors count on this chain.
bool may_attest(const OperationContext& context, const InstitutionState& institution);

struct AttestorRef {
  InstitutionId institution;
  bool is_bureau = false;  ///< of kind medical_insurance
};
/// Everyone who attests this operation: the sender if it is an attestor, then the cosigners.
std::vector<AttestorRef> attestors_of(const OperationContext& context);

}  // namespace baolian::contracts
