#include "node/executor.h"

#include "consensus/batch.h"
#include "node/divergence.h"
#include "node/fixture.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

using test::kNowMs;
using test::make_body;
using test::make_chain;

const sim::World& world() {
  static const sim::World one = sim::make_world(1, 0, 1);
  return one;
}

ExecuteRequest make_request(std::uint64_t height, const std::vector<SharedBytes>& bodies,
                            std::uint64_t proposed_at_ms = kNowMs) {
  consensus::Batch batch;
  batch.height = Height{height};
  batch.proposed_at = TimeMs{proposed_at_ms};
  for (const SharedBytes& body : bodies) batch.transactions.push_back(ledger::tx_hash(*body));
  ExecuteRequest request;
  request.height = batch.height;
  request.batch = std::make_shared<const Bytes>(encode(batch));
  request.digest = consensus::batch_digest(*request.batch);
  request.bodies = bodies;
  return request;
}

ExecuteRequest null_request(std::uint64_t height) {
  ExecuteRequest request;
  request.height = Height{height};
  request.digest = consensus::null_digest(world().chain_id, Epoch{}, request.height);
  return request;
}

crypto::ExecCertificate certify(const AppliedBlock& block) {
  crypto::ExecCertificate certificate;
  certificate.vote = {block.height, block.header_hash};
  certificate.signatures.push_back(
      {0, world().node_signers[0]->sign_object(crypto::ObjectType::exec, world().chain_id, Epoch{},
                                               crypto::sha256(encode(certificate.vote)))});
  return certificate;
}

TEST_CASE("executor: the same requests give the same headers", "[executor]") {
  auto first_chain = make_chain(world());
  auto second_chain = make_chain(world());
  Executor first(*first_chain, crypto::toy_verifier());
  Executor second(*second_chain, crypto::toy_verifier());
  for (std::uint64_t height = 1; height <= 5; ++height) {
    const auto request = make_request(
        height, {make_body(world(), height * 2), make_body(world(), height * 2 + 1, 3)});
    const auto a = first.execute(request);
    const auto b = second.execute(request);
    REQUIRE(a.has_value());
    REQUIRE(b.has_value());
    CHECK(a->header == b->header);
    CHECK(a->header_hash == b->header_hash);
    CHECK(a->transactions.size() == 2);
  }
  CHECK(first_chain->height() == Height{5});
}

TEST_CASE("consensus N5: block time is the batch's, never below the parent's", "[executor]") {
  auto chain = make_chain(world());
  Executor executor(*chain, crypto::toy_verifier());
  REQUIRE(executor.execute(make_request(1, {}, kNowMs)).has_value());
  REQUIRE(executor.execute(make_request(2, {}, kNowMs - 500)).has_value());
  REQUIRE(executor.execute(null_request(3)).has_value());
  REQUIRE(executor.execute(make_request(4, {}, kNowMs + 7)).has_value());
  CHECK(chain->header(Height{2})->timestamp == TimeMs{kNowMs});
  CHECK(chain->header(Height{3})->timestamp == TimeMs{kNowMs});
  CHECK(chain->header(Height{4})->timestamp == TimeMs{kNowMs + 7});
}

TEST_CASE("executor: what is not the decided block is refused and changes nothing", "[executor]") {
  auto chain = make_chain(world());
  Executor executor(*chain, crypto::toy_verifier());
  const auto good = make_request(1, {make_body(world(), 1)});

  auto gap = make_request(2, {});
  auto other_digest = good;
  other_digest.digest.bytes[0] ^= 1;
  auto other_body = good;
  other_body.bodies = {make_body(world(), 2)};
  auto no_body = good;
  no_body.bodies.clear();
  auto null_of_other_height = null_request(2);
  null_of_other_height.height = Height{1};
  for (const ExecuteRequest& bad : {gap, other_digest, other_body, no_body, null_of_other_height}) {
    const auto result = executor.execute(bad);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == Errc::bad_block);
    CHECK(chain->height() == Height{0});
  }
  CHECK(executor.execute(good).has_value());
}

TEST_CASE("executor: a height that is there is answered, not executed again", "[executor]") {
  auto chain = make_chain(world());
  Executor executor(*chain, crypto::toy_verifier());
  const auto request = make_request(1, {make_body(world(), 1)});
  const auto once = executor.execute(request);
  const auto twice = executor.execute(request);
  REQUIRE(once.has_value());
  REQUIRE(twice.has_value());
  CHECK(once->header_hash == twice->header_hash);
  CHECK(once->transactions == twice->transactions);  // whoever keeps them lets go of them
  CHECK(twice->transactions.size() == 1);
  CHECK(chain->height() == Height{1});
  CHECK_FALSE(executor.execute(make_request(1, {})).has_value());
}

TEST_CASE("executor: a certificate may come before its block; one of another header is not kept",
          "[executor]") {
  auto chain = make_chain(world());
  auto other_chain = make_chain(world());
  Executor executor(*chain, crypto::toy_verifier());
  Executor other(*other_chain, crypto::toy_verifier());
  const auto request = make_request(1, {make_body(world(), 1)});
  const auto certificate = certify(*other.execute(request));
  executor.put_certificate(certificate);
  CHECK(executor.acknowledged() == Height{0});
  REQUIRE(executor.execute(request).has_value());
  CHECK(executor.acknowledged() == Height{1});
  CHECK(chain->certificate(Height{1}) == certificate);

  auto wrong = certify(*executor.execute(make_request(2, {})));
  wrong.vote.header_hash.bytes[3] ^= 1;
  executor.put_certificate(wrong);
  CHECK(executor.acknowledged() == Height{1});
}

TEST_CASE("consensus N7: what a node executed without a certificate is at hand for the inquiry",
          "[executor]") {
  auto chain = make_chain(world());
  Executor executor(*chain, crypto::toy_verifier());
  const auto first = *executor.execute(make_request(1, {make_body(world(), 1)}));
  const auto second = *executor.execute(make_request(2, {make_body(world(), 2)}));
  REQUIRE(executor.uncertified().size() == 2);
  auto wrong = certify(second);
  wrong.vote.header_hash.bytes[3] ^= 1;
  executor.put_certificate(wrong);
  CHECK(executor.uncertified().size() == 2);
  executor.put_certificate(certify(first));
  REQUIRE(executor.uncertified().size() == 1);
  const auto& [height, block] = *executor.uncertified().begin();
  CHECK(height == Height{2});
  CHECK(block.header == second.header);
  CHECK_FALSE(block.writes.empty());

  const std::string text = divergence_text("another header", executor.uncertified());
  CHECK(text.find(to_hex(second.header)) != std::string::npos);
  for (const auto& [key, value] : block.writes) {
    CHECK(text.find(to_hex(key)) != std::string::npos);
    if (value) CHECK(text.find(to_hex(*value)) != std::string::npos);
  }
}

TEST_CASE("executor: blocks for peers carry their certificate or the headers that lead to one",
          "[executor]") {
  auto chain = make_chain(world());
  Executor executor(*chain, crypto::toy_verifier());
  std::vector<AppliedBlock> blocks;
  for (std::uint64_t height = 1; height <= 4; ++height) {
    blocks.push_back(*executor.execute(make_request(height, {make_body(world(), height)})));
  }
  executor.put_certificate(certify(blocks[0]));
  executor.put_certificate(certify(blocks[2]));  // covers 2; 4 is not certified

  consensus::ReadBlocks wanted;
  wanted.first = Height{1};
  wanted.bytes_max = 1 << 20;
  const auto read = executor.read_blocks(wanted);
  REQUIRE(read.size() == 3);
  const auto second = decode<consensus::SyncBlock>(*read[1]);
  REQUIRE(second.has_value());
  CHECK(second->header == blocks[1].header);
  CHECK(second->certificate.vote.height == Height{3});
  CHECK(second->later_headers == std::vector<Bytes>{blocks[2].header});
  CHECK(second->bodies.size() == 1);

  wanted.bytes_max = 1;
  CHECK(executor.read_blocks(wanted).size() == 1);
  wanted.bytes_max = 1 << 20;
  wanted.count_max = 2;
  CHECK(executor.read_blocks(wanted).size() == 2);
  wanted.first = Height{4};
  CHECK(executor.read_blocks(wanted).empty());
}

}  // namespace
}  // namespace baolian::node
