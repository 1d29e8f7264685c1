/// Cost of proving and checking a window of a long complete log, on RocksDB.
/// Usage: baolian_log_window_bench DIRECTORY [entries] [entries per block]
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "core/prng.h"
#include "crypto/signing.h"
#include "ledger/chain.h"
#include "ledger/log_proof.h"

namespace {

using namespace baolian;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kCreatedMs = 1'700'000'000'000;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::uint64_t argument(int argc, char** argv, int index, std::uint64_t otherwise) {
  return index < argc ? std::strtoull(argv[index], nullptr, 10) : otherwise;
}

ledger::Genesis make_genesis() {
  ledger::Genesis genesis;
  genesis.name = "bench";
  genesis.created = {kCreatedMs};
  genesis.second_generator = "none";
  genesis.institutions.resize(1);
  genesis.institutions[0].name = "bench";
  genesis.institutions[0].kinds = {ledger::InstitutionKind::hospital};
  genesis.epoch.validators.resize(1);
  return genesis;
}

/// A block of one transaction whose operations are all appended to the log.
ledger::ExecutedBlock make_block(const ledger::Chain& chain, const ledger::LogId& log,
                                 std::uint64_t entries, const crypto::Signer& signer) {
  ledger::ExecutedBlock block;
  block.height = chain.height().next();
  block.timestamp = {kCreatedMs + block.height.value};
  for (std::uint64_t done = 0; done < entries;) {
    ledger::TransactionBody body;
    body.chain_id = chain.chain_id();
    body.sender = signer.public_key();
    body.nonce = {block.height.value << 20 | done};
    for (; done < entries && body.operations.size() < ledger::kOperationsMax; ++done) {
      body.operations.push_back(
          {.kind = 1, .request_id = {}, .content = Bytes(150, 7), .cosignatures = {}});
    }
    const auto transaction = ledger::sign_transaction(std::move(body), signer);
    block.transactions.push_back(encode(transaction));
    for (std::size_t i = 0; i < transaction.body.operations.size(); ++i) {
      block.appends.push_back({.leaf_index = static_cast<std::uint32_t>(block.leaves.size()),
                               .append = {.log = log, .line = 0}});
      block.leaves.push_back({.tx_hash = ledger::tx_hash(block.transactions.back()),
                              .op_index = static_cast<std::uint16_t>(i),
                              .sender = signer.public_key(),
                              .operation = encode(transaction.body.operations[i]),
                              .receipt = encode(ledger::Receipt{})});
    }
  }
  return block;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: baolian_log_window_bench DIRECTORY [entries] [per block]\n");
    return 2;
  }
  const std::uint64_t entries = argument(argc, argv, 2, 1'000'000);
  const std::uint64_t block_entries = argument(argc, argv, 3, 1'000);
  auto store = ledger::open_rocksdb_store(argv[1]);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().context.c_str());
    return 1;
  }
  auto opened = ledger::Chain::open(std::move(*store), make_genesis(), {});
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().context.c_str());
    return 1;
  }
  ledger::Chain& chain = **opened;
  const ledger::LogId log;
  const auto signer = crypto::make_toy_signer(1);
  double append_ms = 0;
  while (chain.log_frontier(log).count < entries) {
    auto block = make_block(chain, log, block_entries, *signer);
    const auto start = Clock::now();
    chain.append(std::move(block));
    append_ms += milliseconds_since(start);
  }
  chain.flush();
  std::printf("append   %8.2f us per operation in blocks of %llu\n",
              append_ms * 1000 / static_cast<double>(entries),
              static_cast<unsigned long long>(block_entries));

  Prng prng(1);
  constexpr int kRounds = 200;
  double prove_ms = 0;
  double check_ms = 0;
  for (int i = 0; i < kRounds; ++i) {
    const TimeMs from{kCreatedMs + prng.below(chain.height().value)};
    const TimeMs to = from + 1;
    Height at;
    auto start = Clock::now();
    const auto proof = chain.prove_log_window(log, from, to, at);
    prove_ms += milliseconds_since(start);
    const auto header = chain.header(at);
    if (!proof || !header) return 1;
    start = Clock::now();
    if (!ledger::check_log_window(header->state_root, header->timestamp, log, from, to, *proof)) {
      std::fprintf(stderr, "a window does not verify\n");
      return 1;
    }
    check_ms += milliseconds_since(start);
  }
  std::printf("prove    %8.2f ms per window of one block; check %.2f ms (log of %llu)\n",
              prove_ms / kRounds, check_ms / kRounds,
              static_cast<unsigned long long>(chain.log_frontier(log).count));
  return 0;
}
