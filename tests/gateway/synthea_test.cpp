// Synthea's bundles: dirty input from outside the project, read if it is there.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "gateway/dry_run.h"
#include "gateway/fhir.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::gateway;

namespace {

std::vector<std::filesystem::path> synthea_files() {
  const char* given = std::getenv("BAOLIAN_SHARED_DATA");
  const std::filesystem::path data =
      given != nullptr ? given : BAOLIAN_SOURCE_DIR "/../shared/data";
  std::vector<std::filesystem::path> out;
  std::error_code absent;
  for (const auto& file : std::filesystem::directory_iterator(data / "fhir-synthea", absent)) {
    if (file.path().extension() == ".json") out.push_back(file.path());
  }
  std::sort(out.begin(), out.end());
  if (out.empty()) {
    std::cout << "SKIPPED: no fhir-synthea bundles (set BAOLIAN_SHARED_DATA to the folder that "
                 "holds them)\n";
  }
  return out;
}

std::vector<Discharge> read_all(const std::vector<std::filesystem::path>& files,
                                const FhirOptions& options) {
  std::vector<Discharge> out;
  for (const auto& file : files) {
    const auto text = read_bundle_file(file.string());
    REQUIRE(text.has_value());
    auto discharges = read_discharges(*text, options);
    INFO(file << (discharges.has_value() ? "" : discharges.error().context));
    REQUIRE(discharges.has_value());
    for (Discharge& discharge : *discharges) out.push_back(std::move(discharge));
  }
  return out;
}

}  // namespace

TEST_CASE(
    "synthea: eight bundles are 12 discharges whose items are 75.00 short: said, not repaired",
    "[gateway][synthea]") {
  const auto files = synthea_files();
  if (files.empty()) return;
  REQUIRE(files.size() == 8);
  const auto discharges = read_all(files, {.currency = "USD"});
  REQUIRE(discharges.size() == 12);
  int only_75 = 0;
  for (const Discharge& discharge : discharges) {
    const ClaimPayload& p = discharge.payload;
    CHECK(p.problems == std::vector<Problem>{{ProblemCode::items_total_mismatch, 7500}});
    REQUIRE(p.invoices.size() == 1);
    CHECK(p.invoices[0].rest == p.invoices[0].total);
    const bool no_amounts = std::none_of(p.items.begin(), p.items.end(),
                                         [](const Item& item) { return item.amount.has_value(); });
    CHECK((p.invoices[0].total == 7500U) == no_amounts);
    if (no_amounts) ++only_75;
    CHECK(p.person.system == "https://github.com/synthetichealth/synthea");
    CHECK(decode<ClaimPayload>(encode(p)).has_value());
  }
  CHECK(only_75 == 7);
}

TEST_CASE("synthea: with the base cost item every discharge adds up", "[gateway][synthea]") {
  const auto files = synthea_files();
  if (files.empty()) return;
  const auto discharges = read_all(files, {.currency = "USD", .base_cost_item = BaseCostItem::add});
  REQUIRE(discharges.size() == 12);
  for (const Discharge& discharge : discharges) {
    const ClaimPayload& p = discharge.payload;
    CHECK(p.problems == std::vector<Problem>{{ProblemCode::base_cost_item_added, 7500}});
    std::uint64_t sum = 0;
    for (const Item& item : p.items) sum += item.amount.value_or(0);
    CHECK(sum == p.invoices.at(0).total);
    CHECK(p.items.back().code == "BASE-COST");
  }
}

TEST_CASE("synthea: totals agree with the bundle's own texts", "[gateway][synthea]") {
  const auto files = synthea_files();
  if (files.empty()) return;
  std::vector<std::uint64_t> totals;
  for (const Discharge& discharge : read_all(files, {.currency = "USD"})) {
    totals.push_back(discharge.payload.invoices.at(0).total.value());
  }
  // abdul, erin, jacob, liz, malcom, rudolf, tony, trenton (5 stays): read off the files.
  CHECK(totals == std::vector<std::uint64_t>{1602233, 1809415, 7500, 1123834, 7500, 1852602,
                                             17255829, 7500, 7500, 7500, 7500, 7500});
}

TEST_CASE("synthea: every source record is a bundle of the same one discharge",
          "[gateway][synthea]") {
  const auto files = synthea_files();
  if (files.empty()) return;
  for (const Discharge& discharge : read_all(files, {.currency = "USD"})) {
    const auto again = read_discharges(discharge.source_bundle, {.currency = "USD"});
    REQUIRE(again.has_value());
    REQUIRE(again->size() == 1);
    CHECK(again->front().payload == discharge.payload);
    CHECK(again->front().source_bundle == discharge.source_bundle);
  }
}

TEST_CASE("synthea: the dry run takes the file's currency, and a CNY chain refuses it",
          "[gateway][synthea]") {
  const auto files = synthea_files();
  if (files.empty()) return;
  const auto json = nlohmann::json::parse(dry_run_json(read_all(files, {.currency = ""})));
  REQUIRE(json.at("discharges").size() == 12);
  for (const auto& discharge : json.at("discharges")) {
    CHECK(discharge.at("currency") == "USD");
    CHECK(discharge.at("problems") == nlohmann::json{"items_total_mismatch 7500"});
  }
  const auto text = read_bundle_file(files.front().string());
  REQUIRE(text.has_value());
  CHECK(read_discharges(*text, {}).error().code == Errc::bad_amount);
}

TEST_CASE("synthea: a bundle cut anywhere is an error", "[gateway][synthea]") {
  const auto files = synthea_files();
  if (files.empty()) return;
  const auto text = read_bundle_file(files.front().string());
  REQUIRE(text.has_value());
  for (std::size_t part = 0; part < 16; ++part) {
    const std::string_view cut = std::string_view(*text).substr(0, text->size() * part / 16);
    CHECK(read_discharges(cut, {.currency = "USD"}).error().code == Errc::bad_json);
  }
}
