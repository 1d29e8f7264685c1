/// Decisions with real sums: what hospital and insurer know beside the chain, so that every balance
/// and total that the contract computes can be opened.
#pragma once

#include "contracts/fixture.h"

namespace baolian::contracts::test {

/// An amount with its blinding factor.
struct Opening {
  std::uint64_t amount = 0;
  crypto::Scalar blinding;
};
Opening operator+(const Opening& a, const Opening& b);
Opening operator-(const Opening& a, const Opening& b);
/// The Pedersen commitment of an opening; the identity for nothing at all.
GroupElement committed(const Opening& opening);

/// A claim that its insurer opened, with real balances.
struct Stay : FiledCase {
  std::string insurer;
  std::vector<Tag32> invoices;  ///< ascending
};

/// A payable decision on its way, with what only the two signers know of it.
struct Proposal {
  ClaimsDecide content;
  std::vector<Opening> payouts;
};

class Books {
 public:
  explicit Books(World& world) : world_(world) {}

  /// Insures a person at X, reports a stay of hospital A with an invoice of each amount, and lets
  /// the insurer open the claim.
  Stay open(std::uint64_t person, const std::vector<std::uint64_t>& amounts = {300'000});
  /// The same, up to the filing.
  Stay file(std::uint64_t person, const std::vector<std::uint64_t>& amounts = {300'000});
  /// One stay that is filed with several insurers, opened by each.
  std::vector<Stay> open_at(std::uint64_t person, const std::vector<std::string>& insurers,
                            const std::vector<std::uint64_t>& amounts = {300'000});
  /// Another stay under the same policy.
  Stay open_again(const Stay& before, const std::vector<std::uint64_t>& amounts = {300'000});

  /// A decision on what stands now that pays `amounts`, one for each of the first invoices, with
  /// fresh blinding factors.
  Proposal propose(const Stay& stay, const std::vector<std::uint64_t>& amounts);
  /// A decision that waits.
  ClaimsDecide waiting(const Stay& stay, Outcome outcome) const;

  /// Sends a decision with the reporter's signature; takes the openings over if it is applied.
  RunOutcome send(const Stay& stay, const Proposal& proposal);
  /// The same without the reporter's signature.
  RunOutcome send_alone(const Stay& stay, Proposal proposal);
  /// The same from review, signed by two adjusters of the insurer.
  RunOutcome send_by_persons(const Stay& stay, const Proposal& proposal);
  /// Takes the openings of an applied decision over.
  void take_over(const Stay& stay, const Proposal& proposal);

  /// A payable decision of `amounts`, applied.
  void decide(const Stay& stay, const std::vector<std::uint64_t>& amounts);

  const Opening& balance(const Tag32& invoice) const { return balances_.at(invoice); }
  Opening total(const PolicyId& policy) const;
  /// Whether every sum of the state opens as these books say.
  bool agree() const;

 private:
  ClaimsReport report(const std::vector<std::uint64_t>& amounts);
  crypto::Scalar blinding();

  World& world_;
  std::map<Tag32, Opening> balances_;
  std::map<PolicyId, Opening> totals_;
};

/// Of a claim's decision 1, unless another is named.
ClaimsPay pay_of(const Stay& stay, std::uint16_t number = 1);
ClaimsExplained explained_of(const Stay& stay, std::uint16_t number = 1);
ClaimsLateCountersign late_of(const Stay& stay, std::uint16_t number = 1);
/// Registers a record of the person at hospital A and brings it.
ClaimsSupplement supplement_of(World& world, const Stay& stay, std::uint64_t person);
ClaimsWithdraw withdraw_of(const Stay& stay);
ClaimsRequestReview review_of(const Stay& stay);

ClaimState claim_state(const World& world, const ClaimId& claim);
ClaimPhase phase_of(const World& world, const ClaimId& claim);
std::size_t deadline_count(const World& world);

}  // namespace baolian::contracts::test
