/// The catalogue contract: maps between code systems.
#pragma once

#include "contracts/context.h"

namespace baolian::contracts {

Code publish_catalog(OperationContext& context, const CatalogPublish& content);

/// Whether content with this hash was published.
bool is_published(const ledger::StateReader& state, const Hash& content);

}  // namespace baolian::contracts
