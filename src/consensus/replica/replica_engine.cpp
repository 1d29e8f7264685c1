#include "consensus/replica/replica_engine.h"

#include <algorithm>
#include <string>

namespace baolian::consensus {

ReplicaEngine::ReplicaEngine(const EngineConfig& config, HeaderReader header_reader,
                             Height executed, Hash executed_header_hash)
    : config_(config),
      read_header_(std::move(header_reader)),
      quorum_(crypto::Quorum{config.epoch.validators.size()}.quorum(config.epoch.consensus_kind)) {
  ASSERT(!config_.epoch.validators.empty());
  ASSERT(config_.epoch.log_window >= 1 && config_.epoch.log_window <= kLogWindowMax);
  ASSERT(config_.epoch.in_flight_max >= 1);
  ASSERT(config_.verifier != nullptr && read_header_ != nullptr);
  ASSERT(is_validator() == (config_.signer != nullptr));
  ASSERT(!is_validator() || config_.self < validator_count());
  peers_.resize(validator_count() + config_.observer_count);
  at_.executed = executed;
  at_.executed_hash = executed_header_hash;
  at_.delivered = executed;
  ASSERT(executed >= epoch_base() && (!config_.start || config_.start->epoch == config_.epoch));
  at_.certified = epoch_base();
  at_.certifying = epoch_base();
  at_.change_known = executed;
  tail_.cut_through(epoch_base());
  if (config_.next_epoch.has_value()) {
    ending_.next = config_.next_epoch;
    ending_.last_height = Height{ending_.next->first_height.value - 1};
  }
}

/// While it is not known whether a change was fixed at some height n above change_known, A may be
/// as low as n + L + 1: so nothing above change_known + L is voted on.
Height ReplicaEngine::last_votable() const {
  if (ending_.last_height.has_value()) return *ending_.last_height;
  return at_.change_known + config_.epoch.log_window;
}

Verdict ReplicaEngine::on_protocol_reply(ReplicaId, Reply&) {
  return Verdict::reject(RejectReason::not_wanted);
}
Verdict ReplicaEngine::on_protocol_fetch(ReplicaId, const Fetch&) {
  return Verdict::reject(RejectReason::not_wanted);
}
void ReplicaEngine::before_certified_block(Slot&, const Hash&) {}
void ReplicaEngine::on_peer_status(ReplicaId, const StatusBody&) {}
Verdict ReplicaEngine::on_transfer(const TransferLeadershipInput&) {
  return Verdict::reject(RejectReason::not_wanted);
}
void ReplicaEngine::on_certified(Height) {}
void ReplicaEngine::on_window_moved(Height) {}

// ------------------------------------------------------------------ inputs

Verdict ReplicaEngine::step(Input input, Effects& effects) {
  out_.effects = &effects;
  Verdict verdict = Verdict::reject(RejectReason::stopped);
  if (!run_.stopped) {
    const Height window_end = high_mark();
    verdict = dispatch(input);
    if (run_.started && !run_.stopped && high_mark() > window_end) window_moved(window_end);
    if (run_.started && !run_.stopped) {
      serve_parked();
      if (fetch_.eager) fetch_blocks_if_due();
      finish_step();
    }
  }
  flush_staged();
  if (run_.started && !run_.stopped) end_epoch_if_due();  // the last effect of this engine
  out_.effects = nullptr;
  return verdict;
}

Verdict ReplicaEngine::dispatch(Input& input) {
  if (const auto* tick = std::get_if<TickInput>(&input)) return on_tick(*tick);
  // The first effects belong to the first tick: before it the engine has no time and no past.
  if (!run_.started) return Verdict::reject(RejectReason::not_wanted);
  if (const auto* deliver = std::get_if<DeliverInput>(&input)) return on_deliver(deliver->message);
  if (auto* propose = std::get_if<ProposeInput>(&input)) return on_propose(*propose);
  if (auto* bodies = std::get_if<BodiesInput>(&input)) return on_bodies(*bodies);
  if (const auto* bad = std::get_if<BadBodiesInput>(&input)) return on_bad_bodies(*bad);
  if (const auto* persisted = std::get_if<PersistedInput>(&input)) return on_persisted(*persisted);
  if (auto* applied = std::get_if<AppliedInput>(&input)) return on_applied(*applied);
  if (const auto* flushed = std::get_if<FlushedInput>(&input)) return on_flushed(*flushed);
  if (auto* state = std::get_if<TransferInput>(&input)) return on_state_transfer(*state);
  if (const auto* transfer = std::get_if<TransferLeadershipInput>(&input)) {
    return on_transfer(*transfer);
  }
  if (const auto* ahead = std::get_if<PeerAheadInput>(&input)) return on_peer_ahead(*ahead);
  auto* read = std::get_if<BlocksReadInput>(&input);
  ASSERT(read != nullptr);
  return on_blocks_read(*read);
}

Verdict ReplicaEngine::on_tick(const TickInput& input) {
  run_.now = std::max(run_.now, input.now);
  run_.wall = input.wall;
  run_.oldest_request = input.oldest_request;
  if (!run_.started) {
    run_.started = true;
    start();
    if (run_.stopped) return Verdict::reject(RejectReason::stopped);
  }
  pass_time(input.now);
  fetch_bodies_if_due();
  fetch_blocks_if_due();
  on_time();
  send_status_if_due();
  return Verdict::accept();
}

Verdict ReplicaEngine::on_deliver(const Verified& message) {
  if (message.from() >= peers_.size()) return Verdict::reject(RejectReason::not_member);
  if (message.from() == config_.self) return Verdict::reject(RejectReason::not_wanted);
  switch (message.envelope().kind) {
    case MessageKind::exec:
      return on_exec(message);
    case MessageKind::status:
      return on_status(message);
    case MessageKind::fetch:
      return on_fetch(message);
    case MessageKind::reply:
      return on_reply(message);
    case MessageKind::pre_prepare:
    case MessageKind::prepare:
    case MessageKind::commit:
    case MessageKind::suspect:
    case MessageKind::view_change:
    case MessageKind::new_view:
    case MessageKind::request_vote:
    case MessageKind::vote_reply:
    case MessageKind::append_entries:
    case MessageKind::append_reply:
    case MessageKind::timeout_now:
      return on_message(message);
  }
  return Verdict::reject(RejectReason::bad_content);
}

bool ReplicaEngine::wants(const Unverified& message) const {
  if (!run_.started || run_.stopped) return false;
  if (message.from() >= peers_.size() || message.from() == config_.self) return false;
  const Envelope& envelope = message.envelope();
  return envelope.kind == MessageKind::exec ? wants_exec(envelope) : wants_message(envelope);
}

Verdict ReplicaEngine::on_persisted(const PersistedInput& input) {
  const auto found = persisting_.find(input.id);
  if (found == persisting_.end()) return Verdict::reject(RejectReason::duplicate);
  const std::vector<Completion> completions = std::move(found->second);
  persisting_.erase(found);
  for (const Completion& completion : completions) {
    completion();
    if (run_.stopped) break;
  }
  return Verdict::accept();
}

Verdict ReplicaEngine::on_flushed(const FlushedInput& input) {
  const Height cut = seeded_bug(Bug::cut_at_flushed) ? std::min(at_.executed, input.height)
                                                     : std::min(at_.certified, input.height);
  if (cut <= tail_.cut() || cut < tail_.forgotten()) {
    return Verdict::reject(RejectReason::not_wanted);
  }
  tail_.cut_through(cut);
  probes_.hit(Probe::log_cut);
  out_.effects->push_back(CutLog{make_snapshot()});
  return Verdict::accept();
}

void ReplicaEngine::stage(RecordType type, Bytes body, Height height, Completion completion) {
  LogRecord record{type, std::make_shared<const Bytes>(std::move(body))};
  tail_.add(height, record);
  tail_.limit(at_.certified);
  stage_record(std::move(record), std::move(completion));
}

void ReplicaEngine::stage_record(LogRecord record, Completion completion) {
  out_.writes.push_back(std::move(record));
  out_.completions.push_back(std::move(completion));
}

/// Evidence: written like a vote, though nothing waits for it.
void ReplicaEngine::stage_kept(RecordType type, Bytes body) {
  LogRecord record{type, std::make_shared<const Bytes>(std::move(body))};
  tail_.keep_always(record);
  stage_record(std::move(record), [] {});
}

void ReplicaEngine::flush_staged() {
  if (run_.stopped) {
    // N7: nothing more leaves. What was issued before may still become durable; that is harmless.
    out_.writes.clear();
    out_.sends.clear();
    out_.completions.clear();
    return;
  }
  ASSERT(out_.sends.empty() || !out_.writes.empty());
  if (out_.writes.empty()) return;
  const PersistId id = run_.next_persist;
  ++run_.next_persist;
  persisting_.emplace(id, std::exchange(out_.completions, {}));
  out_.effects->push_back(
      Persist{id, std::exchange(out_.writes, {}), std::exchange(out_.sends, {})});
}

void ReplicaEngine::stop(Stop::Kind kind, std::string reason) {
  if (run_.stopped) return;
  run_.stopped = true;
  at_.active = false;
  if (!run_.log_error.has_value() && !run_.stopped_before.has_value()) {
    LogRecord record{RecordType::stopped,
                     std::make_shared<const Bytes>(encode(Stopped{kind, reason}))};
    persisting_.emplace(run_.next_persist, std::vector<Completion>{});
    out_.effects->push_back(Persist{run_.next_persist, {std::move(record)}, {}});
    ++run_.next_persist;
  }
  out_.effects->push_back(Stop{kind, std::move(reason)});
}

Verdict ReplicaEngine::malformed(ReplicaId from, const Error& error) {
  out_.effects->push_back(BanPeer{from, error.context});
  return Verdict::reject(RejectReason::bad_content);
}

SharedBytes ReplicaEngine::make_message(MessageKind kind, Bytes body,
                                        const Signature& signature) const {
  return make_envelope(kind, config_.epoch.epoch, config_.self, std::move(body), signature);
}

OwnMessage ReplicaEngine::sign_message(MessageKind kind, crypto::ObjectType type,
                                       Bytes body) const {
  ASSERT(is_validator() && !run_.stopped);
  OwnMessage out;
  out.signature = config_.signer->sign_object(type, config_.chain_id, config_.epoch.epoch,
                                              crypto::sha256(body));
  out.bytes = make_message(kind, std::move(body), out.signature);
  return out;
}

void ReplicaEngine::send(std::optional<ReplicaId> to, MessageClass message_class,
                         SharedBytes bytes) {
  ASSERT(bytes != nullptr);
  out_.effects->push_back(Send{to, message_class, std::move(bytes)});
}

void ReplicaEngine::keep_evidence(Evidence evidence) {
  for (const Evidence& kept : evidence_) {
    if (kept.signer == evidence.signer && kept.type == evidence.type) return;
  }
  probes_.hit(Probe::equivocation_seen);
  stage_kept(RecordType::contradiction, encode(evidence));
  evidence_.push_back(std::move(evidence));
}

/// Drops what no rule needs any more (N6): heights at or below min(h, executed), and those so far
/// above the executed height that they will come again as certified blocks. Not what the own log
/// has of them: if all lost what they had not flushed, nobody else could bring it.
void ReplicaEngine::prune() {
  slots_.erase_through(low_mark());
  slots_.erase_between(at_.executed + keep_ahead() + 1, at_.certified);
}

void ReplicaEngine::count_own(OwnMessage& message, VoteTable& votes, const Hash& digest, View view,
                              Height height) {
  ASSERT(message.bytes != nullptr);
  message.durable = true;
  at_.voted_view = std::max(at_.voted_view, view);
  at_.voted_height = std::max(at_.voted_height, height);
  votes.store(config_.self, validator_count(), digest, message.signature);
}

Status ReplicaEngine::status() const {
  Status out;
  out.epoch = config_.epoch.epoch;
  out.view = at_.view;
  out.active = at_.active;
  out.stopped = run_.stopped;
  out.certified = at_.certified;
  out.executed = at_.executed;
  out.highest_seen = at_.highest_seen;
  out.voted_view = at_.voted_view;
  out.voted_height = at_.voted_height;
  if (at_.certified < ending_.last_height.value_or(Height{})) out.epoch_last = ending_.last_height;
  out.request_clock = run_.now;
  out.silent = config_.silent;
  return out;
}

void ReplicaEngine::check_invariants() const {
  if (run_.stopped) return;  // it stands as it was found, for the inquiry
  ASSERT(at_.executed <= at_.delivered);
  ASSERT(at_.view.value < kViewLimit);
  const auto recovered = std::count_if(slots_.begin(), slots_.end(), [this](const auto& at) {
    return at.first > at_.executed + keep_ahead() && at.first <= at_.certified;
  });
  ASSERT(slots_.size() - static_cast<std::size_t>(recovered) <=
         2 * keep_ahead() + config_.epoch.log_window);
  if (newest_certificate_ != nullptr) {
    ASSERT(newest_certificate_->certificate.vote.height == at_.certified);
    ASSERT(newest_certificate_->certificate.signatures.size() >= quorum_);
  }
  for (const auto& [height, slot] : slots_) {
    ASSERT(slot.height == height && height > low_mark());
    if (slot.is_decided_at_least(Decision::State::logged)) {
      const Content* content = slot.content(slot.decision->digest);
      ASSERT(content != nullptr && content->complete);
    }
  }
}

}  // namespace baolian::consensus
