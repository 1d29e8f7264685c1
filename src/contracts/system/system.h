/// The system contract: deadlines that passed.
#pragma once

#include "contracts/context.h"

namespace baolian::contracts {

Code sweep_deadlines(OperationContext& context, const SystemSweep& content);

/// Who owes what a deadline is about.
InstitutionId debtor_of(const ClaimState& claim, DeadlineKind kind);

}  // namespace baolian::contracts
