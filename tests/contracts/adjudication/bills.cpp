#include "contracts/adjudication/bills.h"

#include <cctype>
#include <fstream>
#include <sstream>

#include "support/catch.h"

namespace baolian::contracts::test {
namespace {

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

Liability liability(std::uint16_t id, std::uint16_t group, std::uint64_t limit, ExpenseBase base) {
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

Product year_2026(std::string zh, std::string en) {
  Product out;
  out.name = {std::move(zh), std::move(en)};
  out.currency = "CNY";
  out.premium_sources = {PremiumSource::cash};
  out.from_day = kYearFrom;
  out.to_day = kYearTo;
  return out;
}

}  // namespace

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

std::vector<std::vector<std::string>> table_rows(const std::string& document, std::size_t cells) {
  std::ifstream in(std::string(BAOLIAN_SOURCE_DIR) + "/docs/products/" + document);
  REQUIRE(in.good());
  std::vector<std::vector<std::string>> out;
  std::string line;
  while (std::getline(in, line)) {
    if (line.empty() || line.front() != '|') continue;
    std::vector<std::string> row;
    std::istringstream text(line.substr(1));
    std::string cell;
    while (std::getline(text, cell, '|')) row.push_back(trimmed(cell));
    const bool numbered = !row[0].empty() && std::isdigit(row[0].front()) != 0;
    if (numbered && row.size() == cells) out.push_back(std::move(row));
  }
  return out;
}

Product city_product() {
  Product out = year_2026("天一甬宁保", "Tianyi Yongning insurance");
  out.total_limit = 3'000'000 * kYuan;
  out.groups = {city_group(1), city_group(2), city_group(3)};
  const auto base = ExpenseBase::outside_catalogue;
  out.liabilities = {
      liability(1, 1, 1'000'000 * kYuan, base), liability(2, 2, 1'000'000 * kYuan, base),
      liability(3, 3, 700'000 * kYuan, base), liability(4, 0, 300'000 * kYuan, base)};
  for (const std::size_t i : {1U, 2U, 3U}) out.liabilities[i].decider = Decider::person;
  out.liabilities[1].covered = {{"", "XL01", "XL99"}};
  out.liabilities[2].covered = {{"", "XR01", "XR99"}};
  out.liabilities[3].covered = {{"", "PT01", "PT99"}};
  return out;
}

Product city_product_r1() {
  Product out = city_product();
  out.groups.resize(1);
  out.liabilities.resize(1);
  out.total_limit = out.liabilities[0].limit;
  return out;
}

Product full_indemnity() {
  Product out = year_2026("全额补偿示例", "Illustrative full indemnity");
  out.total_limit = 10'000 * kYuan;
  out.groups = {{1, 0, DeductibleScope::policy_year, {{0, kPartsPerMillion}}}};
  out.liabilities = {liability(1, 1, 10'000 * kYuan, ExpenseBase::whole_bill)};
  out.liabilities[0].not_covered = {{"", "W900000", "W900999"}};
  return out;
}

Item item(std::string code, std::uint64_t amount, CatalogueClass catalogue_class,
          std::uint16_t invoice) {
  Item out;
  out.invoice = invoice;
  out.code = std::move(code);
  out.system = "https://hospital.example/charge";
  out.name = "项目";
  out.amount = amount;
  out.catalogue_class = catalogue_class;
  return out;
}

Invoice invoice(std::string number, std::uint64_t total) {
  Invoice out;
  out.code = "033";
  out.number = std::move(number);
  out.total = total;
  return out;
}

ClaimPayload bill(std::vector<Item> items) {
  ClaimPayload out;
  out.person = {"urn:oid:2.16.156.10011.1.3", "999999198806150011"};
  out.encounter_number = "ZY1";
  out.admitted_day = kYearFrom + 60;
  out.discharged_day = kYearFrom + 63;
  out.admitted = TimeMs{std::uint64_t{out.admitted_day} * 86'400'000};
  out.discharged = TimeMs{std::uint64_t{out.discharged_day} * 86'400'000};
  std::uint64_t total = 0;
  for (const Item& one : items) total += one.amount.value_or(0);
  out.invoices = {invoice("1", total)};
  out.items = std::move(items);
  return out;
}

ClaimPayload bill_of(std::uint64_t amount, CatalogueClass catalogue_class) {
  return bill({item("C1", amount, catalogue_class)});
}

Decision Case::decide() const {
  std::vector<InvoiceStanding> standing = invoices;
  if (standing.empty()) {
    for (const Invoice& one : payload.invoices) {
      const auto balance = initial_balance(one);
      standing.push_back({balance ? *balance : 0});
    }
  }
  return contracts::decide(
      {product, policy, accumulators, payload, supplements, standing, map, ruling});
}

std::vector<ReasonCode> codes(const Decision& decision) {
  std::vector<ReasonCode> out;
  for (const DecisionReason& reason : decision.reasons) out.push_back(reason.code);
  return out;
}

CodeMap small_map() {
  CodeMap out;
  out.name = {"小表", "a small map"};
  out.source = {"clinical", "1"};
  out.target = {"insurance", "1"};
  out.provenance = "made for this test";
  out.entries = {{"A1", Relation::approximate, {{"O91.2", "产褥期乳腺炎"}}},
                 {"E1", Relation::exact, {{"K35.8", "急性阑尾炎"}}},
                 {"M1", Relation::ambiguous, {{"N61.x", "乳腺炎"}, {"O91.2", "产褥期乳腺炎"}}},
                 {"N1", Relation::none, {}}};
  return out;
}

}  // namespace baolian::contracts::test
