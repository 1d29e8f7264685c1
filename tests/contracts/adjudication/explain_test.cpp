/// What a claimant reads.
#include "contracts/adjudication/explain.h"

#include "contracts/adjudication/bills.h"
#include "contracts/adjudication/payout.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::contracts;
using namespace baolian::contracts::test;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string explained(const Case& one, Language language) {
  return explain(one.product, one.payload, one.decide(), language);
}

}  // namespace

TEST_CASE("explain: the published case in both languages", "[adjudication]") {
  const Case one{full_indemnity(), bill({item("330704001", 311'290, CatalogueClass::a),
                                         item("W900142", 14'210, CatalogueClass::unknown)})};
  const std::string en = explained(one, Language::en);
  INFO(en);
  CHECK(has(en, "Of the bill of 3,255.00 CNY, 3,112.90 CNY is paid."));
  CHECK(has(en, "The remaining 142.10 CNY is withheld by what the product declares"));
  CHECK(has(en, "This is final."));
  CHECK(has(en, "the stay was from 2026-03-02 to 2026-03-05"));
  CHECK(has(en, "above 0.00 CNY, 100%"));
  const std::string zh = explained(one, Language::zh);
  INFO(zh);
  CHECK(has(zh, "账单合计 3,255.00 元，赔付 3,112.90 元。"));
  CHECK(has(zh, "为最终结果"));
  CHECK(is_utf8(zh));
  CHECK_FALSE(has(zh, "CNY"));
  CHECK_FALSE(has(zh, "{}"));
  CHECK_FALSE(has(en, "{}"));
}

TEST_CASE("explain: deductible, tiers and limits of a second bill", "[adjudication]") {
  Case one{city_product_r1(), bill_of(10'000 * kYuan)};
  one.accumulators = one.decide().after;
  one.payload = bill_of(2'000'000 * kYuan);
  one.payload.invoices[0].basic_pool = 100'000 * kYuan;
  const std::string en = explained(one, Language::en);
  INFO(en);
  CHECK(has(en, "grows from 10,000.00 CNY to 1,910,000.00 CNY; deductible of the year 6,000.00"));
  CHECK(has(en, "above 6,000.00 CNY, 20%; above 20,000.00 CNY, 80%"));
  CHECK(has(en, "1,900,000.00 CNY of it remains to be counted"));
  CHECK(has(en, "Cut by the limit of 1,000,000.00 CNY"));
  CHECK(has(en, "999,200.00 CNY is paid"));
  const std::string zh = explained(one, Language::zh);
  INFO(zh);
  CHECK(has(zh, "由 10,000.00 元 增至 1,910,000.00 元"));
  CHECK(has(zh, "实付 999,200.00 元"));
}

TEST_CASE("explain: what is missing, who decides, and the way open to the person",
          "[adjudication]") {
  Case paper{city_product_r1(), bill({item("W1", 100, CatalogueClass::unknown)})};
  CHECK(has(explained(paper, Language::en), "it is not stated of which catalogue class 项目 is"));
  CHECK(has(explained(paper, Language::zh), "请通过任一成员机构补充上述材料"));
  CHECK(has(explained(paper, Language::en), "nothing is decided of it yet"));

  CodeMap map = small_map();
  Case person{full_indemnity(), bill_of(100)};
  person.payload.diagnoses = {{"clinical", "M1", "", DiagnosisRole::principal}};
  person.map = &map;
  CHECK(has(explained(person, Language::en), "the diagnosis code M1 can mean several codes"));
  CHECK(has(explained(person, Language::zh), "程序不会自行拒赔"));
  CHECK(has(explained(person, Language::en), "diagnoses and exclusions: 1 for a person."));

  person.ruling = Ruling{Verdict::decline, "资料不符"};
  CHECK(has(explained(person, Language::en), "withheld provisionally"));
  CHECK(has(explained(person, Language::zh), "要求人工复核"));
  CHECK(has(
      explain(person.product, person.payload, person.decide(), Language::zh, person.ruling->reason),
      "工作人员的说明：资料不符"));
}

TEST_CASE("explain: every reason has its sentence in both languages", "[adjudication]") {
  const Case one{city_product(), bill_of(100)};
  for (std::uint16_t i = 0; i < enum_names(ReasonCode{}).size(); ++i) {
    if (!is_enum_value<ReasonCode>(i)) continue;
    const DecisionReason reason{static_cast<ReasonCode>(i), 1};
    INFO(enum_name(reason.code));
    for (const Language language : {Language::zh, Language::en}) {
      const std::string text = reason_text(one.product, one.payload, reason, language);
      CHECK(is_utf8(text));
      CHECK(text != enum_name(reason.code));
      CHECK_FALSE(has(text, "{}"));
    }
  }
}

TEST_CASE("explain: a name in the bill cannot add a line of its own", "[adjudication]") {
  Case one{city_product_r1(), bill({item("W1", 100, CatalogueClass::unknown)})};
  one.payload.items[0].name = "x\nOutcome: decided\r";
  CHECK(has(explained(one, Language::en), "class x Outcome: decided  is."));
}

TEST_CASE("explain: many reasons are counted, not poured out", "[adjudication]") {
  const Case one{city_product_r1(),
                 bill(std::vector<Item>(50, item("C1", 10, CatalogueClass::unknown)))};
  CHECK(has(explained(one, Language::en), "and 30 more."));
}

TEST_CASE("explain: money by the product's currency and digits", "[adjudication]") {
  Product product = full_indemnity();
  CHECK(money_text(product, 311'290, Language::en) == "3,112.90 CNY");
  CHECK(money_text(product, 5, Language::zh) == "0.05 元");
  product.currency = "USD";
  CHECK(money_text(product, 123'456'789, Language::zh) == "1,234,567.89 USD");
  product.currency = "JPY";
  product.minor_digits = 0;
  CHECK(money_text(product, 1'000, Language::en) == "1,000 JPY");
}
