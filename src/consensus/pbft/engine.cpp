/// Dispatch of PBFT's own messages, and the small questions that its rules share.
#include "consensus/pbft/engine.h"

#include <string>

namespace baolian::consensus::pbft {

PbftEngine::PbftEngine(const EngineConfig& config, HeaderReader header_reader,
                       const std::vector<LogRecord>& log, Height executed,
                       Hash executed_header_hash)
    : ReplicaEngine(config, std::move(header_reader), executed, executed_header_hash),
      patience_(config.timers) {
  changing_.held.resize(validator_count());
  changing_.heard.resize(validator_count());
  at_.active = is_validator();
  recover(log);
}

Verdict PbftEngine::on_message(const Verified& message) {
  switch (message.envelope().kind) {
    case MessageKind::pre_prepare:
      return on_pre_prepare(message);
    case MessageKind::prepare:
    case MessageKind::commit:
      return on_vote(message);
    case MessageKind::suspect:
      return on_suspect(message);
    case MessageKind::view_change:
      return on_view_change(message);
    case MessageKind::new_view:
      return on_new_view(message);
    case MessageKind::exec:
    case MessageKind::status:
    case MessageKind::fetch:
    case MessageKind::reply:
    case MessageKind::request_vote:
    case MessageKind::vote_reply:
    case MessageKind::append_entries:
    case MessageKind::append_reply:
    case MessageKind::timeout_now:
      break;
  }
  return Verdict::reject(RejectReason::not_wanted);
}

void PbftEngine::on_time() {
  if (drains() && !drains_since_.has_value()) drains_since_ = patience_.request_clock();
  fetch_view_changes_if_due();
  resend_view_change_if_due();
  suspect_if_due();
}

void PbftEngine::on_peer_status(ReplicaId peer, const StatusBody& status) {
  if (peer == primary_of(at_.view) && status.view == at_.view && status.active) {
    changing_.heartbeat_at = patience_.clock();
  }
}

void PbftEngine::on_certified(Height from) {
  drains_since_.reset();
  const Height fresh_above = std::max(from, proposals_top_);
  if (at_.certified > fresh_above && at_.active &&
      patience_.on_certified(at_.certified.value - fresh_above.value, config_.epoch.log_window)) {
    probes_.hit(Probe::backoff_lowered);
  }
}

void PbftEngine::pass_time(Tick now) {
  const bool stands_still = is_validator() && window_is_committed();
  if (stands_still) probes_.hit(Probe::requests_stood_still);
  const auto requests = stands_still ? Patience::Requests::stand_still : Patience::Requests::run;
  if (patience_.tick(now, requests) == Patience::Gap::shifted) probes_.hit(Probe::timers_shifted);
}

/// VC_SENT and VIEW_ENTER belong to no height: no cut takes them away.
void PbftEngine::stage_view_record(RecordType type, Bytes body, Completion completion) {
  LogRecord record{type, std::make_shared<const Bytes>(std::move(body))};
  tail_.keep_view(record);
  stage_record(std::move(record), std::move(completion));
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
  const Height next = std::max({proposed_, at_.certified, at_.delivered, proposals_top_}).next();
  return next <= high_mark() && next <= at_.delivered + config_.epoch.in_flight_max;
}

Status PbftEngine::status() const {
  Status out = ReplicaEngine::status();
  out.view_change = changing_.sent;
  out.leader = primary_of(at_.view);
  out.is_leader = at_.active && is_primary();
  out.request_clock = patience_.request_clock();
  return out;
}

void PbftEngine::check_invariants() const {
  ReplicaEngine::check_invariants();
  if (run_.stopped) return;
  ASSERT(!at_.active || changing_.sent <= at_.view);
  ASSERT(!changing_.entering.has_value() || changing_.entering->proposals.view > at_.view);
  for (const auto& [height, slot] : slots_) {
    // I13: P contains every n > h for which COMMIT was sent.
    ASSERT(slot.own_commit.bytes == nullptr || slot.prepared.has_value());
    if (slot.prepared.has_value()) {
      ASSERT(slot.prepared->signatures.size() == quorum_);
      ASSERT(slot.content(slot.prepared->vote.digest) != nullptr);
    }
    if (slot.own_prepare.bytes != nullptr) ASSERT(slot.proposal.has_value());
  }
}

}  // namespace baolian::consensus::pbft

namespace baolian::consensus {

std::unique_ptr<Engine> make_pbft_engine(const EngineConfig& config, HeaderReader header_reader,
                                         std::vector<LogRecord> log, Height executed,
                                         Hash executed_header_hash) {
  return std::make_unique<pbft::PbftEngine>(config, std::move(header_reader), log, executed,
                                            executed_header_hash);
}

}  // namespace baolian::consensus
