#include "crypto/signing.h"

#include <sodium.h>

#include <algorithm>

#include "crypto/random.h"

namespace baolian::crypto {
namespace {

constexpr std::string_view kSignaturePrefix = "baolian1";

bool has_algorithm(const PublicKey& key, Algorithm algorithm) {
  return key.bytes[0] == static_cast<std::uint8_t>(algorithm);
}

class Ed25519Verifier final : public Verifier {
 public:
  bool verify(const PublicKey& key, BytesView message, const Signature& signature) const override {
    if (!has_algorithm(key, Algorithm::ed25519)) return false;
    return crypto_sign_ed25519_verify_detached(signature.bytes.data(), message.data(),
                                               message.size(), key.bytes.data() + 1) == 0;
  }
};

class Ed25519Signer final : public Signer {
 public:
  explicit Ed25519Signer(const Secret& seed) : secret_key_(crypto_sign_ed25519_SECRETKEYBYTES) {
    ASSERT(seed.size() == crypto_sign_ed25519_SEEDBYTES);
    public_key_.bytes[0] = static_cast<std::uint8_t>(Algorithm::ed25519);
    crypto_sign_ed25519_seed_keypair(public_key_.bytes.data() + 1,
                                     secret_key_.mutable_view().data(), seed.view().data());
  }

  PublicKey public_key() const override { return public_key_; }

  Signature sign(BytesView message) const override {
    Signature out;
    crypto_sign_ed25519_detached(out.bytes.data(), nullptr, message.data(), message.size(),
                                 secret_key_.view().data());
    return out;
  }

 private:
  Secret secret_key_;
  PublicKey public_key_;
};

/// The hash of key and message fills both halves of the signature.
Signature toy_signature(const PublicKey& key, BytesView message) {
  const Hash half = sha256({key.view(), message});
  Signature out;
  std::copy(half.bytes.begin(), half.bytes.end(), out.bytes.begin());
  std::copy(half.bytes.begin(), half.bytes.end(), out.bytes.begin() + Hash::kSize);
  return out;
}

class ToySigner final : public Signer {
 public:
  explicit ToySigner(std::uint64_t seed) {
    // The seed leads, so that validators made from ascending seeds keep their order; the hash
    // behind it makes keys differ in their last bytes, by which unordered containers find them.
    Bytes raw{static_cast<std::uint8_t>(Algorithm::toy)};
    append_big_endian(raw, seed, sizeof seed);
    const Hash tail = sha256(raw);
    append(raw, tail.view().first(PublicKey::kSize - raw.size()));
    public_key_ = PublicKey::from(raw);
  }

  PublicKey public_key() const override { return public_key_; }
  Signature sign(BytesView message) const override { return toy_signature(public_key_, message); }

 private:
  PublicKey public_key_;
};

class ToyVerifier final : public Verifier {
 public:
  bool verify(const PublicKey& key, BytesView message, const Signature& signature) const override {
    return has_algorithm(key, Algorithm::toy) && toy_signature(key, message) == signature;
  }
};

}  // namespace

SignedBytes signed_bytes(ObjectType type, const ChainId& chain, Epoch epoch,
                         const Hash& body_hash) {
  ASSERT(is_enum_value<ObjectType>(static_cast<std::uint64_t>(type)));
  SignedBytes out{};
  auto at = std::copy(kSignaturePrefix.begin(), kSignaturePrefix.end(), out.begin());
  *at++ = static_cast<std::uint8_t>(type);
  at = std::copy(chain.bytes.begin(), chain.bytes.end(), at);
  for (int shift = 0; shift < 64; shift += 8) {
    *at++ = static_cast<std::uint8_t>(epoch.value >> shift);
  }
  at = std::copy(body_hash.bytes.begin(), body_hash.bytes.end(), at);
  ASSERT(at == out.end());
  return out;
}

bool Verifier::verify_object(const PublicKey& key, ObjectType type, const ChainId& chain,
                             Epoch epoch, const Hash& body_hash, const Signature& signature) const {
  return verify(key, signed_bytes(type, chain, epoch, body_hash), signature);
}

const Verifier& ed25519_verifier() {
  static const Ed25519Verifier verifier;
  return verifier;
}

Signature Signer::sign_object(ObjectType type, const ChainId& chain, Epoch epoch,
                              const Hash& body_hash) const {
  return sign(signed_bytes(type, chain, epoch, body_hash));
}

std::unique_ptr<Signer> make_ed25519_signer(const Secret& seed) {
  return std::make_unique<Ed25519Signer>(seed);
}

Secret new_seed() {
  Secret seed(crypto_sign_ed25519_SEEDBYTES);
  fill_random(seed.mutable_view());
  return seed;
}

std::unique_ptr<Signer> make_toy_signer(std::uint64_t seed) {
  return std::make_unique<ToySigner>(seed);
}

const Verifier& toy_verifier() {
  static const ToyVerifier verifier;
  return verifier;
}

}  // namespace baolian::crypto
