/// What an institution owes after each step of a claim, without anybody asking: the insurer
/// decides, orders the payment, posts it once the payment service answered, explains what is
/// withheld; both sides tell the person. Every step looks at the chain's state first, so that a
/// block seen twice does no harm.
#pragma once

#include "contracts/events.h"
#include "node/claims/adjudication_desk.h"
#include "node/notice_desk.h"
#include "node/payment_desk.h"
#include "node/services.h"

namespace baolian::node {

/// The idempotency key of a decision's payment: H("id" || u16 kind of claims.decide || claim ||
/// u16 number).
Hash decision_id(const ClaimId& claim, std::uint16_t number);

class ClaimAgent {
 public:
  /// All outlive this object.
  struct Desks {
    AdjudicationDesk& adjudication;
    PaymentDesk& payments;
    NoticeDesk& notices;
    const OpeningBook& book;
    const Recipients& recipients;
  };
  ClaimAgent(const Services& services, const Desks& desks) : services_(services), desks_(desks) {}

  // On the agents' thread.
  /// Takes up what an earlier run left: claims that are opened, payments that are owed.
  void start();
  void on_filed(const contracts::Filed& event);
  void on_opened(const contracts::ClaimOpened& event);
  void on_supplemented(const contracts::ClaimSupplemented& event);
  void on_received(const contracts::Received& event);
  void on_released(const contracts::Released& event);
  void on_decided(const contracts::ClaimDecided& event);
  void on_paid(const contracts::ClaimPaid& event);
  void on_review_requested(const contracts::ReviewRequested& event);

  /// Now and then: deadlines that have passed are swept, so that everybody sees them.
  void work(TimeMs now);

  /// The payment service paid: posts claims.pay. On the thread that calls PaymentDesk::work().
  void post_payment(const PaymentOrder& order);

 private:
  void settle(const ClaimId& claim, std::uint16_t number);
  void order_payment(const ClaimId& claim, std::uint16_t number, const KeptDecision& kept);
  void post_nothing_due(const ClaimId& claim, std::uint16_t number);
  void post_explanation(const ClaimId& claim, std::uint16_t number, const KeptDecision& kept);
  void submit_payment(const ClaimId& claim, std::uint16_t number, const Commitment& reference);
  void request_supplements(const ClaimId& claim);
  std::uint64_t sweep_delay_ms() const;
  template <typename Id>
  void notify(NoticeKind kind, const Id& of, std::uint32_t number);

  const Services& services_;
  Desks desks_;
  TimeMs next_sweep_;
};

}  // namespace baolian::node
