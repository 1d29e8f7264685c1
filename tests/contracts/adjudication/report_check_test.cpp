/// Rule 0, code maps and the encodings around the engine.
#include "contracts/adjudication/report_check.h"

#include <algorithm>

#include "contracts/adjudication/bills.h"
#include "contracts/calendar.h"
#include "crypto/commitment.h"
#include "crypto/pedersen.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::contracts;
using namespace baolian::contracts::test;

namespace {

template <typename Id>
Id filled(std::uint8_t byte) {
  Id out;
  out.bytes.fill(byte);
  return out;
}

struct Report {
  ClaimPayload payload;
  ReportOnChain chain;
};

void commit_invoices(Report& report) {
  report.chain.invoices.clear();
  std::uint8_t tag = 9;
  for (const BalanceOpening& opening : report.payload.openings.balances) {
    const auto commitment = crypto::pedersen_commit(opening.amount, opening.blinding);
    REQUIRE(commitment.has_value());
    report.chain.invoices.push_back({filled<Tag32>(tag--), *commitment});
  }
  std::sort(report.chain.invoices.begin(), report.chain.invoices.end());
}

/// A sound report of two invoices, one of them without total, as a reporting node makes it.
Report sound() {
  Report out;
  ClaimPayload& p = out.payload;
  p = bill({item("A", 1'000, CatalogueClass::a, 0)});
  p.invoices.push_back(invoice("2", 0));
  p.invoices[1].total.reset();
  p.invoices[0].basic_pool = 300;
  p.records = {{filled<RecordId>(5), 1}};
  p.openings.subject = {{InstitutionId{}, filled<Tag32>(1)}, filled<Salt>(2)};
  p.openings.record_list_salt = filled<Salt>(3);
  p.openings.balances = {{700, crypto::new_blinding()}, {0, crypto::new_blinding()}};

  ReportOnChain& c = out.chain;
  c.subject_commitment = crypto::commit(crypto::domain::kSubject, p.openings.subject.salt,
                                        encode(p.openings.subject.subject));
  c.record_list = commit_record_list(p.openings.record_list_salt, p.records);
  c.first_month = static_cast<std::uint16_t>(civil_month(p.admitted_day));
  c.last_month = static_cast<std::uint16_t>(civil_month(p.discharged_day));
  c.care_subject = p.openings.subject.subject;
  c.insured = {filled<InstitutionId>(7), filled<Tag32>(8)};
  c.insured_derived = c.insured;
  commit_invoices(out);
  return out;
}

using Differences = std::vector<ReportDifference>;

}  // namespace

TEST_CASE("rule 0: a sound report shows no difference", "[adjudication]") {
  Report report = sound();
  CHECK(compare_report(report.chain, report.payload).empty());
  report.chain.care_subject.reset();  // not disclosed yet
  CHECK(compare_report(report.chain, report.payload).empty());
}

TEST_CASE("rule 0: each difference between chain and payload is named", "[adjudication]") {
  const auto differs = [](const auto& change, const Differences& expected) {
    Report report = sound();
    change(report);
    CHECK(compare_report(report.chain, report.payload) == expected);
  };
  using D = ReportDifference;
  differs([](Report& r) { r.payload.openings.subject.salt = filled<Salt>(9); },
          {D::subject_commitment});
  differs([](Report& r) { r.payload.openings.subject.subject.value = filled<Tag32>(9); },
          {D::subject_commitment, D::care_subject});
  differs([](Report& r) { r.chain.care_subject->value = filled<Tag32>(9); }, {D::care_subject});
  differs([](Report& r) { r.chain.insured_derived.value = filled<Tag32>(9); }, {D::insured});
  differs([](Report& r) { r.chain.insured.audience = filled<InstitutionId>(9); }, {D::insured});
  differs([](Report& r) { r.payload.records[0].version = 2; }, {D::record_list});
  differs([](Report& r) { r.payload.records.clear(); }, {D::record_list});
  differs([](Report& r) { r.payload.records.resize(65); }, {D::record_list});
  differs([](Report& r) { r.payload.openings.record_list_salt = filled<Salt>(9); },
          {D::record_list});
  differs([](Report& r) { r.payload.admitted_day -= 31; }, {D::months});
  differs([](Report& r) { r.payload.discharged_day += 31; }, {D::months});
  differs([](Report& r) { r.payload.openings.balances[0].amount += 1; }, {D::invoices});
  differs([](Report& r) { r.payload.openings.balances.pop_back(); }, {D::invoices});
  differs([](Report& r) { r.chain.invoices.pop_back(); }, {D::invoices});
  differs([](Report& r) { r.chain.invoices[0] = r.chain.invoices[1]; }, {D::invoices});
  differs([](Report& r) { r.payload.invoices[0].basic_pool = 299; }, {D::invoices});
  differs([](Report& r) { r.payload.openings.balances[0].blinding = {}; }, {D::invoices});
}

TEST_CASE("rule 0: an opening of another amount is seen although it opens its commitment",
          "[adjudication]") {
  Report report = sound();
  report.payload.openings.balances[0].amount = 701;
  commit_invoices(report);
  CHECK(compare_report(report.chain, report.payload) == Differences{ReportDifference::invoices});
}

TEST_CASE("rule 0: each invoice of the payload finds its tag, whatever the order on the chain",
          "[adjudication]") {
  Report report = sound();
  const auto tags = match_invoices(report.payload, report.chain.invoices);
  REQUIRE(tags.has_value());
  CHECK(*tags == std::vector<Tag32>{filled<Tag32>(9), filled<Tag32>(8)});
  // Two payload invoices cannot both be the one that was reported.
  report.payload.openings.balances[1] = report.payload.openings.balances[0];
  CHECK_FALSE(match_invoices(report.payload, report.chain.invoices).has_value());
}

TEST_CASE("code map: what a code comes to", "[adjudication]") {
  const CodeMap map = small_map();
  CHECK(check_code_map(map).has_value());
  CHECK(map.lookup("clinical", "E1") == Transcoding{Relation::exact, {"K35.8"}});
  CHECK(map.lookup("clinical", "A1") == Transcoding{Relation::approximate, {"O91.2"}});
  CHECK(map.lookup("clinical", "M1") == Transcoding{Relation::ambiguous, {"N61.x", "O91.2"}});
  CHECK(map.lookup("clinical", "N1") == Transcoding{Relation::none, {}});
  CHECK(map.lookup("clinical", "Z9") == Transcoding{Relation::none, {}});
  CHECK(map.lookup("other", "E1") == Transcoding{Relation::none, {}});
  CHECK(map.lookup("insurance", "anything") == Transcoding{Relation::exact, {"anything"}});
}

TEST_CASE("code map: each slip is named", "[adjudication]") {
  const auto refuse = [](const std::string& part, const auto& change) {
    CodeMap map = small_map();
    change(map);
    const auto checked = check_code_map(map);
    REQUIRE_FALSE(checked.has_value());
    INFO(checked.error().context);
    CHECK(checked.error().context.find(part) != std::string::npos);
  };
  refuse("E1: exact and approximate", [](CodeMap& m) { m.entries[1].targets.clear(); });
  refuse("A1: exact and approximate", [](CodeMap& m) {
    m.entries[0].targets.push_back({"Z", "名"});
  });
  refuse("M1: ambiguous", [](CodeMap& m) { m.entries[2].targets.pop_back(); });
  refuse("M1: its targets", [](CodeMap& m) { m.entries[2].targets[1].code = "N61.x"; });
  refuse("N1: none", [](CodeMap& m) { m.entries[3].targets = {{"Z", "名"}}; });
  refuse("E1: entries", [](CodeMap& m) { m.entries[0].source = "E1"; });
  refuse("same system", [](CodeMap& m) { m.target.system = "clinical"; });
}

TEST_CASE("code map, product: content hashes are of the canonical bytes", "[adjudication]") {
  const CodeMap map = small_map();
  const auto map_back = decode<CodeMap>(encode(map));
  REQUIRE(map_back.has_value());
  CHECK(*map_back == map);
  CHECK(code_map_content_hash(*map_back) == code_map_content_hash(map));

  const Product product = city_product();
  const auto back = decode<Product>(encode(product));
  REQUIRE(back.has_value());
  CHECK(*back == product);
  CHECK(product_content_hash(product) == crypto::hash_in_domain("public", {encode(product)}));
  Product other = product;
  other.liabilities[1].covered.clear();
  CHECK(product_content_hash(other) != product_content_hash(product));
}

TEST_CASE("product: a policy has at most 16 accumulators", "[adjudication]") {
  Product product = full_indemnity();
  const Liability one = product.liabilities[0];
  product.liabilities.clear();
  for (std::uint16_t i = 1; i <= 16; ++i) {
    product.liabilities.push_back(one);
    product.liabilities.back().id = i;
  }
  const auto checked = check_product(product);
  REQUIRE_FALSE(checked.has_value());
  CHECK(checked.error().context.find("more than 16") != std::string::npos);
  product.liabilities.back().decider = Decider::person;
  CHECK(check_product(product).has_value());
}
