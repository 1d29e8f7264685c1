#include "crypto/sealed_box.h"

#include <sodium.h>

#include "crypto/signing.h"

namespace baolian::crypto {

EncryptionKeyPair make_encryption_key_pair(const Secret& seed) {
  ASSERT(seed.size() == crypto_box_SEEDBYTES);
  EncryptionKeyPair out{.public_key = {}, .secret_key = Secret(crypto_box_SECRETKEYBYTES)};
  out.public_key.bytes[0] = static_cast<std::uint8_t>(Algorithm::x25519);
  crypto_box_seed_keypair(out.public_key.bytes.data() + 1, out.secret_key.mutable_view().data(),
                          seed.view().data());
  return out;
}

Result<Bytes> seal(const EncryptionKey& to, BytesView plaintext) {
  if (to.bytes[0] != static_cast<std::uint8_t>(Algorithm::x25519)) {
    return fail(Errc::bad_public_key, "the key to seal to is no X25519 key");
  }
  Bytes out(plaintext.size() + crypto_box_SEALBYTES);
  if (crypto_box_seal(out.data(), plaintext.data(), plaintext.size(), to.bytes.data() + 1) != 0) {
    return fail(Errc::bad_public_key, "the key to seal to is a point of low order");
  }
  return out;
}

Result<Secret> open_sealed(const EncryptionKeyPair& key, BytesView box) {
  ASSERT(key.secret_key.size() == crypto_box_SECRETKEYBYTES);
  if (box.size() < crypto_box_SEALBYTES) {
    return fail(Errc::cannot_open, "the sealed box is shorter than any sealed box");
  }
  Secret out(box.size() - crypto_box_SEALBYTES);
  if (crypto_box_seal_open(out.mutable_view().data(), box.data(), box.size(),
                           key.public_key.bytes.data() + 1, key.secret_key.view().data()) != 0) {
    return fail(Errc::cannot_open, "the sealed box is for another key, or was changed");
  }
  return out;
}

}  // namespace baolian::crypto
