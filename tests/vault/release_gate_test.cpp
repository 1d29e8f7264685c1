#include "vault/release_gate.h"

#include <functional>

#include "crypto/hash.h"
#include "crypto/secretstream.h"
#include "support/catch.h"
#include "vault/fixture.h"
#include "vault/two_keys.h"

namespace baolian::vault {
namespace {

using test::BlockPlan;
using test::numbered;
using test::Release;

template <typename T>
Errc error_of(const Result<T>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().code;
}

/// What deliver() says of a certified operation that was changed.
Errc deliver_changed(Release& release, const std::function<void(CertifiedOperation&)>& change) {
  const auto prepared = release.custodian.gate->prepare(release.grant).value();
  CertifiedOperation operation = release.validators.certify(release.operation(prepared));
  change(operation);
  return error_of(
      release.custodian.gate->deliver(operation, release.grant, release.validators.trust()));
}

/// The same for the reader's side.
Errc accept_changed(Release& release, const std::function<void(Delivery&)>& change) {
  Delivery delivery = release.deliver();
  change(delivery);
  const Errc error =
      error_of(release.reader.gate->accept(delivery, release.grant, release.validators.trust()));
  CHECK_FALSE(release.reader.store->contains(release.grant.record));
  return error;
}

TEST_CASE("a certified release brings the record to the reader", "[vault][gate]") {
  Release release;
  const Delivery delivery = release.deliver();
  REQUIRE(
      release.reader.gate->accept(delivery, release.grant, release.validators.trust()).has_value());
  const auto opened = release.reader.store->open(release.grant.record, release.grant.commitment);
  REQUIRE(opened.has_value());
  CHECK(to_bytes(opened->view()) == release.plaintext);
  // The key at rest is the reader's own: the same delivery again changes nothing.
  CHECK(
      release.reader.gate->accept(delivery, release.grant, release.validators.trust()).has_value());
  const auto decoded = decode<Delivery>(encode(delivery));
  REQUIRE(decoded.has_value());
  CHECK(encode(*decoded) == encode(delivery));
}

TEST_CASE("no key for a block with too few signatures", "[vault][gate]") {
  Release release;
  const auto prepared = release.custodian.gate->prepare(release.grant).value();
  for (const std::size_t signatures : {0U, 1U, 2U}) {
    const auto operation =
        release.validators.certify(release.operation(prepared), {.signatures = signatures});
    CHECK(error_of(release.custodian.gate->deliver(
              operation, release.grant, release.validators.trust())) == Errc::no_certified_release);
  }
  // Two signers, one of them twice, are still two.
  CHECK(deliver_changed(release, [](CertifiedOperation& o) {
          o.certificate.signatures[2] = o.certificate.signatures[1];
        }) == Errc::no_certified_release);
  CHECK(deliver_changed(release, [](CertifiedOperation& o) {
          o.certificate.signatures[2].signature.bytes[5] ^= 1;
        }) == Errc::no_certified_release);
}

TEST_CASE("no key for a block of another chain or of other validators", "[vault][gate]") {
  Release release;
  const auto prepared = release.custodian.gate->prepare(release.grant).value();
  const auto refused = [&](const test::Validators& forgers) {
    return error_of(release.custodian.gate->deliver(forgers.certify(release.operation(prepared)),
                                                    release.grant, release.validators.trust()));
  };
  CHECK(refused(test::Validators(1, 8)) == Errc::no_certified_release);
  CHECK(refused(test::Validators(50, 7)) == Errc::no_certified_release);
  // Relabelled with our validators' hash, the signatures are still those of others.
  const test::Validators forgers(50, 7);
  CertifiedOperation relabelled = forgers.certify(release.operation(prepared));
  relabelled.header.validators_hash = crypto::validators_hash(release.validators.epoch());
  relabelled.certificate = forgers.sign(relabelled.header, 3);
  CHECK(error_of(release.custodian.gate->deliver(
            relabelled, release.grant, release.validators.trust())) == Errc::no_certified_release);
}

TEST_CASE("no key if anything of the certified header was changed", "[vault][gate]") {
  Release release;
  const std::vector<std::function<void(ledger::Header&)>> changes = {
      [](auto& h) { h.chain_id.bytes[0] ^= 1; },
      [](auto& h) { ++h.epoch; },
      [](auto& h) { ++h.height; },
      [](auto& h) { h.parent_hash.bytes[0] ^= 1; },
      [](auto& h) { h.batch_digest.bytes[0] ^= 1; },
      [](auto& h) { ++h.timestamp; },
      [](auto& h) { h.operations_root.bytes[0] ^= 1; },
      [](auto& h) { h.state_root.bytes[0] ^= 1; },
      [](auto& h) { h.history_root.bytes[0] ^= 1; },
      [](auto& h) { h.validators_hash.bytes[0] ^= 1; },
      [](auto& h) { h.next_validators_hash.bytes[0] ^= 1; },
      [](auto& h) { ++h.epoch_last_height; },
      [](auto& h) { h.consensus_kind = crypto::ConsensusKind::raft; }};
  for (const auto& change : changes) {
    CHECK(deliver_changed(release, [&](CertifiedOperation& o) { change(o.header); }) ==
          Errc::no_certified_release);
  }
  CHECK(deliver_changed(release, [](CertifiedOperation& o) { ++o.certificate.vote.height; }) ==
        Errc::no_certified_release);
  CHECK(deliver_changed(release, [](CertifiedOperation& o) { ++o.certificate.epoch; }) ==
        Errc::no_certified_release);
}

TEST_CASE("no key for an operation that is not under the block's root", "[vault][gate]") {
  Release release;
  const std::vector<std::function<void(CertifiedOperation&)>> changes = {
      [](auto& o) { o.leaf.sender.bytes[0] ^= 1; },
      [](auto& o) { o.leaf.tx_hash.bytes[0] ^= 1; },
      [](auto& o) { o.leaf.op_index = 0; },
      [](auto& o) { o.leaf.operation.back() ^= 1; },
      [](auto& o) { o.leaf.receipt.back() ^= 1; },
      [](auto& o) { o.leaf_index = 0; },
      [](auto& o) { o.leaf_index = 7; },
      [](auto& o) { o.leaf_count = 1; },
      [](auto& o) { o.path[0].bytes[3] ^= 1; },
      [](auto& o) { o.path.pop_back(); },
      [](auto& o) { o.path.push_back(Hash{}); }};
  for (const auto& change : changes) {
    CHECK(deliver_changed(release, change) == Errc::no_certified_release);
  }
}

TEST_CASE("a height without a certificate of its own is covered by a later one", "[vault][gate]") {
  Release release;
  const auto prepared = release.custodian.gate->prepare(release.grant).value();
  const CertifiedOperation operation =
      release.validators.certify(release.operation(prepared), {.later_headers = 2});
  const auto trust = release.validators.trust();
  REQUIRE(release.custodian.gate->deliver(operation, release.grant, trust).has_value());

  const auto refused = [&](const std::function<void(CertifiedOperation&)>& change) {
    CertifiedOperation changed = operation;
    change(changed);
    return error_of(release.custodian.gate->deliver(changed, release.grant, trust));
  };
  CHECK(refused([](auto& o) { o.later.pop_back(); }) == Errc::no_certified_release);
  CHECK(refused([](auto& o) { o.later.erase(o.later.begin()); }) == Errc::no_certified_release);
  CHECK(refused([](auto& o) { o.later[0].state_root.bytes[0] ^= 1; }) ==
        Errc::no_certified_release);
  CHECK(refused([](auto& o) { o.header.state_root.bytes[0] ^= 1; }) == Errc::no_certified_release);
  CHECK(refused([](auto& o) { o.later[1].chain_id.bytes[0] ^= 1; }) == Errc::no_certified_release);
  // A forged block in front of a certified one that does not name it as its parent.
  CHECK(refused([&](auto& o) {
          o.later[0].parent_hash = numbered<Hash>(1);
          o.later[1].parent_hash = ledger::header_hash(o.later[0]);
          o.certificate = release.validators.sign(o.later[1], 3);
        }) == Errc::no_certified_release);
}

TEST_CASE("no key for a release that the chain rejected: expired grant, revoked consent",
          "[vault][gate]") {
  Release release;
  const auto prepared = release.custodian.gate->prepare(release.grant).value();
  for (const auto status :
       {ledger::ReceiptStatus::rejected, ledger::ReceiptStatus::transaction_rejected}) {
    const auto operation =
        release.validators.certify(release.operation(prepared), {.status = status});
    REQUIRE(check_certified(operation, release.validators.trust()).has_value());
    CHECK(error_of(release.custodian.gate->deliver(
              operation, release.grant, release.validators.trust())) == Errc::no_certified_release);
  }
}

TEST_CASE("no key for another certified operation than a release", "[vault][gate]") {
  Release release;
  const auto prepared = release.custodian.gate->prepare(release.grant).value();
  contracts::RecordsRequest request;
  request.record = release.grant.record;
  const std::vector<ledger::Operation> operations = {
      contracts::make_operation(request, numbered<RequestId>(4)), [&] {
        auto relabelled = release.operation(prepared);
        relabelled.kind = static_cast<std::uint16_t>(contracts::OperationKind::records_receive);
        return relabelled;
      }()};
  for (const auto& operation : operations) {
    CHECK(error_of(release.custodian.gate->deliver(release.validators.certify(operation),
                                                   release.grant, release.validators.trust())) ==
          Errc::no_certified_release);
  }
}

TEST_CASE("a release of another grant is no release of this one", "[vault][gate]") {
  Release release;
  const auto first = release.custodian.gate->prepare(release.grant).value();
  const auto certified = release.validators.certify(release.operation(first));
  // A second reader was granted the same record; the first reader's release is replayed for it.
  test::Vault second_reader(33);
  GrantFacts second = release.grant;
  second.grant = numbered<GrantId>(10);
  second.recipient = second_reader.key.public_key;
  REQUIRE(release.custodian.gate->prepare(second).has_value());
  CHECK(error_of(release.custodian.gate->deliver(certified, second, release.validators.trust())) ==
        Errc::no_certified_release);
  // And at the second reader: under its own grant, and under the first reader's.
  const Delivery delivery = release.deliver();
  CHECK(error_of(second_reader.gate->accept(delivery, second, release.validators.trust())) ==
        Errc::no_certified_release);
  CHECK(error_of(second_reader.gate->accept(delivery, release.grant, release.validators.trust())) ==
        Errc::cannot_open);
  CHECK_FALSE(second_reader.store->contains(release.grant.record));
}

TEST_CASE("a received or expired grant gives nothing more, also after preparing again",
          "[vault][gate]") {
  Release release;
  const auto prepared = release.custodian.gate->prepare(release.grant).value();
  const auto certified = release.validators.certify(release.operation(prepared));
  const auto trust = release.validators.trust();
  release.custodian.gate->forget(release.grant.grant);
  CHECK(error_of(release.custodian.gate->deliver(certified, release.grant, trust)) ==
        Errc::not_found);
  release.custodian.gate->forget(release.grant.grant);
  // A new wrap is another wrap than the one that was released.
  const auto again = release.custodian.gate->prepare(release.grant).value();
  CHECK(again.wrap_hash != prepared.wrap_hash);
  CHECK(error_of(release.custodian.gate->deliver(certified, release.grant, trust)) ==
        Errc::no_certified_release);
}

TEST_CASE("preparing twice, and across a restart, gives the same bytes", "[vault][gate]") {
  Release release;
  const auto first = release.custodian.gate->prepare(release.grant).value();
  const auto second = release.custodian.gate->prepare(release.grant).value();
  CHECK(first.wrap_hash == second.wrap_hash);
  CHECK(first.ciphertext_hash == second.ciphertext_hash);
  const auto certified = release.validators.certify(release.operation(first));
  const auto sent =
      release.custodian.gate->deliver(certified, release.grant, release.validators.trust());
  REQUIRE(sent.has_value());
  release.custodian.restart();
  CHECK(release.custodian.gate->prepare(release.grant).value().wrap_hash == first.wrap_hash);
  const auto sent_again =
      release.custodian.gate->deliver(certified, release.grant, release.validators.trust());
  REQUIRE(sent_again.has_value());
  CHECK(encode(*sent_again) == encode(*sent));
}

TEST_CASE("the custodian sends only the wrap and ciphertext that the release names",
          "[vault][gate]") {
  Release release;
  const auto prepared = release.custodian.gate->prepare(release.grant).value();
  const auto refused = [&](const std::function<void(contracts::RecordsRelease&)>& change) {
    auto content = release.content(prepared);
    change(content);
    const auto operation = contracts::make_operation(content, numbered<RequestId>(4));
    return error_of(release.custodian.gate->deliver(release.validators.certify(operation),
                                                    release.grant, release.validators.trust()));
  };
  CHECK(refused([](auto& c) { c.wrap_hash.bytes[0] ^= 1; }) == Errc::no_certified_release);
  CHECK(refused([](auto& c) { c.ciphertext_hash.bytes[0] ^= 1; }) == Errc::no_certified_release);
  CHECK(refused([](auto& c) { c.commitment.bytes[0] ^= 1; }) == Errc::no_certified_release);
  CHECK(refused([](auto& c) { c.grant.bytes[0] ^= 1; }) == Errc::no_certified_release);
}

TEST_CASE("a custodian releases nothing that is not what was registered", "[vault][gate]") {
  Release release;
  GrantFacts other = release.grant;
  other.commitment.bytes[0] ^= 1;
  CHECK(error_of(release.custodian.gate->prepare(other)) == Errc::wrong_record_version);
  GrantFacts version = release.grant;
  version.record.version = 2;
  CHECK(error_of(release.custodian.gate->prepare(version)) == Errc::not_found);
  // The new version is here, but the grant is of the old one's commitment.
  const auto second = seal_record(version.record, to_bytes("second version")).value();
  REQUIRE(release.custodian.store->put(second).has_value());
  CHECK(error_of(release.custodian.gate->prepare(version)) == Errc::wrong_record_version);
  GrantFacts key = release.grant;
  key.recipient.bytes[0] = 1;
  CHECK(error_of(release.custodian.gate->prepare(key)) == Errc::bad_public_key);
  CHECK(release.custodian.store->outgoing_grants().empty());
}

TEST_CASE("a reader takes no other wrap or ciphertext than those hashed", "[vault][gate]") {
  Release release;
  CHECK(accept_changed(release, [](Delivery& d) { d.sealed_wrap[40] ^= 1; }) ==
        Errc::no_certified_release);
  CHECK(accept_changed(release, [](Delivery& d) { d.sealed_wrap.clear(); }) ==
        Errc::no_certified_release);
  CHECK(accept_changed(release, [](Delivery& d) { d.ciphertext[30] ^= 1; }) ==
        Errc::no_certified_release);
  CHECK(accept_changed(release, [](Delivery& d) { d.ciphertext.pop_back(); }) ==
        Errc::no_certified_release);
  // The same content sealed anew to the same reader is another wrap.
  CHECK(accept_changed(release, [&](Delivery& d) {
          d.sealed_wrap =
              crypto::seal(release.grant.recipient, release.sealed.wrap_content.view()).value();
        }) == Errc::no_certified_release);
  CHECK(accept_changed(release, [](Delivery& d) { d.release.certificate.signatures.pop_back(); }) ==
        Errc::no_certified_release);
}

TEST_CASE("a reader refuses a certified wrap whose parts do not match", "[vault][gate]") {
  Release release;
  const auto trust = release.validators.trust();
  const auto refused = [&](const std::function<void(WrapContent&)>& change) {
    auto content = decode<WrapContent>(release.sealed.wrap_content.view()).value();
    change(content);
    const Delivery delivery = release.deliver_wrap(encode(content), release.sealed.ciphertext);
    const Errc error = error_of(release.reader.gate->accept(delivery, release.grant, trust));
    CHECK_FALSE(release.reader.store->contains(release.grant.record));
    return error;
  };
  CHECK(refused([](auto& w) { w.salt.bytes[0] ^= 1; }) == Errc::bad_commitment);
  CHECK(refused([](auto& w) { w.plaintext_hash.bytes[0] ^= 1; }) == Errc::bad_commitment);
  CHECK(refused([](auto& w) { w.data_key.bytes[0] ^= 1; }) == Errc::cannot_open);
  CHECK(refused([](auto& w) { w.record_version = 2; }) == Errc::wrong_record_version);
  CHECK(refused([](auto& w) { w.record.bytes[0] ^= 1; }) == Errc::wrong_record_version);
  // The untouched wrap, made in the same way, is taken.
  const Delivery right =
      release.deliver_wrap(release.sealed.wrap_content.view(), release.sealed.ciphertext);
  CHECK(release.reader.gate->accept(right, release.grant, trust).has_value());
}

TEST_CASE("a reader refuses another version's wrap and ciphertext under this grant",
          "[vault][gate]") {
  Release release;
  const auto other = seal_record(test::record_ref(5, 2), to_bytes("second version")).value();
  const Delivery delivery = release.deliver_wrap(other.wrap_content.view(), other.ciphertext);
  CHECK(error_of(release.reader.gate->accept(
            delivery, release.grant, release.validators.trust())) == Errc::wrong_record_version);
  // Ciphertext of another record under this record's wrap.
  const Delivery mixed = release.deliver_wrap(release.sealed.wrap_content.view(), other.ciphertext);
  CHECK(error_of(release.reader.gate->accept(mixed, release.grant, release.validators.trust())) ==
        Errc::bad_commitment);
}

TEST_CASE("a custodian cannot give two readers two texts of one record", "[vault][gate]") {
  Release release;
  const auto record = release.grant.record;
  const test::TwoKeys two = test::make_two_keys(associated_data(record));
  const auto first = crypto::decrypt_stream(two.first, associated_data(record), two.ciphertext);
  WrapContent wrap;
  wrap.record = record.record;
  wrap.record_version = record.version;
  wrap.salt = numbered<Salt>(6);
  wrap.plaintext_hash = crypto::sha256(first.value().view());
  release.grant.commitment =
      record_commitment(record, wrap.salt, wrap.plaintext_hash, crypto::sha256(two.ciphertext));
  const auto accept = [&](const crypto::Secret& key) {
    wrap.data_key = decltype(wrap.data_key)::from(key.view());
    return release.reader.gate->accept(release.deliver_wrap(encode(wrap), two.ciphertext),
                                       release.grant, release.validators.trust());
  };
  CHECK(error_of(accept(two.second)) == Errc::bad_commitment);
  CHECK_FALSE(release.reader.store->contains(record));
  CHECK(accept(two.first).has_value());
}

}  // namespace
}  // namespace baolian::vault
