#include "node/version.h"

namespace baolian::node {

std::string version_number() { return BAOLIAN_VERSION; }
std::string commit_id() { return BAOLIAN_COMMIT; }
std::string version_text() { return "baolian " + version_number() + " (" + commit_id() + ")"; }

}  // namespace baolian::node
