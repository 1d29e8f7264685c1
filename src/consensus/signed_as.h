/// As what the messages of each kind are signed: one table for who verifies and who signs.
#pragma once

#include <optional>

#include "consensus/engine.h"

namespace baolian::consensus {

/// Nothing for FETCH and REPLY, since what they bring certifies itself, nor for Raft's messages:
/// under its crash model TLS names the peer, and every entry carries its leader's signature.
std::optional<crypto::ObjectType> signed_as(MessageKind kind);

}  // namespace baolian::consensus
