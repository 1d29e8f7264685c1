#include "ledger/hot_state.h"

#include <algorithm>
#include <map>

#include "core/prng.h"
#include "ledger/memory_store.h"
#include "support/catch.h"

namespace baolian::ledger {
namespace {

/// Some keys are as long as those that a filter knows by their prefix.
Bytes key_of(std::uint64_t number) {
  Bytes out = to_bytes("table/");
  if (number % 3 == 0) out.resize(kStatePrefixBytes, static_cast<std::uint8_t>(number / 12));
  append_big_endian(out, number, 8);
  return out;
}

/// Writes to the store and tells the rows in memory, as Chain::append() does.
void write(KeyValueStore& store, HotState& hot, const StateOverlay::Writes& writes) {
  store.apply_with_state({}, writes);
  hot.update(writes);
}

TEST_CASE("hot state: whatever is read, written and erased, it says what the store says") {
  // 0: everything goes at once; a piece of memory or two a generation; all.
  const std::size_t bytes_max = GENERATE(0U, 600'000U, 1'200'000U, 100'000'000U);
  const auto store = make_memory_store();
  HotState hot(*store, bytes_max);
  hot.use_filter(KeyFilter());
  Prng prng(bytes_max + 1);
  for (int step = 0; step < 2'000; ++step) {
    const Bytes key = key_of(prng.below(200));
    switch (prng.below(4)) {
      case 0: {
        StateOverlay::Writes writes;
        for (std::uint64_t i = prng.below(5); i-- > 0;) {
          const bool is_erased = prng.chance_percent(30);
          auto& value = writes[key_of(prng.below(200))];
          if (!is_erased) value = Bytes(prng.below(4'000), static_cast<std::uint8_t>(step));
        }
        write(*store, hot, writes);
        break;
      }
      case 1: {
        std::vector<Bytes> keys;
        for (std::uint64_t number = prng.below(5); number < 200; number += 1 + prng.below(60)) {
          keys.push_back(key_of(number));
        }
        REQUIRE(hot.read_many(keys) == store->read_many(Family::state, keys));
        break;
      }
      case 2:
        REQUIRE(hot.scan(as_bytes("table/"), key, 3).size() ==
                store->scan(Family::state, as_bytes("table/"), key, 3).size());
        break;
      default: {
        REQUIRE(hot.read(key) == store->read(Family::state, key));
        const BytesView prefix =
            BytesView(key).first(std::min(key.size(), kStatePrefixBytes + prng.below(2)));
        REQUIRE(hot.scan(prefix, {}, 5).size() == store->scan(Family::state, prefix, {}, 5).size());
      }
    }
  }
}

TEST_CASE("hot state: what is asked for stays, what is not goes") {
  const auto store = make_memory_store();
  StateOverlay::Writes writes;
  for (std::uint64_t number = 0; number < 100; ++number) writes[key_of(number)] = Bytes(50'000, 1);
  store->apply_with_state({}, writes);
  HotState hot(*store, 2 << 20);  // some twenty rows a generation
  for (std::uint64_t number = 0; number < 100; ++number) {
    CHECK(hot.read(key_of(number)).has_value());
    CHECK(hot.read(key_of(0)).has_value());
    CHECK(hot.row_count() <= 50);
  }
  // Behind its back: only what is in memory does not see it.
  store->apply_with_state({}, {{key_of(0), Bytes{9}}, {key_of(1), Bytes{9}}});
  CHECK(hot.read(key_of(0)) == Bytes(50'000, 1));
  CHECK(hot.read(key_of(1)) == Bytes{9});
}

TEST_CASE("key filter: knows keys and prefixes that were added, and little else, as it grows") {
  KeyFilter filter;
  const auto key_at = [](std::uint64_t number) {
    Bytes key(kStatePrefixBytes, 0x2F);
    append_big_endian(key, number, 8);
    std::swap_ranges(key.begin(), key.begin() + 8, key.end() - 8);
    return key;
  };
  CHECK_FALSE(filter.may_have(KeyFilter::of_key(key_at(1))));
  CHECK_FALSE(KeyFilter::of_prefix(Bytes(kStatePrefixBytes - 1, 0x2F)).has_value());
  constexpr std::uint64_t kCount = 60'000;
  for (std::uint64_t number = 0; number < kCount; ++number) {
    filter.add_key(key_at(number));
    filter.add_key(key_at(number));  // twice is once
    REQUIRE(filter.may_have(KeyFilter::of_key(key_at(number))));
  }
  std::size_t wrong = 0;
  for (std::uint64_t number = 0; number < kCount; ++number) {
    REQUIRE(filter.may_have(KeyFilter::of_key(key_at(number))));
    REQUIRE(filter.may_have(KeyFilter::of_prefix(key_at(number)).value()));
    if (filter.may_have(KeyFilter::of_key(key_at(kCount + number)))) ++wrong;
    if (filter.may_have(KeyFilter::of_prefix(key_at(kCount + number)).value())) ++wrong;
  }
  CHECK(wrong < kCount / 20);
  CHECK(filter.memory_bytes() < 500'000);
}

TEST_CASE("row table: keys of one hash are kept apart; a value grows and shrinks") {
  RowTable table;
  constexpr std::uint64_t kHash = 5;  // of all of them
  for (std::uint64_t number = 0; number < 42; ++number) {
    table.put(number % 2 == 0 ? kHash : number + 100, key_of(number), Bytes(number, 7));
  }
  CHECK(table.row_count() == 42);
  table.put(kHash, key_of(4), Bytes(500, 8));
  table.put(kHash, key_of(4), Bytes{});
  CHECK(table.value(kHash, key_of(4))->empty());
  CHECK(table.value(kHash, key_of(6))->size() == 6);
  CHECK_FALSE(table.value(kHash, key_of(5)).has_value());  // has another hash
  table.erase(kHash, key_of(6));
  table.erase(kHash, key_of(6));
  CHECK_FALSE(table.value(kHash, key_of(6)).has_value());
  CHECK(table.row_count() == 41);
  table.put(kHash, key_of(6), Bytes{1});
  CHECK(table.row_count() == 42);
  table.clear();
  CHECK_FALSE(table.value(kHash, key_of(8)).has_value());
  CHECK(table.row_count() == 0);
}

}  // namespace
}  // namespace baolian::ledger
