/// Bugs planted on purpose (testing.md, "Seeded bugs"): each breaks one rule of consensus.md, most
/// of them the way a real system broke it. Only a build with BAOLIAN_SEEDED_BUGS holds them, and
/// there one is chosen at run time (`baolian-sim --bug NAME`); everywhere else seeded_bug() is
/// constant false and the broken branch does not exist in the program.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace baolian {

enum class Bug : std::uint8_t {
  none,
  // quorums and certificates (1.2)
  quorum_two_f_plus_one,   ///< Q = 2F+1: at n = 6 two disjoint quorums
  quorum_one_less,         ///< Q - 1 signatures make a certificate
  certificate_unverified,  ///< the ExecCert of a peer is believed
  block_unverified,  ///< the certificate of a synced block is believed (CVE-2025-24371's family)
  commit_certificate_unverified,  ///< the CommitQC of a peer is believed
  // normal case (N)
  accept_from_anyone,          ///< N1: PRE-PREPARE of a validator that is not the primary
  accept_second_digest,        ///< N1: a second PRE-PREPARE replaces the first
  accept_above_window,         ///< N1: n > H
  trust_carried_digest,        ///< N1: the digest of the batch is not recomputed (FISCO #2448)
  proposer_time_unbounded,     ///< 1.11: any proposer time is taken (FIB-126)
  prepare_without_bodies,      ///< N2: PREPARE before the bodies are here
  prepare_before_durable,      ///< N2: PREPARE leaves before PP_ACCEPT is durable
  commit_before_durable,       ///< N3: COMMIT leaves before PREPARED is durable
  commit_on_weak_prepare,      ///< N3: F+1 PREPAREs are enough
  commit_count_mixes_digests,  ///< N4: COMMITs count whatever their digest
  execute_on_prepared,         ///< N4: executed when prepared
  exec_certificate_weak,       ///< N6: F+1 EXECs make a certificate
  h_before_durable,            ///< N6: h moves before EXECCERT is durable
  mix_votes_of_views,          ///< N9: votes of the next view count for this one
  keep_votes_over_views,       ///< N9: votes of the old view count for the new one
  // view change (V)
  suspect_never,               ///< V1
  suspect_after_any_progress,  ///< V1: any execution restarts the timer of the oldest
  leave_without_persist,       ///< V2: VIEW-CHANGE leaves before VC_SENT is durable
  vote_after_leaving,          ///< V2: goes on voting in the view that it left
  follow_one_view_change,      ///< V3: one VIEW-CHANGE moves everybody (FISCO #2211)
  view_change_unverified,      ///< V4: P of a VIEW-CHANGE is believed
  new_view_with_fewer,         ///< V5: Q - 1 VIEW-CHANGEs are enough
  new_view_before_durable,     ///< V5: NEW-VIEW leaves before VIEW_ENTER is durable
  choose_lowest_view,          ///< V6: the lowest view wins in O
  choose_null_always,          ///< V6: O holds null batches only
  close_gaps_in_o,             ///< V6: heights without P entry are left out
  ignore_heights_above_gap,    ///< V6: O ends at the first height without P entry
  new_view_of_stale_changes,   ///< V7: VIEW-CHANGEs for older views are taken (Fabric v0.6 #1111)
  judge_origin_in_new_view,    ///< V7: a batch of O is judged as a fresh one (besu #7875)
  vote_above_window_in_new_view,  ///< V8: mins widens the window without being persisted as h
  fresh_inside_o,                 ///< V8: fresh proposals start at h + 1
  no_backoff,                     ///< V9: timers do not grow
  no_retransmission,              ///< V9: VIEW-CHANGE is sent once
  no_relay,                       ///< V10: NEW-VIEW is not passed on
  drop_prepared_on_execution,     ///< V11: a P entry is dropped when executed (besu #1734)
  drop_bodies_of_older_view,      ///< N2: batches and bodies are dropped when their view is left
  keep_first_prepared,  ///< V11: P keeps the first certificate of a height, not the highest
  // restart and log (1.7)
  forget_view_on_restart,         ///< the view starts at 0
  forget_votes_on_restart,        ///< PREPAREs of the log are not known after a restart
  forget_prepared_on_restart,     ///< P of the log is not known after a restart
  forget_view_change_on_restart,  ///< VC_SENT is ignored
  cut_at_flushed,                 ///< the log is cut at f instead of min(h, f)
  cut_loses_view,                 ///< SNAPSHOT without VIEW_ENTER and VC_SENT
  lying_disk,  ///< fsync returns before the data is safe (NuRaft, Tendermint's WAL)
  // status, driver, execution
  status_never_helps,    ///< S2, S3: lost messages stay lost
  slots_never_released,  ///< transactions of a batch that is gone are never proposed again
  skip_nonce_check,      ///< 1.9: a nonce counts as new whenever it comes
  // Raft (R)
  raft_clear_vote_on_step_down,  ///< R2 (CCF #5891, etcd #2461)
  raft_truncate_on_shorter,      ///< R3
  raft_ack_last_index,           ///< R3
  raft_commit_older_term,        ///< R4
  raft_vote_before_durable,      ///< R1
  raft_count_before_durable,     ///< R1
  raft_no_log_check,             ///< 5.4.1: votes for candidates with older logs
  raft_stale_nack,               ///< R5 (CCF #5991)
  raft_no_answer_to_lower_term,  ///< R6: a healed node with a higher term wedges the rest
  kCount
};
constexpr std::array<std::string_view, static_cast<std::size_t>(Bug::kCount)> kBugNames = {
    "none",
    "quorum_two_f_plus_one",
    "quorum_one_less",
    "certificate_unverified",
    "block_unverified",
    "commit_certificate_unverified",
    "accept_from_anyone",
    "accept_second_digest",
    "accept_above_window",
    "trust_carried_digest",
    "proposer_time_unbounded",
    "prepare_without_bodies",
    "prepare_before_durable",
    "commit_before_durable",
    "commit_on_weak_prepare",
    "commit_count_mixes_digests",
    "execute_on_prepared",
    "exec_certificate_weak",
    "h_before_durable",
    "mix_votes_of_views",
    "keep_votes_over_views",
    "suspect_never",
    "suspect_after_any_progress",
    "leave_without_persist",
    "vote_after_leaving",
    "follow_one_view_change",
    "view_change_unverified",
    "new_view_with_fewer",
    "new_view_before_durable",
    "choose_lowest_view",
    "choose_null_always",
    "close_gaps_in_o",
    "ignore_heights_above_gap",
    "new_view_of_stale_changes",
    "judge_origin_in_new_view",
    "vote_above_window_in_new_view",
    "fresh_inside_o",
    "no_backoff",
    "no_retransmission",
    "no_relay",
    "drop_prepared_on_execution",
    "drop_bodies_of_older_view",
    "keep_first_prepared",
    "forget_view_on_restart",
    "forget_votes_on_restart",
    "forget_prepared_on_restart",
    "forget_view_change_on_restart",
    "cut_at_flushed",
    "cut_loses_view",
    "lying_disk",
    "status_never_helps",
    "slots_never_released",
    "skip_nonce_check",
    "raft_clear_vote_on_step_down",
    "raft_truncate_on_shorter",
    "raft_ack_last_index",
    "raft_commit_older_term",
    "raft_vote_before_durable",
    "raft_count_before_durable",
    "raft_no_log_check",
    "raft_stale_nack",
    "raft_no_answer_to_lower_term",
};
/// The bug of this name, if there is one.
constexpr std::optional<Bug> find_bug(std::string_view name) {
  for (std::size_t i = 0; i < kBugNames.size(); ++i) {
    if (kBugNames[i] == name) return static_cast<Bug>(i);
  }
  return std::nullopt;
}

#if defined(BAOLIAN_SEEDED_BUGS)
inline constexpr bool kHasSeededBugs = true;
/// The one bug of this process; set before any engine is made.
inline Bug& active_bug() {
  static Bug bug = Bug::none;
  return bug;
}
inline bool seeded_bug(Bug bug) { return active_bug() == bug; }
#else
inline constexpr bool kHasSeededBugs = false;
constexpr bool seeded_bug(Bug) { return false; }
#endif

}  // namespace baolian
