/// Pedersen commitments on ristretto255: C(v, r) = v·G + r·H, additively homomorphic, so that every
/// validator checks sums of amounts that it cannot see (contracts.md, claims).
///
/// G is the ristretto255 base point; H = from_hash(SHA-512(domain::kPedersenH)): nobody knows
/// log_G(H). v < 2^63 minor units; r is uniform and non-zero mod L. The identity (32 zero bytes) is
/// a legal stored value.
#pragma once

#include <cstdint>

#include "core/ids.h"
#include "core/result.h"

namespace baolian::crypto {

using Scalar = FixedBytes<struct ScalarTag, 32>;  ///< mod L, little-endian, canonical

/// The second generator.
const GroupElement& pedersen_h();

/// A fresh blinding factor, non-zero mod L.
Scalar new_blinding();

/// Returns: Errc::limit_exceeded for v >= 2^63, Errc::bad_commitment for r zero or not canonical.
/// v = 0 gives r·H alone (libsodium refuses a zero scalar).
Result<GroupElement> pedersen_commit(std::uint64_t v, const Scalar& r);

/// Group addition and subtraction; the identity is accepted on both sides.
/// Returns: Errc::bad_group_element for bytes that are no canonical element.
Result<GroupElement> add(const GroupElement& a, const GroupElement& b);
Result<GroupElement> subtract(const GroupElement& a, const GroupElement& b);

/// True for the canonical form of an element, the identity included.
bool is_group_element(const GroupElement& a);

/// Blinding factors mod L.
Scalar add(const Scalar& a, const Scalar& b);
Scalar subtract(const Scalar& a, const Scalar& b);

}  // namespace baolian::crypto
