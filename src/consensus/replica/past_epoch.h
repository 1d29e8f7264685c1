/// Serves peers that are still in an epoch that ended here (consensus.md 1.10): the certificate of
/// its last height to whoever is below it, and blocks. They decide nothing more in that epoch, they
/// only follow it to its end.
#pragma once

#include <map>
#include <optional>

#include "consensus/engine.h"
#include "consensus/messages.h"

namespace baolian::consensus {

/// Bounds:      one question under way a peer, one answer to a STATUS each kHelpGapMs.
/// Ownership:   values. Threads: engine-confined. Persistence: none.
class PastEpoch {
 public:
  /// `next` began when `epoch` ended. `self` is this node's place in `epoch`.
  PastEpoch(crypto::EpochRecord epoch, ValidatorIndex self, EpochStart next);

  const crypto::EpochRecord& epoch() const { return epoch_; }
  /// A message of that epoch. Only STATUS and FETCH of blocks are answered.
  Verdict on_message(const Verified& message, Tick now, Effects& effects);
  void on_blocks_read(const BlocksReadInput& input, Effects& effects);

 private:
  struct Peer {
    std::optional<Tick> helped_at;
    std::optional<Tick> read_at;
    std::optional<std::uint64_t> reading;  ///< number of the FETCH that ReadBlocks is for
  };
  void reply(ReplicaId to, Reply body, Effects& effects) const;

  crypto::EpochRecord epoch_;
  ValidatorIndex self_;
  EpochStart next_;
  std::map<ReplicaId, Peer> peers_;
};

/// REPLY with as many of the blocks as fit into a message; none if the first does not.
std::optional<ReplyBlocks> fitting_blocks(const std::vector<SharedBytes>& blocks);

}  // namespace baolian::consensus
