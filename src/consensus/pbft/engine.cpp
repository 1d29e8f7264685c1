/// Dispatch of inputs, durability, and the small questions that all rules share.
#include "consensus/pbft/engine.h"

#include <string>

namespace baolian::consensus::pbft {

PbftEngine::PbftEngine(const EngineConfig& config, HeaderReader header_reader,
                       std::vector<LogRecord> log, Height executed, Hash executed_header_hash)
    : config_(config),
      read_header_(std::move(header_reader)),
      quorum_(crypto::Quorum{config.epoch.validators.size()}.quorum(config.epoch.consensus_kind)),
      patience_(config.timers) {
  ASSERT(!config_.epoch.validators.empty());
  ASSERT(config_.epoch.log_window >= 1 && config_.epoch.log_window <= kLogWindowMax);
  ASSERT(config_.epoch.in_flight_max >= 1);
  ASSERT(config_.verifier != nullptr && read_header_ != nullptr);
  ASSERT(is_validator() == (config_.signer != nullptr));
  ASSERT(!is_validator() || config_.self < validator_count());
  peers_.resize(validator_count() + config_.observer_count);
  changing_.held.resize(validator_count());
  changing_.heard.resize(validator_count());
  at_.active = is_validator();
  at_.executed = executed;
  at_.executed_hash = executed_header_hash;
  at_.delivered = executed;
  for (const LogRecord& record : log) {
    const Result<void> replayed = replay(record);
    if (replayed.has_value()) continue;
    run_.log_error = replayed.error();
    return;
  }
  prune();
  note_seen(std::max(at_.certified, at_.executed));
  for (const auto& [height, slot] : slots_) note_seen(height);
}

Verdict PbftEngine::step(Input input, Effects& effects) {
  out_.effects = &effects;
  Verdict verdict = Verdict::reject(RejectReason::stopped);
  if (!run_.stopped) {
    verdict = dispatch(input);
    if (run_.started && !run_.stopped) {
      serve_parked();
      if (fetch_.eager) fetch_blocks_if_due();
    }
  }
  flush_staged();
  out_.effects = nullptr;
  return verdict;
}

Verdict PbftEngine::dispatch(Input& input) {
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
  if (const auto* state = std::get_if<StateInstalledInput>(&input))
    return on_state_installed(*state);
  auto* read = std::get_if<BlocksReadInput>(&input);
  ASSERT(read != nullptr);
  return on_blocks_read(*read);
}

Verdict PbftEngine::on_tick(const TickInput& input) {
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
  fetch_view_changes_if_due();
  resend_view_change_if_due();
  suspect_if_due();
  send_status_if_due();
  return Verdict::accept();
}

void PbftEngine::pass_time(Tick now) {
  const bool stands_still = is_validator() && window_is_committed();
  if (stands_still) probes_.hit(Probe::requests_stood_still);
  const auto requests = stands_still ? Patience::Requests::stand_still : Patience::Requests::run;
  if (patience_.tick(now, requests) == Patience::Gap::shifted) probes_.hit(Probe::timers_shifted);
}

Verdict PbftEngine::on_deliver(const Verified& message) {
  if (message.from() >= peers_.size()) return Verdict::reject(RejectReason::not_member);
  if (message.from() == config_.self) return Verdict::reject(RejectReason::not_wanted);
  switch (message.envelope().kind) {
    case MessageKind::pre_prepare:
      return on_pre_prepare(message);
    case MessageKind::prepare:
    case MessageKind::commit:
      return on_vote(message);
    case MessageKind::exec:
      return on_exec(message);
    case MessageKind::status:
      return on_status(message);
    case MessageKind::fetch:
      return on_fetch(message);
    case MessageKind::reply:
      return on_reply(message);
    case MessageKind::suspect:
      return on_suspect(message);
    case MessageKind::view_change:
      return on_view_change(message);
    case MessageKind::new_view:
      return on_new_view(message);
  }
  return Verdict::reject(RejectReason::bad_content);
}

Verdict PbftEngine::on_persisted(const PersistedInput& input) {
  const auto found = persisting_.find(input.id);
  if (found == persisting_.end()) return Verdict::reject(RejectReason::duplicate);
  const std::vector<Durable> completions = std::move(found->second);
  persisting_.erase(found);
  for (const Durable& durable : completions) {
    complete(durable);
    if (run_.stopped) break;
  }
  return Verdict::accept();
}

void PbftEngine::complete(const Durable& durable) {
  Slot* slot = slots_.find(durable.height);
  const auto own = [&](OwnMessage& message, VoteTable& votes, const Hash& digest) {
    ASSERT(message.bytes != nullptr);
    message.durable = true;
    at_.voted_view = std::max(at_.voted_view, durable.view);
    at_.voted_height = std::max(at_.voted_height, durable.height);
    votes.store(config_.self, validator_count(), digest, message.signature);
  };
  switch (durable.kind) {
    case Durable::Kind::accepted:
      if (slot == nullptr || slot->own_prepare.bytes == nullptr) return;
      if (durable.view != at_.view) return;
      ASSERT(slot->proposal.has_value() && slot->proposal->vote.view == durable.view);
      slot->proposal->state = Proposal::State::durable;
      own(slot->own_prepare, slot->prepares[0], slot->proposal->vote.digest);
      return check_prepared(*slot);
    case Durable::Kind::prepared:
      if (slot == nullptr || slot->own_commit.bytes == nullptr) return;
      if (durable.view != at_.view) return;
      ASSERT(slot->is_prepared_in(durable.view));
      own(slot->own_commit, slot->commits[0], slot->prepared->vote.digest);
      return check_committed(*slot);
    case Durable::Kind::decided:
      if (slot != nullptr && slot->is_decided_at_least(Decision::State::logged)) {
        slot->decision->state = Decision::State::durable;
      }
      if (durable.certificate != nullptr) advance_certified(durable.certificate);
      slot = slots_.find(durable.height);  // advancing may have pruned it
      if (slot != nullptr && !run_.stopped) send_exec(*slot);
      return;
    case Durable::Kind::exec_sent:
      if (slot == nullptr || slot->execution.exec.bytes == nullptr) return;
      own(slot->execution.exec, slot->execs, *slot->execution.header_hash);
      return check_exec_certificate(*slot);
    case Durable::Kind::certified:
      return advance_certified(durable.certificate);
    case Durable::Kind::view_change_sent:
      return on_view_change_durable(durable);
    case Durable::Kind::view_entered:
      return finish_entering(durable.view);
    case Durable::Kind::noted:
      return;
  }
}

Verdict PbftEngine::on_flushed(const FlushedInput& input) {
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

void PbftEngine::stage(RecordType type, Bytes body, Durable durable) {
  LogRecord record{type, std::make_shared<const Bytes>(std::move(body))};
  tail_.add(durable.height, record);
  tail_.limit(at_.certified);
  out_.writes.push_back(std::move(record));
  out_.completions.push_back(std::move(durable));
}

/// VC_SENT and VIEW_ENTER belong to no height: no cut takes them away.
void PbftEngine::stage_view_record(RecordType type, Bytes body, Durable durable) {
  LogRecord record{type, std::make_shared<const Bytes>(std::move(body))};
  tail_.keep_view(record);
  out_.writes.push_back(std::move(record));
  out_.completions.push_back(std::move(durable));
}

/// Evidence: written like a vote, though nothing waits for it.
void PbftEngine::stage_kept(RecordType type, Bytes body) {
  LogRecord record{type, std::make_shared<const Bytes>(std::move(body))};
  tail_.keep_always(record);
  out_.writes.push_back(std::move(record));
  out_.completions.push_back(Durable{Durable::Kind::noted, {}, at_.view});
}

void PbftEngine::flush_staged() {
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

void PbftEngine::stop(Stop::Kind kind, std::string reason) {
  if (run_.stopped) return;
  run_.stopped = true;
  at_.active = false;
  if (!run_.log_error.has_value() && !run_.stopped_before.has_value()) {
    LogRecord record{RecordType::stopped,
                     std::make_shared<const Bytes>(encode(Stopped{kind, reason}))};
    persisting_.emplace(run_.next_persist, std::vector<Durable>{});
    out_.effects->push_back(Persist{run_.next_persist, {std::move(record)}, {}});
    ++run_.next_persist;
  }
  out_.effects->push_back(Stop{kind, std::move(reason)});
}

Verdict PbftEngine::malformed(ReplicaId from, const Error& error) {
  out_.effects->push_back(BanPeer{from, error.context});
  return Verdict::reject(RejectReason::bad_content);
}

SharedBytes PbftEngine::make_message(MessageKind kind, Bytes body,
                                     const Signature& signature) const {
  Envelope envelope;
  envelope.kind = kind;
  envelope.epoch = config_.epoch.epoch;
  envelope.sender = config_.self;
  envelope.body = std::move(body);
  envelope.signature = signature;
  return std::make_shared<const Bytes>(encode(envelope));
}

OwnMessage PbftEngine::sign_message(MessageKind kind, crypto::ObjectType type, Bytes body) const {
  ASSERT(is_validator() && !run_.stopped);
  OwnMessage out;
  out.signature = config_.signer->sign_object(type, config_.chain_id, config_.epoch.epoch,
                                              crypto::sha256(body));
  out.bytes = make_message(kind, std::move(body), out.signature);
  return out;
}

void PbftEngine::send(std::optional<ReplicaId> to, MessageClass message_class, SharedBytes bytes) {
  ASSERT(bytes != nullptr);
  out_.effects->push_back(Send{to, message_class, std::move(bytes)});
}

void PbftEngine::keep_evidence(Evidence evidence) {
  for (const Evidence& kept : evidence_) {
    if (kept.signer == evidence.signer && kept.type == evidence.type) return;
  }
  probes_.hit(Probe::equivocation_seen);
  stage_kept(RecordType::contradiction, encode(evidence));
  evidence_.push_back(std::move(evidence));
}

/// A primary opens a view once: two NEW-VIEWs that differ are a contradiction.
void PbftEngine::keep_if_second_new_view(const Envelope& envelope, const SharedBytes& first) {
  if (first == nullptr) return;
  const Result<Envelope> known = decode<Envelope>(*first);
  ASSERT(known.has_value());
  if (known->sender != envelope.sender || known->body == envelope.body) return;
  keep_evidence(Evidence{crypto::ObjectType::new_view, envelope.epoch, envelope.sender, known->body,
                         envelope.body, known->signature, envelope.signature});
}

ValidatorIndex PbftEngine::primary_of(View view) const {
  return static_cast<ValidatorIndex>(view.value % validator_count());
}

bool PbftEngine::is_primary() const {
  return is_validator() && primary_of(at_.view) == config_.self;
}

bool PbftEngine::can_propose() const {
  if (!run_.started || run_.stopped || !at_.active || !is_primary()) return false;
  const Height next =
      std::max({at_.proposed, at_.certified, at_.delivered, at_.proposals_top}).next();
  return next <= high_mark() && next <= at_.delivered + config_.epoch.in_flight_max;
}

Status PbftEngine::status() const {
  Status out;
  out.epoch = config_.epoch.epoch;
  out.view = at_.view;
  out.active = at_.active;
  out.view_change = changing_.sent;
  out.stopped = run_.stopped;
  out.leader = primary_of(at_.view);
  out.is_leader = at_.active && is_primary();
  out.certified = at_.certified;
  out.executed = at_.executed;
  out.highest_seen = at_.highest_seen;
  out.voted_view = at_.voted_view;
  out.voted_height = at_.voted_height;
  out.request_clock = patience_.request_clock();
  return out;
}

/// Drops what no rule needs any more (N6): heights at or below min(h, executed), and those so far
/// above the executed height that they will come again as certified blocks.
void PbftEngine::prune() {
  slots_.erase_through(low_mark());
  slots_.erase_between(at_.executed + keep_ahead() + 1, at_.certified);
}

void PbftEngine::check_invariants() const {
  if (run_.stopped) return;  // it stands as it was found, for the inquiry
  ASSERT(at_.executed <= at_.delivered);
  ASSERT(at_.view.value < kViewLimit);
  ASSERT(!at_.active || changing_.sent <= at_.view);
  ASSERT(!changing_.entering.has_value() || changing_.entering->proposals.view > at_.view);
  ASSERT(slots_.size() <= 2 * keep_ahead() + config_.epoch.log_window);
  if (newest_certificate_ != nullptr) {
    ASSERT(newest_certificate_->certificate.vote.height == at_.certified);
    ASSERT(newest_certificate_->certificate.signatures.size() >= quorum_);
  }
  for (const auto& [height, slot] : slots_) {
    ASSERT(slot.height == height && height > low_mark());
    // I13: P contains every n > h for which COMMIT was sent.
    ASSERT(slot.own_commit.bytes == nullptr || slot.prepared.has_value());
    if (slot.prepared.has_value()) {
      ASSERT(slot.prepared->signatures.size() == quorum_);
      ASSERT(slot.content(slot.prepared->vote.digest) != nullptr);
    }
    if (slot.own_prepare.bytes != nullptr) ASSERT(slot.proposal.has_value());
    if (slot.is_decided_at_least(Decision::State::logged)) {
      const Content* content = slot.content(slot.decision->digest);
      ASSERT(content != nullptr && content->complete);
    }
  }
}

}  // namespace baolian::consensus::pbft

namespace baolian::consensus {

std::unique_ptr<Engine> make_pbft_engine(const EngineConfig& config, HeaderReader header_reader,
                                         std::vector<LogRecord> log, Height executed,
                                         Hash executed_header_hash) {
  return std::make_unique<pbft::PbftEngine>(config, std::move(header_reader), std::move(log),
                                            executed, executed_header_hash);
}

}  // namespace baolian::consensus
