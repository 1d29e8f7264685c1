/// Pages of logs come from index rows; what they say must be what the blocks say.
#include "node/log_page.h"

#include <nlohmann/json.hpp>

#include "contracts/codes.h"
#include "contracts/events.h"
#include "contracts/operations.h"
#include "ledger/chain_state.h"
#include "node/services.h"
#include "node/verify_fixture.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

using contracts::Code;
using ledger::Receipt;
using ledger::ReceiptStatus;

/// The words of a leaf as its operation and its whole receipt give them: the naive way.
OperationView view_of_leaf(const ledger::StateReader& state, const ledger::OperationLeaf& leaf) {
  OperationView out;
  if (const auto operation = decode<ledger::Operation>(leaf.operation)) {
    out.operation = std::string(contracts::kind_name(operation->kind));
  }
  const auto receipt = decode<Receipt>(leaf.receipt);
  REQUIRE(receipt.has_value());
  if (receipt->status != ReceiptStatus::applied) {
    out.outcome = std::string(contracts::code_name(receipt->code));
  }
  for (const auto& event : receipt->events) {
    if (!out.outcome.empty()) out.outcome += ", ";
    out.outcome += contracts::event_name(event.kind);
    if (const auto denied = contracts::event_as<contracts::Denied>(event)) {
      out.outcome += " (" + std::string(contracts::code_name(denied->code)) + ")";
    }
  }
  const auto member = member_of_key(state, leaf.sender);
  if (member) out.institution = institution_name(state, member->institution);
  return out;
}

std::vector<Receipt> receipts() {
  using contracts::make_event;
  contracts::Denied denied;
  denied.code = static_cast<std::uint16_t>(Code::not_a_holder);
  Receipt one;
  one.events = {make_event(denied)};
  Receipt two;
  two.events = {make_event(contracts::RecordWasRead{}), make_event(denied)};
  Receipt short_body;
  short_body.events = {{.kind = 12345, .body = {1, 2}}};
  Receipt rejected;
  rejected.status = ReceiptStatus::rejected;
  rejected.code = static_cast<std::uint16_t>(Code::record_unknown);
  return {one, two, Receipt{}, short_body, rejected};
}

ledger::LogId page_log() { return {ledger::LogKind::denials_of_subject, Hash{}}; }

/// One block: an operation for each of receipts(), then a transaction rejected as a whole. All
/// stand in page_log().
ledger::ExecutedBlock make_block(const ledger::Chain& chain) {
  const auto& signer = *test::verify_world().senders[1].signer;
  ledger::ExecutedBlock block;
  block.height = chain.height().next();
  block.timestamp = TimeMs{test::kNowMs + block.height.value};
  const auto add = [&](std::uint64_t nonce, const std::vector<Receipt>& outcomes, bool whole) {
    ledger::TransactionBody body;
    body.chain_id = chain.chain_id();
    body.sender = signer.public_key();
    body.nonce = Nonce{nonce};
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      body.operations.push_back(test::read_operation(RecordId{}, i));
    }
    if (!whole) body.operations.back().kind = 60'000;  // none that exists
    const auto transaction = ledger::sign_transaction(std::move(body), signer);
    block.transactions.push_back(encode(transaction));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      ledger::OperationLeaf leaf;
      leaf.tx_hash = ledger::tx_hash(block.transactions.back());
      leaf.op_index = whole ? ledger::kWholeTransaction : static_cast<std::uint16_t>(i);
      leaf.sender = signer.public_key();
      if (!whole) leaf.operation = encode(transaction.body.operations[i]);
      leaf.receipt = encode(outcomes[i]);
      const auto index = static_cast<std::uint32_t>(block.leaves.size());
      block.appends.push_back({.leaf_index = index, .append = {.log = page_log(), .line = 0}});
      block.leaves.push_back(std::move(leaf));
    }
  };
  add(block.height.value * 2, receipts(), false);
  Receipt whole;
  whole.status = ReceiptStatus::transaction_rejected;
  whole.code = static_cast<std::uint16_t>(Code::nonce_used);
  add(block.height.value * 2 + 1, {whole}, true);
  return block;
}

TEST_CASE("log page: words of every kind of outcome are those of the block", "[log-page]") {
  const auto chain = test::make_chain(test::verify_world());
  for (int i = 0; i < 3; ++i) chain->append(make_block(*chain));
  const auto entries = chain->log_entries(page_log(), TimeMs{}, TimeMs{UINT64_MAX}, 0, 100);
  REQUIRE(entries.size() == 3 * (receipts().size() + 1));
  const auto views = views_of(*chain, entries);
  REQUIRE(views.size() == entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    CAPTURE(i);
    const auto leaves = chain->leaves(entries[i].entry.height);
    CHECK(views[i] == view_of_leaf(chain->state(), leaves[entries[i].entry.operation]));
  }
  CHECK(views[0].outcome == "denied (not_a_holder)");
  CHECK(views[1].outcome == "record_read, denied (not_a_holder)");
  CHECK(views[4].operation.empty());
  CHECK(views[4].outcome == "record_unknown");
  CHECK(views[5] == OperationView{"", "nonce_used", views[0].institution});
  CHECK_FALSE(views[0].institution.empty());
}

TEST_CASE("log page: words of a chain that contracts made are those of its blocks", "[log-page]") {
  test::ChainMaker maker(ledger::make_memory_store());
  maker.grow_to(30);
  const ledger::LogId log{ledger::LogKind::reads_of_record, Hash::from(maker.record().view())};
  const auto entries = maker.chain().log_entries(log, TimeMs{}, TimeMs{UINT64_MAX}, 0, 100);
  REQUIRE(entries.size() > 40);
  const auto views = views_of(maker.chain(), entries);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto leaves = maker.chain().leaves(entries[i].entry.height);
    REQUIRE(views[i] == view_of_leaf(maker.chain().state(), leaves[entries[i].entry.operation]));
  }
  CHECK(views[0].operation == "records.read");
  CHECK(views[0].outcome == "record_read");
}

TEST_CASE("log page: who follows `next` while blocks are committed meets every entry once",
          "[log-page]") {
  const auto chain = test::make_chain(test::verify_world());
  chain->append(make_block(*chain));
  std::vector<std::uint64_t> met;
  LogPageQuery query{.log = page_log(), .limit = 4};
  for (int pages = 0; pages < 20; ++pages) {
    const auto page = nlohmann::json::parse(log_page_json(*chain, query));
    for (const auto& entry : page["entries"]) met.push_back(entry["index"]);
    CHECK(page["count"] == chain->log_frontier(page_log()).count);
    if (page["next"].is_null()) break;
    query.after = page["next"];
    if (chain->height().value < 6) chain->append(make_block(*chain));
  }
  REQUIRE(met.size() == chain->log_frontier(page_log()).count);
  for (std::size_t i = 0; i < met.size(); ++i) REQUIRE(met[i] == i);
}

TEST_CASE("log page: entries whose operations have no row are shown without words", "[log-page]") {
  const auto disk = std::make_shared<ledger::MemoryDisk>();
  const auto& genesis = test::verify_world().genesis;
  const auto opened = ledger::Chain::open(ledger::make_memory_store(disk), genesis,
                                          contracts::genesis_writes(genesis));
  REQUIRE(opened.has_value());
  const auto& chain = *opened;
  chain->append(make_block(*chain));
  ledger::make_memory_store(disk)->apply(
      {{ledger::Family::index, ledger::chain_keys::operations(Height{1}, 0), std::nullopt}});
  const auto page = nlohmann::json::parse(log_page_json(*chain, {.log = page_log(), .limit = 3}));
  REQUIRE(page["entries"].size() == 3);
  for (const auto& entry : page["entries"]) CHECK(entry["outcome"] == "");
  CHECK(page["entries"][1]["index"] == 1);
}

TEST_CASE("log page: the answer's text", "[log-page]") {
  const auto chain = test::make_chain(test::verify_world());
  chain->append(make_block(*chain));
  const std::string zeros(64, '0');
  CHECK(
      log_page_json(*chain, {.log = page_log(), .after = 4, .limit = 1}) ==
      R"({"count":6,"entries":[{"height":1,"index":4,"institution_name":"institution 0","leaf":4,)"
      R"("operation":"","outcome":"record_unknown","time_ms":1750000100001}],)"
      R"("first_index_here":0,"id":")" +
          zeros + R"(","kind":"denials_of_subject","next":5})");
  CHECK(log_page_json(*chain, {.log = page_log(), .after = 6, .limit = 1}) ==
        R"({"count":6,"entries":[],"first_index_here":0,"id":")" + zeros +
            R"(","kind":"denials_of_subject","next":null})");
}

}  // namespace
}  // namespace baolian::node
