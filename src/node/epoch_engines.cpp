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
  std::vector<Part> parts(1);
  for (LogRecord& record : log) {
    if (record.type == RecordType::epoch) {
      TRY(EpochStart start, decode<EpochStart>(*record.body));
      parts.push_back({std::move(start), {}});
      continue;
    }
    if (record.type == RecordType::snapshot) {
      TRY(consensus::Snapshot snapshot, decode<consensus::Snapshot>(*record.body));
      const bool is_later = snapshot.epoch.has_value() && parts.back().start != snapshot.epoch;
      if (is_later) parts.push_back({std::move(snapshot.epoch), {}});
    }
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
  const auto part_of = [&](const crypto::EpochRecord& epoch) {
    return std::find_if(parts.begin(), parts.end(), [&](const Part& part) {
      return part.start.has_value() ? part.start->epoch == epoch : epoch.epoch.value == 0;
    });
  };
  auto present = std::prev(pending);
  auto own = part_of(*present);
  Part part;
  const auto known = std::find_if(recovered.starts.begin(), recovered.starts.end(),
                                  [&](const EpochStart& one) { return one.epoch == *present; });
  if (own == parts.end() && known != recovered.starts.end()) {
    part.start = *known;
    out.opening_ = opening_of(*known);
  } else if (own == parts.end()) {
    // The last block of the epoch before is executed, its certificate is still on the way.
    ASSERT(present != recovered.epochs.begin());
    --present;
    own = part_of(*present);
  }
  if (own != parts.end()) {
    part = std::move(*own);
    out.later_.assign(std::make_move_iterator(own + 1), std::make_move_iterator(parts.end()));
  } else if (!out.opening_.has_value()) {
    return fail(Errc::log_corrupt, "the consensus log says nothing of epoch " +
                                       std::to_string(present->epoch.value) +
                                       ", in which the store stands");
  }
  std::optional<crypto::EpochRecord> change;
  if (std::next(present) != recovered.epochs.end()) change = *std::next(present);
  out.start_engine(std::move(part), *present, recovered.executed, recovered.executed_header_hash,
                   std::move(change));
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

void EpochEngines::start_engine(Part part, const crypto::EpochRecord& epoch, Height executed,
                                const Hash& header_hash,
                                std::optional<crypto::EpochRecord> pending) {
  Names names = names_in(epoch);
  consensus::EngineConfig engine = config_.engine;
  engine.epoch = epoch;
  engine.self = names.self;
  engine.signer = names.self == consensus::kObserver ? nullptr : config_.signer;
  engine.observer_count = config_.nodes.size() - epoch.validators.size();
  if (part.start.has_value()) start_certificate_ = part.start->certificate;
  engine.start = std::move(part.start);
  engine.next_epoch = std::move(pending);
  engine_ = consensus::make_engine(engine, header_reader(), std::move(part.records), executed,
                                   header_hash);
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
  Part part;
  if (later_.empty()) {
    opening_ = opening_of(next);
    part.start = std::move(next);
  } else {
    part = std::move(later_.front());
    later_.erase(later_.begin());
    if (!part.start.has_value() || part.start->epoch != epoch) {
      return fail(Errc::log_corrupt, "the consensus log holds another epoch " +
                                         std::to_string(epoch.epoch.value) +
                                         " than the chain made");
    }
  }
  start_engine(std::move(part), epoch, last.height, last.header_hash, std::nullopt);
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
