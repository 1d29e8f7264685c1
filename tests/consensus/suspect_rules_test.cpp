/// One test a rule of leaving a view (consensus.md 1.6 V1, V2): who suspects, why, for how long,
/// and when a view is left.
#include "consensus/view_change_bench.h"

namespace baolian::consensus::testing {
namespace {

using pbft::SuspectReason;
using Heartbeat = Bench::Heartbeat;

}  // namespace

// ------------------------------------------------------------------ V1

TEST_CASE("pbft 1.6 V1: the oldest admitted transaction is executed within T_req or suspected",
          "[pbft][paper]") {
  ViewChangeBench bench;
  bench.pass(3000, Heartbeat::heard);
  CHECK(bench.suspects().empty());  // nothing admitted, nothing to blame anyone for
  bench.admit();
  bench.pass(900, Heartbeat::heard);
  CHECK(bench.suspects().empty());
  bench.pass(200, Heartbeat::heard);
  REQUIRE_FALSE(bench.suspects().empty());
  CHECK(bench.suspects()[0].view == View{0});
  CHECK(bench.suspects()[0].reason == SuspectReason::request_not_executed);
  CHECK(bench.hits(Probe::suspected_request) > 0);
  CHECK(bench.pending().empty());  // sent at once, nothing is written for it
  for (const Send& send : bench.all_sends()) {
    const auto envelope = decode<Envelope>(*send.bytes);
    REQUIRE(envelope.has_value());
    if (envelope->kind == MessageKind::suspect) CHECK_FALSE(send.to.has_value());
  }
}

TEST_CASE("pbft 1.6 V1: T_req is that of the oldest transaction, whatever else is executed",
          "[pbft][paper]") {
  ViewChangeBench bench;
  bench.admit();
  // A primary that trickles other transactions: every height makes progress, the oldest waits.
  for (std::uint64_t height = 1; height <= 3; ++height) {
    bench.pass(300, Heartbeat::heard);
    bench.certify_height(height);
  }
  CHECK(bench.suspects().empty());
  bench.pass(250, Heartbeat::heard);
  CHECK(bench.suspects_because(SuspectReason::request_not_executed) > 0);
}

TEST_CASE("pbft 1.6 V1: the timer stops when the transaction is executed", "[pbft][paper]") {
  ViewChangeBench bench;
  bench.admit();
  bench.pass(900, Heartbeat::heard);
  bench.forget_request();
  bench.pass(2000, Heartbeat::heard);
  CHECK(bench.suspects().empty());
  // A younger one has its own second.
  bench.admit();
  bench.pass(900, Heartbeat::heard);
  CHECK(bench.suspects().empty());
  bench.pass(600, Heartbeat::heard);
  CHECK_FALSE(bench.suspects().empty());
  // And a suspicion ends with its reason.
  bench.forget_request();
  bench.pass(100, Heartbeat::heard);
  bench.forget_sent();
  bench.pass(2000, Heartbeat::heard);
  CHECK(bench.suspects().empty());
}

TEST_CASE("pbft 1.6 V1: the time of a transaction counts from the activation of the view",
          "[pbft][paper]") {
  ViewChangeBench bench(2);
  bench.admit();
  bench.pass(900, Heartbeat::heard);
  bench.enter(1);
  bench.forget_sent();
  // k = 1 in view 1: T_req is 2 s, and what was waited for in view 0 is not the new primary's.
  bench.pass(1900, Heartbeat::heard);
  CHECK(bench.suspects_because(SuspectReason::request_not_executed) == 0);
  bench.pass(250, Heartbeat::heard);
  CHECK(bench.suspects_because(SuspectReason::request_not_executed) > 0);
  CHECK(bench.suspects().back().view == View{1});
}

TEST_CASE("pbft 1.6 V1: a proposal of the window is committed within T_commit or suspected",
          "[pbft][paper]") {
  const bool bodies_withheld = GENERATE(false, true);
  ViewChangeBench bench;
  if (bodies_withheld) {
    REQUIRE(bench.propose(bench.proposal(1)) == RejectReason::none);
  } else {
    bench.accept(1);
  }
  bench.pass(500, Heartbeat::heard);
  bench.accept(2);  // a younger proposal does not wind the clock of the older
  bench.pass(400, Heartbeat::heard);
  CHECK(bench.suspects().empty());
  bench.pass(250, Heartbeat::heard);
  REQUIRE_FALSE(bench.suspects().empty());
  CHECK(bench.suspects()[0].reason == SuspectReason::height_not_committed);
  CHECK(bench.hits(Probe::suspected_commit) > 0);
}

TEST_CASE("pbft 1.6 V1: what was committed in time is not suspected", "[pbft][paper]") {
  ViewChangeBench bench;
  bench.commit_height(1);
  bench.persist_all();
  bench.pass(5000, Heartbeat::heard);
  CHECK(bench.suspects_because(SuspectReason::height_not_committed) == 0);
}

TEST_CASE("pbft 1.6 V1: an invalid or conflicting proposal is suspected at once", "[pbft][paper]") {
  const int how = GENERATE(0, 1, 2, 3);
  CAPTURE(how);
  ViewChangeBench bench;
  bench.hear_primary();
  auto proposal = bench.proposal(1);
  if (how == 0) {  // the digest is not that of the batch
    proposal.vote.digest.bytes[3] ^= 1;
    CHECK(bench.propose(proposal) == RejectReason::bad_digest);
  } else if (how == 1) {  // the batch is of another height
    auto batch = decode<Batch>(proposal.batch);
    REQUIRE(batch.has_value());
    batch->height = {2};
    proposal.batch = encode(*batch);
    proposal.vote.digest = batch_digest(proposal.batch);
    CHECK(bench.propose(proposal) == RejectReason::bad_content);
  } else if (how == 2) {  // two digests for one (v, n)
    CHECK(bench.propose(proposal) == RejectReason::none);
    CHECK(bench.propose(bench.proposal(1, 2)) == RejectReason::equivocation);
  } else {  // a body that is invalid for everybody
    CHECK(bench.propose(proposal) == RejectReason::none);
    CHECK(bench.step(BadBodiesInput{proposal.vote.digest}).accepted);
  }
  bench.pass(50, Heartbeat::heard);
  REQUIRE_FALSE(bench.suspects().empty());
  CHECK(bench.suspects()[0].view == View{0});
  CHECK(bench.suspects()[0].reason == SuspectReason::invalid_proposal);
  CHECK(bench.hits(Probe::suspected_invalid) > 0);
}

TEST_CASE("pbft 1.12: nobody but the primary is blamed for what only looks like its proposal",
          "[pbft]") {
  ViewChangeBench bench;
  // Not from the primary at all.
  CHECK(bench.propose(bench.proposal(1), 3) == RejectReason::not_primary);
  // Signed by the primary, but the bearer changed the batch, which the signature does not cover.
  const auto proposal = bench.proposal(1);
  Bytes changed = proposal.batch;
  changed.back() ^= 1;
  const SharedBytes envelope = pre_prepare_message(bench.epoch(), 0, proposal.vote, changed);
  CHECK(bench.reply(3, {0, consensus::ReplyPrePrepare{*envelope}}) == RejectReason::bad_content);
  REQUIRE(bench.effects<BanPeer>().size() == 1);
  CHECK(bench.effects<BanPeer>()[0].peer == 3);
  bench.pass(400, Heartbeat::heard);
  CHECK(bench.suspects().empty());
}

TEST_CASE("pbft 1.6 V1: a primary that is not heard for T_hb is suspected", "[pbft][paper]") {
  ViewChangeBench bench;
  bench.pass(2000, Heartbeat::heard);
  CHECK(bench.suspects().empty());
  bench.hear_primary();
  bench.pass(450);
  CHECK(bench.suspects().empty());
  // Others are heard: that says nothing about the primary.
  consensus::StatusBody status;
  status.active = true;
  bench.say_status(2, status);
  bench.pass(100);
  REQUIRE_FALSE(bench.suspects().empty());
  CHECK(bench.suspects()[0].reason == SuspectReason::no_heartbeat);
  CHECK(bench.hits(Probe::suspected_heartbeat) > 0);
  // It is back: the suspicion ends.
  bench.pass(100, Heartbeat::heard);
  bench.forget_sent();
  bench.pass(1000, Heartbeat::heard);
  CHECK(bench.suspects().empty());
}

TEST_CASE("pbft 1.6 V1: who suspects still takes part", "[pbft][paper]") {
  ViewChangeBench bench;
  bench.pass(1000);
  REQUIRE_FALSE(bench.suspects().empty());
  CHECK(bench.status().active);
  bench.commit_height(1);
  CHECK(bench.votes(MessageKind::prepare).size() == 1);
  CHECK(bench.votes(MessageKind::commit).size() == 1);
  CHECK(bench.effects<Commit>().size() == 1);
}

TEST_CASE("pbft 1.6 V1: T_req stands still while every height of the window is committed here",
          "[pbft][paper]") {
  ViewChangeBench bench(1, 4, 2);
  bench.admit();
  bench.pass(300, Heartbeat::heard);
  std::vector<Bench::Proposal> proposals;
  for (std::uint64_t height = 1; height <= 2; ++height) {
    proposals.push_back(bench.commit_height(height));
    bench.persist_all();
  }
  bench.tick(50);
  const Tick stood = bench.status().request_clock;
  bench.pass(5000, Heartbeat::heard);
  CHECK(bench.status().request_clock == stood);
  CHECK(bench.suspects().empty());  // the EXECs that are missing are not the primary's fault
  CHECK(bench.hits(Probe::requests_stood_still) > 0);
  // The window opens: the clock goes on from where it stood.
  for (std::uint64_t height = 1; height <= 2; ++height) {
    const Hash hash = bench.apply(height, proposals[height - 1].vote.digest);
    bench.persist_all();
    for (const ValidatorIndex other : bench.others(2)) bench.exec(other, height, hash);
    bench.persist_all();
  }
  REQUIRE(bench.status().certified == Height{2});
  bench.pass(500, Heartbeat::heard);
  CHECK(bench.suspects().empty());
  bench.pass(300, Heartbeat::heard);
  CHECK(bench.suspects_because(SuspectReason::request_not_executed) > 0);
}

TEST_CASE("pbft 1.6 V1: T_req runs while only a part of the window is committed", "[pbft][paper]") {
  ViewChangeBench bench(1, 4, 2);
  bench.admit();
  bench.commit_height(1);
  bench.persist_all();
  bench.pass(1150, Heartbeat::heard);
  CHECK(bench.suspects_because(SuspectReason::request_not_executed) > 0);
}

TEST_CASE("pbft 1.6 V2: the primary applies V1 to itself", "[pbft][paper]") {
  ViewChangeBench bench(0);
  bench.admit();
  bench.pass(900);
  CHECK(bench.suspects().empty());  // no heartbeat of its own is missed
  bench.pass(250);
  REQUIRE_FALSE(bench.suspects().empty());
  CHECK(bench.suspects()[0].reason == SuspectReason::request_not_executed);
  // And a single other one is then enough to leave.
  REQUIRE(bench.suspect(1) == RejectReason::none);
  bench.persist_all();
  CHECK_FALSE(bench.status().active);
  CHECK_FALSE(bench.engine().can_propose());
}

TEST_CASE("pbft 1.12: an observer suspects nobody", "[pbft]") {
  ViewChangeBench bench(kObserver);
  bench.admit();
  bench.pass(5000);
  CHECK(bench.suspects().empty());
  CHECK(bench.all_sent(MessageKind::view_change).empty());
}

// ------------------------------------------------------------------ V2

TEST_CASE("pbft 1.6 V2: F+1 SUSPECTs leave the view, the own one is not required",
          "[pbft][paper]") {
  const std::size_t n = GENERATE(4U, 6U, 7U, 10U);
  CAPTURE(n);
  const std::size_t weak = (n - 1) / 3 + 1;
  ViewChangeBench bench(1, n);
  for (std::size_t i = 0; i + 1 < weak; ++i) {
    CHECK(bench.suspect(bench.others()[i]) == RejectReason::none);
    // Repeated it is still one.
    bench.suspect(bench.others()[i]);
  }
  CHECK(bench.status().active);
  CHECK(bench.pending().empty());
  CHECK(bench.suspect(bench.others()[weak - 1]) == RejectReason::none);
  CHECK_FALSE(bench.status().active);
  REQUIRE(bench.pending_records(RecordType::vc_sent) == 1);
  CHECK(bench.all_sent(MessageKind::view_change).empty());  // not before it is durable
  REQUIRE(bench.pending().size() == 1);
  REQUIRE(bench.pending()[0].then_send.size() == 1);
  const Send send = bench.pending()[0].then_send[0];
  CHECK_FALSE(send.to.has_value());
  CHECK(send.message_class == MessageClass::view_change);
  const auto record = bench.pending_of<pbft::ViewChangeSent>(RecordType::vc_sent).at(0);
  CHECK(record.new_view == View{1});
  CHECK(record.message == *send.bytes);
  bench.persist_all();
  CHECK(bench.status().view == View{0});
  CHECK(bench.status().view_change == View{1});
  CHECK(bench.own_view_change().new_view == View{1});
  CHECK(bench.hits(Probe::left_by_suspects) == 1);
}

TEST_CASE("pbft 1.6 V2: the own SUSPECT is one of the F+1", "[pbft][paper]") {
  ViewChangeBench bench;
  bench.pass(700);
  REQUIRE_FALSE(bench.suspects().empty());
  CHECK(bench.status().active);
  CHECK(bench.suspect(3) == RejectReason::none);
  CHECK_FALSE(bench.status().active);

  // The same in the other order.
  ViewChangeBench other;
  CHECK(other.suspect(3) == RejectReason::none);
  other.pass(700);
  CHECK_FALSE(other.status().active);
}

TEST_CASE("pbft 1.6 V2: a SUSPECT counts for a second after its arrival", "[pbft][paper]") {
  ViewChangeBench bench;
  CHECK(bench.suspect(2) == RejectReason::none);
  bench.pass(1100, Heartbeat::heard);
  CHECK(bench.suspect(3) == RejectReason::none);
  CHECK(bench.status().active);  // the first is worth nothing any more
  bench.pass(800, Heartbeat::heard);
  CHECK(bench.suspect(2) == RejectReason::none);
  CHECK_FALSE(bench.status().active);
}

TEST_CASE("pbft 1.6 V2: the life of a SUSPECT grows with the backoff", "[pbft][paper]") {
  ViewChangeBench bench(2);
  bench.enter(1);
  CHECK(bench.suspect(0, 1) == RejectReason::none);
  bench.pass(1700, Heartbeat::heard);  // k = 1: it lives 2 s
  CHECK(bench.suspect(3, 1) == RejectReason::none);
  CHECK_FALSE(bench.status().active);
}

TEST_CASE("pbft 1.6 V2: a SUSPECT counts only from its signer and for the present view",
          "[pbft][paper]") {
  ViewChangeBench bench;
  const SharedBytes passed_on =
      signed_message(bench.epoch(), MessageKind::suspect, 3,
                     encode(pbft::Suspect{{0}, SuspectReason::no_heartbeat}));
  CHECK_FALSE(verify_envelope(2, passed_on, test_chain(), bench.epoch(), crypto::toy_verifier())
                  .has_value());
  for (const std::uint64_t view : {std::uint64_t{1}, std::uint64_t{7}, UINT64_MAX}) {
    for (const ValidatorIndex other : bench.others()) bench.suspect(other, view);
    CHECK(bench.status().active);
    CHECK(bench.pending().empty());
  }
  ViewChangeBench later(2);
  later.enter(1);
  for (const ValidatorIndex other : later.others()) {
    CHECK(later.suspect(other, 0) == RejectReason::stale_view);
  }
  CHECK(later.status().active);
}

TEST_CASE("pbft 1.6 V2: a VIEW-CHANGE above the view counts as its sender's SUSPECT",
          "[pbft][paper]") {
  ViewChangeBench bench;
  CHECK(bench.view_change(3, ViewChangeBench::asks(5)) == RejectReason::none);
  CHECK(bench.status().active);
  CHECK(bench.suspect(2) == RejectReason::none);
  CHECK_FALSE(bench.status().active);
  bench.persist_all();
  CHECK(bench.status().view_change == View{1});  // one is not enough for view 5
}

TEST_CASE("pbft 1.6 V2: SUSPECT is repeated every 250 ms, and goes on after the view is left",
          "[pbft][paper]") {
  ViewChangeBench bench;
  bench.pass(600);
  REQUIRE(bench.suspects().size() == 1);
  bench.forget_sent();
  bench.pass(2000);
  CHECK(bench.suspects().size() >= 7);
  CHECK(bench.suspects().size() <= 9);
  bench.suspect(2);
  bench.persist_all();
  REQUIRE_FALSE(bench.status().active);
  bench.forget_sent();
  bench.pass(2000);
  CHECK(bench.suspects_of(0) >= 7);
  CHECK(bench.suspects_of(0) <= 9);
  // Until a NEW-VIEW is entered.
  bench.enter(2);
  bench.forget_sent();
  bench.pass(1000, Heartbeat::heard);
  CHECK(bench.suspects().empty());
}

TEST_CASE("pbft 1.6 V2: who has left votes no more in that view, durable or not", "[pbft][paper]") {
  const bool durable = GENERATE(false, true);
  ViewChangeBench bench;
  const auto accepted = bench.accept(1);
  bench.prepare_height(2);
  const auto waiting = bench.proposal(3);
  REQUIRE(bench.propose(waiting) == RejectReason::none);  // its bodies come too late
  bench.suspects_of_weak();
  if (durable) bench.persist_all();
  bench.forget_sent();
  const auto fresh = bench.proposal(4);
  CHECK(bench.propose(fresh) == RejectReason::inactive);
  bench.give_bodies(waiting);
  for (const ValidatorIndex other : bench.others()) bench.prepare(other, accepted.vote);
  bench.persist_all();
  CHECK(bench.votes(MessageKind::prepare).empty());
  CHECK(bench.votes(MessageKind::commit).empty());
  CHECK(bench.logged<pbft::PpAccept>(RecordType::pp_accept).size() == 2);
  CHECK(bench.logged<pbft::Prepared>(RecordType::prepared).size() == 1);
}

TEST_CASE("pbft 1.5 N4: Q COMMITs of the view that was left still decide", "[pbft][paper]") {
  ViewChangeBench bench;
  const auto proposal = bench.accept(1);
  bench.leave();
  bench.commit(0, proposal.vote);
  bench.commit(2, proposal.vote);
  CHECK(bench.commit(3, proposal.vote) == RejectReason::none);
  REQUIRE(bench.effects<Commit>().size() == 1);
  CHECK(bench.hits(Probe::commit_in_view_change) == 1);
  // And a CommitQC from anyone.
  const auto second = bench.proposal(2);
  const auto certificate =
      vote_certificate(bench.epoch(), crypto::ObjectType::commit, second.vote, {0, 2, 3});
  CHECK(bench.reply(2, {0, consensus::ReplyCommit{certificate, second.batch}}) ==
        RejectReason::none);
  REQUIRE(bench.give_bodies(second).accepted);
  CHECK(bench.effects<Commit>().size() == 1);
}

}  // namespace baolian::consensus::testing
