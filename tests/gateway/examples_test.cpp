// The discharges that the project brings for its demo.
#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "gateway/fhir.h"
#include "gateway/money.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::gateway;

namespace {

constexpr const char* kFolder = BAOLIAN_SOURCE_DIR "/examples/discharges";

std::string example(const std::string& name) {
  const std::filesystem::path path = std::filesystem::path(kFolder) / name;
  const auto text = read_bundle_file(path.string());
  REQUIRE(text.has_value());
  return *text;
}

Discharge read_one(const std::string& name) {
  INFO(name);
  auto discharges = read_discharges(example(name), {});
  INFO((discharges.has_value() ? "" : discharges.error().context));
  REQUIRE(discharges.has_value());
  REQUIRE(discharges->size() == 1);
  return discharges->front();
}

// GB 11643: the check digit of an 18-digit number.
bool has_check_digit(const std::string& id) {
  constexpr std::array<int, 17> kWeights{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  if (id.size() != 18) return false;
  int sum = 0;
  for (std::size_t i = 0; i < kWeights.size(); ++i) sum += (id[i] - '0') * kWeights[i];
  return id[17] == std::string("10X98765432")[static_cast<std::size_t>(sum % 11)];
}

}  // namespace

TEST_CASE("examples: the published case is 3,255.00 with 142.10 not covered",
          "[gateway][examples]") {
  const Discharge discharge = read_one("published_case.json");
  const ClaimPayload& p = discharge.payload;
  CHECK(p.problems.empty());
  REQUIRE(p.invoices.size() == 1);
  CHECK(format_money(*p.invoices[0].total, 2, "CNY") == "3,255.00 CNY");
  CHECK(*initial_balance(p.invoices[0]) == 325500);
  std::uint64_t not_covered = 0;
  for (const Item& item : p.items) not_covered += item.self_pay.value_or(0);
  CHECK(not_covered == 14210);
  CHECK(std::count_if(p.items.begin(), p.items.end(), [](const Item& item) {
          return item.amount == 14210U && item.catalogue_class == CatalogueClass::unknown;
        }) == 1);
  CHECK(format_money(325500 - not_covered, 2, "CNY") == "3,112.90 CNY");
  CHECK(p.diagnoses.at(0).role == DiagnosisRole::principal);
  CHECK(p.diagnoses.at(1).role == DiagnosisRole::comorbidity);
  CHECK(p.department == "普通外科");
  CHECK(p.items.at(0).prescriber == "D1003");
}

TEST_CASE(
    "examples: every discharge is whole, of its own fictive person, and reads without problems",
    "[gateway][examples]") {
  std::set<std::string> persons;
  std::set<std::string> stays;
  std::set<std::string> invoices;
  std::size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(kFolder)) {
    if (file.path().extension() != ".json") continue;
    ++files;
    INFO(file.path().filename());
    const Discharge discharge = read_one(file.path().filename().string());
    const ClaimPayload& p = discharge.payload;
    CHECK(p.problems.empty());
    CHECK(p.person.system == "urn:oid:2.16.156.10011.1.3");
    CHECK(p.person.value.substr(0, 6) == "999999");
    CHECK(has_check_digit(p.person.value));
    CHECK(persons.insert(p.person.value).second);
    CHECK(stays.insert(p.encounter_number).second);
    REQUIRE(p.invoices.size() == 1);
    CHECK_FALSE(p.invoices[0].code.empty());
    CHECK(invoices.insert(p.invoices[0].code + p.invoices[0].number).second);
    CHECK(p.invoices[0].rest == 0U);
    CHECK(initial_balance(p.invoices[0]).has_value());
    CHECK_FALSE(p.diagnoses.empty());
    for (const Item& item : p.items) {
      CHECK(item.day >= p.admitted_day);
      CHECK(item.day <= p.discharged_day);
    }
  }
  CHECK(files >= 5);
}
