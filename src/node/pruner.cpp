#include "node/pruner.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>

#include "contracts/execute.h"
#include "ledger/archive_write.h"
#include "ledger/audit/archive_check.h"
#include "net/thread_name.h"
#include "node/verify_node.h"

namespace baolian::node {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kNiceness = 10;  // consensus and execution come first

std::uint64_t ms_since(Steady::time_point start) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - start).count());
}

}  // namespace

Pruner::Pruner(Config config, Ports ports)
    : config_(config),
      ports_(std::move(ports)),
      genesis_writes_(contracts::genesis_writes(ports_.chain.genesis())),
      batches_(batch_reader(ports_.chain.chain_id())) {}

Pruner::~Pruner() { stop(); }

void Pruner::start() {
  ASSERT(!thread_.joinable());
  thread_ = std::thread([this] {
    net::name_thread("pruner");
    run();
  });
}

void Pruner::stop() {
  {
    const std::lock_guard hold(mutex_);
    cancelled_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::optional<ledger::HeightSpan> Pruner::due() const {
  const ledger::Chain& chain = ports_.chain;
  const Height first = chain.first_block();
  const ledger::HeightSpan span{first, ledger::span_around(first, ports_.archive->span()).last};
  const std::uint64_t kept = 2ULL * chain.epoch_at(chain.height()).log_window + 32;
  if (span.last + kept > chain.durable_height()) return std::nullopt;
  const auto last = chain.header(span.last);
  const auto newest = chain.header(chain.height());
  if (!last || !newest) return std::nullopt;
  const std::uint64_t age_ms = newest->timestamp.value - last->timestamp.value;
  if (age_ms < config_.retention_ms) return std::nullopt;
  return span;
}

/// Reads the file back as verify-node would. Signatures of transactions are left out: the blocks
/// are those of this node's certified headers.
Result<ledger::ArchiveFile> Pruner::check(const ledger::HeightSpan& span) const {
  const std::string path = ports_.archive->path_of(span, ledger::kArchiveBlocksEnding);
  const ledger::ChainAuditConfig config{ports_.chain.genesis(), genesis_writes_, batches_,
                                        *config_.verifier, ledger::TransactionSignatures::skipped};
  ledger::AuditReport report;
  ledger::check_archive(
      path, config, ledger::ArchiveProof::certificate,
      [this](Height height) { return ports_.chain.header(height); }, report);
  if (const ledger::Finding* first = report.first()) {
    return fail(Errc::store_corrupt, first->place + ": " + first->what +
                                         "; nothing was pruned; look at the disk, remove the file "
                                         "and it is written again");
  }
  return ledger::ArchiveFile::open(path);
}

Result<std::optional<Pruner::Done>> Pruner::prune_next() {
  const auto span = due();
  if (!span) return std::optional<Done>{};
  Done done{.span = *span, .hash = {}};
  auto start = Steady::now();
  TRY(ledger::write_archive(ports_.chain, *ports_.archive, *span));
  TRY(const ledger::ArchiveFile file, check(*span));
  done.hash = file.hash();
  done.size_bytes = file.size_bytes();
  done.archive_ms = ms_since(start);
  start = Steady::now();
  ports_.prune(span->last);
  ports_.reclaim(cancelled_);
  done.reclaim_ms = ms_since(start);
  return std::optional(done);
}

void Pruner::run() {
  if (::nice(kNiceness) == -1) spdlog::debug("pruning runs at the usual priority");
  while (!cancelled_) {
    const auto pruned = prune_next();
    if (!pruned) {
      spdlog::error("pruning: {}: {}", errc_name(pruned.error().code), pruned.error().context);
    } else if (*pruned) {
      const Done& done = **pruned;
      spdlog::info("archived and pruned {}: {} bytes, hash {}, {} ms, space returned in {} ms",
                   ledger::archive_name(done.span), done.size_bytes, done.hash.hex(),
                   done.archive_ms, done.reclaim_ms);
      continue;
    }
    std::unique_lock hold(mutex_);
    wake_.wait_for(hold, std::chrono::milliseconds(config_.poll_ms),
                   [this] { return cancelled_.load(); });
  }
}

}  // namespace baolian::node
