/// Decisions a second of the adjudication engine, by the number of items of the bill.
/// Usage: baolian_adjudication_bench [decisions]
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "contracts/adjudication/decision.h"

namespace {

using namespace baolian;
using namespace baolian::contracts;
using Clock = std::chrono::steady_clock;

/// A product with one liability on class C and one on the whole bill, with ranges to look through.
Product product() {
  Product out;
  out.name = {"测速", "bench"};
  out.currency = "CNY";
  out.premium_sources = {PremiumSource::cash};
  out.from_day = 20'454;
  out.to_day = 20'818;
  out.total_limit = 300'000'000;
  out.groups = {
      {1, 600'000, DeductibleScope::policy_year, {{600'000, 200'000}, {2'000'000, 800'000}}},
      {2, 0, DeductibleScope::policy_year, {{0, 500'000}}}};
  for (std::uint16_t id = 1; id <= 2; ++id) {
    Liability liability;
    liability.id = id;
    liability.name = out.name;
    liability.base = id == 1 ? ExpenseBase::outside_catalogue : ExpenseBase::whole_bill;
    liability.group = id;
    liability.limit = 200'000'000;
    for (char c = 'A'; c <= 'T'; ++c) {
      liability.not_covered.push_back({"", std::string{c} + "900", std::string{c} + "999"});
    }
    out.liabilities.push_back(std::move(liability));
  }
  out.excluded_diagnoses = {{"", "O00", "O99"}, {"", "F10", "F19"}};
  return out;
}

ClaimPayload bill(std::size_t items) {
  ClaimPayload out;
  out.encounter_number = "1";
  out.admitted_day = out.discharged_day = 20'500;
  out.invoices.resize(2);
  for (std::size_t i = 0; i < 2; ++i) {
    out.invoices[i].number = std::to_string(i);
    out.invoices[i].total = 0;
  }
  for (std::size_t i = 0; i < items; ++i) {
    Item item;
    item.invoice = static_cast<std::uint16_t>(i % 2);
    item.system = "https://hospital.example/charge";
    item.code = "K" + std::to_string(100 + i % 800);
    item.amount = 1'000 + i;
    item.catalogue_class = i % 3 == 0 ? CatalogueClass::c : CatalogueClass::a;
    *out.invoices[item.invoice].total += *item.amount;
    out.items.push_back(std::move(item));
  }
  for (int i = 0; i < 10; ++i) {
    out.diagnoses.push_back({"icd", "K" + std::to_string(30 + i), "", DiagnosisRole::unknown});
  }
  return out;
}

CodeMap code_map() {
  CodeMap out;
  out.source.system = "icd";
  out.target.system = "insurance";
  for (int i = 10'000; i < 40'000; ++i) {
    const std::string code = "A" + std::to_string(i);
    out.entries.push_back({code, Relation::exact, {{code, "名"}}});
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20'000;
  const Product sold = product();
  const CodeMap map = code_map();
  std::printf("items   decisions/s   us each   paid (checks that work was done)\n");
  for (const std::size_t items : {std::size_t{7}, std::size_t{200}, std::size_t{10'000}}) {
    const ClaimPayload payload = bill(items);
    const std::uint64_t rounds = items > 1'000 ? count / 50 + 1 : count;
    std::uint64_t paid = 0;
    const auto start = Clock::now();
    for (std::uint64_t i = 0; i < rounds; ++i) {
      const Decision decision =
          decide({sold,
                  {sold.from_day, sold.to_day},
                  {},
                  payload,
                  {},
                  {{*payload.invoices[0].total}, {*payload.invoices[1].total}},
                  &map,
                  {}});
      paid += decision.payable;
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    std::printf("%5zu  %12.0f  %8.1f   %llu\n", items, static_cast<double>(rounds) / seconds,
                seconds * 1e6 / static_cast<double>(rounds),
                static_cast<unsigned long long>(paid / rounds));
  }
  return 0;
}
