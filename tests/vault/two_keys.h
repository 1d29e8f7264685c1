/// One secretstream ciphertext that opens under two keys to two texts.
#pragma once

#include "core/bytes.h"
#include "crypto/secret.h"

namespace baolian::vault::test {

struct TwoKeys {
  crypto::Secret first;
  crypto::Secret second;
  Bytes ciphertext;
};

/// Makes one for this associated data. Poly1305 is linear in the message once its key is fixed, so
/// two blocks of the ciphertext can be solved for such that the tags under both keys agree. Anybody
/// who chooses the keys can do this: it is what a dishonest custodian could send.
/// Source: Albertini, Duong, Gueron, Koelbl, Luykx, Schmieg, "How to Abuse and Fix Authenticated
/// Encryption Without Key Commitment", USENIX Security 2022, section 3.
TwoKeys make_two_keys(BytesView associated_data);

}  // namespace baolian::vault::test
