/// Whether what a chain refused left a trace in it.
#pragma once

#include <optional>
#include <string>

#include "ledger/chain.h"

namespace baolian::sim {

/// Executes all blocks again with an operation that does nothing in place of each refused one, and
/// compares the whole state and the lengths of all logs. Returns: what differs; nullopt if nothing
/// does.
std::optional<std::string> find_trace_of_refusals(const ledger::Chain& chain);

}  // namespace baolian::sim
