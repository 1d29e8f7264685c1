/// Issue 5, item 7 over rows: one flipped bit in each kind of row is found and named.
#include "core/prng.h"
#include "ledger/chain_state.h"
#include "ledger/index_rows.h"
#include "node/verify_fixture.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

using ledger::Damage;
using ledger::Family;
using test::audit;
using test::ChainMaker;
using test::has_finding;
using test::text_of;
namespace rows = ledger::chain_keys;

constexpr std::uint64_t kHeight = 270;  // one subtree of the history, two of the record's log

/// A whole chain in memory whose rows can be changed behind its back.
class DamagedChain {
 public:
  DamagedChain() {
    static const std::shared_ptr<ledger::MemoryDisk> whole = [] {
      auto disk = std::make_shared<ledger::MemoryDisk>();
      ChainMaker(ledger::make_memory_store(disk)).grow_to(kHeight);
      return disk;
    }();
    store_ = ledger::make_memory_store(whole);
  }
  /// Puts everything back: the disk is shared.
  ~DamagedChain() {
    for (auto& write : undo_) store_->apply({write});
  }

  const ledger::KeyValueStore& store() const { return *store_; }
  Bytes value(Family family, const Bytes& key) const {
    const auto bytes = store_->read(family, key);
    REQUIRE(bytes.has_value());
    return *bytes;
  }
  void put(Family family, const Bytes& key, std::optional<Bytes> value) {
    undo_.insert(undo_.begin(), {family, key, store_->read(family, key)});
    store_->apply({{family, key, std::move(value)}});
  }
  void flip(Family family, const Bytes& key, std::size_t byte, std::uint8_t bit = 1) {
    Bytes changed = value(family, key);
    REQUIRE(byte < changed.size());
    changed[byte] = static_cast<std::uint8_t>(changed[byte] ^ bit);
    put(family, key, std::move(changed));
  }
  void flip_last(Family family, const Bytes& key) {
    flip(family, key, value(family, key).size() - 1);
  }
  /// Replaces a decoded row by what `change` makes of it.
  template <typename T, typename Change>
  void edit(Family family, const Bytes& key, const Change& change) {
    auto decoded = decode<T>(value(family, key));
    REQUIRE(decoded.has_value());
    change(*decoded);
    put(family, key, encode(*decoded));
  }

 private:
  std::unique_ptr<ledger::KeyValueStore> store_;
  std::vector<ledger::StoreWrite> undo_;
};

/// The log with the most entries, by its stored subtrees.
ledger::LogId long_log(const ledger::KeyValueStore& store) {
  const auto found = store.scan(Family::index, as_bytes("s"), {}, 1);
  REQUIRE(found.size() == 1);
  const BytesView key = found.front().key;
  return {static_cast<ledger::LogKind>(key[1]), Hash::from(key.subspan(2, 32))};
}

/// Key of the row that holds an entry.
Bytes run_of(const ledger::KeyValueStore& store, const ledger::LogId& log, std::uint64_t position) {
  const auto found =
      store.scan(Family::index, rows::log_entries(log), rows::log_run(log, position), 1);
  REQUIRE(found.size() == 1);
  return found.front().key;
}

TEST_CASE("verify-node: a whole chain has no damage and every check has looked at something",
          "[verify-node]") {
  const DamagedChain chain;
  const auto result = audit(chain.store());
  INFO(text_of(result.report));
  CHECK(result.report.damage_count() == 0);
  CHECK(result.report.first() == nullptr);
  CHECK(result.chain.newest == Height{kHeight});
  CHECK(result.chain.certified == Height{kHeight});
  CHECK(result.chain.epochs.size() == 2);
  CHECK(result.report.remarks().empty());
  for (const auto& check : result.report.checks()) {
    CAPTURE(check.name);
    CHECK(check.checked > 0);
  }
}

TEST_CASE("verify-node: a tip without certificate is a remark, not a damage", "[verify-node]") {
  auto disk = std::make_shared<ledger::MemoryDisk>();
  ChainMaker(ledger::make_memory_store(disk)).grow_to(20);
  const auto result = audit(*ledger::make_memory_store(disk));
  INFO(text_of(result.report));
  CHECK(result.report.damage_count() == 0);
  CHECK(result.chain.certified == Height{18});
  REQUIRE(result.report.remarks().size() == 1);
  CHECK(result.report.remarks().front().find("19 to 20") != std::string::npos);
}

TEST_CASE("verify-node: one bit in a header row is named with its height", "[verify-node]") {
  DamagedChain chain;
  chain.flip(Family::blocks, rows::header(Height{20}), 60);
  const auto result = audit(chain.store());
  INFO(text_of(result.report));
  CHECK(result.report.damage_count() == 1);
  CHECK(has_finding(result.report, Damage::header, 20));
  CHECK(result.report.first_bad_height() == Height{20});
}

TEST_CASE("verify-node: one bit in the header inside a block row is the block's damage",
          "[verify-node]") {
  DamagedChain chain;
  chain.flip(Family::blocks, rows::block(Height{20}), 60);
  const auto result = audit(chain.store());
  INFO(text_of(result.report));
  CHECK(result.report.damage_count() == 1);
  CHECK(has_finding(result.report, Damage::block, 20));
}

TEST_CASE("verify-node: a header changed in all its rows still breaks chain and certificate",
          "[verify-node]") {
  DamagedChain chain;
  auto header = *decode<ledger::Header>(chain.value(Family::blocks, rows::header(Height{21})));
  header.state_root.bytes[0] ^= 1;
  chain.put(Family::blocks, rows::header(Height{21}), encode(header));
  chain.put(Family::meta, rows::header_hash(Height{21}),
            to_bytes(ledger::header_hash(header).view()));
  chain.edit<ledger::StoredBlock>(Family::blocks, rows::block(Height{21}),
                                  [&](auto& block) { block.header = header; });
  const auto result = audit(chain.store());
  INFO(text_of(result.report));
  CHECK(has_finding(result.report, Damage::header, 21));
  CHECK(result.report.first_bad_height() == Height{21});
}

TEST_CASE("verify-node: one bit in a body, a receipt, a batch", "[verify-node]") {
  DamagedChain chain;
  const Bytes key = rows::block(Height{30});
  SECTION("body") {
    chain.edit<ledger::StoredBlock>(Family::blocks, key,
                                    [](auto& block) { block.transactions[0][80] ^= 4; });
    const auto result = audit(chain.store());
    INFO(text_of(result.report));
    CHECK(has_finding(result.report, Damage::body, 30, "transaction 0"));
    CHECK(result.report.first()->damage == Damage::body);
  }
  SECTION("receipt") {
    chain.edit<ledger::StoredBlock>(Family::blocks, key,
                                    [](auto& block) { block.receipts[1].back() ^= 1; });
    const auto result = audit(chain.store());
    INFO(text_of(result.report));
    CHECK(has_finding(result.report, Damage::receipt, 30));
    CHECK(result.report.first()->damage == Damage::receipt);
  }
  SECTION("batch") {
    chain.edit<ledger::StoredBlock>(Family::blocks, key,
                                    [](auto& block) { block.batch.back() ^= 1; });
    const auto result = audit(chain.store());
    INFO(text_of(result.report));
    CHECK(has_finding(result.report, Damage::batch, 30));
  }
  SECTION("a receipt too many") {
    chain.edit<ledger::StoredBlock>(
        Family::blocks, key, [](auto& block) { block.receipts.push_back(block.receipts[0]); });
    CHECK(has_finding(audit(chain.store()).report, Damage::receipt, 30));
  }
  SECTION("the whole block") {
    chain.put(Family::blocks, key, std::nullopt);
    CHECK(has_finding(audit(chain.store()).report, Damage::block, 30));
  }
}

TEST_CASE("verify-node: one bit in a certificate", "[verify-node]") {
  DamagedChain chain;
  const Bytes key = rows::certificate(Height{21});
  SECTION("signature") { chain.flip_last(Family::blocks, key); }
  SECTION("one signer too few") {
    chain.edit<crypto::ExecCertificate>(Family::blocks, key,
                                        [](auto& one) { one.signatures.pop_back(); });
  }
  SECTION("of another epoch") {
    chain.edit<crypto::ExecCertificate>(Family::blocks, key,
                                        [](auto& one) { one.epoch.value = 1; });
  }
  const auto result = audit(chain.store());
  INFO(text_of(result.report));
  CHECK(result.report.damage_count() == 1);
  CHECK(has_finding(result.report, Damage::certificate, 21));
}

TEST_CASE("verify-node: one bit in a state value, a state key, a value too many or lost",
          "[verify-node]") {
  DamagedChain chain;
  const auto state = chain.store().scan(Family::state, {}, {}, 1000);
  const auto& row = state[state.size() / 2];
  SECTION("value") { chain.flip_last(Family::state, row.key); }
  SECTION("lost") { chain.put(Family::state, row.key, std::nullopt); }
  SECTION("too many") { chain.put(Family::state, to_bytes("record/x"), Bytes{1}); }
  const auto result = audit(chain.store());
  INFO(text_of(result.report));
  CHECK(has_finding(result.report, Damage::state, kHeight));
}

TEST_CASE("verify-node: one bit in a transaction's row, a row lost, a row too many",
          "[verify-node]") {
  DamagedChain chain;
  const auto block = decode<ledger::StoredBlock>(chain.value(Family::blocks, rows::block({50})));
  const TxId id = ledger::tx_id_of_canonical(block->transactions[0]);
  SECTION("flipped") {
    chain.flip(Family::index, rows::transaction(id), 8);
    const auto result = audit(chain.store());
    INFO(text_of(result.report));
    CHECK(has_finding(result.report, Damage::index, 50, id.hex()));
  }
  SECTION("lost") {
    chain.put(Family::index, rows::transaction(id), std::nullopt);
    CHECK(has_finding(audit(chain.store()).report, Damage::index, 50, id.hex()));
  }
  SECTION("too many") {
    TxId other = id;
    other.bytes[31] ^= 1;
    chain.put(Family::index, rows::transaction(other),
              chain.value(Family::index, rows::transaction(id)));
    const auto result = audit(chain.store());
    INFO(text_of(result.report));
    CHECK(result.report.damage_count() == 1);
    CHECK(has_finding(result.report, Damage::stray_row, 50, other.hex()));
  }
  SECTION("the second execution of an id instead of the first") {
    const auto twice = decode<ledger::StoredBlock>(
        chain.value(Family::blocks, rows::block({ChainMaker::kTwiceHeight})));
    const TxId repeated = ledger::tx_id_of_canonical(twice->transactions[0]);
    chain.edit<ledger::TransactionRow>(Family::index, rows::transaction(repeated), [](auto& row) {
      row = {.height = {ChainMaker::kTwiceHeight}, .first_leaf = 0, .rejected_whole = true};
    });
    CHECK(has_finding(audit(chain.store()).report, Damage::index, std::nullopt, repeated.hex()));
  }
}

TEST_CASE("verify-node: any bit in an operation's row, a row lost, a row too many",
          "[verify-node]") {
  DamagedChain chain;
  const Bytes key = rows::operations(Height{50}, 0);
  SECTION("flipped") {
    const std::size_t bytes = chain.value(Family::index, key).size();
    const auto place = GENERATE_COPY(range(std::size_t{0}, bytes));
    chain.flip(Family::index, key, place, static_cast<std::uint8_t>(1U << place % 8));
    const auto result = audit(chain.store());
    INFO(text_of(result.report));
    CHECK(result.report.damage_count() == 1);
    CHECK(has_finding(result.report, Damage::index, 50, "operation rows from 0"));
  }
  SECTION("lost") {
    chain.put(Family::index, key, std::nullopt);
    CHECK(has_finding(audit(chain.store()).report, Damage::index, 50, "operation rows from 0"));
  }
  SECTION("a bit in its key: one is missing, one too many") {
    // Byte 8, the lowest of the height, would name another row that is there.
    const auto place = GENERATE(1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12);
    Bytes other = key;
    other[static_cast<std::size_t>(place)] ^= 0x40;
    chain.put(Family::index, other, chain.value(Family::index, key));
    chain.put(Family::index, key, std::nullopt);
    const auto result = audit(chain.store());
    INFO(text_of(result.report));
    CHECK(result.report.damage_count() == 2);
    CHECK(has_finding(result.report, Damage::index, 50, "operation rows from 0"));
    CHECK(has_finding(result.report, Damage::stray_row, std::nullopt, to_hex(other)));
  }
  SECTION("of no leaf, of no height, of another form") {
    const Bytes value = chain.value(Family::index, key);
    Bytes longer = key;
    longer.push_back(0);
    for (const Bytes& stray :
         {rows::operations(Height{50}, 2), rows::operations(Height{kHeight + 1}, 0),
          rows::operations(Height{0}, 0), rows::operations(Height{ChainMaker::kNullHeight}, 0),
          longer}) {
      chain.put(Family::index, stray, value);
    }
    const auto result = audit(chain.store());
    INFO(text_of(result.report));
    CHECK(result.report.damage_count() == 5);
    CHECK(has_finding(result.report, Damage::stray_row, 50));
    CHECK(has_finding(result.report, Damage::stray_row, kHeight + 1));
    CHECK(has_finding(result.report, Damage::stray_row, ChainMaker::kNullHeight));
    CHECK(has_finding(result.report, Damage::stray_row, std::nullopt, to_hex(longer)));
  }
  SECTION("of a block that is not here: nothing is said of its rows") {
    chain.put(Family::blocks, rows::block(Height{50}), std::nullopt);
    chain.flip(Family::index, key, 3);
    const auto result = audit(chain.store());
    CHECK_FALSE(has_finding(result.report, Damage::index, 50, "operation row"));
    CHECK_FALSE(has_finding(result.report, Damage::stray_row));
  }
}

TEST_CASE("verify-node: one bit in an entry of a complete log names the log and the place",
          "[verify-node]") {
  DamagedChain chain;
  const ledger::LogId log = long_log(chain.store());
  const Bytes key = run_of(chain.store(), log, 300);
  const auto run = decode<ledger::LogRun>(chain.value(Family::index, key));
  REQUIRE(run.has_value());
  const std::uint64_t height = run->height.value;
  const std::uint64_t last = read_big_endian(BytesView(key).last(8));
  const std::string first = "entry " + std::to_string(last + 1 - run->items.size());
  SECTION("leaf hash of the last") {
    chain.flip(Family::index, key, chain.value(Family::index, key).size() - Hash::kSize);
    const auto result = audit(chain.store());
    INFO(text_of(result.report));
    CHECK(has_finding(result.report, Damage::log_entry, height, "entry " + std::to_string(last)));
  }
  SECTION("any bit of the row") {
    const std::size_t bytes = chain.value(Family::index, key).size();
    const auto place = GENERATE_COPY(range(std::size_t{0}, bytes));
    chain.flip(Family::index, key, place, static_cast<std::uint8_t>(1U << place % 8));
    const auto result = audit(chain.store());
    INFO(text_of(result.report));
    CHECK(has_finding(result.report, Damage::log_entry));
    CHECK_FALSE(has_finding(result.report, Damage::log_subtree));
  }
  SECTION("line: nothing but the frontier tells, to 256 entries") {
    chain.edit<ledger::LogRun>(Family::index, run_of(chain.store(), log, 100),
                               [](auto& one) { one.items.front().line = 9; });
    const auto result = audit(chain.store());
    INFO(text_of(result.report));
    CHECK(has_finding(result.report, Damage::log_entry, std::nullopt, "entries 0 to 255"));
  }
  SECTION("lost") {
    chain.put(Family::index, key, std::nullopt);
    CHECK(has_finding(audit(chain.store()).report, Damage::log_entry, std::nullopt, first));
  }
  SECTION("too many at the end") {
    const auto count = decode<ledger::Frontier>(chain.value(Family::state, log_state_key(log)));
    chain.put(Family::index, rows::log_run(log, count->count), chain.value(Family::index, key));
    CHECK(has_finding(audit(chain.store()).report, Damage::log_entry));
  }
}

TEST_CASE("verify-node: one bit in a stored subtree of a log", "[verify-node]") {
  DamagedChain chain;
  const ledger::LogId log = long_log(chain.store());
  SECTION("flipped") { chain.flip(Family::index, rows::log_subtree(log, 8, 256), 3); }
  SECTION("lost") { chain.put(Family::index, rows::log_subtree(log, 8, 256), std::nullopt); }
  const auto result = audit(chain.store());
  INFO(text_of(result.report));
  CHECK(result.report.damage_count() == 1);
  CHECK(has_finding(result.report, Damage::log_subtree, std::nullopt, "level 8 from entry 256"));
}

TEST_CASE("verify-node: one bit in the rows of the history", "[verify-node]") {
  DamagedChain chain;
  SECTION("hash row") {
    chain.flip(Family::meta, rows::header_hash(Height{33}), 5);
    const auto result = audit(chain.store());
    INFO(text_of(result.report));
    CHECK(result.report.damage_count() == 1);
    CHECK(has_finding(result.report, Damage::history, 33));
  }
  SECTION("subtree") {
    chain.flip(Family::meta, rows::history_subtree(8, 0), 5);
    const auto result = audit(chain.store());
    INFO(text_of(result.report));
    CHECK(result.report.damage_count() == 1);
    CHECK(has_finding(result.report, Damage::history_subtree, std::nullopt, "from height 0"));
  }
  SECTION("frontier") {
    chain.flip_last(Family::meta, rows::history_frontier());
    CHECK(has_finding(audit(chain.store()).report, Damage::mark, std::nullopt, "frontier"));
  }
}

TEST_CASE("verify-node: one bit in the record of an epoch", "[verify-node]") {
  DamagedChain chain;
  const Bytes key = rows::epoch(Epoch{1});
  SECTION("a validator's key") { chain.flip_last(Family::meta, key); }
  SECTION("first height") { chain.flip(Family::meta, key, 9, 2); }
  SECTION("lost") { chain.put(Family::meta, key, std::nullopt); }
  const auto result = audit(chain.store());
  INFO(text_of(result.report));
  CHECK(has_finding(result.report, Damage::epoch));
  // What cannot be checked without the record is said, not passed over.
  CHECK_FALSE(result.report.remarks().empty());
  CHECK(result.report.damage_count() <= 3);
}

TEST_CASE("verify-node: one bit in each mark", "[verify-node]") {
  DamagedChain chain;
  const Bytes key = GENERATE(rows::genesis(), rows::newest_height(), rows::newest_certified(),
                             rows::index_mark());
  CAPTURE(as_text(key));
  SECTION("flipped") { chain.flip(Family::meta, key, 0, 8); }
  SECTION("lost") { chain.put(Family::meta, key, std::nullopt); }
  const auto result = audit(chain.store());
  INFO(text_of(result.report));
  CHECK(result.report.damage_count() == 1);
  CHECK(has_finding(result.report, Damage::mark));
}

TEST_CASE("verify-node: what a crash left of heights that were being written down is no damage",
          "[verify-node]") {
  DamagedChain chain;
  const Height above{kHeight + 5};
  for (const auto& row_of : {rows::block, rows::certificate, rows::header}) {
    chain.put(Family::blocks, row_of(above), chain.value(Family::blocks, row_of(Height{30})));
  }
  // Certificates come down before their mark as well.
  chain.put(Family::meta, rows::newest_certified(), encode(ledger::HeightRow{Height{30}}));
  const auto result = audit(chain.store());
  INFO(text_of(result.report));
  CHECK(result.report.damage_count() == 0);
  const auto& remarks = result.report.remarks();
  CHECK(std::any_of(remarks.begin(), remarks.end(), [](const std::string& remark) {
    return remark.starts_with("3 rows of blocks above the newest height");
  }));
}

TEST_CASE("verify-node: rows of unknown kinds", "[verify-node]") {
  DamagedChain chain;
  SECTION("unknown kind") { chain.put(Family::index, to_bytes("?x"), Bytes{1}); }
  SECTION("history subtree") { chain.put(Family::meta, rows::history_subtree(9, 0), Bytes(32, 1)); }
  SECTION("epoch") { chain.put(Family::meta, rows::epoch(Epoch{9}), Bytes(32, 1)); }
  SECTION("mark") { chain.put(Family::meta, to_bytes("hello"), Bytes{1}); }
  const auto result = audit(chain.store());
  INFO(text_of(result.report));
  CHECK(has_finding(result.report, Damage::stray_row));
}

TEST_CASE("verify-node: of many damages all are counted and the first height is named",
          "[verify-node]") {
  DamagedChain chain;
  for (std::uint64_t height = 60; height < 260; ++height) {
    chain.flip(Family::blocks, rows::header(Height{height}), 60);
  }
  chain.flip(Family::blocks, rows::block(Height{44}), 60);
  const auto result = audit(chain.store());
  CHECK(result.report.damage_count() == 201);
  CHECK(result.report.findings().size() == ledger::AuditReport::kKeptEach);
  CHECK(result.report.first_bad_height() == Height{44});
  CHECK(result.report.first()->damage == Damage::block);
}

TEST_CASE("verify-node: any bit of any row, value or key, 400 times", "[verify-node]") {
  const auto seed = static_cast<std::uint64_t>(GENERATE(1, 2));
  Prng prng(seed);
  std::vector<std::pair<Family, ledger::KeyValue>> all;
  {
    const DamagedChain chain;
    for (const Family family : {Family::blocks, Family::state, Family::index, Family::meta}) {
      for (auto& row : chain.store().scan(family, {}, {}, 1'000'000)) {
        all.emplace_back(family, std::move(row));
      }
    }
  }
  REQUIRE(all.size() > 2000);
  for (int round = 0; round < 200; ++round) {
    const auto& [family, row] = all[prng.below(all.size())];
    DamagedChain chain;
    const std::size_t bits = 8 * (row.key.size() + row.value.size());
    const std::size_t bit = prng.below(bits);
    const std::size_t byte = bit / 8;
    const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
    if (byte < row.key.size()) {
      Bytes other = row.key;
      other[byte] = static_cast<std::uint8_t>(other[byte] ^ mask);
      chain.put(family, row.key, std::nullopt);
      chain.put(family, other, row.value);
    } else {
      chain.flip(family, row.key, byte - row.key.size(), mask);
    }
    const auto result = audit(chain.store());
    CAPTURE(seed, round, static_cast<int>(family), to_hex(row.key), byte, static_cast<int>(mask));
    CHECK(result.report.damage_count() > 0);
    const ledger::Finding* first = result.report.first();
    REQUIRE(first != nullptr);
    CHECK_FALSE(first->place.empty());
    CHECK_FALSE(first->what.empty());
  }
}

TEST_CASE("verify-node: rows of random bytes are found and end nothing", "[verify-node]") {
  Prng prng(7);
  std::vector<std::pair<Family, Bytes>> keys;
  {
    const DamagedChain chain;
    for (const Family family : {Family::blocks, Family::index, Family::meta}) {
      for (auto& row : chain.store().scan(family, {}, {}, 1'000'000)) {
        keys.emplace_back(family, std::move(row.key));
      }
    }
  }
  for (int round = 0; round < 100; ++round) {
    DamagedChain chain;
    for (int i = 0; i < 3; ++i) {
      const auto& [family, key] = keys[prng.below(keys.size())];
      Bytes value(prng.below(200), 0);
      for (auto& byte : value) byte = static_cast<std::uint8_t>(prng.next());
      chain.put(family, key, std::move(value));
    }
    CHECK(audit(chain.store()).report.damage_count() > 0);
  }
}

TEST_CASE("verify-node: marks and keys that name enormous heights do not keep it busy for ever",
          "[verify-node]") {
  const auto store = ledger::make_memory_store();
  const Height enormous{std::uint64_t{1} << 60};
  store->apply({{Family::meta, rows::newest_height(), encode(ledger::HeightRow{enormous})},
                {Family::blocks, rows::header(enormous), Bytes(10, 1)}});
  const auto result = audit(*store);
  CHECK(result.report.damage_count() > 1000);
  CHECK(result.report.findings().size() < 1000);
}

TEST_CASE("verify-node: an empty store is a damaged one", "[verify-node]") {
  const auto store = ledger::make_memory_store();
  const auto result = audit(*store);
  CHECK(has_finding(result.report, Damage::header, 0));
  CHECK(has_finding(result.report, Damage::mark));
}

TEST_CASE("verify-node: a checkpoint of another node is the same, ahead, or another history",
          "[verify-node]") {
  const DamagedChain chain;
  auto disk = std::make_shared<ledger::MemoryDisk>();
  ChainMaker(ledger::make_memory_store(disk)).grow_to(60);
  const auto behind = ledger::make_memory_store(disk);
  const auto& genesis = test::verify_world().genesis;
  const auto writes = contracts::genesis_writes(genesis);
  const auto batches = batch_reader(test::verify_world().chain_id);
  const ledger::ChainAuditConfig config{genesis, writes, batches, crypto::toy_verifier(), {}};
  const auto compare = [&](const ledger::KeyValueStore& store, const ledger::Checkpoint& other,
                           ledger::AuditReport& report) {
    const auto opened = ledger::audit_store_over(store);
    const auto audited = ledger::audit_chain(*opened, config, report);
    return ledger::compare_checkpoint(*opened, config, audited, other, report);
  };
  ledger::Checkpoint other{
      *decode<ledger::Header>(chain.value(Family::blocks, rows::header(Height{90}))),
      *decode<crypto::ExecCertificate>(chain.value(Family::blocks, rows::certificate(Height{90})))};
  ledger::AuditReport report;
  SECTION("same") {
    CHECK(compare(chain.store(), other, report) == ledger::CheckpointAnswer::same);
    CHECK(report.damage_count() == 0);
  }
  SECTION("behind") {
    CHECK(compare(*behind, other, report) == ledger::CheckpointAnswer::behind);
    CHECK(report.damage_count() == 0);
  }
  SECTION("forged: the certificate is not over it") {
    other.header.state_root.bytes[0] ^= 1;
    CHECK(compare(chain.store(), other, report) == ledger::CheckpointAnswer::differs);
    CHECK(has_finding(report, Damage::checkpoint, 90));
  }
  SECTION("another history, certified all the same") {
    other.header.state_root.bytes[0] ^= 1;
    other.certificate.vote.header_hash = ledger::header_hash(other.header);
    const auto& epoch = genesis.epoch;
    other.certificate = {.epoch = Epoch{1}, .vote = other.certificate.vote, .signatures = {}};
    const auto second = *decode<crypto::EpochRecord>(chain.value(Family::meta, rows::epoch({1})));
    for (const auto& signer : test::verify_world().node_signers) {
      const auto index = crypto::validator_index(second, signer->public_key());
      if (!index) continue;
      other.certificate.signatures.push_back(
          {*index, signer->sign_object(crypto::ObjectType::exec, test::verify_world().chain_id,
                                       Epoch{1}, crypto::sha256(encode(other.certificate.vote)))});
    }
    std::sort(other.certificate.signatures.begin(), other.certificate.signatures.end());
    CHECK(epoch.validators != second.validators);
    CHECK(compare(chain.store(), other, report) == ledger::CheckpointAnswer::differs);
    CHECK(has_finding(report, Damage::checkpoint, 90));
  }
}

}  // namespace
}  // namespace baolian::node
