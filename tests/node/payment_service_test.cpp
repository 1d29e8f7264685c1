#include "node/payment_service.h"

#include <sys/stat.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "ledger/fixture.h"
#include "support/catch.h"
#include "vault/durable_file.h"

namespace baolian::node {
namespace {

using ledger::test::numbered;
using ledger::test::TemporaryDirectory;

constexpr auto kPatience = std::chrono::seconds(30);
constexpr TimeMs kNow{1'700'000'000'000};
constexpr std::string_view kADay = "86400000";

PaymentInstruction instruction(std::uint64_t decision, std::uint64_t amount = 311'290) {
  return {numbered<Hash>(decision), PayeeKind::person, "999999198001010018", amount, "CNY"};
}

/// Answers as they come, in order.
class Answers {
 public:
  PaymentService::Done next() {
    return [this](PaymentAnswer answer) {
      const std::lock_guard lock(mutex_);
      answers_.push_back(std::move(answer));
      arrived_.notify_all();
    };
  }
  PaymentAnswer wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(arrived_.wait_for(lock, kPatience, [&] { return answers_.size() >= count; }));
    return answers_[count - 1];
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return answers_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<PaymentAnswer> answers_;
};

struct Bank {
  TemporaryDirectory data;
  std::string directory = data.path() + "/payment-service";

  std::unique_ptr<EmbeddedPaymentService> open() const {
    return EmbeddedPaymentService::open(directory, [] { return kNow; }).value();
  }
  std::string file_of(std::uint64_t decision) const {
    return directory + "/" + numbered<Hash>(decision).hex() + ".json";
  }
  void put(std::string_view name, std::string_view text) const {
    REQUIRE(vault::replace_file(directory + "/" + std::string(name), as_bytes(text)).has_value());
  }
  bool holds(std::string_view name) const {
    return std::filesystem::exists(directory + "/" + std::string(name));
  }
  std::size_t payments() const { return vault::names_in(directory, ".json").value().size(); }
  std::string text_of(std::uint64_t decision) const {
    return std::string(as_text(vault::read_file(file_of(decision)).value()));
  }
};

/// One instruction and its answer.
PaymentAnswer ask(PaymentService& service, const PaymentInstruction& what) {
  Answers answers;
  service.instruct(what, answers.next());
  return answers.wait_for(1);
}

TEST_CASE("payment service: the file stands, readable and private, before the answer",
          "[payment]") {
  const Bank bank;
  const auto service = bank.open();
  Answers answers;
  bool stood = false;
  service->instruct(instruction(1), [&, done = answers.next()](PaymentAnswer answer) {
    stood = std::filesystem::exists(bank.file_of(1));
    done(std::move(answer));
  });
  const PaymentAnswer answer = answers.wait_for(1);
  CHECK(stood);
  CHECK(answer.outcome == PaymentOutcome::paid);
  CHECK(answer.at == kNow);
  CHECK(answer.reference.starts_with("EP-"));
  CHECK(from_hex(answer.reference.substr(3)).value().size() == 8);
  struct stat info {};
  REQUIRE(::stat(bank.file_of(1).c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
  const std::string text = bank.text_of(1);
  for (const std::string& part : {answer.reference, std::string("\"amount\": \"311290\""),
                                  std::string("CNY"), std::string("999999198001010018")}) {
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("payment service: the same key gives the same reference, also after a restart",
          "[payment]") {
  const Bank bank;
  PaymentAnswer first;
  {
    const auto service = bank.open();
    first = ask(*service, instruction(1));
    CHECK(ask(*service, instruction(1)) == first);
    CHECK(ask(*service, instruction(2)).reference != first.reference);
  }
  CHECK(ask(*bank.open(), instruction(1)) == first);
  CHECK(bank.payments() == 2);
}

TEST_CASE("payment service: the same key with another payee, amount or currency is refused",
          "[payment]") {
  const Bank bank;
  const auto service = bank.open();
  const PaymentAnswer first = ask(*service, instruction(1));
  const std::string text = bank.text_of(1);
  PaymentInstruction other_payee = instruction(1);
  other_payee.payee = "999999198001010026";
  PaymentInstruction other_kind = instruction(1);
  other_kind.kind = PayeeKind::institution;
  PaymentInstruction other_currency = instruction(1);
  other_currency.currency = "HKD";
  for (const auto& other : {instruction(1, 311'291), other_payee, other_kind, other_currency}) {
    const PaymentAnswer answer = ask(*service, other);
    CHECK(answer.outcome == PaymentOutcome::refused);
    CHECK(answer.reference.empty());
    CHECK(answer.reason == "this decision was paid with another payee, amount or currency");
  }
  CHECK(bank.text_of(1) == text);
  CHECK(ask(*service, instruction(1)) == first);
}

TEST_CASE("payment service: the file `refuse` refuses one payment and leaves nothing paid",
          "[payment]") {
  const Bank bank;
  const auto service = bank.open();
  const PaymentAnswer known = ask(*service, instruction(1));
  bank.put("refuse", " 收款账户已注销 \n");
  CHECK(ask(*service, instruction(1)) == known);  // paid stays paid
  CHECK(bank.holds("refuse"));
  const PaymentAnswer refused = ask(*service, instruction(2));
  CHECK(refused.outcome == PaymentOutcome::refused);
  CHECK(refused.reason == "收款账户已注销");
  CHECK_FALSE(bank.holds("refuse"));
  CHECK(bank.payments() == 1);
  CHECK(ask(*service, instruction(2)).outcome == PaymentOutcome::paid);
  bank.put("refuse", "\xff");  // no text that could be passed on
  CHECK(ask(*service, instruction(3)).reason == "refused");
}

TEST_CASE("payment service: a crash between file and answer is answered later, unchanged",
          "[payment]") {
  const Bank bank;
  Answers answers;
  {
    const auto service = bank.open();
    bank.put("delay_ms", kADay);
    service->instruct(instruction(1), answers.next());
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!std::filesystem::exists(bank.file_of(1))) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::yield();
    }
  }
  CHECK(answers.count() == 0);
  REQUIRE(vault::remove_file(bank.directory + "/delay_ms").has_value());
  const std::string text = bank.text_of(1);
  const PaymentAnswer answer = ask(*bank.open(), instruction(1));
  CHECK(answer.outcome == PaymentOutcome::paid);
  CHECK(text.find(answer.reference) != std::string::npos);
  CHECK(bank.text_of(1) == text);
}

TEST_CASE("payment service: a late answer comes late and keeps nobody else waiting", "[payment]") {
  const Bank bank;
  const auto service = bank.open();
  bank.put("delay_ms", "20\n");
  const auto started = std::chrono::steady_clock::now();
  ask(*service, instruction(1));
  CHECK(std::chrono::steady_clock::now() - started >= std::chrono::milliseconds(20));

  bank.put("delay_ms", kADay);
  Answers late;
  service->instruct(instruction(2), late.next());
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!std::filesystem::exists(bank.file_of(2))) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::yield();
  }
  bank.put("delay_ms", "soon");  // no number: no delay
  CHECK(ask(*service, instruction(3)).outcome == PaymentOutcome::paid);
  CHECK(late.count() == 0);
}

TEST_CASE("payment service: a damaged file is refused and never paid again", "[payment]") {
  const Bank bank;
  const auto service = bank.open();
  ask(*service, instruction(1));
  bank.put(numbered<Hash>(1).hex() + ".json", "{\"amount\": ");
  const PaymentAnswer answer = ask(*service, instruction(1));
  CHECK(answer.outcome == PaymentOutcome::refused);
  CHECK(answer.reason.find("cannot be read") != std::string::npos);
  CHECK(bank.text_of(1) == "{\"amount\": ");
}

TEST_CASE("payment service: what it cannot make durable it does not answer", "[payment]") {
  const Bank bank;
  const auto service = bank.open();
  std::filesystem::rename(bank.directory, bank.directory + ".away");
  Answers answers;
  service->instruct(instruction(1), answers.next());
  // Requests are carried out in order, and this answer needs no disk.
  CHECK(ask(*service, instruction(2, 0)).outcome == PaymentOutcome::refused);
  CHECK(answers.count() == 0);
  std::filesystem::rename(bank.directory + ".away", bank.directory);
  CHECK(ask(*service, instruction(1)).outcome == PaymentOutcome::paid);
}

TEST_CASE("payment service: an instruction that says nothing payable is refused, unquoted",
          "[payment]") {
  const Bank bank;
  const auto service = bank.open();
  PaymentInstruction nobody = instruction(1);
  nobody.payee.clear();
  PaymentInstruction garbled = instruction(1);
  garbled.payee = "张\xe5";
  PaymentInstruction endless = instruction(1);
  endless.payee = std::string(129, '9');
  PaymentInstruction no_currency = instruction(1);
  no_currency.currency.clear();
  for (const auto& bad : {instruction(1, 0), nobody, garbled, endless, no_currency}) {
    const PaymentAnswer answer = ask(*service, bad);
    CHECK(answer.outcome == PaymentOutcome::refused);
    CHECK(answer.reason.find("999") == std::string::npos);
    CHECK(check_instruction(bad).error().code == Errc::bad_argument);
  }
  CHECK(bank.payments() == 0);
}

}  // namespace
}  // namespace baolian::node
