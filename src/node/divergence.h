/// What a node leaves for the inquiry when it finds that it has diverged (consensus.md 1.5 N7).
#pragma once

#include <map>
#include <string>

#include "node/executor.h"

namespace baolian::node {

/// JSON: the reason, and of every block that was executed here without a certificate its header and
/// what it wrote into the state, in hex. Compared with another institution's it shows in
/// which key the two differ. Holds what the state holds: no personal data.
std::string divergence_text(const std::string& reason,
                            const std::map<Height, Executor::UncertifiedBlock>& blocks);

}  // namespace baolian::node
