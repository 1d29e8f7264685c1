/// Salted commitments: the one way in which a value that somebody could guess reaches the chain.
#pragma once

#include <string_view>

#include "core/ids.h"
#include "crypto/hash.h"

namespace baolian::crypto {

/// H(domain || salt || value). The salt is 32 fresh random bytes; whoever is to check gets (salt,
/// value).
Commitment commit(std::string_view domain, const Salt& salt, BytesView value);

/// A fresh random salt.
Salt new_salt();

}  // namespace baolian::crypto
