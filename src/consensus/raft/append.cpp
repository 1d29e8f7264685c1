/// The follower: AppendEntries (consensus.md 3: R1, R3, R5, R13).
#include <algorithm>
#include <string>

#include "consensus/raft/engine.h"
#include "core/seeded_bug.h"

namespace baolian::consensus::raft {

Verdict RaftEngine::on_append(const Verified& message) {
  const ReplicaId from = message.from();
  Result<AppendEntries> decoded = decode<AppendEntries>(message.envelope().body);
  if (!decoded.has_value()) return malformed(from, decoded.error());
  AppendEntries& append = *decoded;
  const Result<void> sound = check_entries(from, append);
  if (!sound.has_value()) return malformed(from, sound.error());
  if (append.term < term_) {
    // R6: whoever leads a lower term must hear of this one, else it leads on and is never followed.
    if (!seeded_bug(Bug::raft_no_answer_to_lower_term)) {
      send_in_term(from, MessageClass::vote,
                   unsigned_message(MessageKind::append_reply,
                                    encode(AppendReply{term_, append.request, false, {}, {}})));
    }
    return Verdict::reject(RejectReason::stale_view);
  }
  const Verdict leads = judge_leader(from, append);
  if (!leads.accepted) return leads;
  const Fit fits = fit(append);
  if (fits == Fit::none) {
    refuse_append(append);
    return Verdict::accept();
  }
  if (fits == Fit::by_certificate) drop_unproven(append.prev_index);
  return take_entries(from, append);
}

/// What can be said of the message alone.
Result<void> RaftEngine::check_entries(ReplicaId from, const AppendEntries& append) const {
  if (append.term.value == 0 || append.term.value >= kViewLimit ||
      append.prev_index.value >= kViewLimit || append.prev_term > append.term) {
    return fail(Errc::bad_message, "AppendEntries with impossible numbers");
  }
  Height index = append.prev_index;
  View term = append.prev_term;
  for (const Entry& entry : append.entries) {
    ++index;
    if (entry.vote.height != index || entry.vote.view < term || entry.vote.view > append.term ||
        entry.vote.view.value == 0 || entry.leader >= validator_count()) {
      return fail(Errc::bad_message, "AppendEntries with entries that do not follow each other");
    }
    if (entry.vote.view == append.term && entry.leader != from) {
      return fail(Errc::bad_message, "an entry of this term by another leader");
    }
    term = entry.vote.view;
  }
  return ok();
}

/// The sender leads this term, which may be new here.
Verdict RaftEngine::judge_leader(ReplicaId from, const AppendEntries& append) {
  for (const Entry& entry : append.entries) {
    // 1.7: an entry of a term in which this replica led, and of which its log knows nothing.
    if (looks_for_copies() && entry.leader == config_.self && entry.vote.view > term_ &&
        check_entry(entry).has_value()) {
      stop(Stop::Kind::rolled_back,
           "an entry is signed by this node in a term that its log does not know");
      return Verdict::reject(RejectReason::stopped);
    }
  }
  if (append.term > term_) adopt_term(append.term);
  if (role_ == Role::leader || (leader_.has_value() && leader_ != from)) {
    return malformed(from, fail(Errc::bad_message, "a second leader of one term"));
  }
  if (role_ != Role::follower) become_follower();
  leader_ = from;
  contact_at_ = clock_.now();
  reset_election_timer();
  return Verdict::accept();
}

/// R2, R3: below h the certificate answers for the log.
RaftEngine::Fit RaftEngine::fit(const AppendEntries& append) const {
  const std::optional<View> term = terms_.of(append.prev_index);
  if (term.has_value() && *term == append.prev_term) return Fit::by_term;
  // Committed here, and the leader has another: what it will send there stops this replica.
  const bool contradicts = term.has_value() && append.prev_term.value > 0;
  if (contradicts && append.prev_index > log_floor()) return Fit::none;
  return append.prev_index <= std::max(log_floor(), commit_) ? Fit::by_certificate : Fit::none;
}

/// R5: where the leader should look next.
void RaftEngine::refuse_append(const AppendEntries& append) {
  AppendReply reply{term_, append.request, false, last_index().next(), {}};
  if (const std::optional<View> term = terms_.of(append.prev_index)) {
    reply.conflict_term = *term;
    reply.index = terms_.first_of_term(append.prev_index, log_floor());
  }
  send_in_term(*leader_, MessageClass::vote,
               unsigned_message(MessageKind::append_reply, encode(reply)));
}

Verdict RaftEngine::take_entries(ReplicaId from, AppendEntries& append) {
  Height taken = append.prev_index;
  Verdict verdict = Verdict::accept();
  for (Entry& entry : append.entries) {
    verdict = take_entry(from, entry, taken);
    if (!verdict.accepted) break;
  }
  if (run_.stopped) return verdict;
  if (seeded_bug(Bug::raft_truncate_on_shorter) && taken < terms_.last()) {
    drop_entries(taken.next(), terms_.last());
  }
  matched_ = std::max(matched_, taken);
  log_entries();
  ack_due_ = true;
  // Only an answer to all of it lets the leader send what follows.
  if (taken.value == append.prev_index.value + append.entries.size()) ack_request_ = append.request;
  advance_commit(std::min(append.commit, matched_));
  return verdict;
}

/// R3: an entry that is here stays; only one of another term makes room.
Verdict RaftEngine::take_entry(ReplicaId from, Entry& entry, Height& taken) {
  const Height index = entry.vote.height;
  if (index <= low_mark()) {
    taken = index;
    return Verdict::accept();
  }
  const bool is_null = entry.batch.empty();
  if (!has_room_for(index, is_null)) return Verdict::reject(RejectReason::outside_window);
  Slot& slot = slots_.at_or_new(index);
  if (slot.proposal.has_value() && slot.proposal->vote == entry.vote) {
    taken = index;
    return Verdict::accept();
  }
  Result<std::vector<TxHash>> transactions = check_entry(entry);
  if (!transactions.has_value()) return malformed(from, transactions.error());
  const Verdict free = resolve_conflict(slot, entry);
  if (!free.accepted) return free;
  taken = index;
  // Below h: a block came, or may come; entries that stay above may be of another leader's log.
  const bool is_covered = slot.is_decided() || index <= terms_.last();
  if (index <= log_floor() && is_covered) return Verdict::accept();
  slot.proposal =
      Proposal{entry.vote, entry.signature, Proposal::State::waiting_for_bodies, entry.leader};
  terms_.set(index, entry.vote.view);
  note_seen(index);
  Content& content = slot.content_or_new(entry.vote.digest);
  if (content.complete) return Verdict::accept();
  SharedBytes batch;
  if (!is_null) batch = std::make_shared<const Bytes>(std::move(entry.batch));
  add_batch(slot, content, std::move(batch), *std::move(transactions), from);
  need_bodies(slot, content, share_all(std::move(entry.bodies)));
  return Verdict::accept();
}

/// R13: signed by the leader of its term, over a digest that is recomputed. Returns the batch's
/// transactions.
Result<std::vector<TxHash>> RaftEngine::check_entry(const Entry& entry) const {
  TRY(std::vector<TxHash> transactions,
      check_batch(entry.batch, entry.vote.height, entry.vote.digest));
  if (!entry.batch.empty()) {
    TRY(const Batch batch, decode<Batch>(entry.batch));
    if (batch.origin_view != entry.vote.view || batch.proposer != entry.leader) {
      return fail(Errc::bad_message, "a batch of another leader or term than its entry");
    }
  }
  if (!config_.verifier->verify_object(
          config_.epoch.validators[entry.leader], crypto::ObjectType::raft_entry, config_.chain_id,
          config_.epoch.epoch, crypto::sha256(encode(entry.vote)), entry.signature)) {
    return fail(Errc::bad_signature, "an entry is not signed by the leader of its term");
  }
  return transactions;
}

/// Another entry, or a decision, may stand where this one wants to be.
Verdict RaftEngine::resolve_conflict(const Slot& slot, const Entry& entry) {
  const Height index = slot.height;
  if (slot.is_decided() && slot.decision->digest != entry.vote.digest) {
    stop(Stop::Kind::halt, "the leader's entry at height " + std::to_string(index.value) +
                               " is not the one that is decided here");
    return Verdict::reject(RejectReason::stopped);
  }
  if (!slot.proposal.has_value()) return Verdict::accept();
  const Proposal& own = *slot.proposal;
  if (own.vote.view == entry.vote.view) {
    keep_evidence(Evidence{crypto::ObjectType::raft_entry, config_.epoch.epoch, entry.leader,
                           encode(own.vote), encode(entry.vote), own.signature, entry.signature});
    return Verdict::reject(RejectReason::equivocation);
  }
  if (index > at_.certified || index <= commit_) {
    truncate_from(index);
  } else {
    drop_entries(index, at_.certified);  // what stands above h is not this one's heir
  }
  return run_.stopped ? Verdict::reject(RejectReason::stopped) : Verdict::accept();
}

/// R1, R3: up to where the leader's entries are durable here; never the last index.
void RaftEngine::send_append_ack() {
  ack_due_ = false;
  if (role_ != Role::follower || !leader_.has_value()) return;
  Height through = std::min(matched_, durable_through());
  if (seeded_bug(Bug::raft_ack_last_index)) through = last_index();
  send_in_term(*leader_, MessageClass::vote,
               unsigned_message(MessageKind::append_reply,
                                encode(AppendReply{term_, ack_request_, true, through, {}})));
}

}  // namespace baolian::consensus::raft
