#include "contracts/membership/roster.h"

#include "contracts/membership/membership.h"
#include "contracts/state_keys.h"

namespace baolian::contracts {

const MemberState* Roster::find(const ledger::StateReader& state, const InstitutionId& institution,
                                const MemberId& member) {
  const auto [at, is_new] = members_.try_emplace({institution, member});
  if (is_new) at->second = find_member(state, institution, member);
  return at->second ? &*at->second : nullptr;
}

void Roster::follow(const ledger::StateOverlay::Writes& writes) {
  const Bytes prefix = keys::members();
  const auto first = writes.lower_bound(prefix);
  if (first != writes.end() && as_text(first->first).starts_with(as_text(prefix))) members_.clear();
}

}  // namespace baolian::contracts
