/// decide() against the tables that were worked by hand, and what a year of bills comes to.
#include "contracts/adjudication/decision.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "contracts/adjudication/bills.h"
#include "contracts/adjudication/payout.h"
#include "core/prng.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::contracts;
using namespace baolian::contracts::test;

namespace {

/// What the policy year looks like when the group's expense stands at `expense`.
Accumulators year_at(const Product& product, std::uint64_t expense) {
  const std::uint64_t paid =
      std::min(product.liabilities[0].limit,
               cumulative_payout(product.groups[0], product.rounding, expense));
  return {paid, {{group_accumulator(1), expense}, {liability_accumulator(1), paid}}};
}

/// R3 of the city product: the same group, a lower limit.
Product city_product_r3() {
  Product out = city_product_r1();
  out.liabilities[0].limit = 700'000 * kYuan;
  out.total_limit = out.liabilities[0].limit;
  return out;
}

void check_step(const Product& product, std::uint64_t before, std::uint64_t after,
                std::uint64_t pays) {
  Case one{product, bill_of(after - before)};
  one.accumulators = year_at(product, before);
  const Decision decision = one.decide();
  CHECK(decision.outcome == Outcome::payable);
  CHECK(decision.payable == pays);
  CHECK(decision.before == one.accumulators);
  CHECK(decision.after == year_at(product, after));
}

Accumulators continued(const Decision& decision) { return decision.after; }

}  // namespace

TEST_CASE("decide: every vector of the city product, worked by hand", "[adjudication]") {
  const auto rows = table_rows("tyynb-2023.md", 6);
  REQUIRE(rows.size() == 19);
  for (const auto& row : rows) {
    INFO("vector " << row[0]);
    const Product product = std::stoi(row[0]) >= 18 ? city_product_r3() : city_product_r1();
    check_step(product, fen(row[1]), fen(row[2]), fen(row[5]));
  }
}

TEST_CASE("decide: the golden vectors of the shared data", "[adjudication]") {
  std::ifstream in(std::string(BAOLIAN_SOURCE_DIR) +
                   "/../shared/data/products/golden_vectors_tyynb2023.tsv");
  if (!in) {
    WARN("skipped: the shared data is not here");
    return;
  }
  std::string line;
  std::size_t count = 0;
  while (std::getline(in, line)) {
    if (line.empty() || std::isdigit(line.front()) == 0) continue;
    std::istringstream row(line);
    std::string before;
    std::string after;
    std::string pays;
    row >> before >> after >> pays;
    INFO(line);
    check_step(city_product_r1(), fen(before), fen(after), fen(pays));
    ++count;
  }
  CHECK(count == 12);
}

TEST_CASE("decide: every vector of the full-indemnity product, worked by hand", "[adjudication]") {
  const auto rows = table_rows("full-indemnity.md", 8);
  REQUIRE(rows.size() == 13);
  const Product product = full_indemnity();
  for (const auto& row : rows) {
    INFO("vector " << row[0]);
    const std::uint64_t items = fen(row[2]);
    const std::uint64_t not_covered = fen(row[3]);
    const std::size_t result = row[5].rfind("= ");
    const std::uint64_t left = fen(result == std::string::npos ? row[5] : row[5].substr(result));
    const std::size_t sum = row[7].rfind("= ");
    const std::uint64_t pays = fen(sum == std::string::npos ? row[7] : row[7].substr(sum));
    Case one{product, bill({item("110900001", items - not_covered, CatalogueClass::a),
                            item("W900142", not_covered, CatalogueClass::unknown)})};
    one.accumulators = year_at(product, fen(row[1]));
    one.invoices = {{left}};
    if (row[5].find("pool") != std::string::npos) one.payload.invoices[0].basic_pool = items - left;
    const Decision decision = one.decide();
    CHECK(decision.outcome == Outcome::payable);
    CHECK(decision.payable == pays);
    CHECK(decision.lines.at(0).eligible == fen(row[4]));
    CHECK(decision.after.value(group_accumulator(1)) == fen(row[6]));
  }
}

TEST_CASE("decide: the published case pays 3,112.90 of 3,255.00, the rest is declared",
          "[adjudication]") {
  const Case one{full_indemnity(), bill({item("330704001", 311'290, CatalogueClass::a),
                                         item("W900142", 14'210, CatalogueClass::unknown)})};
  const Decision decision = one.decide();
  CHECK(decision.outcome == Outcome::payable);
  CHECK(decision.billed == 325'500);
  CHECK(decision.payable == 311'290);
  CHECK(decision.withheld == Withheld::declared);
  CHECK(decision.reasons.empty());
  CHECK(decision.invoice_payouts == std::vector<std::uint64_t>{311'290});
}

TEST_CASE("decide: a bill that is paid in full has nothing withheld", "[adjudication]") {
  const Case one{full_indemnity(), bill_of(5'000)};
  CHECK(one.decide().withheld == Withheld::none);
  const Case nothing{full_indemnity(), bill_of(0)};
  CHECK(nothing.decide().withheld == Withheld::none);
  CHECK(nothing.decide().outcome == Outcome::payable);
}

TEST_CASE("decide: the second bill of a year continues the tiers of the first", "[adjudication]") {
  Case one{city_product_r1(), bill_of(10'000 * kYuan)};
  const Decision first = one.decide();
  CHECK(first.payable == 800 * kYuan);
  one.payload = bill_of(50'000 * kYuan);
  one.accumulators = continued(first);
  const Decision second = one.decide();
  CHECK(second.payable == 34'000 * kYuan);
  // What reversing the first bill gives back: the year without it pays 26,800.
  one.accumulators = {};
  CHECK(first.payable + second.payable - one.decide().payable == 8'000 * kYuan);
}

TEST_CASE("decide: limits of a liability and of the policy cut, and stay cut", "[adjudication]") {
  Case one{full_indemnity(), bill_of(9'000 * kYuan)};
  const Decision first = one.decide();
  CHECK(first.payable == 9'000 * kYuan);
  one.accumulators = continued(first);
  const Decision second = one.decide();
  CHECK(second.payable == 1'000 * kYuan);
  CHECK(second.withheld == Withheld::declared);
  CHECK(second.lines.at(0).by_tiers == 9'000 * kYuan);
  one.accumulators = continued(second);
  CHECK(one.decide().payable == 0);
  CHECK(one.decide().outcome == Outcome::payable);

  // The total limit is the policy's: also what another liability was paid counts.
  one.accumulators = {9'999 * kYuan, {}};
  CHECK(one.decide().payable == 1 * kYuan);
  one.accumulators = {50'000 * kYuan, {}};
  CHECK(one.decide().payable == 0);
}

TEST_CASE("decide: a deductible per claim begins anew and leaves no accumulator",
          "[adjudication]") {
  Product product = city_product_r1();
  product.groups[0].scope = DeductibleScope::claim;
  Case one{product, bill_of(10'000 * kYuan)};
  const Decision first = one.decide();
  CHECK(first.payable == 800 * kYuan);
  one.accumulators = continued(first);
  const Decision second = one.decide();
  CHECK(second.payable == 800 * kYuan);
  CHECK(second.lines.at(0).expense_before == 0);
  REQUIRE(second.after.values.size() == 1);
  CHECK(second.after.value(liability_accumulator(1)) == 1'600 * kYuan);
}

TEST_CASE("decide: what an earlier payer left of an invoice is the most that is paid",
          "[adjudication]") {
  Case one{full_indemnity(), bill_of(2'000 * kYuan)};
  one.invoices = {{1'700 * kYuan}};
  const Decision decision = one.decide();
  CHECK(decision.payable == 1'700 * kYuan);
  CHECK(decision.after.value(group_accumulator(1)) == 1'700 * kYuan);
  CHECK(decision.withheld == Withheld::declared);
  one.invoices = {{0}};
  CHECK(one.decide().payable == 0);
}

TEST_CASE("decide: a second liability gets what the first left of the invoice", "[adjudication]") {
  Product product = full_indemnity();
  product.groups.push_back(product.groups[0]);
  product.groups[1].id = 2;
  product.groups[0].tiers = {{0, 600'000}};
  product.liabilities.push_back(product.liabilities[0]);
  product.liabilities[1].id = 2;
  product.liabilities[1].group = 2;
  REQUIRE(check_product(product).has_value());
  const Case one{product, bill_of(1'000 * kYuan)};
  const Decision decision = one.decide();
  REQUIRE(decision.lines.size() == 2);
  CHECK(decision.lines[0].paid == 600 * kYuan);
  CHECK(decision.lines[1].expense_after == 400 * kYuan);
  CHECK(decision.lines[1].paid == 400 * kYuan);
  CHECK(decision.payable == 1'000 * kYuan);
}

TEST_CASE("decide: invoices are taken by code and number, wherever they stand", "[adjudication]") {
  Case one{city_product_r1(), bill({item("C1", 15'000 * kYuan, CatalogueClass::c, 0),
                                    item("C1", 10'000 * kYuan, CatalogueClass::c, 1)})};
  one.payload.invoices = {invoice("9", 15'000 * kYuan), invoice("1", 10'000 * kYuan)};
  const Decision decision = one.decide();
  REQUIRE(decision.lines.size() == 2);
  CHECK(decision.lines[0].invoice == 1);
  CHECK(decision.lines[0].paid == 800 * kYuan);
  CHECK(decision.lines[1].expense_before == 10'000 * kYuan);
  CHECK(decision.lines[1].paid == 6'000 * kYuan);
  CHECK(decision.invoice_payouts == std::vector<std::uint64_t>{6'000 * kYuan, 800 * kYuan});
  CHECK(decision.payable == 6'800 * kYuan);
}

TEST_CASE("decide: an order-free product pays the same sum in every order of bills",
          "[adjudication][property]") {
  Product small = city_product_r1();
  small.liabilities[0].limit = 20'000 * kYuan;
  small.total_limit = 20'000 * kYuan;
  Prng prng(11);
  for (const Product& product : {city_product_r1(), small, full_indemnity()}) {
    REQUIRE(is_order_free(product));
    for (int round = 0; round < 40; ++round) {
      std::vector<Case> bills;
      for (int i = 0; i < 6; ++i) {
        Case one{product, bill_of(prng.between(0, 1'500'000))};
        one.invoices = {{prng.between(0, *one.payload.invoices[0].total)}};
        bills.push_back(std::move(one));
      }
      const auto year = [&](const std::vector<Case>& in_order) {
        Accumulators now;
        std::uint64_t paid = 0;
        for (Case one : in_order) {
          one.accumulators = now;
          const Decision decision = one.decide();
          paid += decision.payable;
          now = decision.after;
        }
        CHECK(paid == now.total_paid);
        return paid;
      };
      const std::uint64_t expected = year(bills);
      std::vector<Case> shuffled;
      while (!bills.empty()) {
        const auto at = static_cast<std::ptrdiff_t>(prng.below(bills.size()));
        shuffled.push_back(bills[static_cast<std::size_t>(at)]);
        bills.erase(bills.begin() + at);
      }
      CHECK(year(shuffled) == expected);
    }
  }
}

TEST_CASE("decide: two liabilities on one invoice are not order-free, and the check says so",
          "[adjudication]") {
  Product product = full_indemnity();
  product.total_limit = 20'000 * kYuan;
  product.groups = {{1, 0, DeductibleScope::policy_year, {{1'000 * kYuan, 1'000'000}}},
                    {2, 0, DeductibleScope::policy_year, {{500 * kYuan, 500'000}}}};
  product.liabilities.push_back(product.liabilities[0]);
  product.liabilities[1].id = 2;
  product.liabilities[1].group = 2;
  product.liabilities[1].base = ExpenseBase::outside_catalogue;
  REQUIRE(check_product(product).has_value());
  CHECK_FALSE(is_order_free(product));
  const ClaimPayload a = bill_of(3'000 * kYuan, CatalogueClass::a);
  const ClaimPayload c = bill_of(1'000 * kYuan, CatalogueClass::c);
  const auto year = [&](const ClaimPayload& first, const ClaimPayload& second) {
    Case one{product, first};
    const Decision before = one.decide();
    one.payload = second;
    one.accumulators = before.after;
    return one.decide().after.total_paid;
  };
  // First, c's 1,000 fall below the first deductible and the second liability pays (1,000 - 500) /
  // 2 of them; last, the first liability pays all of them.
  CHECK(year(c, a) == 3'250 * kYuan);
  CHECK(year(a, c) == 3'000 * kYuan);
}

TEST_CASE("decide: payouts never exceed bill, remainder, limit or total limit",
          "[adjudication][property]") {
  Prng prng(23);
  Product product = city_product_r1();
  product.liabilities[0].limit = 30'000 * kYuan;
  product.total_limit = 30'000 * kYuan;
  Accumulators now;
  for (int i = 0; i < 500; ++i) {
    Case one{product, bill_of(prng.between(0, 800'000),
                              prng.chance_percent(70) ? CatalogueClass::c : CatalogueClass::a)};
    one.accumulators = now;
    one.invoices = {{prng.between(0, *one.payload.invoices[0].total)}};
    const Decision decision = one.decide();
    CHECK(decision.payable <= one.invoices[0].balance);
    CHECK(decision.payable <= decision.billed);
    CHECK(decision.after.total_paid == now.total_paid + decision.payable);
    CHECK(decision.after.total_paid <= product.total_limit);
    now = i % 50 == 49 ? Accumulators{} : decision.after;
  }
}

TEST_CASE("decide: the same values give the same bytes, and the bytes come back",
          "[adjudication]") {
  CodeMap map = small_map();
  Case one{city_product(),
           bill({item("C1", 700'000, CatalogueClass::c), item("XL02", 1'000, CatalogueClass::c)})};
  one.payload.diagnoses = {{"clinical", "M1", "", DiagnosisRole::principal}};
  one.map = &map;
  for (const bool ruled : {false, true}) {
    if (ruled) one.ruling = Ruling{Verdict::accept, "资料齐全"};
    const Case copy = one;
    const Bytes bytes = encode(one.decide());
    CHECK(bytes == encode(copy.decide()));
    const auto back = decode<Decision>(bytes);
    REQUIRE(back.has_value());
    CHECK(*back == one.decide());
    CHECK(encode(*back) == bytes);
  }
}
