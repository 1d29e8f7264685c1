/// Strong types for identifiers and numbers: a Height is not a View, a RecordId is not a Hash.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>

#include "core/bytes.h"

namespace baolian {

/// `Size` bytes with a meaning of their own, named by `Tag`. Value type; zero when default-made.
template <typename Tag, std::size_t Size>
struct FixedBytes {
  static constexpr std::size_t kSize = Size;
  std::array<std::uint8_t, Size> bytes{};

  BytesView view() const { return bytes; }
  std::string hex() const { return to_hex(bytes); }
  bool is_zero() const {
    for (const std::uint8_t b : bytes) {
      if (b != 0) return false;
    }
    return true;
  }

  /// Requires: view.size() == Size.
  static FixedBytes from(BytesView view) {
    ASSERT(view.size() == Size);
    FixedBytes out;
    std::memcpy(out.bytes.data(), view.data(), Size);
    return out;
  }
  /// Returns: Errc::bad_hex, also for another length.
  static Result<FixedBytes> from_hex_text(std::string_view text) {
    TRY(const Bytes raw, from_hex(text));
    if (raw.size() != Size) {
      return fail(Errc::bad_hex, "expected " + std::to_string(Size * 2) + " hexadecimal digits");
    }
    return from(raw);
  }

  friend bool operator==(const FixedBytes&, const FixedBytes&) = default;
  friend std::strong_ordering operator<=>(const FixedBytes& a, const FixedBytes& b) {
    const int order = std::memcmp(a.bytes.data(), b.bytes.data(), Size);
    return order <=> 0;
  }
};

/// For unordered containers of values that nobody outside can choose (hashes, keys). Never iterated
/// where the order could matter.
struct FixedBytesHash {
  template <typename Tag, std::size_t Size>
  std::size_t operator()(const FixedBytes<Tag, Size>& id) const {
    static_assert(Size >= sizeof(std::size_t));
    std::size_t out = 0;
    std::memcpy(&out, id.bytes.data() + (Size - sizeof out), sizeof out);
    return out;
  }
};

/// A 64-bit number with a meaning of its own.
template <typename Tag>
struct Number {
  std::uint64_t value = 0;

  friend auto operator<=>(const Number&, const Number&) = default;
  Number next() const { return {value + 1}; }
  Number& operator++() {
    ++value;
    return *this;
  }
};

template <typename Tag>
Number<Tag> operator+(Number<Tag> a, std::uint64_t b) {
  return {a.value + b};
}

// SHA-256 values.
using Hash = FixedBytes<struct HashTag, 32>;
using ChainId = FixedBytes<struct ChainIdTag, 32>;  ///< H(canonical genesis)
using TxHash = FixedBytes<struct TxHashTag, 32>;    ///< H("tx" || body || signature)
using TxId = FixedBytes<struct TxIdTag, 32>;        ///< H(body)

// Random or derived identifiers on the chain.
using RequestId = FixedBytes<struct RequestIdTag, 16>;  ///< chosen at random by the sender
using InstitutionId = FixedBytes<struct InstitutionIdTag, 32>;
using MemberId = FixedBytes<struct MemberIdTag, 32>;
using RecordId = FixedBytes<struct RecordIdTag, 32>;
using ConsentId = FixedBytes<struct ConsentIdTag, 32>;
using PolicyId = FixedBytes<struct PolicyIdTag, 32>;
using ProductId = FixedBytes<struct ProductIdTag, 32>;
using CatalogId = FixedBytes<struct CatalogIdTag, 32>;
using ClaimId = FixedBytes<struct ClaimIdTag, 32>;
using GrantId = FixedBytes<struct GrantIdTag, 32>;
using Tag32 = FixedBytes<struct Tag32Tag, 32>;            ///< keyed tag: encounter, invoice, day
using Commitment = FixedBytes<struct CommitmentTag, 32>;  ///< salted hash commitment
using GroupElement = FixedBytes<struct GroupElementTag, 32>;  ///< ristretto255, canonical
using Salt = FixedBytes<struct SaltTag, 32>;

/// Algorithm byte, then the raw key: 1 = Ed25519 (signing), 2 = X25519 (encryption).
using PublicKey = FixedBytes<struct PublicKeyTag, 33>;
using EncryptionKey = FixedBytes<struct EncryptionKeyTag, 33>;
/// Ed25519 signature. The algorithm is named by the key beside which it always stands.
using Signature = FixedBytes<struct SignatureTag, 64>;

using Height = Number<struct HeightTag>;
using View = Number<struct ViewTag>;
using Epoch = Number<struct EpochTag>;
using Tick = Number<struct TickTag>;  ///< milliseconds of a monotonic clock
using PersistId = Number<struct PersistIdTag>;
using TimeMs = Number<struct TimeMsTag>;  ///< milliseconds since 1970-01-01T00:00Z
using Nonce = Number<struct NonceTag>;

/// Position of a validator in the ascending key list of its epoch, 0-based.
using ValidatorIndex = std::uint16_t;

}  // namespace baolian
