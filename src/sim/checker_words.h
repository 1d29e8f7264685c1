/// How the checkers say where something went wrong.
#pragma once

#include <string>

#include "consensus/engine.h"
#include "core/ids.h"

namespace baolian::sim {

inline std::string name(consensus::ReplicaId id) { return "node " + std::to_string(id); }
inline std::string at(Height height) { return " at height " + std::to_string(height.value); }
inline std::string in(View view) { return " in view " + std::to_string(view.value); }

}  // namespace baolian::sim
