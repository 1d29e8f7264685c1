#include "sim/sim_node.h"

#include <algorithm>

#include "contracts/execute.h"
#include "ledger/write_behind.h"

namespace baolian::sim {

namespace {

/// A slow node has a queue of this length; what does not fit is dropped, as in the mesh.
constexpr std::uint64_t kBacklogMsMax = 2'000;
constexpr std::size_t kHeldMax = 20'000;
/// Between the end of a Byzantine engine that noticed itself and its next start.
constexpr std::uint64_t kRestartMs = 1'000;
constexpr std::uint64_t kBanMsMax = 30'000;
constexpr std::uint64_t kPowerBackMs = 40;  ///< after a cut at a chosen step

}  // namespace

SimNode::SimNode(EndpointId endpoint, const NodeOptions& options, const Surroundings& around,
                 Prng prng)
    : endpoint_(endpoint),
      id_(around.replica_of[endpoint]),
      options_(options),
      around_(around),
      prng_(prng),
      ban_ms_(around.world.node_signers.size(), options.ban_ms) {}

SimNode::~SimNode() = default;

TimeMs SimNode::wall() const {
  const auto skew = static_cast<std::uint64_t>(options_.clock_skew_ms);  // wraps as it should
  return around_.events.wall() + skew;
}

void SimNode::after(std::uint64_t delay_ms, std::function<void()> event) {
  around_.events.after(delay_ms, [this, run = run_, event = std::move(event)]() mutable {
    if (run != run_ || !is_up()) return;
    if (frozen_) return held_.push_back(std::move(event));
    event();
  });
}

void SimNode::thaw() {
  if (!frozen_) return;
  frozen_ = false;
  std::deque<std::function<void()>> held;
  held.swap(held_);
  for (std::function<void()>& event : held) after(0, std::move(event));
}

void SimNode::become_quick() {
  options_.execute_ms_max = std::min<std::uint64_t>(options_.execute_ms_max, 5);
  options_.sync_ms_max =
      std::max(options_.sync_ms_min, std::min<std::uint64_t>(options_.sync_ms_max, 5));
  options_.message_ms = 0;
}

void SimNode::on_executor(std::uint64_t delay_ms, std::function<void()> event) {
  const Tick now = around_.events.now();
  executor_free_at_ = std::max(executor_free_at_, now) + delay_ms;
  after(executor_free_at_.value - now.value, std::move(event));
}

void SimNode::misbehave(ByzantineKind kind) {
  const World& world = around_.world;
  ByzantineHands hands{
      world,
      id_,
      around_.events,
      Forge(world.chain_id, world.genesis.epoch.epoch, id_, *world.node_signers[id_]),
      prng_.fork(9000),
      [this](node::ReplicaId to, node::MessageClass message_class, node::SharedBytes bytes,
             std::uint64_t delay_ms) {
        around_.checker.on_proposal(*bytes);
        if (delay_ms == 0) return transmit(to, message_class, bytes);
        after(delay_ms, [this, to, message_class, bytes = std::move(bytes)] {
          transmit(to, message_class, bytes);
        });
      },
      [this] { return is_up() ? driver_->status() : consensus::Status{}; },
      [this](const TxHash& hash) {
        return is_up() ? driver_->pool().find(hash) : node::SharedBytes();
      }};
  script_ = make_byzantine(kind, std::move(hands));
}

consensus::ProbeCounts SimNode::probes() const {
  consensus::ProbeCounts out = probes_before_;
  if (is_up()) out.add(driver_->probes());
  return out;
}

std::unique_ptr<ledger::KeyValueStore> SimNode::make_store() const {
  auto store = ledger::make_memory_store(store_disk_);
  if (!options_.write_behind) return store;
  return std::make_unique<ledger::WriteBehindStore>(std::move(store));
}

void SimNode::start() {
  ASSERT(!is_up());
  ++run_;
  const World& world = around_.world;
  if (snapshot_disk_.joined != nullptr) {
    store_disk_ = std::exchange(snapshot_disk_.joined, nullptr);
    wants_snapshot_ = false;
  }
  auto chain =
      ledger::Chain::open(make_store(), world.genesis, contracts::genesis_writes(world.genesis));
  auto records = log_disk_.replay();
  if (!chain || !records) {
    const Error& error = chain ? records.error() : chain.error();
    return around_.checker.violation("node " + std::to_string(id_) +
                                     " cannot start again: " + error.context);
  }
  around_.checker.on_replayed(id_, *records);
  chain_ = *std::move(chain);
  executor_ =
      std::make_unique<node::Executor>(*chain_, crypto::toy_verifier(), world.epoch_changes);
  executor_free_at_ = around_.events.now();
  open_snapshots();
  log_ = std::make_unique<SimLog>(
      SimLog::Config{
          .sync_ms_max = &options_.sync_ms_max,
          .sync_ms_min = options_.sync_ms_min,
          .honesty = options_.disk,
          .segment_bytes = options_.log_segment_bytes,
          .on_durable =
              [this](PersistId id) {
                driver_->on_persisted(id);
                after_step();
              },
          .on_record =
              [this](const consensus::LogRecord& record) {
                around_.checker.on_durable(id_, record);
              },
          .power_goes = [this] { return power_goes(); },
          .after = [this](std::uint64_t delay_ms,
                          std::function<void()> event) { after(delay_ms, std::move(event)); }},
      log_disk_, prng_.fork(run_));

  node::ReplicaDriver::Config config = options_.driver;
  config.engine.chain_id = world.chain_id;
  config.engine.verifier = &around_.verifier;
  config.snapshots.genesis = &world.genesis;
  config.snapshots.verifier = &crypto::toy_verifier();
  config.snapshots.wants_snapshot = wants_snapshot_;
  // Of a copy: PBFT draws nothing here.
  config.engine.seed = Prng(prng_).fork(run_ + 500'000).next();
  around_.checker.on_restarted(id_, chain_->height());
  node::EpochEngines::Config of_epochs{config.engine, world.node_keys(), id_,
                                       world.node_signers[id_].get()};
  auto engines = node::EpochEngines::recover(
      std::move(of_epochs), node::EpochEngines::recovered_from(*chain_, *std::move(records)));
  if (!engines) {
    return around_.checker.violation("node " + std::to_string(id_) +
                                     " cannot start again: " + engines.error().context);
  }
  driver_ = std::make_unique<node::ReplicaDriver>(
      config, node::ReplicaDriver::Ports{*this, *log_, *this, *this, *this, *snapshots_},
      *std::move(engines));
  tick();
}

void SimNode::open_snapshots() {
  SimSnapshots::Answers answers;
  answers.chunk_read = [this](node::ReplicaId peer, node::SharedBytes part) {
    driver_->on_chunk_read(peer, std::move(part));
    after_step();
  };
  answers.install_begun = [this](const ledger::SnapshotInstaller::Chunks& stored) {
    driver_->on_install_begun(stored);
    after_step();
  };
  answers.chunk_stored = [this](std::uint16_t number, const Result<void>& result) {
    driver_->on_chunk_stored(number, result);
    after_step();
  };
  answers.installed = [this] { begin_anew(); };
  snapshots_ = std::make_unique<SimSnapshots>(
      snapshot_disk_, *chain_, options_.snapshot_heights, std::move(answers),
      [this](std::function<void()> event) { on_executor(prng_.between(0, 2), std::move(event)); });
  snapshots_->start();
}

/// A new process on the store of the snapshot.
void SimNode::begin_anew() {
  around_.trace.event(endpoint_, "begins on a snapshot");
  around_.events.after(prng_.between(1, 50), [this, run = run_] {
    if (run != run_ || !is_up()) return;
    crash();
    start();
  });
}

bool SimNode::power_goes() {
  if (++write_steps_ != cut_at_) return false;
  around_.trace.event(endpoint_, "power goes in a write");
  around_.events.after(0, [this, run = run_] {
    if (run == run_ && is_up()) crash();
  });
  around_.events.after(kPowerBackMs, [this] {
    if (!is_up()) start();
  });
  return true;
}

void SimNode::lose_store() {
  ASSERT(!is_up());
  store_disk_ = std::make_shared<ledger::MemoryDisk>();
  snapshot_disk_.whole.reset();
  wants_snapshot_ = true;
}

void SimNode::crash() {
  ASSERT(is_up());
  ++run_;
  frozen_ = false;
  held_.clear();
  free_at_ = Tick{};
  probes_before_.add(driver_->probes());
  driver_.reset();
  log_.reset();
  snapshots_.reset();
  executor_.reset();
  chain_.reset();
  log_disk_.power_cut(prng_);
  store_disk_->power_cut(prng_.below(store_disk_->unflushed_batches() + 1));
  if (const auto& joining = snapshot_disk_.joining; joining != nullptr) {
    joining->power_cut(prng_.below(joining->unflushed_batches() + 1));
  }
}

void SimNode::tick() {
  around_.checker.on_clock(id_, wall());
  driver_->on_tick(around_.events.now(), wall());
  if (script_) script_->on_tick();
  if (around_.events.now().value % 100 < options_.tick_ms) {
    around_.checker.on_bounds(id_, driver_->pool().size_bytes(), log_disk_.size_bytes());
  }
  after_step();
  after(options_.tick_ms, [this] { tick(); });
}

void SimNode::after_step() {
  // What a Byzantine node thinks of itself is nobody's business.
  if (is_byzantine()) return;
  driver_->check_invariants();
  around_.checker.on_status(id_, driver_->status());
  if (!driver_->evidence().empty()) around_.checker.on_evidence(id_, driver_->evidence());
}

void SimNode::deliver(EndpointId from, node::MessageClass message_class, node::SharedBytes bytes) {
  if (!is_up()) return;
  if (frozen_) {
    if (held_.size() >= kHeldMax) return;
    return held_.push_back([this, from, message_class, bytes = std::move(bytes)]() mutable {
      take(from, message_class, std::move(bytes));
    });
  }
  if (options_.message_ms == 0) return take(from, message_class, std::move(bytes));
  const Tick now = around_.events.now();
  free_at_ = std::max(free_at_, now) + options_.message_ms;
  if (free_at_.value - now.value > kBacklogMsMax) {
    free_at_ = Tick{free_at_.value - options_.message_ms};
    return;
  }
  after(free_at_.value - now.value,
        [this, from, message_class, bytes = std::move(bytes)]() mutable {
          take(from, message_class, std::move(bytes));
        });
}

void SimNode::take(EndpointId from, node::MessageClass message_class, node::SharedBytes bytes) {
  around_.trace.delivered(from, endpoint_, *bytes);
  const node::ReplicaId peer = around_.replica_of[from];
  if (script_ && !script_->on_receive(peer, message_class, *bytes)) return;
  if (!script_) around_.checker.on_received(id_, peer, *bytes);
  driver_->on_message(peer, message_class, std::move(bytes));
  after_step();
}

Result<void> SimNode::submit(const node::SharedBytes& transaction) {
  ASSERT(is_up() && !frozen_);
  if (script_ && !script_->admits(*transaction)) return ok();
  TRY(node::CheckedTransaction checked,
      node::check_body(transaction, around_.world.chain_id, around_.world.genesis.epoch,
                       crypto::toy_verifier()));
  if (chain_->find_transaction(checked.id())) {
    return fail(Errc::already_exists, "the transaction was executed already");
  }
  const auto result = driver_->submit(std::move(checked));
  after_step();
  return result;
}

void SimNode::transfer_leadership(node::ReplicaId target) {
  driver_->transfer_leadership(target);
  after_step();
}

Result<void> SimNode::rebuild_and_compare() {
  ASSERT(is_up());
  const Hash root = chain_->header(chain_->height())->state_root;
  const Height height = chain_->height();
  chain_->flush();
  TRY(const auto rebuilt,
      ledger::Chain::open(ledger::make_memory_store(store_disk_), around_.world.genesis,
                          contracts::genesis_writes(around_.world.genesis)));
  if (rebuilt->height() != height || rebuilt->header(height)->state_root != root) {
    return fail(Errc::store_corrupt, "the rebuilt chain differs from the running one");
  }
  return ok();
}

// ------------------------------------------------------------------ ports

void SimNode::transmit(node::ReplicaId to, node::MessageClass message_class,
                       const node::SharedBytes& bytes) {
  around_.trace.sent(endpoint_, to, *bytes);
  for (std::size_t one = 0; one < around_.replica_of.size(); ++one) {
    const auto endpoint = static_cast<EndpointId>(one);
    if (around_.replica_of[one] != to || endpoint == endpoint_) continue;
    around_.network.send(endpoint_, endpoint, message_class, bytes);
  }
}

void SimNode::send(node::ReplicaId to, node::MessageClass message_class, node::SharedBytes bytes) {
  if (script_) return script_->on_send(to, message_class, bytes);
  around_.checker.on_sent(id_, *bytes, driver_->status().certified, to);
  transmit(to, message_class, bytes);
}

void SimNode::send_to_validators(node::MessageClass message_class, node::SharedBytes bytes) {
  if (script_) return script_->on_broadcast(message_class, bytes);
  around_.trace.sent(endpoint_, std::nullopt, *bytes);
  around_.checker.on_sent(id_, *bytes, driver_->status().certified);
  for (std::size_t one = 0; one < around_.replica_of.size(); ++one) {
    const auto endpoint = static_cast<EndpointId>(one);
    if (!around_.world.is_validator(around_.replica_of[one]) || endpoint == endpoint_) continue;
    around_.network.send(endpoint_, endpoint, message_class, bytes);
  }
}

void SimNode::ban(node::ReplicaId peer, std::string reason) {
  around_.checker.on_banned(id_, peer, reason);
  around_.trace.note(endpoint_, "bans n" + std::to_string(peer) + ": " + reason);
  std::uint64_t& ban_ms = ban_ms_[peer];
  if (ban_ms == 0 || is_byzantine()) return;
  for (std::size_t one = 0; one < around_.replica_of.size(); ++one) {
    if (around_.replica_of[one] != peer) continue;
    around_.network.disconnect(endpoint_, static_cast<EndpointId>(one), ban_ms);
  }
  ban_ms = std::min(2 * ban_ms, kBanMsMax);
}

void SimNode::execute(node::ExecuteRequest request) {
  on_executor(prng_.between(0, options_.execute_ms_max), [this, request = std::move(request)] {
    auto applied = executor_->execute(request);
    if (power_goes()) return;
    if (!applied) {
      driver_->on_execution_failed(applied.error());
    } else {
      around_.trace.event(endpoint_, "executes " + std::to_string(applied->height.value),
                          applied->header_hash.view());
      if (applied->next_epoch) around_.checker.on_epoch(id_, *applied->next_epoch);
      around_.checker.on_executed(id_, *chain_, applied->height);
      snapshots_->after_block();
      driver_->on_applied(*std::move(applied));
    }
    after_step();
  });
}

void SimNode::put_certificate(crypto::ExecCertificate certificate) {
  around_.checker.on_certified(id_, certificate);
  on_executor(0, [this, certificate = std::move(certificate)] {
    executor_->put_certificate(certificate);
    power_goes();
  });
}

void SimNode::read_blocks(const consensus::ReadBlocks& wanted) {
  on_executor(0, [this, wanted] {
    driver_->on_blocks_read(wanted, executor_->read_blocks(wanted));
    after_step();
  });
}

void SimNode::flush() {
  on_executor(0, [this] {
    if (power_goes()) return;
    const Height executed = chain_->height();
    after(options_.sync_ms_max, [this, executed, begun = executor_->begin_flush()] {
      if (power_goes()) return;
      const Height certified = executor_->finish_flush(begun);
      if (power_goes()) return;
      driver_->on_flushed(options_.flushed == FlushedHeight::executed ? executed : certified);
      after_step();
    });
  });
}

void SimNode::verify(TxHash hash, node::SharedBytes bytes) {
  node::BodyVerdict verdict{hash,
                            node::check_body(std::move(bytes), around_.world.chain_id,
                                             around_.world.genesis.epoch, crypto::toy_verifier()),
                            false};
  if (verdict.transaction) {
    verdict.executed = chain_->find_transaction(verdict.transaction->id()).has_value();
  }
  driver_->on_verified(std::move(verdict));
}

void SimNode::on_stop(consensus::Stop::Kind, const std::string& reason) {
  around_.trace.note(endpoint_, "stops: " + reason);
  around_.checker.on_stopped(id_, reason);
  if (is_byzantine()) restart_after_stop();
}

/// An engine that meets what its script said in its name stops, as it should. The adversary goes
/// on.
void SimNode::restart_after_stop() {
  around_.events.after(kRestartMs, [this, run = run_] {
    if (run != run_ || !is_up()) return;
    crash();
    start();
  });
}

}  // namespace baolian::sim
