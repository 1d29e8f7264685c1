/// A decision run again by who holds its openings: every commitment on the chain opened, the engine
/// run on the same inputs, and the result compared to the last minor unit.
#pragma once

#include <string>
#include <vector>

#include "node/claims/case_file.h"

namespace baolian::node {

struct Recomputation {
  struct Check {
    std::string what;
    bool holds = false;
  };
  std::uint64_t payable = 0;     ///< as it was decided
  std::uint64_t recomputed = 0;  ///< as the engine says now
  std::vector<Check> checks;
  std::string explanation_zh;
  std::string explanation_en;

  bool holds() const;
};

/// Opens the claim again (a recorded reading) and recomputes one of its payable decisions.
/// Returns: Errc::not_found if the openings or a public content are not here; the errors of
/// open_case().
Result<Recomputation> recompute(const Services& services, const PublicContents& contents,
                                const ClaimId& id, const contracts::ClaimsDecide& content);

}  // namespace baolian::node
