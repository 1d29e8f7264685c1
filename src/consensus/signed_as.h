/// As what the messages of each kind are signed: one table for who verifies and who signs.
#pragma once

#include <optional>

#include "consensus/engine.h"

namespace baolian::consensus {

/// Nothing for FETCH and REPLY: what they bring certifies itself.
std::optional<crypto::ObjectType> signed_as(MessageKind kind);

}  // namespace baolian::consensus
