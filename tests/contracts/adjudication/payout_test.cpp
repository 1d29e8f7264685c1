/// The cumulative payout against the tables that were worked by hand (docs/products/), and the
/// checks of a product.
#include "contracts/adjudication/payout.h"

#include <fstream>
#include <sstream>

#include "contracts/adjudication/bills.h"
#include "core/prng.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::contracts;
using namespace baolian::contracts::test;

namespace {

/// What a bill pays that moves the year's expense: within the limit of the liability.
std::uint64_t paid(const Product& product, const Liability& one, std::uint64_t before,
                   std::uint64_t after) {
  const auto& group = *product.find_group(one.group);
  const auto value = [&](std::uint64_t expense) {
    return std::min(one.limit, cumulative_payout(group, product.rounding, expense));
  };
  return value(after) - value(before);
}

struct Vector {
  int number = 0;
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  std::uint64_t pays = 0;
};

/// Rows "| number | before | after | F(before) | F(after) | pays |" of a document.
std::vector<Vector> read_vectors(const std::string& document) {
  std::vector<Vector> out;
  for (const auto& row : table_rows(document, 6)) {
    out.push_back({std::stoi(row[0]), fen(row[1]), fen(row[2]), fen(row[5])});
  }
  return out;
}

}  // namespace

TEST_CASE("payout: every vector worked by hand for the city product", "[adjudication]") {
  const Product product = city_product();
  const auto vectors = read_vectors("tyynb-2023.md");
  REQUIRE(vectors.size() == 19);
  for (const Vector& vector : vectors) {
    INFO("vector " << vector.number);
    const Liability& one = product.liabilities[vector.number >= 18 ? 2 : 0];
    CHECK(paid(product, one, vector.before, vector.after) == vector.pays);
  }
}

TEST_CASE("payout: the golden vectors of the shared data", "[adjudication]") {
  std::ifstream in(std::string(BAOLIAN_SOURCE_DIR) +
                   "/../shared/data/products/golden_vectors_tyynb2023.tsv");
  if (!in) {
    WARN("skipped: the shared data is not here");
    return;
  }
  const Product product = city_product();
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
    CHECK(paid(product, product.liabilities[0], fen(before), fen(after)) == fen(pays));
    ++count;
  }
  CHECK(count == 12);
}

TEST_CASE("payout: how a year is cut into bills changes nothing", "[adjudication]") {
  const Product product = city_product();
  Prng prng(7);
  for (int round = 0; round < 200; ++round) {
    std::uint64_t x = 0;
    std::uint64_t sum = 0;
    for (int bill = 0; bill < 20; ++bill) {
      const std::uint64_t next = x + prng.between(0, 10'000'000);
      sum += paid(product, product.liabilities[0], x, next);
      x = next;
    }
    CHECK(sum == paid(product, product.liabilities[0], 0, x));
  }
}

TEST_CASE("payout: it grows with the expense and never by more", "[adjudication]") {
  const DeductibleGroup group = city_product().groups.front();
  for (const Rounding rounding : {Rounding::half_up, Rounding::down, Rounding::half_even}) {
    std::uint64_t last = 0;
    for (std::uint64_t x = 1'999'950; x < 2'000'050; ++x) {
      const std::uint64_t now = cumulative_payout(group, rounding, x);
      CHECK(now >= last);
      if (x > 1'999'950) CHECK(now - last <= 1);
      last = now;
    }
  }
}

TEST_CASE("payout: rounding at the half and at the ends of the range", "[adjudication]") {
  CHECK(divide_rounded(5, 10, Rounding::half_up) == 1);
  CHECK(divide_rounded(4, 10, Rounding::half_up) == 0);
  CHECK(divide_rounded(15, 10, Rounding::half_even) == 2);
  CHECK(divide_rounded(25, 10, Rounding::half_even) == 2);
  CHECK(divide_rounded(26, 10, Rounding::half_even) == 3);
  CHECK(divide_rounded(19, 10, Rounding::down) == 1);
  const DeductibleGroup whole{1, 0, DeductibleScope::policy_year, {{0, kPartsPerMillion}}};
  CHECK(cumulative_payout(whole, Rounding::half_up, kExpenseMax) == kExpenseMax);
  CHECK(cumulative_payout(whole, Rounding::half_up, 0) == 0);
}

TEST_CASE("product: the example is sound, and each slip is named", "[adjudication]") {
  CHECK(check_product(city_product()).has_value());
  CHECK_FALSE(is_order_free(city_product()));  // a person decides on proton therapy
  const auto refuse = [](const std::string& part, const auto& change) {
    Product product = city_product();
    change(product);
    const auto checked = check_product(product);
    REQUIRE_FALSE(checked.has_value());
    INFO(checked.error().context);
    CHECK(checked.error().context.find(part) != std::string::npos);
  };
  refuse("the last day", [](Product& p) { p.to_day = p.from_day - 1; });
  refuse("total limit must", [](Product& p) { p.total_limit = 0; });
  refuse("above the sum", [](Product& p) { p.total_limit += 1; });
  refuse("above the total limit", [](Product& p) { p.total_limit = 900'000 * kYuan; });
  refuse("numbered 1, 2, 3", [](Product& p) { p.groups[1].id = 7; });
  refuse("numbered 1, 2, 3", [](Product& p) { p.liabilities[1].id = 1; });
  refuse("no such deductible group", [](Product& p) { p.liabilities[0].group = 9; });
  refuse("more than everything", [](Product& p) { p.groups[0].tiers[0].ratio = 1'000'001; });
  refuse("below the deductible", [](Product& p) { p.groups[0].tiers[0].above = 1; });
  refuse("the same expense",
         [](Product& p) { p.groups[0].tiers[1].above = p.groups[0].tiers[0].above; });
  refuse("is empty", [](Product& p) { p.excluded_diagnoses = {{"", "O99", "O00"}}; });
}

TEST_CASE("product: a range of codes includes what lies below its last code", "[adjudication]") {
  const CodeRange range{"icd-10", "O00", "O99"};
  CHECK(range.contains("icd-10", "O00"));
  CHECK(range.contains("icd-10", "O91.2"));
  CHECK(range.contains("icd-10", "O99.8"));
  CHECK_FALSE(range.contains("icd-10", "P00"));
  CHECK_FALSE(range.contains("icd-10", "N61.x"));
  CHECK_FALSE(range.contains("icd-9", "O91.2"));
  CHECK(CodeRange{"", "W900000", "W900999"}.contains("anything", "W900142"));
}
