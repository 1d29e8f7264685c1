/// One test a rule of entering a view (consensus.md 1.6 V8, V10, S4; 1.7): what must be durable
/// before the first vote, what is voted for, and how those who are behind come after.
#include "consensus/view_change_bench.h"

namespace baolian::consensus::testing {
namespace {

using Heartbeat = Bench::Heartbeat;

/// View 1 is for the first to open and for the second to enter.
constexpr ValidatorIndex kPrimaryOf1 = 1;
constexpr ValidatorIndex kBackup = 2;

Hash null_at(std::uint64_t height) { return null_digest(test_chain(), {0}, {height}); }

}  // namespace

// ------------------------------------------------------------------ V8

TEST_CASE("pbft 1.6 V8: EXECCERT(mins), then VIEW_ENTER, are durable before any vote of the view",
          "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  auto behind = ViewChangeBench::asks(1);
  behind.prepared = {bench.prepared(0, 2), bench.prepared(0, 9)};
  const auto made = bench.new_view(1, {{0, behind}, {1, bench.asks_at(1, 7)}, {3, behind}});
  CHECK(bench.relay(made) == RejectReason::none);
  CHECK(bench.effects<Send>().empty());
  const auto types = bench.pending_types();
  const auto certificate = std::find(types.begin(), types.end(), RecordType::exec_cert);
  const auto enter = std::find(types.begin(), types.end(), RecordType::view_enter);
  REQUIRE(certificate != types.end());
  REQUIRE(enter != types.end());
  CHECK(certificate < enter);
  const auto proof = bench.pending_of<consensus::ExecCert>(RecordType::exec_cert).at(0);
  CHECK(proof.certificate.vote.height == Height{7});
  CHECK(bench.status().view == View{0});
  const auto record = bench.pending_of<pbft::ViewEnter>(RecordType::view_enter).at(0);
  CHECK(record.view == View{1});
  CHECK(record.new_view == *made.message);
  REQUIRE(record.view_changes.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(record.view_changes[i] == *made.view_changes[i]);
  // No vote rides with the Persist that holds VIEW_ENTER, or with an earlier one.
  for (const Persist& persist : bench.pending()) {
    for (const Send& send : persist.then_send) {
      CHECK(decode<Envelope>(*send.bytes)->kind != MessageKind::prepare);
    }
  }
  bench.persist_all();
  CHECK(bench.status().view == View{1});
  CHECK(bench.status().certified == Height{7});  // though that state is not here
  CHECK(bench.status().executed == Height{0});
  CHECK(bench.hits(Probe::new_view_above_h) == 1);
  // Votes only above it: 8 is null, 9 waits for its batch.
  const auto votes = bench.votes(MessageKind::prepare);
  REQUIRE(votes.size() == 1);
  CHECK(votes.at(8).digest == null_at(8));
  const auto accepted = bench.logged<pbft::PpAccept>(RecordType::pp_accept);
  REQUIRE(accepted.size() == 1);
  CHECK(accepted[0].vote == votes.at(8));
  CHECK(accepted[0].proposal.is_zero());
  CHECK(accepted[0].batch.empty());
}

TEST_CASE("pbft 1.6 V8: while VIEW_ENTER is on its way to the disk the engine votes in no view",
          "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  const auto accepted = bench.accept(1);
  REQUIRE(bench.relay(bench.new_view(1, bench.all_ask(ViewChangeBench::asks(1)))) ==
          RejectReason::none);
  CHECK_FALSE(bench.status().active);
  bench.forget_sent();
  // The old view.
  for (const ValidatorIndex other : bench.others()) bench.prepare(other, accepted.vote);
  CHECK(bench.propose(bench.proposal(2)) != RejectReason::none);
  CHECK(bench.pending_records(RecordType::prepared) == 0);
  CHECK(bench.pending_records(RecordType::pp_accept) == 0);
  bench.persist_all();
  CHECK(bench.votes(MessageKind::commit).empty());
  CHECK(bench.propose(bench.proposal(1, 1, 1), 1) == RejectReason::none);
}

TEST_CASE("pbft 1.6 V8: what is committed or executed here is prepared again for the others",
          "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  const auto executed = bench.commit_height(1);
  bench.persist_all();
  bench.apply(1, executed.vote.digest);
  bench.persist_all();
  const auto committed = bench.commit_height(2);
  bench.persist_all();
  auto asked = bench.all_ask(ViewChangeBench::asks(1));
  asked[0].prepared = {bench.prepared(executed.vote), bench.prepared(committed.vote)};
  bench.forget_sent();
  bench.enter(bench.new_view(1, asked));
  const auto votes = bench.votes(MessageKind::prepare);
  REQUIRE(votes.size() == 2);
  CHECK(votes.at(1) == crypto::Vote{{1}, {1}, executed.vote.digest});
  CHECK(votes.at(2) == crypto::Vote{{1}, {2}, committed.vote.digest});
  CHECK(bench.fetches<consensus::FetchBatch>().empty());  // batch and bodies were kept (N2)
  CHECK(bench.hits(Probe::new_view_committed_prepared) > 0);
  // And committed again: the others may need this COMMIT.
  for (const ValidatorIndex other : bench.others(2)) bench.prepare(other, votes.at(1));
  bench.persist_all();
  CHECK(bench.votes(MessageKind::commit).contains(1));
  CHECK(bench.effects<Commit>().empty());  // executed once
}

TEST_CASE("pbft 1.6 S3: STATUS says what is prepared in this view, not in an older one", "[pbft]") {
  // Who said "prepared" of an older view would get no PREPARE again that was lost in this one, and
  // a view whose quorum needs him would stand until it is left.
  ViewChangeBench bench(kBackup);
  const auto accepted = bench.accept(1);
  for (const ValidatorIndex other : bench.others(2)) bench.prepare(other, accepted.vote);
  bench.persist_all();
  REQUIRE(bench.votes(MessageKind::commit).contains(1));
  auto asked = bench.all_ask(ViewChangeBench::asks(1));
  asked[0].prepared = {bench.prepared(accepted.vote)};
  bench.enter(bench.new_view(1, asked));
  const auto progress = [&bench] {
    bench.forget_sent();
    for (int i = 0; i < 20; ++i) bench.tick(10);
    const auto said = bench.sent_now(MessageKind::status);
    REQUIRE_FALSE(said.empty());
    const auto status = decode<consensus::StatusBody>(said.back().body);
    REQUIRE(status.has_value());
    REQUIRE(status->view == View{1});
    return status->progress.at(0);
  };
  CHECK(progress() == consensus::Progress::accepted);
  const crypto::Vote again{{1}, {1}, accepted.vote.digest};
  for (const ValidatorIndex other : bench.others(2)) bench.prepare(other, again);
  bench.persist_all();
  CHECK(progress() == consensus::Progress::prepared);
}

TEST_CASE("pbft 1.5 N2: batch and bodies of an older view stay, and are served", "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  const auto accepted = bench.accept(1);
  bench.enter(1);  // O is empty: the proposal of view 0 is in nobody's P
  bench.enter(5);
  CHECK(bench.fetch(3, {4, consensus::FetchBatch{{1}, accepted.vote.digest}}) ==
        RejectReason::none);
  const auto batches = bench.replies<consensus::ReplyBatch>();
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].second.batch == accepted.batch);
  bench.pass(200, Heartbeat::heard);
  CHECK(bench.fetch(3, {5, consensus::FetchBodies{{1}, accepted.vote.digest}}) ==
        RejectReason::none);
  const auto bodies = bench.replies<consensus::ReplyBodies>();
  REQUIRE(bodies.size() == 1);
  CHECK(bodies[0].second.bodies == std::vector<Bytes>{*accepted.bodies[0]});
  // Also after a restart.
  bench.restart();
  CHECK(bench.fetch(3, {6, consensus::FetchBatch{{1}, accepted.vote.digest}}) ==
        RejectReason::none);
  CHECK(bench.replies<consensus::ReplyBatch>().size() == 1);
}

TEST_CASE("pbft 1.6 V8: fresh proposals start above maxs, and nothing fresh is taken below",
          "[pbft][paper]") {
  auto prepared = ViewChangeBench::asks(1);
  ViewChangeBench backup(kBackup);
  prepared.prepared = {backup.prepared(0, 3)};
  backup.enter(backup.new_view(1, backup.all_ask(prepared)));
  for (std::uint64_t height = 1; height <= 3; ++height) {
    CHECK(backup.propose(backup.proposal(height, 5, 1), 1) == RejectReason::not_wanted);
  }
  CHECK(backup.propose(backup.proposal(4, 5, 1), 1) == RejectReason::none);

  ViewChangeBench primary(kPrimaryOf1);
  prepared.prepared = {primary.prepared(0, 3)};
  primary.view_change(0, prepared);
  primary.view_change(3, prepared);
  primary.persist_all();
  REQUIRE(primary.status().is_leader);
  CHECK(primary.all_sent(MessageKind::pre_prepare).empty());  // O travels in no PRE-PREPARE
  CHECK(primary.votes(MessageKind::prepare).size() == 2);     // and the primary votes for it
  const SharedBytes body = transaction(1);
  REQUIRE(primary.engine().can_propose());
  REQUIRE(primary.step(ProposeInput{primary.wall(), {hash_of(*body)}, {body}}).accepted);
  primary.persist_all();
  const auto sent = primary.all_sent(MessageKind::pre_prepare);
  REQUIRE(sent.size() == 1);
  const auto proposal = primary.body_of<pbft::PrePrepare>(sent[0]);
  CHECK(proposal.vote.height == Height{4});
  CHECK(proposal.vote.view == View{1});
  const auto batch = decode<Batch>(proposal.batch);
  REQUIRE(batch.has_value());
  CHECK(batch->origin_view == View{1});
  CHECK(batch->proposer == kPrimaryOf1);
}

TEST_CASE("pbft 1.6 V8: the driver is told which transactions the view began with", "[pbft]") {
  ViewChangeBench bench(kBackup);
  const auto kept = bench.prepare_height(1);
  bench.accept(2);  // of view 0, in nobody's P: its transactions can be proposed again
  auto asked = bench.all_ask(ViewChangeBench::asks(1));
  asked[0].prepared = {bench.prepared(kept.vote)};
  REQUIRE(bench.relay(bench.new_view(1, asked)) == RejectReason::none);
  std::vector<ViewEntered> entered;
  while (!bench.pending().empty()) {
    bench.persist_one();
    for (const ViewEntered& one : bench.effects<ViewEntered>()) entered.push_back(one);
  }
  REQUIRE(entered.size() == 1);
  CHECK(entered[0].view == View{1});
  REQUIRE(entered[0].proposed.size() == 1);
  CHECK(entered[0].proposed[0] == hash_of(*kept.bodies[0]));
}

TEST_CASE("pbft 1.5 N9: votes for the next view that came early count when it is entered",
          "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  auto asked = bench.all_ask(ViewChangeBench::asks(1));
  asked[0].prepared = {bench.prepared(0, 2)};
  const crypto::Vote vote{{1}, {1}, null_at(1)};
  bench.prepare(0, vote);
  bench.prepare(1, vote);
  bench.commit(0, vote);
  bench.commit(1, vote);
  bench.enter(bench.new_view(1, asked));
  bench.persist_all();
  CHECK(bench.votes(MessageKind::commit).contains(1));
  const auto committed = bench.logged<pbft::Committed>(RecordType::committed);
  REQUIRE(committed.size() == 1);
  CHECK(committed[0].certificate.vote == vote);
}

TEST_CASE("pbft 1.5 N4: COMMITs of the view that was left do not count for the next",
          "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  const auto first = bench.accept(1);
  bench.commit(0, first.vote);
  bench.commit(1, first.vote);
  bench.prepare(0, first.vote);
  auto asked = bench.all_ask(ViewChangeBench::asks(1));
  asked[0].prepared = {bench.prepared(first.vote)};
  bench.enter(bench.new_view(1, asked));
  crypto::Vote again = first.vote;
  again.view = {1};
  CHECK(bench.commit(3, again) == RejectReason::none);
  CHECK(bench.effects<Commit>().empty());
  CHECK(bench.prepare(1, again) == RejectReason::none);
  CHECK(bench.pending_records(RecordType::prepared) == 0);  // the PREPARE of 0 was of view 0
  CHECK(bench.prepare(0, again) == RejectReason::none);
  CHECK(bench.pending_records(RecordType::prepared) == 1);
}

// ------------------------------------------------------------------ V10, S4

TEST_CASE("pbft 1.6 V10 S4: any replica gives NEW-VIEW to a peer that is not in the view",
          "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  const auto made = bench.new_view(1, bench.all_ask(ViewChangeBench::asks(1)));
  bench.enter(made);
  const auto given = [&](std::uint64_t view, bool active, std::uint64_t view_change) {
    bench.pass(200, Heartbeat::heard);
    bench.forget_sent();
    consensus::StatusBody status;
    status.view = {view};
    status.active = active;
    status.view_change = {view_change};
    REQUIRE(bench.say_status(3, status) == RejectReason::none);
    return bench.replies<consensus::ReplyNewView>();
  };
  for (const bool active : {false, true}) {
    const auto replies = given(0, active, active ? 0 : 1);
    REQUIRE(replies.size() == 1);
    CHECK(replies[0].first == 3);
    CHECK(replies[0].second.envelope == *made.message);
    REQUIRE(replies[0].second.view_changes.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(replies[0].second.view_changes[i] == *made.view_changes[i]);
    }
  }
  CHECK(given(1, true, 0).empty());
  CHECK(given(2, true, 0).empty());
  CHECK(bench.hits(Probe::new_view_relayed) == 2);
  // Also one that was started again, or has left the view meanwhile.
  bench.restart();
  CHECK(given(0, true, 0).size() == 1);
  bench.leave();
  CHECK(given(0, true, 0).size() == 1);
}

TEST_CASE("pbft 1.6 V10: what is relayed is enough to enter, whoever brings it", "[pbft][paper]") {
  ViewChangeBench bench(kBackup, 7);
  auto asked = bench.all_ask(ViewChangeBench::asks(1));
  asked[0].prepared = {bench.prepared(0, 2)};
  bench.enter(bench.new_view(1, asked));
  bench.forget_sent();
  consensus::StatusBody status;
  status.active = true;
  bench.say_status(6, status);
  const auto replies = bench.all_sent(MessageKind::reply);
  REQUIRE_FALSE(replies.empty());
  ViewChangeBench late(6, 7);
  for (const Envelope& reply : replies) {
    late.deliver(kBackup, std::make_shared<const Bytes>(encode(reply)));
  }
  late.persist_all();
  CHECK(late.status().view == View{1});
  CHECK(late.status().active);
  CHECK(late.votes(MessageKind::prepare).contains(1));
}

TEST_CASE("pbft 1.6 V10: it does not matter that the bearer's own VIEW-CHANGE is here already",
          "[pbft]") {
  // The bearer is one of the Q; what it said itself was heard, or it has gone on meanwhile.
  const std::uint64_t bearer_asked = GENERATE(1U, 2U);
  CAPTURE(bearer_asked);
  ViewChangeBench bench(kBackup);
  const auto made = bench.new_view(1, bench.all_ask(ViewChangeBench::asks(1)));
  CHECK(bench.view_change(3, ViewChangeBench::asks(bearer_asked)) == RejectReason::none);
  CHECK(bench.relay(made, 3) == RejectReason::none);
  bench.persist_all();
  CHECK(bench.status().view == View{1});
}

// ------------------------------------------------------------------ 1.7

TEST_CASE("pbft 1.7: a restart above view 0 knows view, O, votes and window again",
          "[pbft][recovery]") {
  const bool cut = GENERATE(false, true);
  // How many records after VIEW_ENTER reached the disk.
  const std::size_t survive = GENERATE(0U, 1U, 100U);
  CAPTURE(cut, survive);
  ViewChangeBench bench(kBackup);
  const Hash hash = bench.certify_height(1);
  const auto second = bench.prepare_height(2);
  auto asked = bench.all_ask(bench.asks_at(1, 1, hash));
  asked[0].prepared = {bench.prepared(second.vote), bench.prepared(0, 4)};
  const auto made = bench.new_view(1, asked);
  bench.enter(made);
  std::vector<LogRecord> log = bench.log();
  std::size_t enter = 0;
  while (log[enter].type != RecordType::view_enter) ++enter;
  log.resize(std::min(log.size(), enter + 1 + survive));
  if (cut) {
    bench.open(log, {1}, hash);
    CHECK(bench.step(FlushedInput{{1}}).accepted);
    REQUIRE(bench.effects<CutLog>().size() == 1);
    log = {bench.effects<CutLog>()[0].snapshot};
  }
  bench.forget_pending();
  bench.forget_sent();
  bench.open(log, {1}, hash);
  CHECK(bench.status().view == View{1});
  CHECK(bench.status().active);
  CHECK(bench.hits(Probe::restart_above_view_0) == 1);
  bench.persist_all();
  const auto votes = bench.votes(MessageKind::prepare);
  REQUIRE(votes.contains(2));
  REQUIRE(votes.contains(3));
  CHECK(votes.at(2) == crypto::Vote{{1}, {2}, second.vote.digest});
  CHECK(votes.at(3) == crypto::Vote{{1}, {3}, null_at(3)});
  bench.pass(150, Heartbeat::heard);
  const auto fetches = bench.fetches<consensus::FetchBatch>();
  REQUIRE_FALSE(fetches.empty());
  CHECK(fetches[0].second.height == Height{4});
  CHECK(bench.propose(bench.proposal(4, 9, 1), 1) == RejectReason::not_wanted);
  CHECK(bench.propose(bench.proposal(5, 9, 1), 1) == RejectReason::none);
  CHECK(bench.relay(made) != RejectReason::none);
}

TEST_CASE("pbft 1.7: a VIEW_ENTER that was not durable is not entered after a restart",
          "[pbft][recovery]") {
  ViewChangeBench bench(kPrimaryOf1);
  bench.leave();
  bench.view_change(0, ViewChangeBench::asks(1));
  bench.view_change(3, ViewChangeBench::asks(1));
  REQUIRE(bench.pending_records(RecordType::view_enter) == 1);
  bench.restart();
  CHECK(bench.status().view == View{0});
  CHECK_FALSE(bench.status().active);
  CHECK(bench.all_sent(MessageKind::new_view).empty());
  // It may open the view with other VIEW-CHANGEs now: nobody has seen the first NEW-VIEW.
  auto prepared = ViewChangeBench::asks(1);
  prepared.prepared = {bench.prepared(0, 1)};
  bench.view_change(0, prepared);
  bench.view_change(2, prepared);
  bench.persist_all();
  CHECK(bench.status().view == View{1});
  CHECK(bench.all_sent(MessageKind::new_view).size() == 1);
}

TEST_CASE("pbft 1.7: the NEW-VIEW of a primary is the same after a restart", "[pbft][recovery]") {
  ViewChangeBench bench(kPrimaryOf1);
  bench.leave();
  bench.view_change(0, ViewChangeBench::asks(1));
  bench.view_change(3, ViewChangeBench::asks(1));
  bench.persist_all();
  REQUIRE(bench.all_sent(MessageKind::new_view).size() == 1);
  const Bytes first = encode(bench.all_sent(MessageKind::new_view)[0]);
  bench.restart();
  CHECK(bench.status().is_leader);
  auto prepared = ViewChangeBench::asks(1);
  prepared.prepared = {bench.prepared(0, 1)};
  bench.view_change(0, prepared);
  bench.view_change(2, prepared);
  bench.persist_all();
  bench.pass(500);
  for (const Envelope& sent : bench.all_sent(MessageKind::new_view)) CHECK(encode(sent) == first);
  consensus::StatusBody behind;
  behind.active = true;
  bench.forget_sent();
  bench.say_status(3, behind);
  REQUIRE(bench.replies<consensus::ReplyNewView>().size() == 1);
  CHECK(bench.replies<consensus::ReplyNewView>()[0].second.envelope == first);
}

}  // namespace baolian::consensus::testing
