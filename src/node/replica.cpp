#include "node/replica.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <future>
#include <mutex>
#include <thread>

#include "contracts/execute.h"
#include "contracts/parameters.h"
#include "crypto/random.h"
#include "ledger/write_behind.h"
#include "net/thread_name.h"
#include "node/divergence.h"
#include "node/executor.h"
#include "node/snapshot_keeper.h"
#include "node/work_queue.h"
#include "vault/durable_file.h"

namespace baolian::node {

namespace {

using Steady = std::chrono::steady_clock;

/// A flush takes a second or two and has many to finish in: blocks go first.
constexpr int kFlushNiceness = 5;

TimeMs wall_clock() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return TimeMs{static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count())};
}

}  // namespace

std::vector<PublicKey> replica_keys(const ledger::Genesis& genesis) {
  std::vector<PublicKey> keys = genesis.epoch.validators;
  std::vector<PublicKey> observers;
  for (const ledger::Institution& institution : genesis.institutions) {
    for (const ledger::Node& node : institution.nodes) {
      if (!node.votes) observers.push_back(node.consensus_key);
    }
  }
  std::sort(observers.begin(), observers.end());
  keys.insert(keys.end(), observers.begin(), observers.end());
  return keys;
}

/// Everything; the ports of the driver are implemented here.
struct Replica::State final : Application, BodyVerifier, Watcher {
  Config config;
  ReplicaId self = 0;
  bool validator = false;
  BootRecord boot;
  std::unique_ptr<ledger::Chain> chain;
  std::unique_ptr<Executor> executor;  // executor thread
  std::unique_ptr<LogFile> log;
  std::optional<EpochEngines> engines;    // until start()
  std::unique_ptr<ReplicaDriver> driver;  // core thread
  std::vector<std::function<void(Height)>> listeners;
  Steady::time_point started_at = Steady::now();

  // The core thread's inbox.
  std::mutex inbox_mutex;
  std::condition_variable inbox_wake;
  std::condition_variable inbox_space;
  std::deque<std::function<void()>> inbox;
  std::size_t inbox_bytes = 0;
  bool closing = false;
  std::thread core;
  std::unique_ptr<SnapshotKeeper> snapshots;
  std::unique_ptr<WorkQueue> executing;
  std::unique_ptr<WorkQueue> flushing;
  std::unique_ptr<WorkQueue> verifying;

  // What others may look at.
  mutable std::mutex view_mutex;
  mutable std::condition_variable view_changed;
  Status view;
  Height certified;  // executed and certified; the listener thread follows
  bool ended = false;
  std::thread listening;
  bool stopped = false;

  Result<void> recover();
  Result<void> open_snapshots();
  Tick now() const {
    const auto since = Steady::now() - started_at;
    return Tick{static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(since).count())};
  }
  bool post(std::function<void()> job);
  void run_core();
  void run_listeners(Height next);
  void publish();
  void publish_certified();
  void alarm(const std::string& reason);
  void leave_for_inquiry(const std::string& reason);

  void execute(ExecuteRequest request) override;
  void put_certificate(crypto::ExecCertificate certificate) override;
  void read_blocks(const consensus::ReadBlocks& wanted) override;
  void flush() override;
  void begin_flush();
  void verify(TxHash hash, SharedBytes bytes) override;
  void on_stop(consensus::Stop::Kind kind, const std::string& reason) override;
};

// ------------------------------------------------------------------ opening

Result<void> Replica::State::recover() {
  const std::vector<PublicKey> keys = replica_keys(config.genesis);
  const auto own = std::find(keys.begin(), keys.end(), config.signer->public_key());
  if (own == keys.end()) {
    return fail(Errc::config_invalid, "this node's consensus key is no node of the genesis");
  }
  self = static_cast<ReplicaId>(own - keys.begin());
  validator = self < config.genesis.epoch.validators.size();

  TRY(take_joined_store(config.directory));
  TRY(auto store, ledger::open_rocksdb_store(config.directory + "/store"));
  // What is not flushed when the process ends is executed again from the consensus log.
  auto gathered = std::make_unique<ledger::WriteBehindStore>(std::move(store));
  auto opened = ledger::Chain::open(std::move(gathered), config.genesis,
                                    contracts::genesis_writes(config.genesis));
  if (!opened) return opened.error();
  chain = *std::move(opened);
  chain->use_archive(config.archive);
  executor = std::make_unique<Executor>(*chain, *config.verifier);
  certified = chain->certified_height();

  LogFile::Replayed replayed;
  auto file = LogFile::open(
      {.directory = config.directory + "/log",
       .segment_bytes = config.log_segment_bytes,
       .on_durable = [this](PersistId id) { post([this, id] { driver->on_persisted(id); }); }},
      replayed);
  if (!file) return file.error();
  log = *std::move(file);
  boot = replayed.boot;
  if (validator && replayed.records.empty() && chain->height().value > 0) {
    return fail(Errc::log_corrupt,
                "the chain is there, but the consensus log is empty: this validator may have "
                "forgotten votes; it must be given a new key before it votes again");
  }

  consensus::EngineConfig& engine_config = config.driver.engine;
  engine_config.chain_id = chain->chain_id();
  engine_config.verifier = config.verifier;
  // Raft's election timeouts: two nodes with one seed would stand against each other for ever.
  std::array<std::uint8_t, sizeof engine_config.seed> seed{};
  crypto::fill_random(seed);
  std::memcpy(&engine_config.seed, seed.data(), seed.size());
  config.driver.batch.weight_max =
      contracts::parameter(config.genesis.epoch, contracts::ParameterId::block_weight_max);
  EpochEngines::Config of_epochs{engine_config, keys, self, config.signer.get()};
  TRY(EpochEngines made,
      EpochEngines::recover(std::move(of_epochs),
                            EpochEngines::recovered_from(*chain, std::move(replayed.records))));
  view.consensus = made.engine().status();
  engines = std::move(made);
  return open_snapshots();
}

Result<void> Replica::State::open_snapshots() {
  config.driver.snapshots.genesis = &chain->genesis();
  config.driver.snapshots.verifier = config.verifier;
  SnapshotKeeper::Answers answers;
  answers.chunk_read = [this](ReplicaId peer, SharedBytes part) {
    post([this, peer, part = std::move(part)] { driver->on_chunk_read(peer, part); });
  };
  answers.install_begun = [this](const ledger::SnapshotInstaller::Chunks& stored) {
    post([this, stored] { driver->on_install_begun(stored); });
  };
  answers.chunk_stored = [this](std::uint16_t number, Result<void> result) {
    post([this, number, result = std::move(result)] { driver->on_chunk_stored(number, result); });
  };
  answers.installed = [this] {
    if (config.on_joined) config.on_joined();
  };
  answers.install_failed = [this](const Error& error) { alarm("snapshot: " + error.context); };
  answers.not_made = [this](const Error& error) {
    if (config.on_snapshot_problem) config.on_snapshot_problem(error.context);
  };
  TRY(snapshots, SnapshotKeeper::open({.directory = config.directory,
                                       .heights = config.snapshot_heights,
                                       .gap_ms = config.snapshot_gap_ms},
                                      *chain, std::move(answers)));
  return ok();
}

Replica::Replica(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Replica>> Replica::open(Config config) {
  ASSERT(config.signer != nullptr && config.verifier != nullptr);
  auto state = std::make_unique<State>();
  state->config = std::move(config);
  TRY(state->recover());
  return std::unique_ptr<Replica>(new Replica(std::move(state)));
}

Replica::~Replica() { stop(); }

void Replica::start(Transport& transport) {
  State& state = *state_;
  ASSERT(state.driver == nullptr && state.engines.has_value());
  state.executing = std::make_unique<WorkQueue>("executor", 1);
  state.flushing = std::make_unique<WorkQueue>("flush", 1, kFlushNiceness);
  state.verifying =
      std::make_unique<WorkQueue>("verify", std::max<std::size_t>(1, state.config.verify_threads));
  state.driver = std::make_unique<ReplicaDriver>(
      state.config.driver,
      ReplicaDriver::Ports{transport, *state.log, state, state, state, *state.snapshots},
      *std::move(state.engines));
  state.engines.reset();
  state.listening = std::thread([&state, next = state.certified.next()] {
    net::name_thread("listener");
    state.run_listeners(next);
  });
  state.executing->post([&state] { state.snapshots->start(); });
  state.core = std::thread([&state] {
    net::name_thread("core");
    state.run_core();
  });
}

void Replica::stop() {
  State& state = *state_;
  if (state.stopped) return;
  state.stopped = true;
  {
    const std::lock_guard hold(state.inbox_mutex);
    state.closing = true;
  }
  state.inbox_wake.notify_all();
  state.inbox_space.notify_all();
  if (state.core.joinable()) state.core.join();
  if (state.verifying) state.verifying->close();
  if (state.executing) state.executing->close();
  if (state.flushing) state.flushing->close();
  if (state.snapshots) state.snapshots->stop();
  state.log.reset();
  state.executor->flush();
  {
    const std::lock_guard hold(state.view_mutex);
    state.ended = true;
  }
  state.view_changed.notify_all();
  if (state.listening.joinable()) state.listening.join();
  state.driver.reset();
}

// ------------------------------------------------------------------ the core thread

bool Replica::State::post(std::function<void()> job) {
  {
    const std::lock_guard hold(inbox_mutex);
    if (closing) return false;
    inbox.push_back(std::move(job));
  }
  inbox_wake.notify_one();
  return true;
}

void Replica::State::run_core() {
  const std::uint64_t tick_ms = std::max<std::uint64_t>(1, config.tick_ms);
  Tick last_tick = now();
  driver->on_tick(last_tick, wall_clock());
  const auto tick_if_due = [&] {
    const Tick at = now();
    // Under load time passes in smaller steps: batches close by it.
    if (at.value - last_tick.value < (tick_ms + 1) / 2) return;
    last_tick = at;
    driver->on_tick(at, wall_clock());
  };
  for (;;) {
    std::deque<std::function<void()>> jobs;
    {
      std::unique_lock hold(inbox_mutex);
      inbox_wake.wait_for(hold, std::chrono::milliseconds(tick_ms),
                          [this] { return closing || !inbox.empty(); });
      if (inbox.empty() && closing) break;
      jobs.swap(inbox);
      inbox_bytes = 0;
    }
    inbox_space.notify_all();
    for (std::function<void()>& job : jobs) {
      tick_if_due();
      job();
    }
    tick_if_due();
    publish();
  }
  publish();
}

void Replica::State::publish() {
  const std::lock_guard hold(view_mutex);
  view.consensus = driver->status();
  view.figures = driver->figures();
  view.probes = driver->probes();
  view.transfer = driver->transfer();
  view.pool_transactions = driver->pool().size();
  view.pool_bytes = driver->pool().size_bytes();
  view.log_syncs = log->sync_count();
  if (view.evidence.size() != driver->evidence().size()) view.evidence = driver->evidence();
}

void Replica::State::alarm(const std::string& reason) {
  {
    const std::lock_guard hold(view_mutex);
    if (view.alarm.empty()) view.alarm = reason;
  }
  if (config.on_alarm) config.on_alarm(reason);
}

void Replica::State::on_stop(consensus::Stop::Kind kind, const std::string& reason) {
  switch (kind) {
    case consensus::Stop::Kind::diverged:
      executing->post([this, reason] { leave_for_inquiry(reason); });
      return alarm("DIVERGED: " + reason);
    case consensus::Stop::Kind::halt:
      return alarm("HALT: " + reason);
    case consensus::Stop::Kind::rolled_back:
      return alarm("ROLLED BACK: " + reason);
  }
}

/// N7: what was executed here and not confirmed; later starts leave the first one alone.
void Replica::State::leave_for_inquiry(const std::string& reason) {
  const std::string text = divergence_text(reason, executor->uncertified());
  const auto written = vault::create_file(config.directory + "/diverged.json", to_bytes(text));
  if (!written && written.error().code != Errc::already_exists) {
    alarm("diverged.json cannot be written: " + written.error().context);
  }
}

// ------------------------------------------------------------------ the executor thread

void Replica::State::execute(ExecuteRequest request) {
  executing->post([this, request = std::move(request)] {
    auto applied = executor->execute(request);
    if (!applied) {
      post([this, error = applied.error()] { driver->on_execution_failed(error); });
      return;
    }
    auto shared = std::make_shared<AppliedBlock>(*std::move(applied));
    post([this, shared] { driver->on_applied(std::move(*shared)); });
    snapshots->after_block();
    if (chain->wants_flush()) begin_flush();
    publish_certified();
  });
}

void Replica::State::put_certificate(crypto::ExecCertificate certificate) {
  executing->post([this, certificate = std::move(certificate)] {
    executor->put_certificate(certificate);
    publish_certified();
  });
}

void Replica::State::read_blocks(const consensus::ReadBlocks& wanted) {
  executing->post([this, wanted] {
    auto blocks = std::make_shared<std::vector<SharedBytes>>(executor->read_blocks(wanted));
    post([this, wanted, blocks] { driver->on_blocks_read(wanted, std::move(*blocks)); });
  });
}

void Replica::State::flush() {
  executing->post([this] { begin_flush(); });
}

/// What is gathered goes to the disk on a thread of its own: blocks do not wait for it.
void Replica::State::begin_flush() {
  flushing->post([this, begun = executor->begin_flush()] {
    const Height durable = executor->finish_flush(begun);
    post([this, durable] { driver->on_flushed(durable); });
  });
}

void Replica::State::publish_certified() {
  const Height now_certified = executor->acknowledged();
  {
    const std::lock_guard hold(view_mutex);
    if (now_certified <= certified) return;
    certified = now_certified;
  }
  view_changed.notify_all();
}

void Replica::State::verify(TxHash hash, SharedBytes bytes) {
  verifying->post([this, hash, bytes = std::move(bytes)] {
    auto verdict = std::make_shared<BodyVerdict>(
        BodyVerdict{hash,
                    check_body(bytes, chain->chain_id(), chain->epoch_at(chain->height().next()),
                               *config.verifier),
                    false});
    if (verdict->transaction) {
      verdict->executed = chain->find_transaction(verdict->transaction->id()).has_value();
    }
    post([this, verdict] { driver->on_verified(std::move(*verdict)); });
  });
}

// ------------------------------------------------------------------ the listener thread

void Replica::State::run_listeners(Height next) {
  for (;;) {
    Height upto;
    {
      std::unique_lock hold(view_mutex);
      view_changed.wait(hold, [&] { return ended || certified >= next; });
      if (certified < next) return;
      upto = certified;
    }
    for (; next <= upto; ++next) {
      for (const auto& listener : listeners) listener(next);
    }
  }
}

// ------------------------------------------------------------------ for others

void Replica::receive(ReplicaId from, MessageClass message_class, SharedBytes bytes) {
  State& state = *state_;
  {
    std::unique_lock hold(state.inbox_mutex);
    state.inbox_space.wait(hold, [&state] {
      return state.closing || state.inbox_bytes < state.config.inbox_bytes_max;
    });
    if (state.closing) return;
    state.inbox_bytes += bytes->size();
    state.inbox.push_back([&state, from, message_class, bytes = std::move(bytes)] {
      state.driver->on_message(from, message_class, bytes);
    });
  }
  state.inbox_wake.notify_one();
}

void Replica::submit(Bytes canonical_transaction, std::function<void(Result<TxHash>)> done) {
  State& state = *state_;
  auto checked = check_body(
      std::make_shared<const Bytes>(std::move(canonical_transaction)), state.chain->chain_id(),
      state.chain->epoch_at(state.chain->height().next()), *state.config.verifier);
  if (!checked) return done(checked.error());
  const TxHash hash = checked->hash();
  if (state.chain->find_transaction(checked->id())) return done(hash);
  const bool posted = state.post([&state, hash, done, transaction = *std::move(checked)] {
    const auto result = state.driver->submit(transaction);
    if (result || result.error().code == Errc::already_exists) return done(hash);
    done(result.error());
  });
  if (!posted) done(fail(Errc::closed, "this node is stopping; send the same bytes again later"));
}

Result<TxHash> Replica::submit(Bytes canonical_transaction) {
  auto answer = std::make_shared<std::promise<Result<TxHash>>>();
  std::future<Result<TxHash>> waiting = answer->get_future();
  submit(std::move(canonical_transaction),
         [answer](Result<TxHash> result) { answer->set_value(std::move(result)); });
  return waiting.get();
}

void Replica::on_certified(std::function<void(Height)> listener) {
  ASSERT(state_->driver == nullptr);
  state_->listeners.push_back(std::move(listener));
}

bool Replica::wait_certified(Height height, std::uint64_t timeout_ms) const {
  const State& state = *state_;
  std::unique_lock hold(state.view_mutex);
  state.view_changed.wait_for(hold, std::chrono::milliseconds(timeout_ms),
                              [&] { return state.ended || state.certified >= height; });
  return state.certified >= height;
}

Replica::Status Replica::status() const {
  const std::lock_guard hold(state_->view_mutex);
  return state_->view;
}

const ledger::Chain& Replica::chain() const { return *state_->chain; }
void Replica::prune(Height last) { state_->chain->prune(last); }
void Replica::reclaim(std::atomic<bool>& cancelled) { state_->chain->reclaim(cancelled); }
BootRecord Replica::boot() const { return state_->boot; }
ReplicaId Replica::self() const { return state_->self; }
bool Replica::is_validator() const { return state_->validator; }

}  // namespace baolian::node
