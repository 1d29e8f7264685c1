/// The auditor of a claim simulation: recomputes from the certified operations, the parties'
/// openings and the engine what the state must be, and compares.
///
/// C1 every claim ends as its script says. C2 money: B_0 = B_now + payouts and T = sum of payouts,
/// with openings; every payout is the engine's, in the order of the commits. C3 accumulators do not
/// fork and none is lost. C4 no decision is paid twice, no number decided twice. C5 what was
/// refused left no trace: the same blocks without the refused operations give the same state and
/// logs. C6 alarms are exactly the overdue deadlines. C7 all nodes have one state root. C8 every
/// report is the one of its payload.
#pragma once

#include <optional>
#include <string>

#include "sim/claim_parties.h"

namespace baolian::sim {

struct AuditInput {
  ClaimScene& scene;
  const std::array<const InsurerBook*, kInsurers> books;
  const SimNode& node;  ///< runs, and stands at the newest certified height
};

struct AuditReport {
  std::optional<std::string> violation;  ///< the first one
  std::uint64_t claims = 0;
  std::uint64_t decisions = 0;
  std::uint64_t paid_minor = 0;
  std::uint64_t refused = 0;
};

/// Requires: every operation is certified, and the node executed all of them.
AuditReport audit_claims(const AuditInput& input);

}  // namespace baolian::sim
