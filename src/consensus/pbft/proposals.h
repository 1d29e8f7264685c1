/// O, the proposals with which a new view begins, as a pure function of Q VIEW-CHANGEs
/// (consensus.md 1.6 V6). Every replica computes it for itself.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "consensus/pbft/messages.h"

namespace baolian::consensus::pbft {

/// A VIEW-CHANGE that was checked (V4), with the bytes that prove it to others.
struct HeldViewChange {
  ValidatorIndex sender = 0;
  ViewChange message;
  Hash message_hash;  ///< SHA-256 of its body
  SharedBytes bytes;  ///< the envelope as received
};
using SharedViewChange = std::shared_ptr<const HeldViewChange>;

struct ProposalsOutcome {
  Proposals proposals;
  /// ExecCert(mins); none if mins is the height at which the epoch begins.
  std::optional<crypto::ExecCertificate> checkpoint;
  /// Two valid certificates for one (n, view) with different digests: more than F are faulty.
  bool contradiction = false;
};

/// Requires: all are valid and for `view`. The order does not matter.
/// Source: Castro & Liskov, OSDI'99 section 4.4; the highest view wins, a gap gets the null batch.
ProposalsOutcome compute_proposals(const ChainId& chain, Epoch epoch, View view,
                                   std::span<const SharedViewChange> view_changes);

/// H(O).
Hash proposals_hash(const Proposals& proposals);

}  // namespace baolian::consensus::pbft
