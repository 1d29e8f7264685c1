#include "node/transaction_pool.h"

#include "contracts/parameters.h"
#include "node/fixture.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

using test::make_checked;

const sim::World& world() {
  static const sim::World one = sim::make_world(4, 0, 1);
  return one;
}

TEST_CASE("pool: transactions are selected in order of arrival and only once", "[pool]") {
  TransactionPool pool;
  std::vector<TxHash> hashes;
  for (std::uint64_t nonce = 1; nonce <= 5; ++nonce) {
    const auto transaction = make_checked(world(), nonce);
    hashes.push_back(transaction.hash());
    REQUIRE(pool.admit(transaction, kOwnOrigin, Tick{nonce}).has_value());
  }
  CHECK(pool.oldest_proposable() == Tick{1});
  auto selection = pool.select({.transactions_max = 3});
  CHECK(selection.hashes == std::vector<TxHash>(hashes.begin(), hashes.begin() + 3));
  CHECK(selection.full);
  for (const TxHash& hash : selection.hashes) pool.mark_in_slot(hash);
  selection = pool.select({});
  CHECK(selection.hashes == std::vector<TxHash>(hashes.begin() + 3, hashes.end()));
  CHECK_FALSE(selection.full);

  // After a view change all of them may be proposed again, in the old order.
  pool.release_slots();
  CHECK(pool.select({}).hashes == hashes);
}

TEST_CASE("consensus 1.6 V1: what is committed waits at nobody's expense and is not proposed again",
          "[pool]") {
  TransactionPool pool;
  std::vector<TxHash> hashes;
  for (std::uint64_t nonce = 1; nonce <= 4; ++nonce) {
    const CheckedTransaction transaction = make_checked(world(), nonce);
    hashes.push_back(transaction.hash());
    REQUIRE(pool.admit(transaction, kOwnOrigin, Tick{nonce}, Tick{100 * nonce}).has_value());
  }
  pool.mark_in_slot(hashes[0]);
  CHECK(pool.oldest_request() == Tick{100});  // proposed alone ends nothing
  pool.mark_committed(hashes[0]);
  pool.mark_committed(hashes[1]);  // a batch of another view held it, here it was in no slot
  CHECK(pool.oldest_request() == Tick{300});
  pool.release_slots();
  CHECK(pool.select({}).hashes == std::vector<TxHash>(hashes.begin() + 2, hashes.end()));
  CHECK(pool.take_due_pushes(Tick{100'000}, 1U << 20).size() == 2);
  pool.restart_pushes(Tick{200'000});
  CHECK(pool.take_due_pushes(Tick{300'000}, 1U << 20).size() == 2);
  // It is still here: not admitted a second time, served to who lacks it, gone when it is executed.
  CHECK(pool.knows(hashes[0]));
  CHECK(pool.find(hashes[0]) != nullptr);
  CHECK(pool.size() == 4);
  for (const TxHash& hash : hashes) pool.on_executed(hash, pool.find(hash));
  CHECK(pool.size() == 0);
  CHECK(pool.size_bytes() == 0);
  CHECK_FALSE(pool.oldest_request().has_value());
}

TEST_CASE("consensus 1.12: a batch keeps the limits of transactions, operations and bytes",
          "[pool]") {
  TransactionPool pool;
  for (std::uint64_t nonce = 1; nonce <= 10; ++nonce) {
    REQUIRE(pool.admit(make_checked(world(), nonce, 10, 1000), kOwnOrigin, Tick{1}).has_value());
  }
  CHECK(pool.select({.operations_max = 35}).hashes.size() == 3);
  const std::size_t one = make_checked(world(), 1, 10, 1000).bytes()->size();
  CHECK(pool.select({.bytes_max = one * 4 + 1}).hashes.size() == 4);
  CHECK(pool.has_full_batch({.operations_max = 100}));
  CHECK_FALSE(pool.has_full_batch({.operations_max = 101}));
  // Operations of no known kind declare one key write each, and the transaction one.
  CHECK(make_checked(world(), 1, 10, 1000).weight() == 11);
  CHECK(pool.select({.weight_max = 34}).hashes.size() == 3);
  CHECK(pool.has_full_batch({.weight_max = 110}));
  CHECK_FALSE(pool.has_full_batch({.weight_max = 111}));
}

TEST_CASE("consensus 1.12: a transaction that fits into no block is not admitted", "[pool]") {
  crypto::EpochRecord epoch = world().genesis.epoch;
  const auto small = static_cast<std::uint16_t>(contracts::ParameterId::transaction_weight_max);
  std::erase_if(epoch.parameters, [&](const auto& one) { return one.id == small; });
  epoch.parameters.push_back({small, 10});
  const auto body = test::make_body(world(), 1, 10);
  CHECK(check_body(body, world().chain_id, world().genesis.epoch, crypto::toy_verifier())
            .has_value());
  const auto refused = check_body(body, world().chain_id, epoch, crypto::toy_verifier());
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::limit_exceeded);
}

TEST_CASE("pool: a full pool says busy, by count, operations and bytes; a known one is refused",
          "[pool]") {
  const auto first = make_checked(world(), 1, 2, 100);
  const auto second = make_checked(world(), 2, 2, 100);
  for (const TransactionPool::Limits& limits :
       {TransactionPool::Limits{.least = {1, 1000, 1 << 20}},
        TransactionPool::Limits{.least = {1000, 3, 1 << 20}},
        TransactionPool::Limits{.least = {1000, 1000, first.bytes()->size() + 1}}}) {
    TransactionPool pool(limits);
    REQUIRE(pool.admit(first, kOwnOrigin, Tick{1}).has_value());
    const auto again = pool.admit(first, kOwnOrigin, Tick{1});
    REQUIRE_FALSE(again.has_value());
    CHECK(again.error().code == Errc::already_exists);
    const auto refused = pool.admit(second, kOwnOrigin, Tick{1});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::busy);
    // What a batch lists is kept all the same, and room comes back with execution.
    pool.pin(second, Tick{1});
    CHECK(pool.find(second.hash()) == second.bytes());
    pool.on_executed(first.hash(), first.bytes());
    pool.on_executed(second.hash(), second.bytes());
    CHECK(pool.size() == 0);
    CHECK(pool.size_bytes() == 0);
    CHECK(pool.operation_count() == 0);
  }
}

TEST_CASE(
    "pbft 1.6 V1: the pool admits what T_req / 2 can execute at the measured rate, and never less "
    "than two batches",
    "[pool]") {
  TransactionPool pool({.least = {2, 1000, 1 << 20},
                        .most = {7, 1000, 1 << 20},
                        .least_of_own = {2, 1000, 1 << 20}});
  std::uint64_t nonce = 0;
  const auto room = [&] {
    std::vector<CheckedTransaction> taken;
    while (true) {
      taken.push_back(make_checked(world(), ++nonce));
      if (!pool.admit(taken.back(), kOwnOrigin, Tick{}).has_value()) break;
    }
    taken.pop_back();
    return taken;
  };
  const auto execute = [&](const std::vector<CheckedTransaction>& some) {
    for (const auto& one : some) pool.on_executed(one.hash(), one.bytes());
  };
  pool.on_tick(Tick{1000});
  std::vector<CheckedTransaction> first = room();
  REQUIRE(first.size() == 2);
  execute(first);
  // Four in one window: so many may wait in the next one.
  execute(room());
  CHECK(pool.bound().transactions == 4);
  pool.on_tick(Tick{1500});
  std::vector<CheckedTransaction> more = room();
  CHECK(more.size() == 4);
  execute(more);
  more = room();
  CHECK(more.size() == 4);
  execute(more);
  // Eight would be it, but memory is bounded too.
  CHECK(pool.bound().transactions == 7);
  // What came by batches of others, or by catching up, was not admitted here and says nothing.
  pool.on_tick(Tick{2000});
  pool.on_tick(Tick{2500});
  for (int i = 0; i < 20; ++i) {
    const auto pinned = make_checked(world(), ++nonce);
    pool.pin(pinned, Tick{});
    execute({pinned});
  }
  CHECK(pool.bound().transactions == 2);
  CHECK(room().size() == 2);
}

TEST_CASE("pool: who sends more than is executed is held to the rate, and others are not",
          "[pool]") {
  TransactionPool pool(
      {.least = {16, 1000, 1 << 20}, .least_of_own = {2, 1000, 1 << 20}, .origins = 2});
  std::uint64_t nonce = 0;
  const auto fill = [&](Origin origin) {
    std::vector<CheckedTransaction> taken;
    while (true) {
      taken.push_back(make_checked(world(), ++nonce));
      if (!pool.admit(taken.back(), origin, Tick{}).has_value()) break;
    }
    taken.pop_back();
    return taken;
  };
  const auto execute = [&](const std::vector<CheckedTransaction>& some, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) pool.on_executed(some[i].hash(), some[i].bytes());
  };
  pool.on_tick(Tick{1000});
  const auto first = fill(kOwnOrigin);
  REQUIRE(first.size() == 8);  // an equal part of what there is room for
  execute(first, 5);
  pool.on_tick(Tick{1500});
  // Five were executed in a window, so that as many may wait: three do.
  const auto second = fill(kOwnOrigin);
  CHECK(second.size() == 2);
  CHECK_FALSE(pool.has_room(kOwnOrigin, 100));
  const auto pushed = fill(3);
  CHECK(pushed.size() == 11);
  // What others had executed says nothing of what the own institution may send.
  execute(pushed, 11);
  CHECK_FALSE(pool.has_room(kOwnOrigin, 100));
  execute({first.begin() + 5, first.end()}, 3);
  execute(second, 2);
  // Nothing was refused in a whole window: what was executed says no more what could be.
  pool.on_tick(Tick{2000});
  pool.on_tick(Tick{2500});
  CHECK(fill(kOwnOrigin).size() == 8);
}

TEST_CASE("consensus 1.9: whoever floods the pool leaves every other node its share", "[pool]") {
  TransactionPool pool({.least = {16, 1000, 1 << 20}, .origins = 4});
  std::uint64_t nonce = 0;
  const auto fill = [&](Origin origin) {
    std::size_t count = 0;
    while (pool.admit(make_checked(world(), ++nonce), origin, Tick{}).has_value()) ++count;
    return count;
  };
  // Eight places are open to all, two are kept for each.
  CHECK(fill(0) == 10);
  CHECK(fill(1) == 2);
  CHECK(fill(kOwnOrigin) == 2);
  CHECK_FALSE(pool.has_room(0, 100));
  CHECK(pool.has_room(2, 100));
  CHECK(fill(2) == 2);
  CHECK(pool.size() == 16);
}

TEST_CASE("pool: what is committed here leaves its room to what its node pushes next", "[pool]") {
  TransactionPool pool({.least = {16, 1000, 1 << 20}, .origins = 4});
  std::uint64_t nonce = 0;
  const auto fill = [&](Origin origin) {
    std::vector<TxHash> taken;
    while (true) {
      const CheckedTransaction one = make_checked(world(), ++nonce);
      if (!pool.admit(one, origin, Tick{}).has_value()) return taken;
      taken.push_back(one.hash());
    }
  };
  const auto pushed = fill(0);
  REQUIRE(pushed.size() == 10);
  const auto own = fill(kOwnOrigin);
  REQUIRE(own.size() == 2);
  for (std::size_t i = 0; i < 4; ++i) pool.mark_committed(pushed[i]);
  pool.mark_committed(own[0]);
  pool.mark_committed(own[0]);
  CHECK(pool.knows(pushed[0]));
  // Execution holds the own institution back, and nobody else.
  CHECK(fill(0).size() == 4);
  CHECK(fill(kOwnOrigin).empty());
  for (const TxHash& hash : pushed) pool.on_executed(hash, nullptr);
  pool.on_executed(own[0], nullptr);
  // What was committed before it was executed counts in the rate as well.
  CHECK(pool.executed_lately().transactions == 11);
  CHECK(fill(0).size() == 6);
}

TEST_CASE("consensus 1.9: one transaction of an origin is taken though it is larger than its share",
          "[pool]") {
  TransactionPool pool({.least = {100, 100, 1 << 20}, .origins = 10});
  // Fifty operations are open to all, five are kept for each.
  REQUIRE(pool.admit(make_checked(world(), 1, 55), 4, Tick{}).has_value());
  CHECK_FALSE(pool.admit(make_checked(world(), 2, 1), 4, Tick{}).has_value());
  REQUIRE(pool.admit(make_checked(world(), 3, 30), 5, Tick{}).has_value());
  CHECK_FALSE(pool.admit(make_checked(world(), 4, 1), 5, Tick{}).has_value());
  REQUIRE(pool.admit(make_checked(world(), 5, 4), 6, Tick{}).has_value());
  CHECK(pool.admit(make_checked(world(), 6, 1), 6, Tick{}).has_value());
  CHECK(pool.operation_count() == 90);
}

TEST_CASE("consensus 1.9: a batch takes from all origins in turn, of each the oldest first",
          "[pool]") {
  TransactionPool pool;
  std::vector<TxHash> hashes;
  const auto admit = [&](Origin origin) {
    const auto transaction = make_checked(world(), hashes.size() + 1);
    hashes.push_back(transaction.hash());
    REQUIRE(pool.admit(transaction, origin, Tick{hashes.size()}).has_value());
  };
  for (int i = 0; i < 4; ++i) admit(7);  // 0 to 3
  admit(2);                              // 4
  admit(2);                              // 5
  admit(kOwnOrigin);                     // 6
  const auto at = [&](std::initializer_list<std::size_t> places) {
    std::vector<TxHash> out;
    for (const std::size_t place : places) out.push_back(hashes[place]);
    return out;
  };
  CHECK(pool.select({}).hashes == at({0, 4, 6, 1, 5, 2, 3}));
  CHECK(pool.select({.transactions_max = 4}).hashes == at({0, 4, 6, 1}));
  CHECK(pool.oldest_proposable() == Tick{1});
  for (const TxHash& hash : at({0, 4, 6})) pool.mark_in_slot(hash);
  CHECK(pool.oldest_proposable() == Tick{2});
  CHECK(pool.select({}).hashes == at({1, 5, 2, 3}));
  pool.release_slots();
  CHECK(pool.select({}).hashes == at({0, 4, 6, 1, 5, 2, 3}));
}

TEST_CASE("pool: what was executed is served for a while and not admitted again", "[pool]") {
  TransactionPool pool({.recent_transactions_max = 2});
  std::vector<CheckedTransaction> all;
  for (std::uint64_t nonce = 1; nonce <= 3; ++nonce) all.push_back(make_checked(world(), nonce));
  for (const auto& one : all) pool.on_executed(one.hash(), one.bytes());
  CHECK_FALSE(pool.knows(all[0].hash()));
  CHECK(pool.find(all[2].hash()) == all[2].bytes());
  CHECK_FALSE(pool.admit(all[2], kOwnOrigin, Tick{1}).has_value());
  CHECK(pool.admit(all[0], kOwnOrigin, Tick{1}).has_value());
}

TEST_CASE("consensus 1.9: an unexecuted transaction is pushed again after T_req/2, then ever rarer",
          "[pool]") {
  TransactionPool pool({.push_again_ms = 500, .push_again_max_ms = 2000});
  const auto one = make_checked(world(), 1);
  REQUIRE(pool.admit(one, kOwnOrigin, Tick{1000}).has_value());
  std::vector<std::uint64_t> pushed_at;
  for (std::uint64_t now = 1000; now <= 10'000; now += 100) {
    if (!pool.take_due_pushes(Tick{now}, 1 << 20).empty()) pushed_at.push_back(now);
  }
  CHECK(pushed_at == std::vector<std::uint64_t>{1500, 2500, 4500, 6500, 8500});
  // The primary of a new view may lack it.
  pool.restart_pushes(Tick{10'000});
  CHECK(pool.take_due_pushes(Tick{10'499}, 1 << 20).empty());
  CHECK(pool.take_due_pushes(Tick{10'500}, 1 << 20).size() == 1);
  CHECK(pool.take_due_pushes(Tick{11'499}, 1 << 20).empty());
  CHECK(pool.take_due_pushes(Tick{11'500}, 1 << 20).size() == 1);
  pool.on_executed(one.hash(), one.bytes());
  CHECK(pool.take_due_pushes(Tick{99'999}, 1 << 20).empty());
}

TEST_CASE("pool: pushes of one turn keep to their bytes, and the rest comes next", "[pool]") {
  TransactionPool pool;
  for (std::uint64_t nonce = 1; nonce <= 4; ++nonce) {
    REQUIRE(pool.admit(make_checked(world(), nonce, 1, 1000), kOwnOrigin, Tick{0}).has_value());
  }
  CHECK(pool.take_due_pushes(Tick{500}, 2500).size() == 2);
  CHECK(pool.take_due_pushes(Tick{500}, 2500).size() == 2);
  CHECK(pool.take_due_pushes(Tick{500}, 2500).empty());
}

}  // namespace
}  // namespace baolian::node
