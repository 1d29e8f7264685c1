/// What is to happen in a claim simulation: who is insured where, which bills come, and which party
/// misbehaves on which of them.
#pragma once

#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "contracts/claims/payload.h"
#include "contracts/claims/state.h"
#include "contracts/policies/operations.h"
#include "sim/claim_books.h"
#include "sim/claim_world.h"

namespace baolian::sim {

/// How a party behaves on one bill.
enum class ClaimStrategy : std::uint8_t {
  honest = 0,
  wrong_accumulator = 1,     ///< insurer: "before" is not what stands
  false_opening = 2,         ///< insurer: shows the hospital a payout that P does not hold
  changed_payout = 3,        ///< insurer: another P than the one that was signed
  contended_invoice = 4,     ///< both insurers decide on one balance at the same time
  contended_policy = 5,      ///< one insurer decides two bills on one total at the same time
  replayed_signature = 6,    ///< insurer: an old countersignature, on new content and again
  lost_answer = 7,           ///< the signature is lost, asked for again, and then arrives after all
  skipped_number = 8,        ///< insurer: a decision number that is not the next
  paid_twice = 9,            ///< insurer: two payments of one decision at the same time
  paid_early = 10,           ///< insurer: a payment before there is a decision
  silent_hospital = 11,      ///< hospital: does not answer one insurer for a day
  overdue_request = 12,      ///< insurer: never requests the payload
  overdue_release = 13,      ///< hospital: never releases it
  overdue_decision = 14,     ///< insurer: never decides
  overdue_payment = 15,      ///< insurer: never pays
  overdue_explanation = 16,  ///< insurer: never explains
};
inline constexpr std::size_t kClaimStrategies = 17;
std::string_view strategy_name(ClaimStrategy strategy);
/// nullopt for a name that means nothing.
std::optional<ClaimStrategy> find_strategy(std::string_view name);

struct InsuredPerson {
  struct Cover {
    contracts::SubjectId subject;
    Commitment evidence;
    ConsentId consent() const {
      return contracts::enrolment_consent(contracts::policy_id(subject, evidence));
    }
  };
  contracts::SubjectId care;
  std::array<std::optional<Cover>, kInsurers> covers;  ///< by insurer
  /// Claims whose decisions lie signed and wait for each other, by insurer (contended_policy).
  std::array<std::set<ClaimId>, kInsurers> signed_claims;
};

struct Bill {
  std::size_t person = 0;
  ClaimStrategy strategy{ClaimStrategy::honest};
  std::size_t culprit = 0;  ///< insurer on whose claim the strategy is played
  std::uint64_t report_after_ms = 0;
  contracts::ClaimPayload payload;
  contracts::ClaimsReport report;
  std::vector<Tag32> tags;  ///< of the invoices, in the payload's order

  // How far the play went.
  std::set<ClaimId> signed_claims;  ///< decisions that wait for each other (contended_invoice)
  bool alone = false;               ///< decided without the hospital
  bool probed = false;              ///< the other insurer met the frozen invoice
  bool freed = false;               ///< countersigned late

  bool plays(ClaimStrategy wanted, std::size_t insurer) const {
    return strategy == wanted && (culprit == insurer || wanted == ClaimStrategy::contended_invoice);
  }
};

struct ClaimScript {
  std::vector<InsuredPerson> persons;
  std::vector<Bill> bills;

  Bill* find(const Tag32& encounter);
};

/// Draws a script: with `only`, one bill of every person plays it; else each person draws its own.
/// The opening balances go into `hospital`.
ClaimScript draw_script(const ClaimWorld& world, std::size_t persons,
                        std::optional<ClaimStrategy> only, OpeningBook& hospital, Prng prng);

/// In which state the claim of this bill with this insurer ends.
contracts::ClaimPhase expected_end(const Bill& bill, std::size_t insurer);

}  // namespace baolian::sim
