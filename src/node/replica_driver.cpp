#include "node/replica_driver.h"

#include <algorithm>

#include "consensus/batch.h"
#include "core/assert.h"
#include "core/seeded_bug.h"
#include "node/pool_messages.h"

namespace baolian::node {

using consensus::Input;

namespace {

/// The pool's bound follows T_req (V1), and its shares the nodes there are.
TransactionPool::Limits pool_limits(const ReplicaDriver::Config& config, std::size_t nodes) {
  TransactionPool::Limits out = config.pool;
  out.rate_window_ms = config.engine.timers.request_ms / 2;
  out.origins = nodes;
  return out;
}

}  // namespace

ReplicaDriver::ReplicaDriver(Config config, Ports ports, EpochEngines engines)
    : config_(std::move(config)),
      ports_(ports),
      engines_(std::move(engines)),
      pool_(pool_limits(config_, engines_.node_count())),
      snapshots_(config_.snapshots, ports_.transport, ports_.snapshots, engines_.node_count(),
                 engines_.node_of_self()),
      flushed_(engines_.engine().status().executed),
      flush_asked_(flushed_),
      gather_bytes_(config_.flush_store_bytes) {}

ReplicaDriver::~ReplicaDriver() = default;

// ------------------------------------------------------------------ inputs

void ReplicaDriver::give(Input input) {
  inputs_.push_back(std::move(input));
  pump();
}

/// Works until nothing is left. Ports that answer at once land in the queue, not on the stack.
void ReplicaDriver::pump() {
  if (pumping_) return;
  pumping_ = true;
  consensus::Effects effects;
  while (true) {
    while (!inputs_.empty()) {
      Input input = std::move(inputs_.front());
      inputs_.pop_front();
      effects.clear();
      const consensus::Verdict verdict = engines_.engine().step(std::move(input), effects);
      if (!verdict.accepted) ++figures_.rejected_inputs;
      for (consensus::Effect& effect : effects) handle(effect);
    }
    propose();
    if (inputs_.empty()) break;
  }
  pumping_ = false;
}

void ReplicaDriver::on_tick(Tick now, TimeMs wall) {
  ASSERT(now >= now_);
  now_ = now;
  wall_ = wall;
  pool_.on_tick(now);
  append_opening();
  give(consensus::TickInput{now, wall, pool_.oldest_request()});  // the first one starts an engine
  snapshots_.on_tick(now, engines_.engine().status().executed);
  tell_of_transfer();
  fetch_missing();
  push_again();
  flush_if_due();
  pump();
}

void ReplicaDriver::on_message(ReplicaId from, MessageClass message_class, SharedBytes bytes) {
  ASSERT(bytes != nullptr);
  if (bytes->empty()) return ports_.transport.ban(from, "empty message");
  const std::uint8_t first = bytes->front();
  if (first >= kSnapshotOffer && first <= kChunkPart && message_class == MessageClass::sync) {
    snapshots_.on_message(from, *bytes);
    return tell_of_transfer();
  }
  const bool is_pool = first >= kPushTransactions;
  if (is_pool != (message_class == MessageClass::transaction)) {
    return ports_.transport.ban(from, "message in the wrong class");
  }
  if (is_pool) {
    on_pool_message(from, *bytes);
    return pump();
  }
  const std::optional<Epoch> epoch = consensus::envelope_epoch(*bytes);
  if (epoch.has_value() && *epoch != engines_.epoch().epoch) {
    // Another epoch is no misbehaviour: the peer may be ahead or behind.
    return on_other_epoch(from, *epoch, std::move(bytes));
  }
  auto message =
      consensus::read_envelope(engines_.replica_of(from), std::move(bytes), engines_.epoch());
  if (!message) return refuse(from, message.error());
  if (!engines_.engine().wants(*message)) {
    ++figures_.unwanted;
    return;
  }
  auto verified = consensus::verify(*std::move(message), config_.engine.chain_id, engines_.epoch(),
                                    *config_.engine.verifier);
  if (!verified) return refuse(from, verified.error());
  give(consensus::DeliverInput{*std::move(verified)});
}

void ReplicaDriver::refuse(ReplicaId from, const Error& why) {
  ++figures_.undecodable;
  ports_.transport.ban(from, why.context);
}

Result<void> ReplicaDriver::submit(CheckedTransaction transaction) {
  const SharedBytes body = transaction.bytes();
  TRY(pool_.admit(std::move(transaction), kOwnOrigin, now_,
                  engines_.engine().status().request_clock));
  note_arrival();
  push({body});
  pump();
  return ok();
}

void ReplicaDriver::on_persisted(PersistId id) {
  const auto at = writing_.find(id);
  ASSERT(at != writing_.end());
  const Writing written = std::move(at->second);
  writing_.erase(at);
  for (const consensus::Send& send : written.then_send) transmit(send);
  if (written.epoch == engines_.epoch().epoch && written.id != PersistId{}) {
    give(consensus::PersistedInput{written.id});
  }
}

void ReplicaDriver::on_applied(AppliedBlock block) {
  for (std::size_t i = 0; i < block.transactions.size(); ++i) {
    pool_.on_executed(block.transactions[i], block.bodies[i]);
  }
  figures_.executed_transactions += block.transactions.size();
  open_end_ = !block.transactions.empty();
  applied_at_ = now_;
  waiting_bytes_ = block.waiting_bytes;
  gather_bytes_ = std::max(config_.flush_store_bytes, block.gather_bytes);
  give(consensus::AppliedInput{block.height, std::move(block.header), block.header_hash,
                               std::move(block.next_epoch)});
}

void ReplicaDriver::on_execution_failed(const Error& error) {
  if (stopped_) return;
  stopped_ = true;
  ports_.watcher.on_stop(consensus::Stop::Kind::halt, error.context);
}

void ReplicaDriver::on_blocks_read(const consensus::ReadBlocks& wanted,
                                   std::vector<SharedBytes> blocks) {
  consensus::BlocksReadInput input{wanted.peer, std::move(blocks)};
  if (wanted.epoch == engines_.epoch().epoch) return give(std::move(input));
  EpochEngines::Past* past = engines_.past(wanted.epoch);
  if (past == nullptr) return;
  consensus::Effects effects;
  past->server.on_blocks_read(input, effects);
  handle_past(effects, *past);
}

void ReplicaDriver::on_chunk_read(ReplicaId peer, SharedBytes part) {
  snapshots_.on_chunk_read(peer, std::move(part));
}

void ReplicaDriver::on_install_begun(const ledger::SnapshotInstaller::Chunks& stored) {
  snapshots_.on_install_begun(stored);
  tell_of_transfer();
}

void ReplicaDriver::on_chunk_stored(std::uint16_t number, const Result<void>& result) {
  snapshots_.on_chunk_stored(number, result);
  tell_of_transfer();
}

void ReplicaDriver::tell_of_transfer() {
  if (auto input = snapshots_.take_input()) give(*std::move(input));
}

void ReplicaDriver::on_flushed(Height durable) {
  flushing_ = false;
  flushed_ = std::max(flushed_, durable);
  flushed_at_ = now_;
  waiting_bytes_ = 0;  // what came since is said with the next block
  give(consensus::FlushedInput{durable});
}

// ------------------------------------------------------------------ effects

void ReplicaDriver::handle(consensus::Effect& effect) {
  std::visit([this](auto& one) { handle(one); }, effect);
}

void ReplicaDriver::handle(consensus::Send& send) {
  std::vector<consensus::Send> addressed;
  address(std::move(send), addressed);
  for (const consensus::Send& one : addressed) transmit(one);
}

void ReplicaDriver::handle(consensus::Persist& persist) {
  Writing writing{engines_.epoch().epoch, persist.id, {}};
  for (consensus::Send& send : persist.then_send) address(std::move(send), writing.then_send);
  if (engines_.is_replaying()) {
    // Records of a later epoch follow in the log: nothing of this one may come behind them, and
    // nothing needs to, for all of it was certified.
    for (const consensus::Send& send : writing.then_send) transmit(send);
    inputs_.push_back(consensus::PersistedInput{persist.id});
    return;
  }
  for (const consensus::LogRecord& record : persist.writes) log_bytes_ += record.body->size();
  writing_.emplace(next_write_, std::move(writing));
  ports_.log.append(std::exchange(next_write_, PersistId{next_write_ + 1}),
                    std::move(persist.writes));
}

void ReplicaDriver::handle(consensus::Commit& commit) {
  const auto batch = commit.batch != nullptr ? decode<consensus::Batch>(*commit.batch)
                                             : Result<consensus::Batch>(consensus::Batch{});
  if (batch) {
    for (const TxHash& hash : batch->transactions) pool_.mark_committed(hash);
  }
  ports_.application.execute(
      {commit.height, commit.digest, std::move(commit.batch), std::move(commit.bodies)});
}

void ReplicaDriver::handle(consensus::Certified& certified) {
  ports_.application.put_certificate(std::move(certified.certificate));
}

void ReplicaDriver::handle(consensus::ReadBlocks& read) {
  snapshots_.on_blocks_wanted(engines_.node_of(read.peer), read.first);
  ports_.application.read_blocks(read);
}

void ReplicaDriver::handle(consensus::CutLog& cut) {
  if (!engines_.is_replaying()) ports_.log.cut(std::move(cut.snapshot));
}

void ReplicaDriver::handle(consensus::BanPeer& ban) {
  ports_.transport.ban(engines_.node_of(ban.peer), std::move(ban.reason));
}

/// A batch of an older view may be gone: what the new view does not hold is proposed again.
void ReplicaDriver::handle(consensus::ViewEntered& entered) {
  if (!seeded_bug(Bug::slots_never_released)) pool_.release_slots();
  for (const TxHash& hash : entered.proposed) pool_.mark_in_slot(hash);
  pool_.restart_pushes(now_);
}

void ReplicaDriver::handle(consensus::Stop& stop) {
  if (stopped_) return;
  stopped_ = true;
  ports_.watcher.on_stop(stop.kind, stop.reason);
}

// ------------------------------------------------------------------ proposing and flushing

/// An empty block: at once while an epoch runs out (consensus.md 1.10), else one after the last
/// block with transactions, so that chain time passes its entries: a window of a log can be proved
/// complete only up to the time of a certified block.
void ReplicaDriver::propose_empty_block() {
  const consensus::Status status = engines_.engine().status();
  if (!status.epoch_last.has_value()) {
    const bool quiet =
        status.highest_seen <= status.executed && status.certified == status.executed;
    if (!open_end_ || !quiet || now_.value < applied_at_.value + config_.closing_block_ms) return;
  }
  if (!engines_.engine().can_propose()) return;
  open_end_ = false;
  consensus::Effects effects;
  static_cast<void>(engines_.engine().step(consensus::ProposeInput{wall_, {}, {}}, effects));
  for (consensus::Effect& effect : effects) handle(effect);
}

void ReplicaDriver::note_arrival() {
  const consensus::Status status = engines_.engine().status();
  if (status.highest_seen > status.executed) crowded_at_ = now_;
}

/// Transactions come beside each other, and many of them. One client alone, however large what it
/// sends, waits for its answer before it sends more: nothing is gained by waiting for it.
bool ReplicaDriver::is_crowded() const {
  constexpr std::uint64_t kCrowdMs = 200;
  if (!crowded_at_.has_value() || now_.value - crowded_at_->value > kCrowdMs) return false;
  const std::uint64_t window_ms = config_.engine.timers.request_ms / 2;
  return pool_.executed_lately().operations * config_.crowd_linger_ms >=
         config_.crowd_operations * window_ms;
}

bool ReplicaDriver::is_batch_due() const {
  if (pool_.has_full_batch(config_.batch)) return true;
  const consensus::Status status = engines_.engine().status();
  const std::uint64_t waited_ms = now_.value - pool_.oldest_proposable()->value;
  if (status.highest_seen <= status.executed) {
    return !is_crowded() || waited_ms >= config_.crowd_linger_ms ||
           pool_.proposable_operations() >= config_.crowd_batch;
  }
  // The more blocks wait to be executed, the less one more block hurries, and the more it costs.
  return waited_ms >= config_.linger_ms * (status.highest_seen.value - status.executed.value);
}

void ReplicaDriver::propose() {
  if (!pool_.has_proposable()) propose_empty_block();
  while (engines_.engine().can_propose() && pool_.has_proposable()) {
    if (!is_batch_due()) return;
    TransactionPool::Selection selection = pool_.select(config_.batch);
    const std::vector<TxHash> hashes = selection.hashes;
    consensus::Effects effects;
    const consensus::Verdict verdict = engines_.engine().step(
        consensus::ProposeInput{wall_, std::move(selection.hashes), std::move(selection.bodies)},
        effects);
    if (verdict.accepted) {
      for (const TxHash& hash : hashes) pool_.mark_in_slot(hash);
      ++figures_.proposed_batches;
      figures_.proposed_transactions += hashes.size();
    }
    for (consensus::Effect& effect : effects) handle(effect);
    if (!verdict.accepted) return;
  }
}

/// Nodes write about as much as each other. So that not all of them flush at the same moment, and
/// a quorum is always at its full speed, each comes to its first full flush at another time, and
/// stays there: after a start, or after a pause in which all have flushed.
std::uint64_t ReplicaDriver::flush_at(std::uint64_t bytes) const {
  if (!takes_turn_) return bytes;
  const std::uint64_t count = engines_.epoch().validators.size();
  return bytes * (engines_.node_of_self() % count + 1) / count;
}

void ReplicaDriver::flush_if_due() {
  const Height executed = engines_.engine().status().executed;
  if (executed != last_executed_) {
    last_executed_ = executed;
    executed_at_ = now_;
  }
  if (flushing_ || executed <= flushed_) return;
  const bool is_quiet = now_.value - executed_at_.value >= config_.flush_quiet_ms;
  const bool is_full =
      waiting_bytes_ >= flush_at(gather_bytes_) || log_bytes_ >= flush_at(config_.flush_log_bytes);
  const bool due = is_full || (is_quiet && executed > flush_asked_) ||
                   executed.value - flush_asked_.value >= config_.flush_heights ||
                   now_.value - flushed_at_.value >= config_.flush_ms;
  if (!due) return;
  flushing_ = true;
  takes_turn_ = !is_full;
  flush_asked_ = executed;
  log_bytes_ = 0;
  ports_.application.flush();
}

}  // namespace baolian::node
