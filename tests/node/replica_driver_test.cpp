#include "node/replica_driver.h"

#include <algorithm>

#include "consensus/messages.h"
#include "node/fixture.h"
#include "node/pool_messages.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

using consensus::Effects;
using consensus::Input;
using consensus::Verdict;
using test::make_body;
using test::make_checked;

const sim::World& world() {
  static const sim::World one = sim::make_world(4, 0, 1);
  return one;
}

SharedBytes shared(std::string_view text) { return std::make_shared<const Bytes>(to_bytes(text)); }

/// An engine that does what the test says.
struct ScriptedEngine final : consensus::Engine {
  std::vector<Input> inputs;
  Effects next;  ///< effects of the next step
  consensus::Status now;
  bool may_propose = false;
  bool wants_all = true;
  std::vector<consensus::Evidence> none;
  consensus::ProbeCounts no_probes;

  Verdict step(Input input, Effects& effects) override {
    const bool proposal = std::holds_alternative<consensus::ProposeInput>(input);
    inputs.push_back(std::move(input));
    std::move(next.begin(), next.end(), std::back_inserter(effects));
    next.clear();
    if (proposal) ++now.highest_seen;
    return Verdict::accept();
  }
  bool wants(const consensus::Unverified&) const override { return wants_all; }
  consensus::Status status() const override { return now; }
  bool can_propose() const override { return may_propose; }
  void check_invariants() const override {}
  const std::vector<consensus::Evidence>& evidence() const override { return none; }
  const consensus::ProbeCounts& probes() const override { return no_probes; }

  template <typename T>
  std::vector<T> all() const {
    std::vector<T> out;
    for (const Input& input : inputs) {
      if (const auto* one = std::get_if<T>(&input)) out.push_back(*one);
    }
    return out;
  }
};

/// All ports; what happens is written down in order.
struct Bench final : Transport, LogStore, Application, BodyVerifier, Watcher, SnapshotPort {
  struct Sent {
    std::optional<ReplicaId> to;
    MessageClass message_class;
    SharedBytes bytes;
  };
  std::vector<std::string> order;
  std::vector<Sent> sent;
  std::vector<std::pair<ReplicaId, std::string>> banned;
  std::vector<PersistId> appended;
  std::vector<ExecuteRequest> executed;
  std::vector<std::pair<TxHash, SharedBytes>> checks;
  std::vector<std::string> stops;
  std::size_t flushes = 0;
  std::size_t cuts = 0;
  bool check_at_once = true;
  ScriptedEngine* engine = nullptr;
  std::unique_ptr<ReplicaDriver> driver;

  explicit Bench(ReplicaDriver::Config config = {}) {
    config.engine.chain_id = world().chain_id;
    config.engine.epoch = world().genesis.epoch;
    config.engine.self = 1;
    config.engine.signer = world().node_signers[1].get();
    config.engine.verifier = &crypto::toy_verifier();
    auto scripted = std::make_unique<ScriptedEngine>();
    engine = scripted.get();
    driver = std::make_unique<ReplicaDriver>(
        config, ReplicaDriver::Ports{*this, *this, *this, *this, *this, *this},
        EpochEngines(config.engine, std::move(scripted)));
    tick(1000);
  }
  void tick(std::uint64_t now) { driver->on_tick(Tick{now}, TimeMs{test::kNowMs + now}); }

  void send(ReplicaId to, MessageClass message_class, SharedBytes bytes) override {
    order.push_back("send");
    sent.push_back({to, message_class, std::move(bytes)});
  }
  void send_to_validators(MessageClass message_class, SharedBytes bytes) override {
    order.push_back("send");
    sent.push_back({std::nullopt, message_class, std::move(bytes)});
  }
  void ban(ReplicaId peer, std::string reason) override { banned.emplace_back(peer, reason); }
  void append(PersistId id, std::vector<consensus::LogRecord>) override {
    order.push_back("append");
    appended.push_back(id);
  }
  void cut(consensus::LogRecord) override { ++cuts; }
  void execute(ExecuteRequest request) override { executed.push_back(std::move(request)); }
  void put_certificate(crypto::ExecCertificate) override { order.push_back("certificate"); }
  void read_blocks(const consensus::ReadBlocks&) override { order.push_back("read"); }
  void flush() override { ++flushes; }
  void verify(TxHash hash, SharedBytes bytes) override {
    if (check_at_once) return answer(hash, bytes);
    checks.emplace_back(hash, std::move(bytes));
  }
  void answer(TxHash hash, SharedBytes bytes, bool is_executed = false) {
    driver->on_verified({hash,
                         check_body(std::move(bytes), world().chain_id, world().genesis.epoch,
                                    crypto::toy_verifier()),
                         is_executed});
  }
  void on_stop(consensus::Stop::Kind, const std::string& reason) override {
    stops.push_back(reason);
  }
  std::optional<Held> held(Height) const override { return std::nullopt; }
  void read_chunk(ReplicaId, const FetchChunk&) override {}
  void begin_install(const ledger::SnapshotHead&) override {}
  void store_chunk(std::uint16_t, Bytes) override {}
  void finish_install() override {}

  std::vector<Sent> sent_to(ReplicaId to) const {
    std::vector<Sent> out;
    std::copy_if(sent.begin(), sent.end(), std::back_inserter(out),
                 [to](const Sent& one) { return one.to == to; });
    return out;
  }
  /// All heights that were proposed are executed; the newest held these.
  void apply(const std::vector<CheckedTransaction>& all) {
    engine->now.executed = engine->now.highest_seen;
    AppliedBlock block;
    block.height = engine->now.executed;
    for (const CheckedTransaction& one : all) {
      block.transactions.push_back(one.hash());
      block.bodies.push_back(one.bytes());
    }
    driver->on_applied(std::move(block));
  }
  /// Makes the engine ask for the bodies of a batch.
  Hash want(const std::vector<SharedBytes>& bodies, std::vector<SharedBytes> inline_bodies = {}) {
    consensus::NeedBodies need;
    need.digest.bytes[0] = static_cast<std::uint8_t>(bodies.size() + 1);
    need.height = engine->now.executed.next();
    for (const SharedBytes& body : bodies) need.transactions.push_back(ledger::tx_hash(*body));
    need.ask_first = 0;
    need.inline_bodies = std::move(inline_bodies);
    const Hash digest = need.digest;
    engine->next.push_back(std::move(need));
    tick(last_ += 1);
    return digest;
  }

 private:
  std::uint64_t last_ = 1000;
};

TEST_CASE("driver: nothing that rides on a write is sent before the write is durable", "[driver]") {
  Bench bench;
  consensus::Persist persist;
  persist.id = PersistId{7};
  persist.writes = {{consensus::RecordType::pp_accept, shared("record")}};
  persist.then_send = {{std::nullopt, MessageClass::vote, shared("prepare")}};
  bench.engine->next.push_back(persist);
  bench.tick(1010);
  REQUIRE(bench.appended.size() == 1);
  CHECK(bench.sent.empty());
  CHECK(bench.engine->all<consensus::PersistedInput>().empty());

  bench.tick(9000);  // no time makes up for the disk
  CHECK(bench.sent.empty());
  bench.driver->on_persisted(bench.appended[0]);
  REQUIRE(bench.sent.size() == 1);
  CHECK(bench.sent[0].bytes == persist.then_send[0].bytes);
  REQUIRE(bench.engine->all<consensus::PersistedInput>().size() == 1);
  CHECK(bench.engine->all<consensus::PersistedInput>()[0].id == PersistId{7});
}

TEST_CASE("driver: effects are carried out in their order", "[driver]") {
  Bench bench;
  bench.engine->next.push_back(consensus::Send{ReplicaId{2}, MessageClass::sync, shared("a")});
  bench.engine->next.push_back(consensus::Persist{PersistId{1}, {}, {}});
  bench.engine->next.push_back(consensus::Certified{});
  bench.engine->next.push_back(consensus::ReadBlocks{});
  bench.tick(1010);
  CHECK(bench.order == std::vector<std::string>{"send", "append", "certificate", "read"});
}

TEST_CASE("driver: an admitted transaction goes to all validators at once and again after 500 ms",
          "[driver]") {
  Bench bench;
  const auto transaction = make_checked(world(), 1);
  REQUIRE(bench.driver->submit(transaction).has_value());
  REQUIRE(bench.sent.size() == 1);
  CHECK(bench.sent[0].message_class == MessageClass::transaction);
  const auto push = decode<PushTransactions>(*bench.sent[0].bytes);
  REQUIRE(push.has_value());
  CHECK(push->transactions == std::vector<Bytes>{*transaction.bytes()});
  bench.tick(1499);
  CHECK(bench.sent.size() == 1);
  bench.tick(1500);
  CHECK(bench.sent.size() == 2);
  CHECK_FALSE(bench.driver->submit(transaction).has_value());
}

TEST_CASE(
    "driver: an idle network gets a proposal at once, a busy one after the linger or when "
    "the batch is full",
    "[driver]") {
  Bench bench({.batch = {.transactions_max = 3}, .linger_ms = 5});
  bench.engine->may_propose = true;
  REQUIRE(bench.driver->submit(make_checked(world(), 1)).has_value());
  CHECK(bench.engine->all<consensus::ProposeInput>().size() == 1);  // idle

  REQUIRE(bench.driver->submit(make_checked(world(), 2)).has_value());
  CHECK(bench.engine->all<consensus::ProposeInput>().size() == 1);  // waits
  bench.tick(1004);
  CHECK(bench.engine->all<consensus::ProposeInput>().size() == 1);
  bench.tick(1005);
  REQUIRE(bench.engine->all<consensus::ProposeInput>().size() == 2);  // lingered

  for (std::uint64_t nonce = 3; nonce <= 5; ++nonce) {
    REQUIRE(bench.driver->submit(make_checked(world(), nonce)).has_value());
  }
  const auto proposals = bench.engine->all<consensus::ProposeInput>();
  REQUIRE(proposals.size() == 3);  // full
  CHECK(proposals[2].transactions.size() == 3);
  CHECK(proposals[2].bodies.size() == 3);

  REQUIRE(bench.driver->submit(make_checked(world(), 6)).has_value());
  bench.tick(1005 + 3 * 5 - 1);  // three heights are in flight
  CHECK(bench.engine->all<consensus::ProposeInput>().size() == 3);
  bench.tick(1005 + 3 * 5);
  CHECK(bench.engine->all<consensus::ProposeInput>().size() == 4);
}

TEST_CASE("driver: an idle network under load waits for a crowd, and for no single client",
          "[driver]") {
  Bench bench({.crowd_linger_ms = 20, .crowd_batch = 3, .crowd_operations = 2});
  bench.engine->may_propose = true;
  const auto proposals = [&] { return bench.engine->all<consensus::ProposeInput>().size(); };
  std::uint64_t nonce = 0;
  const auto submit = [&] {
    const auto one = make_checked(world(), ++nonce);
    REQUIRE(bench.driver->submit(one).has_value());
    return one;
  };
  // One client, however fast: each of its proposals goes out at once.
  for (std::size_t i = 1; i <= 60; ++i) {
    const auto one = submit();
    CHECK(proposals() == i);
    bench.apply({one});
  }
  // Another comes while the first one's height is in flight: from now on they wait for each other.
  const auto first = submit();
  CHECK(proposals() == 61);
  submit();
  bench.apply({first});
  CHECK(proposals() == 61);
  bench.tick(1019);
  CHECK(proposals() == 61);
  bench.tick(1020);
  CHECK(proposals() == 62);
  // Three are enough of a crowd.
  submit();
  bench.apply({});
  CHECK(proposals() == 62);
  submit();
  submit();
  CHECK(proposals() == 63);
}

TEST_CASE(
    "driver: bodies that are here are given at once; the others are fetched, from the "
    "proposer first",
    "[driver]") {
  Bench bench;
  const auto here = make_checked(world(), 1);
  const SharedBytes missing = make_body(world(), 2);
  REQUIRE(bench.driver->submit(here).has_value());
  const Hash digest = bench.want({here.bytes(), missing, here.bytes()});
  CHECK(bench.engine->all<consensus::BodiesInput>().empty());
  CHECK(bench.sent_to(0).empty());  // a push may be on its way

  bench.tick(1020);
  REQUIRE(bench.sent_to(0).size() == 1);
  const auto fetch = decode<FetchTransactions>(*bench.sent_to(0)[0].bytes);
  REQUIRE(fetch.has_value());
  CHECK(fetch->hashes == std::vector<TxHash>{ledger::tx_hash(*missing)});
  bench.tick(1130);
  bench.tick(1240);
  CHECK(bench.sent_to(2).size() + bench.sent_to(3).size() == 2);  // then the others, not this node
  CHECK(bench.sent_to(1).empty());

  ReplyTransactions reply;
  reply.transactions = {*missing};
  bench.driver->on_message(3, MessageClass::transaction,
                           std::make_shared<const Bytes>(encode(reply)));
  const auto given = bench.engine->all<consensus::BodiesInput>();
  REQUIRE(given.size() == 1);
  CHECK(given[0].digest == digest);
  REQUIRE(given[0].bodies.size() == 3);
  CHECK(*given[0].bodies[0] == *here.bytes());
  CHECK(*given[0].bodies[1] == *missing);
  CHECK(*given[0].bodies[2] == *here.bytes());
}

TEST_CASE("driver: inline bodies and pushes fill a batch too, checked once", "[driver]") {
  Bench bench;
  bench.check_at_once = false;
  const SharedBytes with_it = make_body(world(), 1);
  const SharedBytes pushed = make_body(world(), 2);
  bench.want({with_it, pushed}, {with_it});
  PushTransactions push;
  push.transactions = {*pushed, *with_it};
  bench.driver->on_message(2, MessageClass::transaction,
                           std::make_shared<const Bytes>(encode(push)));
  REQUIRE(bench.checks.size() == 2);  // the inline one is being checked already
  for (const auto& [hash, bytes] : bench.checks) bench.answer(hash, bytes);
  CHECK(bench.engine->all<consensus::BodiesInput>().size() == 1);
  CHECK(bench.banned.empty());
}

TEST_CASE("driver: a body that is executed already fills its batch and does not wait", "[driver]") {
  // Only the chain knows it: after a start nothing else remembers what was executed before.
  Bench bench;
  bench.check_at_once = false;
  const SharedBytes executed = make_body(world(), 1);
  const SharedBytes open = make_body(world(), 2);
  bench.want({executed, open}, {executed, open});
  REQUIRE(bench.checks.size() == 2);
  bench.answer(ledger::tx_hash(*executed), executed, true);
  bench.answer(ledger::tx_hash(*open), open);
  CHECK(bench.engine->all<consensus::BodiesInput>().size() == 1);
  CHECK(bench.driver->pool().size() == 1);
}

TEST_CASE(
    "driver: an invalid body makes the batch bad, whoever sends it; a pusher of one is banned",
    "[driver]") {
  auto transaction = test::make_transaction(world(), 1);
  transaction.signature.bytes[5] ^= 1;
  const auto bad = std::make_shared<const Bytes>(encode(transaction));
  SECTION("a reply: the proposer is to blame") {
    Bench bench;
    const Hash digest = bench.want({bad});
    ReplyTransactions reply;
    reply.transactions = {*bad};
    bench.driver->on_message(3, MessageClass::transaction,
                             std::make_shared<const Bytes>(encode(reply)));
    const auto verdicts = bench.engine->all<consensus::BadBodiesInput>();
    REQUIRE(verdicts.size() == 1);
    CHECK(verdicts[0].digest == digest);
    CHECK(bench.banned.empty());
  }
  SECTION("a push") {
    Bench bench;
    PushTransactions push;
    push.transactions = {*bad};
    bench.driver->on_message(3, MessageClass::transaction,
                             std::make_shared<const Bytes>(encode(push)));
    REQUIRE(bench.banned.size() == 1);
    CHECK(bench.banned[0].first == 3);
  }
}

TEST_CASE("consensus 1.12: a batch above the limits of the epoch is bad though every body is valid",
          "[driver]") {
  // Two transactions of two operations: four operations, and three key writes each.
  for (const TransactionPool::BatchLimits& limits :
       {TransactionPool::BatchLimits{.operations_max = 3},
        TransactionPool::BatchLimits{.weight_max = 5}}) {
    Bench bench({.batch = limits});
    const auto first = make_checked(world(), 1, 2);
    const auto second = make_checked(world(), 2, 2);
    REQUIRE(bench.driver->submit(first).has_value());
    REQUIRE(bench.driver->submit(second).has_value());
    bench.want({first.bytes(), second.bytes()});
    CHECK(bench.engine->all<consensus::BadBodiesInput>().size() == 1);
    CHECK(bench.engine->all<consensus::BodiesInput>().empty());
  }
}

TEST_CASE(
    "driver: a fetch is answered with what is here, executed a moment ago or waiting, and "
    "only up to a peer's share",
    "[driver]") {
  Bench bench({.serve_bytes_per_peer = 2500});
  const auto waiting = make_checked(world(), 1, 1, 1000);
  const auto executed = make_checked(world(), 2, 1, 1000);
  REQUIRE(bench.driver->submit(waiting).has_value());
  bench.driver->on_applied({Height{1}, {}, {}, {executed.hash()}, {executed.bytes()}});
  FetchTransactions fetch;
  fetch.hashes = {executed.hash(), TxHash{}, waiting.hash()};
  const auto bytes = std::make_shared<const Bytes>(encode(fetch));
  bench.driver->on_message(2, MessageClass::transaction, bytes);
  REQUIRE(bench.sent_to(2).size() == 1);
  const auto reply = decode<ReplyTransactions>(*bench.sent_to(2)[0].bytes);
  REQUIRE(reply.has_value());
  CHECK(reply->transactions == std::vector<Bytes>{*executed.bytes(), *waiting.bytes()});
  bench.driver->on_message(2, MessageClass::transaction, bytes);
  CHECK(bench.sent_to(2).size() == 1);  // its share of this turn is used up
  bench.tick(1200);
  bench.driver->on_message(2, MessageClass::transaction, bytes);
  CHECK(bench.sent_to(2).size() == 2);
}

TEST_CASE(
    "consensus 1.9: a peer that floods bodies makes this node check no more than the pool holds",
    "[driver]") {
  ReplicaDriver::Config config;
  config.pool.least = {8, 1000, 1 << 20};
  Bench bench(config);
  bench.check_at_once = false;
  const auto push = [&](ReplicaId from, std::uint64_t first, std::uint64_t count) {
    PushTransactions message;
    for (std::uint64_t nonce = first; nonce < first + count; ++nonce) {
      message.transactions.push_back(*make_body(world(), nonce));
    }
    bench.driver->on_message(from, MessageClass::transaction,
                             std::make_shared<const Bytes>(encode(message)));
  };
  push(2, 1, 20);
  CHECK(bench.checks.size() == 8);
  CHECK(bench.driver->figures().pushes_refused == 12);
  push(3, 101, 2);  // another peer has its own measure
  CHECK(bench.checks.size() == 10);
  bench.tick(1600);
  push(2, 201, 1);
  CHECK(bench.checks.size() == 11);
  // Four places are open to all and one is kept for each of four nodes: five for peer 2.
  for (std::size_t i = 0; i < 8; ++i) {
    const auto [hash, bytes] = bench.checks[i];
    bench.answer(hash, bytes);
  }
  CHECK(bench.driver->pool().size() == 5);
  push(2, 301, 3);
  CHECK(bench.checks.size() == 11);  // no room for it: not even looked at
  CHECK(bench.banned.empty());
}

TEST_CASE("driver: malformed messages and wrong classes end the connection", "[driver]") {
  Bench bench;
  const auto fetch = std::make_shared<const Bytes>(encode(FetchTransactions{}));
  bench.driver->on_message(2, MessageClass::transaction, shared(""));
  bench.driver->on_message(2, MessageClass::vote, fetch);
  bench.driver->on_message(2, MessageClass::transaction, shared("\x01garbage"));
  bench.driver->on_message(2, MessageClass::transaction, shared("\xC1garbage"));
  bench.driver->on_message(2, MessageClass::transaction, shared("\xFFgarbage"));
  bench.driver->on_message(2, MessageClass::vote, shared("\x01garbage"));
  CHECK(bench.banned.size() == 6);
  CHECK(bench.engine->all<consensus::DeliverInput>().empty());
}

TEST_CASE("consensus 1.12: the signature of a message that is not wanted is not checked",
          "[driver]") {
  Bench bench;
  const SharedBytes unsigned_vote =
      consensus::make_envelope(consensus::MessageKind::prepare, Epoch{0}, 2,
                               encode(crypto::Vote{View{0}, Height{1}, {}}), Signature{});
  bench.engine->wants_all = false;
  bench.driver->on_message(2, MessageClass::vote, unsigned_vote);
  CHECK(bench.banned.empty());
  CHECK(bench.driver->figures().unwanted == 1);
  bench.engine->wants_all = true;
  bench.driver->on_message(2, MessageClass::vote, unsigned_vote);
  CHECK(bench.banned.size() == 1);
  CHECK(bench.engine->all<consensus::DeliverInput>().empty());
}

TEST_CASE("driver: the store is flushed by heights and by time, and the engine hears of it",
          "[driver]") {
  Bench bench({.flush_ms = 60'000, .flush_heights = 10});
  bench.engine->now.executed = Height{9};
  bench.tick(1010);
  CHECK(bench.flushes == 0);
  bench.engine->now.executed = Height{10};
  bench.tick(1020);
  CHECK(bench.flushes == 1);
  bench.engine->now.executed = Height{30};
  bench.tick(1030);
  CHECK(bench.flushes == 1);  // one at a time
  bench.engine->next.push_back(
      consensus::CutLog{{consensus::RecordType::snapshot, shared("snapshot")}});
  bench.driver->on_flushed(Height{10});
  CHECK(bench.engine->all<consensus::FlushedInput>().size() == 1);
  CHECK(bench.cuts == 1);
  bench.tick(1040);
  CHECK(bench.flushes == 2);
}

TEST_CASE("driver: the store is flushed after a pause, once", "[driver]") {
  Bench bench({.flush_quiet_ms = 500, .flush_ms = 60'000});
  for (std::uint64_t at = 1010; at <= 2010; at += 100) {  // a block every 200 ms: no pause
    bench.engine->now.executed = Height{at / 200};
    bench.tick(at);
  }
  CHECK(bench.flushes == 0);
  bench.tick(2600);
  CHECK(bench.flushes == 1);
  bench.driver->on_flushed(Height{1});  // the newest blocks have no certificate yet
  bench.tick(2700);
  CHECK(bench.flushes == 1);
  bench.engine->now.executed = Height{11};
  bench.tick(2800);
  bench.tick(3400);
  CHECK(bench.flushes == 2);
  bench.driver->on_flushed(Height{11});
  bench.tick(70'000);
  CHECK(bench.flushes == 2);
}

TEST_CASE("driver: memory is flushed when it is full, the first time after a pause in turn",
          "[driver]") {
  const std::size_t turn = 4000 * 2 / world().genesis.epoch.validators.size();  // of node 1
  REQUIRE(turn < 4000);
  Bench bench({.flush_quiet_ms = 500, .flush_ms = 60'000, .flush_store_bytes = 4000});
  std::uint64_t height = 0;
  const auto apply = [&](std::size_t waiting_bytes, std::size_t gather_bytes = 0) {
    bench.engine->now.executed = Height{++height};
    AppliedBlock block;
    block.height = Height{height};
    block.waiting_bytes = waiting_bytes;
    block.gather_bytes = gather_bytes;
    bench.driver->on_applied(std::move(block));
    bench.tick(1000 + height * 10);
    const std::size_t flushes = std::exchange(bench.flushes, 0);
    if (flushes > 0) bench.driver->on_flushed(Height{height});
    return flushes;
  };
  CHECK(apply(turn - 1) == 0);
  CHECK(apply(turn) == 1);
  CHECK(apply(turn) == 0);
  CHECK(apply(3999) == 0);
  CHECK(apply(4000) == 1);
  bench.engine->now.executed = Height{++height};  // executed, and not heard of yet
  bench.tick(1000 + height * 10);
  CHECK(bench.flushes == 0);  // what was full is flushed
  CHECK(apply(3999) == 0);
  bench.tick(2000);
  CHECK(bench.flushes == 1);  // the pause, in which all nodes flush
  bench.driver->on_flushed(Height{height});
  bench.flushes = 0;
  height += 200;
  CHECK(apply(turn - 1) == 0);
  CHECK(apply(turn) == 1);
  CHECK(apply(turn) == 0);
  // A chain that has memory for more is flushed less often.
  CHECK(apply(9999, 10'000) == 0);
  CHECK(apply(10'000, 10'000) == 1);
  CHECK(apply(3999, 10) == 0);
  CHECK(apply(4000, 10) == 1);
}

TEST_CASE("driver: a stop and a failed execution raise one alarm", "[driver]") {
  Bench bench;
  bench.driver->on_execution_failed(fail(Errc::bad_block, "first"));
  bench.engine->next.push_back(consensus::Stop{consensus::Stop::Kind::halt, "second"});
  bench.tick(1010);
  CHECK(bench.stops == std::vector<std::string>{"first"});
}

}  // namespace
}  // namespace baolian::node
