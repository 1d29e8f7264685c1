#include "node/payment_desk.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <filesystem>
#include <set>
#include <thread>

#include "core/prng.h"
#include "ledger/fixture.h"
#include "support/catch.h"
#include "vault/durable_file.h"

namespace baolian::node {
namespace {

using ledger::test::numbered;
using ledger::test::TemporaryDirectory;

constexpr TimeMs kStart{1'700'000'000'000};
constexpr auto kPatience = std::chrono::seconds(60);

PaymentOrder order_of(std::uint64_t decision, std::uint64_t amount = 311'290) {
  PaymentOrder out;
  out.instruction = {numbered<Hash>(decision), PayeeKind::person, "999999198001010018", amount,
                     "CNY"};
  out.claim = numbered<ClaimId>(decision + 1'000);
  out.number = 1;
  return out;
}

/// A counterpart that keeps the promises of the port and does with each instruction what the test
/// says. Its books outlive every desk.
class ScriptedBank final : public PaymentService {
 public:
  enum class Next { answer, refuse, answer_late, refuse_late, lose_answer, lose_instruction };

  void instruct(const PaymentInstruction& instruction, Done done) override {
    ++instructions;
    const Next next = choose();
    if (next == Next::lose_instruction) return;
    const PaymentAnswer answer = judge(instruction, next);
    if (next == Next::answer || next == Next::refuse) done(answer);
    if (next == Next::answer_late || next == Next::refuse_late) {
      late.push_back([answer, done] { done(answer); });
    }
  }
  void answer_late() {
    for (const auto& answer : std::exchange(late, {})) answer();
  }

  std::function<Next()> choose = [] { return Next::answer; };
  std::function<std::string(const Hash&)> reference = [](const Hash& decision) {
    return "BANK-" + decision.hex().substr(0, 8);
  };
  std::size_t instructions = 0;
  std::vector<PaymentInstruction> payments;  ///< money that left
  std::vector<std::function<void()>> late;

 private:
  PaymentAnswer judge(const PaymentInstruction& instruction, Next next) {
    for (const auto& paid : payments) {
      if (paid.decision != instruction.decision) continue;
      if (paid != instruction) return {PaymentOutcome::refused, "", "another amount", kStart};
      return {PaymentOutcome::paid, reference(paid.decision), "", kStart};
    }
    if (next == Next::refuse || next == Next::refuse_late) {
      return {PaymentOutcome::refused, "", "账户已注销", kStart};
    }
    payments.push_back(instruction);
    return {PaymentOutcome::paid, reference(instruction.decision), "", kStart};
  }
};
using Next = ScriptedBank::Next;

/// The insurer's side: restart() is a crash and a new start on the same directory.
struct Insurer {
  explicit Insurer(PaymentService& bank) : service(&bank) { restart(); }

  void restart() {
    desk.reset();
    desk = PaymentDesk::open(
               directory(), key(), *service,
               [this](const PaymentOrder& order) { announced.push_back(order); },
               [this] { return now; })
               .value();
  }
  void work_at(std::uint64_t ms) {
    now = kStart + ms;
    desk->work(now);
  }
  std::string directory() const { return data.path() + "/payments"; }
  PaymentOrder found(std::uint64_t decision) const {
    return desk->find(numbered<Hash>(decision)).value();
  }
  static crypto::Secret key() { return crypto::Secret::copy_of(Bytes(32, 9)); }

  TemporaryDirectory data;
  PaymentService* service;
  TimeMs now = kStart;
  std::vector<PaymentOrder> announced;
  std::unique_ptr<PaymentDesk> desk;
};

TEST_CASE("payment: ordered, paid, announced, posted", "[payment]") {
  ScriptedBank bank;
  Insurer insurer(bank);
  REQUIRE(insurer.desk->order(order_of(1)).has_value());
  CHECK(insurer.found(1).state == PaymentState::ordered);
  CHECK(insurer.found(1).ordered_at == kStart);
  CHECK(bank.instructions == 0);
  insurer.work_at(0);
  CHECK(bank.instructions == 1);
  CHECK(insurer.announced.empty());
  insurer.work_at(1);
  REQUIRE(insurer.announced.size() == 1);
  CHECK(insurer.announced[0].state == PaymentState::paid);
  CHECK(insurer.announced[0].claim == numbered<ClaimId>(1'001));
  CHECK(insurer.announced[0].answer->reference == bank.reference(numbered<Hash>(1)));
  CHECK_FALSE(insurer.announced[0].reference_salt.is_zero());
  REQUIRE(insurer.desk->posted(numbered<Hash>(1)).has_value());
  REQUIRE(insurer.desk->posted(numbered<Hash>(1)).has_value());
  CHECK(insurer.found(1).state == PaymentState::posted);
  CHECK(insurer.desk->open_orders().empty());
  CHECK(insurer.desk->list().value().size() == 1);
  insurer.work_at(7'200'000);
  CHECK(bank.instructions == 1);
  CHECK(insurer.announced.size() == 1);
}

TEST_CASE("payment: a refusal is kept with its reason and asked again after 1, 2, 4 s, up to 1 h",
          "[payment]") {
  ScriptedBank bank;
  bank.choose = [] { return Next::refuse; };
  Insurer insurer(bank);
  REQUIRE(insurer.desk->order(order_of(1)).has_value());
  std::uint64_t now = 0;
  insurer.work_at(now);
  for (std::uint32_t attempt = 1; attempt <= 15; ++attempt) {
    insurer.work_at(++now);  // takes the refusal
    const PaymentOrder order = insurer.found(1);
    CHECK(order.state == PaymentState::refused);
    CHECK(order.last_reason == "账户已注销");
    CHECK(order.attempts == attempt);
    const std::uint64_t pause = std::min<std::uint64_t>(1'000ULL << (attempt - 1), 3'600'000);
    CHECK(order.next_attempt == kStart + (now + pause));
    insurer.restart();  // the pause is as durable as the refusal
    insurer.work_at(now + pause - 1);
    CHECK(bank.instructions == attempt);
    now += pause;
    insurer.work_at(now);
    CHECK(bank.instructions == attempt + 1);
  }
  CHECK(insurer.announced.empty());
  CHECK(bank.payments.empty());
  bank.choose = [] { return Next::answer; };
  insurer.work_at(now + 4'000'000);  // takes the last refusal
  insurer.work_at(now + 8'000'000);
  insurer.work_at(now + 8'000'001);
  CHECK(insurer.announced.size() == 1);
  CHECK(bank.payments.size() == 1);
}

TEST_CASE("payment: a lost or late answer is asked for again and accepted once", "[payment]") {
  ScriptedBank bank;
  bank.choose = [] { return Next::answer_late; };
  Insurer insurer(bank);
  REQUIRE(insurer.desk->order(order_of(1)).has_value());
  insurer.work_at(0);
  insurer.work_at(9'999);
  CHECK(bank.instructions == 1);
  insurer.work_at(10'000);
  CHECK(bank.instructions == 2);
  bank.answer_late();  // both of them
  insurer.work_at(10'001);
  insurer.work_at(10'002);
  CHECK(insurer.announced.size() == 1);
  CHECK(bank.payments.size() == 1);
}

TEST_CASE("payment: an answer to an instruction of before the restart finds nobody and harms none",
          "[payment]") {
  ScriptedBank bank;
  bank.choose = [] { return Next::answer_late; };
  Insurer insurer(bank);
  REQUIRE(insurer.desk->order(order_of(1)).has_value());
  insurer.work_at(0);
  insurer.restart();
  bank.answer_late();
  insurer.work_at(1);  // asked again at once
  CHECK(bank.instructions == 2);
  bank.answer_late();
  insurer.work_at(2);
  CHECK(insurer.announced.size() == 1);
  CHECK(bank.payments.size() == 1);
  insurer.desk.reset();
  bank.answer_late();
}

TEST_CASE("payment: a late refusal does not undo a payment, a payment ends a refusal",
          "[payment]") {
  ScriptedBank bank;
  Insurer insurer(bank);
  for (const bool refusal_first : {true, false}) {
    const std::uint64_t decision = refusal_first ? 1 : 2;
    REQUIRE(insurer.desk->order(order_of(decision)).has_value());
    bank.choose = [] { return Next::refuse_late; };
    insurer.desk->work(insurer.now);
    bank.choose = [] { return Next::answer_late; };
    insurer.now = insurer.now + 10'000;
    insurer.desk->work(insurer.now);
    REQUIRE(bank.late.size() == 2);
    if (!refusal_first) std::swap(bank.late[0], bank.late[1]);
    bank.answer_late();
    insurer.desk->work(insurer.now);
    CHECK(insurer.found(decision).state == PaymentState::paid);
    CHECK(insurer.announced.size() == decision);
  }
  CHECK(bank.payments.size() == 2);
}

TEST_CASE("payment: an order is durable before it is sent, and sent after a crash in between",
          "[payment]") {
  ScriptedBank bank;
  Insurer insurer(bank);
  std::filesystem::rename(insurer.directory(), insurer.directory() + ".away");
  CHECK(insurer.desk->order(order_of(1)).error().code == Errc::io_failed);
  insurer.work_at(0);
  CHECK(bank.instructions == 0);
  std::filesystem::rename(insurer.directory() + ".away", insurer.directory());
  REQUIRE(insurer.desk->order(order_of(1)).has_value());
  insurer.restart();
  CHECK(bank.instructions == 0);
  insurer.work_at(1);
  insurer.work_at(2);
  CHECK(insurer.announced.size() == 1);
}

TEST_CASE("payment: an answer that cannot be stored is announced to nobody and asked for again",
          "[payment]") {
  ScriptedBank bank;
  Insurer insurer(bank);
  REQUIRE(insurer.desk->order(order_of(1)).has_value());
  insurer.work_at(0);
  std::filesystem::rename(insurer.directory(), insurer.directory() + ".away");
  insurer.work_at(1);
  CHECK(insurer.announced.empty());
  std::filesystem::rename(insurer.directory() + ".away", insurer.directory());
  insurer.work_at(10'000);
  insurer.work_at(10'001);
  CHECK(insurer.announced.size() == 1);
  CHECK(bank.payments.size() == 1);
}

TEST_CASE("payment: a paid order is announced after every restart until it is posted, unchanged",
          "[payment]") {
  ScriptedBank bank;
  Insurer insurer(bank);
  REQUIRE(insurer.desk->order(order_of(1)).has_value());
  CHECK(insurer.desk->posted(numbered<Hash>(1)).error().code == Errc::bad_argument);
  CHECK(insurer.desk->posted(numbered<Hash>(2)).error().code == Errc::not_found);
  insurer.work_at(0);
  insurer.work_at(1);
  for (std::uint64_t i = 2; i < 5; ++i) {
    insurer.restart();
    insurer.work_at(i);
    insurer.work_at(i);
    REQUIRE(insurer.announced.size() == i);
    CHECK(encode(insurer.announced.back()) == encode(insurer.announced.front()));
  }
  REQUIRE(insurer.desk->posted(numbered<Hash>(1)).has_value());
  insurer.restart();
  insurer.work_at(9);
  CHECK(insurer.announced.size() == 4);
  CHECK(bank.instructions == 1);
  CHECK(insurer.found(1).state == PaymentState::posted);
  CHECK(insurer.found(1).answer->reference == bank.reference(numbered<Hash>(1)));
}

TEST_CASE("payment: a crash between posted and the removal of the open order leaves it posted",
          "[payment]") {
  ScriptedBank bank;
  Insurer insurer(bank);
  REQUIRE(insurer.desk->order(order_of(1)).has_value());
  insurer.work_at(0);
  insurer.work_at(1);
  const std::string open_file = insurer.directory() + "/" + numbered<Hash>(1).hex() + ".sealed";
  const Bytes before = vault::read_file(open_file).value();
  REQUIRE(insurer.desk->posted(numbered<Hash>(1)).has_value());
  REQUIRE(vault::replace_file(open_file, before).has_value());
  insurer.restart();
  insurer.work_at(2);
  CHECK(insurer.announced.size() == 1);
  CHECK(insurer.found(1).state == PaymentState::posted);
  CHECK_FALSE(std::filesystem::exists(open_file));
}

TEST_CASE("payment: the order of a decision stays as it is; another amount is a conflict",
          "[payment]") {
  ScriptedBank bank;
  Insurer insurer(bank);
  REQUIRE(insurer.desk->order(order_of(1)).has_value());
  insurer.work_at(0);
  insurer.work_at(1);
  const auto check_order = [&] {
    const PaymentOrder before = insurer.found(1);
    CHECK(insurer.desk->order(order_of(1)).has_value());
    CHECK(insurer.desk->order(order_of(1, 311'291)).error().code == Errc::request_conflict);
    CHECK(encode(insurer.found(1)) == encode(before));
  };
  check_order();
  REQUIRE(insurer.desk->posted(numbered<Hash>(1)).has_value());
  check_order();
  insurer.restart();
  check_order();
  insurer.work_at(100'000);
  CHECK(bank.instructions == 1);
  CHECK(insurer.desk->order(order_of(2, 0)).error().code == Errc::bad_argument);
}

TEST_CASE("payment: an answer that cannot be right is no payment", "[payment]") {
  ScriptedBank bank;
  Insurer insurer(bank);
  for (const std::string& reference : {std::string(), std::string(129, 'x'), std::string("\xff")}) {
    bank.reference = [&](const Hash&) { return reference; };
    if (insurer.desk->open_orders().empty()) {
      REQUIRE(insurer.desk->order(order_of(1)).has_value());
    }
    insurer.now = insurer.now + 100'000;
    insurer.desk->work(insurer.now);
    insurer.desk->work(insurer.now);
    CHECK(insurer.found(1).state == PaymentState::ordered);
  }
  bank.reference = [](const Hash&) { return "first"; };
  insurer.now = insurer.now + 100'000;
  insurer.desk->work(insurer.now);
  insurer.desk->work(insurer.now);
  CHECK(insurer.found(1).answer->reference == "first");
}

TEST_CASE("payment: the first reference of a decision stays", "[payment]") {
  ScriptedBank bank;
  bank.choose = [] { return Next::answer_late; };
  Insurer insurer(bank);
  REQUIRE(insurer.desk->order(order_of(1)).has_value());
  insurer.work_at(0);
  bank.reference = [](const Hash&) { return "another"; };
  insurer.work_at(10'000);
  bank.answer_late();
  insurer.work_at(10'001);
  CHECK(insurer.found(1).answer->reference == "BANK-" + numbered<Hash>(1).hex().substr(0, 8));
  CHECK(insurer.announced.size() == 1);
}

TEST_CASE("payment: a clock set back by days does not keep a payment waiting", "[payment]") {
  ScriptedBank bank;
  bank.choose = [] { return Next::refuse; };
  Insurer insurer(bank);
  REQUIRE(insurer.desk->order(order_of(1)).has_value());
  insurer.work_at(864'000'000);
  insurer.work_at(864'000'001);
  CHECK(bank.instructions == 1);
  insurer.work_at(0);
  CHECK(bank.instructions == 2);
}

TEST_CASE("payment: a damaged order stops the start and is named by its file alone", "[payment]") {
  ScriptedBank bank;
  Insurer insurer(bank);
  REQUIRE(insurer.desk->order(order_of(1)).has_value());
  insurer.desk.reset();
  const std::string name = numbered<Hash>(1).hex() + ".sealed";
  Bytes bytes = vault::read_file(insurer.directory() + "/" + name).value();
  bytes.back() ^= 1;
  REQUIRE(vault::replace_file(insurer.directory() + "/" + name, bytes).has_value());
  const auto opened = PaymentDesk::open(insurer.directory(), Insurer::key(), bank, {}, {});
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == Errc::cannot_open);
  CHECK(opened.error().context.find(name) != std::string::npos);
  CHECK(opened.error().context.find("999999") == std::string::npos);
}

TEST_CASE("payment: many orders are all paid, a bounded number at a time", "[payment]") {
  ScriptedBank bank;
  Insurer insurer(bank);
  for (std::uint64_t i = 0; i < 150; ++i) REQUIRE(insurer.desk->order(order_of(i)).has_value());
  insurer.work_at(0);
  CHECK(bank.instructions == 64);
  for (std::uint64_t i = 1; i < 5; ++i) insurer.work_at(i);
  CHECK(bank.instructions == 150);
  CHECK(insurer.announced.size() == 150);
}

/// Thousands of expected warnings would hide the one failure that counts.
struct QuietLog {
  QuietLog() { spdlog::set_level(spdlog::level::off); }
  ~QuietLog() { spdlog::set_level(before); }
  const spdlog::level::level_enum before = spdlog::get_level();
};

TEST_CASE("payment: nothing is lost or paid twice, whatever is lost, late, refused or restarted",
          "[payment][property]") {
  const QuietLog quiet;
  constexpr std::uint64_t kDecisions = 4;
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    CAPTURE(seed);
    Prng prng(seed);
    ScriptedBank bank;
    bank.choose = [&] { return static_cast<Next>(prng.below(6)); };
    Insurer insurer(bank);
    for (int step = 0; step < 60; ++step) {
      const std::uint64_t decision = prng.below(kDecisions);
      switch (prng.below(8)) {
        case 0:
          (void)insurer.desk->order(order_of(decision, 100 + decision));
          break;
        case 1:
          (void)insurer.desk->order(order_of(decision, 999));  // a mistake of ours
          break;
        case 2:
          insurer.restart();
          break;
        case 3:
          bank.answer_late();
          break;
        case 4:
          (void)insurer.desk->posted(numbered<Hash>(decision));
          break;
        default:
          insurer.now = insurer.now + prng.below(20'000);
          insurer.desk->work(insurer.now);
      }
    }
    bank.choose = [] { return Next::answer; };
    for (std::uint64_t i = 0; i < kDecisions; ++i) (void)insurer.desk->order(order_of(i));
    for (int round = 0; round < 4; ++round) {
      insurer.now = insurer.now + 3'600'000;
      insurer.desk->work(insurer.now);
    }
    std::map<Hash, Bytes> seen;
    for (const auto& order : insurer.announced) {
      const auto [place, is_first] = seen.emplace(order.instruction.decision, encode(order));
      CHECK(place->second == encode(order));
    }
    CHECK(seen.size() == kDecisions);
    std::set<Hash> paid;
    for (const auto& payment : bank.payments) {
      CHECK(paid.insert(payment.decision).second);
      CHECK(insurer.desk->find(payment.decision).value().instruction == payment);
    }
    CHECK(paid.size() == kDecisions);
  }
}

/// The embedded service on its own thread, under a desk that works until everything is done.
struct Rehearsal {
  TemporaryDirectory data;
  std::string bank = data.path() + "/payment-service";
  std::string payments = data.path() + "/payments";
  TimeMs now = kStart;
  std::uint64_t step_ms = 2'000;
  std::map<Hash, std::set<std::string>> references;  // announced, by decision
  std::unique_ptr<EmbeddedPaymentService> service;
  std::unique_ptr<PaymentDesk> desk;

  void restart_all() {
    desk.reset();
    service.reset();
    service = EmbeddedPaymentService::open(bank, [] { return kStart; }).value();
    restart_desk();
  }
  void restart_desk() {
    desk.reset();
    desk = PaymentDesk::open(
               payments, Insurer::key(), *service,
               [this](const PaymentOrder& order) {
                 references[order.instruction.decision].insert(order.answer->reference);
                 CHECK(desk->posted(order.instruction.decision).has_value());
               },
               [this] { return now; })
               .value();
  }
  void work() {
    now = now + step_ms;
    desk->work(now);
  }
  void work_until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      work();
      std::this_thread::yield();
    }
  }
  void put(std::string_view name, std::string_view text) const {
    REQUIRE(vault::replace_file(bank + "/" + std::string(name), as_bytes(text)).has_value());
  }
};

TEST_CASE("payment: refused once by the embedded service, then paid", "[payment]") {
  Rehearsal rehearsal;
  rehearsal.restart_all();
  rehearsal.put("refuse", "收款账户已注销");
  REQUIRE(rehearsal.desk->order(order_of(1)).has_value());
  const auto state = [&] { return rehearsal.desk->find(numbered<Hash>(1)).value().state; };
  rehearsal.step_ms = 0;  // one instruction only
  rehearsal.work_until([&] { return state() == PaymentState::refused; });
  rehearsal.step_ms = 2'000;
  CHECK(rehearsal.desk->find(numbered<Hash>(1)).value().last_reason == "收款账户已注销");
  CHECK(vault::names_in(rehearsal.bank, ".json").value().empty());
  rehearsal.work_until([&] { return state() == PaymentState::posted; });
  CHECK(vault::names_in(rehearsal.bank, ".json").value().size() == 1);
}

TEST_CASE("payment: a crash of both between file and answer pays once", "[payment]") {
  Rehearsal rehearsal;
  rehearsal.restart_all();
  rehearsal.put("delay_ms", "86400000");
  REQUIRE(rehearsal.desk->order(order_of(1)).has_value());
  const std::string file = rehearsal.bank + "/" + numbered<Hash>(1).hex() + ".json";
  rehearsal.work_until([&] { return std::filesystem::exists(file); });
  const Bytes written = vault::read_file(file).value();
  CHECK(rehearsal.desk->find(numbered<Hash>(1)).value().state == PaymentState::ordered);
  REQUIRE(vault::remove_file(rehearsal.bank + "/delay_ms").has_value());
  rehearsal.restart_all();
  rehearsal.work_until([&] { return rehearsal.desk->open_orders().empty(); });
  CHECK(vault::read_file(file).value() == written);
  const std::string reference = *rehearsal.references[numbered<Hash>(1)].begin();
  CHECK(as_text(written).find(reference) != std::string_view::npos);
}

TEST_CASE("payment: the embedded service pays once under restarts, refusals and delays",
          "[payment][property]") {
  const QuietLog quiet;
  constexpr std::uint64_t kDecisions = 4;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    Prng prng(seed);
    Rehearsal rehearsal;
    rehearsal.restart_all();
    for (int step = 0; step < 40; ++step) {
      switch (prng.below(6)) {
        case 0:
          REQUIRE(rehearsal.desk->order(order_of(prng.below(kDecisions))).has_value());
          break;
        case 1:
          rehearsal.restart_all();
          break;
        case 2:
          rehearsal.restart_desk();
          break;
        case 3:
          rehearsal.put("refuse", "余额不足");
          break;
        case 4:
          rehearsal.put("delay_ms", std::to_string(prng.below(4)));
          break;
        default:
          rehearsal.work();
      }
    }
    for (std::uint64_t i = 0; i < kDecisions; ++i) {
      REQUIRE(rehearsal.desk->order(order_of(i)).has_value());
    }
    rehearsal.work_until([&] { return rehearsal.desk->open_orders().empty(); });
    CHECK(vault::names_in(rehearsal.bank, ".json").value().size() == kDecisions);
    REQUIRE(rehearsal.references.size() == kDecisions);
    for (const auto& [decision, references] : rehearsal.references) {
      REQUIRE(references.size() == 1);
      const auto file = vault::read_file(rehearsal.bank + "/" + decision.hex() + ".json").value();
      CHECK(as_text(file).find(*references.begin()) != std::string_view::npos);
    }
  }
}

}  // namespace
}  // namespace baolian::node
