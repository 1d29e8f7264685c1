/// Random identifiers from the simulator's own generator.
#pragma once

#include "core/prng.h"

namespace baolian::sim {

template <typename Id>
Id draw_id(Prng& prng) {
  Id id;
  for (std::uint8_t& byte : id.bytes) byte = static_cast<std::uint8_t>(prng.next());
  return id;
}

}  // namespace baolian::sim
