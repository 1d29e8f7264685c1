/// Terms, votes, leadership (consensus.md 3: R2, R4, R6, R7).
#include <algorithm>

#include "consensus/raft/engine.h"
#include "core/seeded_bug.h"

namespace baolian::consensus::raft {

// ------------------------------------------------------------------ terms

void RaftEngine::adopt_term(View term) {
  ASSERT(term > term_ && term.value < kViewLimit);
  if (transfer_.has_value() && transfer_->sent) probes_.hit(Probe::leadership_transferred);
  become_follower();
  term_ = term;
  voted_for_.reset();  // R2: here and in campaign() only, where the term grows
  held_.clear();
  stage_term();
}

void RaftEngine::stage_term() {
  vote_durable_ = false;
  LogRecord record{RecordType::raft_term,
                   std::make_shared<const Bytes>(encode(TermRecord{term_, voted_for_}))};
  tail_.keep_view(record);
  stage_record(std::move(record),
               [this, term = term_, voted_for = voted_for_] { on_term_durable(term, voted_for); });
}

void RaftEngine::on_term_durable(View term, std::optional<ValidatorIndex> voted_for) {
  at_.view = std::max(at_.view, term);
  if (voted_for.has_value()) at_.voted_view = std::max(at_.voted_view, term);
  if (term != term_) return;
  vote_durable_ = voted_for == voted_for_;
  for (Send& one : held_) send(one.to, one.message_class, std::move(one.bytes));
  held_.clear();
  if (role_ != Role::candidate || voted_for != config_.self) return;
  votes_[config_.self] = true;
  count_votes();
}

/// In this term, or before a higher one: what a leader or candidate knew is void. The vote stays
/// (R2).
void RaftEngine::become_follower() {
  if (seeded_bug(Bug::raft_clear_vote_on_step_down)) voted_for_.reset();
  role_ = Role::follower;
  leader_.reset();
  matched_ = {};
  followers_.clear();
  transfer_.reset();
  ack_due_ = false;
  reset_election_timer();
}

void RaftEngine::reset_election_timer() {
  const std::uint64_t least = config_.timers.election_ms;
  election_at_ = clock_.now() + least + random_.below(least);
}

// ------------------------------------------------------------------ the candidate

/// R6: asks first whether an election could be won, so that a replica that hears nobody does not
/// drive the term up.
void RaftEngine::begin_pre_vote() {
  become_follower();
  if (!may_stand()) return;
  if (quorum_ == 1) return campaign(Election::by_timeout);
  role_ = Role::pre_candidate;
  votes_.assign(validator_count(), false);
  votes_[config_.self] = true;
  RequestVote request = request_vote(term_.next());
  request.pre_vote = true;
  send(std::nullopt, MessageClass::vote,
       unsigned_message(MessageKind::request_vote, encode(request)));
}

void RaftEngine::campaign(Election election) {
  become_follower();
  if (!may_stand()) return;
  role_ = Role::candidate;
  term_ = term_.next();
  voted_for_ = config_.self;
  held_.clear();
  votes_.assign(validator_count(), false);
  stage_term();
  RequestVote request = request_vote(term_);
  request.transfer = election == Election::by_transfer;
  out_.sends.push_back(Send{std::nullopt, MessageClass::vote,
                            unsigned_message(MessageKind::request_vote, encode(request))});
}

RequestVote RaftEngine::request_vote(View term) const {
  RequestVote out;
  out.term = term;
  const LogEnd end = log_end();
  out.last_index = end.index;
  out.last_term = end.term;
  out.certified = at_.certified;
  if (newest_certificate_ != nullptr &&
      newest_certificate_->certificate.epoch == config_.epoch.epoch) {
    out.checkpoint = newest_certificate_->certificate;
  }
  return out;
}

// ------------------------------------------------------------------ the voter

/// R6: a leader was heard within the least election timeout; a leader hears itself.
bool RaftEngine::in_contact() const {
  if (role_ == Role::leader) return true;
  return leader_.has_value() && clock_.now() < contact_at_ + config_.timers.election_ms;
}

/// 5.4.1, and R2: what is certified anywhere must be in the log of whoever leads. A log that ends
/// at or below the candidate's certified height adds nothing to it, whatever its terms.
bool RaftEngine::is_up_to_date(const RequestVote& candidate) const {
  if (seeded_bug(Bug::raft_no_log_check)) return true;
  if (candidate.certified < log_floor() || candidate.last_index < at_.executed) return false;
  const LogEnd own = log_end();
  if (own.index <= candidate.certified) return true;
  return LogEnd{candidate.last_term, candidate.last_index} >= own;
}

Verdict RaftEngine::on_request_vote(const Verified& message) {
  const ReplicaId from = message.from();
  const Result<RequestVote> decoded = decode<RequestVote>(message.envelope().body);
  if (!decoded.has_value()) return malformed(from, decoded.error());
  const RequestVote& request = *decoded;
  if (request.term.value == 0 || request.term.value >= kViewLimit ||
      request.last_term.value >= kViewLimit || request.last_index.value >= kViewLimit ||
      request.last_index < request.certified) {
    return malformed(from, fail(Errc::bad_message, "RequestVote with impossible numbers"));
  }
  // Only a certificate above the own h tells anything new; it must hold.
  if (request.certified > log_floor() && request.certified >= config_.epoch.first_height) {
    if (!request.checkpoint.has_value() || request.checkpoint->vote.height != request.certified) {
      return malformed(from, fail(Errc::bad_message, "RequestVote without its certificate"));
    }
    const Result<void> checked = crypto::check_certificate(*request.checkpoint, config_.chain_id,
                                                           config_.epoch, *config_.verifier);
    if (!checked.has_value()) {
      out_.effects->push_back(BanPeer{from, checked.error().context});
      return Verdict::reject(RejectReason::bad_certificate);
    }
  }
  if (request.term < term_ || (request.pre_vote && request.term == term_)) {
    if (!seeded_bug(Bug::raft_no_answer_to_lower_term)) {
      reply_vote(from, VoteReply{term_, request.pre_vote, false});
    }
    return Verdict::reject(RejectReason::stale_view);
  }
  if (in_contact() && !request.transfer) {
    if (request.pre_vote) probes_.hit(Probe::pre_vote_refused);
    return Verdict::reject(RejectReason::not_wanted);
  }
  return request.pre_vote ? on_pre_vote(from, request) : on_real_vote(from, request);
}

Verdict RaftEngine::on_pre_vote(ReplicaId from, const RequestVote& request) {
  const bool granted = is_up_to_date(request);
  if (!granted) probes_.hit(Probe::pre_vote_refused);
  reply_vote(from, VoteReply{granted ? request.term : term_, true, granted});
  return Verdict::accept();
}

/// R2: one vote a term, durable before the candidate sees it (R1).
Verdict RaftEngine::on_real_vote(ReplicaId from, const RequestVote& request) {
  if (request.term > term_) adopt_term(request.term);
  const bool is_free = !voted_for_.has_value() && !leader_.has_value();
  if (!is_free && voted_for_ == from) {
    // Asked again: the answer leaves with the record, or again if that is durable.
    if (vote_durable_) reply_vote(from, VoteReply{term_, false, true});
    return Verdict::reject(RejectReason::duplicate);
  }
  if (!is_free || !is_up_to_date(request)) {
    reply_vote(from, VoteReply{term_, false, false});
    return Verdict::accept();
  }
  ASSERT(role_ == Role::follower || role_ == Role::pre_candidate);
  become_follower();
  voted_for_ = from;
  stage_term();
  const SharedBytes bytes =
      unsigned_message(MessageKind::vote_reply, encode(VoteReply{term_, false, true}));
  if (seeded_bug(Bug::raft_vote_before_durable)) {
    send(from, MessageClass::vote, bytes);
  } else {
    out_.sends.push_back(Send{from, MessageClass::vote, bytes});
  }
  return Verdict::accept();
}

void RaftEngine::reply_vote(ReplicaId to, const VoteReply& reply) {
  const SharedBytes bytes = unsigned_message(MessageKind::vote_reply, encode(reply));
  // A granted pre-vote speaks of a term that this replica has not reached.
  if (reply.pre_vote && reply.granted) return send(to, MessageClass::vote, bytes);
  send_in_term(to, MessageClass::vote, bytes);
}

// ------------------------------------------------------------------ counting

Verdict RaftEngine::on_vote_reply(const Verified& message) {
  const ReplicaId from = message.from();
  const Result<VoteReply> decoded = decode<VoteReply>(message.envelope().body);
  if (!decoded.has_value()) return malformed(from, decoded.error());
  const VoteReply& reply = *decoded;
  if (reply.term.value >= kViewLimit) {
    return malformed(from, fail(Errc::bad_message, "a vote with an impossible term"));
  }
  const bool is_pre_vote = reply.pre_vote && reply.granted;
  if (!is_pre_vote && reply.term > term_) {
    adopt_term(reply.term);
    return Verdict::accept();
  }
  const Role wanted = is_pre_vote ? Role::pre_candidate : Role::candidate;
  const View term = is_pre_vote ? term_.next() : term_;
  if (reply.term < term) return Verdict::reject(RejectReason::stale_view);
  if (role_ != wanted || reply.term != term || !reply.granted) {
    return Verdict::reject(RejectReason::not_wanted);
  }
  if (votes_[from]) return Verdict::reject(RejectReason::duplicate);
  votes_[from] = true;
  count_votes();
  return Verdict::accept();
}

void RaftEngine::count_votes() {
  const auto count = static_cast<std::size_t>(std::count(votes_.begin(), votes_.end(), true));
  // The own vote counts only when it is durable (R1).
  if (count < quorum_ || !votes_[config_.self]) return;
  if (role_ == Role::pre_candidate) return campaign(Election::by_timeout);
  become_leader();
}

/// R4: the empty entry of the own term, at once; nothing else before it commits.
void RaftEngine::become_leader() {
  ASSERT(role_ == Role::candidate && at_.view == term_ && voted_for_ == config_.self);
  probes_.hit(Probe::leader_elected);
  role_ = Role::leader;
  leader_ = config_.self;
  drop_unproven(at_.certified);
  Follower fresh;
  fresh.next = last_index().next();
  fresh.heard_at = fresh.progress_at = clock_.now();
  followers_.assign(validator_count(), fresh);
  ViewEntered entered{term_, {}};
  for (const auto& [height, slot] : slots_) {
    if (height <= at_.executed || !slot.proposal.has_value()) continue;
    const Content* content = slot.content(slot.proposal->vote.digest);
    ASSERT(content != nullptr);
    entered.proposed.insert(entered.proposed.end(), content->transactions.begin(),
                            content->transactions.end());
  }
  out_.effects->push_back(std::move(entered));
  noop_ = last_index().next();
  const Hash digest = null_digest(config_.chain_id, config_.epoch.epoch, noop_);
  slots_.at_or_new(noop_).content_or_new(digest).complete = true;
  append_own(noop_, digest);
  at_.highest_seen = std::max({at_.executed, at_.delivered, noop_});
}

// ------------------------------------------------------------------ R7

Verdict RaftEngine::on_transfer(const TransferLeadershipInput& input) {
  if (role_ != Role::leader) return Verdict::reject(RejectReason::not_primary);
  if (input.target >= validator_count()) return Verdict::reject(RejectReason::not_member);
  if (input.target == config_.self || transfer_.has_value()) {
    return Verdict::reject(RejectReason::not_wanted);
  }
  transfer_ = Transfer{input.target, clock_.now() + config_.timers.election_ms};
  return Verdict::accept();
}

Verdict RaftEngine::on_timeout_now(const Verified& message) {
  const Result<TimeoutNow> decoded = decode<TimeoutNow>(message.envelope().body);
  if (!decoded.has_value()) return malformed(message.from(), decoded.error());
  if (decoded->term < term_) return Verdict::reject(RejectReason::stale_view);
  if (decoded->term != term_ || leader_ != message.from()) {
    return Verdict::reject(RejectReason::not_primary);
  }
  campaign(Election::by_transfer);
  return Verdict::accept();
}

}  // namespace baolian::consensus::raft
