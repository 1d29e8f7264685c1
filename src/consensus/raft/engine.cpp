/// Dispatch, and the log: what stands at which index, how far it is durable and committed.
#include "consensus/raft/engine.h"

#include <algorithm>
#include <string>

#include "core/seeded_bug.h"

namespace baolian::consensus::raft {

RaftEngine::RaftEngine(const EngineConfig& config, HeaderReader header_reader,
                       const std::vector<LogRecord>& log, Height executed,
                       Hash executed_header_hash)
    : ReplicaEngine(config, std::move(header_reader), executed, executed_header_hash),
      random_(config.seed) {
  ASSERT(config_.epoch.consensus_kind == crypto::ConsensusKind::raft);
  ASSERT(config_.timers.election_ms > config_.timers.append_ms && config_.timers.append_ms > 0);
  votes_.resize(validator_count());
  at_.active = is_validator();
  recover(log);
}

Verdict RaftEngine::on_message(const Verified& message) {
  if (!is_validator()) return Verdict::reject(RejectReason::not_wanted);
  switch (message.envelope().kind) {
    case MessageKind::request_vote:
      return on_request_vote(message);
    case MessageKind::vote_reply:
      return on_vote_reply(message);
    case MessageKind::append_entries:
      return on_append(message);
    case MessageKind::append_reply:
      return on_append_reply(message);
    case MessageKind::timeout_now:
      return on_timeout_now(message);
    case MessageKind::pre_prepare:
    case MessageKind::prepare:
    case MessageKind::commit:
    case MessageKind::exec:
    case MessageKind::suspect:
    case MessageKind::view_change:
    case MessageKind::new_view:
    case MessageKind::status:
    case MessageKind::fetch:
    case MessageKind::reply:
      break;
  }
  return Verdict::reject(RejectReason::not_wanted);
}

void RaftEngine::pass_time(Tick now) {
  if (!clock_.tick(now).has_value()) probes_.hit(Probe::timers_shifted);
}

void RaftEngine::on_time() {
  if (!is_validator()) return;
  if (role_ == Role::leader) {
    check_quorum();
    if (transfer_.has_value() && transfer_->until <= clock_.now()) transfer_.reset();
  } else if (election_at_ <= clock_.now()) {
    begin_pre_vote();
  }
}

void RaftEngine::finish_step() {
  if (!is_validator()) return;
  if (role_ == Role::leader) {
    drive_transfer();
    replicate();
  } else if (ack_due_) {
    send_append_ack();
  }
}

/// What names the term leaves only when the term is durable: a replica that forgot it could vote
/// twice in it.
void RaftEngine::send_in_term(std::optional<ReplicaId> to, MessageClass message_class,
                              SharedBytes bytes) {
  if (at_.view == term_) return send(to, message_class, std::move(bytes));
  if (held_.size() < kHeldSendsMax) held_.push_back(Send{to, message_class, std::move(bytes)});
}

// ------------------------------------------------------------------ the end of the log

RaftEngine::LogEnd RaftEngine::log_end() const {
  Height index = last_index();
  while (index > log_floor()) {
    const Slot* slot = slots_.find(index);
    ASSERT(slot != nullptr && slot->proposal.has_value());
    if (slot->proposal->state != Proposal::State::waiting_for_bodies) break;
    index = Height{index.value - 1};
  }
  return {terms_.of(index).value_or(View{}), index};
}

Height RaftEngine::durable_through() const {
  Height out = log_floor();
  while (const Slot* slot = slots_.find(out.next())) {
    if (!slot->proposal.has_value() || slot->proposal->state != Proposal::State::durable) break;
    ++out;
  }
  return out;
}

bool RaftEngine::has_room_for(Height index, bool is_null) const {
  return index.value <= low_mark().value + (is_null ? 2 : 1) * keep_ahead();
}

// ------------------------------------------------------------------ dropping

void RaftEngine::drop_entries(Height first, Height last) {
  for (auto& [height, slot] : slots_) {
    if (height < first || !slot.proposal.has_value()) continue;
    if (height > last) break;
    slot.proposal.reset();
    std::erase_if(slot.contents, [&slot = slot](const Content& content) {
      return !slot.is_decided() || slot.decision->digest != content.digest;
    });
  }
  terms_.drop_between(first, last);
  tail_.drop(RecordType::raft_entry, first, last);
}

/// R3: from the first entry whose term conflicts, never at or below the commit index.
void RaftEngine::truncate_from(Height first) {
  if (first <= commit_) {
    return stop(Stop::Kind::halt, "the log of the leader has another entry at height " +
                                      std::to_string(first.value) +
                                      ", which is committed here: a disk lost what it had promised "
                                      "to keep");
  }
  if (first > terms_.last()) return;
  probes_.hit(Probe::entries_truncated);
  drop_entries(first, terms_.last());
  matched_ = std::min(matched_, Height{first.value - 1});
  at_.highest_seen = std::max({at_.executed, at_.delivered, last_index()});
}

/// Entries up to `last` whose heights are certified, while nobody says that these entries are what
/// was certified. The blocks will come.
void RaftEngine::drop_unproven(Height last) {
  drop_entries(std::max(commit_, matched_).next(), last);
}

/// Entries whose bodies are missing were acknowledged to nobody, and nobody could execute them
/// under this leader.
void RaftEngine::drop_incomplete() {
  const Height end = std::max(log_end().index, commit_);
  if (end < terms_.last()) truncate_from(end.next());
}

/// True if the log ends where an election may begin: all of it is here, and the entry of a new term
/// has room.
bool RaftEngine::may_stand() {
  drop_incomplete();
  return !run_.stopped && log_end().index == last_index() &&
         has_room_for(last_index().next(), true) && term_.value + 1 < kViewLimit;
}

// ------------------------------------------------------------------ writing

void RaftEngine::on_complete_content(Slot& slot, const Hash& digest) {
  if (slot.proposal.has_value() && slot.proposal->vote.digest == digest) log_entries();
}

/// Writes the entries whose bodies are here, in index order: a log must never hold an entry without
/// the one before it.
void RaftEngine::log_entries() {
  for (auto& [height, slot] : slots_) {
    if (!slot.proposal.has_value()) {
      if (height > log_floor()) return;
      continue;
    }
    if (slot.proposal->state != Proposal::State::waiting_for_bodies) continue;
    const Content* content = slot.content(slot.proposal->vote.digest);
    ASSERT(content != nullptr);
    if (content->complete) {
      log_entry(slot);
    } else if (height > log_floor()) {
      return;
    }
  }
}

/// R1: batch and bodies with the entry; it counts when they are durable.
void RaftEngine::log_entry(Slot& slot) {
  ASSERT(slot.proposal.has_value() && is_validator());
  Proposal& entry = *slot.proposal;
  Content& content = *slot.content(entry.vote.digest);
  ASSERT(content.complete && entry.state == Proposal::State::waiting_for_bodies);
  entry.state = Proposal::State::logging;
  content.logged = true;
  stage(RecordType::raft_entry,
        encode_entry(entry.vote, entry.leader, entry.signature, content.batch, content.bodies),
        slot.height, [this, vote = entry.vote] { on_entry_durable(vote); });
}

void RaftEngine::on_entry_durable(const crypto::Vote& vote) {
  at_.voted_view = std::max(at_.voted_view, vote.view);
  at_.voted_height = std::max(at_.voted_height, vote.height);
  Slot* slot = slots_.find(vote.height);
  if (slot == nullptr || !slot->proposal.has_value() || slot->proposal->vote != vote) return;
  slot->proposal->state = Proposal::State::durable;
  ack_due_ = true;
  if (role_ == Role::leader) count_matches();
  decide_committed();
}

/// The bodies that the leader wants ordered can never be valid: its entry is not taken.
bool RaftEngine::on_impossible_content(Slot& slot, const Hash& digest) {
  if (!slot.proposal.has_value() || slot.proposal->vote.digest != digest) return true;
  if (slot.height <= commit_) return false;
  truncate_from(slot.height);
  return !run_.stopped;
}

// ------------------------------------------------------------------ deciding

void RaftEngine::advance_commit(Height to) {
  if (to <= commit_) return;
  commit_ = to;
  decide_committed();
}

void RaftEngine::decide_committed() {
  const Height last = std::min(commit_, high_mark());
  for (auto& [height, slot] : slots_) {
    if (height > last || run_.stopped) return;
    if (slot.is_decided() || !slot.proposal.has_value()) continue;
    if (slot.proposal->state != Proposal::State::durable) continue;
    decide(slot, slot.proposal->vote.digest, std::nullopt);
  }
}

/// The entry is durable; that it is committed the next leader will say again.
Decision::State RaftEngine::log_votes(Slot& slot, Content&) {
  ASSERT(slot.proposal.has_value() && slot.proposal->state == Proposal::State::durable);
  return Decision::State::durable;
}

/// R2: a certified block stands against the own entry.
void RaftEngine::before_certified_block(Slot& slot, const Hash& digest) {
  if (!slot.proposal.has_value() || slot.proposal->vote.digest == digest) return;
  if (role_ == Role::leader) become_follower();  // somebody leads a later term
  if (slot.height > at_.certified) return truncate_from(slot.height);
  if (slot.height <= commit_) return;  // the decision will find the contradiction
  // What stands above h came from a leader that had all up to h; only what is below goes.
  drop_entries(slot.height, at_.certified);
  matched_ = std::min(matched_, Height{slot.height.value - 1});
}

/// The window moved. That own entries are the certified ones it does not say: only the leader does.
void RaftEngine::on_certified(Height) {
  if (low_mark().value > kTermsKept) terms_.forget_below(Height{low_mark().value - kTermsKept});
  log_entries();
  decide_committed();
}

// ------------------------------------------------------------------ questions

bool RaftEngine::can_propose() const {
  if (!run_.started || run_.stopped || role_ != Role::leader || at_.view != term_) return false;
  if (commit_ < noop_ || transfer_.has_value()) return false;
  const Height next = last_index().next();
  return next <= high_mark() && next <= low_mark() + config_.epoch.log_window &&
         next <= at_.delivered + config_.epoch.in_flight_max;
}

Status RaftEngine::status() const {
  Status out = ReplicaEngine::status();
  out.leader = leader_;
  out.is_leader = at_.active && role_ == Role::leader;
  return out;
}

void RaftEngine::check_invariants() const {
  ReplicaEngine::check_invariants();
  if (run_.stopped || !run_.started) return;
  ASSERT(at_.view <= term_ && term_.value < kViewLimit);
  ASSERT(role_ != Role::leader || (voted_for_ == config_.self && at_.view == term_));
  ASSERT(role_ != Role::leader || followers_.size() == validator_count());
  ASSERT(transfer_.has_value() <= (role_ == Role::leader));
  View term;
  bool waits = false;
  for (Height n = log_floor().next(); n <= terms_.last(); ++n) {
    const Slot* slot = slots_.find(n);
    ASSERT(slot != nullptr && slot->proposal.has_value());
    ASSERT(terms_.of(n) == slot->proposal->vote.view && term <= slot->proposal->vote.view);
    term = slot->proposal->vote.view;
    const Content* content = slot->content(slot->proposal->vote.digest);
    ASSERT(content != nullptr);
    const bool is_logged = slot->proposal->state != Proposal::State::waiting_for_bodies;
    ASSERT(!is_logged || content->complete);
    ASSERT(!is_logged || !waits);
    waits = !is_logged;
  }
  ASSERT(term <= term_);
  for (const Follower& follower : followers_) {
    ASSERT(role_ != Role::leader || follower.match < follower.next);
  }
}

}  // namespace baolian::consensus::raft

namespace baolian::consensus {

std::unique_ptr<Engine> make_raft_engine(const EngineConfig& config, HeaderReader header_reader,
                                         std::vector<LogRecord> log, Height executed,
                                         Hash executed_header_hash) {
  return std::make_unique<raft::RaftEngine>(config, std::move(header_reader), log, executed,
                                            executed_header_hash);
}

std::unique_ptr<Engine> make_engine(const EngineConfig& config, HeaderReader header_reader,
                                    std::vector<LogRecord> log, Height executed,
                                    Hash executed_header_hash) {
  const bool is_raft = config.epoch.consensus_kind == crypto::ConsensusKind::raft;
  return (is_raft ? make_raft_engine : make_pbft_engine)(
      config, std::move(header_reader), std::move(log), executed, executed_header_hash);
}

}  // namespace baolian::consensus
