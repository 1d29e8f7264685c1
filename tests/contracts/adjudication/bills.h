/// Products and bills for the tests of the engine: made by hand, no file.
#pragma once

#include <string>
#include <vector>

#include "contracts/adjudication/decision.h"

namespace baolian::contracts::test {

inline constexpr std::uint64_t kYuan = 100;
inline constexpr std::uint32_t kYearFrom = 20'454;  ///< 2026-01-01
inline constexpr std::uint32_t kYearTo = 20'818;    ///< 2026-12-31

/// "1,266,499.99" in fen; stops the test if the text is no amount.
std::uint64_t fen(const std::string& text);

/// Rows of a table of a document under docs/products, as trimmed cells; those that begin with a
/// number and have `cells` cells.
std::vector<std::vector<std::string>> table_rows(const std::string& document, std::size_t cells);

/// 天一甬宁保 2023 of docs/products/tyynb-2023.md with R1 alone, or whole.
Product city_product();
Product city_product_r1();
/// The product of docs/products/full-indemnity.md.
Product full_indemnity();

Item item(std::string code, std::uint64_t amount, CatalogueClass catalogue_class,
          std::uint16_t invoice = 0);
Invoice invoice(std::string number, std::uint64_t total);

/// A stay of 2026-03-02 to 2026-03-05 with these items on one invoice; its total is their sum.
ClaimPayload bill(std::vector<Item> items);

/// A stay with one item of this amount and class.
ClaimPayload bill_of(std::uint64_t amount, CatalogueClass catalogue_class = CatalogueClass::c);

/// A decision's input over values that it owns.
struct Case {
  Case(Product of, ClaimPayload on) : product(std::move(of)), payload(std::move(on)) {}

  Product product;
  ClaimPayload payload;
  PolicyFacts policy{kYearFrom, kYearTo};
  Accumulators accumulators;
  std::vector<BillSupplement> supplements;
  std::vector<InvoiceStanding> invoices;  ///< empty: the initial balances, 0 without total
  const CodeMap* map = nullptr;
  std::optional<Ruling> ruling;

  Decision decide() const;
};

/// The reasons' codes, in order.
std::vector<ReasonCode> codes(const Decision& decision);

/// A small map from "clinical" to "insurance": E1 exact, A1 approximate, M1 ambiguous, N1 none.
CodeMap small_map();

}  // namespace baolian::contracts::test
