/// Openings are found by the commitment that they open, also after a restart.
#include "node/claims/opening_book.h"

#include "contracts/adjudication/decision.h"
#include "crypto/commitment.h"
#include "crypto/pedersen.h"
#include "ledger/fixture.h"
#include "node/claims/public_contents.h"
#include "support/catch.h"
#include "vault/durable_file.h"

using namespace baolian;
using namespace baolian::node;

namespace {

crypto::Secret key_of(std::uint8_t value) {
  const Bytes bytes(32, value);
  return crypto::Secret::copy_of(bytes);
}

BalanceOpening opening_of(std::uint64_t amount) { return {amount, crypto::new_blinding()}; }

GroupElement commitment_of(const BalanceOpening& opening) {
  const auto out = crypto::pedersen_commit(opening.amount, opening.blinding);
  REQUIRE(out.has_value());
  return *out;
}

/// A decision that pays 600.00 of a balance of 1,000.00, after 50.00 paid before.
struct Case {
  BalanceOpening balance = opening_of(100'000);
  BalanceOpening payout = opening_of(60'000);
  BalanceOpening total = opening_of(5'000);
  AccumulatorOpening accumulator{1, 60'000, crypto::new_salt()};
  PolicyId policy;
  contracts::ClaimsDecide content;
  KeptDecision kept;

  Case() {
    content.outcome = contracts::Outcome::payable;
    content.lines = {{Tag32{}, commitment_of(payout), commitment_of(balance)}};
    content.total_before = commitment_of(total);
    content.accumulators = {{1, Commitment{}, accumulator_commitment(policy, accumulator)}};
    kept.file.decision = encode(contracts::Decision{});
    kept.file.decision_salt = crypto::new_salt();
    content.decision = decision_commitment(kept.file.decision_salt, kept.file.decision);
    kept.file.content = encode(content);
    kept.file.payouts = {payout};
    kept.file.balances = {{40'000, crypto::subtract(balance.blinding, payout.blinding)}};
    kept.file.total = {{65'000, crypto::add(total.blinding, payout.blinding)}};
    kept.file.accumulators = {accumulator};
    kept.explanation_zh = "赔付 600.00 元";
    kept.explanation_en = "pays 600.00";
  }
  GroupElement balance_after() const {
    return *crypto::subtract(commitment_of(balance), commitment_of(payout));
  }
  GroupElement total_after() const {
    return *crypto::add(commitment_of(total), commitment_of(payout));
  }
};

}  // namespace

TEST_CASE("openings: what a decision leaves is found by the commitments it leaves", "[openings]") {
  const ledger::test::TemporaryDirectory directory;
  const Case made;
  for (int run = 0; run < 2; ++run) {  // the second one reads the files
    auto book = OpeningBook::open(directory.path() + "/openings", key_of(7));
    REQUIRE(book.has_value());
    if (run == 0) {
      CHECK_FALSE((*book)->sum(made.balance_after()).has_value());
      REQUIRE((*book)->keep(made.kept).has_value());
    }
    const auto balance = (*book)->sum(made.balance_after());
    REQUIRE(balance.has_value());
    CHECK(balance->amount == 40'000);
    CHECK(commitment_of(*balance) == made.balance_after());
    const auto total = (*book)->sum(made.total_after());
    REQUIRE(total.has_value());
    CHECK(total->amount == 65'000);
    CHECK(commitment_of(*total) == made.total_after());
    const auto accumulator = (*book)->accumulator(made.content.accumulators[0].after);
    REQUIRE(accumulator.has_value());
    CHECK(accumulator->amount == 60'000);
    const auto kept = (*book)->find(made.content.decision);
    REQUIRE(kept.has_value());
    CHECK(encode(*kept) == encode(made.kept));
  }
}

TEST_CASE("openings: nothing yet is zero, and the unknown is unknown", "[openings]") {
  const ledger::test::TemporaryDirectory directory;
  const auto book = OpeningBook::open(directory.path() + "/openings", key_of(7));
  REQUIRE(book.has_value());
  CHECK((*book)->sum(GroupElement{})->amount == 0);
  CHECK((*book)->accumulator(Commitment{})->amount == 0);
  CHECK_FALSE((*book)->sum(commitment_of(opening_of(1))).has_value());
  CHECK((*book)->find(Commitment{}).error().code == Errc::not_found);
}

TEST_CASE("openings: balances that somebody opened are kept too", "[openings]") {
  const ledger::test::TemporaryDirectory directory;
  const BalanceOpening one = opening_of(12);
  const BalanceOpening nothing = opening_of(0);
  {
    auto book = OpeningBook::open(directory.path() + "/openings", key_of(7));
    REQUIRE(book.has_value());
    REQUIRE(
        (*book)
            ->keep(SumOpenings{{}, {{commitment_of(one), one}, {commitment_of(nothing), nothing}}})
            .has_value());
  }
  const auto book = OpeningBook::open(directory.path() + "/openings", key_of(7));
  REQUIRE(book.has_value());
  CHECK((*book)->sum(commitment_of(one))->amount == 12);
  CHECK((*book)->sum(commitment_of(nothing))->amount == 0);
}

TEST_CASE("openings: another key or a damaged file refuses to open", "[openings]") {
  const ledger::test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/openings";
  {
    auto book = OpeningBook::open(path, key_of(7));
    REQUIRE(book.has_value());
    REQUIRE((*book)->keep(Case().kept).has_value());
  }
  CHECK(OpeningBook::open(path, key_of(8)).error().code == Errc::cannot_open);
  const auto names = vault::names_in(path, ".sealed");
  REQUIRE(names.has_value());
  REQUIRE(names->size() == 1);
  const std::string file = path + "/" + names->front() + ".sealed";
  auto bytes = vault::read_file(file);
  REQUIRE(bytes.has_value());
  bytes->back() ^= 1;
  REQUIRE(vault::replace_file(file, *bytes).has_value());
  CHECK(OpeningBook::open(path, key_of(7)).error().code == Errc::cannot_open);
}

TEST_CASE("contents: kept by hash, and a changed file is not believed", "[contents]") {
  const ledger::test::TemporaryDirectory directory;
  auto contents = PublicContents::open(directory.path() + "/contents");
  REQUIRE(contents.has_value());
  const Bytes bytes = to_bytes("a product");
  const auto hash = (*contents)->put(bytes);
  REQUIRE(hash.has_value());
  CHECK(*hash == public_hash(bytes));
  CHECK(*(*contents)->put(bytes) == *hash);
  CHECK((*contents)->contains(*hash));
  CHECK(*(*contents)->bytes(*hash) == bytes);
  CHECK_FALSE((*contents)->product(*hash).has_value());  // these bytes are none
  CHECK((*contents)->bytes(Hash{}).error().code == Errc::not_found);
  const std::string file = directory.path() + "/contents/" + hash->hex() + ".content";
  REQUIRE(vault::replace_file(file, as_bytes("another")).has_value());
  CHECK((*contents)->bytes(*hash).error().code == Errc::vault_corrupt);
}
