#include "vault/envelope.h"

#include "crypto/hash.h"
#include "crypto/secretstream.h"
#include "support/catch.h"
#include "vault/fixture.h"
#include "vault/two_keys.h"

namespace baolian::vault {
namespace {

using test::record_ref;

const Bytes kText = to_bytes("discharge summary");

WrapContent content_of(const SealedRecord& sealed) {
  return decode<WrapContent>(sealed.wrap_content.view()).value();
}

Errc error_of(const Result<crypto::Secret>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().code;
}

TEST_CASE("a sealed record opens to its text with its wrap", "[vault][envelope]") {
  for (const std::size_t size : {0U, 1U, 65536U, 65537U, 300000U}) {
    const Bytes text(size, 0x5A);
    const auto sealed = seal_record(record_ref(1), text);
    REQUIRE(sealed.has_value());
    const auto opened = open_record(sealed->record, sealed->commitment, sealed->ciphertext,
                                    sealed->wrap_content.view());
    REQUIRE(opened.has_value());
    CHECK(to_bytes(opened->view()) == text);
  }
}

TEST_CASE("privacy.md: the commitment is H(domain, record, version, salt, both hashes)",
          "[vault][envelope]") {
  const auto sealed = seal_record(record_ref(1, 3), kText).value();
  const WrapContent content = content_of(sealed);
  CHECK(content.plaintext_hash == crypto::sha256(kText));
  Bytes bytes = to_bytes("record");
  append(bytes, record_ref(1, 3).record.view());
  append(bytes, Bytes{3, 0, 0, 0});
  append(bytes, content.salt.view());
  append(bytes, crypto::sha256(kText).view());
  append(bytes, crypto::sha256(sealed.ciphertext).view());
  CHECK(sealed.commitment == Commitment::from(crypto::sha256(bytes).view()));
}

TEST_CASE("the same text sealed twice has nothing in common", "[vault][envelope]") {
  const auto a = seal_record(record_ref(1), kText).value();
  const auto b = seal_record(record_ref(1), kText).value();
  CHECK(a.ciphertext != b.ciphertext);
  CHECK(a.commitment != b.commitment);
  CHECK(content_of(a).data_key != content_of(b).data_key);
  CHECK(content_of(a).salt != content_of(b).salt);
}

TEST_CASE("a record above 64 MiB is refused", "[vault][envelope]") {
  const Bytes huge(kRecordBytesMax + 1);
  const auto sealed = seal_record(record_ref(1), huge);
  REQUIRE_FALSE(sealed.has_value());
  CHECK(sealed.error().code == Errc::limit_exceeded);
}

TEST_CASE("a wrap of another record or version does not open", "[vault][envelope]") {
  const auto sealed = seal_record(record_ref(1, 2), kText).value();
  const auto open_as = [&](const contracts::RecordRef& record) {
    return error_of(
        open_record(record, sealed.commitment, sealed.ciphertext, sealed.wrap_content.view()));
  };
  CHECK(open_as(record_ref(1, 1)) == Errc::wrong_record_version);
  CHECK(open_as(record_ref(2, 2)) == Errc::wrong_record_version);
  // Relabelled, the wrap no longer makes the commitment.
  WrapContent relabelled = content_of(sealed);
  relabelled.record_version = 1;
  CHECK(error_of(open_record(record_ref(1, 1), sealed.commitment, sealed.ciphertext,
                             encode(relabelled))) == Errc::bad_commitment);
}

TEST_CASE("a wrap whose salt, plaintext hash or key does not match is refused",
          "[vault][envelope]") {
  const auto sealed = seal_record(record_ref(1), kText).value();
  const auto open_with = [&](const WrapContent& content) {
    return error_of(
        open_record(sealed.record, sealed.commitment, sealed.ciphertext, encode(content)));
  };
  WrapContent salt = content_of(sealed);
  salt.salt.bytes[0] ^= 1;
  CHECK(open_with(salt) == Errc::bad_commitment);
  WrapContent hash = content_of(sealed);
  hash.plaintext_hash.bytes[31] ^= 1;
  CHECK(open_with(hash) == Errc::bad_commitment);
  WrapContent key = content_of(sealed);
  key.data_key.bytes[7] ^= 1;
  CHECK(open_with(key) == Errc::cannot_open);
}

TEST_CASE("a changed, cut or extended ciphertext is refused", "[vault][envelope]") {
  const auto sealed = seal_record(record_ref(1), kText).value();
  const auto open = [&](const Bytes& ciphertext) {
    return error_of(
        open_record(sealed.record, sealed.commitment, ciphertext, sealed.wrap_content.view()));
  };
  for (std::size_t i = 0; i < sealed.ciphertext.size(); ++i) {
    Bytes changed = sealed.ciphertext;
    changed[i] ^= 1;
    CHECK(open(changed) == Errc::bad_commitment);
  }
  Bytes cut = sealed.ciphertext;
  cut.pop_back();
  CHECK(open(cut) == Errc::bad_commitment);
  Bytes extended = sealed.ciphertext;
  extended.push_back(0);
  CHECK(open(extended) == Errc::bad_commitment);
  CHECK(open({}) == Errc::bad_commitment);
}

TEST_CASE("wrap bytes that are no wrap content are refused", "[vault][envelope]") {
  const auto sealed = seal_record(record_ref(1), kText).value();
  const auto open = [&](const Bytes& wrap) {
    return error_of(open_record(sealed.record, sealed.commitment, sealed.ciphertext, wrap));
  };
  CHECK(open({}) == Errc::cannot_open);
  Bytes cut = to_bytes(sealed.wrap_content.view());
  cut.pop_back();
  CHECK(open(cut) == Errc::cannot_open);
  Bytes extended = to_bytes(sealed.wrap_content.view());
  extended.push_back(0);
  CHECK(open(extended) == Errc::cannot_open);
  Bytes version = to_bytes(sealed.wrap_content.view());
  version[0] = 2;
  CHECK(open(version) == Errc::cannot_open);
}

TEST_CASE("two data keys open one ciphertext, and only the committed text is handed out",
          "[vault][envelope]") {
  const auto record = record_ref(1);
  const Bytes associated = associated_data(record);
  const test::TwoKeys two = test::make_two_keys(associated);
  // The cipher itself is satisfied by both keys: this is the danger, not a mistake of the test.
  const auto first = crypto::decrypt_stream(two.first, associated, two.ciphertext);
  const auto second = crypto::decrypt_stream(two.second, associated, two.ciphertext);
  REQUIRE(first.has_value());
  REQUIRE(second.has_value());
  REQUIRE(to_bytes(first->view()) != to_bytes(second->view()));

  WrapContent wrap;
  wrap.record = record.record;
  wrap.record_version = record.version;
  wrap.salt = test::numbered<Salt>(6);
  wrap.plaintext_hash = crypto::sha256(first->view());
  wrap.data_key = decltype(wrap.data_key)::from(two.first.view());
  const Commitment commitment =
      record_commitment(record, wrap.salt, wrap.plaintext_hash, crypto::sha256(two.ciphertext));
  const auto honest = open_record(record, commitment, two.ciphertext, encode(wrap));
  REQUIRE(honest.has_value());
  CHECK(to_bytes(honest->view()) == to_bytes(first->view()));

  wrap.data_key = decltype(wrap.data_key)::from(two.second.view());
  CHECK(error_of(open_record(record, commitment, two.ciphertext, encode(wrap))) ==
        Errc::bad_commitment);
  // Nor with the second text's own hash: that is another commitment.
  wrap.plaintext_hash = crypto::sha256(second->view());
  CHECK(error_of(open_record(record, commitment, two.ciphertext, encode(wrap))) ==
        Errc::bad_commitment);
}

}  // namespace
}  // namespace baolian::vault
