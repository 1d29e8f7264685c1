#include "ledger/transaction.h"

#include "core/prng.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "ledger/fixture.h"
#include "support/catch.h"

namespace baolian::ledger {
namespace {

const ChainId kChain = test::numbered<ChainId>(1);

TransactionBody make_body(const crypto::Signer& signer, std::size_t content_bytes = 10) {
  TransactionBody body;
  body.chain_id = kChain;
  body.sender = signer.public_key();
  body.nonce = {7};
  body.expires_at = {1'700'000'000'000};
  for (std::uint16_t i = 0; i < 3; ++i) {
    body.operations.push_back({.kind = static_cast<std::uint16_t>(0x0102 + i),
                               .request_id = test::numbered<RequestId>(i),
                               .content = Bytes(content_bytes, static_cast<std::uint8_t>(i)),
                               .cosignatures = {}});
  }
  return body;
}

}  // namespace

TEST_CASE("transaction: signed, encoded and checked it is the same transaction", "[transaction]") {
  crypto::initialize();
  const auto signer = crypto::make_ed25519_signer(crypto::new_seed());
  const Transaction transaction = sign_transaction(make_body(*signer), *signer);
  const Bytes canonical = encode(transaction);
  const auto checked = check_transaction(canonical, kChain, crypto::ed25519_verifier());
  REQUIRE(checked.has_value());
  CHECK(*checked == transaction);
  CHECK(tx_id_of_canonical(canonical) == tx_id(transaction.body));
  CHECK(tx_id(transaction.body).hex() == crypto::sha256(encode(transaction.body)).hex());
  CHECK(tx_hash(canonical).hex() == crypto::sha256({as_bytes("tx"), canonical}).hex());
}

TEST_CASE("transaction: every flipped bit is refused", "[transaction]") {
  crypto::initialize();
  const auto signer = crypto::make_ed25519_signer(crypto::new_seed());
  const Bytes canonical = encode(sign_transaction(make_body(*signer), *signer));
  for (std::size_t i = 0; i < canonical.size(); ++i) {
    Bytes changed = canonical;
    changed[i] = static_cast<std::uint8_t>(changed[i] ^ (1U << (i % 8)));
    REQUIRE_FALSE(check_transaction(changed, kChain, crypto::ed25519_verifier()).has_value());
  }
  for (std::size_t size = 0; size < canonical.size(); ++size) {
    REQUIRE_FALSE(
        check_transaction(BytesView(canonical).first(size), kChain, crypto::ed25519_verifier())
            .has_value());
  }
}

TEST_CASE("transaction: each refusal names its reason", "[transaction]") {
  crypto::initialize();
  const auto signer = crypto::make_toy_signer(1);
  const auto& verifier = crypto::toy_verifier();
  const Transaction good = sign_transaction(make_body(*signer), *signer);
  const auto code_of = [&](const Bytes& canonical) {
    const auto checked = check_transaction(canonical, kChain, verifier);
    return checked ? Errc{} : checked.error().code;
  };
  REQUIRE(code_of(encode(good)) == Errc{});

  Bytes trailing = encode(good);
  trailing.push_back(0);
  CHECK(code_of(trailing) == Errc::trailing_bytes);
  Bytes version = encode(good);
  version[0] = 2;
  CHECK(code_of(version) == Errc::unknown_version);
  Transaction other_signature = good;
  other_signature.signature.bytes[5] ^= 1;
  CHECK(code_of(encode(other_signature)) == Errc::bad_signature);
  Transaction other_key = good;
  other_key.body.sender.bytes[0] = 2;  // an encryption key
  CHECK(code_of(encode(other_key)) == Errc::bad_signature);
  CHECK(check_transaction(encode(good), test::numbered<ChainId>(2), verifier).error().code ==
        Errc::wrong_chain);
  CHECK(code_of(Bytes(kTransactionBytesMax + 1, 1)) == Errc::limit_exceeded);
  CHECK(check_transaction(encode(good), kChain, crypto::ed25519_verifier()).error().code ==
        Errc::bad_signature);  // the production verifier knows no toy keys

  TransactionBody too_large = make_body(*signer, 100'000);
  CHECK(code_of(encode(sign_transaction(too_large, *signer))) == Errc::limit_exceeded);
}

TEST_CASE("transaction: a signature of another object type or epoch is no signature",
          "[transaction]") {
  const auto signer = crypto::make_toy_signer(1);
  Transaction transaction = sign_transaction(make_body(*signer), *signer);
  const Hash body_hash = crypto::sha256(encode(transaction.body));
  transaction.signature =
      signer->sign_object(crypto::ObjectType::cosign, kChain, Epoch{0}, body_hash);
  CHECK_FALSE(check_transaction(encode(transaction), kChain, crypto::toy_verifier()).has_value());
  transaction.signature =
      signer->sign_object(crypto::ObjectType::transaction, kChain, Epoch{1}, body_hash);
  CHECK_FALSE(check_transaction(encode(transaction), kChain, crypto::toy_verifier()).has_value());
  transaction.signature =
      signer->sign_object(crypto::ObjectType::transaction, kChain, Epoch{0}, body_hash);
  CHECK(check_transaction(encode(transaction), kChain, crypto::toy_verifier()).has_value());
}

TEST_CASE("cosignature: covers kind, content, capacity, institution, nonce and end",
          "[transaction]") {
  const auto signer = crypto::make_toy_signer(3);
  const auto& verifier = crypto::toy_verifier();
  const auto institution = test::numbered<InstitutionId>(4);
  const Operation operation{.kind = 0x1234,
                            .request_id = test::numbered<RequestId>(5),
                            .content = to_bytes("content"),
                            .cosignatures = {}};
  CHECK(operation_hash(operation).hex() ==
        crypto::sha256({as_bytes("operation"), Bytes{0x34, 0x12}, as_bytes("content")}).hex());
  const Cosignature good =
      cosign(operation, Capacity::originator, institution, Nonce{9}, TimeMs{1000}, kChain, *signer);
  CHECK(check_cosignature(operation, good, institution, kChain, verifier));

  Operation changed = operation;
  changed.kind = 0x1235;
  CHECK_FALSE(check_cosignature(changed, good, institution, kChain, verifier));
  changed = operation;
  changed.content.back() ^= 1;
  CHECK_FALSE(check_cosignature(changed, good, institution, kChain, verifier));
  Cosignature other = good;
  other.capacity = Capacity::attestor;
  CHECK_FALSE(check_cosignature(operation, other, institution, kChain, verifier));
  other = good;
  other.nonce = {10};
  CHECK_FALSE(check_cosignature(operation, other, institution, kChain, verifier));
  other = good;
  other.not_after = {1001};
  CHECK_FALSE(check_cosignature(operation, other, institution, kChain, verifier));
  CHECK_FALSE(
      check_cosignature(operation, good, test::numbered<InstitutionId>(6), kChain, verifier));
  CHECK_FALSE(
      check_cosignature(operation, good, institution, test::numbered<ChainId>(2), verifier));
}

}  // namespace baolian::ledger
