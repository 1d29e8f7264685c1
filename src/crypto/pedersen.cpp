#include "crypto/pedersen.h"

#include <sodium.h>

#include <algorithm>

#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/secret.h"

namespace baolian::crypto {
namespace {

static_assert(GroupElement::kSize == crypto_core_ristretto255_BYTES);
static_assert(Scalar::kSize == crypto_core_ristretto255_SCALARBYTES);

GroupElement derive_second_generator() {
  std::array<std::uint8_t, crypto_core_ristretto255_HASHBYTES> wide{};
  static_assert(crypto_core_ristretto255_HASHBYTES == crypto_hash_sha512_BYTES);
  const BytesView name = as_bytes(domain::kPedersenH);
  crypto_hash_sha512(wide.data(), name.data(), name.size());
  GroupElement out;
  ASSERT(crypto_core_ristretto255_from_hash(out.bytes.data(), wide.data()) == 0);
  return out;
}

/// True for scalars below L: reduction leaves them as they are.
bool is_canonical(const Scalar& scalar) {
  std::array<std::uint8_t, crypto_core_ristretto255_NONREDUCEDSCALARBYTES> wide{};
  std::copy(scalar.bytes.begin(), scalar.bytes.end(), wide.begin());
  Scalar reduced;
  crypto_core_ristretto255_scalar_reduce(reduced.bytes.data(), wide.data());
  const bool same = equal_constant_time(reduced.view(), scalar.view());
  wipe(wide);
  wipe(reduced.bytes);
  return same;
}

/// libsodium 1.0.18 ignores bit 255 of an encoding, which RFC 9496 4.3.1 refuses (the field is of
/// 255 bits): unchecked, every element would have a second encoding, and nodes with another version
/// would judge it differently.
bool has_unused_bit(const GroupElement& a) { return (a.bytes[31] & 0x80) != 0; }

Error bad_element() {
  return fail(Errc::bad_group_element, "32 bytes are no canonical ristretto255 element");
}

}  // namespace

const GroupElement& pedersen_h() {
  static const GroupElement h = derive_second_generator();
  return h;
}

Scalar new_blinding() {
  initialize();
  Scalar out;
  crypto_core_ristretto255_scalar_random(out.bytes.data());  // in [1, L)
  return out;
}

Result<GroupElement> pedersen_commit(std::uint64_t v, const Scalar& r) {
  if (v >> 63 != 0) return fail(Errc::limit_exceeded, "an amount to commit to is above 2^63 - 1");
  if (r.is_zero() || !is_canonical(r)) {
    return fail(Errc::bad_commitment, "the blinding factor is zero or not below the group order");
  }
  GroupElement blinded;
  ASSERT(crypto_scalarmult_ristretto255(blinded.bytes.data(), r.bytes.data(),
                                        pedersen_h().bytes.data()) == 0);
  if (v == 0) return blinded;
  Scalar amount;
  for (std::size_t i = 0; i < sizeof v; ++i) {
    amount.bytes[i] = static_cast<std::uint8_t>(v >> (8 * i));
  }
  GroupElement value;
  ASSERT(crypto_scalarmult_ristretto255_base(value.bytes.data(), amount.bytes.data()) == 0);
  wipe(amount.bytes);
  return add(blinded, value);
}

Result<GroupElement> add(const GroupElement& a, const GroupElement& b) {
  GroupElement out;
  if (has_unused_bit(a) || has_unused_bit(b) ||
      crypto_core_ristretto255_add(out.bytes.data(), a.bytes.data(), b.bytes.data()) != 0) {
    return bad_element();
  }
  return out;
}

Result<GroupElement> subtract(const GroupElement& a, const GroupElement& b) {
  GroupElement out;
  if (has_unused_bit(a) || has_unused_bit(b) ||
      crypto_core_ristretto255_sub(out.bytes.data(), a.bytes.data(), b.bytes.data()) != 0) {
    return bad_element();
  }
  return out;
}

bool is_group_element(const GroupElement& a) {
  return !has_unused_bit(a) && crypto_core_ristretto255_is_valid_point(a.bytes.data()) == 1;
}

Scalar add(const Scalar& a, const Scalar& b) {
  Scalar out;
  crypto_core_ristretto255_scalar_add(out.bytes.data(), a.bytes.data(), b.bytes.data());
  return out;
}

Scalar subtract(const Scalar& a, const Scalar& b) {
  Scalar out;
  crypto_core_ristretto255_scalar_sub(out.bytes.data(), a.bytes.data(), b.bytes.data());
  return out;
}

}  // namespace baolian::crypto
