/// One test a rule of the normal case (consensus.md 1.5), with what must be accepted and what must
/// not.
#include "consensus/bench.h"
#include "consensus/pbft/records.h"

namespace baolian::consensus::testing {

// ------------------------------------------------------------------ N1

TEST_CASE("pbft 1.5 N1: a sound pre-prepare of the primary is accepted once", "[pbft][paper]") {
  Bench bench;
  const auto proposal = bench.proposal(1);
  CHECK(bench.propose(proposal) == RejectReason::none);
  const auto needs = bench.effects<NeedBodies>();
  REQUIRE(needs.size() == 1);
  CHECK(needs[0].digest == proposal.vote.digest);
  CHECK(needs[0].ask_first == 0);
  CHECK(bench.propose(proposal) == RejectReason::duplicate);
  CHECK(bench.effects<NeedBodies>().empty());
}

TEST_CASE("pbft 1.5 N1: only the primary of the current view may propose", "[pbft][paper]") {
  Bench bench;
  for (const ValidatorIndex other : {ValidatorIndex{2}, ValidatorIndex{3}}) {
    CHECK(bench.propose(bench.proposal(1), other) == RejectReason::not_primary);
  }
  auto later = bench.proposal(1, 1, 1);
  CHECK(bench.propose(later, 1 + 1) == RejectReason::future_view);
  later.vote.view = {1ULL << 62};
  CHECK(bench.propose(later) == RejectReason::future_view);
  later.vote.view = {UINT64_MAX};
  CHECK(bench.propose(later) == RejectReason::future_view);
  CHECK(bench.effects<NeedBodies>().empty());
}

TEST_CASE("pbft 1.5 N1: heights outside h < n <= h + L are refused", "[pbft][paper]") {
  Bench bench;
  CHECK(bench.propose(bench.proposal(0)) == RejectReason::outside_window);
  CHECK(bench.propose(bench.proposal(16)) == RejectReason::none);
  CHECK(bench.propose(bench.proposal(17)) == RejectReason::outside_window);
  CHECK(bench.propose(bench.proposal(UINT64_MAX)) == RejectReason::outside_window);
  bench.certify_height(1);
  CHECK(bench.propose(bench.proposal(17)) == RejectReason::none);
  CHECK(bench.propose(bench.proposal(1, 2)) == RejectReason::outside_window);
}

TEST_CASE("pbft 1.5 N1: a second digest for the same view and height is evidence, the first stays",
          "[pbft][paper]") {
  Bench bench;
  const auto first = bench.proposal(1, 1);
  const auto second = bench.proposal(1, 2);
  REQUIRE(bench.propose(first) == RejectReason::none);
  CHECK(bench.propose(second) == RejectReason::equivocation);
  REQUIRE(bench.engine().evidence().size() == 1);
  const Evidence& evidence = bench.engine().evidence()[0];
  CHECK(evidence.signer == 0);
  CHECK(evidence.type == crypto::ObjectType::pre_prepare);
  for (const auto& [body, signature] :
       {std::pair{evidence.first_body, evidence.first_signature},
        std::pair{evidence.second_body, evidence.second_signature}}) {
    CHECK(crypto::toy_verifier().verify_object(bench.epoch().validators[0], evidence.type,
                                               test_chain(), evidence.epoch, crypto::sha256(body),
                                               signature));
  }
  CHECK(evidence.first_body != evidence.second_body);
  CHECK(bench.give_bodies(first).accepted);
  CHECK_FALSE(bench.give_bodies(second).accepted);
  bench.persist_all();
  REQUIRE(bench.sent(MessageKind::prepare).size() == 1);
  CHECK(bench.sent(MessageKind::prepare)[0].body == encode(first.vote));
}

TEST_CASE("pbft 1.5 N1: the digest is recomputed, never trusted", "[pbft][paper]") {
  Bench bench;
  auto proposal = bench.proposal(1);
  proposal.vote.digest.bytes[5] ^= 1;
  CHECK(bench.propose(proposal) == RejectReason::bad_digest);
  proposal = bench.proposal(1);
  proposal.batch.back() ^= 1;
  CHECK(bench.propose(proposal) == RejectReason::bad_digest);
}

TEST_CASE("pbft 1.5 N1: epoch, height, origin view and proposer of a fresh batch must fit",
          "[pbft][paper]") {
  Bench bench;
  const auto mutate = GENERATE(0, 1, 2, 3, 4);
  auto good = bench.proposal(1);
  auto decoded = decode<Batch>(good.batch);
  REQUIRE(decoded.has_value());
  Batch batch = *decoded;
  if (mutate == 0) batch.epoch = {1};
  if (mutate == 1) batch.height = {2};
  if (mutate == 2) batch.origin_view = {1};
  if (mutate == 3) batch.proposer = 1;
  Bytes bytes = encode(batch);
  if (mutate == 4) bytes.push_back(0);
  const crypto::Vote vote{{0}, {1}, batch_digest(bytes)};
  CHECK(bench.deliver(0, pre_prepare_message(bench.epoch(), 0, vote, bytes)) ==
        RejectReason::bad_content);
  // The slot is still free for a sound one.
  CHECK(bench.propose(good) == RejectReason::none);
}

TEST_CASE("pbft 1.11: a proposer's time is bounded, and judged once at first arrival",
          "[pbft][paper]") {
  Bench bench;
  const auto at = [&](std::int64_t offset, std::uint64_t height) {
    Batch batch;
    batch.height = {height};
    batch.proposed_at = {bench.wall().value + static_cast<std::uint64_t>(offset)};
    return bench.seal(batch);
  };
  CHECK(bench.propose(at(500, 1)) == RejectReason::none);
  CHECK(bench.propose(at(-10'000, 2)) == RejectReason::none);
  CHECK(bench.propose(at(-10'001, 3)) == RejectReason::bad_time);
  const auto early = at(501, 4);
  CHECK(bench.propose(early) == RejectReason::bad_time);
  bench.tick(100);
  CHECK(bench.propose(early) == RejectReason::duplicate);
  // Bodies that come late do not make a batch too old.
  const auto slow = bench.proposal(5);
  CHECK(bench.propose(slow) == RejectReason::none);
  bench.tick(60'000);
  CHECK(bench.give_bodies(slow).accepted);
  CHECK(bench.pending_records(RecordType::pp_accept) == 3);  // heights 1, 2 (no bodies) and 5
}

TEST_CASE("pbft 1.5 N1: what is committed here with another digest is not accepted anew",
          "[pbft][paper]") {
  Bench bench;
  const auto committed = bench.proposal(1, 1);
  // Decided by COMMITs of the others, before any pre-prepare came.
  for (const ValidatorIndex other : {ValidatorIndex{0}, ValidatorIndex{2}, ValidatorIndex{3}}) {
    CHECK(bench.commit(other, committed.vote) == RejectReason::none);
  }
  CHECK(bench.propose(bench.proposal(1, 2)) == RejectReason::already_decided);
  CHECK(bench.propose(committed) == RejectReason::none);
}

TEST_CASE("pbft 1.3: bodies that are invalid for everybody drop the proposal", "[pbft]") {
  Bench bench;
  const auto bad = bench.proposal(1, 1);
  REQUIRE(bench.propose(bad) == RejectReason::none);
  CHECK(bench.step(BadBodiesInput{bad.vote.digest}).accepted);
  bench.persist_all();
  CHECK(bench.sent(MessageKind::prepare).empty());
  CHECK(bench.propose(bad) == RejectReason::duplicate);
  CHECK_FALSE(bench.give_bodies(bad).accepted);
}

TEST_CASE(
    "pbft 1.12: votes outside of view, window and free slots are refused before their signature is "
    "checked",
    "[pbft]") {
  Bench bench;
  const auto wants = [&](MessageKind kind, ValidatorIndex sender, const Bytes& body) {
    // Signed by nobody.
    const auto read =
        read_envelope(sender, unsigned_message(bench.epoch(), kind, sender, body), bench.epoch());
    REQUIRE(read.has_value());
    return bench.engine().wants(*read);
  };
  const auto proposal = bench.proposal(1);
  const auto vote = [&](std::uint64_t view, std::uint64_t height) {
    return encode(crypto::Vote{{view}, {height}, proposal.vote.digest});
  };
  for (const MessageKind kind : {MessageKind::prepare, MessageKind::commit}) {
    CHECK(wants(kind, 2, vote(0, 1)));
    CHECK(wants(kind, 2, vote(1, 16)));
    CHECK_FALSE(wants(kind, 2, vote(2, 1)));
    CHECK_FALSE(wants(kind, 2, vote(0, 0)));
    CHECK_FALSE(wants(kind, 2, vote(0, 17)));
    REQUIRE(bench.deliver(2, signed_message(bench.epoch(), kind, 2, vote(0, 1))) ==
            RejectReason::none);
    CHECK_FALSE(wants(kind, 2, vote(0, 1)));  // it is here
    CHECK(wants(kind, 3, vote(0, 1)));
    crypto::Vote other{{0}, {1}, proposal.vote.digest};
    other.digest.bytes[0] ^= 1;
    CHECK(wants(kind, 2, encode(other)));  // may prove that validator 2 contradicts itself
  }
  CHECK(wants(MessageKind::exec, 2, encode(crypto::ExecVote{{16}, {}})));
  CHECK_FALSE(wants(MessageKind::exec, 2, encode(crypto::ExecVote{{17}, {}})));
  CHECK_FALSE(wants(MessageKind::exec, 2, encode(crypto::ExecVote{{0}, {}})));
  const auto pre_prepare = [](const auto& one) { return encode(one.vote); };
  CHECK(wants(MessageKind::pre_prepare, 0, pre_prepare(proposal)));
  CHECK_FALSE(wants(MessageKind::pre_prepare, 2, pre_prepare(proposal)));
  CHECK_FALSE(wants(MessageKind::pre_prepare, 0, pre_prepare(bench.proposal(17))));
  REQUIRE(bench.propose(proposal) == RejectReason::none);
  CHECK_FALSE(wants(MessageKind::pre_prepare, 0, pre_prepare(proposal)));
  CHECK(wants(MessageKind::pre_prepare, 0, pre_prepare(bench.proposal(1, 2))));
}

TEST_CASE("pbft 1.12: more than 2 MiB of bodies are invalid for everybody", "[pbft]") {
  Bench bench;
  Bench::Proposal big;
  Batch batch;
  batch.height = {1};
  batch.proposed_at = bench.wall();
  for (std::uint64_t i = 0; i < 9; ++i) {
    big.bodies.push_back(transaction(i, 250 * 1024));
    batch.transactions.push_back(hash_of(*big.bodies.back()));
  }
  big = bench.seal(batch, std::move(big));
  REQUIRE(bench.propose(big) == RejectReason::none);
  bench.give_bodies(big);
  CHECK(bench.pending().empty());
}

// ------------------------------------------------------------------ N2

TEST_CASE("pbft 1.5 N2: PREPARE leaves only when batch and bodies are durable", "[pbft][paper]") {
  Bench bench;
  const auto proposal = bench.proposal(1);
  REQUIRE(bench.propose(proposal) == RejectReason::none);
  CHECK(bench.pending().empty());  // no bodies, no vote
  CHECK(bench.all_sent(MessageKind::prepare).empty());
  REQUIRE(bench.give_bodies(proposal).accepted);
  CHECK(bench.effects<Send>().empty());
  REQUIRE(bench.pending().size() == 1);
  const Persist persist = bench.pending()[0];
  REQUIRE(persist.writes.size() == 1);
  CHECK(persist.writes[0].type == RecordType::pp_accept);
  const auto record = decode<pbft::PpAccept>(*persist.writes[0].body);
  REQUIRE(record.has_value());
  CHECK(record->vote == proposal.vote);
  CHECK(record->batch == proposal.batch);
  REQUIRE(record->bodies.size() == 1);
  CHECK(record->bodies[0] == *proposal.bodies[0]);
  REQUIRE(persist.then_send.size() == 1);
  CHECK(record->prepare == *persist.then_send[0].bytes);
  CHECK_FALSE(persist.then_send[0].to.has_value());
}

TEST_CASE("pbft 1.5 N2: the primary's PRE-PREPARE waits for its own PP_ACCEPT", "[pbft][paper]") {
  Bench bench(0);
  const SharedBytes body = transaction(1);
  REQUIRE(bench.engine().can_propose());
  REQUIRE(bench.step(ProposeInput{bench.wall(), {hash_of(*body)}, {body}}).accepted);
  CHECK(bench.effects<Send>().empty());
  REQUIRE(bench.pending().size() == 1);
  bench.persist_all();
  CHECK(bench.sent(MessageKind::pre_prepare).size() == 1);
  CHECK(bench.sent(MessageKind::prepare).size() == 1);
  const auto sent = decode<pbft::PrePrepare>(bench.sent(MessageKind::pre_prepare)[0].body);
  REQUIRE(sent.has_value());
  REQUIRE(sent->inline_bodies.size() == 1);
  CHECK(sent->inline_bodies[0] == *body);
}

TEST_CASE("pbft 1.3: a PRE-PREPARE carries no more inline bodies than its limit", "[pbft]") {
  Bench bench(0);
  ProposeInput input{bench.wall(), {}, {}};
  for (std::uint64_t i = 0; i < 5; ++i) {
    input.bodies.push_back(transaction(i, 100 * 1024));
    input.transactions.push_back(hash_of(*input.bodies.back()));
  }
  REQUIRE(bench.step(std::move(input)).accepted);
  bench.persist_all();
  const auto sent = decode<pbft::PrePrepare>(bench.sent(MessageKind::pre_prepare).at(0).body);
  REQUIRE(sent.has_value());
  CHECK(sent->inline_bodies.size() == 2);
}

TEST_CASE("pbft 1.5: only the active primary proposes, within window and in-flight limit",
          "[pbft]") {
  Bench backup(1);
  CHECK_FALSE(backup.engine().can_propose());
  CHECK(backup.step(ProposeInput{backup.wall(), {}, {}}).reason == RejectReason::not_primary);
  Bench primary(0);
  for (int i = 0; i < 8; ++i) {
    REQUIRE(primary.engine().can_propose());
    REQUIRE(primary.step(ProposeInput{primary.wall(), {}, {}}).accepted);
  }
  CHECK_FALSE(primary.engine().can_propose());
  CHECK(primary.step(ProposeInput{primary.wall(), {}, {}}).reason == RejectReason::outside_window);
}

TEST_CASE(
    "pbft 1.5: a primary that crashed with a durable proposal does not propose another for it",
    "[pbft][recovery]") {
  Bench bench(0);
  const SharedBytes body = transaction(1);
  REQUIRE(bench.step(ProposeInput{bench.wall(), {hash_of(*body)}, {body}}).accepted);
  bench.persist_all();
  const Bytes first = bench.sent(MessageKind::prepare).at(0).body;
  bench.open(bench.log(), {0}, bench.genesis());
  REQUIRE(bench.sent_now(MessageKind::prepare).size() == 1);
  CHECK(bench.sent_now(MessageKind::prepare)[0].body == first);
  CHECK(bench.sent_now(MessageKind::pre_prepare).size() == 1);
  const SharedBytes other = transaction(2);
  REQUIRE(bench.step(ProposeInput{bench.wall(), {hash_of(*other)}, {other}}).accepted);
  bench.forget_sent();
  bench.persist_all();
  const auto vote = decode<crypto::Vote>(bench.sent(MessageKind::prepare).at(0).body);
  REQUIRE(vote.has_value());
  CHECK(vote->height == Height{2});
}

// ------------------------------------------------------------------ N3

TEST_CASE("pbft 1.5 N3: prepared by Q matching PREPAREs of distinct validators, own one durable",
          "[pbft][paper]") {
  Bench bench;
  const auto proposal = bench.proposal(1);
  REQUIRE(bench.propose(proposal) == RejectReason::none);
  REQUIRE(bench.give_bodies(proposal).accepted);
  CHECK(bench.prepare(0, proposal.vote) == RejectReason::none);
  CHECK(bench.prepare(2, proposal.vote) == RejectReason::none);
  CHECK(bench.prepare(3, proposal.vote) == RejectReason::none);
  // A quorum stands, but the own PP_ACCEPT is not durable.
  CHECK(bench.pending_records(RecordType::prepared) == 0);
  bench.persist_one();
  REQUIRE(bench.pending_records(RecordType::prepared) == 1);
  CHECK(bench.all_sent(MessageKind::commit).empty());  // not before PREPARED is durable
  const auto record = decode<pbft::Prepared>(*bench.pending()[0].writes[0].body);
  REQUIRE(record.has_value());
  CHECK(record->certificate.signatures.size() == 3);
  CHECK(crypto::check_certificate(record->certificate, crypto::ObjectType::prepare, test_chain(),
                                  bench.epoch(), crypto::toy_verifier()));
  bench.persist_all();
  CHECK(bench.sent(MessageKind::commit).size() == 1);
}

TEST_CASE("pbft 1.5 N3: too few, repeated or differing PREPAREs do not prepare", "[pbft][paper]") {
  Bench bench;
  const auto proposal = bench.accept(1);
  CHECK(bench.prepare(0, proposal.vote) == RejectReason::none);
  CHECK(bench.prepare(0, proposal.vote) == RejectReason::duplicate);
  CHECK(bench.prepare(2, bench.proposal(1, 9).vote) == RejectReason::none);
  CHECK(bench.pending().empty());
  // The first vote of validator 2 stays: its second is evidence and does not count.
  CHECK(bench.prepare(2, proposal.vote) == RejectReason::equivocation);
  CHECK(bench.pending_records(RecordType::contradiction) == 1);
  CHECK(bench.pending_records(RecordType::prepared) == 0);
  bench.persist_all();
  CHECK(bench.engine().evidence().size() == 1);
  CHECK(bench.prepare(3, proposal.vote) == RejectReason::none);
  CHECK(bench.pending_records(RecordType::prepared) == 1);
}

TEST_CASE("pbft 1.5 N3: votes of the next view are kept apart and do not prepare this one",
          "[pbft][paper]") {
  Bench bench;
  const auto proposal = bench.accept(1);
  crypto::Vote next = proposal.vote;
  next.view = {1};
  CHECK(bench.prepare(0, next) == RejectReason::none);
  CHECK(bench.prepare(2, next) == RejectReason::none);
  CHECK(bench.prepare(3, next) == RejectReason::none);
  CHECK(bench.pending().empty());
}

// ------------------------------------------------------------------ N4

TEST_CASE("pbft 1.5 N4: Q COMMITs decide, COMMITTED is logged, the batch goes to execution",
          "[pbft][paper]") {
  Bench bench;
  const auto proposal = bench.accept(1);
  bench.commit(0, proposal.vote);
  bench.commit(2, proposal.vote);
  CHECK(bench.effects<Commit>().empty());
  CHECK(bench.commit(3, proposal.vote) == RejectReason::none);  // never prepared here
  REQUIRE(bench.effects<Commit>().size() == 1);
  CHECK(bench.effects<Commit>()[0].height == Height{1});
  CHECK(*bench.effects<Commit>()[0].batch == proposal.batch);
  REQUIRE(bench.pending_records(RecordType::committed) == 1);
  const auto record = decode<pbft::Committed>(*bench.pending()[0].writes[0].body);
  REQUIRE(record.has_value());
  CHECK(record->batch.empty());  // a PP_ACCEPT holds it
  CHECK(record->certificate.signatures.size() == 3);
}

TEST_CASE("pbft 1.5 N4: COMMITs of fewer than Q, or one that repeats, decide nothing",
          "[pbft][paper]") {
  Bench bench;
  const auto proposal = bench.accept(1);
  bench.commit(0, proposal.vote);
  CHECK(bench.commit(0, proposal.vote) == RejectReason::duplicate);
  CHECK(bench.commit(2, bench.proposal(1, 9).vote) == RejectReason::none);
  CHECK(bench.effects<Commit>().empty());
  CHECK(bench.pending().empty());
}

TEST_CASE(
    "pbft 1.5 N4: a CommitQC is verified: short, forged or of another type it decides nothing",
    "[pbft][paper]") {
  const int how = GENERATE(0, 1, 2, 3, 4);
  CAPTURE(how);
  Bench bench;
  const auto proposal = bench.accept(1);
  const auto type = how == 0 ? crypto::ObjectType::prepare : crypto::ObjectType::commit;
  auto certificate = vote_certificate(bench.epoch(), type, proposal.vote, {0, 2, 3});
  if (how == 1) certificate.signatures.pop_back();
  if (how == 2) certificate.signatures[1].signature.bytes[0] ^= 1;
  if (how == 3) certificate.vote.view = {1};
  if (how == 4) certificate.epoch = {1};
  CHECK(bench.reply(2, {0, consensus::ReplyCommit{certificate, proposal.batch}}) ==
        RejectReason::bad_certificate);
  REQUIRE(bench.effects<BanPeer>().size() == 1);
  CHECK(bench.effects<BanPeer>()[0].peer == 2);
  CHECK(bench.effects<Commit>().empty());
  CHECK(bench.pending().empty());
}

TEST_CASE("pbft 1.5 N4: COMMITs of two views do not add up", "[pbft][paper]") {
  Bench bench;
  const auto proposal = bench.accept(1);
  crypto::Vote next = proposal.vote;
  next.view = {1};
  bench.commit(0, proposal.vote);
  bench.commit(2, proposal.vote);
  CHECK(bench.commit(3, next) == RejectReason::none);
  CHECK(bench.effects<Commit>().empty());
  bench.commit(0, next);
  CHECK(bench.commit(2, next) == RejectReason::none);
  CHECK(bench.effects<Commit>().size() == 1);  // Q of view 1
}

TEST_CASE("pbft 1.5 N4: a decided batch without bodies waits for them, then both are logged",
          "[pbft][paper]") {
  Bench bench;
  const auto proposal = bench.proposal(1);
  const auto certificate =
      vote_certificate(bench.epoch(), crypto::ObjectType::commit, proposal.vote, {0, 2, 3});
  CHECK(bench.reply(2, {0, consensus::ReplyCommit{certificate, proposal.batch}}) ==
        RejectReason::none);
  REQUIRE(bench.effects<NeedBodies>().size() == 1);
  CHECK(bench.pending().empty());
  REQUIRE(bench.give_bodies(proposal).accepted);
  REQUIRE(bench.effects<Commit>().size() == 1);
  REQUIRE(bench.pending_records(RecordType::committed) == 1);
  const auto record = decode<pbft::Committed>(*bench.pending()[0].writes[0].body);
  REQUIRE(record.has_value());
  CHECK(record->batch == proposal.batch);
  CHECK(record->bodies.size() == 1);
}

TEST_CASE("pbft 1.5 N4: a quorum for another digest than the decided one halts", "[pbft][paper]") {
  Bench bench;
  const auto decided = bench.commit_height(1, 1);
  bench.persist_all();
  crypto::Vote other = bench.proposal(1, 2).vote;
  other.view = {1};
  bench.commit(0, other);
  bench.commit(2, other);
  bench.commit(3, other);
  REQUIRE(bench.effects<Stop>().size() == 1);
  CHECK(bench.effects<Stop>()[0].kind == Stop::Kind::halt);
  CHECK(bench.status().stopped);
  CHECK(bench.prepare(3, decided.vote) == RejectReason::stopped);
  CHECK_FALSE(bench.tick(1000).accepted);
  CHECK(bench.effects<Send>().empty());
}

TEST_CASE("pbft 1.5 N4: the null batch can be decided and is executed as an empty block",
          "[pbft]") {
  Bench bench;
  const crypto::Vote vote{{1}, {1}, null_digest(test_chain(), {0}, {1})};
  const auto certificate =
      vote_certificate(bench.epoch(), crypto::ObjectType::commit, vote, {0, 2, 3});
  CHECK(bench.reply(3, {0, consensus::ReplyCommit{certificate, {}}}) == RejectReason::none);
  REQUIRE(bench.effects<Commit>().size() == 1);
  CHECK(bench.effects<Commit>()[0].batch == nullptr);
  bench.persist_all();
  bench.open(bench.log(), {0}, bench.genesis());
  REQUIRE(bench.effects<Commit>().size() == 1);
  CHECK(bench.effects<Commit>()[0].batch == nullptr);
}

// ------------------------------------------------------------------ N5

TEST_CASE(
    "pbft 1.5 N5: heights go to execution in order, each once, whatever the order of decision",
    "[pbft][paper]") {
  Bench bench;
  const auto second = bench.commit_height(2);
  CHECK(bench.effects<Commit>().empty());
  const auto first = bench.commit_height(1);
  const auto commits = bench.effects<Commit>();
  REQUIRE(commits.size() == 2);
  CHECK(commits[0].height == Height{1});
  CHECK(commits[1].height == Height{2});
  bench.persist_all();
  CHECK(bench.step(AppliedInput{{2}, {}, {}}).reason == RejectReason::not_wanted);  // too early
  bench.apply(1, first.vote.digest);
  CHECK(bench.step(AppliedInput{{1}, {}, {}}).reason == RejectReason::duplicate);
  CHECK(bench.step(AppliedInput{{3}, {}, {}}).reason == RejectReason::not_wanted);
  bench.apply(2, second.vote.digest);
  CHECK(bench.status().executed == Height{2});
  CHECK(bench.commit(3, first.vote) == RejectReason::none);
  CHECK(bench.effects<Commit>().empty());
}

// ------------------------------------------------------------------ N6

TEST_CASE("pbft 1.5 N6: EXEC leaves when EXEC_SENT is durable, and only after COMMITTED is",
          "[pbft][paper]") {
  Bench bench;
  const auto proposal = bench.commit_height(1);
  REQUIRE(bench.pending_records(RecordType::committed) == 1);
  const Hash hash = bench.apply(1, proposal.vote.digest);  // executed before COMMITTED is durable
  CHECK(bench.pending_records(RecordType::exec_sent) == 0);
  bench.persist_one();
  REQUIRE(bench.pending_records(RecordType::exec_sent) == 1);
  CHECK(bench.all_sent(MessageKind::exec).empty());
  bench.persist_all();
  REQUIRE(bench.sent(MessageKind::exec).size() == 1);
  CHECK(bench.sent(MessageKind::exec)[0].body == encode(crypto::ExecVote{{1}, hash}));
}

TEST_CASE("pbft 1.5 N6: Q equal EXECs certify; h moves and Certified is told when it is durable",
          "[pbft][paper]") {
  Bench bench;
  const auto proposal = bench.commit_height(1);
  bench.persist_all();
  const Hash hash = bench.apply(1, proposal.vote.digest);
  bench.persist_all();
  Hash wrong = hash;
  wrong.bytes[0] ^= 1;
  CHECK(bench.exec(3, 1, wrong) == RejectReason::none);
  CHECK(bench.exec(3, 1, hash) == RejectReason::equivocation);
  bench.persist_all();  // the evidence
  CHECK(bench.exec(0, 1, hash) == RejectReason::none);
  CHECK(bench.pending().empty());
  CHECK(bench.exec(2, 1, hash) == RejectReason::none);
  REQUIRE(bench.pending_records(RecordType::exec_cert) == 1);
  CHECK(bench.effects<Certified>().empty());
  CHECK(bench.status().certified == Height{0});
  bench.persist_one();
  REQUIRE(bench.effects<Certified>().size() == 1);
  const crypto::ExecCertificate certificate = bench.effects<Certified>()[0].certificate;
  CHECK(certificate.signatures.size() == 3);
  CHECK(
      crypto::check_certificate(certificate, test_chain(), bench.epoch(), crypto::toy_verifier()));
  CHECK(bench.status().certified == Height{1});
  CHECK(bench.exec(3, 1, hash) == RejectReason::outside_window);
}

TEST_CASE("pbft 1.5 N6: the own EXEC counts only when it is durable", "[pbft][paper]") {
  Bench bench;
  const auto proposal = bench.commit_height(1);
  bench.persist_all();
  const Hash hash = bench.apply(1, proposal.vote.digest);
  bench.exec(0, 1, hash);
  bench.exec(2, 1, hash);
  CHECK(bench.pending_records(RecordType::exec_cert) == 0);
  bench.persist_one();
  CHECK(bench.pending_records(RecordType::exec_cert) == 1);
}

TEST_CASE("pbft 1.5 N6: h may run ahead of execution; Certified waits for it", "[pbft][paper]") {
  Bench bench;
  const auto proposal = bench.commit_height(1);
  bench.persist_all();
  const Hash hash = header_hash_of(bench.header_of(1, proposal.vote.digest));
  for (const ValidatorIndex other : {ValidatorIndex{0}, ValidatorIndex{2}, ValidatorIndex{3}}) {
    bench.exec(other, 1, hash);
  }
  bench.persist_all();
  CHECK(bench.status().certified == Height{1});
  CHECK(bench.status().executed == Height{0});
  CHECK(bench.effects<Certified>().empty());
  bench.apply(1, proposal.vote.digest);
  CHECK(bench.effects<Certified>().size() == 1);
  bench.persist_all();
  CHECK(bench.sent(MessageKind::exec).empty());  // n <= h: nobody needs it any more
}

TEST_CASE("pbft 1.5 N6: a re-execution with another header than EXEC_SENT diverges",
          "[pbft][recovery]") {
  Bench bench;
  const auto proposal = bench.commit_height(1);
  bench.persist_all();
  bench.apply(1, proposal.vote.digest);
  bench.persist_all();
  bench.open(bench.log(), {0}, bench.genesis());
  REQUIRE(bench.effects<Commit>().size() == 1);
  const Bytes other = bench.header_of(1, bench.genesis());
  bench.step(AppliedInput{{1}, other, header_hash_of(other)});
  REQUIRE(bench.effects<Stop>().size() == 1);
  CHECK(bench.effects<Stop>()[0].kind == Stop::Kind::diverged);
}

TEST_CASE("pbft 1.5 N6: nobody is acknowledged by a certificate that is not durable yet",
          "[pbft][paper]") {
  Bench bench;
  const auto proposal = bench.commit_height(1);
  bench.persist_all();
  const Hash hash = header_hash_of(bench.header_of(1, proposal.vote.digest));
  for (const ValidatorIndex other : {ValidatorIndex{0}, ValidatorIndex{2}, ValidatorIndex{3}}) {
    bench.exec(other, 1, hash);
  }
  REQUIRE(bench.pending_records(RecordType::exec_cert) == 1);
  bench.apply(1, proposal.vote.digest);
  CHECK(bench.effects<Certified>().empty());
  bench.persist_one();
  CHECK(bench.effects<Certified>().size() == 1);
}

TEST_CASE("pbft 1.7: certificates of the log are told again after a restart", "[pbft][recovery]") {
  Bench bench;
  const Hash hash = bench.certify_height(1);
  bench.open(bench.log(), {1}, hash);  // the store has the block, perhaps not its certificate
  REQUIRE(bench.effects<Certified>().size() == 1);
  CHECK(bench.effects<Certified>()[0].certificate.vote.header_hash == hash);
  CHECK(bench.effects<Commit>().empty());
  bench.open(bench.log(), {0}, bench.genesis());  // the store lost the block too
  CHECK(bench.effects<Certified>().empty());
  CHECK(bench.effects<Commit>().size() == 1);
}

// ------------------------------------------------------------------ N7

TEST_CASE("pbft 1.5 N7: a header that differs from the certified one diverges, in both orders",
          "[pbft][paper]") {
  const bool certificate_first = GENERATE(false, true);
  Bench bench;
  const auto proposal = bench.commit_height(1);
  bench.persist_all();
  Hash certified = bench.genesis();
  certified.bytes[1] ^= 7;
  const auto others = [&] {
    for (const ValidatorIndex other : {ValidatorIndex{0}, ValidatorIndex{2}, ValidatorIndex{3}}) {
      bench.exec(other, 1, certified);
    }
  };
  if (certificate_first) {
    others();
    bench.persist_all();
    const Bytes header = bench.header_of(1, proposal.vote.digest);
    bench.step(AppliedInput{{1}, header, header_hash_of(header)});
  } else {
    bench.apply(1, proposal.vote.digest);
    bench.persist_all();
    others();
  }
  REQUIRE(bench.effects<Stop>().size() == 1);
  CHECK(bench.effects<Stop>()[0].kind == Stop::Kind::diverged);
  CHECK(bench.status().stopped);
  CHECK(bench.effects<Certified>().empty());
  // It votes and serves no more.
  CHECK(bench.fetch(2, {1, consensus::FetchBlocks{{1}}}) == RejectReason::stopped);
  CHECK(bench.propose(bench.proposal(2)) == RejectReason::stopped);
}

// ------------------------------------------------------------------ N8, N9

TEST_CASE("pbft 1.5 N8: evidence is one entry a signer and type, whatever it repeats", "[pbft]") {
  Bench bench;
  for (std::uint64_t height = 1; height <= 16; ++height) {
    for (std::uint64_t salt = 1; salt <= 5; ++salt) {
      bench.commit(3, bench.proposal(height, salt).vote);
      bench.prepare(3, bench.proposal(height, salt).vote);
    }
  }
  CHECK(bench.engine().evidence().size() == 2);
}

TEST_CASE("pbft 1.5 N9: votes outside window and view are dropped without a trace", "[pbft]") {
  Bench bench;
  const auto vote_at = [&](std::uint64_t view, std::uint64_t height) {
    crypto::Vote vote = bench.proposal(1).vote;
    vote.view = {view};
    vote.height = {height};
    return vote;
  };
  CHECK(bench.prepare(2, vote_at(0, 0)) == RejectReason::outside_window);
  CHECK(bench.prepare(2, vote_at(0, 17)) == RejectReason::outside_window);
  CHECK(bench.commit(2, vote_at(0, UINT64_MAX)) == RejectReason::outside_window);
  CHECK(bench.commit(2, vote_at(1, UINT64_MAX)) == RejectReason::outside_window);
  CHECK(bench.commit(2, vote_at(2, 1)) == RejectReason::future_view);
  CHECK(bench.prepare(2, vote_at(UINT64_MAX, 1)) == RejectReason::future_view);
  CHECK(bench.exec(2, 17, bench.genesis()) == RejectReason::outside_window);
  CHECK(bench.exec(2, UINT64_MAX, bench.genesis()) == RejectReason::outside_window);
  CHECK(bench.status().highest_seen == Height{0});
  // Nothing is open: a backup's next STATUS comes after a second, not after 100 ms.
  bench.tick(900);
  CHECK(bench.sent_now(MessageKind::status).empty());
  bench.tick(100);
  CHECK(bench.sent_now(MessageKind::status).size() == 1);
}

// ------------------------------------------------------------------ inputs that come twice or
// never asked

TEST_CASE("pbft: a Persisted that was not asked for, or comes twice, changes nothing", "[pbft]") {
  Bench bench;
  CHECK(bench.step(PersistedInput{{77}}).reason == RejectReason::duplicate);
  const auto proposal = bench.proposal(1);
  bench.propose(proposal);
  bench.give_bodies(proposal);
  CHECK(bench.give_bodies(proposal).reason == RejectReason::duplicate);
  const PersistId id = bench.pending().at(0).id;
  bench.persist_all();
  CHECK(bench.step(PersistedInput{id}).reason == RejectReason::duplicate);
  CHECK(bench.step(BodiesInput{bench.genesis(), {}}).reason == RejectReason::not_wanted);
  CHECK(bench.step(BadBodiesInput{bench.genesis()}).reason == RejectReason::not_wanted);
  CHECK(bench.step(BlocksReadInput{2, {}}).reason == RejectReason::not_wanted);
  CHECK(bench.step(BlocksReadInput{999, {}}).reason == RejectReason::not_wanted);
}

TEST_CASE("pbft: Persists that become durable in another order give the same result", "[pbft]") {
  Network network(1);
  network.start(0);
  Bench bench;
  const auto first = bench.proposal(1);
  const auto second = bench.proposal(2);
  for (const auto& proposal : {first, second}) {
    bench.propose(proposal);
    bench.give_bodies(proposal);
  }
  REQUIRE(bench.pending().size() == 2);
  CHECK(bench.step(PersistedInput{bench.pending()[1].id}).accepted);
  CHECK(bench.step(PersistedInput{bench.pending()[0].id}).accepted);
  bench.prepare(0, second.vote);
  CHECK(bench.prepare(2, second.vote) == RejectReason::none);
  CHECK(bench.pending_records(RecordType::prepared) == 1);
}

TEST_CASE("pbft: before the first tick nothing is taken", "[pbft]") {
  Bench bench;
  auto engine = make_pbft_engine(bench.config(), test_header_reader(), {}, {0}, bench.genesis());
  Effects effects;
  CHECK_FALSE(engine->step(PersistedInput{{1}}, effects).accepted);
  CHECK_FALSE(engine->step(FlushedInput{{1}}, effects).accepted);
  CHECK_FALSE(engine->can_propose());
  CHECK(effects.empty());
}

}  // namespace baolian::consensus::testing
