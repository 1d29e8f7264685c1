/// STATUS, FETCH and REPLY, forged certificates, and a node that was rolled back (consensus.md 1.6,
/// 1.7, 1.8 "Near").
#include <algorithm>

#include "consensus/bench.h"
#include "consensus/pbft/records.h"

namespace baolian::consensus::testing {
namespace {

using consensus::Progress;

consensus::StatusBody status_of(std::uint64_t certified, std::uint64_t executed,
                                std::vector<Progress> progress = {}) {
  consensus::StatusBody out;
  out.active = true;
  out.certified = {certified};
  out.executed = {executed};
  out.progress = std::move(progress);
  return out;
}

/// Certified blocks 1..count as a peer would send them.
struct Chain {
  std::vector<SyncBlock> blocks;
  std::vector<Bench::Proposal> proposals;
  std::vector<Hash> hashes;
};
Chain make_chain(const Bench& bench, std::uint64_t count,
                 const std::vector<ValidatorIndex>& signers = {0, 2, 3}) {
  Chain out;
  Hash parent = bench.genesis();
  for (std::uint64_t n = 1; n <= count; ++n) {
    const auto proposal = bench.proposal(n);
    SyncBlock block;
    block.header = test_header({n}, parent, proposal.vote.digest);
    parent = header_hash_of(block.header);
    block.certificate = exec_certificate(bench.epoch(), {n}, parent, signers);
    block.batch = proposal.batch;
    block.bodies.push_back(*proposal.bodies[0]);
    out.blocks.push_back(block);
    out.proposals.push_back(proposal);
    out.hashes.push_back(parent);
  }
  return out;
}

consensus::ReplyBlocks blocks_reply(const std::vector<SyncBlock>& blocks) {
  consensus::ReplyBlocks out;
  for (const SyncBlock& block : blocks) out.blocks.push_back(encode(block));
  return out;
}

/// Brings the engine to ask `source` for blocks; gives the number of the question.
std::uint64_t let_it_ask(Bench& bench, ValidatorIndex source, std::uint64_t height) {
  REQUIRE(bench.say_status(source, status_of(height, height)) == RejectReason::none);
  bench.tick(10);
  CHECK(bench.sent_now(MessageKind::fetch).empty());  // not behind for long enough
  bench.tick(60);
  const auto fetches = bench.sent_now(MessageKind::fetch);
  REQUIRE(fetches.size() == 1);
  const auto fetch = decode<consensus::Fetch>(fetches[0].body);
  REQUIRE(fetch.has_value());
  REQUIRE(std::holds_alternative<consensus::FetchBlocks>(fetch->what));
  CHECK(std::get<consensus::FetchBlocks>(fetch->what).first == bench.status().executed.next());
  return fetch->request;
}

}  // namespace

// ------------------------------------------------------------------ STATUS

TEST_CASE("pbft 1.6 S1: the primary sends STATUS every 100 ms, others every second when idle",
          "[pbft]") {
  for (const ValidatorIndex self : {ValidatorIndex{0}, ValidatorIndex{1}}) {
    Bench bench(self);
    CHECK(bench.sent_now(MessageKind::status).size() == 1);  // at the start, to all
    int count = 0;
    for (int i = 0; i < 200; ++i) {
      bench.tick(10);
      count += static_cast<int>(bench.sent_now(MessageKind::status).size());
    }
    CHECK(count == (self == 0 ? 20 : 2));
  }
}

TEST_CASE("pbft 1.6 S1: everybody sends STATUS every 100 ms while anything is open", "[pbft]") {
  Bench bench;
  bench.accept(1);
  int count = 0;
  for (int i = 0; i < 100; ++i) {
    bench.tick(10);
    count += static_cast<int>(bench.sent_now(MessageKind::status).size());
  }
  CHECK(count == 10);
}

TEST_CASE("pbft 1.6 S3: a peer that stands still gets own PREPARE, COMMIT and the pre-prepare",
          "[pbft]") {
  Bench bench;
  const auto proposal = bench.accept(1);
  bench.prepare(0, proposal.vote);
  bench.prepare(2, proposal.vote);
  bench.persist_all();
  REQUIRE(bench.say_status(3, status_of(0, 0)) == RejectReason::none);
  CHECK(bench.sent_now(MessageKind::prepare).size() == 1);
  CHECK(bench.sent_now(MessageKind::commit).size() == 1);
  const auto replies = bench.sent_now(MessageKind::reply);
  REQUIRE(replies.size() == 1);
  const auto reply = Bench::as_reply(replies[0]);
  REQUIRE(std::holds_alternative<consensus::ReplyPrePrepare>(reply->what));
  // Bytes are those of the first time.
  CHECK(bench.sent_now(MessageKind::commit)[0] == bench.sent(MessageKind::commit).at(0));
  // A peer in another view gets neither votes nor the proposal.
  auto elsewhere = status_of(0, 0);
  elsewhere.view = {1};
  bench.say_status(2, elsewhere);
  CHECK(bench.effects<Send>().empty());

  // The receiver takes the passed-on pre-prepare as if the primary had sent it.
  Bench late(3);
  CHECK(late.deliver(1, unsigned_message(bench.epoch(), MessageKind::reply, 1, replies[0].body)) ==
        RejectReason::none);
  REQUIRE(late.effects<NeedBodies>().size() == 1);
  CHECK(late.effects<NeedBodies>()[0].digest == proposal.vote.digest);
}

TEST_CASE("pbft 1.6 S3: own EXEC and the CommitQC go to a peer whose h is below, in any view",
          "[pbft]") {
  Bench bench;
  const auto proposal = bench.commit_height(1);
  bench.persist_all();
  bench.apply(1, proposal.vote.digest);
  bench.persist_all();
  auto elsewhere = status_of(0, 0);
  elsewhere.view = {3};
  bench.say_status(2, elsewhere);
  CHECK(bench.sent_now(MessageKind::exec).size() == 1);
  const auto replies = bench.sent_now(MessageKind::reply);
  REQUIRE(replies.size() == 1);
  CHECK(std::holds_alternative<consensus::ReplyCommit>(Bench::as_reply(replies[0])->what));
  CHECK(bench.sent_now(MessageKind::prepare).empty());
  // One that has committed needs the EXEC only.
  bench.say_status(3, status_of(0, 0, {Progress::committed}));
  CHECK(bench.sent_now(MessageKind::exec).size() == 1);
  CHECK(bench.sent_now(MessageKind::reply).empty());
}

TEST_CASE("pbft 1.6 S2: a peer with a lower h gets the newest certificate", "[pbft]") {
  Bench bench;
  const Hash hash = bench.certify_height(1);
  bench.say_status(2, status_of(0, 1));
  const auto replies = bench.sent_now(MessageKind::reply);
  REQUIRE(replies.size() == 1);
  const auto reply = Bench::as_reply(replies[0]);
  REQUIRE(std::holds_alternative<consensus::ReplyCertificate>(reply->what));
  CHECK(std::get<consensus::ReplyCertificate>(reply->what).certificate.vote.header_hash == hash);
  CHECK_FALSE(std::get<consensus::ReplyCertificate>(reply->what).header.empty());
}

TEST_CASE("pbft 1.6 S6: answers are rate-limited and a peer that moves gets none", "[pbft]") {
  Bench bench;
  bench.accept(1);
  bench.say_status(3, status_of(0, 0));
  CHECK_FALSE(bench.effects<Send>().empty());
  for (int i = 0; i < 7; ++i) {
    bench.say_status(3, status_of(0, 0));
    CHECK(bench.effects<Send>().empty());
    bench.tick(10);
  }
  bench.tick(20);
  bench.say_status(3, status_of(0, 0));
  CHECK_FALSE(bench.effects<Send>().empty());
  const Status before = bench.status();
  bench.tick(200);
  bench.say_status(2, status_of(0, 0));
  bench.tick(200);
  bench.say_status(2, status_of(0, 1));  // it executed: it moves
  CHECK(bench.effects<Send>().empty());
  CHECK(bench.status().certified == before.certified);
  CHECK(bench.status().highest_seen == before.highest_seen);
}

TEST_CASE("pbft 1.6: a STATUS with impossible numbers is a fault of its sender", "[pbft]") {
  Bench bench;
  auto huge = status_of(UINT64_MAX, 1);
  CHECK(bench.say_status(2, huge) == RejectReason::bad_content);
  CHECK(bench.effects<BanPeer>().size() == 1);
  auto longer = status_of(0, 0, std::vector<Progress>(17, Progress::accepted));
  CHECK(bench.say_status(2, longer) == RejectReason::bad_content);
}

// ------------------------------------------------------------------ bodies

TEST_CASE("pbft 1.5 N2: missing bodies are fetched from the primary, then from PREPARE signers",
          "[pbft]") {
  Bench bench;
  const auto proposal = bench.proposal(1);
  bench.propose(proposal);
  bench.prepare(3, proposal.vote);
  std::vector<ReplicaId> asked;
  for (int i = 0; i < 60; ++i) {
    bench.tick(10);
    for (const Send& send : bench.effects<Send>()) {
      if (!send.to.has_value()) continue;
      asked.push_back(*send.to);
    }
  }
  REQUIRE(asked.size() >= 4);
  CHECK(asked[0] == 0);
  CHECK(std::count(asked.begin(), asked.end(), 3) >= 1);
  // An answer goes to the driver, which knows how to check it.
  const consensus::ReplyBodies bodies{proposal.vote.digest, {*proposal.bodies[0]}};
  CHECK(bench.reply(3, {1, bodies}) == RejectReason::none);
  REQUIRE(bench.effects<NeedBodies>().size() == 1);
  CHECK(bench.effects<NeedBodies>()[0].inline_bodies.size() == 1);
  CHECK(bench.give_bodies(proposal).accepted);
  CHECK(bench.reply(3, {1, bodies}) == RejectReason::not_wanted);
}

TEST_CASE("pbft 1.5 N2: bodies of an accepted proposal are served, also after a restart",
          "[pbft][recovery]") {
  Bench bench;
  const auto proposal = bench.accept(1);
  bench.open(bench.log(), {0}, bench.genesis());
  CHECK(bench.fetch(3, {9, consensus::FetchBodies{{1}, proposal.vote.digest}}) ==
        RejectReason::none);
  const auto replies = bench.sent_now(MessageKind::reply);
  REQUIRE(replies.size() == 1);
  const auto reply = Bench::as_reply(replies[0]);
  CHECK(reply->request == 9);
  REQUIRE(std::holds_alternative<consensus::ReplyBodies>(reply->what));
  CHECK(std::get<consensus::ReplyBodies>(reply->what).bodies ==
        std::vector<Bytes>{*proposal.bodies[0]});
  // Not again at once, and nothing for a digest that is not here.
  CHECK(bench.fetch(3, {9, consensus::FetchBodies{{1}, proposal.vote.digest}}) ==
        RejectReason::not_wanted);
  CHECK(bench.fetch(2, {9, consensus::FetchBodies{{1}, bench.genesis()}}) ==
        RejectReason::not_wanted);
}

// ------------------------------------------------------------------ blocks

TEST_CASE("pbft 1.8: a block that came by sync is logged with its bodies, executed, certified",
          "[pbft]") {
  Bench bench;
  const Chain chain = make_chain(bench, 2);
  const std::uint64_t request = let_it_ask(bench, 2, 2);
  REQUIRE(bench.reply(2, {request, blocks_reply(chain.blocks)}) == RejectReason::none);
  REQUIRE(bench.effects<NeedBodies>().size() == 2);
  CHECK(bench.effects<NeedBodies>()[0].inline_bodies.size() == 1);
  CHECK(bench.pending().empty());
  CHECK(bench.status().certified == Height{0});
  REQUIRE(bench.give_bodies(chain.proposals[0]).accepted);
  REQUIRE(bench.effects<Commit>().size() == 1);
  REQUIRE(bench.effects<Commit>()[0].certificate.has_value());
  REQUIRE(bench.pending_records(RecordType::block) == 1);
  bench.persist_all();
  CHECK(bench.status().certified == Height{1});
  CHECK(bench.apply(1, chain.proposals[0].vote.digest) == chain.hashes[0]);
  CHECK(bench.effects<Certified>().size() == 1);
  // After a restart the block stands in the log.
  bench.open(bench.log(), {0}, bench.genesis());
  REQUIRE(bench.effects<Commit>().size() == 1);
  CHECK(bench.effects<Commit>()[0].height == Height{1});
  CHECK(bench.status().certified == Height{1});
}

TEST_CASE("pbft 1.8: a block that is executed before it is durable is certified all the same",
          "[pbft]") {
  // h is known first, so the slot of an executed height is gone at once.
  Bench bench;
  const Chain chain = make_chain(bench, 2);
  const std::uint64_t request = let_it_ask(bench, 2, 2);
  const consensus::ReplyCertificate newest{chain.blocks[1].header, chain.blocks[1].certificate};
  REQUIRE(bench.reply(2, {0, newest}) == RejectReason::none);
  bench.persist_all();
  REQUIRE(bench.status().certified == Height{2});
  REQUIRE(bench.reply(2, {request, blocks_reply(chain.blocks)}) == RejectReason::none);
  std::vector<Height> certified;
  const auto note = [&] {
    for (const Certified& one : bench.effects<Certified>()) {
      certified.push_back(one.certificate.vote.height);
    }
  };
  for (const std::uint64_t n : {1U, 2U}) {
    REQUIRE(bench.give_bodies(chain.proposals[n - 1]).accepted);
    bench.apply(n, chain.proposals[n - 1].vote.digest);
    note();
  }
  while (!bench.pending().empty()) {
    bench.persist_one();
    note();
  }
  REQUIRE_FALSE(certified.empty());
  CHECK(*std::max_element(certified.begin(), certified.end()) == Height{2});
}

TEST_CASE("pbft 1.8: forged, short, repeated and foreign certificates are refused, the peer banned",
          "[pbft]") {
  const int how = GENERATE(range(0, 13));
  CAPTURE(how);
  Bench bench;
  Chain chain = make_chain(bench, 1);
  SyncBlock& block = chain.blocks[0];
  crypto::Signatures& signatures = block.certificate.signatures;
  if (how == 0) signatures.pop_back();                    // fewer than Q
  if (how == 1) signatures[1] = signatures[0];            // a signer twice
  if (how == 2) std::swap(signatures[0], signatures[1]);  // not ascending
  if (how == 3) signatures[2].validator = 4;              // no validator
  if (how == 4) signatures[0].signature.bytes[9] ^= 1;    // forged
  if (how == 5) signatures[2].validator = 1;              // key and index do not fit
  if (how == 6) block.certificate.epoch = {1};
  if (how == 7) block.certificate.vote.height = {2};
  if (how == 8) block.certificate.vote.header_hash.bytes[0] ^= 1;
  if (how == 9) block.header = test_header({1}, bench.genesis(), bench.genesis());
  if (how == 10) block.batch.back() ^= 1;
  if (how == 11) block.bodies.clear();
  if (how == 12) block.batch.clear();
  const std::uint64_t request = let_it_ask(bench, 2, 1);
  consensus::ReplyBlocks reply;
  Bytes bytes;
  if (how >= 1 && how <= 2) {
    // The codec refuses to write a list that is not ascending only when it reads it.
    bytes = encode(block);
  } else {
    bytes = encode(block);
  }
  reply.blocks.push_back(bytes);
  CHECK(bench.reply(2, {request, reply}) != RejectReason::none);
  CHECK(bench.effects<BanPeer>().size() == 1);
  CHECK(bench.effects<NeedBodies>().empty());
  CHECK(bench.effects<Commit>().empty());
  CHECK(bench.pending().empty());
  CHECK(bench.status().highest_seen == Height{0});
}

TEST_CASE("pbft 1.5 N6: the certificate of a later height proves a block through parent hashes",
          "[pbft]") {
  const bool is_broken = GENERATE(false, true);
  Bench bench;
  const Chain chain = make_chain(bench, 3);
  SyncBlock block = chain.blocks[0];
  block.certificate = chain.blocks[2].certificate;
  block.later_headers = {chain.blocks[1].header, chain.blocks[2].header};
  if (is_broken) block.later_headers[0] = test_header({2}, bench.genesis(), {});
  const std::uint64_t request = let_it_ask(bench, 2, 1);
  const RejectReason reason = bench.reply(2, {request, blocks_reply({block})});
  if (is_broken) {
    CHECK(reason == RejectReason::bad_certificate);
    CHECK(bench.effects<BanPeer>().size() == 1);
    return;
  }
  REQUIRE(reason == RejectReason::none);
  REQUIRE(bench.give_bodies(chain.proposals[0]).accepted);
  bench.persist_all();
  CHECK(bench.status().certified == Height{3});
  bench.apply(1, chain.proposals[0].vote.digest);
  CHECK(bench.effects<Certified>().empty());  // its own certificate is not known
  // Another header for height 1 would have been found.
  bench.open(bench.log(), {0}, bench.genesis());
  const Bytes wrong = test_header({1}, bench.genesis(), bench.genesis());
  bench.step(AppliedInput{{1}, wrong, header_hash_of(wrong)});
  REQUIRE(bench.effects<Stop>().size() == 1);
  CHECK(bench.effects<Stop>()[0].kind == Stop::Kind::diverged);
}

TEST_CASE("pbft 1.8: blocks that were not asked for are ignored", "[pbft]") {
  Bench bench;
  const Chain chain = make_chain(bench, 2);
  CHECK(bench.reply(2, {0, blocks_reply(chain.blocks)}) == RejectReason::not_wanted);
  const std::uint64_t request = let_it_ask(bench, 2, 2);
  CHECK(bench.reply(2, {request + 1, blocks_reply(chain.blocks)}) == RejectReason::not_wanted);
  CHECK(bench.reply(2, {request, blocks_reply(chain.blocks)}) == RejectReason::none);
  CHECK(bench.reply(2, {request, blocks_reply(chain.blocks)}) == RejectReason::not_wanted);
}

TEST_CASE("pbft 1.8: a gap between blocks is a fault; a silent source is replaced", "[pbft]") {
  Bench bench;
  const Chain chain = make_chain(bench, 3);
  bench.say_status(3, status_of(3, 3));
  const std::uint64_t request = let_it_ask(bench, 2, 3);
  bench.tick(520);
  const auto sends = bench.effects<Send>();
  const auto again = std::find_if(sends.begin(), sends.end(), [](const Send& s) {
    return s.to.has_value() && s.message_class == MessageClass::sync;
  });
  REQUIRE(again != sends.end());
  CHECK(bench.reply(*again->to, {request, blocks_reply({chain.blocks[0], chain.blocks[2]})}) ==
        RejectReason::bad_content);
  CHECK(bench.effects<BanPeer>().size() == 1);
}

TEST_CASE("pbft 1.8: an announced height is never believed", "[pbft]") {
  Bench bench;
  bench.say_status(2, status_of(1'000'000, 1'000'000));
  bench.tick(100);
  CHECK(bench.status().highest_seen == Height{0});
  CHECK(bench.status().certified == Height{0});
  // The window has not moved: the normal case goes on.
  CHECK(bench.propose(bench.proposal(1)) == RejectReason::none);
}

TEST_CASE("pbft 1.6 S2: a certificate from anywhere moves h, when it is valid and durable",
          "[pbft]") {
  Bench bench;
  const Chain chain = make_chain(bench, 1);
  auto bad = chain.blocks[0].certificate;
  bad.signatures.pop_back();
  CHECK(bench.reply(3, {0, consensus::ReplyCertificate{chain.blocks[0].header, bad}}) ==
        RejectReason::bad_certificate);
  CHECK(bench.effects<BanPeer>().size() == 1);
  CHECK(bench.reply(3, {0, consensus::ReplyCertificate{Bytes{1}, chain.blocks[0].certificate}}) ==
        RejectReason::bad_content);
  const consensus::ReplyCertificate good{chain.blocks[0].header, chain.blocks[0].certificate};
  CHECK(bench.reply(3, {0, good}) == RejectReason::none);
  CHECK(bench.status().certified == Height{0});
  CHECK(bench.reply(2, {0, good}) == RejectReason::not_wanted);  // already on its way
  bench.persist_all();
  CHECK(bench.status().certified == Height{1});
  CHECK(bench.status().executed == Height{0});
}

TEST_CASE("pbft 1.8: FETCH of blocks is served from the store, later if it must be", "[pbft]") {
  Bench bench;
  bench.certify_height(1);
  CHECK(bench.fetch(4, {5, consensus::FetchBlocks{{1}}}) == RejectReason::none);  // an observer
  auto reads = bench.effects<ReadBlocks>();
  REQUIRE(reads.size() == 1);
  CHECK(reads[0].peer == 4);
  CHECK(reads[0].first == Height{1});
  const auto block = std::make_shared<const Bytes>(Bytes(100, 7));
  CHECK(bench.step(BlocksReadInput{4, {block}}).accepted);
  const auto replies = bench.sent_now(MessageKind::reply);
  REQUIRE(replies.size() == 1);
  CHECK(Bench::as_reply(replies[0])->request == 5);
  // Above the tip: answered when the height is certified.
  bench.tick(10);
  CHECK(bench.fetch(4, {6, consensus::FetchBlocks{{2}}}) == RejectReason::none);
  CHECK(bench.effects<ReadBlocks>().empty());
  bench.certify_height(2);
  bench.tick(10);
  // Serving may have happened in the step that certified: ask what is under way by answering.
  CHECK(bench.step(BlocksReadInput{4, {block}}).accepted);
  REQUIRE(bench.sent_now(MessageKind::reply).size() == 1);
  CHECK(Bench::as_reply(bench.sent_now(MessageKind::reply)[0])->request == 6);
  CHECK(bench.fetch(4, {7, consensus::FetchBlocks{{0}}}) == RejectReason::bad_content);
}

TEST_CASE("pbft 1.10: blocks are asked from whoever is in a later epoch, validator or not",
          "[pbft][epoch]") {
  Bench bench;
  constexpr ReplicaId kObserverPeer = 4;
  bench.pass(5000, Bench::Heartbeat::heard);
  CHECK(bench.all_sent(MessageKind::fetch).empty());  // nobody says that there is more
  CHECK(bench.step(PeerAheadInput{99}).reason == RejectReason::not_member);
  CHECK(bench.step(PeerAheadInput{kObserverPeer}).accepted);
  CHECK(bench.step(PeerAheadInput{kObserverPeer}).reason == RejectReason::duplicate);
  bench.pass(5000, Bench::Heartbeat::heard);
  CHECK_FALSE(bench.all_sent(MessageKind::fetch).empty());
  for (const Send& send : bench.all_sends()) {
    const auto envelope = decode<Envelope>(*send.bytes);
    REQUIRE(envelope.has_value());
    if (envelope->kind == MessageKind::fetch) CHECK(send.to == kObserverPeer);
  }
}

TEST_CASE("pbft 1.12: a peer that floods FETCH costs one read at a time", "[pbft]") {
  Bench bench;
  bench.certify_height(1);
  std::size_t reads = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    bench.fetch(3, {i, consensus::FetchBlocks{{1}}});
    reads += bench.effects<ReadBlocks>().size();
  }
  CHECK(reads == 1);
}

// ------------------------------------------------------------------ rolled back

TEST_CASE("pbft 1.7: an own signature that the log does not know stops the node",
          "[pbft][recovery]") {
  SECTION("EXEC in the certificate of a block") {
    Bench bench;
    const Chain chain = make_chain(bench, 1, {0, 1, 2});
    const std::uint64_t request = let_it_ask(bench, 2, 1);
    CHECK(bench.reply(2, {request, blocks_reply(chain.blocks)}) == RejectReason::stopped);
    REQUIRE(bench.effects<Stop>().size() == 1);
    CHECK(bench.effects<Stop>()[0].kind == Stop::Kind::rolled_back);
  }
  SECTION("EXEC in a certificate") {
    Bench bench;
    const Chain chain = make_chain(bench, 1, {0, 1, 2});
    bench.reply(2, {0, consensus::ReplyCertificate{{}, chain.blocks[0].certificate}});
    REQUIRE(bench.effects<Stop>().size() == 1);
    CHECK(bench.effects<Stop>()[0].kind == Stop::Kind::rolled_back);
  }
  SECTION("COMMIT in a certificate") {
    Bench bench;
    const auto proposal = bench.proposal(1);
    const auto certificate =
        vote_certificate(bench.epoch(), crypto::ObjectType::commit, proposal.vote, {0, 1, 2});
    bench.reply(2, {0, consensus::ReplyCommit{certificate, proposal.batch}});
    REQUIRE(bench.effects<Stop>().size() == 1);
    CHECK(bench.effects<Stop>()[0].kind == Stop::Kind::rolled_back);
  }
  SECTION("the same certificates after voting are welcome, also after a restart") {
    Bench bench;
    const auto proposal = bench.accept(1);
    bench.prepare(0, proposal.vote);
    bench.prepare(2, proposal.vote);
    bench.persist_all();
    bench.open(bench.log(), {0}, bench.genesis());
    const auto certificate =
        vote_certificate(bench.epoch(), crypto::ObjectType::commit, proposal.vote, {0, 1, 2});
    CHECK(bench.reply(2, {0, consensus::ReplyCommit{certificate, proposal.batch}}) ==
          RejectReason::none);
    CHECK(bench.effects<Commit>().size() == 1);
    CHECK_FALSE(bench.status().stopped);
  }
}

// ------------------------------------------------------------------ passed-on proposals

TEST_CASE("pbft 1.6 S3: a passed-on pre-prepare is checked like a direct one", "[pbft]") {
  Bench bench;
  const auto proposal = bench.proposal(1);
  const auto pass_on = [&](const SharedBytes& envelope) {
    return bench.reply(3, {0, consensus::ReplyPrePrepare{*envelope}});
  };
  const SharedBytes good = pre_prepare_message(bench.epoch(), 0, proposal.vote, proposal.batch);
  Envelope forged = *decode<Envelope>(*good);
  forged.signature.bytes[3] ^= 1;
  CHECK(pass_on(std::make_shared<const Bytes>(encode(forged))) == RejectReason::bad_content);
  REQUIRE(bench.effects<BanPeer>().size() == 1);
  CHECK(bench.effects<BanPeer>()[0].peer == 3);
  // Signed by somebody who is not the primary.
  CHECK(pass_on(pre_prepare_message(bench.epoch(), 2, proposal.vote, proposal.batch)) ==
        RejectReason::not_primary);
  // The bearer changed the batch: its fault, not the primary's.
  CHECK(pass_on(pre_prepare_message(bench.epoch(), 0, proposal.vote, bench.proposal(1, 2).batch)) ==
        RejectReason::bad_content);
  CHECK(bench.effects<BanPeer>().at(0).peer == 3);
  CHECK(pass_on(good) == RejectReason::none);
  CHECK(pass_on(good) == RejectReason::duplicate);
  CHECK(bench.effects<NeedBodies>().empty());
}

TEST_CASE("pbft 1.12: what does not decode is the fault of the peer that sent it", "[pbft]") {
  Bench bench;
  const auto send = [&](MessageKind kind, Bytes body) {
    return bench.deliver(2, kind == MessageKind::fetch || kind == MessageKind::reply
                                ? unsigned_message(bench.epoch(), kind, 2, std::move(body))
                                : signed_message(bench.epoch(), kind, 2, std::move(body)));
  };
  for (const MessageKind kind : {MessageKind::status, MessageKind::fetch, MessageKind::reply}) {
    CHECK(send(kind, {9, 9, 9}) == RejectReason::bad_content);
    REQUIRE(bench.effects<BanPeer>().size() == 1);
    CHECK(bench.effects<BanPeer>()[0].peer == 2);
  }
}

}  // namespace baolian::consensus::testing
