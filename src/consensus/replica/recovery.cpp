/// Restart: the state is rebuilt from the log, stored bytes are sent again, nothing is signed anew
/// (consensus.md 1.7). And the SNAPSHOT with which the log can be cut.
#include <algorithm>

#include "consensus/replica/replica_engine.h"

namespace baolian::consensus {

/// Construction ends with it: the derived engine stands.
void ReplicaEngine::recover(const std::vector<LogRecord>& log) {
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

Result<void> ReplicaEngine::replay(const LogRecord& record) {
  ASSERT(record.body != nullptr);
  if (record.type == RecordType::boot || record.type == RecordType::epoch) {
    return ok();  // the driver's
  }
  if (record.type == RecordType::snapshot) return replay_snapshot(*record.body);
  if (record.type == RecordType::contradiction || record.type == RecordType::stopped) {
    return replay_kept(record);
  }
  Height height;
  if (record.type == RecordType::exec_sent) {
    TRY(height, replay_exec_sent(*record.body));
  } else if (record.type == RecordType::exec_cert) {
    TRY(height, replay_exec_cert(*record.body));
  } else if (record.type == RecordType::block) {
    TRY(height, replay_block(*record.body));
  } else {
    return replay_own(record);
  }
  tail_.add(height, record);
  tail_.limit(at_.certified);
  return ok();
}

Result<void> ReplicaEngine::replay_snapshot(BytesView body) {
  TRY(Snapshot snapshot, decode<Snapshot>(body));
  if (snapshot.epoch != config_.start) {
    return fail(Errc::log_corrupt, "a snapshot of another epoch than the records around it");
  }
  TRY(replay_snapshot_fields(snapshot));
  at_.voted_view = std::max(at_.voted_view, snapshot.voted_view);
  at_.voted_height = std::max(at_.voted_height, snapshot.voted_height);
  if (snapshot.certified.has_value()) {
    auto certified = std::make_shared<CertifiedHeader>();
    certified->certificate = std::move(snapshot.certified->certificate);
    certified->header = std::move(snapshot.certified->header);
    recover_certified(certified);
  }
  for (SnapshotEntry& entry : snapshot.entries) {
    if (entry.type == RecordType::snapshot) {
      return fail(Errc::log_corrupt, "a snapshot inside a snapshot");
    }
    TRY(replay(LogRecord{entry.type, std::make_shared<const Bytes>(std::move(entry.body))}));
  }
  return ok();
}

Result<void> ReplicaEngine::replay_kept(const LogRecord& record) {
  if (record.type == RecordType::stopped) {
    TRY(run_.stopped_before, decode<Stopped>(*record.body));
  } else {
    TRY(Evidence evidence, decode<Evidence>(*record.body));
    for (const Evidence& kept : evidence_) {
      if (kept.signer == evidence.signer && kept.type == evidence.type) return ok();
    }
    evidence_.push_back(std::move(evidence));
  }
  tail_.keep_always(record);
  return ok();
}

/// An own vote as it was sent, with its signature.
Result<OwnMessage> ReplicaEngine::own_message(Bytes bytes) const {
  TRY(const Envelope envelope, decode<Envelope>(bytes));
  if (envelope.sender != config_.self) {
    return fail(Errc::log_corrupt, "the log holds votes of another validator");
  }
  OwnMessage out;
  out.signature = envelope.signature;
  out.bytes = std::make_shared<const Bytes>(std::move(bytes));
  out.durable = true;
  return out;
}

Content& ReplicaEngine::recover_content(Slot& slot, const Hash& digest, Bytes&& batch,
                                        std::vector<Bytes>&& bodies) {
  Content& content = slot.content_or_new(digest);
  if (content.complete) return content;
  if (!batch.empty()) {
    Result<Batch> decoded = decode<Batch>(batch);
    if (decoded.has_value()) content.transactions = std::move(decoded->transactions);
    content.batch = std::make_shared<const Bytes>(std::move(batch));
  }
  content.bodies = share_all(std::move(bodies));
  content.complete = true;
  content.logged = true;
  return content;
}

Result<Height> ReplicaEngine::replay_exec_sent(BytesView body) {
  TRY(ExecSent record, decode<ExecSent>(body));
  Slot& slot = slots_.at_or_new(record.vote.height);
  TRY(slot.execution.exec, own_message(std::move(record.message)));
  slot.execution.header_hash = record.vote.header_hash;
  slot.execs.store(config_.self, validator_count(), record.vote.header_hash,
                   slot.execution.exec.signature);
  at_.voted_height = std::max(at_.voted_height, record.vote.height);
  return record.vote.height;
}

Result<Height> ReplicaEngine::replay_exec_cert(BytesView body) {
  TRY(ExecCert record, decode<ExecCert>(body));
  auto certified = std::make_shared<CertifiedHeader>();
  certified->certificate = std::move(record.certificate);
  certified->header = std::move(record.header);
  const Height height = certified->certificate.vote.height;
  recover_certified(certified);
  return height;
}

Result<Height> ReplicaEngine::replay_block(BytesView body) {
  TRY(SyncBlock block, decode<SyncBlock>(body));
  TRY(const HeaderFacts facts, read_header_(block.header));
  Slot& slot = slots_.at_or_new(facts.height);
  recover_content(slot, facts.batch_digest, std::move(block.batch), std::move(block.bodies));
  if (!slot.is_decided()) {
    slot.decision = Decision{facts.batch_digest, std::nullopt, Decision::State::durable};
  }
  slot.execution.certified_hash = facts.header_hash;
  auto certified = std::make_shared<CertifiedHeader>();
  certified->certificate = std::move(block.certificate);
  certified->header =
      block.later_headers.empty() ? std::move(block.header) : std::move(block.later_headers.back());
  recover_certified(certified);
  return facts.height;
}

void ReplicaEngine::recover_certified(const SharedCertificate& certificate) {
  const crypto::ExecVote& vote = certificate->certificate.vote;
  if (vote.height <= at_.executed) {
    run_.recovered.push_back(certificate->certificate);
  } else {
    const bool is_near = vote.height <= at_.executed + keep_ahead();
    if (Slot* slot = is_near ? &slots_.at_or_new(vote.height) : slots_.find(vote.height)) {
      slot->execution.certified_hash = vote.header_hash;
      slot->execution.certificate = certificate;
      slot->execution.certificate_durable = true;
    }
  }
  if (!certificate->header.empty()) note_certified_header(certificate->header);
  at_.certifying = std::max(at_.certifying, vote.height);
  if (vote.height <= at_.certified) return;
  at_.certified = vote.height;
  newest_certificate_ = certificate;
}

/// With the first tick: what was certified is announced again (the store may have lost it), what is
/// decided above the store's height is executed again, and stored votes are sent again.
void ReplicaEngine::start() {
  if (run_.log_error.has_value()) {
    return stop(Stop::Kind::halt,
                "the consensus log cannot be replayed: " + run_.log_error->context);
  }
  if (run_.stopped_before.has_value()) {
    return stop(run_.stopped_before->kind,
                "stopped in an earlier run: " + run_.stopped_before->reason);
  }
  for (crypto::ExecCertificate& certificate : run_.recovered) {
    out_.effects->push_back(Certified{std::move(certificate)});
  }
  run_.recovered.clear();
  if (at_.executed > at_.certified && !at_.executed_hash.is_zero()) {
    Slot& slot = slots_.at_or_new(at_.executed);
    if (slot.execution.header_hash.has_value() && slot.execution.header_hash != at_.executed_hash) {
      return stop(Stop::Kind::diverged, "the store holds another header than the one signed");
    }
    slot.execution.header_hash = at_.executed_hash;
  }
  resume();
  for (auto& [height, slot] : slots_) {
    if (!is_validator() || run_.stopped) break;
    if (height <= at_.certified) continue;
    if (slot.execution.exec.durable) {
      send(std::nullopt, MessageClass::vote, slot.execution.exec.bytes);
    }
    send_exec(slot);
    check_exec_certificate(slot);
  }
  deliver();
}

/// Everything a restart needs that older segments hold, including what was issued but is not yet
/// durable: the snapshot follows it in the same log.
LogRecord ReplicaEngine::make_snapshot() const {
  Snapshot snapshot;
  snapshot.epoch = config_.start;
  fill_snapshot(snapshot);
  snapshot.voted_view = at_.voted_view;
  snapshot.voted_height = at_.voted_height;
  if (newest_certificate_ != nullptr) {
    snapshot.certified = ExecCert{newest_certificate_->header, newest_certificate_->certificate};
  }
  for (const LogRecord& record : tail_.records()) {
    snapshot.entries.push_back(SnapshotEntry{record.type, *record.body});
  }
  return LogRecord{RecordType::snapshot, std::make_shared<const Bytes>(encode(snapshot))};
}

}  // namespace baolian::consensus
