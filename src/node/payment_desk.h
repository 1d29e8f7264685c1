/// The insurer's durable outbox of payments: what a decision owes is on disk before the payment
/// service hears of it, is asked for until it is paid, and is handed over for claims.pay until that
/// stands on the chain. What makes "never twice" true is the service's idempotency key, the id of
/// the decision; what makes "never lost" true is this directory.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "core/result.h"
#include "node/backoff.h"
#include "node/payment_service.h"
#include "vault/sealed_directory.h"

namespace baolian::node {

enum class PaymentState : std::uint8_t {
  ordered = 1,  ///< durable here; the service may have heard of it
  refused = 2,  ///< by the last answer; asked again after a pause
  paid = 3,     ///< with a reference; claims.pay is not known to be certified
  posted = 4,   ///< done
};
constexpr auto enum_names(PaymentState) {
  return std::array<std::string_view, 5>{"", "ordered", "refused", "paid", "posted"};
}

/// Names a person: kept sealed, never logged.
struct PaymentOrder {
  static constexpr std::string_view kTypeName = "PaymentOrder";
  Version<1> version;
  PaymentInstruction instruction;
  ClaimId claim;
  std::uint16_t number = 0;  ///< of the decision in its claim
  // The rest is the desk's.
  PaymentState state = PaymentState::ordered;
  TimeMs ordered_at;
  std::uint32_t attempts = 0;           ///< instructions sent, as far as durable
  TimeMs next_attempt;                  ///< zero: at once
  std::string last_reason;              ///< of the last refusal, in the service's words
  std::optional<PaymentAnswer> answer;  ///< of the payment, once paid
  Salt reference_salt;                  ///< for claims.pay's commitment to the reference

  static constexpr auto fields() {
    return field_list(
        field("version", &PaymentOrder::version, "format version"),
        field("instruction", &PaymentOrder::instruction, "what the service is asked to pay"),
        field("claim", &PaymentOrder::claim, "claim of the decision"),
        field("number", &PaymentOrder::number, "number of the decision in its claim"),
        field("state", &PaymentOrder::state, "how far it is"),
        field("ordered_at", &PaymentOrder::ordered_at, "when it was taken here, ms"),
        field("attempts", &PaymentOrder::attempts, "instructions sent, as far as durable"),
        field("next_attempt", &PaymentOrder::next_attempt, "not before, ms; 0: at once"),
        field("last_reason", &PaymentOrder::last_reason, at_most(PaymentAnswer::kReasonBytesMax),
              "of the last refusal"),
        field("answer", &PaymentOrder::answer, "of the payment, once paid"),
        field("reference_salt", &PaymentOrder::reference_salt,
              "drawn when paid, so that claims.pay says the same after a restart"));
  }
};

/// One file an order, <decision>.sealed, in the desk's directory; <decision>.posted.sealed once
/// done, which is read only when asked for.
///
/// Invariants: (1) an order is durable before its first instruction is sent  (2) paid, its
///             reference and salt are durable before on_paid is called  (3) the first reference
///             stays.
/// Threads:    work() by one thread, which calls the service and on_paid without a lock held; the
///             rest from any. The service may answer on any thread, also after this object's end.
class PaymentDesk {
 public:
  struct Config {
    Backoff backoff{};                      ///< after refusals
    std::uint64_t answer_wait_ms = 10'000;  ///< without an answer: asked again, not sooner
    std::size_t sends_at_once = 64;         ///< instructions of one work()
  };
  using OnPaid = std::function<void(const PaymentOrder&)>;
  using Clock = std::function<TimeMs()>;

  /// The service outlives the desk. Orders that were paid and not posted are announced by the first
  /// work(). Requires: a key of 32 bytes. Returns: Errc::io_failed; Errc::cannot_open and codec
  /// errors for a damaged file, naming it.
  static Result<std::unique_ptr<PaymentDesk>> open(const std::string& directory, crypto::Secret key,
                                                   PaymentService& service, OnPaid on_paid,
                                                   Clock clock, const Config& config);
  static Result<std::unique_ptr<PaymentDesk>> open(const std::string& directory, crypto::Secret key,
                                                   PaymentService& service, OnPaid on_paid,
                                                   Clock clock) {
    return open(directory, std::move(key), service, std::move(on_paid), std::move(clock), Config{});
  }

  /// Takes instruction, claim and number; durable when it returns, sent by a later work(). An order
  /// of this decision that is here already stays as it is. Returns: Errc::bad_argument (see
  /// check_instruction), Errc::request_conflict if the one that is here says something else,
  /// Errc::io_failed.
  Result<void> order(const PaymentOrder& order);

  /// Takes answers, announces what is paid, sends what is due. A full disk only delays.
  void work(TimeMs now);

  /// claims.pay of this decision is certified: not announced again. Once more is no error. Returns:
  /// Errc::not_found; Errc::bad_argument if it is not paid; Errc::io_failed.
  Result<void> posted(const Hash& decision);

  /// The order of a decision, also a posted one. Returns: Errc::not_found; Errc::io_failed,
  /// Errc::cannot_open and codec errors for a posted one that cannot be read.
  Result<PaymentOrder> find(const Hash& decision) const;
  /// What is not posted, ascending by decision.
  std::vector<PaymentOrder> open_orders() const;
  /// All of them, ascending by decision; reads every posted one from disk. Returns: as find().
  Result<std::vector<PaymentOrder>> list() const;

 private:
  struct Answered {
    Hash decision;
    PaymentAnswer answer;
  };
  /// Shared with the callbacks that the service holds, which may outlive the desk.
  struct Inbox {
    std::mutex mutex;
    std::deque<Answered> answers;
  };

  PaymentDesk(vault::SealedDirectory files, PaymentService& service, OnPaid on_paid, Clock clock,
              const Config& config);
  Result<void> load();
  Result<PaymentOrder> read(const std::string& name) const;
  Result<void> keep(const std::string& name, const PaymentOrder& order) const;
  void take_answers(TimeMs now);
  void take(const Answered& answered, TimeMs now);
  void send_due(TimeMs now);
  std::uint64_t pause_without_answer_ms(std::uint32_t attempts) const;

  const vault::SealedDirectory files_;
  PaymentService& service_;
  const OnPaid on_paid_;
  const Clock clock_;
  const Config config_;
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  mutable std::mutex mutex_;
  std::map<Hash, PaymentOrder> open_;  ///< not posted
  std::set<Hash> posted_;
  std::deque<Hash> unannounced_;  ///< paid, on_paid not called in this run
};

}  // namespace baolian::node
