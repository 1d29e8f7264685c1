/// The rare branches that a long simulation must have met (`baolian-sim --require-probes`).
#pragma once

#include <array>
#include <span>

#include "consensus/probes.h"
#include "crypto/validator_set.h"

namespace baolian::sim {

using consensus::Probe;

/// For PBFT: all but those of Raft.
inline constexpr std::array kPbftProbes = {
    Probe::suspected_request,
    Probe::suspected_commit,
    Probe::suspected_invalid,
    Probe::suspected_heartbeat,
    Probe::suspected_new_view,
    Probe::left_by_suspects,
    Probe::left_by_view_changes,
    Probe::view_entered,
    Probe::view_entered_as_primary,
    Probe::new_view_refused,
    Probe::new_view_with_prepared,
    Probe::new_view_with_null,
    Probe::new_view_above_h,
    Probe::new_view_committed_prepared,
    Probe::new_view_waits,
    Probe::new_view_relayed,
    Probe::batch_fetched,
    Probe::restart_in_view_change,
    Probe::restart_above_view_0,
    Probe::equivocation_seen,
    Probe::commit_in_view_change,
    Probe::commit_certificate_taken,
    Probe::block_taken,
    Probe::certified_above_executed,
    Probe::timers_shifted,
    Probe::requests_stood_still,
    Probe::backoff_lowered,
    Probe::bodies_fetched,
    Probe::log_cut,
    Probe::epoch_ended,
};

/// For Raft, where nobody lies.
inline constexpr std::array kRaftProbes = {
    Probe::leader_elected,
    Probe::pre_vote_refused,
    Probe::entries_truncated,
    Probe::leader_stepped_down,
    Probe::leadership_transferred,
    Probe::entries_refused_by_mismatch,
    Probe::restart_above_view_0,
    Probe::block_taken,
    Probe::certified_above_executed,
    Probe::timers_shifted,
    Probe::log_cut,
    Probe::epoch_ended,
};

inline std::span<const Probe> wanted_probes(crypto::ConsensusKind consensus) {
  if (consensus == crypto::ConsensusKind::raft) return kRaftProbes;
  return kPbftProbes;
}

}  // namespace baolian::sim
