/// One suite for every KeyValueStore: what Chain relies on must hold in memory as on disk.
#include <atomic>
#include <thread>

#include "core/prng.h"
#include "ledger/fixture.h"
#include "ledger/memory_store.h"
#include "ledger/store.h"
#include "ledger/write_behind.h"
#include "support/catch.h"

namespace baolian::ledger {
namespace {

/// A kind of store that can be closed and opened again.
class StoreKind {
 public:
  virtual ~StoreKind() = default;
  virtual std::unique_ptr<KeyValueStore> open() = 0;
};

class InMemory final : public StoreKind {
 public:
  std::unique_ptr<KeyValueStore> open() override { return make_memory_store(disk_); }

 private:
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
};

class OnDisk final : public StoreKind {
 public:
  std::unique_ptr<KeyValueStore> open() override {
    auto store = open_rocksdb_store(directory_.path() + "/chain");
    REQUIRE(store.has_value());
    return std::move(*store);
  }

 private:
  test::TemporaryDirectory directory_;
};

/// Over another kind. Closing it in order writes down what waits, as the node does.
class WrittenBehind final : public StoreKind {
 public:
  explicit WrittenBehind(std::unique_ptr<StoreKind> below) : below_(std::move(below)) {}
  std::unique_ptr<KeyValueStore> open() override {
    return std::make_unique<WriteBehindStore>(below_->open());
  }

 private:
  std::unique_ptr<StoreKind> below_;
};

std::unique_ptr<StoreKind> make_kind(const std::string& name) {
  constexpr std::string_view kBehind = "behind ";
  if (name.starts_with(kBehind)) {
    return std::make_unique<WrittenBehind>(make_kind(name.substr(kBehind.size())));
  }
  if (name == "memory") return std::make_unique<InMemory>();
  return std::make_unique<OnDisk>();
}

Bytes bytes(std::string_view text) { return to_bytes(text); }

std::string scan_text(const KeyValueStore& store, Family family, BytesView prefix,
                      BytesView from = {}, std::size_t limit = 100, BytesView until = {}) {
  std::string out;
  for (const KeyValue& row : store.scan(family, {prefix, from, until}, limit)) {
    out += to_hex(row.key) + "=" + std::string(as_text(row.value)) + " ";
  }
  return out;
}

}  // namespace

TEST_CASE("store: reads what a batch wrote, families apart, erasures gone", "[store]") {
  const std::string name = GENERATE("memory", "rocksdb", "behind memory", "behind rocksdb");
  CAPTURE(name);
  const auto kind = make_kind(name);
  const auto store = kind->open();
  CHECK_FALSE(store->read(Family::state, as_bytes("k")).has_value());
  store->apply({{Family::state, bytes("k"), bytes("state")},
                {Family::index, bytes("k"), bytes("index")},
                {Family::meta, bytes("empty"), Bytes{}}});
  CHECK(store->read(Family::state, as_bytes("k")) == bytes("state"));
  CHECK(store->read(Family::index, as_bytes("k")) == bytes("index"));
  CHECK_FALSE(store->read(Family::blocks, as_bytes("k")).has_value());
  CHECK(store->read(Family::meta, as_bytes("empty")) == Bytes{});
  store->apply(
      {{Family::state, bytes("k"), std::nullopt}, {Family::state, bytes("x"), std::nullopt}});
  CHECK_FALSE(store->read(Family::state, as_bytes("k")).has_value());
  CHECK(store->read(Family::index, as_bytes("k")) == bytes("index"));
}

TEST_CASE("store: a range goes with its batch, and its space can be reclaimed", "[store]") {
  const std::string name = GENERATE("memory", "rocksdb", "behind memory", "behind rocksdb");
  CAPTURE(name);
  const auto kind = make_kind(name);
  auto store = kind->open();
  std::vector<StoreWrite> rows;
  for (const char* key : {"b1", "b2", "b3", "b4", "c1"}) {
    rows.push_back({Family::blocks, bytes(key), bytes(key)});
  }
  rows.push_back({Family::state, bytes("b2"), bytes("other family")});
  store->apply(rows);
  store->erase_range(Family::blocks, bytes("b2"), bytes("b4"),
                     {{Family::meta, bytes("mark"), bytes("b3")}});
  const auto check = [&] {
    CHECK(scan_text(*store, Family::blocks, {}) == "6231=b1 6234=b4 6331=c1 ");
    CHECK(scan_text(*store, Family::state, {}) == "6232=other family ");
    CHECK(store->read(Family::meta, bytes("mark")) == bytes("b3"));
    CHECK_FALSE(store->read(Family::blocks, bytes("b2")).has_value());
  };
  check();
  store->flush();
  std::atomic<bool> cancelled = false;
  store->reclaim(Family::blocks, bytes("b1"), bytes("b4"), cancelled);
  check();
  store.reset();
  store = kind->open();
  check();
  cancelled = true;
  store->reclaim(Family::blocks, bytes("b1"), bytes("b4"), cancelled);
  check();
  store->apply({{Family::blocks, bytes("b3"), bytes("again")}});
  CHECK(store->read(Family::blocks, bytes("b3")) == bytes("again"));
}

TEST_CASE("store: the later of two writes to one key in a batch holds", "[store]") {
  const std::string name = GENERATE("memory", "rocksdb", "behind memory", "behind rocksdb");
  CAPTURE(name);
  const auto store = make_kind(name)->open();
  store->apply({{Family::state, bytes("a"), bytes("1")},
                {Family::state, bytes("a"), bytes("2")},
                {Family::state, bytes("b"), bytes("1")},
                {Family::state, bytes("b"), std::nullopt}});
  CHECK(store->read(Family::state, as_bytes("a")) == bytes("2"));
  CHECK_FALSE(store->read(Family::state, as_bytes("b")).has_value());
}

TEST_CASE("store: a scan is ordered by bytes and keeps prefix, start, end and limit", "[store]") {
  const std::string name = GENERATE("memory", "rocksdb", "behind memory", "behind rocksdb");
  CAPTURE(name);
  const auto store = make_kind(name)->open();
  store->apply({{Family::index, {0x70, 0x02}, bytes("2")},
                {Family::index, {0x70, 0xFF, 0xFF}, bytes("last")},
                {Family::index, {0x70, 0x80}, bytes("80")},
                {Family::index, {0x70}, bytes("self")},
                {Family::index, {0x6F, 0xFF}, bytes("before")},
                {Family::index, {0x71}, bytes("after")},
                {Family::index, {0xFF}, bytes("ff")},
                {Family::index, {0xFF, 0xFF, 0x01}, bytes("ffff01")},
                {Family::state, {0x70, 0x01}, bytes("elsewhere")}});
  const Bytes p = {0x70};
  CHECK(scan_text(*store, Family::index, p) == "70=self 7002=2 7080=80 70ffff=last ");
  CHECK(scan_text(*store, Family::index, p, Bytes{0x70, 0x02}) == "7002=2 7080=80 70ffff=last ");
  CHECK(scan_text(*store, Family::index, p, Bytes{0x70, 0x03}) == "7080=80 70ffff=last ");
  CHECK(scan_text(*store, Family::index, p, Bytes{0x10}) == "70=self 7002=2 7080=80 70ffff=last ");
  CHECK(scan_text(*store, Family::index, p, Bytes{0x71}).empty());
  CHECK(scan_text(*store, Family::index, p, {}, 2) == "70=self 7002=2 ");
  CHECK(scan_text(*store, Family::index, p, {}, 0).empty());
  CHECK(scan_text(*store, Family::index, p, {}, 9, Bytes{0x70, 0x80}) == "70=self 7002=2 ");
  CHECK(scan_text(*store, Family::index, p, Bytes{0x70, 0x02}, 9, Bytes{0x70, 0x02}).empty());
  CHECK(scan_text(*store, Family::index, p, {}, 9, Bytes{0x10}).empty());
  CHECK(scan_text(*store, Family::index, p, {}, 1, Bytes{0xFF}) == "70=self ");
  CHECK(scan_text(*store, Family::index, Bytes{0xFF}) == "ff=ff ffff01=ffff01 ");
  CHECK(scan_text(*store, Family::index, Bytes{0xFF, 0xFF}) == "ffff01=ffff01 ");
  CHECK(store->scan(Family::index, {}, {}, 100).size() == 8);
  CHECK(scan_text(*store, Family::blocks, {}).empty());
}

TEST_CASE("store: many keys at once are as each by itself, in any order, also twice", "[store]") {
  const std::string name = GENERATE("memory", "rocksdb", "behind memory", "behind rocksdb");
  CAPTURE(name);
  const auto store = make_kind(name)->open();
  store->apply({{Family::index, bytes("a"), bytes("1")},
                {Family::index, bytes("b"), Bytes{}},
                {Family::index, bytes("d"), bytes("4")},
                {Family::state, bytes("c"), bytes("elsewhere")}});
  const auto keys = GENERATE(std::vector<Bytes>{},
                             std::vector<Bytes>{to_bytes("a"), to_bytes("b"), to_bytes("c"),
                                                to_bytes("d"), to_bytes("d"), to_bytes("e")},
                             std::vector<Bytes>{to_bytes("d"), to_bytes("x"), to_bytes("a")});
  const auto values = store->read_many(Family::index, keys);
  REQUIRE(values.size() == keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    CHECK(values[i] == store->read(Family::index, keys[i]));
  }
}

TEST_CASE("store: a cleared family is empty, stays so and takes new rows; others keep theirs",
          "[store]") {
  const std::string name = GENERATE("memory", "rocksdb", "behind memory", "behind rocksdb");
  CAPTURE(name);
  const auto kind = make_kind(name);
  auto store = kind->open();
  store->clear(Family::index);
  std::vector<StoreWrite> rows;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    Bytes key;
    append_big_endian(key, i * 0x9E3779B97F4A7C15, 8);
    rows.push_back({Family::index, key, bytes("value")});
  }
  rows.push_back({Family::index, Bytes(3, 0xFF), bytes("last")});
  rows.push_back({Family::state, bytes("k"), bytes("state")});
  store->apply(rows);
  store->clear(Family::index);
  CHECK(store->scan(Family::index, {}, {}, 10).empty());
  store->apply({{Family::index, rows[7].key, bytes("again")}});
  store->flush();
  store.reset();
  store = kind->open();
  REQUIRE(store->scan(Family::index, {}, {}, 10).size() == 1);
  CHECK(store->read(Family::index, rows[7].key) == bytes("again"));
  CHECK(store->read(Family::state, as_bytes("k")) == bytes("state"));
}

TEST_CASE("store: what was applied is there after closing and opening again", "[store]") {
  const std::string name = GENERATE("memory", "rocksdb", "behind memory", "behind rocksdb");
  CAPTURE(name);
  const auto kind = make_kind(name);
  const Bytes large(100'000, 0x5A);  // goes to a blob file on disk
  {
    const auto store = kind->open();
    store->apply({{Family::blocks, bytes("b"), large}, {Family::state, bytes("s"), bytes("1")}});
    store->flush();
    store->apply({{Family::state, bytes("s"), bytes("2")}, {Family::meta, bytes("m"), bytes("3")}});
    if (name.starts_with("behind")) store->flush();
  }
  const auto store = kind->open();
  CHECK(store->read(Family::blocks, as_bytes("b")) == large);
  CHECK(store->read(Family::state, as_bytes("s")) == bytes("2"));
  CHECK(store->read(Family::meta, as_bytes("m")) == bytes("3"));
}

TEST_CASE("store: many rows that are written down together replace, erase and stay", "[store]") {
  const std::string name = GENERATE("memory", "rocksdb");
  CAPTURE(name);
  const auto kind = make_kind(name);
  constexpr std::uint64_t kRows = 3000;
  const auto key = [](std::uint64_t number) {
    Bytes out = bytes("k");
    append_big_endian(out, number, 8);
    return out;
  };
  // More than a mebibyte, so that files are made of it.
  const auto value = [](std::uint64_t number, std::uint8_t age) {
    Bytes out(200, age);
    append_big_endian(out, number, 8);
    return out;
  };
  const auto write = [&](KeyValueStore& store, std::uint64_t step, std::uint8_t age) {
    std::vector<StoreWrite> writes;
    for (const Family family : {Family::blocks, Family::state, Family::index, Family::meta}) {
      for (std::uint64_t i = 0; i < kRows; i += step) {
        const bool is_erased = age > 1 && i % 4 == 0;
        writes.push_back(
            {family, key(i), is_erased ? std::nullopt : std::optional<Bytes>(value(i, age))});
      }
    }
    std::vector<RowView> rows;
    for (const StoreWrite& one : writes) rows.push_back({one.family, one.key, one.value});
    store.apply_and_flush(std::move(rows));
  };
  const auto check = [&](const KeyValueStore& store) {
    for (const Family family : {Family::blocks, Family::state, Family::index, Family::meta}) {
      CHECK_FALSE(store.read(family, key(0)).has_value());
      CHECK(store.read(family, key(1)) == value(1, 1));
      CHECK(store.read(family, key(2)) == value(2, 2));
      CHECK(store.scan(family, key(0), {}, 1).empty());
      CHECK(store.scan(family, bytes("k"), {}, 2 * kRows).size() == kRows - kRows / 4);
    }
    CHECK(store.read(Family::state, bytes("small")) == bytes("newest"));
  };
  {
    const auto store = kind->open();
    store->apply(
        {{Family::state, key(2), value(2, 0)}, {Family::state, bytes("small"), bytes("old")}});
    write(*store, 1, 1);
    const auto before = store->freeze_state();
    store->apply({{Family::state, bytes("small"), bytes("newest")}});
    write(*store, 2, 2);
    CHECK(before->read(key(0)) == value(0, 1));
    CHECK(before->read(key(2)) == value(2, 1));
    CHECK(before->read(bytes("small")) == bytes("old"));
    check(*store);
    store->flush();
  }
  check(*kind->open());
}

TEST_CASE("store: every kind gives the answers of the one in memory to random batches", "[store]") {
  const std::string name = GENERATE("rocksdb", "behind memory", "behind rocksdb");
  CAPTURE(name);
  Prng prng(5);
  const auto memory = make_kind("memory")->open();
  const auto disk_kind = make_kind(name);
  const auto disk = disk_kind->open();
  const auto random_key = [&] {
    Bytes key;
    for (std::uint64_t i = prng.between(1, 3); i > 0; --i) {
      key.push_back(static_cast<std::uint8_t>(prng.chance_percent(20) ? 0xFF : prng.below(6)));
    }
    return key;
  };
  for (int round = 0; round < 60; ++round) {
    std::vector<StoreWrite> batch;
    for (std::uint64_t i = prng.below(30); i > 0; --i) {
      StoreWrite write{static_cast<Family>(prng.below(4)), random_key(), std::nullopt};
      if (prng.chance_percent(70)) write.value = bytes(std::to_string(prng.below(1000)));
      batch.push_back(std::move(write));
    }
    memory->apply(batch);
    disk->apply(batch);
    // A flush that another thread finishes later, or that is finished at once.
    if (prng.chance_percent(30)) disk->begin_flush();
    if (prng.chance_percent(20)) disk->finish_flush();
    if (prng.chance_percent(10)) disk->flush();
    for (int i = 0; i < 20; ++i) {
      const auto family = static_cast<Family>(prng.below(4));
      const Bytes key = random_key();
      REQUIRE(memory->read(family, key) == disk->read(family, key));
      const Bytes from = prng.chance_percent(50) ? Bytes{} : random_key();
      const Bytes until = prng.chance_percent(50) ? Bytes{} : random_key();
      const std::size_t limit = prng.below(20);
      const BytesView prefix = BytesView(key).first(prng.below(key.size() + 1));
      REQUIRE(scan_text(*memory, family, prefix, from, limit, until) ==
              scan_text(*disk, family, prefix, from, limit, until));
    }
  }
}

TEST_CASE("store: rows of every age are found, by key and by long prefix", "[store]") {
  // Keys that share 79 bytes and more are looked for with a filter. Rows of every age must be
  // found, and no erased one.
  const std::string name = GENERATE("rocksdb", "behind rocksdb");
  CAPTURE(name);
  Prng prng(11);
  const auto memory = make_kind("memory")->open();
  const auto kind = make_kind(name);
  auto disk = kind->open();
  const auto key_of = [](std::uint64_t owner, std::uint64_t row) {
    Bytes key(76, 0x2F);
    append_big_endian(key, owner, 4);
    append_big_endian(key, row, 4);
    return key;
  };
  for (const std::uint64_t count : {8000U, 30U, 7000U, 12U, 9000U, 5U}) {
    std::vector<StoreWrite> batch;
    for (std::uint64_t i = 0; i < count; ++i) {
      StoreWrite write{i % 3 == 0 ? Family::index : Family::state,
                       key_of(prng.below(300), prng.below(40)), std::nullopt};
      if (prng.chance_percent(75)) write.value = bytes(std::to_string(prng.below(1000)));
      batch.push_back(std::move(write));
    }
    memory->apply(batch);
    disk->apply(batch);
    const auto are_equal = [&] {
      for (const Family family : {Family::state, Family::index}) {
        for (std::uint64_t owner = 0; owner < 310; ++owner) {
          const Bytes key = key_of(owner, prng.below(40));
          REQUIRE(memory->read(family, key) == disk->read(family, key));
          const BytesView prefix = BytesView(key).first(prng.chance_percent(50) ? 80 : 77);
          const Bytes until = prng.chance_percent(50) ? Bytes{} : key_of(owner, prng.below(40));
          REQUIRE(scan_text(*memory, family, prefix, key, 50, until) ==
                  scan_text(*disk, family, prefix, key, 50, until));
        }
      }
    };
    are_equal();
    if (prng.chance_percent(70)) disk->flush();
    are_equal();
  }
  disk->flush();
  disk.reset();
  disk = kind->open();
  CHECK(scan_text(*memory, Family::state, {}, {}, 20'000) ==
        scan_text(*disk, Family::state, {}, {}, 20'000));
}

TEST_CASE("store: the ranges of split() hold every row once, in order", "[store]") {
  const auto kind = make_kind("rocksdb");
  Prng prng(3);
  std::size_t count = 0;
  for (int opening = 0; opening < 4; ++opening) {  // each opening leaves a file behind
    const auto store = kind->open();
    std::vector<StoreWrite> batch;
    for (int i = 0; i < 500; ++i) {
      Bytes key;
      append_big_endian(key, prng.next(), 8);
      batch.push_back({Family::state, std::move(key), Bytes(100, 0x33)});
    }
    store->apply(batch);
    count += batch.size();
  }
  const auto store = kind->open();
  const auto keys = store->split(Family::state, 3);
  REQUIRE_FALSE(keys.empty());
  CHECK(keys.size() <= 3);
  CHECK(std::is_sorted(keys.begin(), keys.end()));
  CHECK(store->split(Family::index, 3).empty());
  CHECK(store->scan(Family::state, {}, {}, 10'000).size() == count);
  CHECK(store->scan(Family::state, {}, keys[0], 10'000).size() < count);
}

TEST_CASE("store: readers on other threads see whole batches only", "[store]") {
  const std::string name = GENERATE("memory", "rocksdb", "behind memory", "behind rocksdb");
  CAPTURE(name);
  const auto kind = make_kind(name);
  const auto store = kind->open();
  const auto batch_of = [](const std::string& value) {
    return std::vector<StoreWrite>{{Family::state, bytes("p/a"), bytes(value)},
                                   {Family::state, bytes("p/b"), bytes(value)},
                                   {Family::state, bytes("p/c"), bytes(value)}};
  };
  store->apply(batch_of("0"));
  std::atomic<bool> is_done = false;
  std::atomic<int> torn = 0;
  std::thread reader([&] {
    while (!is_done) {
      const auto rows = store->scan(Family::state, as_bytes("p/"), {}, 10);
      if (rows.size() != 3 || rows[0].value != rows[1].value || rows[1].value != rows[2].value) {
        ++torn;
      }
    }
  });
  for (int i = 1; i <= 2000; ++i) {
    store->apply(batch_of(std::to_string(i)));
    if (i % 50 == 0) store->flush();
  }
  is_done = true;
  reader.join();
  CHECK(torn == 0);
}

TEST_CASE("memory store: a power cut takes whole unflushed batches, the newest first", "[store]") {
  const auto disk = std::make_shared<MemoryDisk>();
  auto store = make_memory_store(disk);
  store->apply({{Family::state, bytes("a"), bytes("1")}});
  store->flush();
  store->apply({{Family::state, bytes("a"), bytes("2")}, {Family::meta, bytes("m"), bytes("2")}});
  store->apply(
      {{Family::state, bytes("a"), std::nullopt}, {Family::state, bytes("b"), bytes("3")}});
  store->apply({{Family::state, bytes("a"), bytes("4")}, {Family::state, bytes("a"), bytes("5")}});
  CHECK(disk->unflushed_batches() == 3);
  store.reset();

  disk->power_cut(2);
  store = make_memory_store(disk);
  CHECK_FALSE(store->read(Family::state, as_bytes("a")).has_value());
  CHECK(store->read(Family::state, as_bytes("b")) == bytes("3"));
  CHECK(store->read(Family::meta, as_bytes("m")) == bytes("2"));
  CHECK(disk->unflushed_batches() == 0);  // what survived is on the disk

  store->apply({{Family::state, bytes("b"), bytes("6")}});
  store.reset();
  disk->power_cut(0);
  store = make_memory_store(disk);
  CHECK(store->read(Family::state, as_bytes("b")) == bytes("3"));
}

TEST_CASE("rocksdb store: a directory that cannot be made is an error, not a crash", "[store]") {
  const auto store = open_rocksdb_store("/dev/null/chain");
  REQUIRE_FALSE(store.has_value());
  CHECK(store.error().code == Errc::io_failed);
}

}  // namespace baolian::ledger
