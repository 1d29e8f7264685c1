/// The rules of Raft one by one (consensus.md 3), each with what must be done and what must not.
#include "consensus/raft_bench.h"
#include "consensus/records.h"

namespace baolian::consensus::testing {
namespace {

using raft::Entry;

bool refused_all(const RaftBench& bench) { return bench.votes_granted() == 0; }

}  // namespace

// ------------------------------------------------------------------ R1

TEST_CASE("raft R1: a vote leaves when it is durable, and stands after a restart",
          "[raft][paper]") {
  RaftBench bench;
  REQUIRE(bench.ask_vote(0, RaftBench::candidate(1)) == RejectReason::none);
  CHECK(bench.votes_granted() == 0);
  REQUIRE(bench.pending_records(RecordType::raft_term) >= 1);
  bench.persist_all();
  CHECK(bench.votes_granted() == 1);
  CHECK(bench.status().voted_view == View{1});
  bench.restart();
  bench.forget_sent();
  CHECK(bench.status().view == View{1});
  bench.ask_vote(2, RaftBench::candidate(1));
  bench.persist_all();
  CHECK(refused_all(bench));
  bench.ask_vote(0, RaftBench::candidate(1));
  bench.persist_all();
  CHECK(bench.votes_granted() == 1);  // the same vote again is no second one
}

TEST_CASE("raft R1: the term that a reply names is durable before it leaves", "[raft][paper]") {
  RaftBench bench;
  auto short_log = RaftBench::candidate(7);
  REQUIRE(bench.append(0, 3, {}, {}) == RejectReason::none);
  CHECK(bench.replies().empty());
  CHECK(bench.status().view == View{0});
  bench.persist_all();
  CHECK(bench.status().view == View{3});
  REQUIRE(bench.replies().size() == 1);
  CHECK(bench.replies()[0].term == View{3});
}

TEST_CASE("raft R1: an entry is acknowledged when batch and bodies are durable", "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {});
  bench.forget_sent();
  const Entry first = bench.entry(1, 1);
  REQUIRE(bench.append(0, 1, {}, {first}) == RejectReason::none);
  REQUIRE(bench.effects<NeedBodies>().size() == 1);
  CHECK(bench.effects<NeedBodies>()[0].inline_bodies.size() == 1);
  CHECK(bench.pending_records(RecordType::raft_entry) == 0);
  bench.give({first});
  REQUIRE(bench.pending_records(RecordType::raft_entry) == 1);
  for (const auto& reply : bench.replies()) CHECK(reply.index == Height{0});
  bench.persist_all();
  REQUIRE_FALSE(bench.replies().empty());
  CHECK(bench.replies().back().matches);
  CHECK(bench.replies().back().index == Height{1});
  const auto record = decode<Entry>(*bench.log().back().body);
  REQUIRE(record.has_value());
  CHECK(record->bodies == first.bodies);
  CHECK(record->batch == first.batch);
}

TEST_CASE("raft R1: entries are written in index order, whichever bodies come first",
          "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {});
  const std::vector<Entry> entries = {bench.entry(1, 1), bench.entry(2, 1), bench.entry(3, 1)};
  REQUIRE(bench.append(0, 1, {}, entries) == RejectReason::none);
  bench.give({entries[2]});
  bench.give({entries[1]});
  CHECK(bench.pending_records(RecordType::raft_entry) == 0);
  bench.give({entries[0]});
  CHECK(bench.pending_records(RecordType::raft_entry) == 3);
  bench.persist_all();
  CHECK(bench.replies().back().index == Height{3});
  std::uint64_t expected = 1;
  for (const LogRecord& record : bench.log()) {
    if (record.type != RecordType::raft_entry) continue;
    CHECK(decode<Entry>(*record.body)->vote.height == Height{expected++});
  }
}

TEST_CASE("raft R1: the leader counts itself when its entry is durable", "[raft][paper]") {
  RaftBench bench;
  const std::uint64_t term = bench.lead_ready();
  bench.forget_sent();
  bench.propose();
  const std::uint64_t index = bench.appends().back().entries.back().vote.height.value;
  CHECK(bench.ack(0, term, index, bench.newest_request()) == RejectReason::none);
  bench.pass(100);
  for (const auto& one : bench.appends()) CHECK(one.commit < Height{index});
  bench.persist_all();
  bench.pass(100);
  CHECK(bench.appends().back().commit == Height{index});
  CHECK(bench.executing_heights().back() == index);
}

TEST_CASE("raft R1: an entry is executed only when it is durable here", "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {});
  const Entry first = bench.entry(1, 1);
  REQUIRE(bench.append(0, 1, {}, {first}, 1) == RejectReason::none);
  bench.give({first});
  CHECK(bench.executing().empty());
  bench.persist_all();
  CHECK(bench.executing_heights() == std::vector<std::uint64_t>{1});
}

TEST_CASE("raft R1: after a restart what was signed with EXEC is executed again, nothing else is",
          "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {bench.entry(1, 1), bench.entry(2, 1), bench.entry(3, 1)}, 2);
  bench.apply(1, bench.executing()[0].digest);
  bench.persist_all();
  REQUIRE(bench.executing_heights() == std::vector<std::uint64_t>{1, 2});
  RaftBench again;
  again.open(bench.log(), {0}, again.genesis());
  CHECK(again.executing_heights() == std::vector<std::uint64_t>{1});
  // The leader says that the rest is committed too.
  REQUIRE(again.append(0, 1, {3, 1}, {}, 3) == RejectReason::none);
  CHECK(again.executing_heights() == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("raft R1: a log that ends below the store begins anew at the store's height",
          "[raft][paper]") {
  RaftBench bench;
  bench.open({}, {5}, bench.genesis());
  REQUIRE(bench.append(0, 1, {6, 1}, {}) == RejectReason::none);
  bench.persist_all();
  CHECK_FALSE(bench.replies().back().matches);
  CHECK(bench.replies().back().index == Height{6});
  const Entry next = bench.entry(6, 1);
  bench.follow(0, 1, {5, 1}, {next});
  CHECK(bench.replies().back().matches);
  CHECK(bench.replies().back().index == Height{6});
  // What it executed is committed: whoever lacks it cannot lead.
  bench.forget_sent();
  bench.pass(2000);
  bench.ask_vote(2, RaftBench::candidate(9, 4, 8));
  bench.persist_all();
  CHECK(refused_all(bench));
}

// ------------------------------------------------------------------ R2

TEST_CASE("raft R2: stepping down in a term gives no second vote in it", "[raft][paper]") {
  RaftBench bench;
  REQUIRE(bench.ask_vote(0, RaftBench::candidate(1)) == RejectReason::none);
  bench.persist_all();
  CHECK(bench.stand() == 2);  // a pre-candidate, and back when it hears of a leader of its term
  REQUIRE(bench.append(0, 1, {}, {}) == RejectReason::none);
  bench.pass(1000);
  bench.forget_sent();
  bench.ask_vote(2, RaftBench::candidate(1));
  bench.persist_all();
  CHECK(refused_all(bench));
}

TEST_CASE("raft R2: a leader that stepped down votes for nobody else in its term",
          "[raft][paper]") {
  RaftBench bench;
  const std::uint64_t term = bench.lead();
  bench.persist_all();
  bench.pass(500);  // nobody answers: CheckQuorum
  REQUIRE_FALSE(bench.status().is_leader);
  bench.forget_sent();
  bench.ask_vote(2, RaftBench::candidate(term, 9, term));
  bench.persist_all();
  CHECK(refused_all(bench));
}

TEST_CASE("raft R2: who knows the leader of a term votes for nobody in it", "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 4, {}, {});
  bench.forget_sent();
  auto request = RaftBench::candidate(4, 9, 4);
  request.transfer = true;
  bench.ask_vote(2, request);
  bench.persist_all();
  CHECK(refused_all(bench));
}

TEST_CASE("raft R2: a candidate whose certified height is lower is refused", "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {bench.entry(1, 1)}, 1);
  const Hash hash = bench.apply(1, bench.executing()[0].digest);
  bench.persist_all();
  REQUIRE(bench.exec(0, 1, hash) == RejectReason::none);
  bench.persist_all();
  REQUIRE(bench.status().certified == Height{1});
  bench.pass(1000);
  bench.forget_sent();
  auto request = RaftBench::candidate(5, 7, 4);
  bench.ask_vote(2, request);
  bench.persist_all();
  CHECK(refused_all(bench));
  request.term = {6};
  request.certified = {1};
  bench.ask_vote(2, request);
  bench.persist_all();
  CHECK(bench.votes_granted() == 1);
}

TEST_CASE("raft R2: a higher certified height must come with its certificate", "[raft][paper]") {
  RaftBench bench;
  auto request = RaftBench::candidate(1, 3, 1);
  request.certified = {3};
  CHECK(bench.ask_vote(0, request) == RejectReason::bad_content);
  request.checkpoint = exec_certificate(bench.epoch(), {2}, Hash{}, {0, 2});
  CHECK(bench.ask_vote(0, request) == RejectReason::bad_content);
  request.checkpoint = exec_certificate(bench.epoch(), {3}, Hash{}, {0});
  CHECK(bench.ask_vote(0, request) == RejectReason::bad_certificate);
  CHECK(bench.effects<BanPeer>().size() == 1);
  request.checkpoint = exec_certificate(bench.epoch(), {3}, Hash{}, {0, 2});
  request.checkpoint->signatures[1].signature.bytes[3] ^= 1;
  CHECK(bench.ask_vote(0, request) == RejectReason::bad_certificate);
  CHECK(bench.status().view == View{0});
  request.checkpoint = exec_certificate(bench.epoch(), {3}, Hash{}, {0, 2});
  CHECK(bench.ask_vote(0, request) == RejectReason::none);
  bench.persist_all();
  CHECK(bench.votes_granted() == 1);
}

TEST_CASE("raft 5.4.1: a candidate with an older or shorter log is refused", "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 2, {}, {bench.null_entry(1, 1, 2), bench.entry(2, 2), bench.entry(3, 2)});
  bench.pass(1000);
  bench.forget_sent();
  std::uint64_t term = 10;
  for (const auto& [index, last_term] : {std::pair{9U, 1U}, std::pair{2U, 2U}, std::pair{0U, 0U}}) {
    bench.ask_vote(2, RaftBench::candidate(term++, index, last_term));
    bench.persist_all();
    CHECK(refused_all(bench));
  }
  bench.ask_vote(2, RaftBench::candidate(term, 3, 2));
  bench.persist_all();
  CHECK(bench.votes_granted() == 1);
}

namespace {

/// A certified block of another digest than the follower's entry at its height, as a REPLY brings
/// it.
RejectReason give_block(RaftBench& bench, const Entry& entry) {
  // The bench is behind: it asks for blocks.
  const Bytes header = bench.header_of(entry.vote.height.value, entry.vote.digest);
  SyncBlock block;
  block.header = header;
  block.batch = entry.batch;
  block.bodies = entry.bodies;
  block.certificate =
      exec_certificate(bench.epoch(), entry.vote.height, header_hash_of(header), {0, 2});
  StatusBody ahead;
  ahead.certified = ahead.executed = entry.vote.height;
  ahead.active = true;
  REQUIRE(bench.say_status(2, ahead) == RejectReason::none);
  bench.forget_sent();
  bench.pass(100);
  const auto fetches = bench.said<Fetch>(MessageKind::fetch);
  REQUIRE(fetches.size() == 1);
  Reply reply;
  reply.request = fetches[0].request;
  reply.what = ReplyBlocks{{encode(block)}};
  const RejectReason out = bench.reply(2, reply);
  bench.give({entry});
  return out;
}

}  // namespace

TEST_CASE("raft R2: a certified block that differs from the own entry drops it and all above",
          "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {bench.entry(1, 1), bench.entry(2, 1), bench.entry(3, 1)});
  const Entry other = bench.entry(1, 2, 2);
  CHECK(give_block(bench, other) == RejectReason::none);
  CHECK(bench.engine().probes()[Probe::entries_truncated] == 1);
  CHECK(bench.executing().empty());  // R1: the block is not durable yet
  bench.persist_all();
  REQUIRE(bench.executing().size() == 1);
  CHECK(bench.executing()[0].digest == other.vote.digest);
  // Entries 2 and 3 are gone.
  bench.forget_sent();
  REQUIRE(bench.append(2, 2, {3, 1}, {}) == RejectReason::none);
  bench.persist_all();
  CHECK_FALSE(bench.replies().back().matches);
  CHECK(bench.replies().back().index == Height{2});
  // So they are after a restart.
  RaftBench again;
  again.open(bench.log(), {0}, again.genesis());
  again.append(2, 2, {1, 2}, {again.null_entry(2, 2, 2)}, 2);
  again.persist_all();
  CHECK(again.status().certified == Height{1});
  REQUIRE(again.executing().size() == 2);
  CHECK(again.executing()[0].digest == other.vote.digest);
  CHECK(again.executing()[1].batch == nullptr);
}

TEST_CASE("raft R2: a block that is on its way to the disk and the leader's entries go together",
          "[raft][paper]") {
  RaftBench bench;
  const Entry first = bench.entry(1, 2, 2);
  const Entry second = bench.entry(2, 2, 2);
  REQUIRE(give_block(bench, first) == RejectReason::none);
  REQUIRE(bench.pending_records(RecordType::block) == 1);
  REQUIRE(bench.append(2, 2, {}, {first, second}, 2) == RejectReason::none);
  bench.give({second});
  bench.persist_all();
  CHECK(bench.executing_heights() == std::vector<std::uint64_t>{1, 2});
  CHECK(bench.replies().back().index == Height{2});
  RaftBench again;
  again.open(bench.log(), {0}, again.genesis());
  again.append(2, 2, {2, 2}, {}, 2);
  again.persist_all();
  CHECK(again.executing_heights() == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("raft R2: below the certified height the certificate matches, whatever the own log says",
          "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {bench.entry(1, 1), bench.entry(2, 1)});
  const auto certificate = exec_certificate(bench.epoch(), {4}, Hash{}, {0, 2});
  REQUIRE(bench.reply(2, Reply{0, ReplyCertificate{{}, certificate}}) == RejectReason::none);
  bench.persist_all();
  REQUIRE(bench.status().certified == Height{4});
  // A leader of a later term continues above it; the own entries 1 and 2 are not proven by that.
  bench.follow(2, 3, {4, 2}, {bench.null_entry(5, 3, 2)}, 5);
  CHECK(bench.replies().back().matches);
  CHECK(bench.replies().back().index == Height{5});
  CHECK(bench.executing().empty());
}

// ------------------------------------------------------------------ R3

TEST_CASE("raft R3: a mismatch before the entries is refused", "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 2, {}, {bench.null_entry(1, 1, 2), bench.entry(2, 2)});
  bench.forget_sent();
  REQUIRE(bench.append(0, 2, {5, 2}, {bench.entry(6, 2)}) == RejectReason::none);
  REQUIRE(bench.append(2, 3, {2, 1}, {bench.entry(3, 3, 2)}) == RejectReason::none);
  CHECK(bench.pending_records(RecordType::raft_entry) == 0);
  bench.persist_all();
  REQUIRE(bench.replies().size() == 2);
  for (const auto& reply : bench.replies()) CHECK_FALSE(reply.matches);
}

TEST_CASE("raft R3: nothing is dropped because a message is shorter than the log",
          "[raft][paper]") {
  RaftBench bench;
  const std::vector<Entry> entries = {bench.entry(1, 1), bench.entry(2, 1), bench.entry(3, 1)};
  bench.follow(0, 1, {}, entries);
  REQUIRE(bench.append(0, 1, {1, 1}, {}) == RejectReason::none);
  REQUIRE(bench.append(0, 1, {1, 1}, {entries[1]}) == RejectReason::none);
  REQUIRE(bench.append(0, 1, {}, {}) == RejectReason::none);
  bench.forget_sent();
  REQUIRE(bench.append(0, 1, {3, 1}, {}) == RejectReason::none);
  REQUIRE(bench.replies().size() == 1);
  CHECK(bench.replies()[0].matches);
  CHECK(bench.replies()[0].index == Height{3});
  CHECK(bench.engine().probes()[Probe::entries_truncated] == 0);
}

TEST_CASE("raft R3: the log is cut at the first entry of another term, also after a restart",
          "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {},
               {bench.entry(1, 1), bench.entry(2, 1), bench.entry(3, 1), bench.entry(4, 1)});
  bench.follow(2, 2, {1, 1}, {bench.entry(2, 2, 2)});
  CHECK(bench.engine().probes()[Probe::entries_truncated] == 1);
  CHECK(bench.replies().back().index == Height{2});
  const bool restarts = GENERATE(false, true);
  if (restarts) bench.restart();
  bench.forget_sent();
  REQUIRE(bench.append(2, 2, {3, 1}, {}) == RejectReason::none);
  CHECK_FALSE(bench.replies().back().matches);
  CHECK(bench.replies().back().index == Height{3});
  REQUIRE(bench.append(2, 2, {2, 2}, {}, 2) == RejectReason::none);
  CHECK(bench.replies().back().matches);
  REQUIRE(bench.executing().size() == 2);
  CHECK(bench.executing()[1].digest == bench.entry(2, 2, 2).vote.digest);
}

TEST_CASE("raft R3: the acknowledgement names what the leader sent, never the own last index",
          "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {bench.entry(1, 1), bench.entry(2, 1), bench.entry(3, 1)});
  bench.forget_sent();
  REQUIRE(bench.append(2, 2, {1, 1}, {}) == RejectReason::none);
  bench.persist_all();
  REQUIRE_FALSE(bench.replies().empty());
  for (const auto& reply : bench.replies()) CHECK(reply.index == Height{1});
}

TEST_CASE("raft R3: committed is what the leader committed and this log shares", "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {bench.entry(1, 1), bench.entry(2, 1), bench.entry(3, 1)});
  bench.follow(2, 2, {1, 1}, {}, 3);  // 2 and 3 may be others there
  CHECK(bench.executing_heights() == std::vector<std::uint64_t>{1});
  bench.follow(2, 2, {3, 1}, {}, 2);
  CHECK(bench.executing_heights() == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("raft R3: a leader that wants a committed entry away stops this replica",
          "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {bench.entry(1, 1), bench.entry(2, 1)}, 2);
  CHECK(bench.append(2, 2, {1, 1}, {bench.entry(2, 2, 2)}) == RejectReason::stopped);
  REQUIRE(bench.effects<Stop>().size() == 1);
  CHECK(bench.effects<Stop>()[0].kind == Stop::Kind::halt);
}

TEST_CASE("raft R3: another term before a committed entry is refused, not taken for certified",
          "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {bench.entry(1, 1), bench.entry(2, 1)}, 2);
  bench.forget_sent();
  REQUIRE(bench.append(2, 3, {2, 2}, {bench.null_entry(3, 3, 2)}) == RejectReason::none);
  bench.persist_all();
  REQUIRE(bench.replies().size() == 1);
  CHECK_FALSE(bench.replies()[0].matches);
}

// ------------------------------------------------------------------ R4

TEST_CASE("raft R4: entries of older terms are committed by one of the own term only",
          "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {bench.entry(1, 1), bench.entry(2, 1)});
  const std::uint64_t term = bench.lead();
  bench.persist_all();
  const std::uint64_t request = bench.newest_request();
  CHECK(bench.ack(0, term, 2, request) == RejectReason::none);
  CHECK(bench.executing().empty());
  CHECK_FALSE(bench.engine().can_propose());
  CHECK(bench.ack(0, term, 3, request) == RejectReason::none);
  CHECK(bench.executing_heights() == std::vector<std::uint64_t>{1, 2, 3});
  CHECK(bench.executing()[2].batch == nullptr);
  CHECK(bench.engine().can_propose());
}

TEST_CASE("raft R4: a term begins with an empty entry; what the log holds is not proposed again",
          "[raft][paper]") {
  RaftBench bench;
  const Entry held = bench.entry(1, 1);
  bench.follow(0, 1, {}, {held});
  const std::uint64_t term = bench.stand();
  bench.vote(0, term, true);
  bench.persist_all();
  REQUIRE(bench.vote(2, term) == RejectReason::none);
  const auto entered = bench.effects<ViewEntered>();
  REQUIRE(entered.size() == 1);
  CHECK(entered[0].view == View{term});
  CHECK(entered[0].proposed == std::vector<TxHash>{hash_of(held.bodies[0])});
  REQUIRE(bench.pending_records(RecordType::raft_entry) == 1);
  const auto appends = bench.appends();
  REQUIRE_FALSE(appends.empty());
  CHECK(appends[0].entries.at(0).vote ==
        crypto::Vote{{term}, {2}, null_digest(test_chain(), {0}, {2})});
  CHECK(appends[0].prev_index == Height{1});
  CHECK(appends[0].prev_term == View{1});
}

// ------------------------------------------------------------------ R5

TEST_CASE("raft R5: a refusal names the conflicting term and its first index", "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 3, {},
               {bench.null_entry(1, 1, 2), bench.null_entry(2, 2, 2), bench.null_entry(3, 2, 2),
                bench.null_entry(4, 2, 2), bench.entry(5, 3)});
  bench.forget_sent();
  REQUIRE(bench.append(2, 4, {4, 3}, {}) == RejectReason::none);
  bench.persist_all();
  REQUIRE(bench.replies().size() == 1);
  CHECK(bench.replies()[0].request == bench.request());
  CHECK(bench.replies()[0].conflict_term == View{2});
  CHECK(bench.replies()[0].index == Height{2});
}

TEST_CASE("raft R5: a refusal sets the leader back, an old one does not, nothing below match does",
          "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {bench.entry(1, 1), bench.entry(2, 1), bench.entry(3, 1)});
  const std::uint64_t term = bench.lead();
  bench.persist_all();
  const std::uint64_t first = bench.newest_request();
  CHECK(bench.appends().back().prev_index == Height{3});
  bench.forget_sent();
  CHECK(bench.refuse(2, term, 2, first) == RejectReason::none);
  REQUIRE(bench.appends().size() == 1);
  CHECK(bench.appends()[0].prev_index == Height{1});
  CHECK(bench.appends()[0].entries.size() == 1);
  const std::uint64_t second = bench.newest_request();
  CHECK(bench.ack(2, term, 2, second) == RejectReason::none);
  CHECK(bench.appends().back().prev_index == Height{2});
  bench.forget_sent();
  CHECK(bench.refuse(2, term, 1, first) == RejectReason::stale_view);
  CHECK(bench.refuse(2, term, 1, second) == RejectReason::stale_view);
  bench.pass(400);
  for (const auto& one : bench.appends()) CHECK(one.prev_index >= Height{0});
  for (const Send& send : bench.all_sends()) {
    const auto envelope = decode<Envelope>(*send.bytes);
    if (envelope->kind != MessageKind::append_entries || send.to != ReplicaId{2}) continue;
    CHECK(decode<raft::AppendEntries>(envelope->body)->prev_index >= Height{2});
  }
}

TEST_CASE("raft R5: a refusal that leads nowhere is not answered at once", "[raft][paper]") {
  RaftBench first;
  first.follow(0, 1, {}, {first.entry(1, 1), first.entry(2, 1)}, 1);
  const Hash hash = first.apply(1, first.executing()[0].digest);
  first.persist_all();
  REQUIRE(first.exec(0, 1, hash) == RejectReason::none);
  first.persist_all();
  REQUIRE(first.step(FlushedInput{{1}}).accepted);
  const LogRecord snapshot = first.effects<CutLog>().at(0).snapshot;

  RaftBench bench;  // which term entry 1 had is not in its log any more
  bench.open({snapshot}, {1}, hash);
  const std::uint64_t term = bench.lead();
  bench.persist_all();
  bench.refuse(2, term, 2, bench.newest_request());
  REQUIRE(bench.appends().back().prev_index == Height{1});
  REQUIRE(bench.appends().back().prev_term == View{0});
  bench.forget_sent();
  bench.refuse(2, term, 1, UINT64_MAX, 1);  // it has entry 1, of term 1, and no certificate
  CHECK(bench.appends().empty());
  bench.pass(100);
  bool asks_again = false;
  for (const auto& one : bench.appends()) {
    asks_again = asks_again || (one.prev_index == Height{1} && one.entries.size() == 1);
  }
  CHECK(asks_again);
}

// ------------------------------------------------------------------ R6

TEST_CASE("raft R6: a replica in contact with a leader gives no vote but for a transfer",
          "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {});
  bench.forget_sent();
  bench.tick(100);
  auto request = RaftBench::candidate(5);
  CHECK(bench.ask_vote(2, request) == RejectReason::not_wanted);
  request.pre_vote = true;
  CHECK(bench.ask_vote(2, request) == RejectReason::not_wanted);
  CHECK(bench.engine().probes()[Probe::pre_vote_refused] == 1);
  bench.persist_all();
  CHECK(bench.votes().empty());
  CHECK(bench.status().view == View{1});
  request.pre_vote = false;
  request.transfer = true;
  CHECK(bench.ask_vote(2, request) == RejectReason::none);
  bench.persist_all();
  CHECK(bench.votes_granted() == 1);
}

TEST_CASE("raft R6: a pre-vote changes nothing, on neither side", "[raft][paper]") {
  RaftBench bench;
  auto request = RaftBench::candidate(9);
  request.pre_vote = true;
  CHECK(bench.ask_vote(0, request) == RejectReason::none);
  REQUIRE(bench.votes().size() == 1);
  CHECK(bench.votes()[0].granted);
  CHECK(bench.votes()[0].term == View{9});
  CHECK(bench.pending().empty());
  CHECK(bench.status().view == View{0});
  CHECK(bench.stand() == 1);
  bench.pass(5000);
  for (const auto& asked : bench.said<raft::RequestVote>(MessageKind::request_vote)) {
    CHECK(asked.pre_vote);
    CHECK(asked.term == View{1});
  }
  CHECK(bench.pending().empty());
}

TEST_CASE("raft R6: messages of a lower term are answered with the own term", "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 5, {}, {});
  bench.forget_sent();
  CHECK(bench.append(2, 3, {}, {}) == RejectReason::stale_view);
  REQUIRE(bench.replies().size() == 1);
  CHECK(bench.replies()[0].term == View{5});
  CHECK_FALSE(bench.replies()[0].matches);
  auto request = RaftBench::candidate(4);
  CHECK(bench.ask_vote(2, request) == RejectReason::stale_view);
  request.pre_vote = true;
  CHECK(bench.ask_vote(2, request) == RejectReason::stale_view);
  REQUIRE(bench.votes().size() == 2);
  for (const auto& vote : bench.votes()) CHECK(vote.term == View{5});
  CHECK(refused_all(bench));
}

TEST_CASE("raft R6: a leader that hears of a higher term follows it", "[raft][paper]") {
  RaftBench bench;
  const std::uint64_t term = bench.lead_ready();
  bench.forget_sent();
  CHECK(bench.refuse(2, term + 4, 0, 0) == RejectReason::none);
  CHECK_FALSE(bench.status().is_leader);
  bench.persist_all();
  CHECK(bench.status().view == View{term + 4});
}

TEST_CASE("raft R6: a leader without answers of a majority stops leading", "[raft][paper]") {
  RaftBench bench;
  const std::uint64_t term = bench.lead_ready();
  for (int i = 0; i < 20; ++i) {
    bench.pass(50);
    bench.ack(2, term, 0, 0);
  }
  CHECK(bench.status().is_leader);
  bench.pass(250);
  CHECK(bench.status().is_leader);
  bench.pass(100);
  CHECK_FALSE(bench.status().is_leader);
  CHECK(bench.status().view == View{term});
  CHECK(bench.engine().probes()[Probe::leader_stepped_down] == 1);
}

TEST_CASE("raft R6: election timeouts are random within their bounds, by the seed",
          "[raft][paper]") {
  std::vector<std::uint64_t> waits;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (int run = 0; run < 2; ++run) {
      RaftBench bench;
      bench.config().seed = seed;
      bench.open({}, {0}, bench.genesis());
      bench.forget_sent();
      std::uint64_t waited = 0;
      for (; bench.all_sent(MessageKind::request_vote).empty(); ++waited) bench.tick(1);
      CHECK(waited >= 300);
      CHECK(waited <= 600);
      if (run == 1) CHECK(waits.back() == waited);
      waits.push_back(waited);
    }
  }
  std::sort(waits.begin(), waits.end());
  CHECK(waits.back() - waits.front() > 150);
}

TEST_CASE("raft R6: a gap between ticks is nobody's fault", "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {});
  bench.forget_sent();
  for (int i = 0; i < 10; ++i) bench.tick(5000);
  CHECK(bench.all_sent(MessageKind::request_vote).empty());
  CHECK(bench.engine().probes()[Probe::timers_shifted] == 10);
}

// ------------------------------------------------------------------ R7

TEST_CASE("raft R7: the target is told when it has everything; nothing is proposed meanwhile",
          "[raft][paper]") {
  RaftBench bench;
  const std::uint64_t term = bench.lead_ready();
  bench.propose();
  bench.persist_all();
  bench.forget_sent();
  CHECK(bench.step(TransferLeadershipInput{1}).reason == RejectReason::not_wanted);
  CHECK(bench.step(TransferLeadershipInput{3}).reason == RejectReason::not_member);
  REQUIRE(bench.step(TransferLeadershipInput{0}).accepted);
  CHECK_FALSE(bench.engine().can_propose());
  CHECK(bench.all_sent(MessageKind::timeout_now).empty());
  CHECK(bench.ack(0, term, 2, bench.newest_request()) == RejectReason::none);
  REQUIRE(bench.all_sent(MessageKind::timeout_now).size() == 1);
  CHECK(bench.all_sends().back().to == ReplicaId{0});
  // It does not come: after one election timeout this leader goes on.
  for (int i = 0; i < 7; ++i) {
    bench.pass(50);
    bench.ack(0, term, 2, 0);
  }
  CHECK(bench.engine().can_propose());
}

TEST_CASE("raft R7: only the leader of the term can order an election", "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 2, {}, {bench.entry(1, 2)});
  bench.forget_sent();
  const auto order = [&](ReplicaId from, std::uint64_t term) {
    return bench.say(from, MessageKind::timeout_now, encode(raft::TimeoutNow{{term}}));
  };
  CHECK(order(2, 2) == RejectReason::not_primary);
  CHECK(order(0, 1) == RejectReason::stale_view);
  CHECK(order(0, 3) == RejectReason::not_primary);
  CHECK(order(0, 2) == RejectReason::none);
  CHECK(bench.all_sent(MessageKind::request_vote).empty());  // R1: the own vote first
  bench.persist_all();
  const auto asked = bench.said<raft::RequestVote>(MessageKind::request_vote);
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].transfer);
  CHECK_FALSE(asked[0].pre_vote);
  CHECK(asked[0].term == View{3});
  CHECK(asked[0].last_index == Height{1});
  CHECK(asked[0].last_term == View{2});
}

// ------------------------------------------------------------------ R8, R9, R10

TEST_CASE("raft R8: a client is acknowledged by a majority of EXECs, not by a commit",
          "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {bench.entry(1, 1)}, 1);
  const Hash hash = bench.apply(1, bench.executing()[0].digest);
  CHECK(bench.all_sent(MessageKind::exec).empty());
  bench.persist_all();
  CHECK(bench.all_sent(MessageKind::exec).size() == 1);
  CHECK(bench.status().certified == Height{0});
  REQUIRE(bench.exec(2, 1, hash) == RejectReason::none);
  bench.persist_one();
  REQUIRE(bench.effects<Certified>().size() == 1);
  CHECK(bench.effects<Certified>()[0].certificate.signatures.size() == 2);
}

TEST_CASE("raft R9: an observer neither votes, nor acknowledges, nor is believed",
          "[raft][paper]") {
  RaftBench bench(kObserver);
  CHECK(bench.append(0, 1, {}, {bench.entry(1, 1)}) == RejectReason::not_wanted);
  CHECK(bench.ask_vote(0, RaftBench::candidate(1)) == RejectReason::not_wanted);
  bench.pass(3000);
  CHECK(bench.all_sent(MessageKind::request_vote).empty());
  CHECK(bench.pending().empty());
  for (const MessageKind kind :
       {MessageKind::request_vote, MessageKind::vote_reply, MessageKind::append_entries,
        MessageKind::append_reply, MessageKind::timeout_now}) {
    const auto verified =
        verify_envelope(3, unsigned_message(bench.epoch(), kind, kObserver, Bytes(20, 0)),
                        test_chain(), bench.epoch(), crypto::toy_verifier());
    CHECK_FALSE(verified.has_value());
  }
}

TEST_CASE("raft R10: nothing above the window is executed or signed, and it is when h moves",
          "[raft][paper]") {
  RaftBench bench(1, 3, 2);
  std::vector<Entry> entries;
  for (std::uint64_t n = 1; n <= 5; ++n) entries.push_back(bench.entry(n, 1));
  bench.follow(0, 1, {}, entries, 5);
  CHECK(bench.replies().back().index == Height{5});
  CHECK(bench.executing_heights() == std::vector<std::uint64_t>{1, 2});
  const Hash hash = bench.apply(1, entries[0].vote.digest);
  bench.persist_all();
  REQUIRE(bench.exec(2, 1, hash) == RejectReason::none);
  bench.persist_all();
  REQUIRE(bench.status().certified == Height{1});
  CHECK(bench.executing_heights() == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("raft R10: a leader proposes up to the window above what is certified and executed",
          "[raft][paper]") {
  RaftBench bench(1, 3, 4);
  const std::uint64_t term = bench.lead_ready();
  std::size_t count = 0;
  for (; bench.engine().can_propose(); ++count) {
    bench.propose();
    bench.persist_all();
    bench.ack(0, term, count + 2, bench.newest_request());
  }
  CHECK(count == 3);  // heights 2, 3, 4 after the empty entry
}

// ------------------------------------------------------------------ R11, 1.7

TEST_CASE("raft R11: term, vote and entries stand in the snapshot with which the log is cut",
          "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {bench.entry(1, 1), bench.entry(2, 1), bench.entry(3, 1)}, 1);
  const Hash hash = bench.apply(1, bench.executing()[0].digest);
  bench.persist_all();
  REQUIRE(bench.exec(0, 1, hash) == RejectReason::none);
  bench.persist_all();
  bench.follow(2, 2, {2, 1}, {bench.null_entry(3, 2, 2), bench.entry(4, 2, 2)});
  bench.pass(1000);
  auto request = RaftBench::candidate(3, 9, 2);
  request.certified = {1};
  REQUIRE(bench.ask_vote(0, request) == RejectReason::none);
  bench.persist_all();
  REQUIRE(bench.step(FlushedInput{{1}}).accepted);
  const auto cuts = bench.effects<CutLog>();
  REQUIRE(cuts.size() == 1);

  RaftBench again;
  again.open({cuts[0].snapshot}, {1}, hash);
  CHECK(again.status().view == View{3});
  CHECK(again.status().certified == Height{1});
  request.certified = {1};
  again.ask_vote(2, request);
  again.persist_all();
  CHECK(refused_all(again));
  // The entry that was cut off does not come back, nor what stood above it.
  REQUIRE(again.append(0, 3, {4, 2}, {}, 4) == RejectReason::none);
  again.persist_all();
  CHECK(again.replies().back().matches);
  CHECK(again.replies().back().index == Height{4});
  CHECK(again.executing_heights() == std::vector<std::uint64_t>{2, 3, 4});
  CHECK(again.executing()[1].batch == nullptr);
}

TEST_CASE("raft 1.7: an own entry of a term that the log does not know means a rolled back log",
          "[raft][paper]") {
  RaftBench bench;
  CHECK(bench.append(0, 5, {}, {bench.null_entry(1, 4, 1)}) == RejectReason::stopped);
  REQUIRE(bench.effects<Stop>().size() == 1);
  CHECK(bench.effects<Stop>()[0].kind == Stop::Kind::rolled_back);
}

// ------------------------------------------------------------------ R12

TEST_CASE("raft R12: a follower that does not answer gets no more than a window, and it again",
          "[raft][paper]") {
  RaftBench bench(1, 3, 4);
  const std::uint64_t term = bench.lead_ready(0);
  CHECK(bench.ack(2, term, 1, bench.newest_request()) == RejectReason::none);
  Height highest;
  std::string sent;
  std::size_t resent = 0;
  const auto look = [&] {
    for (const Send& send : bench.all_sends()) {
      const auto envelope = decode<Envelope>(*send.bytes);
      if (envelope->kind != MessageKind::append_entries || send.to != ReplicaId{2}) continue;
      const auto body = decode<raft::AppendEntries>(envelope->body);
      for (const Entry& entry : body->entries) {
        sent += " " + std::to_string(entry.vote.height.value);
        if (entry.vote.height <= highest) ++resent;
        highest = std::max(highest, entry.vote.height);
      }
    }
    bench.forget_sent();
  };
  bench.forget_sent();
  for (std::uint64_t n = 2; n <= 9; ++n) {
    bench.propose();
    bench.persist_all();
    look();
    bench.ack(0, term, n, bench.newest_request());
    const Hash hash = bench.apply(n - 1, bench.executing().at(n - 2).digest);
    bench.persist_all();
    bench.exec(0, n - 1, hash);
    bench.persist_all();
    look();
  }
  CAPTURE(sent);
  CHECK(highest == Height{5});  // match 1, window 4
  CHECK(resent == 0);
  for (int i = 0; i < 6; ++i) {
    bench.pass(50);
    bench.ack(0, term, 9, 0);
    look();
  }
  CHECK(highest == Height{9});  // what it lacks below that is certified: its blocks are served
}

TEST_CASE("raft R12: an entry is sent once, also after a time without any", "[raft][paper]") {
  RaftBench bench;
  const std::uint64_t term = bench.lead_ready();
  bench.ack(2, term, 1, bench.newest_request());
  for (int i = 0; i < 20; ++i) {
    bench.pass(50);
    bench.ack(0, term, 1, bench.newest_request());
    bench.ack(2, term, 1, bench.newest_request());
  }
  bench.forget_sent();
  bench.propose();
  bench.persist_all();
  bench.pass(100);
  std::size_t count = 0;
  for (const auto& one : bench.appends()) count += one.entries.size();
  CHECK(count == 2);
}

TEST_CASE("raft R12: a follower without room is asked again later, not at once", "[raft][paper]") {
  RaftBench bench(1, 3, 4);
  const std::uint64_t term = bench.lead();
  bench.persist_all();
  const std::uint64_t request = bench.newest_request();
  bench.forget_sent();
  // It has what was before, and could not take the entry: no word on this request.
  bench.ack(2, term, 0, 0);
  CHECK(bench.appends().empty());
  bench.ack(0, term, 1, request);
  bench.pass(150);
  std::size_t asked = 0;
  for (const Send& send : bench.all_sends()) {
    const auto envelope = decode<Envelope>(*send.bytes);
    if (envelope->kind != MessageKind::append_entries || send.to != ReplicaId{2}) continue;
    asked += decode<raft::AppendEntries>(envelope->body)->entries.size();
  }
  CHECK(asked == 0);
  bench.pass(100);
  for (const Send& send : bench.all_sends()) {
    const auto envelope = decode<Envelope>(*send.bytes);
    if (envelope->kind != MessageKind::append_entries || send.to != ReplicaId{2}) continue;
    asked += decode<raft::AppendEntries>(envelope->body)->entries.size();
  }
  CHECK(asked == 1);
}

TEST_CASE("raft R12: entries far above what is executed here wait", "[raft][paper]") {
  RaftBench bench(1, 3, 2);
  std::uint64_t index = 1;
  RejectReason last = RejectReason::none;
  for (; index < 200 && last == RejectReason::none; ++index) {
    last = bench.append(0, 1, {index - 1, index > 1 ? 1U : 0U}, {bench.entry(index, 1)});
    bench.give({bench.entry(index, 1)});
    bench.persist_all();
  }
  CHECK(last == RejectReason::outside_window);
  CHECK(index < 60);
  CHECK(bench.replies().back().request < bench.request());
  CHECK(bench.replies().back().matches);
  CHECK(bench.replies().back().index == Height{index - 2});
}

// ------------------------------------------------------------------ R13

TEST_CASE("raft R13: an entry carries the signature of its term's leader, and is refused without",
          "[raft][paper]") {
  RaftBench bench;
  Entry entry = bench.entry(1, 1);
  SECTION("wrong signature") { entry.signature.bytes[7] ^= 1; }
  SECTION("signed by another") {
    entry = bench.sign(entry, 2);
    entry.leader = 0;
  }
  SECTION("another leader of this term") { entry = bench.sign(entry, 2); }
  SECTION("a digest that the batch does not have") {
    entry.vote.digest.bytes[0] ^= 1;
    entry = bench.sign(entry, 0);
  }
  SECTION("a batch of another term") {
    entry.vote.digest = bench.entry(1, 2).vote.digest;
    entry.batch = bench.entry(1, 2).batch;
    entry = bench.sign(entry, 0);
  }
  CHECK(bench.append(0, 1, {}, {entry}) == RejectReason::bad_content);
  CHECK(bench.effects<BanPeer>().size() == 1);
  bench.give({bench.entry(1, 1)});
  CHECK(bench.pending_records(RecordType::raft_entry) == 0);
}

TEST_CASE("raft R13: what a leader appends is signed so that others can prove it",
          "[raft][paper]") {
  RaftBench bench;
  bench.lead_ready();
  bench.propose();
  const Entry entry = bench.appends().back().entries.back();
  CHECK(entry.leader == 1);
  CHECK(crypto::toy_verifier().verify_object(bench.epoch().validators[1],
                                             crypto::ObjectType::raft_entry, test_chain(), {0},
                                             crypto::sha256(encode(entry.vote)), entry.signature));
}

TEST_CASE("raft R13: two entries of one leader for a term and index are evidence",
          "[raft][paper]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {bench.entry(1, 1)});
  CHECK(bench.append(0, 1, {}, {bench.entry(1, 1, 0, 2)}) == RejectReason::equivocation);
  REQUIRE(bench.engine().evidence().size() == 1);
  const Evidence& evidence = bench.engine().evidence()[0];
  CHECK(evidence.signer == 0);
  CHECK(evidence.type == crypto::ObjectType::raft_entry);
  CHECK(evidence.first_body != evidence.second_body);
  for (const auto& [body, signature] :
       {std::pair{evidence.first_body, evidence.first_signature},
        std::pair{evidence.second_body, evidence.second_signature}}) {
    CHECK(crypto::toy_verifier().verify_object(bench.epoch().validators[0], evidence.type,
                                               test_chain(), evidence.epoch, crypto::sha256(body),
                                               signature));
  }
}

// ------------------------------------------------------------------ borders

TEST_CASE("raft: numbers at the border of their range and malformed messages ban, and move nothing",
          "[raft]") {
  RaftBench bench;
  const std::uint64_t huge = GENERATE(1ULL << 62, UINT64_MAX);
  CHECK(bench.ask_vote(0, RaftBench::candidate(huge)) == RejectReason::bad_content);
  CHECK(bench.ask_vote(0, RaftBench::candidate(1, huge)) == RejectReason::bad_content);
  CHECK(bench.ask_vote(0, RaftBench::candidate(0)) == RejectReason::bad_content);
  CHECK(bench.append(0, huge, {}, {}) == RejectReason::bad_content);
  CHECK(bench.append(0, 0, {}, {}) == RejectReason::bad_content);
  CHECK(bench.append(0, 1, {huge, 1}, {}) == RejectReason::bad_content);
  CHECK(bench.append(0, 1, {1, 2}, {}) == RejectReason::bad_content);
  CHECK(bench.append(0, 1, {}, {bench.entry(2, 1)}) == RejectReason::bad_content);
  CHECK(bench.append(0, 2, {}, {bench.null_entry(1, 2), bench.null_entry(2, 1)}) ==
        RejectReason::bad_content);
  CHECK(bench.vote(0, huge) == RejectReason::bad_content);
  CHECK(bench.refuse(0, huge, 0, 0) == RejectReason::bad_content);
  CHECK(bench.say(0, MessageKind::append_reply, Bytes{1, 2, 3}) == RejectReason::bad_content);
  CHECK(bench.status().view == View{0});
  CHECK(bench.pending().empty());
}

TEST_CASE("raft: a second leader of one term is refused", "[raft]") {
  RaftBench bench;
  bench.follow(0, 1, {}, {});
  CHECK(bench.append(2, 1, {}, {}) == RejectReason::bad_content);
  CHECK(bench.status().leader == ReplicaId{0});
}

}  // namespace baolian::consensus::testing
