/// One filing: a person, an insurer and a consent become claims. Internal to claims/.
#pragma once

#include <vector>

#include "contracts/context.h"

namespace baolian::contracts {

/// Checks what a filing shows against the encounter: list, records, tags; applied or why not.
Code check_disclosure(const OperationContext& context, const EncounterState& encounter,
                      const Disclosure& disclosure);

/// Takes a checked disclosure into encounter and payload record; once something is filed.
void accept_disclosure(OperationContext& context, EncounterState& encounter,
                       const Disclosure& disclosure);

/// Files one claim for every matching policy and appends them to `filed`; nothing is written unless
/// the answer is applied. `records` are what the insurer may request beside the payload.
Code file_for_insurer(OperationContext& context, const Tag32& tag, const EncounterState& encounter,
                      const std::vector<RecordRef>& records, const Filing& filing,
                      std::vector<FiledClaim>& filed);

/// Emits the events of the claims, in groups.
void emit_filed(OperationContext& context, const Tag32& tag, const std::vector<FiledClaim>& filed);

}  // namespace baolian::contracts
