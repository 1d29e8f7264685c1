// Products, code maps and supplements as people write them, and the examples that the project
// brings.
#include "gateway/product_json.h"

#include <algorithm>
#include <filesystem>

#include "contracts/adjudication/decision.h"
#include "gateway/code_map_json.h"
#include "gateway/fhir.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::gateway;
using contracts::Decision;
using contracts::Outcome;
using contracts::Product;
using contracts::ReasonCode;

namespace {

std::string example(const std::string& path) {
  const auto text = read_bundle_file(std::string(BAOLIAN_SOURCE_DIR) + "/examples/" + path);
  REQUIRE(text.has_value());
  return *text;
}

Product example_product(const std::string& name) {
  auto product = read_product_json(example("products/" + name + ".json"));
  INFO((product.has_value() ? "" : product.error().context));
  REQUIRE(product.has_value());
  return *product;
}

contracts::CodeMap example_map() {
  auto map = read_code_map_json(example("catalog/icd10-clinical-to-insurance.json"));
  INFO((map.has_value() ? "" : map.error().context));
  REQUIRE(map.has_value());
  return *map;
}

ClaimPayload example_stay(const std::string& name) {
  const auto stays = read_discharges(example("discharges/" + name + ".json"), {});
  REQUIRE(stays.has_value());
  return stays->front().payload;
}

Decision decided(const Product& product, const ClaimPayload& payload, const contracts::CodeMap* map,
                 const contracts::Accumulators& kept = {}) {
  contracts::DecisionInput input{
      product, {product.from_day, product.to_day}, kept, payload, {}, {}, map, {}};
  for (const auto& invoice : payload.invoices) {
    input.invoices.push_back({*contracts::initial_balance(invoice)});
  }
  return contracts::decide(input);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

void refuses(const std::string& text, Errc code, const std::string& part) {
  const auto product = read_product_json(text);
  REQUIRE_FALSE(product.has_value());
  INFO(product.error().context);
  CHECK(product.error().code == code);
  CHECK(product.error().context.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("product json: the examples read, check and come back as they are",
          "[gateway][product]") {
  for (const std::string name : {"tyynb-2023", "tyynb-demo-2026", "full-indemnity"}) {
    INFO(name);
    const Product product = example_product(name);
    const auto back = read_product_json(write_product_json(product));
    REQUIRE(back.has_value());
    CHECK(*back == product);
    CHECK(contracts::product_content_hash(*back) == contracts::product_content_hash(product));
    CHECK(decode<Product>(encode(product)).has_value());
    for (const ProductValue& value : product_values(product)) CHECK(value.provenance != nullptr);
  }
  CHECK(contracts::is_order_free(example_product("full-indemnity")));
  CHECK_FALSE(contracts::is_order_free(example_product("tyynb-2023")));
}

TEST_CASE("product json: the city product has the values of its page", "[gateway][product]") {
  const Product product = example_product("tyynb-2023");
  CHECK(product.total_limit == 300'000'000);
  CHECK(product.from_day == 19'358);
  CHECK(product.to_day == 19'722);
  REQUIRE(product.groups.size() == 3);
  for (const auto& group : product.groups) {
    CHECK(group.amount == 600'000);
    CHECK(group.tiers == std::vector<contracts::Tier>{{600'000, 200'000}, {2'000'000, 800'000}});
  }
  REQUIRE(product.liabilities.size() == 4);
  CHECK(product.liabilities[0].limit == 100'000'000);
  CHECK(product.liabilities[2].limit == 70'000'000);
  CHECK(product.liabilities[3].limit == 30'000'000);
  CHECK(std::count_if(product.liabilities.begin(), product.liabilities.end(),
                      [](const auto& l) { return l.decider == contracts::Decider::person; }) == 3);
}

TEST_CASE("product json: the demonstration's product differs in its name and days only",
          "[gateway][product]") {
  const Product original = example_product("tyynb-2023");
  Product demo = example_product("tyynb-demo-2026");
  CHECK(demo.from_day == 20'454);
  CHECK(demo.to_day == 20'818);
  demo.from_day = original.from_day;
  demo.to_day = original.to_day;
  CHECK(demo.name.zh.starts_with(original.name.zh));
  demo.name = original.name;
  demo.provenance = original.provenance;
  CHECK(demo == original);
}

TEST_CASE("product json: the published case pays 3,112.90 of 3,255.00, also with the code map",
          "[gateway][product]") {
  const Product product = example_product("full-indemnity");
  const contracts::CodeMap map = example_map();
  for (const contracts::CodeMap* by : {static_cast<const contracts::CodeMap*>(nullptr), &map}) {
    const Decision decision = decided(product, example_stay("published_case"), by);
    CHECK(decision.outcome == Outcome::payable);
    CHECK(decision.billed == 325'500);
    CHECK(decision.payable == 311'290);
    CHECK(decision.withheld == contracts::Withheld::declared);
  }
}

TEST_CASE("product json: four stays of the second hospital pay as worked by hand",
          "[gateway][product]") {
  const Product product = example_product("tyynb-demo-2026");
  const contracts::CodeMap map = example_map();
  contracts::Accumulators kept;
  for (const std::uint64_t pays : {0U, 65'220U, 92'610U, 92'610U}) {
    const Decision decision = decided(product, example_stay("second_hospital"), &map, kept);
    CHECK(decision.outcome == Outcome::payable);
    CHECK(decision.payable == pays);
    kept = decision.after;
  }
}

TEST_CASE("product json: the city product asks for the class that the published case lacks",
          "[gateway][product]") {
  const Decision decision =
      decided(example_product("tyynb-demo-2026"), example_stay("published_case"), nullptr);
  CHECK(decision.outcome == Outcome::needs_paper);
  REQUIRE(decision.reasons.size() == 1);
  CHECK(decision.reasons[0].code == ReasonCode::class_unknown);
}

TEST_CASE("product json: what people get wrong is named by its place", "[gateway][product]") {
  const std::string text = example("products/full-indemnity.json");
  const auto broken = [&](const std::string& from, const std::string& to, const std::string& part,
                          Errc code = Errc::bad_argument) {
    refuses(replaced(text, from, to), code, part);
  };
  broken(R"("waiting_days": 0,)", "", "waiting_days is missing");
  broken(R"("waiting_days": 0,)", R"("waiting_days": 0, "colour": "red",)", "colour is not known");
  broken(R"("scope": "policy_year",)", R"("scope": "policy_year", "step": 1,)",
         "groups[0].step is not known");
  broken(R"("scope": "policy_year")", R"("scope": "year")",
         "groups[0].scope must be one of: claim, policy_year");
  broken(R"("total_limit": "10000.00")", R"("total_limit": 10000)",
         "total_limit must be an amount");
  broken(R"("total_limit": "10000.00")", R"("total_limit": "10000.001")",
         "total_limit: ", Errc::bad_amount);
  broken(R"("total_limit": "10000.00")", R"("total_limit": "-1.00")",
         "total_limit: ", Errc::bad_amount);
  broken(R"("total_limit": "10000.00")", R"("total_limit": "9000.00")", "above the total limit");
  broken(R"("ratio": "1")", R"("ratio": "1.1")", "more than everything");
  broken(R"("ratio": "1")", R"("ratio": "0.1234567")", "groups[0].tiers[0].ratio must be");
  broken(R"("ratio": "1")", R"("ratio": 1)", "groups[0].tiers[0].ratio must be a share");
  broken(R"("from": "2026-01-01")", R"("from": "2026-02-30")", "from must be a civil date");
  broken(R"("from": "2026-01-01")", R"("from": "2026-01-01T00:00:00Z")", "from must be");
  broken(R"("minor_digits": 2)", R"("minor_digits": 2.0)", "minor_digits must be a whole number");
  broken(R"("payer_rank": 10)", R"("payer_rank": 65536)", "payer_rank must be");
  broken(R"(["cash"])", R"(["credit"])", "premium_sources has a source");
  broken(R"(["cash"])", R"([])", "premium_sources", Errc::limit_exceeded);
  broken(R"("currency": "CNY")", R"("currency": "yuan")", "currency must be");
  broken(R"("last": "W900999")", R"("last": "W8")", "is empty");
  broken(R"({"path": "rounding", )", R"({"path": "groups/1/colour", )",
         "nothing says where rounding");
  broken(R"("path": "from")", R"("path": "from/day")", "nothing says where from");
  broken(R"({"path": "groups", )", R"({"path": "groups/1", "kind": "given", "source": ""},
    {"path": "groups/7", )",
         "no value groups/7");
  refuses("{", Errc::bad_json, "");
  refuses("[]", Errc::bad_argument, "must be an object");
  refuses(std::string(kProductBytesMax + 1, ' '), Errc::limit_exceeded, "more than");
}

TEST_CASE("code map json: the example has every relation and the codes of every example",
          "[gateway][product]") {
  const contracts::CodeMap map = example_map();
  const auto back = read_code_map_json(write_code_map_json(map));
  REQUIRE(back.has_value());
  CHECK(*back == map);
  for (const auto relation : {contracts::Relation::exact, contracts::Relation::approximate,
                              contracts::Relation::ambiguous, contracts::Relation::none}) {
    CHECK(std::any_of(map.entries.begin(), map.entries.end(),
                      [&](const auto& entry) { return entry.relation == relation; }));
  }
  for (const std::string name :
       {"published_case", "second_hospital", "no_consent", "stranger", "not_insured"}) {
    INFO(name);
    for (const auto& diagnosis : example_stay(name).diagnoses) {
      CHECK(map.lookup(diagnosis.system, diagnosis.code).codes.size() == 1);
    }
  }
  const std::string hospital = "urn:oid:2.16.156.10011.2.3.3.11";
  CHECK(map.lookup(hospital, "K80.200").relation == contracts::Relation::ambiguous);
}

TEST_CASE("code map json: an ambiguous diagnosis waits for a person, a mapped one is compared",
          "[gateway][product]") {
  const Product product = example_product("full-indemnity");
  const contracts::CodeMap map = example_map();
  ClaimPayload stay = example_stay("published_case");
  stay.diagnoses[0].code = "K80.200";
  const Decision ambiguous = decided(product, stay, &map);
  CHECK(ambiguous.outcome == Outcome::needs_person);
  CHECK(ambiguous.reasons.at(0).code == ReasonCode::diagnosis_ambiguous);
  // Written as N61, it belongs to a delivery: the transcoding turns the decision.
  stay.diagnoses[0].code = "N61.x00x003";
  CHECK(decided(product, stay, nullptr).outcome == Outcome::payable);
  CHECK(decided(product, stay, &map).reasons.at(0).code == ReasonCode::diagnosis_excluded);
  stay.diagnoses[0].code = "N61.x00";
  CHECK(decided(product, stay, &map).outcome == Outcome::payable);
}

TEST_CASE("code map json: what people get wrong is named by its place", "[gateway][product]") {
  const std::string text = example("catalog/icd10-clinical-to-insurance.json");
  const auto broken = [&](const std::string& from, const std::string& to, const std::string& part) {
    const auto map = read_code_map_json(replaced(text, from, to));
    REQUIRE_FALSE(map.has_value());
    INFO(map.error().context);
    CHECK(map.error().context.find(part) != std::string::npos);
  };
  broken(R"("relation": "exact")", R"("relation": "same")", "entries[0].relation must be one of");
  broken(R"("relation": "exact")", R"("relation": "none")", "none has no target");
  broken(R"("source": "C34.900")", R"("source": "C99.900")", "not in ascending order");
  broken(R"("provenance")", R"("origin")", "provenance is missing");
  broken(R"("code": "C34.900", )", R"("code": "", )", "field code");
}
