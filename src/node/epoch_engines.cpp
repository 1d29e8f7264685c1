#include "node/epoch_engines.h"

#include <algorithm>
#include <string>

#include "consensus/records.h"
#include "core/assert.h"
#include "node/header_reader.h"

namespace baolian::node {

using consensus::EpochStart;
using consensus::LogRecord;
using consensus::RecordType;

EpochEngines::EpochEngines(const consensus::EngineConfig& config,
                           std::unique_ptr<consensus::Engine> engine)
    : epoch_(config.epoch), engine_(std::move(engine)), self_replica_(config.self) {
  config_.engine = config;
  config_.self = config.self;
  const std::size_t nodes = epoch_.validators.size() + config.observer_count;
  for (std::size_t i = 0; i < nodes; ++i) {
    replica_of_.push_back(static_cast<ReplicaId>(i));
    node_of_.push_back(static_cast<ReplicaId>(i));
  }
}

/// The log by epochs: everything behind an EPOCH record, or a SNAPSHOT of a later epoch, is of that
/// epoch.
Result<std::vector<EpochEngines::Part>> EpochEngines::split(std::vector<LogRecord> log) {
  std::vector<Part> parts;
  for (LogRecord& record : log) {
    if (record.type == RecordType::epoch) {
      TRY(EpochStart start, decode<EpochStart>(*record.body));
      parts.push_back({std::move(start), {}});
      continue;
    }
    if (record.type == RecordType::snapshot) {
      TRY(consensus::Snapshot snapshot, decode<consensus::Snapshot>(*record.body));
      const bool is_later =
          snapshot.epoch.has_value() && (parts.empty() || parts.back().start != snapshot.epoch);
      if (is_later) parts.push_back({std::move(snapshot.epoch), {}});
    }
    if (parts.empty()) parts.emplace_back();  // of the genesis
    parts.back().records.push_back(std::move(record));
  }
  return parts;
}

EpochEngines::Recovered EpochEngines::recovered_from(const ledger::Chain& chain,
                                                     std::vector<LogRecord> log) {
  Recovered out;
  out.log = std::move(log);
  out.executed = chain.height();
  out.executed_header_hash = ledger::header_hash(*chain.header(out.executed));
  for (Epoch number = chain.genesis().epoch.epoch; auto record = chain.epoch(number);
       number = number.next()) {
    const Height last{record->first_height.value - 1};
    if (!out.epochs.empty() && last <= out.executed) {
      auto certificate = chain.certificate(last);
      if (certificate) {
        out.starts.push_back({*record, encode(*chain.header(last)), *std::move(certificate)});
      }
    }
    out.epochs.push_back(*std::move(record));
  }
  return out;
}

Result<EpochEngines> EpochEngines::recover(Config config, Recovered recovered) {
  ASSERT(!recovered.epochs.empty());
  EpochEngines out;
  out.config_ = std::move(config);
  TRY(std::vector<Part> parts, split(std::move(recovered.log)));
  const Height next = recovered.executed.next();
  const auto has_begun = [&](const crypto::EpochRecord& one) { return one.first_height <= next; };
  const auto pending =
      std::find_if_not(recovered.epochs.begin(), recovered.epochs.end(), has_begun);
  ASSERT(pending != recovered.epochs.begin());
  for (const EpochStart& start : recovered.starts) {
    const auto index = static_cast<std::size_t>(start.epoch.epoch.value);
    ASSERT(index >= 1 && index < recovered.epochs.size());
    out.remember(recovered.epochs[index - 1], start);
  }
  auto present = std::prev(pending);
  const auto start_of = [&](const crypto::EpochRecord& epoch) {
    return std::find_if(recovered.starts.begin(), recovered.starts.end(),
                        [&](const EpochStart& one) { return one.epoch == epoch; });
  };
  const auto is_logged = [&](const crypto::EpochRecord& epoch) {
    return std::any_of(parts.begin(), parts.end(),
                       [&](const Part& part) { return part.epoch() == epoch.epoch; });
  };
  // Its last block is executed, but the certificate with which the next epoch begins is still on
  // the way.
  const bool can_begin = present == recovered.epochs.begin() ||
                         start_of(*present) != recovered.starts.end() || is_logged(*present);
  const bool is_unknown = !can_begin && recovered.executed >= present->first_height;
  if (!can_begin) --present;
  Beginning beginning;
  beginning.executed = recovered.executed;
  beginning.executed_header_hash = recovered.executed_header_hash;
  std::optional<Part> part = out.take_part(std::move(parts), present->epoch);
  if (part.has_value()) {
    beginning.part = *std::move(part);
  } else if (present != recovered.epochs.begin()) {
    const auto start = start_of(*present);
    if (start == recovered.starts.end() || is_unknown) {
      return fail(Errc::log_corrupt, "the consensus log says nothing of epoch " +
                                         std::to_string(present->epoch.value) +
                                         ", in which the store stands");
    }
    beginning.part.start = *start;
  }
  const auto& start = beginning.part.start;
  if (start.has_value() && start->epoch != *present) {
    return fail(Errc::log_corrupt, "the consensus log holds another epoch " +
                                       std::to_string(present->epoch.value) + " than the store");
  }
  // The store may have lost the certificate that the log has.
  if (start.has_value()) out.remember(*std::prev(present), *start);
  out.silence_if_left(beginning, present->epoch);
  if (!part.has_value() && !beginning.silent && start.has_value()) {
    out.opening_ = opening_of(*start);
  }
  if (std::next(present) != recovered.epochs.end()) beginning.pending = *std::next(present);
  out.start_engine(std::move(beginning), *present);
  return out;
}

/// Of an epoch that the log has left it may know nothing but the end, which peers may lack.
void EpochEngines::silence_if_left(Beginning& beginning, Epoch epoch) const {
  beginning.silent = is_replaying();
  if (later_.empty() || later_.front().epoch() != epoch.next()) return;
  const std::optional<EpochStart>& next = later_.front().start;
  ASSERT(next.has_value());
  const consensus::ExecCert end{next->header, next->certificate};
  beginning.part.records.push_back(
      {RecordType::exec_cert, std::make_shared<const Bytes>(encode(end))});
}

std::optional<EpochEngines::Part> EpochEngines::take_part(std::vector<Part> parts, Epoch epoch) {
  std::optional<Part> out;
  for (Part& part : parts) {
    if (part.epoch() == epoch)
      out = std::move(part);
    else if (part.epoch() > epoch)
      later_.push_back(std::move(part));
  }
  return out;
}

LogRecord EpochEngines::opening_of(const EpochStart& start) {
  return {RecordType::epoch, std::make_shared<const Bytes>(encode(start))};
}

EpochEngines::Names EpochEngines::names_in(const crypto::EpochRecord& epoch) const {
  Names out;
  out.replica_of.resize(config_.nodes.size());
  std::vector<std::pair<PublicKey, ReplicaId>> observers;
  out.node_of.resize(epoch.validators.size());
  for (std::size_t i = 0; i < config_.nodes.size(); ++i) {
    const auto node = static_cast<ReplicaId>(i);
    const auto index = crypto::validator_index(epoch, config_.nodes[i]);
    if (!index.has_value()) {
      observers.emplace_back(config_.nodes[i], node);
      continue;
    }
    out.replica_of[i] = *index;
    out.node_of[*index] = node;
    if (node == config_.self) out.self = *index;
  }
  std::sort(observers.begin(), observers.end());
  for (const auto& [key, node] : observers) {
    out.replica_of[node] = static_cast<ReplicaId>(out.node_of.size());
    out.node_of.push_back(node);
  }
  return out;
}

void EpochEngines::start_engine(Beginning beginning, const crypto::EpochRecord& epoch) {
  Names names = names_in(epoch);
  consensus::EngineConfig engine = config_.engine;
  engine.epoch = epoch;
  engine.self = names.self;
  engine.silent = beginning.silent;
  const bool votes = names.self != consensus::kObserver && !engine.silent;
  engine.signer = votes ? config_.signer : nullptr;
  engine.observer_count = config_.nodes.size() - epoch.validators.size();
  if (beginning.part.start.has_value()) start_certificate_ = beginning.part.start->certificate;
  engine.start = std::move(beginning.part.start);
  engine.next_epoch = std::move(beginning.pending);
  engine_ = consensus::make_engine(engine, header_reader(), std::move(beginning.part.records),
                                   beginning.executed, beginning.executed_header_hash);
  epoch_ = epoch;
  self_replica_ = names.self;
  other_validators_.clear();
  for (std::size_t i = 0; i < epoch.validators.size(); ++i) {
    if (names.node_of[i] != config_.self) other_validators_.push_back(names.node_of[i]);
  }
  replica_of_ = std::move(names.replica_of);
  node_of_ = std::move(names.node_of);
}

void EpochEngines::remember(const crypto::EpochRecord& ended, const EpochStart& next) {
  Names names = names_in(ended);
  past_.insert_or_assign(ended.epoch, Past{consensus::PastEpoch(ended, names.self, next),
                                           std::move(names.replica_of), std::move(names.node_of)});
}

Result<void> EpochEngines::begin(EpochStart next) {
  ASSERT(next.epoch.epoch == epoch_.epoch.next() && !opening_.has_value());
  remember(epoch_, next);
  const crypto::EpochRecord epoch = next.epoch;
  const crypto::ExecVote last = next.certificate.vote;
  Beginning beginning{{}, last.height, last.header_hash};
  if (later_.empty()) {
    opening_ = opening_of(next);
    beginning.part.start = std::move(next);
  } else if (later_.front().epoch() > epoch.epoch) {
    beginning.part.start = std::move(next);
  } else {
    beginning.part = std::move(later_.front());
    later_.erase(later_.begin());
    if (!beginning.part.start.has_value() || beginning.part.start->epoch != epoch) {
      return fail(Errc::log_corrupt, "the consensus log holds another epoch " +
                                         std::to_string(epoch.epoch.value) +
                                         " than the chain made");
    }
  }
  silence_if_left(beginning, epoch.epoch);
  start_engine(std::move(beginning), epoch);
  return ok();
}

std::optional<LogRecord> EpochEngines::take_opening() {
  return std::exchange(opening_, std::nullopt);
}

std::optional<crypto::ExecCertificate> EpochEngines::take_start_certificate() {
  return std::exchange(start_certificate_, std::nullopt);
}

EpochEngines::Past* EpochEngines::past(Epoch epoch) {
  const auto found = past_.find(epoch);
  return found == past_.end() ? nullptr : &found->second;
}

}  // namespace baolian::node
