/// Bugs planted on purpose (testing.md, "Seeded bugs"): each breaks one rule of consensus.md the
/// way real systems broke it. Only a build with BAOLIAN_SEEDED_BUGS holds them, and there one is
/// chosen at run time (`baolian-sim --bug NAME`); everywhere else seeded_bug() is constant false
/// and the broken branch does not exist in the program.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace baolian {

enum class Bug : std::uint8_t {
  none,
  // quorums and certificates (1.2)
  quorum_two_f_plus_one,      ///< Q = 2F+1: two disjoint quorums at n = 6
  quorum_one_less,            ///< Q - 1 signatures make a certificate
  duplicate_signers_counted,  ///< one validator twice in a certificate
  certificate_unverified,     ///< ExecCert of a peer is believed
  // normal case (N)
  accept_from_anyone,          ///< N1: PRE-PREPARE of a validator that is not the primary
  accept_second_digest,        ///< N1: a second PRE-PREPARE replaces the first
  accept_above_window,         ///< N1: n > H
  trust_carried_digest,        ///< N1: the digest of the batch is not recomputed
  prepare_without_bodies,      ///< N2: PREPARE before the bodies are here
  prepare_before_durable,      ///< N2: PREPARE leaves before PP_ACCEPT is durable
  commit_before_durable,       ///< N3: COMMIT leaves before PREPARED is durable
  drop_bodies_of_older_view,   ///< N2: bodies are dropped when a view is left
  commit_on_weak_prepare,      ///< N3: F+1 PREPAREs are enough
  commit_count_mixes_digests,  ///< N4: COMMITs count whatever their digest
  execute_on_prepared,         ///< N4: executed when prepared
  execute_out_of_order,        ///< N5: a height is executed without the one before
  exec_before_durable,         ///< N6: EXEC leaves before COMMITTED is durable
  exec_certificate_weak,       ///< N6: F+1 EXECs make a certificate
  drop_prepared_on_execution,  ///< V11: P entry is dropped when executed
  overwrite_on_divergence,     ///< N7: a differing certificate is taken over silently
  vote_below_h,                ///< votes again for heights that are certified
  // view change (V)
  suspect_never,                  ///< V1: nobody suspects
  suspect_on_any_progress_reset,  ///< V1: any execution restarts the timer of the oldest
  follow_one_view_change,         ///< V3: one VIEW-CHANGE moves everybody
  leave_without_persist,          ///< V2: VIEW-CHANGE leaves before VC_SENT is durable
  vote_after_leaving,             ///< V2: goes on voting in the view it left
  view_change_unverified,         ///< V4: P of a VIEW-CHANGE is believed
  new_view_with_fewer,            ///< V5: Q-1 VIEW-CHANGEs are enough
  choose_lowest_view,             ///< V6: the lowest view wins in O
  choose_null_always,             ///< V6: O holds null batches only
  maxs_below_mins,                ///< V6: maxs forgets mins
  ignore_heights_above_gap,       ///< V6: O ends at the first height without P entry
  new_view_unchecked,             ///< V7: O of the primary is believed
  new_view_from_anyone,           ///< V7: signer is not checked
  judge_time_in_new_view,         ///< V7: a batch of O is judged by the clock and origin view
  enter_without_h,                ///< V8: mins is not taken as h
  fresh_inside_o,                 ///< V8: fresh proposals start at h+1
  skip_committed_in_new_view,     ///< V8: no PREPARE for what is committed here
  no_backoff,                     ///< V9: timers do not grow
  no_retransmission,              ///< V9: VIEW-CHANGE is sent once
  no_relay,                       ///< V10: NEW-VIEW is not passed on
  // restart and log (1.7)
  forget_view_on_restart,         ///< view starts at 0
  forget_votes_on_restart,        ///< PREPARE of the log is not known after a restart
  forget_view_change_on_restart,  ///< VC_SENT is ignored
  resign_on_restart,              ///< EXEC is signed anew instead of resent
  cut_at_flushed,                 ///< log cut at f instead of min(h, f)
  cut_loses_view,                 ///< SNAPSHOT without view and VC_SENT
  lying_disk,                     ///< fsync returns before the data is safe
  // status
  status_never_helps,  ///< S2, S3: lost messages stay lost
  // Raft (R)
  raft_clear_vote_on_step_down,  ///< R2
  raft_truncate_on_shorter,      ///< R3
  raft_commit_older_term,        ///< R4
  raft_ack_last_index,           ///< R3
  raft_vote_before_durable,      ///< R1
  raft_count_before_durable,     ///< R1
  raft_no_log_check,             ///< 5.4.1: votes for candidates with older logs
  raft_no_pre_vote,              ///< R6
  raft_stale_nack,               ///< R5
  kCount
};
constexpr std::array<std::string_view, static_cast<std::size_t>(Bug::kCount)> kBugNames = {
    "none",
    "quorum_two_f_plus_one",
    "quorum_one_less",
    "duplicate_signers_counted",
    "certificate_unverified",
    "accept_from_anyone",
    "accept_second_digest",
    "accept_above_window",
    "trust_carried_digest",
    "prepare_without_bodies",
    "prepare_before_durable",
    "commit_before_durable",
    "drop_bodies_of_older_view",
    "commit_on_weak_prepare",
    "commit_count_mixes_digests",
    "execute_on_prepared",
    "execute_out_of_order",
    "exec_before_durable",
    "exec_certificate_weak",
    "drop_prepared_on_execution",
    "overwrite_on_divergence",
    "vote_below_h",
    "suspect_never",
    "suspect_on_any_progress_reset",
    "follow_one_view_change",
    "leave_without_persist",
    "vote_after_leaving",
    "view_change_unverified",
    "new_view_with_fewer",
    "choose_lowest_view",
    "choose_null_always",
    "maxs_below_mins",
    "ignore_heights_above_gap",
    "new_view_unchecked",
    "new_view_from_anyone",
    "judge_time_in_new_view",
    "enter_without_h",
    "fresh_inside_o",
    "skip_committed_in_new_view",
    "no_backoff",
    "no_retransmission",
    "no_relay",
    "forget_view_on_restart",
    "forget_votes_on_restart",
    "forget_view_change_on_restart",
    "resign_on_restart",
    "cut_at_flushed",
    "cut_loses_view",
    "lying_disk",
    "status_never_helps",
    "raft_clear_vote_on_step_down",
    "raft_truncate_on_shorter",
    "raft_commit_older_term",
    "raft_ack_last_index",
    "raft_vote_before_durable",
    "raft_count_before_durable",
    "raft_no_log_check",
    "raft_no_pre_vote",
    "raft_stale_nack"};

#if defined(BAOLIAN_SEEDED_BUGS)
/// The one bug of this process; set before any engine is made.
inline Bug& active_bug() {
  static Bug bug = Bug::none;
  return bug;
}
inline bool seeded_bug(Bug bug) { return active_bug() == bug; }
#else
constexpr bool seeded_bug(Bug) { return false; }
#endif

}  // namespace baolian
