/// One test a rule of the VIEW-CHANGE (consensus.md 1.6 V3, V4, V9, V11, S1, S5; 1.7): for which
/// view, what it holds, which are believed, and what is waited for afterwards.
#include "consensus/view_change_bench.h"

namespace baolian::consensus::testing {
namespace {

using pbft::SuspectReason;
using Heartbeat = Bench::Heartbeat;

}  // namespace

// ------------------------------------------------------------------ V3

TEST_CASE("pbft 1.6 V3: a single huge view moves nobody", "[pbft][paper]") {
  ViewChangeBench bench;
  for (const std::uint64_t view : {2UL, 1UL << 40, consensus::kViewLimit - 1}) {
    CHECK(bench.view_change(3, ViewChangeBench::asks(view)) == RejectReason::none);
    CHECK(bench.status().active);
    CHECK(bench.status().view_change == View{0});
    CHECK(bench.pending().empty());
  }
  // Nor one who has left already.
  bench.leave();
  bench.pass(200);
  bench.persist_all();
  CHECK(bench.status().view_change == View{1});
}

TEST_CASE("pbft 1.6 V3: the target is the highest view that F+1 ask for", "[pbft][paper]") {
  ViewChangeBench four;
  CHECK(four.view_change(2, ViewChangeBench::asks(7)) == RejectReason::none);
  CHECK(four.view_change(3, ViewChangeBench::asks(3)) == RejectReason::none);
  four.persist_all();
  CHECK(four.status().view_change == View{3});
  CHECK(four.own_view_change().new_view == View{3});
  CHECK(four.hits(Probe::left_by_view_changes) > 0);

  ViewChangeBench seven(1, 7);
  CHECK(seven.view_change(2, ViewChangeBench::asks(9)) == RejectReason::none);
  CHECK(seven.view_change(3, ViewChangeBench::asks(5)) == RejectReason::none);
  CHECK(seven.status().view_change == View{0});
  CHECK(seven.pending().empty());
  CHECK(seven.view_change(4, ViewChangeBench::asks(4)) == RejectReason::none);
  seven.persist_all();
  CHECK(seven.status().view_change == View{4});
  // Another step when another one comes: now three ask for 5 or more.
  CHECK(seven.view_change(5, ViewChangeBench::asks(6)) == RejectReason::none);
  seven.persist_all();
  CHECK(seven.status().view_change == View{5});
  CHECK(seven.own_view_change().new_view == View{5});
}

TEST_CASE("pbft 1.6 V3: of each sender the highest VIEW-CHANGE is kept", "[pbft][paper]") {
  ViewChangeBench bench;
  CHECK(bench.view_change(2, ViewChangeBench::asks(6)) == RejectReason::none);
  CHECK(bench.view_change(2, ViewChangeBench::asks(6)) == RejectReason::duplicate);
  CHECK(bench.view_change(2, ViewChangeBench::asks(3)) != RejectReason::none);
  CHECK(bench.view_change(3, ViewChangeBench::asks(6)) == RejectReason::none);
  bench.persist_all();
  CHECK(bench.status().view_change == View{6});  // the 3 has not replaced the 6

  // Two of one sender are one.
  ViewChangeBench single;
  CHECK(single.view_change(2, ViewChangeBench::asks(2)) == RejectReason::none);
  CHECK(single.view_change(2, ViewChangeBench::asks(4)) == RejectReason::none);
  CHECK(single.status().active);
}

TEST_CASE("pbft 1.6 V3: views at or above 2^62 are refused and their sender banned",
          "[pbft][paper]") {
  for (const std::uint64_t view : {1UL << 62, (1UL << 62) + 1, 1UL << 63, UINT64_MAX}) {
    CAPTURE(view);
    ViewChangeBench bench;
    for (const ValidatorIndex other : bench.others()) {
      CHECK(bench.view_change(other, ViewChangeBench::asks(view)) == RejectReason::bad_content);
      CHECK(bench.effects<BanPeer>().size() == 1);
    }
    CHECK(bench.status().active);
    CHECK(bench.pending().empty());
    pbft::NewView huge;
    huge.view = {view};
    const auto primary = static_cast<ValidatorIndex>(view % 4);
    if (primary == 1) continue;
    CHECK(bench.deliver(primary, bench.sealed(huge, primary)) == RejectReason::bad_content);
    CHECK(bench.status().view == View{0});
  }
}

// ------------------------------------------------------------------ V4

TEST_CASE("pbft 1.6 V4: a VIEW-CHANGE that is not valid counts for nothing", "[pbft][paper]") {
  ViewChangeBench bench(1, 4, 16);
  const auto good = [&] {
    auto body = bench.asks_at(3, 2);
    body.prepared = {bench.prepared(0, 3), bench.prepared(2, 4), bench.prepared(1, 18)};
    return body;
  };
  struct Case {
    const char* what;
    std::function<void(pbft::ViewChange&)> spoil;
    RejectReason reason;
  };
  const auto content = RejectReason::bad_content;
  const auto certificate = RejectReason::bad_certificate;
  const auto resign = [&](pbft::ViewChange& body, std::size_t entry, crypto::Vote vote) {
    body.prepared[entry] = bench.prepared(vote);
  };
  const std::vector<Case> cases = {
      {"view 0", [](auto& b) { b.new_view = {0}, b.prepared.clear(); }, content},
      {"certificate of another height", [](auto& b) { b.certified = {1}; }, content},
      {"h without certificate", [](auto& b) { b.checkpoint.reset(); }, content},
      {"certificate without h", [](auto& b) { b.certified = {0}; }, content},
      {"certificate of a minority", [](auto& b) { b.checkpoint->signatures.pop_back(); },
       certificate},
      {"changed signature of the certificate",
       [](auto& b) { b.checkpoint->signatures[0].signature.bytes[0] ^= 1; }, certificate},
      {"changed header in the certificate",
       [](auto& b) { b.checkpoint->vote.header_hash.bytes[0] ^= 1; }, certificate},
      {"certificate of another epoch", [](auto& b) { b.checkpoint->epoch = {1}; }, certificate},
      {"an entry at h",
       [&](auto& b) {
         resign(b, 0, {{0}, {2}, bench.digest_at(2)});
       },
       content},
      {"an entry below h",
       [&](auto& b) {
         resign(b, 0, {{0}, {1}, bench.digest_at(1)});
       },
       content},
      {"an entry above h + L",
       [&](auto& b) {
         resign(b, 2, {{1}, {19}, bench.digest_at(19)});
       },
       content},
      {"entries not ascending", [](auto& b) { std::swap(b.prepared[0], b.prepared[1]); }, content},
      {"two entries of one height",
       [&](auto& b) {
         resign(b, 1, {{2}, {3}, bench.digest_at(3)});
       },
       content},
      {"an entry of the new view",
       [&](auto& b) {
         resign(b, 1, {{3}, {4}, bench.digest_at(4)});
       },
       content},
      {"an entry of a later view",
       [&](auto& b) {
         resign(b, 1, {{9}, {4}, bench.digest_at(4)});
       },
       content},
      {"a prepared certificate of a minority", [](auto& b) { b.prepared[1].signatures.pop_back(); },
       certificate},
      {"a changed signature in a prepared certificate",
       [](auto& b) { b.prepared[2].signatures[1].signature.bytes[9] ^= 1; }, certificate},
      {"a changed digest in a prepared certificate",
       [](auto& b) { b.prepared[0].vote.digest.bytes[0] ^= 1; }, certificate},
      {"a changed view in a prepared certificate", [](auto& b) { b.prepared[0].vote.view = {1}; },
       certificate},
      {"COMMITs instead of PREPAREs",
       [&](auto& b) {
         b.prepared[0] = vote_certificate(bench.epoch(), crypto::ObjectType::commit,
                                          b.prepared[0].vote, {0, 2, 3});
       },
       certificate},
      {"a prepared certificate of another epoch", [](auto& b) { b.prepared[0].epoch = {1}; },
       certificate},
      {"one signer twice",
       [](auto& b) { b.prepared[0].signatures[2] = b.prepared[0].signatures[1]; }, certificate},
      {"a signer that is none of the validators",
       [](auto& b) { b.prepared[0].signatures[2].validator = 4; }, certificate},
  };
  for (const Case& spoiled : cases) {
    CAPTURE(spoiled.what);
    for (const ValidatorIndex sender : {ValidatorIndex{2}, ValidatorIndex{3}}) {
      auto body = good();
      spoiled.spoil(body);
      const RejectReason reason = bench.view_change(sender, body);
      // A list of signers that is not strictly ascending does not even decode.
      CHECK((reason == spoiled.reason || reason == content));
      REQUIRE(bench.effects<BanPeer>().size() == 1);
      CHECK(bench.effects<BanPeer>()[0].peer == sender);
    }
    REQUIRE(bench.status().active);  // two invalid ones are not F+1
    REQUIRE(bench.pending().empty());
  }
  // Not one of them took the place of a valid one.
  CHECK(bench.view_change(2, good()) == RejectReason::none);
  CHECK(bench.view_change(3, good()) == RejectReason::none);
  bench.persist_all();
  CHECK(bench.status().view_change == View{3});
}

TEST_CASE("pbft 1.6 V4: at the genesis there is no certificate, and P may begin at height 1",
          "[pbft][paper]") {
  ViewChangeBench bench;
  auto body = ViewChangeBench::asks(1);
  body.prepared = {bench.prepared(0, 1), bench.prepared(0, 16)};
  CHECK(bench.view_change(2, body) == RejectReason::none);
  body.prepared = {bench.prepared(0, 17)};
  CHECK(bench.view_change(3, body) == RejectReason::bad_content);
  body.prepared.clear();
  body.checkpoint = exec_certificate(bench.epoch(), {0}, bench.genesis(), {0, 2, 3});
  CHECK(bench.view_change(3, body) != RejectReason::none);
}

// ------------------------------------------------------------------ V11, and what P holds

TEST_CASE("pbft 1.4 P: a VIEW-CHANGE holds ExecCert(h) and what was prepared above h, ascending",
          "[pbft][paper]") {
  ViewChangeBench bench;
  bench.certify_height(1);
  const auto fourth = bench.prepare_height(4);
  const auto second = bench.prepare_height(2);
  bench.accept(3);  // not prepared
  const auto body = bench.leave();
  CHECK(body.certified == Height{1});
  REQUIRE(body.checkpoint.has_value());
  CHECK(body.checkpoint->vote.height == Height{1});
  CHECK(crypto::check_certificate(*body.checkpoint, test_chain(), bench.epoch(),
                                  crypto::toy_verifier()));
  REQUIRE(body.prepared.size() == 2);
  CHECK(body.prepared[0].vote == second.vote);
  CHECK(body.prepared[1].vote == fourth.vote);
  for (const auto& entry : body.prepared) {
    CHECK(crypto::check_certificate(entry, crypto::ObjectType::prepare, test_chain(), bench.epoch(),
                                    crypto::toy_verifier()));
  }
  // Another replica takes it (one that signed none of these certificates).
  ViewChangeBench other(3);
  CHECK(other.deliver(1, std::make_shared<const Bytes>(
                             encode(bench.all_sent(MessageKind::view_change).back()))) ==
        RejectReason::none);
}

TEST_CASE("pbft 1.6 V11: P survives execution and commitment, also over a restart",
          "[pbft][paper]") {
  const int restart = GENERATE(0, 1, 2);  // no, before leaving, after leaving
  CAPTURE(restart);
  ViewChangeBench bench;
  const auto proposal = bench.commit_height(1);
  bench.persist_all();
  bench.apply(1, proposal.vote.digest);
  bench.persist_all();
  REQUIRE(bench.status().executed == Height{1});
  REQUIRE(bench.status().certified == Height{0});
  if (restart == 1) bench.restart();
  auto body = bench.leave();
  if (restart == 2) {
    bench.restart();
    body = bench.own_view_change();
  }
  REQUIRE(body.prepared.size() == 1);
  CHECK(body.prepared[0].vote == proposal.vote);
  CHECK(body.certified == Height{0});
}

TEST_CASE("pbft 1.6 V11: P survives the loss of the store, which leaves the window of votes behind",
          "[pbft][recovery]") {
  // Without blocks nothing says whether a change of validators is pending: no height above the
  // window of what is executed is voted on (1.10). What was prepared before stays prepared.
  ViewChangeBench bench(1, 4, 4);
  for (std::uint64_t height = 1; height <= 6; ++height) {
    const auto proposal = bench.commit_height(height);
    bench.persist_all();
    // Certified before it is executed here: the log's certificates come without their headers.
    const Hash hash = header_hash_of(bench.header_of(height, proposal.vote.digest));
    for (const ValidatorIndex other : bench.others(bench.quorum())) bench.exec(other, height, hash);
    bench.persist_all();
    bench.apply(height, proposal.vote.digest);
    bench.persist_all();
  }
  const auto seventh = bench.prepare_height(7);
  bench.persist_all();
  bench.forget_sent();
  bench.open(bench.log(), {0}, bench.genesis());
  bench.persist_all();
  REQUIRE(bench.status().executed == Height{0});
  REQUIRE(bench.status().certified == Height{6});
  const auto body = bench.leave();
  CHECK(body.certified == Height{6});
  REQUIRE(body.prepared.size() == 1);
  CHECK(body.prepared[0].vote == seventh.vote);
}

TEST_CASE("pbft 1.6 V11: an entry of P goes when its height is certified", "[pbft][paper]") {
  ViewChangeBench bench;
  const Hash first = bench.certify_height(1);
  const auto second = bench.prepare_height(2);
  const auto body = bench.leave();
  REQUIRE(body.prepared.size() == 1);
  CHECK(body.prepared[0].vote == second.vote);
  CHECK(body.checkpoint->vote.header_hash == first);
}

TEST_CASE("pbft 1.7 V11: the log is not cut above h, however much the store has flushed",
          "[pbft][recovery]") {
  ViewChangeBench bench;
  bench.certify_height(1);
  const auto second = bench.commit_height(2);
  bench.persist_all();
  const Hash executed = bench.apply(2, second.vote.digest);
  bench.persist_all();
  CHECK(bench.step(FlushedInput{{2}}).accepted);
  REQUIRE(bench.effects<CutLog>().size() == 1);
  const std::vector<LogRecord> log = {bench.effects<CutLog>()[0].snapshot};
  bench.forget_sent();
  bench.open(log, {2}, executed);
  bench.persist_all();
  const auto body = bench.leave();
  CHECK(body.certified == Height{1});
  REQUIRE(body.prepared.size() == 1);
  CHECK(body.prepared[0].vote == second.vote);
}

TEST_CASE("pbft 1.4 P: of each height the certificate of the highest view is kept",
          "[pbft][paper]") {
  ViewChangeBench bench(2);
  const auto first = bench.prepare_height(1);
  const auto second = bench.prepare_height(2);
  auto asked = bench.all_ask(ViewChangeBench::asks(1));
  asked[0].prepared = {bench.prepared(first.vote), bench.prepared(second.vote)};
  bench.enter(bench.new_view(1, asked));
  // Height 1 is prepared again in view 1, height 2 is only accepted there.
  crypto::Vote again = first.vote;
  again.view = {1};
  for (const ValidatorIndex other : bench.others(2)) bench.prepare(other, again);
  bench.persist_all();
  CHECK(bench.votes(MessageKind::commit)[1].view == View{1});
  const auto body = bench.leave();
  CHECK(body.new_view == View{2});
  REQUIRE(body.prepared.size() == 2);
  CHECK(body.prepared[0].vote == again);
  CHECK(body.prepared[1].vote == second.vote);
}

TEST_CASE("pbft 1.6 I13: a COMMIT that is on its way to the disk is in P, or never leaves",
          "[pbft][paper]") {
  ViewChangeBench bench;
  const auto proposal = bench.accept(1);
  bench.prepare(0, proposal.vote);
  bench.prepare(2, proposal.vote);
  REQUIRE(bench.pending_records(RecordType::prepared) == 1);  // not durable when the view is left
  bench.suspects_of_weak();
  bench.persist_all();
  const bool sent = !bench.votes(MessageKind::commit).empty();
  const auto body = bench.own_view_change();
  CHECK((!sent || body.prepared.size() == 1));
  for (const auto& entry : body.prepared) CHECK(entry.vote == proposal.vote);
}

// ------------------------------------------------------------------ V9

TEST_CASE("pbft 1.6 V9: a VIEW-CHANGE is sent again every 500 ms, as it was", "[pbft][paper]") {
  ViewChangeBench bench;
  bench.prepare_height(1);
  bench.leave();
  const Bytes first = encode(bench.all_sent(MessageKind::view_change).at(0));
  bench.forget_sent();
  bench.pass(3000);
  const auto again = bench.all_sent(MessageKind::view_change);
  CHECK(again.size() >= 5);
  CHECK(again.size() <= 7);
  for (const Envelope& envelope : again) CHECK(encode(envelope) == first);
  bench.enter(2);
  bench.forget_sent();
  bench.pass(2000, Heartbeat::heard);
  CHECK(bench.all_sent(MessageKind::view_change).empty());
}

TEST_CASE("pbft 1.6 V9: T0 runs when Q ask for the view, not before", "[pbft][paper]") {
  ViewChangeBench bench(2);
  bench.leave();
  CHECK(bench.view_change(0, ViewChangeBench::asks(1)) == RejectReason::none);
  bench.pass(5000);
  CHECK(bench.suspects_of(1) == 0);  // two of Q = 3, the own one included
  CHECK(bench.view_change(3, ViewChangeBench::asks(1)) == RejectReason::none);
  bench.pass(900);
  CHECK(bench.suspects_of(1) == 0);
  bench.pass(1400);  // T0 is 1 s, and never above 2 s for the first change
  CHECK(bench.suspects_of(1) > 0);
  CHECK(bench.hits(Probe::suspected_new_view) > 0);
  CHECK(bench.status().view_change == View{1});  // F+1 are needed to go on
  // And it still takes the NEW-VIEW.
  CHECK(bench.view_change(1, ViewChangeBench::asks(1)) == RejectReason::none);
  const auto made = bench.new_view(1, bench.all_ask(ViewChangeBench::asks(1)));
  CHECK(bench.deliver(1, made.message) == RejectReason::none);
  bench.persist_all();
  CHECK(bench.status().view == View{1});
}

TEST_CASE("pbft 1.6 V9: who asks for a later view counts for T0", "[pbft][paper]") {
  ViewChangeBench bench(2);
  bench.leave();
  CHECK(bench.view_change(0, ViewChangeBench::asks(1)) == RejectReason::none);
  CHECK(bench.view_change(3, ViewChangeBench::asks(4)) == RejectReason::none);
  CHECK(bench.status().view_change == View{1});
  bench.pass(900);
  CHECK(bench.suspects_of(1) == 0);
  bench.pass(1400);
  CHECK(bench.suspects_of(1) > 0);
  bench.persist_all();
  // The VIEW-CHANGE for 4 is its sender's SUSPECT(1): with the own one F+1 go on.
  CHECK(bench.status().view_change == View{2});
}

TEST_CASE("pbft 1.6 V9: F+1 SUSPECTs of the view that does not come go on to the next",
          "[pbft][paper]") {
  ViewChangeBench bench(2);
  bench.leave();
  CHECK(bench.suspect(0, 1) == RejectReason::none);
  CHECK(bench.status().view_change == View{1});
  CHECK(bench.suspect(3, 1) == RejectReason::none);
  bench.persist_all();
  CHECK(bench.status().view_change == View{2});
  CHECK(bench.own_view_change().new_view == View{2});
  CHECK(bench.status().view == View{0});
  CHECK(bench.relay(bench.new_view(1, bench.all_ask(ViewChangeBench::asks(1)))) ==
        RejectReason::not_wanted);
}

TEST_CASE("pbft 1.6 V9: k grows by the views passed and is at most 6", "[pbft][paper]") {
  for (const auto& [view, backoff] : {std::pair{1U, 1}, {2U, 2}, {5U, 5}, {6U, 6}, {9U, 6}}) {
    CAPTURE(view);
    ViewChangeBench bench(3);
    if (view % 4 == 3) continue;
    bench.enter(view);
    const auto entered = bench.logged<pbft::ViewEnter>(RecordType::view_enter);
    REQUIRE(entered.size() == 1);
    CHECK(int{entered[0].backoff} == backoff);
  }
  // From view 1 to view 4: three more.
  ViewChangeBench bench(3);
  bench.enter(1);
  bench.enter(4);
  CHECK(int{bench.logged<pbft::ViewEnter>(RecordType::view_enter).back().backoff} == 4);
}

TEST_CASE("pbft 1.6 V9: every timer of a view is base * 2^k, and none is above 20 s",
          "[pbft][paper]") {
  ViewChangeBench bench(2);
  bench.enter(1);
  bench.forget_sent();
  bench.pass(950);  // T_hb is 1 s
  CHECK(bench.suspects().empty());
  bench.pass(150);
  CHECK(bench.suspects_because(SuspectReason::no_heartbeat) > 0);

  ViewChangeBench commits(2);
  commits.enter(1);
  commits.accept(1);
  commits.pass(1900, Heartbeat::heard);
  CHECK(commits.suspects().empty());
  commits.pass(250, Heartbeat::heard);
  CHECK(commits.suspects_because(SuspectReason::height_not_committed) > 0);

  ViewChangeBench capped(2);
  capped.enter(9);  // k = 6: T_hb would be 32 s
  capped.forget_sent();
  capped.pass(19'900);
  CHECK(capped.suspects().empty());
  capped.pass(300);
  CHECK_FALSE(capped.suspects().empty());
}

TEST_CASE("pbft 1.6 V9: k falls by one after L fresh heights in a row, at most every 10 s",
          "[pbft][paper]") {
  ViewChangeBench bench(2, 4, 2);
  bench.enter(2 + 3);  // k = 5
  const auto backoff = [&] {
    bench.step(FlushedInput{bench.status().certified});
    const auto cuts = bench.effects<CutLog>();
    REQUIRE(cuts.size() == 1);
    const auto snapshot = decode<consensus::Snapshot>(*cuts[0].snapshot.body);
    REQUIRE(snapshot.has_value());
    return int{snapshot->backoff};
  };
  bench.pass(11'000, Heartbeat::heard);
  bench.certify_height(1);
  CHECK(backoff() == 5);
  bench.certify_height(2);
  CHECK(backoff() == 4);
  for (std::uint64_t height = 3; height <= 8; ++height) bench.certify_height(height);
  CHECK(backoff() == 4);  // not again within 10 s
  bench.pass(10'500, Heartbeat::heard);
  for (std::uint64_t height = 9; height <= 10; ++height) bench.certify_height(height);
  CHECK(backoff() == 3);
  CHECK(bench.hits(Probe::backoff_lowered) == 2);
}

TEST_CASE("pbft 1.6 V9: heights of O do not lower k", "[pbft][paper]") {
  ViewChangeBench bench(2, 4, 2);
  auto asked = bench.all_ask(ViewChangeBench::asks(1));
  asked[0].prepared = {bench.prepared(0, 2)};
  // Heights 1 and 2 come from O: null, and one whose batch the engine has as its own.
  const auto first = bench.proposal(2);
  asked[0].prepared = {bench.prepared(first.vote)};
  bench.prepare_height(2);
  bench.enter(bench.new_view(1, asked));
  bench.pass(11'000, Heartbeat::heard);
  const std::vector<crypto::Vote> votes = {{{1}, {1}, null_digest(test_chain(), {0}, {1})},
                                           {{1}, {2}, first.vote.digest}};
  for (const crypto::Vote& vote : votes) {
    for (const ValidatorIndex other : bench.others(2)) bench.prepare(other, vote);
    bench.persist_all();
    for (const ValidatorIndex other : bench.others(2)) bench.commit(other, vote);
    bench.persist_all();
    const Hash hash = bench.apply(vote.height.value, vote.digest);
    bench.persist_all();
    for (const ValidatorIndex other : bench.others(2)) bench.exec(other, vote.height.value, hash);
    bench.persist_all();
  }
  REQUIRE(bench.status().certified == Height{2});
  CHECK(bench.hits(Probe::backoff_lowered) == 0);
  bench.certify_height(3);
  CHECK(bench.hits(Probe::backoff_lowered) == 0);
  bench.certify_height(4);
  CHECK(bench.hits(Probe::backoff_lowered) == 1);
}

TEST_CASE("pbft 1.6 V9: a gap between ticks shifts every timer", "[pbft][paper]") {
  ViewChangeBench bench;
  bench.admit();
  bench.accept(1);
  bench.pass(300, Heartbeat::heard);
  const Tick before = bench.status().request_clock;
  bench.tick(60'000);  // the machine slept
  CHECK(bench.status().request_clock == before);
  CHECK(bench.suspects().empty());
  CHECK(bench.hits(Probe::timers_shifted) > 0);
  bench.pass(300);
  CHECK(bench.suspects().empty());
  bench.pass(250);
  CHECK(bench.suspects_because(SuspectReason::no_heartbeat) > 0);

  // T0 as well.
  ViewChangeBench waiting(2);
  waiting.leave();
  waiting.view_change(0, ViewChangeBench::asks(1));
  waiting.view_change(3, ViewChangeBench::asks(1));
  waiting.pass(200);
  waiting.tick(60'000);
  waiting.pass(700);
  CHECK(waiting.suspects_of(1) == 0);
  waiting.pass(1400);
  CHECK(waiting.suspects_of(1) > 0);
}

TEST_CASE("pbft 1.6 V2: a SUSPECT does not outlive a gap by more than its second", "[pbft]") {
  ViewChangeBench bench;
  CHECK(bench.suspect(2) == RejectReason::none);
  bench.tick(100);
  bench.tick(30'000);
  bench.pass(1050, Heartbeat::heard);
  CHECK(bench.suspect(3) == RejectReason::none);
  CHECK(bench.status().active);
}

// ------------------------------------------------------------------ S1, S5

TEST_CASE("pbft 1.6 S5: a peer in view change gets the own VIEW-CHANGE, and any by hash",
          "[pbft]") {
  ViewChangeBench bench;
  bench.prepare_height(1);
  bench.leave();
  const Bytes own = encode(bench.all_sent(MessageKind::view_change).at(0));
  auto theirs = ViewChangeBench::asks(1);
  theirs.prepared = {bench.prepared(0, 2)};
  const SharedBytes held = bench.view_change_message(3, theirs);
  CHECK(bench.deliver(3, held) == RejectReason::none);
  bench.forget_sent();
  consensus::StatusBody status;
  status.view_change = {1};
  CHECK(bench.say_status(2, status) == RejectReason::none);
  std::size_t to_peer = 0;
  for (const Send& send : bench.all_sends()) {
    if (*send.bytes == own) to_peer += send.to == ReplicaId{2} ? 1U : 0U;
  }
  CHECK(to_peer == 1);

  bench.forget_sent();
  CHECK(bench.fetch(2, {9, consensus::FetchViewChange{3, crypto::sha256(encode(theirs))}}) ==
        RejectReason::none);
  const auto replies = bench.replies<consensus::ReplyViewChange>();
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].first == 2);
  CHECK(replies[0].second.envelope == *held);
  bench.pass(200);
  bench.forget_sent();
  bench.fetch(2, {10, consensus::FetchViewChange{3, bench.genesis()}});
  CHECK(bench.replies<consensus::ReplyViewChange>().empty());
  bench.pass(200);
  bench.forget_sent();
  CHECK(bench.fetch(2, {11, consensus::FetchViewChange{
                                1, crypto::sha256(encode(bench.body_of<pbft::ViewChange>(
                                       *decode<Envelope>(own))))}}) == RejectReason::none);
  CHECK(bench.replies<consensus::ReplyViewChange>().size() == 1);  // its own too
}

TEST_CASE("pbft 1.6 S1: STATUS tells that the view was left, every 100 ms", "[pbft]") {
  ViewChangeBench bench;
  bench.leave();
  bench.forget_sent();
  bench.pass(1000);
  const auto all = bench.all_sent(MessageKind::status);
  CHECK(all.size() >= 9);
  const auto status = bench.body_of<consensus::StatusBody>(all.back());
  CHECK(status.view == View{0});
  CHECK_FALSE(status.active);
  CHECK(status.view_change == View{1});
}

// ------------------------------------------------------------------ 1.7

TEST_CASE("pbft 1.7: a crash in a view change restarts in it, with the same VIEW-CHANGE",
          "[pbft][recovery]") {
  const bool cut = GENERATE(false, true);
  CAPTURE(cut);
  ViewChangeBench bench;
  const Hash hash = bench.certify_height(1);
  bench.prepare_height(2);
  bench.leave();
  const Bytes own = encode(bench.all_sent(MessageKind::view_change).at(0));
  std::vector<LogRecord> log = bench.log();
  if (cut) {
    CHECK(bench.step(FlushedInput{{1}}).accepted);
    REQUIRE(bench.effects<CutLog>().size() == 1);
    log = {bench.effects<CutLog>()[0].snapshot};
  }
  bench.forget_sent();
  bench.open(log, {1}, hash);
  CHECK(bench.status().view == View{0});
  CHECK_FALSE(bench.status().active);
  CHECK(bench.status().view_change == View{1});
  CHECK(bench.hits(Probe::restart_in_view_change) == 1);
  bench.pass(600);
  REQUIRE_FALSE(bench.all_sent(MessageKind::view_change).empty());
  for (const Envelope& sent : bench.all_sent(MessageKind::view_change)) {
    CHECK(encode(sent) == own);
  }
  CHECK(bench.pending().empty());
  CHECK(bench.propose(bench.proposal(3)) == RejectReason::inactive);
  bench.enter(2);
}

TEST_CASE("pbft 1.7: a VIEW-CHANGE that was not durable was never sent, and binds nobody",
          "[pbft][recovery]") {
  ViewChangeBench bench;
  bench.suspects_of_weak();
  bench.restart();
  CHECK(bench.status().active);
  CHECK(bench.status().view_change == View{0});
  CHECK(bench.all_sent(MessageKind::view_change).empty());
  bench.accept(1);
  CHECK(bench.votes(MessageKind::prepare).size() == 1);
}

TEST_CASE("pbft 1.7: who meets an own VIEW-CHANGE that the log does not know was rolled back",
          "[pbft][recovery]") {
  ViewChangeBench bench(2);
  const auto own = ViewChangeBench::asks(1);
  auto made = bench.new_view(1, {{0, own}, {2, own}, {3, own}});
  bench.relay(made);
  REQUIRE(bench.effects<Stop>().size() == 1);
  CHECK(bench.effects<Stop>()[0].kind == Stop::Kind::rolled_back);
}

}  // namespace baolian::consensus::testing
