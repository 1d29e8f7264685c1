#include "ledger/operation_index.h"

#include "ledger/fixture.h"
#include "ledger/index_format.h"
#include "ledger/memory_store.h"
#include "support/catch.h"

namespace baolian::ledger {
namespace {

OperationLeaf leaf_of(const Receipt& receipt) {
  OperationLeaf leaf;
  leaf.sender = test::numbered<PublicKey>(3);
  leaf.operation = encode(Operation{
      .kind = 0x1234, .request_id = {}, .content = to_bytes("content"), .cosignatures = {}});
  leaf.receipt = encode(receipt);
  return leaf;
}

TEST_CASE("operation row: kind, receipt and sender are those of the leaf", "[index]") {
  Receipt receipt;
  receipt.status = ReceiptStatus::rejected;
  receipt.code = 777;
  const auto row = operation_row(leaf_of(receipt));
  REQUIRE(row.has_value());
  CHECK(row->kind == 0x1234);
  CHECK(row->status == ReceiptStatus::rejected);
  CHECK(row->code == 777);
  CHECK(row->sender == test::numbered<PublicKey>(3));
  CHECK(row->events.empty());
  CHECK(decode<OperationRow>(encode(*row)).value() == *row);
}

TEST_CASE("operation row: an event's detail is what follows the version byte of its body",
          "[index]") {
  Receipt receipt;
  receipt.events = {{.kind = 1, .body = {}},
                    {.kind = 2, .body = {1, 0xAA}},
                    {.kind = 3, .body = {1, 0xAA, 0xBB}},
                    {.kind = 4, .body = {1, 0xAA, 0xBB, 0xCC}}};
  const auto row = operation_row(leaf_of(receipt));
  REQUIRE(row.has_value());
  CHECK(row->events == std::vector<EventMark>{{1, 0}, {2, 0}, {3, 0xBBAA}, {4, 0xBBAA}});
}

TEST_CASE("operation row: as many events as a receipt may have, and not one more", "[index]") {
  Receipt receipt;
  receipt.events.resize(kReceiptEventsMax);
  const auto row = operation_row(leaf_of(receipt));
  REQUIRE(row.has_value());
  REQUIRE(decode<OperationRow>(encode(*row)).has_value());
  Bytes more = encode(*row);
  const std::size_t count = more.size() - kReceiptEventsMax * 4 - 4;  // little-endian u32
  REQUIRE(more[count] == kReceiptEventsMax);
  ++more[count];
  more.insert(more.end(), 4, 0);
  CHECK(decode<OperationRow>(more).error().code == Errc::limit_exceeded);
}

TEST_CASE("operation row: a transaction rejected as a whole has no kind", "[index]") {
  Receipt receipt;
  receipt.status = ReceiptStatus::transaction_rejected;
  OperationLeaf leaf = leaf_of(receipt);
  leaf.operation.clear();
  leaf.op_index = kWholeTransaction;
  CHECK(operation_row(leaf).value().kind == 0);
}

TEST_CASE("operation row: a leaf that does not decode has none", "[index]") {
  OperationLeaf leaf = leaf_of({});
  SECTION("receipt") { leaf.receipt.pop_back(); }
  SECTION("operation") { leaf.operation = {1}; }
  CHECK_FALSE(operation_row(leaf).has_value());
}

TEST_CASE("chain: entries lead to the rows of their operations, in a new chain and an opened one",
          "[index][chain]") {
  const auto disk = std::make_shared<MemoryDisk>();
  const auto open = [&] {
    return Chain::open(make_memory_store(disk), test::make_genesis(), test::genesis_writes())
        .value();
  };
  auto chain = open();
  const LogId log = test::log_of(LogKind::alarms, 0);
  for (std::uint64_t h = 1; h <= 3; ++h) {
    test::BlockBuilder builder(*chain, TimeMs{1'700'000'001'000 + h});
    const std::uint32_t first = builder.add_transaction(3);
    builder.append_to(log, first + 2);
    builder.append_to(log, first + 2, 1);  // a second line of the same operation
    builder.append_to(log, builder.add_rejected_transaction());
    chain->append(builder.take());
  }
  for (int round = 0; round < 2; ++round) {
    const auto entries = chain->log_entries(log, TimeMs{}, TimeMs{UINT64_MAX}, 0, 100);
    REQUIRE(entries.size() == 9);
    auto asked = entries;
    asked.emplace_back();
    asked.back().entry.height = Height{99};  // above the newest
    const auto rows = chain->operations_of(asked);
    REQUIRE(rows.size() == 10);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const auto leaf = chain->leaves(entries[i].entry.height)[entries[i].entry.operation];
      CHECK(rows[i] == operation_row(leaf).value());
    }
    CHECK(rows[0]->kind == 3);
    CHECK(rows[2]->status == ReceiptStatus::transaction_rejected);
    CHECK_FALSE(rows[9].has_value());
    chain.reset();
    chain = open();
  }
}

TEST_CASE("index format: without a whole mark of this format no chain opens", "[index][chain]") {
  const auto disk = std::make_shared<MemoryDisk>();
  const auto open = [&] {
    return Chain::open(make_memory_store(disk), test::make_genesis(), test::genesis_writes());
  };
  REQUIRE(open().has_value());
  const auto store = make_memory_store(disk);
  store->apply({index_mark_row(false)});
  CHECK(open().error().context.find("interrupted") != std::string::npos);
  StoreWrite mark = index_mark_row(true);
  const auto whole = mark.value;
  mark.value = std::nullopt;
  store->apply({mark});
  CHECK(open().error().context.find("format 1") != std::string::npos);
  mark.value = whole;
  store->apply({mark});
  CHECK(open().has_value());
}

}  // namespace
}  // namespace baolian::ledger
