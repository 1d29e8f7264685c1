#include "sim/claims_simulation.h"

#include <string>

#include "support/catch.h"

namespace baolian::sim {
namespace {

using contracts::Code;

/// Under a sanitizer a seed takes ten times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
constexpr std::uint64_t kSeedsEach = 1;
constexpr std::uint64_t kSeedsMixed = 3;
#else
constexpr bool kSanitized = false;
constexpr std::uint64_t kSeedsEach = 5;
constexpr std::uint64_t kSeedsMixed = 30;
#endif

ClaimsReport require_clean(const ClaimsConfig& config) {
  ClaimsReport report = simulate_claims(config);
  INFO("repeat with: " << repeating_command(config));
  INFO("seen: " << tally_text(report.tally));
  const std::string violation = report.violation.value_or("");
  CHECK(violation.empty());
  CHECK(report.claims > 0);
  return report;
}

/// The strategy alone: it happened on every seed, and the chain said what it must.
ClaimTally play(ClaimStrategy strategy, std::size_t persons = 2) {
  ClaimTally seen;
  for (std::uint64_t seed = 1; seed <= kSeedsEach; ++seed) {
    const auto report = require_clean({.seed = seed, .only = strategy, .persons = persons});
    INFO("seed " << seed << ": " << tally_text(report.tally));
    CHECK(report.tally.fired.contains(strategy));
    seen.add(report.tally);
  }
  WARN(tally_text(seen));
  return seen;
}

TEST_CASE("claims sim: a decision on a wrong accumulator is refused and the year does not fork",
          "[sim][claims]") {
  CHECK(play(ClaimStrategy::wrong_accumulator).refused.contains(Code::stale_accumulator));
}

TEST_CASE("claims sim: the hospital signs no payout that it cannot open", "[sim][claims]") {
  const ClaimTally seen = play(ClaimStrategy::false_opening);
  CHECK_FALSE(seen.refused.contains(Code::cosignature_invalid));  // it never came to the chain
}

TEST_CASE("claims sim: a payout that differs from the signed one is refused", "[sim][claims]") {
  CHECK(play(ClaimStrategy::changed_payout).refused.contains(Code::cosignature_invalid));
}

TEST_CASE("claims sim: of two insurers' decisions on one balance one commits, the other next try",
          "[sim][claims]") {
  CHECK(play(ClaimStrategy::contended_invoice).refused.contains(Code::stale_balance));
}

TEST_CASE("claims sim: of one insurer's two decisions on one total one commits, the other next try",
          "[sim][claims]") {
  CHECK(play(ClaimStrategy::contended_policy).refused.contains(Code::stale_total));
}

TEST_CASE("claims sim: an old countersignature serves no second decision", "[sim][claims]") {
  const ClaimTally seen = play(ClaimStrategy::replayed_signature);
  CHECK(seen.refused.contains(Code::claim_state));
  CHECK(seen.refused.contains(Code::cosignature_invalid));
}

TEST_CASE("claims sim: after a lost answer exactly one of two signed decisions commits",
          "[sim][claims]") {
  // Of two persons both may lose a race for the balance first, and then nothing is left to lose.
  CHECK(play(ClaimStrategy::lost_answer, 4).refused.contains(Code::claim_state));
}

TEST_CASE("claims sim: decision numbers are not skipped", "[sim][claims]") {
  CHECK(play(ClaimStrategy::skipped_number).refused.contains(Code::decision_number_wrong));
}

TEST_CASE("claims sim: nothing is paid twice", "[sim][claims]") {
  CHECK(play(ClaimStrategy::paid_twice).refused.contains(Code::decision_already_paid));
}

TEST_CASE("claims sim: nothing is paid before it is decided", "[sim][claims]") {
  CHECK(play(ClaimStrategy::paid_early).refused.contains(Code::claim_state));
}

TEST_CASE("claims sim: a hospital silent for a day is decided without, flagged, and freed later",
          "[sim][claims]") {
  const ClaimTally seen = play(ClaimStrategy::silent_hospital);
  CHECK(seen.refused.contains(Code::uncountersigned_too_early));
  CHECK(seen.refused.contains(Code::invoice_frozen));
}

TEST_CASE("claims sim: alarms are exactly the overdue deadlines", "[sim][claims]") {
  CHECK(play(ClaimStrategy::overdue_request).alarms > 0);
  CHECK(play(ClaimStrategy::overdue_release).alarms > 0);
  CHECK(play(ClaimStrategy::overdue_decision).alarms > 0);
  CHECK(play(ClaimStrategy::overdue_payment).alarms > 0);
  CHECK(play(ClaimStrategy::overdue_explanation).alarms > 0);
}

TEST_CASE("claims sim: honest parties overtake each other and still close every claim",
          "[sim][claims]") {
  for (std::uint64_t seed = 1; seed <= kSeedsEach; ++seed) {
    const auto report = require_clean({.seed = seed, .only = ClaimStrategy::honest, .persons = 3});
    CHECK(report.decisions == report.claims);
    CHECK(report.paid_minor > 0);
    CHECK(report.tally.alarms == 0);
  }
}

TEST_CASE("claims sim: mixed strategies under faults keep the money right", "[sim][claims]") {
  ClaimTally seen;
  std::uint64_t crashes = 0;
  for (std::uint64_t seed = 101; seed < 101 + kSeedsMixed; ++seed) {
    const auto report = require_clean({.seed = seed});
    seen.add(report.tally);
    crashes += report.crashes;
  }
  WARN(tally_text(seen));
  CHECK(crashes > 0);
  CHECK(seen.fired.size() >= (kSanitized ? 4U : 12U));
}

TEST_CASE("claims sim: seeds that once failed stay clean", "[sim][claims]") {
  // A transaction stood in two blocks, the second time rejected for its nonce.
  require_clean({.seed = 17, .only = ClaimStrategy::honest, .persons = 2});
  // Civil time leapt while a proposal was under way, which nobody votes for any more.
  require_clean({.seed = 39, .only = ClaimStrategy::overdue_explanation, .persons = 2});
}

TEST_CASE("claims sim: the same seed twice gives the same trace", "[sim][claims]") {
  for (std::uint64_t seed = 5; seed <= (kSanitized ? 5U : 7U); ++seed) {
    const auto a = simulate_claims({.seed = seed});
    const auto b = simulate_claims({.seed = seed});
    CHECK(a.trace_hash == b.trace_hash);
    CHECK(a.height == b.height);
    CHECK(a.paid_minor == b.paid_minor);
  }
  CHECK(simulate_claims({.seed = 5}).trace_hash != simulate_claims({.seed = 6}).trace_hash);
}

std::string violation_with(SeededFault fault, ClaimStrategy strategy, std::uint64_t seed) {
  const ClaimsConfig config{.seed = seed, .only = strategy, .persons = 2, .fault = fault};
  return simulate_claims(config).violation.value_or("");
}

TEST_CASE("claims sim: a payout that is missing in the books is noticed", "[sim][claims]") {
  const auto fault = SeededFault::forgotten_payout;
  for (std::uint64_t seed = 1; seed <= kSeedsEach; ++seed) {
    const std::string violation = violation_with(fault, ClaimStrategy::honest, seed);
    CHECK(violation.starts_with("C2"));
  }
}

TEST_CASE("claims sim: a hospital that signs blindly is noticed", "[sim][claims]") {
  const auto fault = SeededFault::blind_hospital;
  for (std::uint64_t seed = 1; seed <= kSeedsEach; ++seed) {
    CHECK_FALSE(violation_with(fault, ClaimStrategy::false_opening, seed).empty());
  }
}

TEST_CASE("claims sim: an alarm that the audit did not expect is noticed", "[sim][claims]") {
  const auto fault = SeededFault::forgotten_alarm;
  for (std::uint64_t seed = 1; seed <= kSeedsEach; ++seed) {
    const std::string violation = violation_with(fault, ClaimStrategy::overdue_payment, seed);
    CHECK(violation.starts_with("C6"));
  }
}

}  // namespace
}  // namespace baolian::sim
