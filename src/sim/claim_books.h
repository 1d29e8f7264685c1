/// What the parties to a claim keep beside the chain: openings, found by their commitments, so that
/// an answer that was lost or an attempt that failed leaves nothing to repair.
#pragma once

#include <map>
#include <optional>

#include "contracts/adjudication/decision.h"
#include "core/prng.h"
#include "crypto/pedersen.h"

namespace baolian::sim {

/// An amount with its blinding factor.
struct Opening {
  std::uint64_t amount = 0;
  crypto::Scalar blinding;
};
Opening operator+(const Opening& a, const Opening& b);
/// Requires: a.amount >= b.amount.
Opening operator-(const Opening& a, const Opening& b);

/// The Pedersen commitment of an opening; the identity for nothing at all.
GroupElement committed(const Opening& opening);

/// Below the order of the group and not zero. From the seed: the real one is crypto::new_blinding.
crypto::Scalar draw_blinding(Prng& prng);

/// Openings of Pedersen commitments, by commitment. Nothing is ever forgotten.
class OpeningBook {
 public:
  /// Returns: the commitment under which it stands now.
  GroupElement keep(const Opening& opening);
  /// The identity opens to nothing at all.
  std::optional<Opening> find(const GroupElement& commitment) const;

 private:
  std::map<GroupElement, Opening> openings_;
};

/// Openings of accumulators and decisions of one insurer.
struct InsurerBook {
  struct Decided {
    Salt salt;
    contracts::Decision decision;
  };
  OpeningBook payouts;
  OpeningBook totals;
  std::map<Commitment, contracts::AccumulatorAmount> accumulators;
  std::map<Commitment, Decided> decisions;
};

}  // namespace baolian::sim
