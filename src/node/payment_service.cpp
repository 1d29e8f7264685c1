#include "node/payment_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>

#include "crypto/random.h"
#include "ledger/json.h"
#include "vault/durable_file.h"

namespace baolian::node {
namespace {

constexpr std::string_view kRefuseFile = "/refuse";
constexpr std::string_view kDelayFile = "/delay_ms";
constexpr std::uint64_t kDelayMsMax = 86'400'000;
constexpr ledger::JsonBounds kFileBounds{.bytes_max = 16 * 1024, .depth_max = 4, .values_max = 64};
using ReferenceBytes = FixedBytes<struct ReferenceTag, 8>;

/// Without spaces at both ends.
std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

Result<PaymentFile> read_payment(BytesView file) {
  TRY(const ledger::Json json, ledger::parse_json_text(as_text(file), kFileBounds));
  return ledger::from_json_form<PaymentFile>(json);
}

PaymentAnswer answer_of(const PaymentFile& file) {
  return {PaymentOutcome::paid, file.reference, "", file.paid_at};
}

bool is_text_within(std::string_view text, std::size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max && is_utf8(text);
}

}  // namespace

Result<void> check_instruction(const PaymentInstruction& instruction) {
  if (!is_text_within(instruction.payee, PaymentInstruction::kPayeeBytesMax)) {
    return fail(Errc::bad_argument, "a payment needs a payee of 1 to 128 bytes of UTF-8");
  }
  if (!is_text_within(instruction.currency, PaymentInstruction::kCurrencyBytesMax)) {
    return fail(Errc::bad_argument, "a payment needs a currency code of 1 to 8 bytes");
  }
  if (instruction.amount == 0) {
    return fail(Errc::bad_argument, "a payment of nothing: close the claim without one");
  }
  return ok();
}

EmbeddedPaymentService::EmbeddedPaymentService(std::string directory, std::function<TimeMs()> clock)
    : directory_(std::move(directory)), clock_(std::move(clock)) {}

Result<std::unique_ptr<EmbeddedPaymentService>> EmbeddedPaymentService::open(
    std::string directory, std::function<TimeMs()> clock) {
  TRY(vault::make_directory(directory));
  TRY(vault::sync_directory(directory + "/.."));
  TRY(vault::sweep_temporaries(directory));
  std::unique_ptr<EmbeddedPaymentService> out(
      new EmbeddedPaymentService(std::move(directory), std::move(clock)));
  out->thread_ = std::thread([service = out.get()] { service->run(); });
  return out;
}

EmbeddedPaymentService::~EmbeddedPaymentService() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void EmbeddedPaymentService::instruct(const PaymentInstruction& instruction, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (requests_.size() + late_.size() >= kWaitingMax) return;  // asked again later
    requests_.push_back({instruction, std::move(done)});
  }
  wake_.notify_one();
}

void EmbeddedPaymentService::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!late_.empty() && late_.begin()->first <= std::chrono::steady_clock::now()) {
      const LateAnswer late = std::move(late_.extract(late_.begin()).mapped());
      lock.unlock();
      late.done(late.answer);
      lock.lock();
    } else if (!requests_.empty()) {
      Request request = std::move(requests_.front());
      requests_.pop_front();
      lock.unlock();
      const auto lateness = delay();
      auto answer = carry_out(request.instruction);
      const Instant due = std::chrono::steady_clock::now() + lateness;
      lock.lock();
      if (answer) late_.emplace(due, LateAnswer{std::move(*answer), std::move(request.done)});
    } else if (!late_.empty()) {
      const Instant due = late_.begin()->first;  // a copy: the lock is not held while it waits
      wake_.wait_until(lock, due);
    } else {
      wake_.wait(lock);
    }
  }
}

std::optional<PaymentAnswer> EmbeddedPaymentService::carry_out(
    const PaymentInstruction& instruction) {
  if (auto checked = check_instruction(instruction); !checked) {
    return refusal(checked.error().context);
  }
  Result<PaymentAnswer> answer = pay(instruction);
  if (answer) return *std::move(answer);
  // Neither paid nor refused is known to be durable: no answer, so that it is asked again.
  spdlog::warn("payment service: decision {} stays unanswered: {}", instruction.decision.hex(),
               errc_name(answer.error().code));
  return std::nullopt;
}

Result<PaymentAnswer> EmbeddedPaymentService::pay(const PaymentInstruction& instruction) const {
  const std::string path = path_of(instruction.decision);
  if (const auto known = vault::read_file(path)) return answer_known(instruction, *known);

  const std::string refuse = directory_ + std::string(kRefuseFile);
  if (const auto reason = vault::read_file(refuse)) {
    TRY(vault::remove_file(refuse));
    return refusal(std::string(trimmed(as_text(*reason))));
  }
  PaymentFile file;
  file.instruction = instruction;
  file.reference = "EP-" + crypto::random_id<ReferenceBytes>().hex();
  file.paid_at = clock_();
  const std::string text = ledger::json_text(ledger::to_json_form(file)) + "\n";
  const auto created = vault::create_file(path, as_bytes(text));
  if (created) return answer_of(file);
  if (created.error().code != Errc::already_exists) return created.error();
  TRY(const Bytes first, vault::read_file(path));  // another service on this directory was faster
  return answer_known(instruction, first);
}

Result<PaymentAnswer> EmbeddedPaymentService::answer_known(const PaymentInstruction& instruction,
                                                           BytesView file) const {
  // Its name may not be durable yet: a crash can lie between naming it and syncing the directory.
  TRY(vault::sync_directory(directory_));
  const auto known = read_payment(file);
  if (!known || known->instruction.decision != instruction.decision) {
    return refusal("the file of an earlier payment of this decision cannot be read; restore it");
  }
  if (known->instruction != instruction) {
    return refusal("this decision was paid with another payee, amount or currency");
  }
  return answer_of(*known);
}

std::chrono::milliseconds EmbeddedPaymentService::delay() const {
  const auto file = vault::read_file(directory_ + std::string(kDelayFile));
  if (!file) return {};
  const std::string_view text = trimmed(as_text(*file));
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  return std::chrono::milliseconds(is_number ? std::min(value, kDelayMsMax) : 0);
}

PaymentAnswer EmbeddedPaymentService::refusal(std::string reason) const {
  if (!is_text_within(reason, PaymentAnswer::kReasonBytesMax)) reason = "refused";
  return {PaymentOutcome::refused, "", std::move(reason), clock_()};
}

std::string EmbeddedPaymentService::path_of(const Hash& decision) const {
  return directory_ + "/" + decision.hex() + ".json";
}

}  // namespace baolian::node
