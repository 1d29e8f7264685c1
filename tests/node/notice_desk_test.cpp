#include "node/notice_desk.h"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <sstream>
#include <thread>

#include "ledger/fixture.h"
#include "node/payment_desk.h"
#include "support/catch.h"
#include "vault/durable_file.h"

namespace baolian::node {
namespace {

using ledger::test::numbered;
using ledger::test::TemporaryDirectory;

constexpr std::string_view kPerson = "999999198001010018";
constexpr TimeMs kStart{1'700'000'000'000};
constexpr std::array kKinds{NoticeKind::filed,    NoticeKind::released, NoticeKind::needs_paper,
                            NoticeKind::decided,  NoticeKind::paid,     NoticeKind::invited,
                            NoticeKind::in_review};

Notice notice_of(std::uint64_t about, NoticeKind kind = NoticeKind::decided) {
  Notice out;
  out.id = notice_id(kind, numbered<Hash>(about), 1);
  out.kind = kind;
  out.recipient = kPerson;
  out.text = notice_text(kind, "示例保险公司");
  return out;
}

crypto::Secret key() { return crypto::Secret::copy_of(Bytes(32, 9)); }

/// A channel that fails as often as it is told, and remembers what reached persons.
class ScriptedChannel final : public NoticeChannel {
 public:
  Result<std::string> deliver(const Notice& notice) override {
    ++calls;
    if (failures > 0) {
      --failures;
      return fail(Errc::connect_failed, "nobody answers for " + notice.recipient);
    }
    delivered.insert(notice.id);
    return receipt;
  }
  int failures = 0;
  std::string receipt = "sms-1";
  std::size_t calls = 0;
  std::set<Hash> delivered;
};

struct Desk {
  explicit Desk(NoticeChannel& to) : channel(to) { restart(); }
  void restart() {
    desk.reset();
    desk = NoticeDesk::open(data.path(), key(), channel).value();
  }
  void work_at(std::uint64_t ms) { desk->work(kStart + ms); }

  TemporaryDirectory data;
  NoticeChannel& channel;
  std::unique_ptr<NoticeDesk> desk;
};

TEST_CASE("notice: the id follows from what happened alone", "[notice]") {
  std::set<Hash> ids;
  for (const NoticeKind kind : kKinds) {
    for (std::uint64_t about = 0; about < 3; ++about) {
      for (std::uint32_t number = 0; number < 3; ++number) {
        const Hash id = notice_id(kind, numbered<Hash>(about), number);
        CHECK(id == notice_id(kind, numbered<Hash>(about), number));
        CHECK(ids.insert(id).second);
      }
    }
  }
}

TEST_CASE("notice: delivered once, however often it is posted and whatever restarts", "[notice]") {
  ScriptedChannel channel;
  Desk desk(channel);
  for (int replay = 0; replay < 3; ++replay) {
    for (std::uint64_t about = 0; about < 5; ++about) {
      REQUIRE(desk.desk->post(notice_of(about)).has_value());
      REQUIRE(desk.desk->post(notice_of(about)).has_value());
    }
    if (replay == 0) {
      CHECK(desk.desk->open_count() == 5);
      CHECK(desk.desk->receipts().value().empty());
      CHECK(desk.desk->receipt(notice_of(1).id).error().code == Errc::not_found);
    }
    desk.restart();
    for (std::uint64_t about = 0; about < 5; ++about) {
      REQUIRE(desk.desk->post(notice_of(about)).has_value());
    }
    CHECK(desk.desk->open_count() == (replay == 0 ? 5 : 0));
    desk.work_at(0);
    CHECK(desk.desk->open_count() == 0);
    CHECK(channel.calls == 5);
  }
  const auto receipts = desk.desk->receipts().value();
  REQUIRE(receipts.size() == 5);
  for (const auto& receipt : receipts) {
    CHECK(receipt.receipt == "sms-1");
    CHECK(receipt.kind == NoticeKind::decided);
    CHECK(receipt.delivered_at == kStart);
  }
  CHECK(desk.desk->receipt(notice_of(1).id).value().notice == notice_of(1).id);
  CHECK(vault::names_in(desk.data.path() + "/notice-outbox", "").value().empty());
}

TEST_CASE("notice: a channel that fails twice is asked again after 1 and 2 s", "[notice]") {
  ScriptedChannel channel;
  channel.failures = 2;
  Desk desk(channel);
  REQUIRE(desk.desk->post(notice_of(1)).has_value());
  desk.work_at(0);
  desk.work_at(999);
  CHECK(channel.calls == 1);
  desk.work_at(1'000);
  desk.work_at(2'999);
  CHECK(channel.calls == 2);
  CHECK(desk.desk->open_count() == 1);
  desk.work_at(3'000);
  desk.work_at(10'000);
  CHECK(channel.calls == 3);
  CHECK(channel.delivered.size() == 1);
  CHECK(desk.desk->open_count() == 0);
}

TEST_CASE("notice: one that cannot be delivered keeps no other waiting", "[notice]") {
  ScriptedChannel channel;
  channel.failures = 16;
  Desk desk(channel);
  for (std::uint64_t about = 0; about < 40; ++about) {
    REQUIRE(desk.desk->post(notice_of(about)).has_value());
  }
  desk.work_at(0);
  CHECK(channel.calls == 16);
  desk.work_at(1);
  desk.work_at(2);
  CHECK(channel.delivered.size() == 24);
  desk.work_at(1'000);
  CHECK(channel.delivered.size() == 40);
}

TEST_CASE("notice: it waits until its receipt is durable", "[notice]") {
  TemporaryDirectory files;
  FileChannel channel = FileChannel::open(files.path() + "/notices").value();
  Desk desk(channel);
  REQUIRE(desk.desk->post(notice_of(1)).has_value());
  const std::string receipts = desk.data.path() + "/notice-receipts";
  std::filesystem::rename(receipts, receipts + ".away");
  desk.work_at(0);
  CHECK(desk.desk->open_count() == 1);
  CHECK(vault::names_in(files.path() + "/notices", "").value().size() == 1);
  std::filesystem::rename(receipts + ".away", receipts);
  desk.restart();
  desk.work_at(1);
  CHECK(desk.desk->open_count() == 0);
  CHECK(vault::names_in(files.path() + "/notices", "").value().size() == 1);
  CHECK(desk.desk->receipts().value().size() == 1);
}

TEST_CASE("notice: a crash between receipt and removal does not deliver again", "[notice]") {
  ScriptedChannel channel;
  Desk desk(channel);
  REQUIRE(desk.desk->post(notice_of(1)).has_value());
  const std::string waiting =
      desk.data.path() + "/notice-outbox/" + notice_of(1).id.hex() + ".sealed";
  const Bytes before = vault::read_file(waiting).value();
  desk.work_at(0);
  REQUIRE(vault::replace_file(waiting, before).has_value());
  desk.restart();
  desk.work_at(1);
  CHECK(channel.calls == 1);
  CHECK(desk.desk->open_count() == 0);
  CHECK_FALSE(std::filesystem::exists(waiting));
}

TEST_CASE("notice: posting fails without a durable place and for what nobody could read",
          "[notice]") {
  ScriptedChannel channel;
  channel.receipt.clear();  // an unusable receipt is still a delivery
  Desk desk(channel);
  const std::string outbox = desk.data.path() + "/notice-outbox";
  std::filesystem::rename(outbox, outbox + ".away");
  CHECK(desk.desk->post(notice_of(1)).error().code == Errc::io_failed);
  std::filesystem::rename(outbox + ".away", outbox);
  Notice nobody = notice_of(2);
  nobody.recipient.clear();
  Notice garbled = notice_of(2);
  garbled.text = "\xff";
  Notice endless = notice_of(2);
  endless.text = std::string(4'097, 'x');
  for (const auto& bad : {nobody, garbled, endless}) {
    const auto posted = desk.desk->post(bad);
    REQUIRE_FALSE(posted.has_value());
    CHECK(posted.error().code == Errc::bad_argument);
    CHECK(posted.error().context.find(kPerson) == std::string::npos);
  }
  desk.work_at(0);
  CHECK(channel.calls == 0);
  REQUIRE(desk.desk->post(notice_of(1)).has_value());
  desk.work_at(0);
  CHECK(desk.desk->receipt(notice_of(1).id).value().receipt == "delivered");
}

TEST_CASE("notice: a damaged waiting notice stops the start and is named by its file alone",
          "[notice]") {
  ScriptedChannel channel;
  Desk desk(channel);
  REQUIRE(desk.desk->post(notice_of(1)).has_value());
  desk.desk.reset();
  const std::string name = notice_of(1).id.hex() + ".sealed";
  const std::string path = desk.data.path() + "/notice-outbox/" + name;
  Bytes bytes = vault::read_file(path).value();
  bytes.back() ^= 1;
  REQUIRE(vault::replace_file(path, bytes).has_value());
  const auto opened = NoticeDesk::open(desk.data.path(), key(), channel);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == Errc::cannot_open);
  CHECK(opened.error().context.find(name) != std::string::npos);
}

TEST_CASE("notice: the file is readable, private, masked, and written once", "[notice]") {
  const TemporaryDirectory data;
  const std::string directory = data.path() + "/notices";
  FileChannel channel = FileChannel::open(directory).value();
  Notice notice = notice_of(1, NoticeKind::needs_paper);
  const std::string name = notice.id.hex().substr(0, 16) + "-needs_paper.txt";
  const std::string receipt = channel.deliver(notice).value();
  CHECK(receipt.starts_with(name + " "));
  CHECK(std::stoull(receipt.substr(name.size() + 1)) > kStart.value);
  const std::string path = directory + "/" + name;
  const std::string text(as_text(vault::read_file(path).value()));
  CHECK(text == "致：********0018\n\n" + notice_text(NoticeKind::needs_paper, "示例保险公司"));
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
  notice.text = "另一段文字\n";
  CHECK(channel.deliver(notice).value() == receipt);
  CHECK(as_text(vault::read_file(path).value()) == text);
  std::filesystem::remove_all(directory);
  CHECK(channel.deliver(notice_of(2)).error().code == Errc::io_failed);
}

TEST_CASE("notice: a mask shows four characters of a long id and none of a short one", "[notice]") {
  CHECK(masked_recipient(kPerson) == "********0018");
  CHECK(masked_recipient("护照号码甲乙丙丁戊己庚辛") == "********戊己庚辛");
  CHECK(masked_recipient("12345678901") == "********");
  CHECK(masked_recipient("") == "********");
}

TEST_CASE("notice: texts say who, what and the next step, and nothing of the person", "[notice]") {
  const std::string name = "示例保险公司";
  std::set<std::string> texts;
  for (const NoticeKind kind : kKinds) {
    const std::string text = notice_text(kind, name);
    CAPTURE(text);
    CHECK(texts.insert(text).second);
    CHECK(is_utf8(text));
    CHECK(text.starts_with("您好："));
    CHECK(text.ends_with("。\n"));
    CHECK(text.find(name) != std::string::npos);
    CHECK(text.find("{}") == std::string::npos);
    CHECK(text.size() <= Notice::kTextBytesMax);
    CHECK(text.find_first_of("0123456789%$") == std::string::npos);
    for (const std::string_view word :
         {"０",   "１", "２", "３",   "４",   "５", "６",     "７",   "８",
          "９",   "诊", "病", "症",   "手术", "药", "住院",   "治疗", "检查",
          "化验", "癌", "科", "金额", "元",   "￥", "身份证", "先生", "女士"}) {
      CAPTURE(word);
      CHECK(text.find(word) == std::string::npos);
    }
  }
  const auto says = [&](NoticeKind kind, std::string_view word) {
    return notice_text(kind, name).find(word) != std::string::npos;
  };
  CHECK(says(NoticeKind::filed, "撤回"));
  CHECK(says(NoticeKind::released, "授权"));
  CHECK(says(NoticeKind::needs_paper, "医院窗口"));
  CHECK(says(NoticeKind::decided, "人工复核"));
  CHECK(says(NoticeKind::decided, "说明理由"));
  CHECK(says(NoticeKind::paid, "途中"));
  CHECK(says(NoticeKind::invited, "授权"));
  CHECK(says(NoticeKind::in_review, "人工审核"));
}

/// What is logged while it lives.
class CapturedLog {
 public:
  CapturedLog() : before_(spdlog::default_logger()) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "captured", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)));
  }
  ~CapturedLog() { spdlog::set_default_logger(before_); }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_;
};

/// A service that calls the payee by his number when it refuses.
class Gossip final : public PaymentService {
 public:
  void instruct(const PaymentInstruction& instruction, Done done) override {
    done({PaymentOutcome::refused, "", "no account of " + instruction.payee, kStart});
    done({PaymentOutcome::paid, "", instruction.payee, kStart});
  }
};

/// Paths below `root`, and for files their bytes, in which the text stands.
std::vector<std::string> places_of(const std::string& root, std::string_view text) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const std::string path = entry.path().string();
    const bool named = path.find(text) != std::string::npos;
    const bool held = entry.is_regular_file() &&
                      as_text(vault::read_file(path).value()).find(text) != std::string_view::npos;
    if (named || held) out.push_back(path.substr(root.size() + 1));
  }
  return out;
}

TEST_CASE("privacy: a planted person stands in the bank's own file and in no error, log or file",
          "[notice][payment][privacy]") {
  TemporaryDirectory data;
  CapturedLog log;
  std::string errors;
  PaymentOrder order;
  order.instruction = {numbered<Hash>(1), PayeeKind::person, std::string(kPerson), 1, "CNY"};
  PaymentOrder conflict = order;
  conflict.instruction.amount = 2;
  const auto clock = [] { return kStart; };
  const auto announce = [](const PaymentOrder&) {};
  {
    Gossip gossip;
    const auto desk =
        PaymentDesk::open(data.path() + "/payments", key(), gossip, announce, clock).value();
    REQUIRE(desk->order(order).has_value());
    errors += desk->order(conflict).error().context;
    desk->work(kStart);
    desk->work(kStart);
    CHECK(desk->find(numbered<Hash>(1)).value().last_reason.find(kPerson) != std::string::npos);
  }
  const auto bank = EmbeddedPaymentService::open(data.path() + "/payment-service", clock).value();
  const auto desk =
      PaymentDesk::open(data.path() + "/payments", key(), *bank, announce, clock).value();
  TimeMs now = kStart;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (desk->find(numbered<Hash>(1)).value().state != PaymentState::paid) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    desk->work(now = now + 2'000);
    std::this_thread::yield();
  }
  ScriptedChannel down;
  down.failures = 1;
  FileChannel files = FileChannel::open(data.path() + "/notices").value();
  {
    const auto notices = NoticeDesk::open(data.path(), key(), down).value();
    REQUIRE(notices->post(notice_of(1)).has_value());
    notices->work(kStart);
  }
  const auto notices = NoticeDesk::open(data.path(), key(), files).value();
  notices->work(kStart);
  REQUIRE(notices->post(notice_of(2)).has_value());  // stays in the outbox
  std::filesystem::rename(data.path() + "/notices", data.path() + "/away");
  errors += files.deliver(notice_of(2)).error().context;
  notices->work(kStart);
  CHECK(notices->open_count() == 1);

  CHECK(log.text().find("refused at attempt 1") != std::string::npos);
  CHECK(log.text().find("connect_failed") != std::string::npos);
  CHECK(log.text().find("io_failed") != std::string::npos);
  CHECK(log.text().find(kPerson) == std::string::npos);
  CHECK_FALSE(errors.empty());
  CHECK(errors.find(kPerson) == std::string::npos);
  const std::vector<std::string> bank_file{"payment-service/" + numbered<Hash>(1).hex() + ".json"};
  CHECK(places_of(data.path(), kPerson) == bank_file);
  CHECK(places_of(data.path(), "********0018").size() == 1);
}

}  // namespace
}  // namespace baolian::node
