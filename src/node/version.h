/// Version of the programs: the project's version and the commit they were built from.
#pragma once

#include <string>

namespace baolian::node {

std::string version_number();  ///< "0.1.0"
std::string commit_id();       ///< abbreviated git commit, or "unknown"
std::string version_text();    ///< "baolian 0.1.0 (abc123)"

}  // namespace baolian::node
