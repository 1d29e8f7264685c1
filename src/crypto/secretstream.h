/// Payload encryption: libsodium secretstream (XChaCha20-Poly1305) in chunks of 64 KiB under a
/// 32-byte data key. The cipher does not commit to its key: two keys may open one ciphertext to
/// different texts. Whoever opens must also check the plaintext hash that the record commitment
/// covers (vault/envelope.h does).
#pragma once

#include "core/bytes.h"
#include "core/result.h"
#include "crypto/secret.h"

namespace baolian::crypto {

inline constexpr std::size_t kDataKeyBytes = 32;
inline constexpr std::size_t kStreamChunkBytes = 64 * 1024;

/// 24-byte header, then chunks each with 17 bytes of tag; the last chunk is marked final;
/// `associated_data` is bound to every chunk. Requires: key.size() == 32.
Bytes encrypt_stream(const Secret& key, BytesView associated_data, BytesView plaintext);
/// Returns: Errc::cannot_open for a wrong key, other associated data, changed, cut or extended
/// bytes.
Result<Secret> decrypt_stream(const Secret& key, BytesView associated_data, BytesView ciphertext);

}  // namespace baolian::crypto
