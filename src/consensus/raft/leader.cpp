/// The leader: replication and commitment (consensus.md 3: R1, R3-R7, R12).
#include <algorithm>

#include "consensus/raft/engine.h"
#include "core/seeded_bug.h"

namespace baolian::consensus::raft {
namespace {

/// Transactions in order until `bytes_max` is reached: those a receiver may not have yet.
std::span<const SharedBytes> inline_part(const std::vector<SharedBytes>& bodies,
                                         std::size_t bytes_max) {
  std::size_t count = 0;
  for (std::size_t size = 0; count < bodies.size(); ++count) {
    size += bodies[count]->size();
    if (size > bytes_max) break;
  }
  return std::span(bodies).first(count);
}

}  // namespace

// ------------------------------------------------------------------ the own log

Verdict RaftEngine::on_propose(ProposeInput& input) {
  if (role_ != Role::leader) return Verdict::reject(RejectReason::not_primary);
  if (!can_propose()) return Verdict::reject(RejectReason::outside_window);
  if (input.transactions.size() > kBatchTransactionsMax ||
      input.transactions.size() != input.bodies.size() ||
      total_size_bytes(input.bodies) > kBatchBodyBytesMax) {
    return Verdict::reject(RejectReason::bad_content);
  }
  Batch batch;
  batch.epoch = config_.epoch.epoch;
  batch.height = last_index().next();
  batch.origin_view = term_;
  batch.proposer = config_.self;
  batch.proposed_at = input.proposed_at;
  batch.transactions = std::move(input.transactions);
  auto bytes = std::make_shared<const Bytes>(encode(batch));
  const Hash digest = batch_digest(*bytes);
  Slot& slot = slots_.at_or_new(batch.height);
  Content& content = slot.content_or_new(digest);
  content.batch = std::move(bytes);
  content.transactions = std::move(batch.transactions);
  content.source = config_.self;
  content.bodies = std::move(input.bodies);
  content.complete = true;
  append_own(batch.height, digest);
  return Verdict::accept();
}

/// The entry goes to the disk here and, with the same step, to the followers.
Slot& RaftEngine::append_own(Height index, const Hash& digest) {
  ASSERT(role_ == Role::leader && index == last_index().next());
  Slot& slot = slots_.at_or_new(index);
  ASSERT(!slot.proposal.has_value() && !slot.is_decided());
  const crypto::Vote vote{term_, index, digest};
  const Signature signature =
      config_.signer->sign_object(crypto::ObjectType::raft_entry, config_.chain_id,
                                  config_.epoch.epoch, crypto::sha256(encode(vote)));
  slot.proposal = Proposal{vote, signature, Proposal::State::waiting_for_bodies, config_.self};
  terms_.set(index, term_);
  note_seen(index);
  log_entry(slot);
  return slot;
}

// ------------------------------------------------------------------ sending

/// From here to the end of the log every entry can be sent. Where a height was certified elsewhere,
/// in a later term, entries of an older leader may stand above it: they do not follow its entry.
Height RaftEngine::first_sendable() const {
  Height first = last_index().next();
  while (first.value > 1) {
    const Slot* slot = slots_.find(Height{first.value - 1});
    if (slot == nullptr || !slot->proposal.has_value()) break;
    if (slot->proposal->state == Proposal::State::waiting_for_bodies) break;
    if (terms_fall_after(slot->height)) break;
    first = slot->height;
  }
  return first;
}

bool RaftEngine::terms_fall_after(Height index) const {
  const std::optional<View> term = terms_.of(index);
  const std::optional<View> next = terms_.of(index.next());
  return term.has_value() && next.has_value() && *next < *term;
}

void RaftEngine::replicate() {
  const Height first = first_sendable();
  for (std::size_t i = 0; i < followers_.size(); ++i) {
    if (i != config_.self) replicate_to(static_cast<ReplicaId>(i), followers_[i], first);
  }
}

void RaftEngine::replicate_to(ReplicaId to, Follower& follower, Height first) {
  resend_if_stalled(follower);
  // What is gone from here was certified: the follower will have the certificate, or fetch blocks.
  if (follower.next < first) {
    set_back(follower, first);
    follower.probe_after = follower.sent_at + config_.timers.append_ms;
  }
  bool sent = false;
  while (may_send(follower)) {
    send_entries(to, follower);
    sent = true;
  }
  if (sent) return;
  const bool is_due = follower.sent_at + config_.timers.append_ms <= clock_.now();
  if (is_due || (follower.commit_sent < commit_ && follower.match > follower.commit_sent)) {
    send_heartbeat(to, follower);
  }
}

/// R12: a window of entries and bytes; one message at a time while it is not known where the logs
/// meet.
bool RaftEngine::may_send(const Follower& follower) const {
  if (follower.next > last_index()) return false;
  if (follower.probing) return !follower.probe_sent && follower.probe_after <= clock_.now();
  return follower.next <= follower.match + config_.epoch.log_window &&
         follower.flight_bytes < kFlightBytesMax;
}

void RaftEngine::send_entries(ReplicaId to, Follower& follower) {
  const AppendEntries head = append_head(Height{follower.next.value - 1});
  std::vector<Bytes> entries;
  std::size_t size = 0;
  Height index = follower.next;
  while (index <= last_index() && entries.size() < (follower.probing ? 1 : kAppendEntriesMax)) {
    const Slot* slot = slots_.find(index);
    ASSERT(slot != nullptr && slot->proposal.has_value());
    const Content* content = slot->content(slot->proposal->vote.digest);
    ASSERT(content != nullptr && content->complete);
    const auto bodies = inline_part(content->bodies, config_.inline_body_bytes_max);
    entries.push_back(encode_entry(slot->proposal->vote, slot->proposal->leader,
                                   slot->proposal->signature, content->batch, bodies));
    size += entries.back().size();
    follower.flight.emplace_back(index, entries.back().size());
    ++index;
    if (size >= kAppendBytesMax || index > follower.match + config_.epoch.log_window) break;
  }
  follower.flight_bytes += size;
  // The answer is waited for from here on.
  if (follower.probing || follower.next == follower.match.next())
    follower.progress_at = clock_.now();
  if (follower.probing) {
    follower.probe_sent = true;
    follower.probe_request = head.request;
    follower.probe_end = Height{index.value - 1};
  } else {
    follower.next = index;
  }
  follower.sent_at = clock_.now();
  follower.commit_sent = commit_;
  send_in_term(to, MessageClass::proposal,
               unsigned_message(MessageKind::append_entries, encode_append(head, entries)));
}

/// From `match`, which the follower has: a heartbeat that overtakes entries is no reason to refuse.
void RaftEngine::send_heartbeat(ReplicaId to, Follower& follower) {
  follower.sent_at = clock_.now();
  follower.commit_sent = commit_;
  send_in_term(to, MessageClass::vote,
               unsigned_message(MessageKind::append_entries,
                                encode_append(append_head(follower.match), {})));
}

AppendEntries RaftEngine::append_head(Height prev) {
  AppendEntries out;
  out.term = term_;
  out.prev_index = prev;
  // No term: who does not have the certificate of that height must not take its entry for this one.
  if (!terms_fall_after(prev)) out.prev_term = terms_.of(prev).value_or(View{});
  out.commit = commit_;
  out.request = run_.next_request++;
  return out;
}

// ------------------------------------------------------------------ answers

Verdict RaftEngine::on_append_reply(const Verified& message) {
  const ReplicaId from = message.from();
  const Result<AppendReply> decoded = decode<AppendReply>(message.envelope().body);
  if (!decoded.has_value()) return malformed(from, decoded.error());
  const AppendReply& reply = *decoded;
  if (reply.term.value >= kViewLimit || reply.index.value >= kViewLimit) {
    return malformed(from, fail(Errc::bad_message, "AppendReply with impossible numbers"));
  }
  if (reply.term > term_) {
    adopt_term(reply.term);
    return Verdict::accept();
  }
  if (reply.term < term_) return Verdict::reject(RejectReason::stale_view);
  if (role_ != Role::leader) return Verdict::reject(RejectReason::not_primary);
  Follower& follower = followers_[from];
  follower.heard_at = clock_.now();
  if (!reply.matches) return on_append_refused(follower, reply);
  if (reply.index > last_index()) {
    return malformed(from, fail(Errc::bad_message, "AppendReply above the leader's log"));
  }
  on_append_ok(follower, reply);
  return Verdict::accept();
}

void RaftEngine::on_append_ok(Follower& follower, const AppendReply& reply) {
  follower.ok_request = std::max(follower.ok_request, reply.request);
  if (reply.index > follower.match) {
    follower.match = reply.index;
    follower.progress_at = clock_.now();
  }
  while (!follower.flight.empty() && follower.flight.front().first <= follower.match) {
    follower.flight_bytes -= follower.flight.front().second;
    follower.flight.pop_front();
  }
  follower.next = std::max(follower.next, follower.match.next());
  const bool is_answered = follower.probe_sent && (follower.match >= follower.probe_end ||
                                                   reply.request == follower.probe_request);
  if (follower.probing && is_answered) {
    follower.probing = false;
    follower.next = std::max(follower.next, follower.probe_end.next());
  }
  count_matches();
}

/// R5: a NACK that is older than what the follower said since says nothing.
Verdict RaftEngine::on_append_refused(Follower& follower, const AppendReply& reply) {
  probes_.hit(Probe::entries_refused_by_mismatch);
  if (seeded_bug(Bug::raft_stale_nack)) {
    follower.match =
        std::min(follower.match, Height{std::max<std::uint64_t>(reply.index.value, 1) - 1});
    set_back(follower, follower.match.next());
    return Verdict::accept();
  }
  if (reply.request <= std::max(follower.ok_request, follower.stale_through)) {
    return Verdict::reject(RejectReason::stale_view);
  }
  Height next = reply.index;
  if (reply.conflict_term.value > 0) {
    if (const std::optional<Height> last = terms_.last_of(reply.conflict_term)) next = last->next();
  }
  const bool goes_back = next < follower.next;
  set_back(follower, std::min(next, follower.next));
  // A term that is not known here any more, and is not certified there yet: asking at once again
  // would give the same answer.
  if (!goes_back) follower.probe_after = clock_.now() + config_.timers.append_ms;
  return Verdict::accept();
}

void RaftEngine::set_back(Follower& follower, Height next) {
  follower.next = std::clamp(next, follower.match.next(), last_index().next());
  follower.probing = true;
  follower.probe_sent = false;
  follower.stale_through = run_.next_request - 1;
  follower.progress_at = clock_.now();
  follower.flight.clear();
  follower.flight_bytes = 0;
}

/// Entries, or their answers, were lost.
void RaftEngine::resend_if_stalled(Follower& follower) {
  const bool waits = follower.probing ? follower.probe_sent : follower.next > follower.match.next();
  if (!waits || clock_.now() < follower.progress_at + 4 * config_.timers.append_ms) return;
  const Height next = follower.probing ? follower.next : follower.match.next();
  const std::uint64_t stale_through = follower.stale_through;
  set_back(follower, next);
  follower.stale_through = stale_through;
}

// ------------------------------------------------------------------ commitment

/// R1, R4: an index is committed when a majority holds it durably and its entry is of this term.
void RaftEngine::count_matches() {
  ASSERT(role_ == Role::leader);
  std::vector<Height> matches;
  for (const Follower& follower : followers_) matches.push_back(follower.match);
  matches[config_.self] =
      seeded_bug(Bug::raft_count_before_durable) ? last_index() : durable_through();
  std::sort(matches.begin(), matches.end());
  const Height index = matches[matches.size() - quorum_];
  if (index <= commit_) return;
  if (terms_.of(index) != term_ && !seeded_bug(Bug::raft_commit_older_term)) return;
  advance_commit(index);
}

// ------------------------------------------------------------------ R6, R7

/// CheckQuorum: a leader that a majority does not answer any more stops leading.
void RaftEngine::check_quorum() {
  std::size_t heard = 1;
  for (std::size_t i = 0; i < followers_.size(); ++i) {
    if (i == config_.self) continue;
    if (clock_.now() < followers_[i].heard_at + config_.timers.election_ms) ++heard;
  }
  if (heard >= quorum_) return;
  probes_.hit(Probe::leader_stepped_down);
  become_follower();
}

/// When the target has everything, it is told to begin an election at once.
void RaftEngine::drive_transfer() {
  if (!transfer_.has_value() || transfer_->sent) return;
  if (followers_[transfer_->target].match < last_index()) return;
  transfer_->sent = true;
  send_in_term(transfer_->target, MessageClass::vote,
               unsigned_message(MessageKind::timeout_now, encode(TimeoutNow{term_})));
}

}  // namespace baolian::consensus::raft
