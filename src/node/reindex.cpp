#include "node/reindex.h"

#include <filesystem>

#include "contracts/execute.h"
#include "ledger/index_format.h"
#include "ledger/replay_store.h"
#include "node/executor.h"

namespace baolian::node {
namespace {

ExecuteRequest request_of(ledger::StoredBlock block) {
  ExecuteRequest out;
  out.height = block.header.height;
  out.digest = block.header.batch_digest;
  if (!block.batch.empty()) out.batch = std::make_shared<const Bytes>(std::move(block.batch));
  for (Bytes& body : block.transactions) {
    out.bodies.push_back(std::make_shared<const Bytes>(std::move(body)));
  }
  return out;
}

/// Executes every block above 0 on a chain over `replay`.
Result<void> execute_all(const ledger::StoredChain& stored,
                         std::unique_ptr<ledger::KeyValueStore> replay,
                         const ledger::Genesis& genesis, const crypto::Verifier& verifier,
                         const ReindexProgress& progress) {
  TRY(const auto chain,
      ledger::Chain::open(std::move(replay), genesis, contracts::genesis_writes(genesis)));
  Executor executor(*chain, verifier, [&stored](Height height, const crypto::EpochRecord&) {
    return stored.epoch_fixed_at(height);
  });
  for (Height height{1}; height <= stored.newest(); height = height.next()) {
    TRY(ledger::StoredBlock block, stored.block(height));
    const Bytes header = encode(block.header);
    TRY(const AppliedBlock applied, executor.execute(request_of(std::move(block))));
    if (applied.header != header) {
      return fail(Errc::bad_block, "this program makes another block of height " +
                                       std::to_string(height.value) +
                                       " than the one that is stored; use the program version "
                                       "that the network agreed on");
    }
    if (const auto certificate = stored.certificate(height)) executor.put_certificate(*certificate);
    if (progress) progress(height, stored.newest());
  }
  return ok();
}

}  // namespace

Result<Height> reindex(ledger::KeyValueStore& store, std::unique_ptr<ledger::KeyValueStore> scratch,
                       const ledger::Genesis& genesis, const crypto::Verifier& verifier,
                       const ReindexProgress& progress) {
  TRY(const auto stored, ledger::StoredChain::open(store, genesis));
  store.apply({ledger::index_mark_row(false)});
  store.flush();
  store.clear(ledger::Family::index);
  TRY(execute_all(stored, ledger::make_replay_store(store, std::move(scratch)), genesis, verifier,
                  progress));
  store.flush();
  store.apply({ledger::index_mark_row(true)});
  store.flush();
  return stored.newest();
}

Result<Height> reindex_directory(const std::string& data_directory, const ledger::Genesis& genesis,
                                 const ReindexProgress& progress) {
  const std::string directory = data_directory + "/store";
  const std::string scratch_directory = data_directory + "/reindex.tmp";
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    return fail(Errc::not_found, "there is no chain store in " + data_directory);
  }
  // First the store: a node or another rebuild that has it open keeps its files.
  TRY(const auto store, ledger::open_rocksdb_store(directory));
  std::filesystem::remove_all(scratch_directory, error);
  if (error) return fail(Errc::io_failed, "cannot remove reindex.tmp: " + error.message());
  TRY(auto scratch, ledger::open_rocksdb_store(scratch_directory));
  auto done = reindex(*store, std::move(scratch), genesis, crypto::ed25519_verifier(), progress);
  std::filesystem::remove_all(scratch_directory, error);
  return done;
}

}  // namespace baolian::node
