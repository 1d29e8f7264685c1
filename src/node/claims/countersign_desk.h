/// The reporter's side of a decision: checks that payouts and balances open as they should and
/// signs (contracts.md, claims, "Countersigned in one step"). It signs nothing that it cannot open,
/// and keeps what it was shown before it signs.
#pragma once

#include <deque>

#include "node/claims/claim_messages.h"
#include "node/services.h"

namespace baolian::node {

class CountersignDesk {
 public:
  CountersignDesk(const Services& services, OpeningBook& book) : services_(services), book_(book) {}

  // Messages from a node of `from`; on the agents' thread.
  void on_countersign_request(const InstitutionId& from, Bytes message);
  void on_balance_request(const InstitutionId& from, Bytes message);
  /// Questions about heights that were not here yet are answered now.
  void on_certified(Height height);

 private:
  struct Early {
    InstitutionId from;
    Height height;
    Bytes message;
  };
  static constexpr std::size_t kEarlyMax = 1'000;

  void wait_for(const InstitutionId& from, Height height, Bytes message);
  Result<ledger::Cosignature> judge(const InstitutionId& from, const CountersignRequest& request);
  Result<void> check_claim(const InstitutionId& from, const contracts::ClaimsDecide& content) const;
  Result<void> check_line(const contracts::PayoutLine& line, const BalanceOpening& payout,
                          std::vector<BalanceOpening>& after) const;
  void countersign_late(const contracts::ClaimsDecide& content);
  Result<Bytes> open_balances(const InstitutionId& from, const ClaimId& claim) const;

  const Services& services_;
  OpeningBook& book_;
  std::deque<Early> early_;
};

}  // namespace baolian::node
