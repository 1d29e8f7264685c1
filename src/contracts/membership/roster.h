/// Members by their ids, for the operations of one transaction: most of them name the same few.
#pragma once

#include <map>
#include <optional>
#include <utility>

#include "contracts/membership/state.h"
#include "ledger/state_view.h"

namespace baolian::contracts {

/// Reads and decodes a member once. What it knows is the state between two operations: whoever
/// makes the writes of one the state's own says so (follow).
///
/// Threads: one at a time.
class Roster {
 public:
  /// The member, or null if there is none. Valid until follow().
  const MemberState* find(const ledger::StateReader& state, const InstitutionId& institution,
                          const MemberId& member);
  /// Forgets all members if one of them is among what was written.
  void follow(const ledger::StateOverlay::Writes& writes);

 private:
  std::map<std::pair<InstitutionId, MemberId>, std::optional<MemberState>> members_;
};

}  // namespace baolian::contracts
