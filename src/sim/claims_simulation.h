/// Simulated lives of claims between parties of which some misbehave, on whole simulated nodes with
/// faults (testing.md, "The simulator"). Civil time leaps by days between the rounds, so that
/// silence and deadlines cost no events.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "sim/claim_wire.h"

namespace baolian::sim {

struct ClaimsConfig {
  std::uint64_t seed = 1;
  std::optional<ClaimStrategy> only{};  ///< none: each person's strategy is drawn
  std::size_t persons = 4;
  std::uint64_t safety_ms = 5'000;         ///< virtual time with faults, in each round
  std::uint64_t liveness_ms_max = 60'000;  ///< in which a round must end without faults
  SeededFault fault{SeededFault::none};    ///< to test the audit
};

struct ClaimsReport {
  std::optional<std::string> violation;
  Hash trace_hash;  ///< over messages, executions, crashes, and what the parties send
  std::uint64_t height = 0;
  std::uint64_t virtual_ms = 0;  ///< played
  std::uint64_t leapt_ms = 0;    ///< leapt over
  std::uint64_t crashes = 0;
  std::uint64_t operations = 0;
  std::uint64_t claims = 0;
  std::uint64_t decisions = 0;
  std::uint64_t paid_minor = 0;
  std::uint64_t refused = 0;
  ClaimTally tally;
};

/// Runs one seed. The same config gives the same report, to the last byte.
ClaimsReport simulate_claims(const ClaimsConfig& config);

/// The command that repeats a run.
std::string repeating_command(const ClaimsConfig& config);
/// "wrong_accumulator 2, paid_twice 1; refused: stale_balance 1".
std::string tally_text(const ClaimTally& tally);

}  // namespace baolian::sim
