// What is added to a bill, as a form writes it.
#include "gateway/supplement_json.h"

#include "support/catch.h"

using namespace baolian;
using namespace baolian::gateway;
using contracts::CatalogueClass;

namespace {

void refuses(const std::string& text, const std::string& part) {
  const auto supplement = read_supplement_json(text, 2);
  REQUIRE_FALSE(supplement.has_value());
  INFO(supplement.error().context);
  CHECK(supplement.error().context.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("supplement json: classes, lines and a note", "[gateway][supplement]") {
  const auto supplement = read_supplement_json(
      R"({"items": [{"item": 6, "class": "C"}, {"item": 3, "class": "A"}],
          "lines": [{"invoice": 0, "name": "床位费", "code": "110900001", "amount": "75.00",
                     "class": "B", "day": "2026-03-02", "system": "urn:x"},
                    {"invoice": 1, "name": "", "code": "", "amount": "0.5", "class": "unknown"}],
          "note": "补充床位费明细"})",
      2);
  INFO((supplement.has_value() ? "" : supplement.error().context));
  REQUIRE(supplement.has_value());
  CHECK(supplement->item_classes ==
        std::vector<contracts::ItemClass>{{3, CatalogueClass::a}, {6, CatalogueClass::c}});
  REQUIRE(supplement->items.size() == 2);
  CHECK(supplement->items[0].amount == 7'500U);
  CHECK(supplement->items[0].day == 20'514U);
  CHECK(supplement->items[0].catalogue_class == CatalogueClass::b);
  CHECK(supplement->items[1].invoice == 1);
  CHECK(supplement->items[1].amount == 50U);
  CHECK(supplement->note == "补充床位费明细");
  CHECK(decode<contracts::BillSupplement>(encode(*supplement)).has_value());

  const auto back = read_supplement_json(write_supplement_json(*supplement, 2), 2);
  REQUIRE(back.has_value());
  CHECK(*back == *supplement);
}

TEST_CASE("supplement json: each part may be absent", "[gateway][supplement]") {
  for (const std::string text : {"{}", R"({"note": "x"})", R"({"items": []})"}) {
    const auto supplement = read_supplement_json(text, 2);
    REQUIRE(supplement.has_value());
    CHECK(supplement->items.empty());
    CHECK(supplement->item_classes.empty());
  }
}

TEST_CASE("supplement json: what is wrong is named by its place", "[gateway][supplement]") {
  refuses(R"({"lines": [{"invoice": 0, "name": "", "code": "", "class": "A"}]})",
          "lines[0].amount is missing");
  refuses(
      R"({"lines": [{"invoice": 0, "name": "", "code": "", "amount": "-75.00", "class": "A"}]})",
      "lines[0].amount: ");
  refuses(R"({"lines": [{"invoice": 70000, "name": "", "code": "", "amount": "1", "class": "A"}]})",
          "lines[0].invoice must be");
  refuses(R"({"lines": [{"invoice": 0, "name": "", "code": "", "amount": "1", "class": "A",
              "price": "1"}]})",
          "lines[0].price is not known");
  refuses(R"({"items": [{"item": 0, "class": "D"}]})", "items[0].class must be one of");
  refuses(R"({"items": [{"item": 0, "class": "unknown"}]})", "items[0].class must be A, B or C");
  refuses(R"({"items": [{"item": 0, "class": "A"}, {"item": 0, "class": "B"}]})", "twice");
  refuses(R"({"items": {}})", "items must be a list");
  refuses(R"({"items": [0]})", "items[0] must be an object");
  refuses(R"({"extra": 1})", "extra is not known");
  refuses(R"({"note": ")" + std::string(2'000, 'x') + R"("})", "field note");
}
