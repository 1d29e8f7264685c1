/// Where an insurer's payments are carried out: a bank, or a treasury that speaks to one. The port
/// is asynchronous and idempotent, which is all that a durable outbox (payment_desk.h) needs; the
/// embedded service is a component of its own behind it, with its own thread, queue and directory,
/// so that refusals, late answers and crashes in between are those of a real counterpart.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "contracts/claims/decision_operations.h"
#include "core/codec.h"
#include "core/ids.h"
#include "core/result.h"

namespace baolian::node {

using contracts::PayeeKind;

/// What an insurer asks to be paid. Names a person: never logged, stored sealed only.
struct PaymentInstruction {
  static constexpr std::string_view kTypeName = "PaymentInstruction";
  static constexpr std::uint32_t kPayeeBytesMax = 128;
  static constexpr std::uint32_t kCurrencyBytesMax = 8;
  Hash decision;  ///< id of the decision: the idempotency key
  PayeeKind kind = PayeeKind::person;
  std::string payee;         ///< the person's id as the insurer knows it, or an institution's name
  std::uint64_t amount = 0;  ///< minor units of the currency; above 0
  std::string currency;      ///< code, for example CNY

  static constexpr auto fields() {
    return field_list(
        field("decision", &PaymentInstruction::decision, "id of the decision: idempotency key"),
        field("kind", &PaymentInstruction::kind, "what the payee is"),
        field("payee", &PaymentInstruction::payee, between(1, kPayeeBytesMax),
              "person id, or name of the institution"),
        field("amount", &PaymentInstruction::amount, "minor units"),
        field("currency", &PaymentInstruction::currency, between(1, kCurrencyBytesMax),
              "currency code"));
  }
  friend bool operator==(const PaymentInstruction&, const PaymentInstruction&) = default;
};

/// Returns: Errc::bad_argument for an empty or too long payee or currency, text that is no UTF-8,
/// or an amount of zero; the sentence names the field and not its value.
Result<void> check_instruction(const PaymentInstruction& instruction);

enum class PaymentOutcome : std::uint8_t { paid = 1, refused = 2 };
constexpr auto enum_names(PaymentOutcome) {
  return std::array<std::string_view, 3>{"", "paid", "refused"};
}

struct PaymentAnswer {
  static constexpr std::string_view kTypeName = "PaymentAnswer";
  static constexpr std::uint32_t kReferenceBytesMax = 128;
  static constexpr std::uint32_t kReasonBytesMax = 256;
  PaymentOutcome outcome = PaymentOutcome::refused;
  std::string reference;  ///< the service's own, of a payment; empty in a refusal
  std::string reason;     ///< of a refusal, in the service's words: may name a person, never logged
  TimeMs at;              ///< when it was paid or refused, by the service's clock

  static constexpr auto fields() {
    return field_list(
        field("outcome", &PaymentAnswer::outcome, "paid or refused"),
        field("reference", &PaymentAnswer::reference, at_most(kReferenceBytesMax),
              "the service's reference of a payment"),
        field("reason", &PaymentAnswer::reason, at_most(kReasonBytesMax), "of a refusal"),
        field("at", &PaymentAnswer::at, "by the service's clock, ms"));
  }
  friend bool operator==(const PaymentAnswer&, const PaymentAnswer&) = default;
};

/// The port.
class PaymentService {
 public:
  using Done = std::function<void(PaymentAnswer)>;

  virtual ~PaymentService() = default;

  /// Does not block. A key that was paid before gives the same reference and pays nothing; the same
  /// key with another payee, amount or currency is refused with a reason. A refusal means that this
  /// instruction paid nothing: the next one with the key may succeed. `done` is called once, on any
  /// thread, or never (a crash, an outcome that is not durable): whoever got no answer asks again.
  virtual void instruct(const PaymentInstruction& instruction, Done done) = 0;
};

/// What the embedded service keeps of one payment: <decision>.json, mode 0600, the JSON form of
/// this type (ledger/json.h). The payment has been made exactly if the file is there. It names the
/// payee in clear, as a bank's books do.
struct PaymentFile {
  static constexpr std::string_view kTypeName = "PaymentFile";
  Version<1> version;
  PaymentInstruction instruction;
  std::string reference;
  TimeMs paid_at;

  static constexpr auto fields() {
    return field_list(
        field("version", &PaymentFile::version, "format version"),
        field("instruction", &PaymentFile::instruction, "what was paid"),
        field("reference", &PaymentFile::reference, between(1, PaymentAnswer::kReferenceBytesMax),
              "the service's reference"),
        field("paid_at", &PaymentFile::paid_at, "when the file was made, ms"));
  }
};

/// First the durable file, then the answer: a crash in between is answered later with the same
/// reference.
///
/// For rehearsals, a person may put into its directory:
///   refuse     the next instruction that would be paid is refused, with this file's text as the
///              reason; the file is removed durably before the answer
///   delay_ms   a decimal number: answers come this much later, for as long as the file is there
///              (at most a day; another text counts as none)
///
/// Bounds:   kWaitingMax instructions and late answers wait; more are dropped unanswered.
/// Threads:  instruct() from any; `done` on the service's own thread, without a lock held.
/// Lifetime: the destructor ends like a crash: what was not answered stays unanswered.
class EmbeddedPaymentService final : public PaymentService {
 public:
  static constexpr std::size_t kWaitingMax = 10'000;

  /// Makes the directory in a parent that is there. `clock` gives the time of payments. Returns:
  /// Errc::io_failed.
  static Result<std::unique_ptr<EmbeddedPaymentService>> open(std::string directory,
                                                              std::function<TimeMs()> clock);
  ~EmbeddedPaymentService() override;
  EmbeddedPaymentService(const EmbeddedPaymentService&) = delete;
  EmbeddedPaymentService& operator=(const EmbeddedPaymentService&) = delete;

  void instruct(const PaymentInstruction& instruction, Done done) override;

 private:
  using Instant = std::chrono::steady_clock::time_point;
  struct Request {
    PaymentInstruction instruction;
    Done done;
  };
  struct LateAnswer {
    PaymentAnswer answer;
    Done done;
  };

  EmbeddedPaymentService(std::string directory, std::function<TimeMs()> clock);
  void run();
  /// The answer, with everything durable that it says; nullopt if that could not be made so.
  std::optional<PaymentAnswer> carry_out(const PaymentInstruction& instruction);
  Result<PaymentAnswer> answer_known(const PaymentInstruction& instruction, BytesView file) const;
  Result<PaymentAnswer> pay(const PaymentInstruction& instruction) const;
  std::chrono::milliseconds delay() const;
  PaymentAnswer refusal(std::string reason) const;
  std::string path_of(const Hash& decision) const;

  const std::string directory_;
  const std::function<TimeMs()> clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Request> requests_;
  std::multimap<Instant, LateAnswer> late_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace baolian::node
