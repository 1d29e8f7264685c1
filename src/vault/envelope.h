/// Sealed records (privacy.md, Envelopes): a random data key, secretstream over the plaintext, and
/// one salted commitment over both hashes that alone goes on the chain. The salt, the plaintext
/// hash and the data key travel in a sealed wrap.
///
/// secretstream does not commit to its key: two keys may open one ciphertext to two texts. So
/// whoever opens checks the ciphertext hash, the plaintext hash and the commitment before it uses a
/// byte.
#pragma once

#include "contracts/types.h"
#include "core/codec.h"
#include "core/ids.h"
#include "core/result.h"
#include "crypto/sealed_box.h"
#include "crypto/secret.h"

namespace baolian::vault {

inline constexpr std::size_t kRecordBytesMax = 64 * 1024 * 1024;

/// Content of a wrap: everything that turns the ciphertext back into the record. Secret.
struct WrapContent {
  static constexpr std::string_view kTypeName = "WrapContent";
  Version<1> version;
  RecordId record;
  std::uint32_t record_version = 0;
  FixedBytes<struct DataKeyTag, 32> data_key;
  Salt salt;
  Hash plaintext_hash;

  static constexpr auto fields() {
    return field_list(
        field("version", &WrapContent::version, "format version"),
        field("record", &WrapContent::record, "record id"),
        field("record_version", &WrapContent::record_version, "record version, from 1"),
        field("data_key", &WrapContent::data_key, "key of the secretstream"),
        field("salt", &WrapContent::salt, "salt of the commitment"),
        field("plaintext_hash", &WrapContent::plaintext_hash, "SHA-256 of the plaintext"));
  }
};

/// H("record" || record id || u32 version || salt || SHA-256(plaintext) || SHA-256(ciphertext)).
Commitment record_commitment(const contracts::RecordRef& record, const Salt& salt,
                             const Hash& plaintext_hash, const Hash& ciphertext_hash);

/// Associated data of the secretstream: record id, then u32 version little-endian.
Bytes associated_data(const contracts::RecordRef& record);

struct SealedRecord {
  contracts::RecordRef record;
  Bytes ciphertext;
  crypto::Secret wrap_content;  ///< canonical WrapContent
  Commitment commitment;
};

/// Seals `plaintext` under a fresh data key and salt.
/// Returns: Errc::limit_exceeded above kRecordBytesMax.
Result<SealedRecord> seal_record(const contracts::RecordRef& record, BytesView plaintext);

/// Opens a ciphertext with the content of its wrap and checks all of: record and version,
/// ciphertext under the commitment, key, plaintext hash. Returns: Errc::bad_commitment if salt,
/// hash or ciphertext do not make the commitment, Errc::wrong_record_version if the wrap is of
/// another record or version, Errc::cannot_open for a wrong key or unreadable wrap content.
Result<crypto::Secret> open_record(const contracts::RecordRef& record, const Commitment& commitment,
                                   BytesView ciphertext, BytesView wrap_content);

/// H("wrap" || bytes): how a release names the sealed wrap. (The ciphertext it names by plain
/// SHA-256, as the commitment does.)
Hash delivery_hash(BytesView bytes);

}  // namespace baolian::vault
