#include "node/payment_desk.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "crypto/commitment.h"

namespace baolian::node {
namespace {

constexpr std::string_view kPostedSuffix = ".posted";

std::string open_name(const Hash& decision) { return decision.hex(); }
std::string posted_name(const Hash& decision) {
  return decision.hex() + std::string(kPostedSuffix);
}

/// The decision of a file of the desk.
Result<Hash> decision_of(std::string_view name) {
  if (name.ends_with(kPostedSuffix)) name.remove_suffix(kPostedSuffix.size());
  return Hash::from_hex_text(name);
}

// Other services than the embedded one are not ours: what they say is checked before it is kept.
bool is_keepable_reference(std::string_view reference) {
  return !reference.empty() && reference.size() <= PaymentAnswer::kReferenceBytesMax &&
         is_utf8(reference);
}
bool is_keepable_reason(std::string_view reason) {
  return reason.size() <= PaymentAnswer::kReasonBytesMax && is_utf8(reason);
}

bool is_paid(const PaymentOrder& order) {
  return order.state == PaymentState::paid || order.state == PaymentState::posted;
}

/// As the desk writes an open order.
bool is_consistent(const PaymentOrder& order) {
  return order.state != PaymentState::posted && is_paid(order) == order.answer.has_value();
}

}  // namespace

PaymentDesk::PaymentDesk(vault::SealedDirectory files, PaymentService& service, OnPaid on_paid,
                         Clock clock, const Config& config)
    : files_(std::move(files)),
      service_(service),
      on_paid_(std::move(on_paid)),
      clock_(std::move(clock)),
      config_(config) {}

Result<std::unique_ptr<PaymentDesk>> PaymentDesk::open(const std::string& directory,
                                                       crypto::Secret key, PaymentService& service,
                                                       OnPaid on_paid, Clock clock,
                                                       const Config& config) {
  TRY(vault::SealedDirectory files,
      vault::SealedDirectory::open(directory, "payments", std::move(key)));
  std::unique_ptr<PaymentDesk> desk(
      new PaymentDesk(std::move(files), service, std::move(on_paid), std::move(clock), config));
  TRY(desk->load());
  return desk;
}

Result<void> PaymentDesk::load() {
  TRY(const std::vector<std::string> names, files_.names());
  for (const auto& name : names) {
    TRY(const Hash decision, decision_of(name));
    if (name.ends_with(kPostedSuffix)) {
      posted_.insert(decision);
      continue;
    }
    // Whole or not there: one that does not open was damaged, and with it a person's payment.
    auto order = read(name);
    if (!order || order->instruction.decision != decision || !is_consistent(*order)) {
      return fail(order ? Errc::not_canonical : order.error().code,
                  "the payment order payments/" + name +
                      ".sealed cannot be read; restore it, or remove it: it is ordered again from "
                      "its decision, and a payment already made is not repeated");
    }
    open_.emplace(decision, *std::move(order));
  }
  for (const auto& decision : posted_) {  // a crash between posted and the removal
    if (open_.erase(decision) > 0) TRY(files_.erase(open_name(decision)));
  }
  for (const auto& [decision, order] : open_) {
    if (is_paid(order)) unannounced_.push_back(decision);
  }
  return ok();
}

Result<PaymentOrder> PaymentDesk::read(const std::string& name) const {
  TRY(const crypto::Secret plain, files_.get(name));
  return decode<PaymentOrder>(plain.view());
}

Result<void> PaymentDesk::keep(const std::string& name, const PaymentOrder& order) const {
  Bytes plain = encode(order);
  auto kept = files_.put(name, plain);
  crypto::wipe(plain);
  return kept;
}

Result<void> PaymentDesk::order(const PaymentOrder& order) {
  TRY(check_instruction(order.instruction));
  const Hash& decision = order.instruction.decision;
  const std::lock_guard lock(mutex_);
  if (const auto known = open_.find(decision); known != open_.end() || posted_.contains(decision)) {
    std::optional<PaymentInstruction> first;
    if (known != open_.end()) {
      first = known->second.instruction;
    } else {
      TRY(PaymentOrder posted, read(posted_name(decision)));
      first = std::move(posted.instruction);
    }
    if (*first == order.instruction) return ok();
    return fail(Errc::request_conflict,
                "this decision has a payment order with another payee, amount or currency, which "
                "stays as it is; a person must look at it");
  }
  PaymentOrder fresh;
  fresh.instruction = order.instruction;
  fresh.claim = order.claim;
  fresh.number = order.number;
  fresh.ordered_at = clock_();
  TRY(keep(open_name(decision), fresh));
  open_.emplace(decision, std::move(fresh));
  return ok();
}

void PaymentDesk::work(TimeMs now) {
  take_answers(now);
  std::vector<PaymentOrder> paid;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& decision : std::exchange(unannounced_, {})) {
      if (const auto found = open_.find(decision); found != open_.end()) {
        paid.push_back(found->second);
      }
    }
  }
  for (const auto& order : paid) on_paid_(order);
  send_due(now);
}

void PaymentDesk::take_answers(TimeMs now) {
  std::deque<Answered> answers;
  {
    const std::lock_guard lock(inbox_->mutex);
    answers.swap(inbox_->answers);
  }
  const std::lock_guard lock(mutex_);
  for (const auto& answered : answers) take(answered, now);
}

void PaymentDesk::take(const Answered& answered, TimeMs now) {
  const auto found = open_.find(answered.decision);
  if (found == open_.end()) return;  // posted meanwhile
  const std::string decision = answered.decision.hex();
  const PaymentAnswer& answer = answered.answer;
  const bool is_payment = answer.outcome == PaymentOutcome::paid;
  if (is_payment && !is_keepable_reference(answer.reference)) {
    spdlog::error("payment of decision {}: the service gave no usable reference; asked again",
                  decision);
    return;
  }
  PaymentOrder next = found->second;
  if (is_paid(next)) {  // a late answer to an earlier instruction
    if (is_payment && answer.reference != next.answer->reference) {
      spdlog::error("payment of decision {}: the service gave two references; have it checked",
                    decision);
    }
    return;
  }
  if (is_payment) {
    next.state = PaymentState::paid;
    next.answer = PaymentAnswer{PaymentOutcome::paid, answer.reference, "", answer.at};
    next.reference_salt = crypto::new_salt();
  } else {
    next.state = PaymentState::refused;
    next.last_reason = is_keepable_reason(answer.reason) ? answer.reason : "refused";
    next.next_attempt = now + config_.backoff.pause_ms(next.attempts);
    spdlog::warn("payment of decision {}: refused at attempt {}; asked again", decision,
                 next.attempts);
  }
  if (auto kept = keep(open_name(answered.decision), next); !kept) {
    // Nobody has seen this answer; the service gives it again.
    spdlog::warn("payment of decision {}: the answer could not be stored ({}); asked again",
                 decision, errc_name(kept.error().code));
    return;
  }
  if (is_payment) unannounced_.push_back(answered.decision);
  found->second = std::move(next);
}

void PaymentDesk::send_due(TimeMs now) {
  std::vector<PaymentInstruction> due;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [decision, order] : open_) {
      if (due.size() >= config_.sends_at_once) break;
      const std::uint64_t longest =
          std::max(config_.backoff.max_ms, pause_without_answer_ms(order.attempts));
      const bool is_due = Backoff::is_due(order.next_attempt.value, now.value, longest);
      if (is_paid(order) || !is_due) continue;
      if (order.attempts < std::numeric_limits<std::uint32_t>::max()) ++order.attempts;
      order.next_attempt = now + pause_without_answer_ms(order.attempts);
      due.push_back(order.instruction);
    }
  }
  for (const auto& instruction : due) {
    service_.instruct(instruction,
                      [inbox = inbox_, decision = instruction.decision](PaymentAnswer answer) {
                        const std::lock_guard lock(inbox->mutex);
                        inbox->answers.push_back({decision, std::move(answer)});
                      });
  }
}

std::uint64_t PaymentDesk::pause_without_answer_ms(std::uint32_t attempts) const {
  return std::max(config_.answer_wait_ms, config_.backoff.pause_ms(attempts));
}

Result<void> PaymentDesk::posted(const Hash& decision) {
  const std::lock_guard lock(mutex_);
  if (posted_.contains(decision)) return ok();
  const auto found = open_.find(decision);
  if (found == open_.end()) {
    return fail(Errc::not_found, "no payment of this decision was ordered here");
  }
  if (found->second.state != PaymentState::paid) {
    return fail(Errc::bad_argument, "this payment is not paid yet, so it cannot be posted");
  }
  PaymentOrder done = found->second;
  done.state = PaymentState::posted;
  TRY(keep(posted_name(decision), done));
  posted_.insert(decision);
  open_.erase(found);
  // One that stays behind is removed at the next start.
  if (!files_.erase(open_name(decision))) {
    spdlog::warn("payment of decision {}: its open order could not be removed", decision.hex());
  }
  return ok();
}

Result<PaymentOrder> PaymentDesk::find(const Hash& decision) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = open_.find(decision); found != open_.end()) return found->second;
    if (!posted_.contains(decision)) {
      return fail(Errc::not_found, "no payment of this decision was ordered here");
    }
  }
  return read(posted_name(decision));  // never changes again
}

std::vector<PaymentOrder> PaymentDesk::open_orders() const {
  const std::lock_guard lock(mutex_);
  std::vector<PaymentOrder> out;
  for (const auto& [decision, order] : open_) out.push_back(order);
  return out;
}

Result<std::vector<PaymentOrder>> PaymentDesk::list() const {
  std::vector<PaymentOrder> out;
  std::vector<Hash> posted;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [decision, order] : open_) out.push_back(order);
    posted.assign(posted_.begin(), posted_.end());
  }
  for (const auto& decision : posted) {
    TRY(PaymentOrder order, read(posted_name(decision)));
    out.push_back(std::move(order));
  }
  std::sort(out.begin(), out.end(), [](const PaymentOrder& a, const PaymentOrder& b) {
    return a.instruction.decision < b.instruction.decision;
  });
  return out;
}

}  // namespace baolian::node
