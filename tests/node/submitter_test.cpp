#include "node/submitter.h"

#include <atomic>
#include <chrono>
#include <future>

#include "contracts/parameters.h"
#include "contracts/state.h"
#include "ledger/fixture.h"
#include "ledger/memory_store.h"
#include "ledger/snapshot_files.h"
#include "ledger/snapshot_installer.h"
#include "node/executed_block.h"
#include "node/outbox.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

using ledger::ReceiptStatus;
using ledger::test::numbered;
using Outcomes = Result<std::vector<OperationOutcome>>;

constexpr std::uint64_t kStartMs = 1'700'000'000'000;
constexpr auto kPatience = std::chrono::seconds(20);

/// The rest of the node: a chain on memory, a pool that keeps what it is sent, a clock that stands.
class World {
 public:
  explicit World(std::uint64_t weight_max = 0) {
    ledger::Genesis genesis = ledger::test::make_genesis();
    if (weight_max > 0) {
      genesis.epoch.parameters = {
          {static_cast<std::uint16_t>(contracts::ParameterId::transaction_weight_max), weight_max}};
    }
    chain_ =
        ledger::Chain::open(ledger::make_memory_store(), genesis, ledger::test::genesis_writes())
            .value();
  }

  ledger::Chain& chain() { return *chain_; }
  std::string outbox_path() const { return directory_.path() + "/outbox"; }
  void set_clock(std::uint64_t ms) { clock_ms_ = ms; }
  void refuse_sends(bool refuse) { refuse_ = refuse; }

  std::unique_ptr<Submitter> submitter(Submitter::Config config = {}) {
    Submitter::Ports ports;
    ports.send = [this](const Bytes& bytes) -> Result<void> {
      const std::lock_guard lock(mutex_);
      sent_.push_back(bytes);
      arrived_.notify_all();
      if (refuse_) return fail(Errc::busy, "the pool is full");
      return ok();
    };
    ports.clock = [this] { return TimeMs{clock_ms_}; };
    return std::make_unique<Submitter>(config, std::move(ports), *chain_,
                                       Outbox::open(outbox_path()).value());
  }

  /// Waits until so many transactions were sent in all; the last of them.
  Bytes wait_sent(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(arrived_.wait_for(lock, kPatience, [&] { return sent_.size() >= count; }));
    return sent_[count - 1];
  }
  std::vector<Bytes> sent() {
    const std::lock_guard lock(mutex_);
    return sent_;
  }

  /// Executes a block of these transactions. Not certified yet.
  void execute(const std::vector<Bytes>& transactions, std::uint64_t time_ms = kStartMs,
               ReceiptStatus status = ReceiptStatus::applied) {
    test::execute_block(*chain_, transactions, TimeMs{time_ms}, status, std::move(writes_));
  }
  void write_state(Bytes key, Bytes value) { writes_[std::move(key)] = std::move(value); }
  /// Certifies the newest height and reports it.
  void certify(Submitter& submitter) {
    const Height height = chain_->height();
    chain_->put_certificate(ledger::test::certificate_of(*chain_->header(height)));
    submitter.on_certified(height);
  }

  /// The store was lost: the chain begins again with a snapshot of its newest height.
  void join() {
    const auto cut = chain_->cut();
    const std::string making = directory_.path() + "/making";
    auto ends = ledger::write_chunks(cut, making, [] { return false; });
    const auto file = ledger::SnapshotFile::complete(making, directory_.path() + "/whole",
                                                     {.version = {},
                                                      .head = chain_->snapshot_head(cut).value(),
                                                      .ends = std::move(ends).value()})
                          .value();
    const auto disk = std::make_shared<ledger::MemoryDisk>();
    auto installer = ledger::SnapshotInstaller::open(ledger::make_memory_store(disk),
                                                     chain_->genesis(), file->head());
    for (std::uint16_t i = 0; i < ledger::kChunkCount; ++i) {
      REQUIRE(installer->add(file->read(i, 0, ledger::kChunkBytesMax).value()).has_value());
    }
    installer->finish(ledger::test::genesis_writes());
    chain_ = ledger::Chain::open(ledger::make_memory_store(disk), chain_->genesis(),
                                 ledger::test::genesis_writes())
                 .value();
  }

 private:
  ledger::test::TemporaryDirectory directory_;
  std::unique_ptr<ledger::Chain> chain_;
  std::atomic<std::uint64_t> clock_ms_{kStartMs};
  std::atomic<bool> refuse_{false};
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Bytes> sent_;
  ledger::StateOverlay::Writes writes_;
};

ledger::Operation operation(std::uint64_t id, std::size_t content_bytes = 10) {
  ledger::Operation out;
  out.kind = 1;
  out.request_id = numbered<RequestId>(id);
  out.content = Bytes(content_bytes, static_cast<std::uint8_t>(id));
  return out;
}

/// Submits; the answer comes into the future.
std::future<Outcomes> submit(Submitter& submitter, const crypto::Signer& signer,
                             std::vector<ledger::Operation> operations) {
  auto promise = std::make_shared<std::promise<Outcomes>>();
  auto future = promise->get_future();
  submitter.submit(signer, std::move(operations),
                   [promise](Outcomes outcomes) { promise->set_value(std::move(outcomes)); });
  return future;
}

bool is_ready(const std::future<Outcomes>& future) {
  return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

Outcomes answer_of(std::future<Outcomes>& future) {
  REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
  return future.get();
}

Errc error_of(std::future<Outcomes>& future) {
  const Outcomes outcomes = answer_of(future);
  REQUIRE_FALSE(outcomes.has_value());
  return outcomes.error().code;
}

Errc error_of(const Result<OperationOutcome>& outcome) {
  REQUIRE_FALSE(outcome.has_value());
  return outcome.error().code;
}

ledger::TransactionBody body_of(const Bytes& transaction) {
  return decode<ledger::Transaction>(transaction).value().body;
}

std::vector<RequestId> requests_in(const Bytes& transaction) {
  std::vector<RequestId> out;
  for (const auto& o : body_of(transaction).operations) out.push_back(o.request_id);
  return out;
}

std::vector<RequestId> requests(std::initializer_list<std::uint64_t> ids) {
  std::vector<RequestId> out;
  for (const auto id : ids) out.push_back(numbered<RequestId>(id));
  return out;
}

const auto kGateway = crypto::make_toy_signer(101);
const auto kAgent = crypto::make_toy_signer(102);

TEST_CASE("an operation is signed, sent at once and answered when it is certified", "[submitter]") {
  World world;
  const auto submitter = world.submitter();
  submitter->start();
  auto answer = submit(*submitter, *kGateway, {operation(1), operation(2)});
  const Bytes sent = world.wait_sent(1);
  REQUIRE(ledger::check_transaction(sent, world.chain().chain_id(), crypto::toy_verifier())
              .has_value());
  const auto body = body_of(sent);
  CHECK(body.sender == kGateway->public_key());
  CHECK(body.nonce == Nonce{1});
  CHECK(body.expires_at == TimeMs{kStartMs + 60'000});
  world.execute({sent});
  CHECK_FALSE(is_ready(answer));
  CHECK(error_of(submitter->outcome_of(numbered<RequestId>(1))) == Errc::not_certified);
  world.certify(*submitter);
  const auto outcomes = answer_of(answer).value();
  REQUIRE(outcomes.size() == 2);
  for (std::uint16_t i = 0; i < 2; ++i) {
    CHECK(outcomes[i].request_id == numbered<RequestId>(i + 1U));
    CHECK(outcomes[i].tx_id == ledger::tx_id(body));
    CHECK(outcomes[i].op_index == i);
    CHECK(outcomes[i].leaf == i);
    CHECK(outcomes[i].height == Height{1});
    CHECK(outcomes[i].block_time == TimeMs{kStartMs});
    CHECK(outcomes[i].receipt.status == ReceiptStatus::applied);
  }
}

TEST_CASE("operations that wait go together into the next transaction, in order", "[submitter]") {
  World world;
  const auto submitter = world.submitter({.in_flight_max = 1});
  submitter->start();
  auto first = submit(*submitter, *kGateway, {operation(1)});
  const Bytes sent = world.wait_sent(1);
  auto second = submit(*submitter, *kGateway, {operation(2), operation(3)});
  auto third = submit(*submitter, *kGateway, {operation(4)});
  world.execute({sent});
  world.certify(*submitter);
  const Bytes group = world.wait_sent(2);
  CHECK(requests_in(group) == requests({2, 3, 4}));
  CHECK(body_of(group).nonce == Nonce{2});
  world.execute({group}, kStartMs, ReceiptStatus::rejected);
  world.certify(*submitter);
  CHECK(answer_of(first).value().size() == 1);
  const auto of_second = answer_of(second).value();
  const auto of_third = answer_of(third).value();
  REQUIRE(of_second.size() == 2);
  REQUIRE(of_third.size() == 1);
  CHECK(of_second[1].request_id == numbered<RequestId>(3));
  CHECK(of_second[1].receipt.code == 101);
  CHECK(of_third[0].request_id == numbered<RequestId>(4));
  CHECK(of_third[0].op_index == 2);
  CHECK(of_third[0].receipt.code == 102);
}

TEST_CASE("two signers have transactions and nonces of their own", "[submitter]") {
  World world;
  const auto submitter = world.submitter({.in_flight_max = 1});
  submitter->start();
  auto first = submit(*submitter, *kGateway, {operation(1)});
  world.wait_sent(1);
  // The gateway's key must wait; the agent's need not.
  auto second = submit(*submitter, *kGateway, {operation(2)});
  auto agent = submit(*submitter, *kAgent, {operation(3)});
  const Bytes of_agent = world.wait_sent(2);
  CHECK(body_of(of_agent).sender == kAgent->public_key());
  CHECK(body_of(of_agent).nonce == Nonce{1});
  CHECK(requests_in(of_agent) == requests({3}));
  world.execute({of_agent});
  world.certify(*submitter);
  CHECK(answer_of(agent).has_value());
  CHECK_FALSE(is_ready(second));
}

TEST_CASE("a transaction rejected as a whole answers each of its operations", "[submitter]") {
  World world;
  const auto submitter = world.submitter();
  submitter->start();
  auto answer = submit(*submitter, *kGateway, {operation(1), operation(2), operation(3)});
  const Bytes sent = world.wait_sent(1);
  world.execute({sent}, kStartMs, ReceiptStatus::transaction_rejected);
  world.certify(*submitter);
  const auto outcomes = answer_of(answer).value();
  REQUIRE(outcomes.size() == 3);
  for (std::uint64_t i = 0; i < 3; ++i) {
    CHECK(outcomes[i].request_id == numbered<RequestId>(i + 1));
    CHECK(outcomes[i].op_index == ledger::kWholeTransaction);
    CHECK(outcomes[i].receipt.status == ReceiptStatus::transaction_rejected);
  }
  const auto asked = submitter->outcome_of(numbered<RequestId>(3));
  REQUIRE(asked.has_value());
  CHECK(asked->request_id == numbered<RequestId>(3));
  CHECK(asked->receipt.status == ReceiptStatus::transaction_rejected);
}

TEST_CASE("a transaction that stands twice in a block has the outcome of the first",
          "[submitter]") {
  World world;
  const auto submitter = world.submitter();
  submitter->start();
  for (const auto status : {ReceiptStatus::applied, ReceiptStatus::transaction_rejected}) {
    const std::uint64_t id = status == ReceiptStatus::applied ? 1 : 3;
    auto answer = submit(*submitter, *kGateway, {operation(id), operation(id + 1)});
    const Bytes sent = world.wait_sent(status == ReceiptStatus::applied ? 1 : 2);
    world.execute({sent, sent}, kStartMs, status);
    world.certify(*submitter);
    const auto outcomes = answer_of(answer).value();
    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes[0].receipt.status == status);
    CHECK(outcomes[1].receipt.status == status);
    CHECK(outcomes[1].request_id == numbered<RequestId>(id + 1));
  }
}

TEST_CASE("heights that are certified together are all looked at", "[submitter]") {
  World world;
  const auto submitter = world.submitter();
  submitter->start();
  auto first = submit(*submitter, *kGateway, {operation(1)});
  const Bytes sent_first = world.wait_sent(1);
  auto second = submit(*submitter, *kGateway, {operation(2)});
  const Bytes sent_second = world.wait_sent(2);
  world.execute({sent_first});
  world.execute({});
  world.execute({sent_second});
  world.certify(*submitter);
  CHECK(answer_of(first).value()[0].height == Height{1});
  CHECK(answer_of(second).value()[0].height == Height{3});
}

TEST_CASE("a transaction that certified block time has passed can execute no more", "[submitter]") {
  World world;
  const auto submitter = world.submitter();
  submitter->start();
  auto answer = submit(*submitter, *kGateway, {operation(1)});
  world.wait_sent(1);
  world.execute({}, kStartMs + 60'000);
  world.certify(*submitter);
  CHECK_FALSE(is_ready(answer));
  CHECK(error_of(submitter->outcome_of(numbered<RequestId>(1))) == Errc::not_certified);
  world.execute({}, kStartMs + 60'001);
  world.certify(*submitter);
  CHECK(error_of(answer) == Errc::timed_out);
  CHECK(error_of(submitter->outcome_of(numbered<RequestId>(1))) == Errc::timed_out);
}

TEST_CASE("without certified blocks nobody waits for ever, and the outcome comes later",
          "[submitter]") {
  World world;
  const auto submitter = world.submitter({.in_flight_max = 1});
  submitter->start();
  auto answer = submit(*submitter, *kGateway, {operation(1)});
  const Bytes sent = world.wait_sent(1);
  auto queued = submit(*submitter, *kGateway, {operation(2)});
  world.set_clock(kStartMs + 60'000 + 5'000 + 1);
  CHECK(error_of(answer) == Errc::not_certified);
  CHECK(error_of(queued) == Errc::busy);  // never signed: it may be asked again
  CHECK(error_of(submitter->outcome_of(numbered<RequestId>(1))) == Errc::not_certified);
  CHECK(error_of(submitter->outcome_of(numbered<RequestId>(2))) == Errc::not_found);
  world.execute({sent});
  world.certify(*submitter);
  CHECK(submitter->outcome_of(numbered<RequestId>(1)).has_value());
}

TEST_CASE("consensus 1.9: after a restart exactly the stored bytes go out again", "[submitter]") {
  World world;
  std::vector<Bytes> signed_bytes;
  {
    const auto submitter = world.submitter();
    submitter->start();
    std::vector<std::future<Outcomes>> answers;
    for (std::uint64_t i = 1; i <= 4; ++i) {
      answers.push_back(submit(*submitter, *kGateway, {operation(i)}));
      signed_bytes.push_back(world.wait_sent(i));
    }
    world.execute({signed_bytes[1]});  // executed, but this run never heard that it is certified
    submitter->stop();
    for (auto& answer : answers) CHECK(error_of(answer) == Errc::not_certified);
  }
  world.set_clock(kStartMs + 1'000);
  const auto submitter = world.submitter();
  submitter->start();
  const std::vector<Bytes> sent = world.sent();
  CHECK(std::vector<Bytes>(sent.begin() + 4, sent.end()) ==
        std::vector<Bytes>{signed_bytes[0], signed_bytes[2], signed_bytes[3]});
  // Request ids are remembered, and new nonces go on above the old ones.
  auto repeated = submit(*submitter, *kGateway, {operation(3)});
  CHECK(error_of(repeated) == Errc::already_exists);
  auto fresh = submit(*submitter, *kGateway, {operation(5)});
  CHECK(body_of(world.wait_sent(8)).nonce == Nonce{5});
  world.certify(*submitter);
  CHECK(submitter->outcome_of(numbered<RequestId>(2)).has_value());
  world.execute({signed_bytes[0], signed_bytes[2], signed_bytes[3]});
  world.certify(*submitter);
  CHECK(submitter->outcome_of(numbered<RequestId>(4)).value().receipt.status ==
        ReceiptStatus::applied);
}

TEST_CASE("after a restart what has expired is not sent again", "[submitter]") {
  World world;
  {
    const auto submitter = world.submitter();
    submitter->start();
    auto answer = submit(*submitter, *kGateway, {operation(1)});
    world.wait_sent(1);
  }
  world.set_clock(kStartMs + 60'001);
  const auto submitter = world.submitter();
  submitter->start();
  auto answer = submit(*submitter, *kGateway, {operation(2)});
  CHECK(requests_in(world.wait_sent(2)) == requests({2}));
}

TEST_CASE("what the pool refuses goes out again as the same bytes", "[submitter]") {
  World world;
  const auto submitter = world.submitter();
  world.refuse_sends(true);
  submitter->start();
  auto answer = submit(*submitter, *kGateway, {operation(1)});
  const Bytes first = world.wait_sent(1);
  world.set_clock(kStartMs + 200);
  CHECK(world.wait_sent(2) == first);
  world.refuse_sends(false);
  world.set_clock(kStartMs + 400);
  CHECK(world.wait_sent(3) == first);
  world.execute({first});
  world.certify(*submitter);
  CHECK(answer_of(answer).has_value());
}

TEST_CASE("what the pool took and lost goes out again, ever more rarely", "[submitter]") {
  World world;
  const auto submitter = world.submitter({.expiry_ms = 600'000});
  submitter->start();
  auto answer = submit(*submitter, *kGateway, {operation(1)});
  const Bytes first = world.wait_sent(1);
  world.set_clock(kStartMs + 2'000);
  CHECK(world.wait_sent(2) == first);
  world.set_clock(kStartMs + 5'999);
  // Another operation's turn shows that nothing else was due.
  auto other = submit(*submitter, *kAgent, {operation(2)});
  CHECK(requests_in(world.wait_sent(3)) == requests({2}));
  world.set_clock(kStartMs + 6'000);
  CHECK(world.wait_sent(4) == first);
}

TEST_CASE("consensus 1.9: no nonce is signed beyond the window above the lowest open one",
          "[submitter]") {
  World world;
  const auto submitter = world.submitter({.in_flight_max = 3});
  submitter->start();
  std::vector<std::future<Outcomes>> answers;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    answers.push_back(submit(*submitter, *kGateway, {operation(i)}));
    world.wait_sent(i);
  }
  answers.push_back(submit(*submitter, *kGateway, {operation(4)}));
  // Two of three are done, but the lowest nonce is still open: the fourth must wait.
  world.execute({world.sent()[1], world.sent()[2]});
  world.certify(*submitter);
  CHECK(answer_of(answers[2]).has_value());
  auto agent = submit(*submitter, *kAgent, {operation(5)});
  CHECK(requests_in(world.wait_sent(4)) == requests({5}));
  world.execute({world.sent()[0]});
  world.certify(*submitter);
  const Bytes next = world.wait_sent(5);
  CHECK(requests_in(next) == requests({4}));
  CHECK(body_of(next).nonce == Nonce{4});
}

TEST_CASE("a lost outbox does not begin again below the chain's nonces", "[submitter]") {
  World world;
  contracts::NonceWindow window;
  window.highest = Nonce{5'000};
  world.write_state(contracts::keys::nonce(kGateway->public_key()), encode(window));
  world.execute({});
  const auto submitter = world.submitter();
  submitter->start();
  auto answer = submit(*submitter, *kGateway, {operation(1)});
  CHECK(body_of(world.wait_sent(1)).nonce == Nonce{5'001});
}

TEST_CASE("what may stand in a block of before the chain's base is not called expired",
          "[submitter]") {
  World world;
  contracts::NonceWindow window;
  {
    const auto submitter = world.submitter();
    submitter->start();
    std::vector<std::future<Outcomes>> answers;
    for (std::uint64_t id = 1; id <= 2; ++id) {
      answers.push_back(submit(*submitter, *kGateway, {operation(id)}));
      window.use(body_of(world.wait_sent(id)).nonce);
      if (id == 1)
        world.write_state(contracts::keys::nonce(kGateway->public_key()), encode(window));
    }
    world.execute({world.sent()[0]});  // the first alone
    world.certify(*submitter);
    CHECK(answer_of(answers[0]).has_value());
  }
  world.join();
  const auto submitter = world.submitter();
  submitter->start();
  // Certified block time passes the expiry of both.
  world.execute({}, kStartMs + 3'600'000);
  world.certify(*submitter);
  CHECK(error_of(submitter->outcome_of(numbered<RequestId>(1))) == Errc::pruned);
  CHECK(error_of(submitter->outcome_of(numbered<RequestId>(2))) == Errc::timed_out);
  // What was signed after the snapshot is judged by the blocks that are here.
  world.set_clock(kStartMs + 3'600'000);
  const std::size_t before = world.sent().size();
  auto late = submit(*submitter, *kGateway, {operation(3)});
  const TimeMs expiry = body_of(world.wait_sent(before + 1)).expires_at;
  world.execute({}, expiry.value + 1);
  world.certify(*submitter);
  CHECK(error_of(late) == Errc::timed_out);
  CHECK(error_of(submitter->outcome_of(numbered<RequestId>(3))) == Errc::timed_out);
}

TEST_CASE("a request id leads to one operation, whether it waits, is sent or is done",
          "[submitter]") {
  World world;
  const auto submitter = world.submitter({.in_flight_max = 1});
  submitter->start();
  CHECK(error_of(submitter->outcome_of(numbered<RequestId>(1))) == Errc::not_found);
  auto first = submit(*submitter, *kGateway, {operation(1)});
  const Bytes sent = world.wait_sent(1);
  auto waiting = submit(*submitter, *kGateway, {operation(2)});
  CHECK(error_of(submitter->outcome_of(numbered<RequestId>(2))) == Errc::not_certified);
  for (const std::uint64_t id : {1U, 2U}) {
    auto again = submit(*submitter, *kAgent, {operation(9), operation(id)});
    CHECK(error_of(again) == Errc::already_exists);
  }
  auto twice = submit(*submitter, *kAgent, {operation(9), operation(9)});
  CHECK(error_of(twice) == Errc::already_exists);
  CHECK(error_of(submitter->outcome_of(numbered<RequestId>(9))) == Errc::not_found);
  world.execute({sent});
  world.certify(*submitter);
  CHECK(answer_of(first).has_value());
  auto done = submit(*submitter, *kGateway, {operation(1)});
  CHECK(error_of(done) == Errc::already_exists);
  const auto outcome = submitter->outcome_of(numbered<RequestId>(1));
  REQUIRE(outcome.has_value());
  CHECK(outcome->tx_id == ledger::tx_id(body_of(sent)));
}

TEST_CASE("too many operations that wait or are in flight are refused as busy", "[submitter]") {
  World world;
  const auto submitter = world.submitter({.waiting_max = 3});
  submitter->start();
  auto first = submit(*submitter, *kGateway, {operation(1), operation(2)});
  const Bytes sent = world.wait_sent(1);
  auto refused = submit(*submitter, *kGateway, {operation(3), operation(4)});
  CHECK(error_of(refused) == Errc::busy);
  auto fits = submit(*submitter, *kGateway, {operation(5)});
  world.wait_sent(2);
  world.execute({sent});
  world.certify(*submitter);
  CHECK(answer_of(first).has_value());
  // A refused id may be used again.
  auto again = submit(*submitter, *kGateway, {operation(3), operation(4)});
  CHECK(requests_in(world.wait_sent(3)) == requests({3, 4}));
}

TEST_CASE("operations that no transaction can hold are refused", "[submitter]") {
  World world;
  const auto submitter = world.submitter();
  submitter->start();
  auto content =
      submit(*submitter, *kGateway, {operation(1, ledger::kOperationContentBytesMax + 1)});
  CHECK(error_of(content) == Errc::limit_exceeded);
  auto together = submit(*submitter, *kGateway, {operation(2, 140'000), operation(3, 140'000)});
  CHECK(error_of(together) == Errc::limit_exceeded);
  ledger::Operation cosigned = operation(4);
  cosigned.cosignatures.resize(5);
  auto cosignatures = submit(*submitter, *kGateway, {cosigned});
  CHECK(error_of(cosignatures) == Errc::limit_exceeded);
  auto largest = submit(*submitter, *kGateway, {operation(5, ledger::kOperationContentBytesMax)});
  CHECK(requests_in(world.wait_sent(1)) == requests({5}));
}

TEST_CASE("what fits into no common transaction goes into several", "[submitter]") {
  World world;
  const auto submitter = world.submitter({.in_flight_max = 2});
  submitter->start();
  auto first = submit(*submitter, *kGateway, {operation(1)});
  const Bytes one = world.wait_sent(1);
  auto second = submit(*submitter, *kAgent, {operation(2)});
  auto third = submit(*submitter, *kAgent, {operation(3)});
  // Fill the agent's window, then let large calls wait.
  std::size_t sent = 2;
  while (requests_in(world.wait_sent(sent)).back() != numbered<RequestId>(3)) ++sent;
  if (sent == 2) {
    auto filler = submit(*submitter, *kAgent, {operation(4)});
    world.wait_sent(++sent);
  }
  auto large = submit(*submitter, *kAgent, {operation(5, 140'000)});
  auto larger = submit(*submitter, *kAgent, {operation(6, 140'000)});
  std::vector<Bytes> all = world.sent();
  world.execute({all.begin() + 1, all.end()});
  world.certify(*submitter);
  CHECK(requests_in(world.wait_sent(sent + 1)) == requests({5}));
  CHECK(requests_in(world.wait_sent(sent + 2)) == requests({6}));
}

TEST_CASE("a group never weighs more than a transaction may", "[submitter]") {
  World world(4);  // an unknown kind weighs 1, the nonce window 1
  const auto submitter = world.submitter({.in_flight_max = 1});
  submitter->start();
  auto too_heavy =
      submit(*submitter, *kGateway, {operation(20), operation(21), operation(22), operation(23)});
  CHECK(error_of(too_heavy) == Errc::limit_exceeded);
  auto first = submit(*submitter, *kGateway, {operation(1)});
  world.wait_sent(1);
  std::vector<std::future<Outcomes>> waiting;
  for (std::uint64_t i = 2; i <= 6; ++i) {
    waiting.push_back(submit(*submitter, *kGateway, {operation(i)}));
  }
  world.execute({world.sent()[0]});
  world.certify(*submitter);
  CHECK(requests_in(world.wait_sent(2)) == requests({2, 3, 4}));
  world.execute({world.sent()[1]});
  world.certify(*submitter);
  CHECK(requests_in(world.wait_sent(3)) == requests({5, 6}));
}

TEST_CASE("stopping answers everybody once", "[submitter]") {
  World world;
  const auto submitter = world.submitter({.in_flight_max = 1});
  submitter->start();
  auto in_flight = submit(*submitter, *kGateway, {operation(1)});
  world.wait_sent(1);
  auto waiting = submit(*submitter, *kGateway, {operation(2)});
  submitter->stop();
  CHECK(error_of(in_flight) == Errc::not_certified);
  CHECK(error_of(waiting) == Errc::busy);
  auto late = submit(*submitter, *kGateway, {operation(3)});
  CHECK(error_of(late) == Errc::busy);
  submitter->stop();
}

TEST_CASE("an answer may submit again", "[submitter]") {
  World world;
  const auto submitter = world.submitter();
  submitter->start();
  std::promise<Outcomes> second;
  auto answer = second.get_future();
  submitter->submit(*kGateway, {operation(1)}, [&](const Outcomes&) {
    submitter->submit(*kGateway, {operation(2)},
                      [&](Outcomes outcomes) { second.set_value(std::move(outcomes)); });
  });
  world.execute({world.wait_sent(1)});
  world.certify(*submitter);
  world.execute({world.wait_sent(2)});
  world.certify(*submitter);
  CHECK(answer_of(answer).has_value());
}

TEST_CASE("many callers at once: every operation has its one outcome", "[submitter]") {
  World world;
  const auto submitter = world.submitter();
  submitter->start();
  constexpr std::uint64_t kCallers = 8;
  constexpr std::uint64_t kEach = 25;
  std::atomic<std::uint64_t> answered{0};
  std::vector<std::thread> callers;
  for (std::uint64_t c = 0; c < kCallers; ++c) {
    callers.emplace_back([&, c] {
      const auto& signer = c % 2 == 0 ? *kGateway : *kAgent;
      for (std::uint64_t i = 0; i < kEach; ++i) {
        const auto outcomes = submitter->submit_and_wait(signer, {operation(1 + c * kEach + i)});
        if (outcomes && outcomes->size() == 1 &&
            (*outcomes)[0].request_id == numbered<RequestId>(1 + c * kEach + i)) {
          ++answered;
        }
      }
    });
  }
  std::size_t executed = 0;
  std::size_t operations = 0;
  while (operations < kCallers * kEach) {
    const Bytes next = world.wait_sent(executed + 1);
    ++executed;
    operations += body_of(next).operations.size();
    world.execute({next});
    world.certify(*submitter);
  }
  for (auto& caller : callers) caller.join();
  CHECK(answered == kCallers * kEach);
}

}  // namespace
}  // namespace baolian::node
