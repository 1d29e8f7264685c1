#include "vault/envelope.h"

#include "crypto/commitment.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/secretstream.h"

namespace baolian::vault {
namespace {

/// A wrap's content for the length of a scope: decoded in place and wiped on every way out, so that
/// no copy of a data key stays behind on the stack.
struct OpenWrap {
  WrapContent content;

  OpenWrap() = default;
  OpenWrap(const OpenWrap&) = delete;
  OpenWrap& operator=(const OpenWrap&) = delete;
  ~OpenWrap() {
    crypto::wipe(content.data_key.bytes);
    crypto::wipe(content.salt.bytes);
    crypto::wipe(content.plaintext_hash.bytes);
  }
};

/// More than the canonical content: an encoding that grew would leave its shorter copies, with the
/// key in them, in freed memory.
constexpr std::size_t kWrapBytesMax = 256;

}  // namespace

Commitment record_commitment(const contracts::RecordRef& record, const Salt& salt,
                             const Hash& plaintext_hash, const Hash& ciphertext_hash) {
  Bytes version;
  Encoder(version).integer(record.version);
  const Hash hash = crypto::hash_in_domain(
      crypto::domain::kRecord,
      {record.record.view(), version, salt.view(), plaintext_hash.view(), ciphertext_hash.view()});
  return Commitment::from(hash.view());
}

Bytes associated_data(const contracts::RecordRef& record) {
  Bytes out = to_bytes(record.record.view());
  Encoder(out).integer(record.version);
  return out;
}

Result<SealedRecord> seal_record(const contracts::RecordRef& record, BytesView plaintext) {
  if (plaintext.size() > kRecordBytesMax) {
    return fail(Errc::limit_exceeded, "a record holds at most 64 MiB; split the document");
  }
  OpenWrap wrap;
  WrapContent& content = wrap.content;
  content.record = record.record;
  content.record_version = record.version;
  crypto::fill_random(content.data_key.bytes);
  content.salt = crypto::new_salt();
  content.plaintext_hash = crypto::sha256(plaintext);

  SealedRecord out;
  out.record = record;
  const auto key = crypto::Secret::copy_of(content.data_key.view());
  out.ciphertext = crypto::encrypt_stream(key, associated_data(record), plaintext);
  out.commitment = record_commitment(record, content.salt, content.plaintext_hash,
                                     crypto::sha256(out.ciphertext));
  Bytes encoded;
  encoded.reserve(kWrapBytesMax);
  Encoder(encoded).value(content);
  ASSERT(encoded.size() <= kWrapBytesMax);
  out.wrap_content = crypto::Secret::copy_of(encoded);
  crypto::wipe(encoded);
  return out;
}

Result<crypto::Secret> open_record(const contracts::RecordRef& record, const Commitment& commitment,
                                   BytesView ciphertext, BytesView wrap_content) {
  OpenWrap wrap;
  WrapContent& content = wrap.content;
  Decoder decoder(wrap_content);
  if (!decoder.value(content) || !decoder.finish()) {
    return fail(Errc::cannot_open, "the wrap has no readable content; ask for it again");
  }
  if (content.record != record.record || content.record_version != record.version) {
    return fail(Errc::wrong_record_version, "the wrap is of another record or version");
  }
  const Commitment made =
      record_commitment(record, content.salt, content.plaintext_hash, crypto::sha256(ciphertext));
  if (made != commitment) {
    return fail(Errc::bad_commitment,
                "salt, plaintext hash or ciphertext do not make the commitment on the chain");
  }
  const auto key = crypto::Secret::copy_of(content.data_key.view());
  TRY(crypto::Secret plaintext, crypto::decrypt_stream(key, associated_data(record), ciphertext));
  // secretstream does not commit to its key: a second key may open this very ciphertext to another
  // text, and only this tells.
  if (crypto::sha256(plaintext.view()) != content.plaintext_hash) {
    return fail(Errc::bad_commitment, "the opened text is not the one that was committed to");
  }
  return plaintext;
}

Hash delivery_hash(BytesView bytes) {
  return crypto::hash_in_domain(crypto::domain::kWrap, {bytes});
}

}  // namespace baolian::vault
