/// Signatures: one formula for every signed object of the system (consensus.md 1.4):
///
///   Ed25519 over "baolian1" || u8 object type || chain_id || u64 epoch (0 if none) ||
///   SHA-256(canonical body)
///
/// | offset | bytes | what |
/// |---|---|---|
/// | 0 | 8 | "baolian1" |
/// | 8 | 1 | object type |
/// | 9 | 32 | chain_id |
/// | 41 | 8 | epoch, little-endian, 0 for objects of no epoch |
/// | 49 | 32 | SHA-256 of the canonical body |
#pragma once

#include <array>
#include <memory>

#include "core/codec.h"
#include "core/ids.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

namespace baolian::crypto {

/// The first byte of keys: names the algorithm, so that a chain of other algorithms needs no second
/// format.
enum class Algorithm : std::uint8_t { ed25519 = 1, x25519 = 2, toy = 0x7F /* simulator only */ };

/// What is signed. The numbers are part of the format and only grow.
enum class ObjectType : std::uint8_t {
  transaction = 1,
  cosign = 2,
  pre_prepare = 3,
  prepare = 4,
  commit = 5,
  exec = 6,
  suspect = 7,
  view_change = 8,
  new_view = 9,
  status = 10,
  hello = 11,
  api_request = 12,
  slip = 13,
  attest = 14,
  raft_entry = 15,
};
constexpr auto enum_names(ObjectType) {
  return std::array<std::string_view, 16>{
      "",        "transaction", "cosign",   "pre_prepare", "prepare", "commit",      "exec",
      "suspect", "view_change", "new_view", "status",      "hello",   "api_request", "slip",
      "attest",  "raft_entry"};
}

inline constexpr std::size_t kSignedBytes = 81;
using SignedBytes = std::array<std::uint8_t, kSignedBytes>;

/// The bytes under a signature. `body_hash` is the SHA-256 of the canonical body.
SignedBytes signed_bytes(ObjectType type, const ChainId& chain, Epoch epoch, const Hash& body_hash);

/// Checks signatures. An interface so that the simulator can use a cheap keyed hash in the same
/// places.
class Verifier {
 public:
  virtual ~Verifier() = default;
  /// True if `signature` is valid. False for anything malformed: small-order or non-canonical
  /// points and scalars, unknown algorithms. Never throws. Thread-safe.
  virtual bool verify(const PublicKey& key, BytesView message,
                      const Signature& signature) const = 0;

  bool verify_object(const PublicKey& key, ObjectType type, const ChainId& chain, Epoch epoch,
                     const Hash& body_hash, const Signature& signature) const;
};

/// The production verifier: Ed25519 by libsodium. Stateless.
const Verifier& ed25519_verifier();

/// Holds a signing key. Deterministic: the same message gives the same signature. Thread-safe.
class Signer {
 public:
  virtual ~Signer() = default;
  virtual PublicKey public_key() const = 0;
  virtual Signature sign(BytesView message) const = 0;

  Signature sign_object(ObjectType type, const ChainId& chain, Epoch epoch,
                        const Hash& body_hash) const;
};

/// Ed25519 from a 32-byte seed. Requires: seed.size() == 32.
std::unique_ptr<Signer> make_ed25519_signer(const Secret& seed);

/// A fresh random 32-byte seed in locked memory.
Secret new_seed();

/// Signer and Verifier of the simulator: a keyed hash that anybody could forge who reads the key,
/// and that costs a microsecond. Keys carry Algorithm::toy, which ed25519_verifier() refuses.
std::unique_ptr<Signer> make_toy_signer(std::uint64_t seed);
const Verifier& toy_verifier();

}  // namespace baolian::crypto
