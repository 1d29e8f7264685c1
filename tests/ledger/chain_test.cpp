#include "ledger/chain.h"

#include <atomic>
#include <thread>

#include "core/prng.h"
#include "crypto/hash.h"
#include "ledger/chain_state.h"
#include "ledger/fixture.h"
#include "ledger/memory_store.h"
#include "support/catch.h"

namespace baolian::ledger {
namespace {

using test::BlockBuilder;

constexpr std::uint64_t kStartMs = 1'700'000'001'000;

std::unique_ptr<Chain> open_chain(std::unique_ptr<KeyValueStore> store) {
  auto chain = Chain::open(std::move(store), test::make_genesis(), test::genesis_writes());
  INFO((chain ? "" : chain.error().context));
  REQUIRE(chain.has_value());
  return std::move(*chain);
}

/// Blocks of varied shape: empty, several transactions, rejected ones, writes and erasures.
void append_varied_blocks(Chain& chain, std::uint64_t count) {
  Prng prng(chain.height().value + 1);
  const LogId log = test::log_of(LogKind::reads_of_record, 1);
  for (std::uint64_t i = 0; i < count; ++i) {
    BlockBuilder builder(chain, TimeMs{kStartMs + chain.height().value * 100});
    for (std::uint64_t t = prng.below(4); t > 0; --t) {
      if (prng.chance_percent(25)) {
        builder.add_rejected_transaction();
      } else {
        builder.append_to(log, builder.add_transaction(prng.between(1, 5)), 0);
      }
    }
    for (std::uint64_t w = prng.below(6); w > 0; --w) {
      const std::string key = "k/" + std::to_string(prng.below(40));
      if (prng.chance_percent(30)) {
        builder.erase(key);
      } else {
        builder.write(key, std::to_string(prng.next()));
      }
    }
    chain.append(builder.take());
  }
}

Hash root_of_leaves(const std::vector<OperationLeaf>& leaves) {
  std::vector<Hash> hashes;
  for (const OperationLeaf& leaf : leaves) hashes.push_back(merkle_leaf_hash(encode(leaf)));
  return merkle_root(hashes);
}

std::vector<Hash> history_leaves(const Chain& chain, std::uint64_t count) {
  std::vector<Hash> hashes;
  for (std::uint64_t h = 0; h < count; ++h) {
    hashes.push_back(merkle_leaf_hash(header_hash(*chain.header(Height{h})).view()));
  }
  return hashes;
}

}  // namespace

TEST_CASE("chain: block 0 follows from genesis and its state alone", "[chain]") {
  const auto chain = open_chain(make_memory_store());
  const Header header = chain->header(Height{0}).value();
  CHECK(header == genesis_header(test::make_genesis(), test::genesis_writes()));
  CHECK(header.chain_id == chain_id_of(test::make_genesis()));
  CHECK(header.timestamp == test::make_genesis().created);
  CHECK(header.parent_hash.is_zero());
  CHECK(header.batch_digest.is_zero());
  CHECK(header.operations_root == empty_merkle_root());
  CHECK(header.history_root == empty_merkle_root());
  CHECK(header.validators_hash == crypto::validators_hash(test::make_genesis().epoch));
  CHECK(header.next_validators_hash.is_zero());
  CHECK(chain->read_state(as_bytes("member/a")) == to_bytes("one"));
  CHECK(chain->height() == Height{0});
  CHECK(chain->durable_height() == Height{0});
  CHECK(chain->certified_height() == Height{0});
  CHECK_FALSE(chain->certificate(Height{0}).has_value());
  CHECK(chain->block(Height{0})->transactions.empty());
  CHECK_FALSE(chain->header(Height{1}).has_value());
  const auto answer = chain->prove_state(as_bytes("member/b"));
  CHECK(check_state_proof(header.state_root, as_bytes("member/b"), answer.value, answer.proof)
            .has_value());
}

TEST_CASE("chain: every header commits to its parent, operations, state and history", "[chain]") {
  const auto chain = open_chain(make_memory_store());
  std::map<Bytes, Bytes> state;
  for (const auto& [key, value] : test::genesis_writes()) state[key] = *value;
  Prng prng(3);
  for (std::uint64_t h = 1; h <= 30; ++h) {
    BlockBuilder builder(*chain, TimeMs{kStartMs + h});
    for (std::uint64_t t = prng.below(3); t > 0; --t) builder.add_transaction(prng.between(1, 4));
    builder.write("k/" + std::to_string(prng.below(10)), std::to_string(h));
    builder.erase("k/" + std::to_string(10 + prng.below(3)));
    builder.write("k/" + std::to_string(10 + h % 4), "x");
    const auto writes = builder.block().writes;
    const auto leaves = builder.block().leaves;
    const Header header = chain->append(builder.take());

    for (const auto& [key, value] : writes) {
      if (value) {
        state[key] = *value;
      } else {
        state.erase(key);
      }
    }
    std::vector<StateTree::Change> changes;
    for (const auto& [key, value] : state) {
      changes.push_back({crypto::sha256(key), crypto::sha256(value)});
    }
    StateTree rebuilt;
    rebuilt.update(std::move(changes));
    REQUIRE(header.state_root == rebuilt.root());
    REQUIRE(header.height == Height{h});
    REQUIRE(header.parent_hash == header_hash(*chain->header(Height{h - 1})));
    REQUIRE(header.operations_root == root_of_leaves(leaves));
    REQUIRE(header.history_root == merkle_root(history_leaves(*chain, h)));
    REQUIRE(header.batch_digest == test::numbered<Hash>(h));
    REQUIRE(chain->header(Height{h}) == header);
    REQUIRE(chain->block(Height{h})->header == header);
    REQUIRE(chain->leaves(Height{h}) == leaves);
  }
}

TEST_CASE("chain: leaves of executed and wholly rejected transactions are rebuilt and proved",
          "[chain]") {
  const auto chain = open_chain(make_memory_store());
  BlockBuilder builder(*chain, TimeMs{kStartMs});
  CHECK(builder.add_transaction(3) == 0);
  CHECK(builder.add_rejected_transaction() == 3);
  CHECK(builder.add_transaction(1) == 4);
  CHECK(builder.add_rejected_transaction() == 5);
  const auto leaves = builder.block().leaves;
  const auto transactions = builder.block().transactions;
  const Header header = chain->append(builder.take());
  REQUIRE(leaves.size() == 6);
  CHECK(chain->leaves(Height{1}) == leaves);
  CHECK(leaves[3].op_index == kWholeTransaction);
  CHECK(leaves[3].operation.empty());
  for (std::uint32_t i = 0; i < leaves.size(); ++i) {
    const auto path = chain->prove_operation(Height{1}, i).value();
    CHECK(
        root_from_inclusion(merkle_leaf_hash(encode(leaves[i])), i, leaves.size(), path).value() ==
        header.operations_root);
  }
  CHECK(chain->prove_operation(Height{1}, 6).error().code == Errc::not_found);
  CHECK(chain->prove_operation(Height{2}, 0).error().code == Errc::not_found);
  CHECK(chain->prove_operation(Height{0}, 0).error().code == Errc::not_found);
  const std::vector<std::uint32_t> first = {0, 3, 4, 5};
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    const auto found = chain->find_transaction(tx_id_of_canonical(transactions[i]));
    REQUIRE(found.has_value());
    CHECK(found->height == Height{1});
    CHECK(found->first_leaf == first[i]);
  }
  CHECK_FALSE(chain->find_transaction(test::numbered<TxId>(1)).has_value());
}

TEST_CASE("chain: the place of a transaction is its first execution, not a rejected copy",
          "[chain]") {
  const auto chain = open_chain(make_memory_store());
  BlockBuilder first(*chain, TimeMs{kStartMs});
  first.add_rejected_transaction();
  const Bytes transaction = first.block().transactions.front();
  const TxId id = tx_id_of_canonical(transaction);
  chain->append(first.take());
  CHECK(chain->find_transaction(id)->height == Height{1});

  BlockBuilder second(*chain, TimeMs{kStartMs});
  second.add_copy(transaction, ReceiptStatus::applied);
  chain->append(second.take());
  CHECK(chain->find_transaction(id)->height == Height{2});

  BlockBuilder third(*chain, TimeMs{kStartMs});
  third.add_copy(transaction, ReceiptStatus::transaction_rejected);
  chain->append(third.take());
  CHECK(chain->find_transaction(id)->height == Height{2});
}

TEST_CASE("chain: history proofs include every earlier header and join any two checkpoints",
          "[chain]") {
  const auto chain = open_chain(make_memory_store());
  constexpr std::uint64_t kHeights = 600;  // beyond two stored subtrees of 256 headers
  for (std::uint64_t h = 1; h <= kHeights; ++h) {
    chain->append(BlockBuilder(*chain, TimeMs{kStartMs + h}).take());
  }
  const auto leaves = history_leaves(*chain, kHeights);
  for (const std::uint64_t height : {1U, 2U, 255U, 256U, 257U, 511U, 512U, 600U}) {
    const Hash root = chain->header(Height{height})->history_root;
    REQUIRE(root == merkle_root(std::span(leaves).first(height)));
    for (std::uint64_t old_height = 0; old_height < height; old_height += 1 + height / 40) {
      const auto path = chain->prove_history(Height{old_height}, Height{height}).value();
      REQUIRE(root_from_inclusion(leaves[old_height], old_height, height, path).value() == root);
      if (old_height == 0) continue;
      const auto proof = chain->prove_consistency(Height{old_height}, Height{height}).value();
      REQUIRE(check_consistency(old_height, chain->header(Height{old_height})->history_root, height,
                                root, proof)
                  .has_value());
    }
  }
  CHECK(chain->prove_history(Height{5}, Height{5}).error().code == Errc::bad_argument);
  CHECK(chain->prove_history(Height{5}, Height{601}).error().code == Errc::not_found);
  CHECK(chain->prove_consistency(Height{0}, Height{5}).error().code == Errc::bad_argument);
  CHECK(chain->prove_consistency(Height{5}, Height{601}).error().code == Errc::not_found);
}

TEST_CASE("chain: reopened it is the same chain, in memory and on disk", "[chain]") {
  const std::string name = GENERATE("memory", "rocksdb");
  CAPTURE(name);
  const auto disk = std::make_shared<MemoryDisk>();
  const test::TemporaryDirectory directory;
  const auto open_store = [&]() -> std::unique_ptr<KeyValueStore> {
    if (name == "memory") return make_memory_store(disk);
    return std::move(open_rocksdb_store(directory.path()).value());
  };
  // The same blocks on a chain that is never closed.
  const auto steady = open_chain(make_memory_store());
  for (int round = 0; round < 4; ++round) {
    const auto chain = open_chain(open_store());
    REQUIRE(chain->height() == steady->height());
    append_varied_blocks(*chain, 20);
    append_varied_blocks(*steady, 20);
    for (std::uint64_t h = 0; h <= chain->height().value; ++h) {
      REQUIRE(chain->header(Height{h}) == steady->header(Height{h}));
      REQUIRE(chain->block(Height{h}) == steady->block(Height{h}));
    }
  }
}

TEST_CASE("chain: another genesis or another block 0 is refused", "[chain]") {
  const auto disk = std::make_shared<MemoryDisk>();
  open_chain(make_memory_store(disk));
  Genesis other = test::make_genesis();
  other.name = "another network";
  CHECK(Chain::open(make_memory_store(disk), other, test::genesis_writes()).error().code ==
        Errc::wrong_chain);
  auto writes = test::genesis_writes();
  writes[to_bytes("member/c")] = to_bytes("three");
  CHECK(Chain::open(make_memory_store(disk), test::make_genesis(), writes).error().code ==
        Errc::wrong_chain);
  CHECK(open_chain(make_memory_store(disk))->height() == Height{0});
}

TEST_CASE("chain: a store with one changed, missing or added state row is refused", "[chain]") {
  for (const StoreWrite& damage :
       std::vector<StoreWrite>{{Family::state, to_bytes("member/a"), to_bytes("onf")},
                               {Family::state, to_bytes("member/a"), std::nullopt},
                               {Family::state, to_bytes("member/z"), to_bytes("new")},
                               {Family::meta, to_bytes("height"), std::nullopt},
                               {Family::meta, to_bytes("height"), to_bytes("x")},
                               {Family::meta, to_bytes("history"), std::nullopt},
                               {Family::meta, to_bytes("history"), encode(Frontier{})},
                               {Family::meta, to_bytes("certified"), std::nullopt}}) {
    const auto disk = std::make_shared<MemoryDisk>();
    append_varied_blocks(*open_chain(make_memory_store(disk)), 5);
    make_memory_store(disk)->apply({damage});
    const auto chain =
        Chain::open(make_memory_store(disk), test::make_genesis(), test::genesis_writes());
    CAPTURE(std::string(as_text(damage.key)));
    REQUIRE_FALSE(chain.has_value());
    CHECK(chain.error().code == Errc::store_corrupt);
  }
}

TEST_CASE("chain: certificates may come in any order, the first one stays", "[chain]") {
  const auto disk = std::make_shared<MemoryDisk>();
  auto chain = open_chain(make_memory_store(disk));
  append_varied_blocks(*chain, 6);
  const auto put = [&](std::uint64_t height) {
    chain->put_certificate(test::certificate_of(*chain->header(Height{height})));
  };
  put(1);
  put(4);
  CHECK(chain->certified_height() == Height{4});
  CHECK(chain->durable_height() == Height{0});
  chain->flush();
  CHECK(chain->durable_height() == Height{4});  // certifies 2 and 3 through parent_hash
  put(3);
  put(2);
  CHECK(chain->certified_height() == Height{4});  // newest, not last come
  chain->flush();
  CHECK(chain->durable_height() == Height{4});
  put(6);

  auto other = test::certificate_of(*chain->header(Height{2}));
  other.signatures.pop_back();
  chain->put_certificate(other);
  CHECK(chain->certificate(Height{2})->signatures.size() == 3);

  chain = open_chain(make_memory_store(disk));
  CHECK(chain->durable_height() == Height{6});
  CHECK(chain->certified_height() == Height{6});
  CHECK_FALSE(chain->certificate(Height{5}).has_value());
}

TEST_CASE("chain: rows of blocks that a crash left above the newest height are no part of it",
          "[chain]") {
  const auto steady_disk = std::make_shared<MemoryDisk>();
  const auto steady = open_chain(make_memory_store(steady_disk));
  append_varied_blocks(*steady, 8);
  for (std::uint64_t h = 1; h <= 8; ++h) {
    steady->put_certificate(test::certificate_of(*steady->header(Height{h})));
  }
  const auto disk = std::make_shared<MemoryDisk>();
  {
    const auto chain = open_chain(make_memory_store(disk));
    append_varied_blocks(*chain, 6);
    for (std::uint64_t h = 1; h <= 4; ++h) {
      chain->put_certificate(test::certificate_of(*chain->header(Height{h})));
    }
    chain->flush();
  }
  std::vector<Bytes> left;
  for (std::uint64_t h = 5; h <= 8; ++h) left.push_back(chain_keys::certificate(Height{h}));
  for (std::uint64_t h = 7; h <= 8; ++h) {
    left.push_back(chain_keys::header(Height{h}));
    left.push_back(chain_keys::block(Height{h}));
  }
  const auto store = make_memory_store(disk);
  const auto source = make_memory_store(steady_disk);
  for (const Bytes& key : left) {
    const auto value = source->read(Family::blocks, key);
    REQUIRE(value.has_value());
    store->apply({{Family::blocks, key, value}});
  }
  store->flush();

  const auto chain = open_chain(make_memory_store(disk));
  CHECK(chain->height() == Height{6});
  CHECK(chain->certified_height() == Height{4});
  CHECK_FALSE(chain->certificate(Height{5}).has_value());
  for (const Bytes& key : left) CHECK_FALSE(store->read(Family::blocks, key).has_value());
  CHECK(store->read(Family::blocks, chain_keys::block(Height{6})).has_value());
  CHECK(store->read(Family::blocks, chain_keys::certificate(Height{4})).has_value());
  chain->put_certificate(test::certificate_of(*chain->header(Height{5})));
  CHECK(chain->certified_height() == Height{5});
  append_varied_blocks(*chain, 2);
  CHECK(chain->height() == Height{8});
  CHECK(chain->block(Height{8}).has_value());
}

TEST_CASE("chain: whatever a power cut takes, one whole height is left and goes on alike",
          "[chain]") {
  const auto steady = open_chain(make_memory_store());
  append_varied_blocks(*steady, 12);
  for (std::size_t surviving = 0; surviving <= 16; ++surviving) {
    CAPTURE(surviving);
    const auto disk = std::make_shared<MemoryDisk>();
    {
      const auto chain = open_chain(make_memory_store(disk));
      append_varied_blocks(*chain, 4);
      for (std::uint64_t h = 1; h <= 4; ++h) {
        chain->put_certificate(test::certificate_of(*chain->header(Height{h})));
      }
      chain->flush();
      REQUIRE(chain->durable_height() == Height{4});
      for (std::uint64_t h = 5; h <= 12; ++h) {  // two batches a height
        // Block by block as the steady chain did: its generator depends on the height.
        const StoredBlock block = *steady->block(Height{h});
        ExecutedBlock again;
        again.height = block.header.height;
        again.batch_digest = block.header.batch_digest;
        again.timestamp = block.header.timestamp;
        again.batch = block.batch;
        again.transactions = block.transactions;
        again.leaves = steady->leaves(Height{h});
        again.writes[to_bytes("h")] = to_bytes(std::to_string(h));
        const Header header = chain->append(std::move(again));
        chain->put_certificate(test::certificate_of(header));
      }
    }
    REQUIRE(disk->unflushed_batches() == 16);
    disk->power_cut(surviving);
    const auto chain = open_chain(make_memory_store(disk));
    CHECK(chain->height().value == 4 + (surviving + 1) / 2);
    CHECK(chain->durable_height().value == 4 + surviving / 2);
    const auto h = chain->read_state(as_bytes("h"));
    CHECK(h.has_value() == (chain->height().value > 4));
    if (h) CHECK(*h == to_bytes(std::to_string(chain->height().value)));
    CHECK_FALSE(chain->header(chain->height().next()).has_value());
    CHECK_FALSE(chain->block(chain->height().next()).has_value());
    append_varied_blocks(*chain, 2);
  }
}

TEST_CASE("chain: proofs asked while blocks are appended belong to one height", "[chain]") {
  const auto chain = open_chain(make_memory_store());
  std::atomic<bool> is_done = false;
  std::atomic<int> wrong = 0;
  std::atomic<int> asked = 0;
  std::thread reader([&] {
    while (!is_done || asked == 0) {
      const auto answer = chain->prove_state(as_bytes("counter"));
      const auto header = chain->header(answer.at);
      if (!header ||
          !check_state_proof(header->state_root, as_bytes("counter"), answer.value, answer.proof)) {
        ++wrong;
      }
      ++asked;
    }
  });
  for (std::uint64_t h = 1; h <= 500; ++h) {
    BlockBuilder builder(*chain, TimeMs{kStartMs + h});
    builder.write("counter", std::to_string(h));
    builder.write("other/" + std::to_string(h), "x");
    chain->append(builder.take());
  }
  is_done = true;
  reader.join();
  CHECK(wrong == 0);
  CHECK(asked > 0);
}

}  // namespace baolian::ledger
