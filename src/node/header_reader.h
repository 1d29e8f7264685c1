/// What the engine must know of a header (consensus::HeaderFacts), read by the ledger's format.
#pragma once

#include "consensus/engine.h"

namespace baolian::node {

/// Reads canonical ledger::Header bytes. The reader returns codec errors.
consensus::HeaderReader header_reader();

}  // namespace baolian::node
