/// Pruning readings while blocks go on: disk before and after, the rate of execution before, during
/// and after. Blocks are made offline by the production executor, chain and pruner, one operation a
/// transaction, certified by toy signatures; no network and no consensus log.
/// Usage: baolian_prune_bench DIRECTORY [readings] [readings per block] [heights per archive file]
/// [quiet]; with quiet = 1 no blocks are made meanwhile: disk before and after of the same
/// readings.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "consensus/batch.h"
#include "contracts/execute.h"
#include "contracts/operations.h"
#include "node/executor.h"
#include "node/pruner.h"
#include "sim/world.h"

namespace {

using namespace baolian;
using node::SharedBytes;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kFirstMs = 1'780'000'000'000;
constexpr std::uint64_t kFlushBlocks = 10;  // about a second of blocks at full rate
constexpr std::uint64_t kRateReadings = 100'000;

std::uint64_t argument(int argc, char** argv, int index, std::uint64_t otherwise) {
  return index < argc ? std::strtoull(argv[index], nullptr, 10) : otherwise;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::uint64_t directory_bytes(const std::string& directory) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator file(directory, error), end;
       !error && file != end; file.increment(error)) {
    std::error_code gone;  // RocksDB removes files meanwhile
    const auto size = file->is_regular_file(gone) ? file->file_size(gone) : 0;
    if (!gone) bytes += size;
  }
  return bytes;
}

template <typename Id>
Id numbered(std::uint64_t seed) {
  return Id::from(
      BytesView(crypto::sha256(as_bytes(std::to_string(seed))).bytes).subspan(0, Id::kSize));
}

/// Makes, executes and certifies blocks of readings of one record.
class BlockMaker {
 public:
  BlockMaker(const sim::World& world, ledger::Chain& chain, std::uint64_t readings_per_block)
      : world_(world),
        chain_(chain),
        executor_(chain, crypto::toy_verifier()),
        per_block_(readings_per_block) {
    if (chain.height().value == 0) {
      register_record();
      return;
    }
    readings_ = (chain.height().value - 1) * per_block_;
    nonce_ += 1 + readings_;
  }

  void make_block() {
    std::vector<SharedBytes> bodies;
    for (std::uint64_t i = 0; i < per_block_; ++i) {
      contracts::RecordsRead content;
      content.record = {record_, 1};
      content.basis = {contracts::BasisKind::care, numbered<Hash>(nonce_)};
      content.originator = {gateway().institution, gateway().member,
                            contracts::SignedBy::institution};
      content.vault = gateway().vault;
      bodies.push_back(sign(contracts::make_operation(content, numbered<RequestId>(nonce_ + 2))));
    }
    execute(std::move(bodies));
    readings_ += per_block_;
  }

  std::uint64_t readings() const { return readings_; }
  void flush() { executor_.flush(); }

 private:
  void register_record() {
    contracts::RecordsRegister content;
    content.record = {record_, 1};
    content.subject.value = numbered<Tag32>(5);
    content.commitment = numbered<Commitment>(9);
    content.vault = gateway().vault;
    execute({sign(contracts::make_operation(content, numbered<RequestId>(1)))});
  }

  const sim::Sender& gateway() const { return world_.senders[1]; }

  SharedBytes sign(ledger::Operation operation) {
    ledger::TransactionBody body;
    body.chain_id = world_.chain_id;
    body.sender = gateway().signer->public_key();
    body.nonce = Nonce{nonce_++};
    body.expires_at = TimeMs{kFirstMs + chain_.height().value + 300'000};
    body.operations = {std::move(operation)};
    return std::make_shared<const Bytes>(
        encode(ledger::sign_transaction(std::move(body), *gateway().signer)));
  }

  void execute(std::vector<SharedBytes> bodies) {
    node::ExecuteRequest request;
    request.height = chain_.height().next();
    consensus::Batch batch;
    batch.height = request.height;
    batch.proposed_at = TimeMs{kFirstMs + request.height.value};
    request.bodies = std::move(bodies);
    for (const auto& body : request.bodies) batch.transactions.push_back(ledger::tx_hash(*body));
    request.batch = std::make_shared<const Bytes>(encode(batch));
    request.digest = consensus::batch_digest(*request.batch);
    const auto applied = executor_.execute(request);
    ASSERT(applied.has_value());
    certify(*applied);
    if (request.height.value % kFlushBlocks == 0) executor_.flush();
  }

  void certify(const node::AppliedBlock& block) {
    const crypto::EpochRecord& epoch = chain_.epoch_at(block.height);
    crypto::ExecCertificate certificate;
    certificate.epoch = epoch.epoch;
    certificate.vote = {block.height, block.header_hash};
    const Hash body = crypto::sha256(encode(certificate.vote));
    for (const auto& signer : world_.node_signers) {
      const auto index = crypto::validator_index(epoch, signer->public_key());
      if (!index) continue;
      certificate.signatures.push_back(
          {*index,
           signer->sign_object(crypto::ObjectType::exec, world_.chain_id, epoch.epoch, body)});
    }
    std::sort(certificate.signatures.begin(), certificate.signatures.end());
    certificate.signatures.resize(crypto::Quorum{epoch.validators.size()}.quorum());
    executor_.put_certificate(certificate);
  }

  const sim::World& world_;
  ledger::Chain& chain_;
  node::Executor executor_;
  const std::uint64_t per_block_;
  const RecordId record_ = numbered<RecordId>(77);
  std::uint64_t nonce_ = 1;
  std::uint64_t readings_ = 0;
};

/// Blocks while `condition` holds; readings a second and the longest block.
struct Rate {
  double per_s = 0;
  double longest_ms = 0;
  double seconds = 0;
};
template <typename Condition>
Rate make_while(BlockMaker& maker, const Condition& condition) {
  Rate out;
  const std::uint64_t first = maker.readings();
  const auto start = Clock::now();
  while (condition()) {
    const auto block = Clock::now();
    maker.make_block();
    out.longest_ms = std::max(out.longest_ms, seconds_since(block) * 1000);
  }
  out.seconds = seconds_since(start);
  out.per_s = static_cast<double>(maker.readings() - first) / out.seconds;
  return out;
}

void print(const char* when, const Rate& rate) {
  std::printf("%-7s %8.0f readings/s over %.1f s, longest block %.0f ms\n", when, rate.per_s,
              rate.seconds, rate.longest_ms);
  std::fflush(stdout);
}

double mib(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

/// A chain with its archive, and who makes its blocks. Closing and opening again moves what is in
/// RocksDB's log into tables, so that sizes are those of what is kept.
struct OpenChain {
  std::unique_ptr<ledger::Chain> chain;
  std::shared_ptr<const ledger::Archive> archive;
  std::optional<BlockMaker> maker;
};

Result<OpenChain> open_chain(const sim::World& world, const std::string& directory,
                             std::uint64_t per_block, std::uint64_t span) {
  OpenChain out;
  TRY(auto store, ledger::open_rocksdb_store(directory + "/store"));
  TRY(out.chain, ledger::Chain::open(std::move(store), world.genesis,
                                     contracts::genesis_writes(world.genesis)));
  out.archive =
      std::make_shared<const ledger::Archive>(directory + "/archive", world.chain_id, span);
  out.chain->use_archive(out.archive);
  out.maker.emplace(world, *out.chain, per_block);
  return out;
}

/// Every span that may go, with nothing beside it.
void prune_quietly(OpenChain& open) {
  node::Pruner pruner({.retention_ms = 0, .verifier = &crypto::toy_verifier()},
                      {*open.chain, open.archive, [&](Height to) { open.chain->prune(to); },
                       [&](std::atomic<bool>& cancelled) { open.chain->reclaim(cancelled); }});
  for (;;) {
    const auto done = pruner.prune_next();
    if (!done || !*done) return;
    std::printf(
        "span of %llu heights: archived and checked in %llu ms, space returned in %llu ms\n",
        static_cast<unsigned long long>((*done)->span.count()),
        static_cast<unsigned long long>((*done)->archive_ms),
        static_cast<unsigned long long>((*done)->reclaim_ms));
  }
}

/// Blocks and pruning at the same time, until every whole span of the blocks below is pruned.
void prune(OpenChain& open, std::uint64_t span) {
  ledger::Chain& chain = *open.chain;
  BlockMaker& maker = *open.maker;
  const Height last{(chain.height().value / span) * span};
  // So many blocks above that all spans up to `last` may go.
  make_while(maker, [&] { return chain.durable_height() < last + 64 + kFlushBlocks; });
  node::Pruner pruner({.retention_ms = 0, .poll_ms = 10, .verifier = &crypto::toy_verifier()},
                      {chain, open.archive, [&](Height to) { chain.prune(to); },
                       [&](std::atomic<bool>& cancelled) { chain.reclaim(cancelled); }});
  pruner.start();
  const Rate during = make_while(maker, [&] { return chain.first_block() <= last; });
  pruner.stop();
  print("during", during);
  const std::uint64_t up_to = maker.readings() + kRateReadings;
  print("after", make_while(maker, [&] { return maker.readings() < up_to; }));
  maker.flush();
}

Result<void> run(const std::string& directory, std::uint64_t readings, std::uint64_t per_block,
                 std::uint64_t span, bool is_quiet) {
  const sim::World world = sim::make_world(4, 0, 1);
  {
    TRY(OpenChain open, open_chain(world, directory, per_block, span));
    BlockMaker& maker = *open.maker;
    make_while(maker, [&] { return maker.readings() + kRateReadings < readings; });
    print("before", make_while(maker, [&] { return maker.readings() < readings; }));
    maker.flush();
  }
  std::uint64_t before = 0;
  std::uint64_t before_readings = 0;
  {
    TRY(OpenChain open, open_chain(world, directory, per_block, span));
    before = directory_bytes(directory + "/store");
    before_readings = open.maker->readings();
    if (is_quiet) {
      prune_quietly(open);
    } else {
      prune(open, span);
    }
  }
  TRY(const OpenChain open, open_chain(world, directory, per_block, span));
  const std::uint64_t first_block = open.chain->first_block().value;
  const std::uint64_t kept = (open.chain->height().value - first_block + 1) * per_block;
  std::printf(
      "store with %llu readings %.1f MiB; blocks 1 to %llu pruned: %.1f MiB with %llu "
      "readings, the newest %llu of them whole; archive %.1f MiB\n",
      static_cast<unsigned long long>(before_readings), mib(before),
      static_cast<unsigned long long>(first_block - 1), mib(directory_bytes(directory + "/store")),
      static_cast<unsigned long long>(open.maker->readings()),
      static_cast<unsigned long long>(kept), mib(directory_bytes(directory + "/archive")));
  return ok();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs(
        "usage: baolian_prune_bench DIRECTORY [readings] [readings per block] "
        "[heights per archive file] [quiet]\n",
        stderr);
    return 2;
  }
  const auto done = run(argv[1], argument(argc, argv, 2, 1'000'000), argument(argc, argv, 3, 200),
                        argument(argc, argv, 4, 1'000), argument(argc, argv, 5, 0) == 1);
  if (!done) std::fprintf(stderr, "%s\n", done.error().context.c_str());
  return done ? 0 : 1;
}
