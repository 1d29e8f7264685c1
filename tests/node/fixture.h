/// Transactions, a chain and a temporary directory for the tests of src/node.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "contracts/execute.h"
#include "crypto/random.h"
#include "ledger/chain.h"
#include "node/ports.h"
#include "sim/world.h"

namespace baolian::node::test {

inline constexpr std::uint64_t kNowMs = 1'750'000'100'000;

/// A signed transaction of the world's first sender; the operation kind is none that exists, so it
/// executes as a rejected operation and needs no state.
inline ledger::Transaction make_transaction(const sim::World& world, std::uint64_t nonce,
                                            std::size_t operations = 1,
                                            std::size_t content_bytes = 10) {
  ledger::TransactionBody body;
  body.chain_id = world.chain_id;
  const auto& signer = *world.senders.front().signer;
  body.sender = signer.public_key();
  body.nonce = Nonce{nonce};
  body.expires_at = TimeMs{kNowMs + 300'000};
  for (std::size_t i = 0; i < operations; ++i) {
    ledger::Operation operation;
    operation.kind = 60'000;
    operation.content = Bytes(content_bytes, static_cast<std::uint8_t>(i));
    body.operations.push_back(std::move(operation));
  }
  return ledger::sign_transaction(std::move(body), signer);
}

inline SharedBytes make_body(const sim::World& world, std::uint64_t nonce,
                             std::size_t operations = 1, std::size_t content_bytes = 10) {
  return std::make_shared<const Bytes>(
      encode(make_transaction(world, nonce, operations, content_bytes)));
}

inline CheckedTransaction make_checked(const sim::World& world, std::uint64_t nonce,
                                       std::size_t operations = 1, std::size_t content_bytes = 10) {
  auto checked = check_body(make_body(world, nonce, operations, content_bytes), world.chain_id,
                            world.genesis.epoch, crypto::toy_verifier());
  ASSERT(checked.has_value());
  return *std::move(checked);
}

inline std::unique_ptr<ledger::Chain> make_chain(const sim::World& world) {
  auto chain = ledger::Chain::open(ledger::make_memory_store(), world.genesis,
                                   contracts::genesis_writes(world.genesis));
  ASSERT(chain.has_value());
  return *std::move(chain);
}

/// A directory that goes away with the test.
struct TemporaryDirectory {
  std::filesystem::path path;
  TemporaryDirectory() {
    crypto::initialize();
    path = std::filesystem::temp_directory_path() /
           ("baolian-node-" + crypto::random_id<RequestId>().hex());
    std::filesystem::create_directory(path);
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace baolian::node::test
