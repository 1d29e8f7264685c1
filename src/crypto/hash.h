/// SHA-256 with domain separation. Every hash of the chain begins with a constant that says what it
/// is of.
#pragma once

#include <initializer_list>
#include <memory>
#include <string_view>

#include "core/bytes.h"
#include "core/ids.h"

namespace baolian::crypto {

/// The leading constants. No constant is the beginning of another (a test checks it), so that two
/// kinds of hash can never be of the same bytes. Merkle trees use the one-byte prefixes of RFC 9162
/// (ledger/merkle.h).
namespace domain {
inline constexpr std::string_view kTransaction = "tx";  ///< tx_hash = H("tx" || body || signature)
inline constexpr std::string_view kBatch = "batch";     ///< batch digest
inline constexpr std::string_view kNullBatch = "null";  ///< H("null" || chain_id || epoch || n)
inline constexpr std::string_view kHeader = "header";   ///< header hash
inline constexpr std::string_view kId = "id";           ///< ids made by a contract
inline constexpr std::string_view kEpoch = "epoch";     ///< validators_hash
inline constexpr std::string_view kOperation =
    "operation";  ///< H(kind || content), signed by a cosignature
inline constexpr std::string_view kRecord =
    "record";  ///< record commitment (privacy.md, Envelopes)
inline constexpr std::string_view kSubject = "subject";  ///< salted commitment to a subject
inline constexpr std::string_view kRecordList = "list";  ///< salted commitment to a record list
inline constexpr std::string_view kPolicy = "policy";    ///< id of a policy and its consent
inline constexpr std::string_view kConsent = "consent";  ///< H(consent), named by consent.confirm
inline constexpr std::string_view kSalted = "salted";    ///< commit(): any other guessable value
inline constexpr std::string_view kAccumulator =
    "accumulator";  ///< salted commitment to an amount of a policy year
inline constexpr std::string_view kDecision = "decision";     ///< salted commitment to a decision
inline constexpr std::string_view kEscrow = "escrow";         ///< H(sealed escrow), in a decision
inline constexpr std::string_view kPublicContent = "public";  ///< content that is public (products)
inline constexpr std::string_view kWrap = "wrap";  ///< H(sealed wrap), H(ciphertext) in release
inline constexpr std::string_view kKeyCheck =
    "keycheck";  ///< check value of a keyed-tag key in genesis
inline constexpr std::string_view kSubjectLog = "sublog";  ///< log id of a subject
inline constexpr std::string_view kPedersenH = "baolian pedersen second generator v1";
}  // namespace domain

/// Incremental SHA-256 (OpenSSL: hardware SHA where there is any). Not copyable, one thread at a
/// time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  Sha256& update(BytesView bytes);
  /// Ends the computation; the object may be used again from the start afterwards.
  Hash finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// SHA-256 of the concatenation. About 130 ns for 65 bytes.
Hash sha256(std::initializer_list<BytesView> parts);
inline Hash sha256(BytesView bytes) { return sha256({bytes}); }

/// H(domain || parts...).
Hash hash_in_domain(std::string_view domain, std::initializer_list<BytesView> parts);

/// HMAC-SHA256 (RFC 2104), for keyed tags and SubjectIds of scheme 0.
Hash hmac_sha256(BytesView key, std::initializer_list<BytesView> parts);

/// CRC-32C (Castagnoli), for records of the consensus log: finds accidents, not enemies.
/// `seed` continues: crc32c(b, crc32c(a)) is the CRC of a followed by b.
std::uint32_t crc32c(BytesView bytes, std::uint32_t seed = 0);
/// The same without the processor's instruction: what crc32c falls back to, and its test oracle.
std::uint32_t crc32c_portable(BytesView bytes, std::uint32_t seed = 0);

}  // namespace baolian::crypto
