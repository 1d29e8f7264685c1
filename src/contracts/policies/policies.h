/// The policies contract: who is insured under which product.
#pragma once

#include "contracts/context.h"

namespace baolian::contracts {

Code enrol_policies(OperationContext& context, const PoliciesEnrol& content);

}  // namespace baolian::contracts
