/// The products contract: what an insurer sells.
#pragma once

#include "contracts/context.h"

namespace baolian::contracts {

Code register_product(OperationContext& context, const ProductRegister& content);

}  // namespace baolian::contracts
