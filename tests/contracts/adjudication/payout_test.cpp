/// The cumulative payout against the tables that were worked by hand (docs/products/), and the
/// checks of a product.
#include "contracts/adjudication/payout.h"

#include <fstream>
#include <sstream>

#include "core/prng.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::contracts;

namespace {

constexpr std::uint64_t kYuan = 100;

Liability liability(std::uint16_t id, std::uint16_t group, std::uint64_t limit,
                    ExpenseBase base = ExpenseBase::outside_catalogue) {
  Liability out;
  out.id = id;
  out.name = {"责任", "liability"};
  out.base = base;
  out.group = group;
  out.limit = limit;
  return out;
}

DeductibleGroup city_group(std::uint16_t id) {
  return {id,
          6'000 * kYuan,
          DeductibleScope::policy_year,
          {{6'000 * kYuan, 200'000}, {20'000 * kYuan, 800'000}}};
}

/// 天一甬宁保 2023 as docs/products/tyynb-2023.md has it.
Product city_product() {
  Product out;
  out.name = {"天一甬宁保 2023", "Tianyi Yongning insurance 2023"};
  out.currency = "CNY";
  out.premium_sources = {PremiumSource::cash};
  out.from_day = 19'358;
  out.to_day = 19'722;
  out.total_limit = 3'000'000 * kYuan;
  out.groups = {city_group(1), city_group(2), city_group(3)};
  out.liabilities = {liability(1, 1, 1'000'000 * kYuan), liability(2, 2, 1'000'000 * kYuan),
                     liability(3, 3, 700'000 * kYuan), liability(4, 0, 300'000 * kYuan)};
  out.liabilities[3].decider = Decider::person;
  return out;
}

/// What a bill pays that moves the year's expense: within the limit of the liability.
std::uint64_t paid(const Product& product, const Liability& one, std::uint64_t before,
                   std::uint64_t after) {
  const auto& group = *product.find_group(one.group);
  const auto value = [&](std::uint64_t expense) {
    return std::min(one.limit, cumulative_payout(group, product.rounding, expense));
  };
  return value(after) - value(before);
}

/// "1,266,499.99" in fen.
std::uint64_t fen(const std::string& text) {
  std::uint64_t out = 0;
  std::size_t digits_after_point = 0;
  bool after_point = false;
  for (const char c : text) {
    if (c == '.') after_point = true;
    if (c < '0' || c > '9') continue;
    out = out * 10 + static_cast<std::uint64_t>(c - '0');
    if (after_point) ++digits_after_point;
  }
  REQUIRE(digits_after_point == 2);
  return out;
}

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

struct Vector {
  int number = 0;
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  std::uint64_t pays = 0;
};

/// Rows "| number | before | after | ... | pays |" of a document.
std::vector<Vector> read_vectors(const std::string& document) {
  std::ifstream in(std::string(BAOLIAN_SOURCE_DIR) + "/docs/products/" + document);
  REQUIRE(in.good());
  std::vector<Vector> out;
  std::string line;
  while (std::getline(in, line)) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    std::string cell;
    while (std::getline(row, cell, '|')) cells.push_back(trimmed(cell));
    const bool is_vector =
        cells.size() == 7 && !cells[1].empty() && std::isdigit(cells[1].front()) != 0;
    if (!is_vector) continue;
    out.push_back({std::stoi(cells[1]), fen(cells[2]), fen(cells[3]), fen(cells[6])});
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
  const DeductibleGroup group = city_group(1);
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
