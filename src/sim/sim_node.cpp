#include "sim/sim_node.h"

#include <algorithm>

#include "contracts/execute.h"
#include "node/header_reader.h"

namespace baolian::sim {

SimNode::SimNode(node::ReplicaId id, const NodeOptions& options, const Surroundings& around,
                 Prng prng)
    : id_(id), options_(options), around_(around), prng_(prng) {}

SimNode::~SimNode() = default;

TimeMs SimNode::wall() const {
  const auto skew = static_cast<std::uint64_t>(options_.clock_skew_ms);  // wraps as it should
  return around_.events.wall() + skew;
}

void SimNode::after(std::uint64_t delay_ms, std::function<void()> event) {
  around_.events.after(delay_ms, [this, run = run_, event = std::move(event)] {
    if (run == run_ && is_up()) event();
  });
}

void SimNode::on_executor(std::uint64_t delay_ms, std::function<void()> event) {
  const Tick now = around_.events.now();
  executor_free_at_ = std::max(executor_free_at_, now) + delay_ms;
  after(executor_free_at_.value - now.value, std::move(event));
}

void SimNode::start() {
  ASSERT(!is_up());
  ++run_;
  const World& world = around_.world;
  auto chain = ledger::Chain::open(ledger::make_memory_store(store_disk_), world.genesis,
                                   contracts::genesis_writes(world.genesis));
  auto records = log_disk_.replay();
  if (!chain || !records) {
    const Error& error = chain ? records.error() : chain.error();
    return around_.checker.violation("node " + std::to_string(id_) +
                                     " cannot start again: " + error.context);
  }
  chain_ = *std::move(chain);
  executor_ = std::make_unique<node::Executor>(*chain_, crypto::toy_verifier());
  executor_free_at_ = around_.events.now();
  log_ = std::make_unique<SimLog>(
      SimLog::Config{
          .sync_ms_max = options_.sync_ms_max,
          .honesty = options_.disk,
          .segment_bytes = options_.log_segment_bytes,
          .on_durable =
              [this](PersistId id) {
                driver_->on_persisted(id);
                after_step();
              },
          .after = [this](std::uint64_t delay_ms,
                          std::function<void()> event) { after(delay_ms, std::move(event)); }},
      log_disk_, prng_.fork(run_));

  node::ReplicaDriver::Config config = options_.driver;
  config.engine.chain_id = world.chain_id;
  config.engine.epoch = world.genesis.epoch;
  config.engine.observer_count = world.node_signers.size() - world.validator_count;
  config.engine.verifier = &crypto::toy_verifier();
  if (world.is_validator(id_)) {
    config.engine.self = id_;
    config.engine.signer = world.node_signers[id_].get();
  }
  const Height executed = chain_->height();
  const Hash executed_hash = ledger::header_hash(*chain_->header(executed));
  around_.checker.on_restarted(id_, executed);
  driver_ = std::make_unique<node::ReplicaDriver>(
      config, node::ReplicaDriver::Ports{*this, *log_, *this, *this, *this},
      consensus::make_pbft_engine(config.engine, node::header_reader(), *std::move(records),
                                  executed, executed_hash));
  tick();
}

void SimNode::crash() {
  ASSERT(is_up());
  ++run_;
  driver_.reset();
  log_.reset();
  executor_.reset();
  chain_.reset();
  log_disk_.power_cut(prng_);
  store_disk_->power_cut(prng_.below(store_disk_->unflushed_batches() + 1));
}

void SimNode::tick() {
  driver_->on_tick(around_.events.now(), wall());
  after_step();
  after(options_.tick_ms, [this] { tick(); });
}

void SimNode::after_step() {
  driver_->check_invariants();
  around_.checker.on_status(id_, driver_->status());
  if (!driver_->evidence().empty()) {
    around_.checker.violation("I4: node " + std::to_string(id_) +
                              " has evidence against a correct validator");
  }
}

void SimNode::deliver(node::ReplicaId from, node::MessageClass message_class,
                      node::SharedBytes bytes) {
  if (!is_up()) return;
  around_.trace(id_, "deliver", *bytes);
  driver_->on_message(from, message_class, std::move(bytes));
  after_step();
}

Result<void> SimNode::submit(const node::SharedBytes& transaction) {
  ASSERT(is_up());
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

Result<void> SimNode::rebuild_and_compare() {
  ASSERT(is_up());
  const Hash root = chain_->header(chain_->height())->state_root;
  const Height height = chain_->height();
  TRY(const auto rebuilt,
      ledger::Chain::open(ledger::make_memory_store(store_disk_), around_.world.genesis,
                          contracts::genesis_writes(around_.world.genesis)));
  if (rebuilt->height() != height || rebuilt->header(height)->state_root != root) {
    return fail(Errc::store_corrupt, "the rebuilt chain differs from the running one");
  }
  return ok();
}

// ------------------------------------------------------------------ ports

void SimNode::send(node::ReplicaId to, node::MessageClass message_class, node::SharedBytes bytes) {
  around_.trace(id_, "send", *bytes);
  around_.checker.on_sent(id_, *bytes);
  around_.network.send(id_, to, message_class, bytes);
}

void SimNode::send_to_validators(node::MessageClass message_class, node::SharedBytes bytes) {
  around_.trace(id_, "send all", *bytes);
  around_.checker.on_sent(id_, *bytes);
  for (node::ReplicaId to = 0; to < around_.world.validator_count; ++to) {
    if (to != id_) around_.network.send(id_, to, message_class, bytes);
  }
}

void SimNode::ban(node::ReplicaId peer, std::string reason) {
  around_.checker.on_banned(id_, peer, reason);
}

void SimNode::execute(node::ExecuteRequest request) {
  on_executor(prng_.between(0, options_.execute_ms_max), [this, request = std::move(request)] {
    auto applied = executor_->execute(request);
    if (!applied) {
      driver_->on_execution_failed(applied.error());
    } else {
      around_.trace(id_, "executed", applied->header_hash.view());
      around_.checker.on_executed(id_, *chain_, applied->height);
      driver_->on_applied(*std::move(applied));
    }
    after_step();
  });
}

void SimNode::put_certificate(crypto::ExecCertificate certificate) {
  around_.checker.on_certified(certificate);
  on_executor(
      0, [this, certificate = std::move(certificate)] { executor_->put_certificate(certificate); });
}

void SimNode::read_blocks(const consensus::ReadBlocks& wanted) {
  on_executor(0, [this, wanted] {
    driver_->on_blocks_read(wanted.peer, executor_->read_blocks(wanted));
    after_step();
  });
}

void SimNode::flush() {
  on_executor(options_.sync_ms_max, [this] {
    driver_->on_flushed(executor_->flush());
    after_step();
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
  around_.checker.on_stopped(id_, reason);
}

void SimNode::on_transfer_needed(const crypto::ExecCertificate&) {
  around_.checker.violation("node " + std::to_string(id_) +
                            " asks for a snapshot, though its peers have all blocks");
}

}  // namespace baolian::sim
