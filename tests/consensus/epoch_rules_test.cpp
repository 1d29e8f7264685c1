/// The end of an epoch, rule by rule (consensus.md 1.10).
#include "consensus/bench.h"
#include "consensus/replica/past_epoch.h"

namespace baolian::consensus::testing {
namespace {

constexpr std::uint16_t kWindow = 4;

crypto::EpochRecord next_epoch(const Bench& bench, std::uint64_t fixed_at) {
  crypto::EpochRecord next = bench.epoch();
  next.epoch = next.epoch.next();
  next.first_height = Height{fixed_at + kWindow + 1};
  return next;
}

/// Height 1 is committed and executed, and fixes a change: A = 6.
Bench::Proposal fix_change(Bench& bench) {
  const auto proposal = bench.commit_height(1);
  bench.persist_all();
  const Bytes header = bench.header_of(1, proposal.vote.digest);
  REQUIRE(
      bench.step(AppliedInput{{1}, header, header_hash_of(header), next_epoch(bench, 1)}).accepted);
  bench.persist_all();
  for (const ValidatorIndex other : bench.others(bench.quorum() - 1)) {
    bench.exec(other, 1, header_hash_of(header));
  }
  bench.persist_all();
  REQUIRE(bench.status().certified == Height{1});
  return proposal;
}

}  // namespace

TEST_CASE("pbft 1.10: nothing is voted on at the height where the next epoch begins",
          "[pbft][epoch]") {
  Bench bench(1, 4, kWindow);
  fix_change(bench);
  CHECK(bench.status().epoch_last == Height{5});
  for (std::uint64_t height = 2; height <= 3; ++height) bench.certify_height(height);
  // h + L = 7, but A = 6.
  CHECK(bench.propose(bench.proposal(5)) == RejectReason::none);
  CHECK(bench.propose(bench.proposal(6)) == RejectReason::outside_window);
  CHECK(bench.propose(bench.proposal(7)) == RejectReason::outside_window);
}

TEST_CASE("pbft 1.10: a change that may be pending above the executed height bounds the votes",
          "[pbft][epoch]") {
  Bench bench(1, 4, kWindow);
  // Certified by others without a header that could tell, executed here nothing.
  for (std::uint64_t height = 1; height <= 3; ++height) {
    for (const ValidatorIndex other : bench.others(3)) bench.exec(other, height, bench.genesis());
    bench.persist_all();
  }
  REQUIRE(bench.status().certified == Height{3});
  REQUIRE(bench.status().executed == Height{0});
  CHECK(bench.propose(bench.proposal(4)) == RejectReason::none);
  CHECK(bench.propose(bench.proposal(5)) == RejectReason::outside_window);
}

TEST_CASE("pbft 1.10: while a change is pending backups suspect a primary that proposes nothing",
          "[pbft][epoch]") {
  Bench bench(1, 4, kWindow);
  bench.certify_height(1);
  bench.forget_sent();
  bench.pass(1500, Bench::Heartbeat::heard);
  CHECK(bench.all_sent(MessageKind::suspect).empty());  // an idle network is no reason

  Bench ending(1, 4, kWindow);
  fix_change(ending);
  ending.forget_sent();
  ending.pass(900, Bench::Heartbeat::heard);
  CHECK(ending.all_sent(MessageKind::suspect).empty());
  ending.pass(300, Bench::Heartbeat::heard);
  CHECK_FALSE(ending.all_sent(MessageKind::suspect).empty());
}

TEST_CASE("pbft 1.10: the epoch ends once, when its last height is executed and certified",
          "[pbft][epoch]") {
  Bench bench(1, 4, kWindow);
  fix_change(bench);
  for (std::uint64_t height = 2; height <= 4; ++height) {
    bench.certify_height(height);
    CHECK(bench.effects<EpochEnded>().empty());
  }
  const auto last = bench.commit_height(5);
  bench.persist_all();
  const Hash hash = bench.apply(5, last.vote.digest);
  bench.persist_all();
  for (const ValidatorIndex other : bench.others(2)) bench.exec(other, 5, hash);
  CHECK(bench.effects<EpochEnded>().empty());  // the certificate is not durable yet
  bench.persist_all();
  REQUIRE(bench.effects<EpochEnded>().size() == 1);
  const EpochStart start = bench.effects<EpochEnded>()[0].next;
  CHECK(start.epoch == next_epoch(bench, 1));
  CHECK(start.certificate.vote == crypto::ExecVote{{5}, hash});
  CHECK(header_hash_of(start.header) == hash);
  bench.tick(50);
  CHECK(bench.effects<EpochEnded>().empty());
}

TEST_CASE("pbft 1.10: an engine that starts above the block that fixed a change knows of it",
          "[pbft][epoch]") {
  Bench bench(1, 4, kWindow);
  bench.certify_height(1);
  bench.config().next_epoch = next_epoch(bench, 1);
  bench.open(bench.log(), {1}, bench.last_hash());
  CHECK(bench.status().epoch_last == Height{5});
  CHECK(bench.propose(bench.proposal(6)) == RejectReason::outside_window);
}

TEST_CASE("pbft 1.10: who is still in an epoch that ended gets its last certificate and blocks",
          "[pbft][epoch]") {
  Bench bench(1, 4, kWindow);
  EpochStart next;
  next.epoch = next_epoch(bench, 1);
  next.certificate.vote = {{5}, bench.genesis()};
  PastEpoch past(bench.epoch(), 1, next);
  const auto ask = [&](MessageKind kind, const Bytes& body, std::uint64_t now) {
    const SharedBytes bytes = kind != MessageKind::fetch
                                  ? signed_message(bench.epoch(), kind, 2, body)
                                  : unsigned_message(bench.epoch(), kind, 2, body);
    const auto verified =
        verify_envelope(2, bytes, test_chain(), bench.epoch(), crypto::toy_verifier());
    REQUIRE(verified.has_value());
    Effects effects;
    static_cast<void>(past.on_message(*verified, Tick{now}, effects));
    return effects;
  };
  StatusBody status;
  status.certified = Height{4};
  const Effects answer = ask(MessageKind::status, encode(status), 1000);
  REQUIRE(answer.size() == 1);
  const auto envelope = decode<Envelope>(*std::get<Send>(answer[0]).bytes);
  REQUIRE(envelope.has_value());
  const auto reply = Bench::as_reply(*envelope);
  CHECK(std::get<ReplyCertificate>(reply->what).certificate == next.certificate);
  CHECK(ask(MessageKind::status, encode(status), 1010).empty());  // S6
  status.certified = Height{5};
  CHECK(ask(MessageKind::status, encode(status), 3000).empty());

  const Effects read = ask(MessageKind::fetch, encode(Fetch{7, FetchBlocks{{3}}}), 4000);
  REQUIRE(read.size() == 1);
  CHECK(std::get<ReadBlocks>(read[0]).first == Height{3});
  CHECK(std::get<ReadBlocks>(read[0]).epoch == bench.epoch().epoch);
  // Above the last block there is only its certificate to be had.
  const Effects above = ask(MessageKind::fetch, encode(Fetch{8, FetchBlocks{{6}}}), 5000);
  REQUIRE(above.size() == 1);
  CHECK(std::get<ReadBlocks>(above[0]).first == Height{5});
  Effects blocks;
  past.on_blocks_read({2, {std::make_shared<const Bytes>(Bytes{1, 2, 3})}}, blocks);
  CHECK(blocks.size() == 1);
  // Votes of that epoch are nobody's concern any more.
  CHECK(
      ask(MessageKind::suspect, encode(pbft::Suspect{{0}, pbft::SuspectReason::no_heartbeat}), 6000)
          .empty());
}

}  // namespace baolian::consensus::testing
