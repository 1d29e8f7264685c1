/// Anonymous public-key encryption to a member or vault: libsodium sealed boxes (X25519,
/// XSalsa20-Poly1305).
#pragma once

#include "core/ids.h"
#include "core/result.h"
#include "crypto/secret.h"

namespace baolian::crypto {

/// An X25519 key pair, made from a 32-byte seed.
struct EncryptionKeyPair {
  EncryptionKey public_key;
  Secret secret_key;
};
/// Requires: seed.size() == 32.
EncryptionKeyPair make_encryption_key_pair(const Secret& seed);

/// Returns: Errc::bad_public_key for another algorithm or a low-order key.
Result<Bytes> seal(const EncryptionKey& to, BytesView plaintext);
/// Returns: Errc::cannot_open for another key or changed bytes.
Result<Secret> open_sealed(const EncryptionKeyPair& key, BytesView box);

}  // namespace baolian::crypto
