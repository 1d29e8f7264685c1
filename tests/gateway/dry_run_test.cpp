#include "gateway/dry_run.h"

#include <nlohmann/json.hpp>

#include "gateway/bundle_text.h"
#include "gateway/table.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::gateway;

TEST_CASE("dry run: the JSON has exactly the promised form", "[gateway][dryrun]") {
  const auto text = with(small_bundle(), R"("net":{"value":70.50,"currency":"CNY"})", R"("x":1)");
  const auto discharges = read_discharges(text, {});
  REQUIRE(discharges.has_value());
  CHECK(nlohmann::ordered_json::parse(dry_run_json(*discharges)).dump() ==
        R"({"discharges":[{"encounter":"CANARY-STAY-1","admitted":"2026-03-01T23:30:00Z",)"
        R"("discharged":"2026-03-03T01:00:00Z","currency":"CNY","total_minor":10050,)"
        R"("items":[{"code":"i1","amount_minor":3000},{"code":"i2","amount_minor":null}],)"
        R"("problems":["items_total_mismatch 7050"]}]})");
}

TEST_CASE("dry run: without a total the sum is null, without an invoice it is 0",
          "[gateway][dryrun]") {
  const auto total_of = [](const std::string& text) {
    const auto discharges = read_discharges(text, {});
    REQUIRE(discharges.has_value());
    return nlohmann::json::parse(dry_run_json(*discharges))["discharges"][0]["total_minor"];
  };
  CHECK(total_of(with(small_bundle(), R"("total":{"value":100.50,"currency":"CNY"})", R"("x":1)"))
            .is_null());
  CHECK(total_of(with(small_bundle(), R"("use":"claim")", R"("use":"x")")) == 0);
}

TEST_CASE("dry run: for people it shows money, items and problems", "[gateway][dryrun]") {
  auto text = with(small_bundle(), R"("value":70.50)", R"("value":70)");
  text = with(text, R"("text":"one")", R"("text":"血细胞分析")");
  text = with(text, "CANARY-STAY-1", "ZY\\u001b[31m1");
  const auto discharges = read_discharges(text, {});
  REQUIRE(discharges.has_value());
  const std::string shown = dry_run_text(*discharges, 480);
  CHECK(shown ==
        "1 discharge (dry run: nothing was sent)\n"
        "\n"
        "ZY?[31m1  2026-03-02 07:30:00+08:00 to 2026-03-03 09:00:00+08:00  100.50 CNY\n"
        "  code  name        class    amount  self-pay\n"
        "  i1    血细胞分析  unknown   30.00         -\n"
        "  i2    two         unknown   70.00         -\n"
        "  ! items_total_mismatch 50: the items sum to 0.50 CNY less than the total\n");
}

TEST_CASE("dry run: a base cost item stands in the table and is said to be added",
          "[gateway][dryrun]") {
  const auto discharges = read_discharges(with(small_bundle(), R"("value":70.50)", R"("value":70)"),
                                          {.base_cost_item = BaseCostItem::add});
  REQUIRE(discharges.has_value());
  const std::string shown = dry_run_text(*discharges, 480);
  CHECK(shown.find("BASE-COST  base encounter cost, added by --base-cost-item") !=
        std::string::npos);
  CHECK(shown.find("  ! base_cost_item_added 50: a line of 0.50 CNY that the source does not "
                   "have\n") != std::string::npos);
  const auto json = nlohmann::json::parse(dry_run_json(*discharges)).at("discharges").at(0);
  CHECK(json.at("items").at(2) == nlohmann::json{{"code", "BASE-COST"}, {"amount_minor", 50}});
  CHECK(json.at("problems") == nlohmann::json{"base_cost_item_added 50"});
}

TEST_CASE("table: Chinese characters take two cells", "[gateway][table]") {
  CHECK(text_width("abc") == 3);
  CHECK(text_width("保链") == 4);
  CHECK(text_width("（保）") == 6);
  CHECK(text_width("é") == 1);
  CHECK(text_width("e\u0301") == 1);
  CHECK(text_width("한글") == 4);
  CHECK(text_width("𠀀") == 2);
  CHECK(text_width("") == 0);
  CHECK(text_width("\xFF\xE4") == 2);
}

TEST_CASE("table: no control character of the data reaches the terminal", "[gateway][table]") {
  CHECK(printable("a\x1b[2Jb") == "a?[2Jb");
  CHECK(printable("a\nb\tc\x7f") == "a?b?c?");
  CHECK(printable("x\u202Ey\u200Bz") == "x?y?z");
  CHECK(printable("保\xC2\x9B") == "保?");
  CHECK(printable("\xE4\xBF") == "??");
  CHECK(printable("保链") == "保链");
}

TEST_CASE("table: columns line up", "[gateway][table]") {
  Table table({{"项目", Align::left}, {"n", Align::right}});
  table.add_row({"保", "5"});
  table.add_row({"abcdef", "1,000"});
  CHECK(table.text() ==
        "项目        n\n"
        "保          5\n"
        "abcdef  1,000\n");
}
