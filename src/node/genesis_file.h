/// The genesis file of a node's configuration.
#pragma once

#include <string>

#include "core/result.h"
#include "ledger/genesis.h"

namespace baolian::node {

/// Reads and checks it. Returns: Errc::io_failed; Errc::genesis_invalid, also for a genesis with
/// the simulator's signatures; the errors of ledger::genesis_from_json.
Result<ledger::Genesis> load_genesis(const std::string& path);

}  // namespace baolian::node
