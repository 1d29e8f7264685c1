/// Counts of rare branches of an engine. A simulation that never took one has not tested it, so a
/// long run fails if a probe stays at zero; in a running node they are metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace baolian::consensus {

enum class Probe : std::uint8_t {
  suspected_request,            ///< V1: the oldest transaction waits too long
  suspected_commit,             ///< V1: a proposal is not committed in time
  suspected_invalid,            ///< V1: the primary sent an invalid or conflicting proposal
  suspected_heartbeat,          ///< V1: no word from the primary
  suspected_new_view,           ///< V9: the NEW-VIEW does not come
  left_by_suspects,             ///< V2
  left_by_view_changes,         ///< V3
  view_entered,                 ///< V8
  view_entered_as_primary,      ///< V5
  new_view_refused,             ///< V7
  new_view_with_prepared,       ///< O holds a digest of P
  new_view_with_null,           ///< O holds a null batch
  new_view_above_h,             ///< V8: mins was above the own h
  new_view_committed_prepared,  ///< V8: PREPARE for a height that is committed here already
  new_view_waits,               ///< V7: a VIEW-CHANGE it names is not here yet
  new_view_relayed,             ///< V10
  batch_fetched,                ///< a batch of O came by FETCH
  restart_in_view_change,       ///< 1.7: restarted with view_change > view
  restart_above_view_0,
  equivocation_seen,            ///< N8
  commit_in_view_change,        ///< N4: decided while not active
  commit_certificate_taken,     ///< S3: decided by a CommitQC alone
  block_taken,                  ///< N6: decided by a certified block
  certified_above_executed,     ///< N6: h above last_exec
  timers_shifted,               ///< V9: a gap between ticks
  requests_stood_still,         ///< V1: every height of the window is committed here
  backoff_lowered,              ///< V9: k - 1
  bodies_fetched,               ///< N2: bodies came from another validator
  log_cut,                      ///< 1.7
  epoch_ended,                  ///< 1.10: the last height of an epoch is certified here
  leader_elected,               ///< Raft
  pre_vote_refused,             ///< Raft R6
  entries_truncated,            ///< Raft R3
  leader_stepped_down,          ///< Raft R6: check-quorum
  leadership_transferred,       ///< Raft R7
  entries_refused_by_mismatch,  ///< Raft R3, R5
  kCount
};
constexpr auto enum_names(Probe) {
  return std::array<std::string_view, static_cast<std::size_t>(Probe::kCount)>{
      "suspected_request",
      "suspected_commit",
      "suspected_invalid",
      "suspected_heartbeat",
      "suspected_new_view",
      "left_by_suspects",
      "left_by_view_changes",
      "view_entered",
      "view_entered_as_primary",
      "new_view_refused",
      "new_view_with_prepared",
      "new_view_with_null",
      "new_view_above_h",
      "new_view_committed_prepared",
      "new_view_waits",
      "new_view_relayed",
      "batch_fetched",
      "restart_in_view_change",
      "restart_above_view_0",
      "equivocation_seen",
      "commit_in_view_change",
      "commit_certificate_taken",
      "block_taken",
      "certified_above_executed",
      "timers_shifted",
      "requests_stood_still",
      "backoff_lowered",
      "bodies_fetched",
      "log_cut",
      "epoch_ended",
      "leader_elected",
      "pre_vote_refused",
      "entries_truncated",
      "leader_stepped_down",
      "leadership_transferred",
      "entries_refused_by_mismatch"};
}

/// How often each probe was hit since the engine was made.
class ProbeCounts {
 public:
  void hit(Probe probe) { ++counts_[static_cast<std::size_t>(probe)]; }
  std::uint64_t operator[](Probe probe) const { return counts_[static_cast<std::size_t>(probe)]; }
  void add(const ProbeCounts& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  }

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(Probe::kCount)> counts_{};
};

}  // namespace baolian::consensus
