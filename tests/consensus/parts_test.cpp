/// The parts of the engine that stand alone: vote tables, the log's tail, records, quorums.
#include <algorithm>

#include "consensus/bench.h"
#include "consensus/pbft/records.h"
#include "consensus/replica/log_tail.h"
#include "consensus/replica/slots.h"

namespace baolian::consensus::testing {
namespace {

Hash digest(std::uint8_t value) {
  Hash out;
  out.bytes.fill(value);
  return out;
}

LogRecord record_of(std::size_t size_bytes) {
  return {RecordType::committed, std::make_shared<const Bytes>(Bytes(size_bytes, 1))};
}

}  // namespace

TEST_CASE("consensus 1.2: two quorums share a correct validator, and the correct ones are a quorum",
          "[quorum]") {
  for (std::size_t n = 1; n <= 1000; ++n) {
    const crypto::Quorum quorum{n};
    CHECK(2 * quorum.quorum() >= n + quorum.faulty_max() + 1);
    CHECK(n - quorum.faulty_max() >= quorum.quorum());
  }
  for (const auto& [n, q] : std::vector<std::pair<std::size_t, std::size_t>>{
           {1, 1}, {4, 3}, {5, 4}, {6, 4}, {7, 5}, {10, 7}, {31, 21}}) {
    CHECK(crypto::Quorum{n}.quorum() == q);
  }
}

TEST_CASE("pbft 1.5 N8: a vote table keeps the first vote of each validator", "[pbft]") {
  consensus::VoteTable table;
  using Outcome = consensus::VoteTable::Outcome;
  CHECK(table.vote_of(2) == nullptr);
  CHECK_FALSE(table.digest_with(3).has_value());
  for (const ValidatorIndex voter : {ValidatorIndex{3}, ValidatorIndex{0}, ValidatorIndex{1}}) {
    Signature signature;
    signature.bytes[0] = static_cast<std::uint8_t>(voter);
    CHECK(table.store(voter, 4, digest(1), signature) == Outcome::stored);
  }
  CHECK(table.store(2, 4, digest(2), {}) == Outcome::stored);
  CHECK(table.store(2, 4, digest(2), {}) == Outcome::duplicate);
  CHECK(table.store(2, 4, digest(1), {}) == Outcome::conflict);
  CHECK(table.count(digest(1)) == 3);
  CHECK(table.digest_with(3) == digest(1));
  const crypto::Signatures signatures = table.certificate(digest(1), 3);
  REQUIRE(signatures.size() == 3);
  CHECK(std::is_sorted(signatures.begin(), signatures.end()));
  CHECK(signatures[2].validator == 3);
}

TEST_CASE("pbft 1.7: the log's tail forgets certified heights only, and then a cut must wait",
          "[pbft]") {
  consensus::LogTail tail(1000);
  for (std::uint64_t n = 1; n <= 10; ++n) tail.add({n}, record_of(300));
  tail.limit({2});
  CHECK(tail.forgotten() == Height{2});
  CHECK(tail.size_bytes() == 2400);  // above h nothing is forgotten, whatever the bound
  tail.limit({20});
  CHECK(tail.forgotten() == Height{7});
  CHECK(tail.size_bytes() == 900);
  tail.cut_through({9});
  CHECK(tail.records().size() == 1);
  tail.add({9}, record_of(1));
  CHECK(tail.records().size() == 1);
  CHECK(tail.cut() == Height{9});
}

TEST_CASE("pbft: what is written from shared buffers is the canonical encoding", "[pbft]") {
  const Bench bench;
  const auto proposal = bench.proposal(3);
  const auto batch = std::make_shared<const Bytes>(proposal.batch);
  const Bytes prepare(100, 3);
  const auto accepted = decode<pbft::PpAccept>(
      pbft::encode_pp_accept(proposal.vote, {}, prepare, batch, proposal.bodies));
  REQUIRE(accepted.has_value());
  CHECK(encode(*accepted) ==
        pbft::encode_pp_accept(proposal.vote, {}, prepare, batch, proposal.bodies));
  const auto certificate =
      vote_certificate(bench.epoch(), crypto::ObjectType::commit, proposal.vote, {0, 1, 2});
  const Bytes committed = pbft::encode_committed(certificate, batch, proposal.bodies);
  const auto committed_back = decode<pbft::Committed>(committed);
  REQUIRE(committed_back.has_value());
  CHECK(encode(*committed_back) == committed);
  const Bytes pre_prepare = pbft::encode_pre_prepare(proposal.vote, batch, proposal.bodies);
  const auto pre_prepare_back = decode<pbft::PrePrepare>(pre_prepare);
  REQUIRE(pre_prepare_back.has_value());
  CHECK(encode(*pre_prepare_back) == pre_prepare);
  const auto exec = exec_certificate(bench.epoch(), {3}, bench.genesis(), {0, 1, 2});
  const Bytes block = consensus::encode_block({1, 2}, exec, batch, proposal.bodies, {{3}, {4, 5}});
  const auto block_back = decode<SyncBlock>(block);
  REQUIRE(block_back.has_value());
  CHECK(encode(*block_back) == block);
  const Bytes null_block = consensus::encode_block({1, 2}, exec, nullptr, {}, {});
  CHECK(decode<SyncBlock>(null_block).has_value());
}

TEST_CASE("pbft 1.3: the null digest differs by chain, epoch and height", "[pbft]") {
  ChainId other = test_chain();
  other.bytes[3] ^= 1;
  const Hash base = null_digest(test_chain(), {0}, {1});
  CHECK(base == null_digest(test_chain(), {0}, {1}));
  CHECK(base != null_digest(other, {0}, {1}));
  CHECK(base != null_digest(test_chain(), {1}, {1}));
  CHECK(base != null_digest(test_chain(), {0}, {2}));
}

}  // namespace baolian::consensus::testing
