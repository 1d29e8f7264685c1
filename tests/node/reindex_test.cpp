/// Issue 5, indexes: `baoliand --reindex` makes every index row again, byte for byte, from whatever
/// was left of them, also if it is killed on the way.
#include "node/reindex.h"

#include "contracts/execute.h"
#include "core/prng.h"
#include "ledger/chain_state.h"
#include "ledger/index_format.h"
#include "node/verify_fixture.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

using ledger::Family;
using test::ChainMaker;
using test::verify_world;

constexpr std::uint64_t kHeight = 280;  // two subtrees of the record's log
constexpr std::array<Family, 4> kFamilies = {Family::blocks, Family::state, Family::index,
                                             Family::meta};

using Rows = std::vector<std::vector<ledger::KeyValue>>;

Rows rows_of(const ledger::KeyValueStore& store) {
  Rows out;
  for (const Family family : kFamilies) out.push_back(store.scan(family, {}, {}, SIZE_MAX));
  return out;
}

bool is_same(const Rows& a, const Rows& b) {
  const auto is_equal = [](const ledger::KeyValue& x, const ledger::KeyValue& y) {
    return x.key == y.key && x.value == y.value;
  };
  for (std::size_t i = 0; i < kFamilies.size(); ++i) {
    if (!std::equal(a[i].begin(), a[i].end(), b[i].begin(), b[i].end(), is_equal)) return false;
  }
  return true;
}

/// A store in memory with a chain of every kind of block; a new one each time.
struct Made {
  std::shared_ptr<ledger::MemoryDisk> disk = std::make_shared<ledger::MemoryDisk>();
  std::unique_ptr<ledger::KeyValueStore> store = ledger::make_memory_store(disk);

  explicit Made(std::uint64_t height = kHeight) {
    ChainMaker(ledger::make_memory_store(disk)).grow_to(height);
  }
};

Result<Height> run(ledger::KeyValueStore& store) {
  return reindex(store, ledger::make_memory_store(), verify_world().genesis, crypto::toy_verifier(),
                 {});
}

Result<std::unique_ptr<ledger::Chain>> open(const Made& made) {
  const auto& genesis = verify_world().genesis;
  return ledger::Chain::open(ledger::make_memory_store(made.disk), genesis,
                             contracts::genesis_writes(genesis));
}

/// Erases, changes and adds index rows.
void damage_index(ledger::KeyValueStore& store, std::uint64_t seed) {
  Prng prng(seed);
  for (const ledger::KeyValue& row : store.scan(Family::index, {}, {}, SIZE_MAX)) {
    Bytes key = row.key;
    Bytes value = row.value;
    switch (prng.below(6)) {
      case 0:
        store.apply({{Family::index, key, std::nullopt}});
        break;
      case 1:
        value[prng.below(value.size())] ^= 1;
        store.apply({{Family::index, key, value}});
        break;
      case 2:
        key[prng.below(key.size())] ^= 1;
        store.apply({{Family::index, key, value}});
        break;
      default:
        break;
    }
  }
}

/// Passes on so many batches, and nothing after them: what a killed process leaves.
class KilledStore final : public ledger::KeyValueStore {
 public:
  KilledStore(ledger::KeyValueStore& below, std::size_t batches) : below_(below), left_(batches) {}

  std::optional<Bytes> read(Family family, BytesView key) const override {
    return below_.read(family, key);
  }
  std::vector<ledger::KeyValue> scan(Family family, const ledger::KeyRange& range,
                                     std::size_t limit) const override {
    return is_dead() ? std::vector<ledger::KeyValue>() : below_.scan(family, range, limit);
  }
  void apply(const std::vector<ledger::StoreWrite>& batch) override {
    if (is_dead()) return;
    --left_;
    below_.apply(batch);
  }
  void flush() override {
    if (!is_dead()) below_.flush();
  }
  std::unique_ptr<ledger::StateReader> freeze_state() const override {
    return below_.freeze_state();
  }
  bool is_dead() const { return left_ == 0; }

 private:
  ledger::KeyValueStore& below_;
  std::size_t left_;
};

TEST_CASE("reindex: rows lost, changed and added at random are as before again", "[reindex]") {
  const auto seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{6}));
  Made made;
  const Rows before = rows_of(*made.store);
  damage_index(*made.store, seed);
  REQUIRE_FALSE(is_same(before, rows_of(*made.store)));
  REQUIRE(test::audit(*made.store).report.damage_count() > 0);
  const auto done = run(*made.store);
  INFO((done ? "" : done.error().context));
  REQUIRE(done.has_value());
  CHECK(*done == Height{kHeight});
  CHECK(is_same(before, rows_of(*made.store)));
  CHECK(test::audit(*made.store).report.damage_count() == 0);
  CHECK(open(made).has_value());
}

TEST_CASE("reindex: killed after any batch, no node opens the store and a second run is whole",
          "[reindex]") {
  static const Rows before = rows_of(*Made(40).store);
  const auto batches = GENERATE(1, 2, 3, 4, 10, 25, 40, 41);
  CAPTURE(batches);
  Made made(40);
  KilledStore killed(*made.store, static_cast<std::size_t>(batches));
  (void)run(killed);
  REQUIRE(killed.is_dead());
  const auto refused = open(made);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::store_corrupt);
  CHECK(refused.error().context.find("interrupted") != std::string::npos);
  CHECK(refused.error().context.find("baoliand --reindex") != std::string::npos);
  CHECK(test::has_finding(test::audit(*made.store).report, ledger::Damage::mark, std::nullopt,
                          "index"));
  REQUIRE(run(*made.store).has_value());
  CHECK(is_same(before, rows_of(*made.store)));
  CHECK(open(made).has_value());
}

TEST_CASE("reindex: after a power cut the mark tells, whatever survived", "[reindex]") {
  const auto surviving = GENERATE(0, 1, 5, 30);
  Made made(40);
  const Rows before = rows_of(*made.store);
  KilledStore killed(*made.store, 35);
  (void)run(killed);
  made.disk->power_cut(static_cast<std::size_t>(surviving));
  CHECK_FALSE(open(made).has_value());
  REQUIRE(run(*made.store).has_value());
  CHECK(is_same(before, rows_of(*made.store)));
}

TEST_CASE("reindex: a store of an older format is refused with the command, and opens after it",
          "[reindex]") {
  Made made(20);
  const Rows before = rows_of(*made.store);
  const Bytes mark = ledger::chain_keys::index_mark();
  SECTION("no mark") {
    made.store->apply({{Family::meta, mark, std::nullopt}});
    for (const auto& row : made.store->scan(Family::index, as_bytes("o"), {}, SIZE_MAX)) {
      made.store->apply({{Family::index, row.key, std::nullopt}});
    }
  }
  SECTION("a later format") {
    made.store->apply(
        {{Family::meta, mark,
          encode(ledger::IndexMark{.format = ledger::kIndexFormat + 1, .is_whole = true})}});
  }
  SECTION("no readable mark") { made.store->apply({{Family::meta, mark, Bytes{1}}}); }
  const auto refused = open(made);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().context.find("baoliand --reindex --config FILE") != std::string::npos);
  REQUIRE(run(*made.store).has_value());
  CHECK(is_same(before, rows_of(*made.store)));
  CHECK(open(made).has_value());
}

TEST_CASE("reindex: blocks that do not begin at height 1 are refused and nothing is erased",
          "[reindex]") {
  Made made(20);
  made.store->apply({{Family::blocks, ledger::chain_keys::block(Height{1}), std::nullopt}});
  const Rows before = rows_of(*made.store);
  const auto refused = run(*made.store);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::pruned);
  CHECK(is_same(before, rows_of(*made.store)));
}

TEST_CASE("reindex: a block that this program would not make, or cannot read, stops it",
          "[reindex]") {
  Made made(20);
  const Bytes key = ledger::chain_keys::block(Height{9});
  auto block = *decode<ledger::StoredBlock>(*made.store->read(Family::blocks, key));
  const auto put = [&](std::optional<Bytes> value) {
    made.store->apply({{Family::blocks, key, std::move(value)}});
    const auto stopped = run(*made.store);
    REQUIRE_FALSE(stopped.has_value());
    CHECK(stopped.error().context.find("height 9") != std::string::npos);
    CHECK_FALSE(open(made).has_value());
    return stopped.error().code;
  };
  SECTION("another header") {
    block.header.state_root.bytes[0] ^= 1;
    CHECK(put(encode(block)) == Errc::bad_block);
  }
  SECTION("another body") {
    block.transactions[0].back() ^= 1;
    CHECK(put(encode(block)) == Errc::bad_block);
  }
  SECTION("lost") { CHECK(put(std::nullopt) == Errc::store_corrupt); }
  SECTION("unreadable") { CHECK(put(Bytes{9, 9}) == Errc::store_corrupt); }
}

TEST_CASE("reindex: another genesis, and an empty store, are refused", "[reindex]") {
  Made made(3);
  const Rows before = rows_of(*made.store);
  ledger::Genesis other = verify_world().genesis;
  other.name = "another";
  const auto refused =
      reindex(*made.store, ledger::make_memory_store(), other, crypto::toy_verifier(), {});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::wrong_chain);
  CHECK(is_same(before, rows_of(*made.store)));
  CHECK(run(*ledger::make_memory_store()).error().code == Errc::wrong_chain);
}

TEST_CASE("reindex: of a data directory, with RocksDB, leaving nothing beside the store",
          "[reindex]") {
  const test::TemporaryDirectory directory;
  const std::string data = directory.path.string();
  const auto open_store = [&] {
    auto store = ledger::open_rocksdb_store(data + "/store");
    REQUIRE(store.has_value());
    return *std::move(store);
  };
  ChainMaker(open_store()).grow_to(60);
  const Rows before = rows_of(*open_store());
  damage_index(*open_store(), 3);
  std::filesystem::create_directories(data + "/reindex.tmp/of-a-killed-run");
  std::vector<std::uint64_t> seen;
  const auto progress = [&](Height done, Height newest) {
    CHECK(newest == Height{60});
    seen.push_back(done.value);
  };
  const auto done = reindex_directory(data, verify_world().genesis, progress);
  INFO((done ? "" : done.error().context));
  REQUIRE(done.has_value());
  CHECK(*done == Height{60});
  CHECK(seen.size() == 60);
  CHECK(seen.back() == 60);
  CHECK(is_same(before, rows_of(*open_store())));
  CHECK_FALSE(std::filesystem::exists(data + "/reindex.tmp"));

  const auto held = open_store();  // as by a node that runs
  const auto refused = reindex_directory(data, verify_world().genesis, {});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::io_failed);
}

}  // namespace
}  // namespace baolian::node
