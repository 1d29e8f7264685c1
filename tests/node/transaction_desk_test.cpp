#include "node/transaction_desk.h"

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <future>
#include <iterator>
#include <mutex>
#include <optional>

#include "core/codec_table.h"
#include "ledger/fixture.h"
#include "ledger/memory_store.h"
#include "node/executed_block.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

using ledger::ReceiptStatus;
using ledger::test::numbered;

constexpr TimeMs kNow{1'700'000'000'000};
constexpr auto kPatience = std::chrono::seconds(20);

/// The rest of the node: a chain on memory and a pool that keeps what it is sent.
class World {
 public:
  explicit World(TransactionDesk::Config config = {}) {
    chain_ = ledger::Chain::open(ledger::make_memory_store(), ledger::test::make_genesis(),
                                 ledger::test::genesis_writes())
                 .value();
    TransactionDesk::Ports ports;
    ports.send = [this](Bytes bytes, const std::function<void(Result<TxHash>)>& done) {
      const TxHash hash = ledger::tx_hash(bytes);
      Result<TxHash> answer = hash;
      {
        const std::lock_guard lock(mutex_);
        if (room_ == 0) refusal_ = fail(Errc::busy, "full");
        if (room_ > 0) --room_;
        sent_.push_back(std::move(bytes));
        changed_.notify_all();
        if (refusal_) answer = *refusal_;
      }
      done(answer);
    };
    ports.serves = [this](const PublicKey& key) { return key == signer_->public_key(); };
    ports.now_ms = [this] { return now_ms_.load(); };
    desk_ = std::make_unique<TransactionDesk>(config, std::move(ports), *chain_);
    desk_->start();
  }

  TransactionDesk& desk() { return *desk_; }
  std::size_t sent_count() const { return sent().size(); }
  /// With those that found no room.
  std::vector<Bytes> sent() const {
    const std::lock_guard lock(mutex_);
    return sent_;
  }
  /// The same as soon as there are so many, or after a long time.
  std::vector<Bytes> wait_sent(std::size_t count) const {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return sent_.size() >= count; });
    return sent_;
  }
  void refuse_with(Errc code) { refusal_ = fail(code, "refused"); }
  /// So many transactions more are admitted, then none.
  void make_room(std::size_t transactions) {
    const std::lock_guard lock(mutex_);
    room_ = transactions;
    refusal_.reset();
  }
  void pass_ms(std::uint64_t ms) { now_ms_ += ms; }

  Bytes transaction(std::uint64_t nonce, std::size_t operations = 1) const {
    return sign(*signer_, nonce, operations);
  }
  Bytes transaction_of_a_stranger() const { return sign(*stranger_, 1, 1); }

  void execute(const std::vector<Bytes>& transactions,
               ReceiptStatus status = ReceiptStatus::applied) {
    test::execute_block(*chain_, transactions, kNow, status);
  }
  void certify() {
    const Height height = chain_->height();
    chain_->put_certificate(ledger::test::certificate_of(*chain_->header(height)));
    desk_->on_certified(height);
  }

 private:
  Bytes sign(const crypto::Signer& signer, std::uint64_t nonce, std::size_t operations) const {
    ledger::TransactionBody body;
    body.chain_id = chain_->chain_id();
    body.sender = signer.public_key();
    body.nonce = Nonce{nonce};
    body.expires_at = TimeMs{kNow.value + 60'000};
    for (std::size_t i = 0; i < operations; ++i) {
      ledger::Operation operation;
      operation.kind = 1;
      operation.request_id = numbered<RequestId>(nonce * 1000 + i);
      body.operations.push_back(std::move(operation));
    }
    return encode(ledger::sign_transaction(std::move(body), signer));
  }

  std::unique_ptr<crypto::Signer> signer_ = crypto::make_toy_signer(7);
  std::unique_ptr<crypto::Signer> stranger_ = crypto::make_toy_signer(8);
  std::unique_ptr<ledger::Chain> chain_;
  mutable std::mutex mutex_;  // of the next three: the desk sends on a thread of its own too
  mutable std::condition_variable changed_;
  std::vector<Bytes> sent_;
  std::optional<Error> refusal_;
  std::size_t room_ = SIZE_MAX;
  std::atomic<std::uint64_t> now_ms_ = 1000;
  std::unique_ptr<TransactionDesk> desk_;
};

std::size_t world_transaction_bytes() { return World().transaction(1).size(); }

using Answer = std::future<TransactionOutcomes>;

Answer submit(TransactionDesk& desk, std::vector<Bytes> transactions) {
  auto promise = std::make_shared<std::promise<TransactionOutcomes>>();
  Answer out = promise->get_future();
  desk.submit(std::move(transactions),
              [promise](TransactionOutcomes outcomes) { promise->set_value(std::move(outcomes)); });
  return out;
}

bool is_ready(const Answer& answer) {
  return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

std::vector<TransactionOutcome> outcomes_of(Answer& answer) {
  REQUIRE(answer.wait_for(kPatience) == std::future_status::ready);
  return answer.get().outcomes;
}

TEST_CASE("transaction desk: a call is answered when its last transaction is certified") {
  World world;
  const Bytes first = world.transaction(1, 3);
  const Bytes second = world.transaction(2, 2);
  Answer answer = submit(world.desk(), {first, second});
  CHECK(world.sent_count() == 2);
  world.execute({first});
  CHECK_FALSE(is_ready(answer));
  world.certify();
  CHECK_FALSE(is_ready(answer));
  world.execute({world.transaction(9), second}, ReceiptStatus::rejected);
  CHECK_FALSE(is_ready(answer));  // executed, but a crash could take it back
  world.certify();
  const auto outcomes = outcomes_of(answer);
  REQUIRE(outcomes.size() == 2);
  CHECK(outcomes[0].fate == TransactionFate::certified);
  CHECK(outcomes[0].height == Height{1});
  CHECK(outcomes[0].leaf == 0);
  CHECK(outcomes[0].block_time == kNow);
  CHECK(outcomes[0].status == ReceiptStatus::applied);
  CHECK(outcomes[0].codes == std::vector<std::uint16_t>{0, 0, 0});
  CHECK(outcomes[1].height == Height{2});
  CHECK(outcomes[1].leaf == 1);
  CHECK(outcomes[1].codes == std::vector<std::uint16_t>{100, 101});
}

TEST_CASE("transaction desk: a transaction that was rejected as a whole has one code") {
  World world;
  const Bytes bytes = world.transaction(1, 5);
  Answer answer = submit(world.desk(), {bytes});
  world.execute({bytes}, ReceiptStatus::transaction_rejected);
  world.certify();
  const auto outcomes = outcomes_of(answer);
  CHECK(outcomes[0].fate == TransactionFate::certified);
  CHECK(outcomes[0].status == ReceiptStatus::transaction_rejected);
  CHECK(outcomes[0].codes == std::vector<std::uint16_t>{100});
}

TEST_CASE("transaction desk: the same bytes again have their first outcome and are not sent") {
  World world;
  const Bytes bytes = world.transaction(1);
  Answer first = submit(world.desk(), {bytes});
  Answer twice = submit(world.desk(), {bytes, bytes});
  world.execute({bytes});
  world.certify();
  const auto outcome = outcomes_of(first)[0];
  CHECK(outcomes_of(twice) == std::vector{outcome, outcome});
  const std::size_t sent = world.sent_count();
  Answer later = submit(world.desk(), {bytes});
  CHECK(outcomes_of(later)[0] == outcome);
  CHECK(world.sent_count() == sent);
}

TEST_CASE("transaction desk: asked again between execution and certificate, it waits for it") {
  World world;
  const Bytes bytes = world.transaction(1);
  world.execute({bytes});
  Answer answer = submit(world.desk(), {bytes});
  CHECK_FALSE(is_ready(answer));
  world.certify();
  CHECK(outcomes_of(answer)[0].fate == TransactionFate::certified);
}

TEST_CASE("transaction desk: what it does not take is refused with the reason") {
  SECTION("bytes that are no transaction, and the sender's institution is another") {
    World world;
    Answer answer = submit(world.desk(), {{1, 2, 3}, world.transaction_of_a_stranger()});
    const auto outcomes = outcomes_of(answer);
    CHECK(outcomes[0].fate == TransactionFate::refused);
    CHECK(outcomes[0].error == static_cast<std::uint16_t>(Errc::truncated));
    CHECK(outcomes[1].fate == TransactionFate::refused);
    CHECK(outcomes[1].error == static_cast<std::uint16_t>(Errc::not_authorized));
    CHECK(world.sent_count() == 0);
  }
  SECTION("the pool refuses for another reason than its room") {
    World world;
    world.refuse_with(Errc::bad_signature);
    Answer answer = submit(world.desk(), {world.transaction(1)});
    CHECK(outcomes_of(answer)[0].error == static_cast<std::uint16_t>(Errc::bad_signature));
  }
  SECTION("too much waits; room comes back with the outcomes") {
    World world({.waiting_max = 5});
    const Bytes bytes = world.transaction(1, 4);
    Answer waiting = submit(world.desk(), {bytes});
    Answer refused = submit(world.desk(), {world.transaction(2, 2)});
    CHECK(outcomes_of(refused)[0].error == static_cast<std::uint16_t>(Errc::busy));
    world.execute({bytes});
    world.certify();
    CHECK(outcomes_of(waiting)[0].fate == TransactionFate::certified);
    Answer fits = submit(world.desk(), {world.transaction(3, 5)});
    CHECK_FALSE(is_ready(fits));
  }
}

TEST_CASE("transaction desk: who finds no room stands in line, first come first served") {
  World world;
  world.make_room(1);
  std::vector<Bytes> transactions;
  std::vector<Answer> answers;
  for (std::uint64_t nonce = 1; nonce <= 5; ++nonce) {
    transactions.push_back(world.transaction(nonce));
    answers.push_back(submit(world.desk(), {transactions.back()}));
  }
  // The first was admitted, the second refused; nobody overtakes it.
  CHECK(world.sent() == std::vector{transactions[0], transactions[1]});
  world.make_room(1);
  world.execute({transactions[0]});
  world.certify();
  CHECK(outcomes_of(answers[0])[0].fate == TransactionFate::certified);
  std::vector<Bytes> sent = world.wait_sent(6);
  REQUIRE(sent.size() >= 6);
  CHECK(std::equal(transactions.begin() + 1, transactions.end(), sent.begin() + 2));
  for (std::size_t i = 1; i < answers.size(); ++i) CHECK_FALSE(is_ready(answers[i]));
  // Three were refused together and stand as they stood.
  world.make_room(3);
  world.execute({transactions[1]});
  world.certify();
  CHECK(outcomes_of(answers[1])[0].fate == TransactionFate::certified);
  sent = world.wait_sent(9);
  REQUIRE(sent.size() == 9);
  CHECK(std::equal(transactions.begin() + 2, transactions.end(), sent.begin() + 6));
  world.execute({transactions[2], transactions[3], transactions[4]});
  world.certify();
  for (std::size_t i = 2; i < answers.size(); ++i) {
    CHECK(outcomes_of(answers[i])[0].fate == TransactionFate::certified);
  }
}

TEST_CASE("transaction desk: the line ends somewhere, and nobody stands in it for ever") {
  World world({.line_bytes_max = 2 * world_transaction_bytes(), .answer_ms = 100});
  world.make_room(0);
  Answer first = submit(world.desk(), {world.transaction(1)});
  Answer second = submit(world.desk(), {world.transaction(2)});
  CHECK_FALSE(is_ready(first));
  // Nothing of these is looked at.
  Answer third = submit(world.desk(), {world.transaction(3), {1, 2, 3}});
  for (const TransactionOutcome& one : outcomes_of(third)) {
    CHECK(one.fate == TransactionFate::refused);
    CHECK(one.error == static_cast<std::uint16_t>(Errc::busy));
  }
  world.pass_ms(1000);
  // It was never admitted: that is known, and not open.
  CHECK(outcomes_of(first)[0].fate == TransactionFate::refused);
  const TransactionOutcome late = outcomes_of(second)[0];
  CHECK(late.fate == TransactionFate::refused);
  CHECK(late.error == static_cast<std::uint16_t>(Errc::busy));
}

TEST_CASE("transaction desk: docs/api.md says what the bytes are") {
  std::ifstream file(BAOLIAN_SOURCE_DIR "/docs/api.md");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  CHECK(text.find(format_table<SignedTransactions>()) != std::string::npos);
  CHECK(text.find(format_table<TransactionOutcomes>()) != std::string::npos);
  CHECK(text.find(format_table<TransactionOutcome>()) != std::string::npos);
  const std::string mark = "Example of an answer: `";
  const std::size_t at = text.find(mark);
  REQUIRE(at != std::string::npos);
  const std::size_t first = at + mark.size();
  const auto bytes = from_hex(text.substr(first, text.find('`', first) - first));
  REQUIRE(bytes.has_value());
  const auto outcomes = decode<TransactionOutcomes>(*bytes);
  REQUIRE(outcomes.has_value());
  TransactionOutcome certified;
  certified.fate = TransactionFate::certified;
  certified.height = Height{258};
  certified.leaf = 3;
  certified.block_time = kNow;
  certified.codes = {0, 101};
  TransactionOutcome refused;
  refused.fate = TransactionFate::refused;
  refused.error = static_cast<std::uint16_t>(Errc::busy);
  TransactionOutcomes expected;
  expected.outcomes = {certified, refused};
  CHECK(*outcomes == expected);
}

TEST_CASE("transaction desk: nobody waits for ever") {
  SECTION("without a certificate in time the outcome is open") {
    World world({.answer_ms = 100});
    Answer answer = submit(world.desk(), {world.transaction(1)});
    CHECK_FALSE(is_ready(answer));
    world.pass_ms(200);
    CHECK(outcomes_of(answer)[0].fate == TransactionFate::open);
  }
  SECTION("when the node stops") {
    World world;
    Answer answer = submit(world.desk(), {world.transaction(1), world.transaction(2)});
    world.desk().stop();
    CHECK(outcomes_of(answer)[1].fate == TransactionFate::open);
    Answer after = submit(world.desk(), {world.transaction(3)});
    CHECK(outcomes_of(after)[0].fate == TransactionFate::refused);
  }
}

}  // namespace
}  // namespace baolian::node
