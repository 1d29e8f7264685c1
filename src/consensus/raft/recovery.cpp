/// Restart: Raft's own records (consensus.md 3, R1).
#include <algorithm>

#include "consensus/raft/engine.h"
#include "core/seeded_bug.h"

namespace baolian::consensus::raft {

Result<void> RaftEngine::replay_own(const LogRecord& record) {
  if (record.type == RecordType::raft_term) return replay_term(record);
  if (record.type != RecordType::raft_entry) {
    return fail(Errc::log_corrupt, "a record that Raft does not write");
  }
  TRY(const Height height, replay_entry(*record.body));
  tail_.add(height, record);
  tail_.limit(at_.certified);
  return ok();
}

Result<void> RaftEngine::replay_term(const LogRecord& record) {
  TRY(const TermRecord body, decode<TermRecord>(*record.body));
  if (body.term.value == 0 || body.term.value >= kViewLimit ||
      (body.voted_for.has_value() && *body.voted_for >= validator_count())) {
    return fail(Errc::log_corrupt, "RAFT_TERM with impossible numbers");
  }
  if (body.term < term_) return ok();
  // A snapshot's copy may follow the records that it sums up: a vote that is known stays.
  if (body.term > term_ || body.voted_for.has_value()) voted_for_ = body.voted_for;
  term_ = body.term;
  at_.view = term_;
  vote_durable_ = true;
  if (voted_for_.has_value()) at_.voted_view = std::max(at_.voted_view, term_);
  tail_.keep_view(record);
  return ok();
}

/// The entry replaces what stands at its index and, if that is another one, all above it: there the
/// log was truncated. Certified heights stand each for itself.
Result<Height> RaftEngine::replay_entry(BytesView body) {
  TRY(Entry entry, decode<Entry>(body));
  const Height height = entry.vote.height;
  if (height.value == 0 || entry.vote.view.value == 0 || entry.leader >= validator_count() ||
      height.value >= kViewLimit) {
    return fail(Errc::log_corrupt, "RAFT_ENTRY with impossible numbers");
  }
  at_.voted_view = std::max(at_.voted_view, entry.vote.view);
  at_.voted_height = std::max(at_.voted_height, height);
  Slot& slot = slots_.at_or_new(height);
  if (slot.is_decided() && slot.decision->digest != entry.vote.digest) return height;
  if (slot.proposal.has_value() && slot.proposal->vote != entry.vote) {
    drop_entries(height, height > at_.certified ? terms_.last() : at_.certified);
  }
  recover_content(slot, entry.vote.digest, std::move(entry.batch), std::move(entry.bodies));
  slot.proposal = Proposal{entry.vote, entry.signature, Proposal::State::durable, entry.leader};
  terms_.set(height, entry.vote.view);
  return height;
}

/// What was executed, or signed with EXEC, is committed; the rest the next leader will say.
void RaftEngine::resume() {
  if (!is_validator()) return;
  commit_ = at_.executed;
  for (auto& [height, slot] : slots_) {
    if (slot.execution.exec.bytes != nullptr) commit_ = std::max(commit_, height);
    // A block of the log stands against an entry that was there before it.
    const bool differs = slot.is_decided() && slot.proposal.has_value() &&
                         slot.decision->digest != slot.proposal->vote.digest;
    if (differs) slot.proposal.reset();
  }
  const Slot* top = slots_.find(at_.executed);
  if (at_.executed > at_.certified && (top == nullptr || !top->proposal.has_value())) {
    base_ = at_.executed;
  }
  // Certified here, and not known whether with these entries: the blocks will come.
  drop_unproven(at_.certified);
  // What is not joined to the rest was in a log that lost its middle to a block.
  Height joined = log_floor();
  while (terms_.of(joined.next()).has_value()) ++joined;
  drop_entries(joined.next(), terms_.last());
  if (term_.value > 0) probes_.hit(Probe::restart_above_view_0);
  note_seen(last_index());
  reset_election_timer();
  decide_committed();
}

}  // namespace baolian::consensus::raft
