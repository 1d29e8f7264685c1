/// Random bytes from the operating system through libsodium: for keys, salts, identifiers. Never in
/// consensus/ or contracts/.
#pragma once

#include <span>

#include "core/ids.h"

namespace baolian::crypto {

/// Must be called once before anything else of crypto/ is used; safe to call again. Ends the
/// process if libsodium cannot start.
void initialize();

void fill_random(std::span<std::uint8_t> out);

/// A random value of a fixed-size type: `random_id<RecordId>()`.
template <typename Id>
Id random_id() {
  Id id;
  fill_random(id.bytes);
  return id;
}

}  // namespace baolian::crypto
