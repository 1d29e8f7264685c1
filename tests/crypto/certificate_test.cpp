#include "crypto/certificate.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "support/catch.h"

namespace baolian::crypto {
namespace {

/// Four validators with real keys, and certificates that they sign.
class Committee {
 public:
  explicit Committee(std::uint8_t size = 4) {
    for (std::uint8_t i = 0; i < size; ++i) {
      signers_.push_back(make_ed25519_signer(Secret::copy_of(Bytes(32, i))));
    }
    std::sort(signers_.begin(), signers_.end(),
              [](const auto& a, const auto& b) { return a->public_key() < b->public_key(); });
    record.epoch = Epoch{5};
    record.first_height = Height{1};
    for (const auto& signer : signers_) record.validators.push_back(signer->public_key());
    chain.bytes.fill(0x11);
  }

  IndexedSignature sign(ValidatorIndex by, ObjectType type, const Hash& body) const {
    return {.validator = by,
            .signature = signers_[by]->sign_object(type, chain, record.epoch, body)};
  }

  ExecCertificate exec(const std::vector<ValidatorIndex>& by) const {
    ExecCertificate out{.epoch = record.epoch,
                        .vote = {.height = Height{9}, .header_hash = sha256(as_bytes("header"))},
                        .signatures = {}};
    for (const ValidatorIndex index : by) {
      out.signatures.push_back(sign(index, ObjectType::exec, sha256(encode(out.vote))));
    }
    return out;
  }

  VoteCertificate votes(ObjectType type, const std::vector<ValidatorIndex>& by) const {
    VoteCertificate out{.epoch = record.epoch,
                        .vote = {.view = View{2}, .height = Height{9}, .digest = {}},
                        .signatures = {}};
    for (const ValidatorIndex index : by) {
      out.signatures.push_back(sign(index, type, sha256(encode(out.vote))));
    }
    return out;
  }

  Result<void> check(const ExecCertificate& certificate) const {
    return check_certificate(certificate, chain, record, ed25519_verifier());
  }

  EpochRecord record;
  ChainId chain;

 private:
  std::vector<std::unique_ptr<Signer>> signers_;
};

void check_bad(const Result<void>& outcome) {
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().code == Errc::bad_certificate);
}

}  // namespace

TEST_CASE("certificate: every quorum of the validators is accepted", "[certificate]") {
  const Committee four;
  for (const std::vector<ValidatorIndex>& by : std::vector<std::vector<ValidatorIndex>>{
           {0, 1, 2}, {0, 1, 3}, {0, 2, 3}, {1, 2, 3}, {0, 1, 2, 3}}) {
    CHECK(four.check(four.exec(by)).has_value());
    for (const ObjectType type : {ObjectType::prepare, ObjectType::commit}) {
      CHECK(
          check_certificate(four.votes(type, by), type, four.chain, four.record, ed25519_verifier())
              .has_value());
    }
  }
}

TEST_CASE("certificate 1.2: unsorted and repeated signers are refused", "[certificate]") {
  const Committee four;
  check_bad(four.check(four.exec({1, 0, 2})));
  check_bad(four.check(four.exec({0, 2, 1})));
  check_bad(four.check(four.exec({0, 1, 1})));
  check_bad(four.check(four.exec({0, 1, 2, 2})));
}

TEST_CASE("certificate 1.2: an index outside the list is refused", "[certificate]") {
  const Committee four;
  ExecCertificate certificate = four.exec({0, 1, 2, 3});
  certificate.signatures[3].validator = 4;
  check_bad(four.check(certificate));
  certificate.signatures[3].validator = 0xFFFF;
  check_bad(four.check(certificate));
}

TEST_CASE("certificate 1.2: fewer than Q are refused", "[certificate]") {
  const Committee four;
  check_bad(four.check(four.exec({})));
  check_bad(four.check(four.exec({0, 1})));
  // n = 6: 2F + 1 = 3 would let two disjoint quorums exist; Q is 4.
  const Committee six(6);
  check_bad(six.check(six.exec({0, 1, 2})));
  CHECK(six.check(six.exec({0, 1, 2, 5})).has_value());
}

TEST_CASE("certificate: under Raft a majority is enough, under PBFT not", "[certificate]") {
  Committee five(5);
  check_bad(five.check(five.exec({0, 2, 4})));
  five.record.consensus_kind = ConsensusKind::raft;
  CHECK(five.check(five.exec({0, 2, 4})).has_value());
  check_bad(five.check(five.exec({0, 2})));
}

TEST_CASE("certificate 1.2: another epoch is refused", "[certificate]") {
  Committee four;
  ExecCertificate certificate = four.exec({0, 1, 2});
  certificate.epoch = Epoch{6};
  CHECK(four.check(certificate).error().code == Errc::wrong_epoch);
  VoteCertificate votes = four.votes(ObjectType::commit, {0, 1, 2});
  votes.epoch = Epoch{4};
  CHECK(check_certificate(votes, ObjectType::commit, four.chain, four.record, ed25519_verifier())
            .error()
            .code == Errc::wrong_epoch);
  // Signed in epoch 5, relabelled as 6 together with the record: the signatures do not hold.
  four.record.epoch = Epoch{6};
  check_bad(four.check(certificate));
}

TEST_CASE("certificate: votes of one type do not serve as another", "[certificate]") {
  const Committee four;
  const VoteCertificate prepared = four.votes(ObjectType::prepare, {0, 1, 2});
  check_bad(
      check_certificate(prepared, ObjectType::commit, four.chain, four.record, ed25519_verifier()));
  ExecCertificate certificate = four.exec({0, 1});
  certificate.signatures.push_back(
      four.sign(2, ObjectType::commit, sha256(encode(certificate.vote))));
  check_bad(four.check(certificate));
}

TEST_CASE("certificate: another chain is refused", "[certificate]") {
  Committee four;
  const ExecCertificate certificate = four.exec({0, 1, 2});
  four.chain.bytes[31] ^= 1;
  check_bad(four.check(certificate));
}

TEST_CASE("certificate: one bad signature spoils it, even above the quorum", "[certificate]") {
  const Committee four;
  for (std::size_t i = 0; i < 4; ++i) {
    ExecCertificate certificate = four.exec({0, 1, 2, 3});
    certificate.signatures[i].signature.bytes[7] ^= 1;
    check_bad(four.check(certificate));
  }
  ExecCertificate swapped = four.exec({0, 1, 2});
  std::swap(swapped.signatures[0].signature, swapped.signatures[1].signature);
  check_bad(four.check(swapped));
}

TEST_CASE("certificate: another height or hash under the same signatures is refused",
          "[certificate]") {
  const Committee four;
  ExecCertificate certificate = four.exec({0, 1, 2});
  certificate.vote.height = Height{10};
  check_bad(four.check(certificate));
  certificate = four.exec({0, 1, 2});
  certificate.vote.header_hash.bytes[0] ^= 1;
  check_bad(four.check(certificate));
}

TEST_CASE("certificate: a record without validators or of other validators is refused",
          "[certificate]") {
  Committee four;
  const ExecCertificate certificate = four.exec({0, 1, 2});
  EpochRecord others = four.record;
  std::rotate(others.validators.begin(), others.validators.begin() + 1, others.validators.end());
  check_bad(check_certificate(certificate, four.chain, others, ed25519_verifier()));
  others.validators.clear();
  check_bad(check_certificate(certificate, four.chain, others, ed25519_verifier()));
  ExecCertificate unsigned_one = certificate;
  unsigned_one.signatures.clear();
  check_bad(check_certificate(unsigned_one, four.chain, others, ed25519_verifier()));
}

TEST_CASE("certificate: the simulator's signatures pass only its own verifier", "[certificate]") {
  EpochRecord record;
  std::vector<std::unique_ptr<Signer>> signers;
  for (std::uint64_t i = 0; i < 4; ++i) {
    signers.push_back(make_toy_signer(i));
    record.validators.push_back(signers.back()->public_key());
  }
  ExecCertificate certificate;
  const Hash body = sha256(encode(certificate.vote));
  for (ValidatorIndex i = 0; i < 3; ++i) {
    certificate.signatures.push_back(
        {.validator = i,
         .signature = signers[i]->sign_object(ObjectType::exec, ChainId{}, Epoch{}, body)});
  }
  CHECK(check_certificate(certificate, ChainId{}, record, toy_verifier()).has_value());
  check_bad(check_certificate(certificate, ChainId{}, record, ed25519_verifier()));
}

TEST_CASE("certificate: canonical round trip; unsorted, repeated or excess bytes do not decode",
          "[certificate]") {
  const Committee four;
  const ExecCertificate certificate = four.exec({0, 1, 3});
  Bytes bytes = encode(certificate);
  CHECK(bytes.size() == 8 + 8 + 32 + 4 + 3 * 66);
  CHECK(decode<ExecCertificate>(bytes).value() == certificate);
  CHECK(decode<ExecCertificate>(encode(four.exec({1, 0, 2}))).error().code == Errc::not_canonical);
  CHECK(decode<ExecCertificate>(encode(four.exec({0, 0, 2}))).error().code == Errc::not_canonical);
  bytes.push_back(0);
  CHECK(decode<ExecCertificate>(bytes).error().code == Errc::trailing_bytes);
}

}  // namespace baolian::crypto
