#include "gateway/fhir.h"

#include <nlohmann/json.hpp>

#include "gateway/bundle_text.h"
#include "gateway/dates.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::gateway;

namespace {

Discharge read_one(const std::string& text, const FhirOptions& options = {}) {
  auto discharges = read_discharges(text, options);
  INFO((discharges.has_value() ? "" : discharges.error().context));
  REQUIRE(discharges.has_value());
  REQUIRE(discharges->size() == 1);
  return std::move(discharges->front());
}

std::vector<std::string> problems(const Discharge& discharge) {
  std::vector<std::string> out;
  for (const Problem& problem : discharge.payload.problems) out.push_back(problem_text(problem));
  return out;
}

using Texts = std::vector<std::string>;

const std::string kEnd = R"("total":{"value":100.50,"currency":"CNY"}}}]})";

// The small bundle with more entries behind the Claim.
std::string with_entries(const std::string& more) {
  std::string text = small_bundle();
  text.resize(text.size() - 2);
  return text + "," + more + "]}";
}

std::string claim_entry(const std::string& id, const std::string& fields) {
  return R"({"fullUrl":"urn:uuid:)" + id + R"(","resource":{"resourceType":"Claim","id":")" + id +
         R"(",)" + fields +
         R"(,"patient":{"reference":"urn:uuid:p"},)"
         R"("item":[{"encounter":[{"reference":"urn:uuid:e"}],)"
         R"("net":{"value":9,"currency":"CNY"}}],"total":{"value":9,"currency":"CNY"}}})";
}

const std::string kInstitutional =
    R"("status":"active","use":"claim","type":{"coding":[{"code":"institutional"}]})";

std::string payment(const std::string& parts) {
  return R"("extension":[{"url":)"
         R"("https://baolian.example/fhir/StructureDefinition/invoice-payment",)"
         R"("extension":[)" +
         parts + R"(]}],"item":[)";
}
std::string part(const std::string& url, const std::string& value) {
  return R"({"url":")" + url + R"(","valueMoney":{"value":)" + value + R"(,"currency":"CNY"}})";
}

}  // namespace

TEST_CASE("fhir: a stay becomes a payload", "[gateway][fhir]") {
  const Discharge discharge = read_one(small_bundle());
  const ClaimPayload& p = discharge.payload;
  CHECK(p.person == PersonId{"urn:oid:2.16.156.10011.1.3", "CANARY-ID-1"});
  CHECK(p.encounter_number == "CANARY-STAY-1");
  CHECK(format_civil_day(p.admitted_day) == "2026-03-02");
  CHECK(format_civil_day(p.discharged_day) == "2026-03-03");
  CHECK(p.admitted == parse_fhir_time("2026-03-01T23:30:00Z", 0)->at);
  CHECK(discharge.admitted_text == "2026-03-01T23:30:00Z");
  CHECK(p.diagnoses == std::vector<Diagnosis>{{"icd", "K35.8", "1", DiagnosisRole::unknown}});
  REQUIRE(p.invoices.size() == 1);
  CHECK(p.invoices[0].code.empty());
  CHECK(p.invoices[0].number == "b");
  CHECK(p.invoices[0].total == 10050U);
  CHECK_FALSE(p.invoices[0].basic_pool.has_value());
  CHECK(p.invoices[0].rest == 10050U);
  REQUIRE(p.items.size() == 2);
  CHECK(p.items[0].amount == 3000U);
  CHECK(p.items[1].code == "i2");
  CHECK(p.items[1].name == "two");
  CHECK(p.items[1].catalogue_class == CatalogueClass::unknown);
  CHECK_FALSE(p.items[1].self_pay.has_value());
  CHECK(p.problems.empty());
  CHECK(discharge.currency == "CNY");
  CHECK(decode<ClaimPayload>(encode(p)).has_value());
}

TEST_CASE("fhir: the person is the first identifier, in list order, of a system of the chain",
          "[gateway][fhir]") {
  const FhirOptions both{
      .person_id_systems = {"urn:oid:2.16.156.10011.1.3", "https://hospital.example/mrn"}};
  CHECK(read_one(small_bundle(), both).payload.person.value == "7");
  const FhirOptions none{.person_id_systems = {"urn:other"}};
  CHECK(read_discharges(small_bundle(), none).error().code == Errc::fhir_no_person);
  const FhirOptions empty{.person_id_systems = {}};
  CHECK(read_discharges(small_bundle(), empty).error().code == Errc::fhir_no_person);
  // A value that is nothing but separators names nobody.
  const auto blank = with(small_bundle(), "CANARY-ID-1", " - ");
  CHECK(read_discharges(blank, {}).error().code == Errc::fhir_no_person);
}

TEST_CASE("fhir: only finished inpatient encounters are discharges", "[gateway][fhir]") {
  for (const auto& text : {with(small_bundle(), R"("IMP")", R"("AMB")"),
                           with(small_bundle(), "finished", "in-progress"),
                           with(small_bundle(), R"("class":{"code":"IMP"},)", "")}) {
    CHECK(read_discharges(text, {}).error().code == Errc::fhir_no_encounter);
  }
}

TEST_CASE("fhir: only the active institutional claim of a stay is its invoice", "[gateway][fhir]") {
  const std::string others =
      claim_entry("x1",
                  R"("status":"active","use":"claim","type":{"coding":[{"code":"pharmacy"}]})") +
      "," +
      claim_entry(
          "x2",
          R"("status":"cancelled","use":"claim","type":{"coding":[{"code":"institutional"}]})") +
      "," +
      claim_entry("x3", R"("status":"active","use":"preauthorization",)"
                        R"("type":{"coding":[{"code":"institutional"}]})") +
      "," + claim_entry("x4", R"("status":"active","use":"claim")");
  const Discharge discharge = read_one(with_entries(others));
  REQUIRE(discharge.payload.invoices.size() == 1);
  CHECK(discharge.payload.invoices[0].number == "b");
  CHECK(discharge.payload.items.size() == 2);
}

TEST_CASE("fhir: a stay may have several invoices, each with its own items and problems",
          "[gateway][fhir]") {
  std::string second = claim_entry("b2", kInstitutional);
  second = with(second, R"("total":{"value":9)", R"("total":{"value":8.99)");
  const Discharge discharge = read_one(with_entries(second));
  REQUIRE(discharge.payload.invoices.size() == 2);
  CHECK(discharge.payload.items.at(1).invoice == 0);
  CHECK(discharge.payload.items.at(2).invoice == 1);
  CHECK(problems(discharge) == Texts{"items_total_mismatch -1"});
}

TEST_CASE("fhir: items that do not add up are said and kept as they are", "[gateway][fhir]") {
  const Discharge less = read_one(with(small_bundle(), R"("value":70.50)", R"("value":70)"));
  CHECK(problems(less) == Texts{"items_total_mismatch 50"});
  CHECK(less.payload.items[1].amount == 7000U);
  CHECK(less.payload.invoices[0].total == 10050U);
  const Discharge none =
      read_one(with(small_bundle(), R"("net":{"value":70.50,"currency":"CNY"})", R"("x":1)"));
  CHECK(problems(none) == Texts{"items_total_mismatch 7050"});
  CHECK_FALSE(none.payload.items[1].amount.has_value());
}

TEST_CASE("fhir: a base cost item is the difference, labelled as added, only where asked for",
          "[gateway][fhir]") {
  const FhirOptions adding = {.base_cost_item = BaseCostItem::add};
  const std::string short_by_50 = with(small_bundle(), R"("value":70.50)", R"("value":70)");
  const Discharge less = read_one(short_by_50, adding);
  CHECK(problems(less) == Texts{"base_cost_item_added 50"});
  REQUIRE(less.payload.items.size() == 3);
  Item expected;
  expected.code = "BASE-COST";
  expected.system = "https://baolian.example/fhir/CodeSystem/added-item";
  expected.name =
      "base encounter cost, added by --base-cost-item (not in the source) "
      "就诊基础费用（按 --base-cost-item 添加，源文件中没有）";
  expected.amount = 50;
  CHECK(less.payload.items[2] == expected);
  // All else is what it is without the option, the source byte for byte.
  Discharge plain = read_one(short_by_50);
  CHECK(less.source_bundle == plain.source_bundle);
  plain.payload.items.push_back(expected);
  plain.payload.problems = less.payload.problems;
  CHECK(less.payload == plain.payload);
  CHECK(decode<ClaimPayload>(encode(less.payload)).value() == less.payload);
  // Items without any amount: the line is the whole total.
  auto bare = with(small_bundle(), R"("net":{"value":70.50,"currency":"CNY"})", R"("x":1)");
  bare = with(bare, R"("net":{"value":30,"currency":"CNY"})", R"("x":1)");
  const Discharge none = read_one(bare, adding);
  CHECK(problems(none) == Texts{"base_cost_item_added 10050"});
  CHECK(none.payload.items.at(2).amount == 10050U);
}

TEST_CASE("fhir: no base cost item where items reach their total, exceed it or there is none",
          "[gateway][fhir]") {
  const FhirOptions adding = {.base_cost_item = BaseCostItem::add};
  CHECK(read_one(small_bundle(), adding).payload == read_one(small_bundle()).payload);
  for (const auto& [from, to] :
       {std::pair{R"("value":70.50)", R"("value":70.51)"},
        std::pair{R"("total":{"value":100.50,"currency":"CNY"})", R"("x":1)"},
        std::pair{R"("use":"claim")", R"("use":"x")"}}) {
    const std::string text = with(small_bundle(), from, to);
    const Discharge discharge = read_one(text, adding);
    CHECK(discharge.payload == read_one(text).payload);
    CHECK(problems(discharge).size() == 1);
  }
}

TEST_CASE("fhir: each invoice of a stay gets its own base cost item, after its own items",
          "[gateway][fhir]") {
  std::string second = claim_entry("b2", kInstitutional);
  second = with(second, R"("total":{"value":9)", R"("total":{"value":9.02)");
  const Discharge discharge =
      read_one(with(with_entries(second), R"("value":70.50)", R"("value":70.49)"),
               {.base_cost_item = BaseCostItem::add});
  CHECK(problems(discharge) == Texts{"base_cost_item_added 1", "base_cost_item_added 2"});
  std::vector<std::pair<int, std::uint64_t>> items;
  for (const Item& item : discharge.payload.items) {
    items.emplace_back(item.invoice, item.amount.value_or(0));
  }
  CHECK(items ==
        std::vector<std::pair<int, std::uint64_t>>{{0, 3000}, {0, 7049}, {0, 1}, {1, 900}, {1, 2}});
}

TEST_CASE("fhir: a missing total or invoice is a problem, and no balance comes of it",
          "[gateway][fhir]") {
  const Discharge no_total =
      read_one(with(small_bundle(), R"("total":{"value":100.50,"currency":"CNY"})", R"("x":1)"));
  CHECK(problems(no_total) == Texts{"invoice_without_total 0"});
  CHECK_FALSE(initial_balance(no_total.payload.invoices[0]).has_value());
  const Discharge no_invoice = read_one(with(small_bundle(), R"("use":"claim")", R"("use":"x")"));
  CHECK(problems(no_invoice) == Texts{"no_invoice 0"});
  CHECK(no_invoice.payload.invoices.empty());
}

TEST_CASE("fhir: payment parts come from our extension, and the rest is what they leave",
          "[gateway][fhir]") {
  const auto read_parts = [](const std::string& parts) {
    return read_one(with(small_bundle(), R"("item":[)", payment(parts)));
  };
  const Discharge some = read_parts(part("basic-pool", "60") + "," + part("account", "10.50"));
  CHECK(some.payload.invoices[0].basic_pool == 6000U);
  CHECK(some.payload.invoices[0].account == 1050U);
  CHECK_FALSE(some.payload.invoices[0].aid.has_value());
  CHECK(some.payload.invoices[0].rest == 3000U);
  CHECK(*initial_balance(some.payload.invoices[0]) == 4050);
  CHECK(some.payload.problems.empty());

  const Discharge wrong_rest = read_parts(part("basic-pool", "60") + "," + part("rest", "40"));
  CHECK(problems(wrong_rest) == Texts{"payment_parts_mismatch 50"});
  CHECK(wrong_rest.payload.invoices[0].rest == 4000U);

  const Discharge too_much = read_parts(part("basic-pool", "60") + "," + part("cash", "41"));
  CHECK(problems(too_much) == Texts{"payment_parts_mismatch -50"});
  CHECK_FALSE(too_much.payload.invoices[0].rest.has_value());
}

TEST_CASE("fhir: invoice code and number come by their systems", "[gateway][fhir]") {
  const std::string both =
      R"("identifier":[{"system":"https://baolian.example/fhir/NamingSystem/invoice-number",)"
      R"("value":"00517"},)"
      R"({"system":"urn:x","value":"9"},)"
      R"({"system":"https://baolian.example/fhir/NamingSystem/invoice-code",)"
      R"("value":"3306"}],"item":[)";
  const Discharge discharge = read_one(with(small_bundle(), R"("item":[)", both));
  CHECK(discharge.payload.invoices[0].code == "3306");
  CHECK(discharge.payload.invoices[0].number == "00517");
}

TEST_CASE("fhir: an item's extensions, quantity, date and prescriber are read", "[gateway][fhir]") {
  const std::string item =
      R"("sequence":2,"quantity":{"value":1.5},"servicedPeriod":{"start":"2026-03-01T23:00:00Z"},)"
      R"("careTeamSequence":[4],"extension":[)"
      R"({"url":"https://baolian.example/fhir/StructureDefinition/catalogue-class",)"
      R"("valueCode":"B"},)"
      R"({"url":"https://baolian.example/fhir/StructureDefinition/self-pay",)"
      R"("valueMoney":{"value":7.05,"currency":"CNY"}}])";
  std::string text = with(small_bundle(), R"("sequence":2)", item);
  text = with(text, R"("item":[)",
              R"("careTeam":[{"sequence":3,"provider":{"display":"x"}},)"
              R"({"sequence":4,"provider":{"identifier":{"value":"D4"}}}],"item":[)");
  const Discharge discharge = read_one(text);
  const Item& read = discharge.payload.items.at(1);
  CHECK(read.quantity_millionths == 1'500'000U);
  CHECK(read.catalogue_class == CatalogueClass::b);
  CHECK(read.self_pay == 705U);
  REQUIRE(read.day.has_value());
  CHECK(format_civil_day(*read.day) == "2026-03-02");
  CHECK(read.prescriber == "D4");
  CHECK(discharge.payload.problems.empty());
}

TEST_CASE("fhir: doubtful item data is counted as problems", "[gateway][fhir]") {
  const std::string item =
      R"("sequence":2,"quantity":{"value":-1},)"
      R"("encounter":[{"reference":"urn:uuid:elsewhere"}],"extension":[)"
      R"({"url":"https://baolian.example/fhir/StructureDefinition/catalogue-class",)"
      R"("valueCode":"Z"},)"
      R"({"url":"https://baolian.example/fhir/StructureDefinition/self-pay",)"
      R"("valueMoney":{"value":70.51,"currency":"CNY"}}])";
  const Discharge discharge = read_one(with(small_bundle(), R"("sequence":2)", item));
  CHECK(problems(discharge) == Texts{"self_pay_exceeds_amount 1", "quantity_unreadable 1",
                                     "other_encounters_named 1", "catalogue_class_unreadable 1"});
  CHECK_FALSE(discharge.payload.items.at(1).quantity_millionths.has_value());
  CHECK(discharge.payload.items.at(1).catalogue_class == CatalogueClass::unknown);
}

TEST_CASE("fhir: dates without hours and a discharge before the admission are said",
          "[gateway][fhir]") {
  const auto text = with(small_bundle(), "2026-03-01T23:30:00Z", "2026-03-04");
  const Discharge discharge = read_one(text);
  CHECK(problems(discharge) ==
        Texts{"discharged_before_admitted 54000000", "time_without_hours 1"});
}

TEST_CASE("fhir: encounter diagnoses come first, by rank, with their roles", "[gateway][fhir]") {
  const std::string diagnoses =
      R"("diagnosis":[{"condition":{"reference":"Condition/c2"},"rank":2,)"
      R"("use":{"coding":[{"code":"CM"}]}},)"
      R"({"condition":{"reference":"Condition/c3/_history/4"},"rank":1,)"
      R"("use":{"coding":[{"code":"DD"}]}}],"period")";
  const std::string conditions =
      R"({"resource":{"resourceType":"Condition","id":"c2",)"
      R"("code":{"coding":[{"system":"icd","code":"I10"}]}}},)"
      R"({"resource":{"resourceType":"Condition","id":"c3",)"
      R"("code":{"coding":[{"display":"no code"},{"system":"icd","code":"I63"}]}}},)"
      R"({"resource":{"resourceType":"Condition","id":"c4",)"
      R"("encounter":{"reference":"Encounter/e"},"code":{"text":"words"}}},)"
      R"({"resource":{"resourceType":"Condition","id":"c5",)"
      R"("encounter":{"reference":"Encounter/e"},)"
      R"("verificationStatus":{"coding":[{"code":"refuted"}]},)"
      R"("code":{"coding":[{"system":"icd","code":"A00"}]}}})";
  const Discharge discharge = read_one(with(with_entries(conditions), R"("period")", diagnoses));
  CHECK(discharge.payload.diagnoses ==
        std::vector<Diagnosis>{{"icd", "I63", "", DiagnosisRole::principal},
                               {"icd", "I10", "", DiagnosisRole::comorbidity},
                               {"icd", "K35.8", "1", DiagnosisRole::unknown}});
  CHECK(problems(discharge) == Texts{"diagnosis_without_code 1"});
}

TEST_CASE("fhir: a claim's diagnoses add roles and codes", "[gateway][fhir]") {
  const std::string claim =
      R"("diagnosis":[{"diagnosisReference":{"reference":"urn:uuid:c"},)"
      R"("type":[{"coding":[{"code":"principal"}]}]},)"
      R"({"diagnosisCodeableConcept":{"coding":[{"system":"icd","code":"Z1"}]}}],"item":[)";
  const Discharge discharge = read_one(with(small_bundle(), R"("item":[)", claim));
  CHECK(discharge.payload.diagnoses ==
        std::vector<Diagnosis>{{"icd", "K35.8", "1", DiagnosisRole::principal},
                               {"icd", "Z1", "", DiagnosisRole::billing}});
}

TEST_CASE("fhir: references may be relative, absolute or versioned", "[gateway][fhir]") {
  const auto relative = with(
      with(small_bundle(), R"([{"reference":"urn:uuid:e"}])", R"([{"reference":"Encounter/e"}])"),
      R"("subject":{"reference":"urn:uuid:p"},
  "identifier")",
      R"("subject":{"reference":"Patient/p/_history/2"},"identifier")");
  CHECK(read_one(relative).payload.invoices.size() == 1);
  std::string absolute = small_bundle();
  for (const char* url : {"urn:uuid:e", "urn:uuid:p"}) {
    for (std::size_t at = 0; (at = absolute.find(url, at)) != std::string::npos;) {
      absolute.replace(at, 10, "https://h.example/fhir/Thing/1" + std::string(1, url[9]));
    }
  }
  CHECK(read_one(absolute).payload.invoices.size() == 1);
}

TEST_CASE("fhir: the source record holds the stay's resources only, byte for byte",
          "[gateway][fhir]") {
  const std::string more =
      R"({"fullUrl":"urn:uuid:o1","resource":{"resourceType":"Observation", "id":"o1",)"
      R"( "encounter":{"reference":"urn:uuid:e"}, "valueDecimal":1.10}},)"
      R"({"fullUrl":"urn:uuid:o2","resource":{"resourceType":"Observation","id":"o2",)"
      R"("valueString":"UNRELATED"}})";
  const Discharge discharge = read_one(with_entries(more));
  const auto json = nlohmann::json::parse(discharge.source_bundle);
  CHECK(json.at("type") == "collection");
  std::vector<std::string> ids;
  for (const auto& entry : json.at("entry")) ids.push_back(entry.at("resource").at("id"));
  CHECK(ids == Texts{"p", "e", "c", "b", "o1"});
  CHECK(discharge.source_bundle.find("UNRELATED") == std::string::npos);
  CHECK(discharge.source_bundle.find(
            R"({"resourceType":"Observation", "id":"o1",)"
            R"( "encounter":{"reference":"urn:uuid:e"}, "valueDecimal":1.10})") !=
        std::string::npos);
  // The source is itself a bundle of the same discharge.
  CHECK(read_one(discharge.source_bundle).payload == discharge.payload);
}

TEST_CASE("fhir: the currency is the chain's, or the file's own if none is asked for",
          "[gateway][fhir]") {
  std::string usd = small_bundle();
  for (std::size_t at = 0; (at = usd.find("CNY", at)) != std::string::npos;) {
    usd.replace(at, 3, "USD");
  }
  const auto refused = read_discharges(usd, {});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::bad_amount);
  CHECK(refused.error().context.find("USD") != std::string::npos);
  CHECK(read_one(usd, {.currency = "USD"}).currency == "USD");
  CHECK(read_one(usd, {.currency = ""}).currency == "USD");
  CHECK(read_one(small_bundle(), {.currency = ""}).currency == "CNY");
  // One amount in another currency than the rest.
  const auto mixed = with(small_bundle(), R"(70.50,"currency":"CNY")", R"(70.50,"currency":"USD")");
  CHECK(read_discharges(mixed, {.currency = ""}).error().code == Errc::bad_amount);
  // No currency at all.
  const auto bare = with(small_bundle(), R"(70.50,"currency":"CNY")", "70.50");
  CHECK(problems(read_one(bare)) == Texts{"currency_absent 1"});
}

TEST_CASE("fhir: minor digits are the chain's", "[gateway][fhir]") {
  CHECK(read_discharges(small_bundle(), {.minor_digits = 0}).error().code == Errc::bad_amount);
  const Discharge four = read_one(small_bundle(), {.minor_digits = 4});
  CHECK(four.payload.invoices[0].total == 1005000U);
}
