/// Each rule with what passes it and what fails it; every reason is reached.
#include <algorithm>
#include <set>

#include "contracts/adjudication/bills.h"
#include "contracts/adjudication/decision.h"
#include "contracts/adjudication/payout.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::contracts;
using namespace baolian::contracts::test;

namespace {

using Reasons = std::vector<DecisionReason>;

/// Decides, checks what every waiting decision must be, and remembers the reasons seen.
std::set<ReasonCode>& seen() {
  static std::set<ReasonCode> codes;
  return codes;
}

Decision decided(const Case& one) {
  Decision out = one.decide();
  for (const DecisionReason& reason : out.reasons) seen().insert(reason.code);
  CHECK(out.before.values.size() == out.after.values.size());
  CHECK(out.invoice_payouts.size() == one.payload.invoices.size());
  if (out.outcome != Outcome::payable) {
    CHECK(out.payable == 0);
    CHECK(out.lines.empty());
    CHECK(out.before == out.after);
  }
  return out;
}

void check_waits(const Case& one, Outcome outcome, const Reasons& reasons) {
  const Decision decision = decided(one);
  CHECK(decision.outcome == outcome);
  CHECK(decision.reasons == reasons);
}

void check_withheld(const Case& one, const Reasons& reasons) {
  const Decision decision = decided(one);
  CHECK(decision.outcome == Outcome::payable);
  CHECK(decision.payable == 0);
  CHECK(decision.withheld == Withheld::provisional);
  CHECK(decision.reasons == reasons);
  CHECK(decision.before == decision.after);
}

Case plain() { return Case(full_indemnity(), bill_of(1'000 * kYuan)); }
Case ruled(Case one, Verdict verdict) {
  one.ruling = Ruling{verdict, "已核实"};
  return one;
}

BillSupplement added_line(std::uint64_t amount, CatalogueClass catalogue_class,
                          std::uint16_t invoice = 0) {
  BillSupplement out;
  out.items = {item("BASE", amount, catalogue_class, invoice)};
  return out;
}

}  // namespace

TEST_CASE("rule 1: an invoice without total waits for a paper", "[adjudication]") {
  Case one = plain();
  one.payload.invoices[0].total.reset();
  check_waits(one, Outcome::needs_paper, {{ReasonCode::invoice_without_total, 0}});
  const Decision accepted = decided(ruled(one, Verdict::accept));
  CHECK(accepted.outcome == Outcome::payable);
  CHECK(accepted.payable == 0);  // the report put nothing payable on the chain
  CHECK(accepted.withheld == Withheld::provisional);
}

TEST_CASE("rule 1: parts of the payment that do not give the total wait for a paper",
          "[adjudication]") {
  Case one = plain();
  Invoice& invoice = one.payload.invoices[0];
  invoice.basic_pool = 400 * kYuan;
  invoice.cash = 100 * kYuan;
  CHECK(decided(one).outcome == Outcome::payable);  // what is not stated is not known
  invoice.rest = 500 * kYuan;
  CHECK(decided(one).outcome == Outcome::payable);
  invoice.rest = 499 * kYuan;
  check_waits(one, Outcome::needs_paper, {{ReasonCode::payment_parts_mismatch, 0}});
  invoice.rest.reset();
  invoice.basic_pool = 900 * kYuan + 1;
  one.invoices = {{0}};
  check_waits(one, Outcome::needs_paper, {{ReasonCode::payment_parts_mismatch, 0}});
}

TEST_CASE("rule 1: items that do not give the total wait for a paper, by invoice",
          "[adjudication]") {
  Case one = plain();
  one.payload.invoices.push_back(invoice("2", 75 * kYuan));
  check_waits(one, Outcome::needs_paper, {{ReasonCode::items_total_mismatch, 1}});
  one.supplements = {added_line(75 * kYuan, CatalogueClass::b, 1)};
  const Decision decision = decided(one);
  CHECK(decision.outcome == Outcome::payable);
  CHECK(decision.payable == 1'075 * kYuan);
  CHECK(decision.withheld == Withheld::none);
}

TEST_CASE("rule 1: an item without amount waits only while its invoice does not add up",
          "[adjudication]") {
  Case one = plain();
  one.payload.items.push_back(item("X", 0, CatalogueClass::a));
  one.payload.items[1].amount.reset();
  one.payload.invoices[0].total = 1'075 * kYuan;
  check_waits(one, Outcome::needs_paper,
              {{ReasonCode::items_total_mismatch, 0}, {ReasonCode::item_without_amount, 1}});
  one.supplements = {added_line(75 * kYuan, CatalogueClass::b)};
  CHECK(decided(one).payable == 1'075 * kYuan);
  one.supplements = {added_line(74 * kYuan, CatalogueClass::b)};
  CHECK(decided(one).outcome == Outcome::needs_paper);
}

TEST_CASE("rule 1: an unknown class waits only where a liability asks for it", "[adjudication]") {
  Case one{city_product_r1(), bill({item("C1", 700'000, CatalogueClass::c),
                                    item("W900142", 14'210, CatalogueClass::unknown)})};
  check_waits(one, Outcome::needs_paper, {{ReasonCode::class_unknown, 1}});

  Case not_covered = one;
  not_covered.product.liabilities[0].not_covered = {{"", "W900000", "W900999"}};
  CHECK(decided(not_covered).outcome == Outcome::payable);
  Case whole = one;
  whole.product.liabilities[0].base = ExpenseBase::whole_bill;
  CHECK(decided(whole).outcome == Outcome::payable);
  Case nothing = one;
  nothing.payload =
      bill({item("C1", 700'000, CatalogueClass::c), item("W900142", 0, CatalogueClass::unknown)});
  CHECK(decided(nothing).outcome == Outcome::payable);

  BillSupplement supplement;
  supplement.item_classes = {{1, CatalogueClass::c}};
  one.supplements = {supplement};
  CHECK(decided(one).payable == (714'210 - 600'000) / 5);
  one.supplements[0].item_classes = {{1, CatalogueClass::b}};
  CHECK(decided(one).payable == (700'000 - 600'000) / 5);
}

TEST_CASE("rule 1: a class that an added line lacks can follow in the next supplement",
          "[adjudication]") {
  Case one{city_product_r1(), bill_of(700'000)};
  one.payload.invoices[0].total = 707'500;
  one.supplements = {added_line(7'500, CatalogueClass::unknown)};
  check_waits(one, Outcome::needs_paper, {{ReasonCode::class_unknown, 1}});
  BillSupplement more;
  more.item_classes = {{1, CatalogueClass::c}};
  one.supplements.push_back(more);
  CHECK(decided(one).payable == (707'500 - 600'000) / 5);
}

TEST_CASE("rule 1: all missing papers are named at once, and no person's reason",
          "[adjudication]") {
  Case one{city_product(), bill({item("XL02", 10, CatalogueClass::unknown)})};
  one.payload.invoices[0].total = 11;
  one.payload.invoices[0].rest = 12;
  check_waits(one, Outcome::needs_paper,
              {{ReasonCode::payment_parts_mismatch, 0},
               {ReasonCode::items_total_mismatch, 0},
               {ReasonCode::class_unknown, 0}});
}

TEST_CASE("rule 1: more missing papers than a decision can hold keep the first ones",
          "[adjudication]") {
  Case one{city_product_r1(),
           bill(std::vector<Item>(2'000, item("C1", 10, CatalogueClass::unknown)))};
  const Decision decision = decided(one);
  CHECK(decision.outcome == Outcome::needs_paper);
  REQUIRE(decision.reasons.size() == kReasonsMax);
  CHECK(decision.reasons.back().detail == kReasonsMax - 1);
  CHECK(decode<Decision>(encode(decision)).has_value());
}

TEST_CASE("supplement: what names nothing that is missing goes to a person", "[adjudication]") {
  const auto refused = [](const BillSupplement& supplement) {
    Case one{city_product_r1(),
             bill({item("C1", 700'000, CatalogueClass::c), item("C2", 100, CatalogueClass::c)})};
    one.supplements = {supplement};
    check_waits(one, Outcome::needs_person, {{ReasonCode::supplement_unusable, 0}});
    CHECK(decided(ruled(one, Verdict::accept)).payable == 100'100 / 5);
  };
  BillSupplement known;
  known.item_classes = {{1, CatalogueClass::a}};
  refused(known);
  BillSupplement outside;
  outside.item_classes = {{2, CatalogueClass::a}};
  refused(outside);
  BillSupplement unknown;
  unknown.item_classes = {{1, CatalogueClass::unknown}};
  refused(unknown);
  refused(added_line(100, CatalogueClass::a, 1));
  BillSupplement without_amount = added_line(100, CatalogueClass::a);
  without_amount.items[0].amount.reset();
  refused(without_amount);
}

TEST_CASE("supplement: an item twice in one supplement is unusable, and nothing of it counts",
          "[adjudication]") {
  Case one{city_product_r1(), bill({item("C1", 700'000, CatalogueClass::unknown)})};
  BillSupplement twice;
  twice.item_classes = {{0, CatalogueClass::a}, {0, CatalogueClass::c}};
  one.supplements = {twice};
  check_waits(one, Outcome::needs_person,
              {{ReasonCode::class_unknown, 0}, {ReasonCode::supplement_unusable, 0}});
}

TEST_CASE("supplement: a paper without facts is read by a person, never asked for again",
          "[adjudication]") {
  Case one{city_product_r1(), bill({item("C1", 700'000, CatalogueClass::unknown)})};
  check_waits(one, Outcome::needs_paper, {{ReasonCode::class_unknown, 0}});
  one.supplements.emplace_back();
  one.supplements.back().note = "收费明细照片";
  check_waits(one, Outcome::needs_person,
              {{ReasonCode::class_unknown, 0}, {ReasonCode::supplement_to_read, 0}});
  // With nothing missing there is nothing to read it for.
  Case whole{city_product_r1(), bill_of(700'000)};
  whole.supplements.emplace_back();
  CHECK(decided(whole).outcome == Outcome::payable);
}

TEST_CASE("rule 2: cover by admission or by discharge, first and last day included",
          "[adjudication]") {
  for (const CoverBasis basis : {CoverBasis::admission, CoverBasis::discharge}) {
    Case one = plain();
    one.product.cover_basis = basis;
    const auto stay = [&](std::uint32_t from, std::uint32_t to) {
      one.payload.admitted_day = from;
      one.payload.discharged_day = to;
      return one;
    };
    const bool by_admission = basis == CoverBasis::admission;
    const Reasons outside{{ReasonCode::outside_cover, 0}};
    CHECK(decided(stay(kYearFrom, kYearTo)).payable == 1'000 * kYuan);
    // Begins before the cover, ends inside of it; begins inside, ends after it.
    if (by_admission) {
      check_withheld(stay(kYearFrom - 1, kYearFrom), outside);
      CHECK(decided(stay(kYearTo, kYearTo + 1)).payable == 1'000 * kYuan);
    } else {
      CHECK(decided(stay(kYearFrom - 1, kYearFrom)).payable == 1'000 * kYuan);
      check_withheld(stay(kYearTo, kYearTo + 1), outside);
    }
    check_withheld(ruled(stay(kYearTo + 1, kYearTo + 2), Verdict::accept), outside);
  }
}

TEST_CASE("rule 2: the waiting period ends on its day", "[adjudication]") {
  Case one = plain();
  one.product.waiting_days = 30;
  one.payload.discharged_day = kYearFrom + 29;
  one.payload.admitted_day = kYearFrom + 1;
  check_withheld(one, {{ReasonCode::in_waiting_period, 0}});
  one.payload.discharged_day = kYearFrom + 30;
  CHECK(decided(one).payable == 1'000 * kYuan);
}

TEST_CASE("rule 2: by item date each item counts by its day, undated ones by discharge",
          "[adjudication]") {
  Case one{full_indemnity(),
           bill({item("A", 100, CatalogueClass::a), item("B", 20, CatalogueClass::a),
                 item("C", 3, CatalogueClass::a)})};
  one.product.cover_basis = CoverBasis::item_date;
  one.product.waiting_days = 10;
  one.payload.items[0].day = kYearFrom - 1;
  one.payload.items[1].day = kYearFrom + 9;
  one.payload.admitted_day = kYearFrom - 1;
  one.payload.discharged_day = kYearFrom + 10;
  const Decision decision = decided(one);
  CHECK(decision.payable == 3);
  CHECK(decision.withheld == Withheld::provisional);
  CHECK(decision.reasons ==
        Reasons{{ReasonCode::outside_cover, 1}, {ReasonCode::in_waiting_period, 1}});
  CHECK(decision.after.value(group_accumulator(1)) == 3);
  one.payload.discharged_day = kYearTo + 1;
  check_withheld(one, {{ReasonCode::outside_cover, 2}, {ReasonCode::in_waiting_period, 1}});
}

TEST_CASE("rule 2: a stay that ends before it begins is not paid", "[adjudication]") {
  Case one = plain();
  one.payload.admitted_day = one.payload.discharged_day + 1;
  check_withheld(one, {{ReasonCode::dates_reversed, 0}});
  one = plain();
  one.payload.admitted = one.payload.discharged.next();
  check_withheld(one, {{ReasonCode::dates_reversed, 0}});
}

TEST_CASE("rule 10: an excluded diagnosis goes to a person, also by its mapped code",
          "[adjudication]") {
  CodeMap map = small_map();
  Case one = plain();
  one.product.excluded_diagnoses = {{"", "O00", "O99"}};
  const auto with = [&](const std::string& system, const std::string& code, const CodeMap* by) {
    one.payload.diagnoses = {{"clinical", "E1", "", DiagnosisRole::principal},
                             {system, code, "", DiagnosisRole::comorbidity}};
    one.map = by;
    return one;
  };
  CHECK(decided(with("clinical", "E1", &map)).outcome == Outcome::payable);
  const Reasons excluded{{ReasonCode::diagnosis_excluded, 1}};
  check_waits(with("clinical", "A1", &map), Outcome::needs_person, excluded);
  CHECK(decided(with("clinical", "A1", nullptr)).outcome == Outcome::payable);
  check_waits(with("clinical", "O91.2", nullptr), Outcome::needs_person, excluded);
  check_waits(with("insurance", "O91.2", &map), Outcome::needs_person, excluded);
  CHECK(decided(with("insurance", "N61.x", &map)).outcome == Outcome::payable);
  // A ruling settles it, either way.
  CHECK(decided(ruled(with("clinical", "A1", &map), Verdict::accept)).withheld == Withheld::none);
  check_withheld(ruled(with("clinical", "A1", &map), Verdict::decline),
                 {{ReasonCode::declined_by_person, 0}});
}

TEST_CASE("rule 10: a code that cannot be compared with a range goes to a person",
          "[adjudication]") {
  CodeMap map = small_map();
  Case one = plain();
  one.payload.diagnoses = {{"clinical", "E1", "", DiagnosisRole::principal},
                           {"snomed", "38341003", "", DiagnosisRole::unknown}};
  one.map = &map;
  CHECK(decided(one).outcome == Outcome::payable);  // no exclusions: nothing to compare with
  one.product.excluded_diagnoses = {{"insurance", "O00", "O99"}};
  check_waits(one, Outcome::needs_person, {{ReasonCode::diagnosis_unmapped, 1}});
  one.payload.diagnoses[1] = {"clinical", "N1", "", DiagnosisRole::unknown};
  check_waits(one, Outcome::needs_person, {{ReasonCode::diagnosis_unmapped, 1}});
  one.payload.diagnoses.pop_back();
  CHECK(decided(one).outcome == Outcome::payable);
  one.map = nullptr;
  check_waits(one, Outcome::needs_person, {{ReasonCode::diagnosis_unmapped, 0}});
}

TEST_CASE("rule 10: a liability without terms goes to a person where an item may be its own",
          "[adjudication]") {
  Case one{city_product(), bill({item("C1", 700'000, CatalogueClass::c)})};
  CHECK(decided(one).payable == 20'000);
  one.payload = bill({item("C1", 700'000, CatalogueClass::c), item("PT01", 5, CatalogueClass::c),
                      item("XL02", 5, CatalogueClass::c), item("XR02", 5, CatalogueClass::a)});
  check_waits(one, Outcome::needs_person,
              {{ReasonCode::liability_by_person, 2}, {ReasonCode::liability_by_person, 4}});
  // Accepted, the engine pays its own liability; what has no terms stays open.
  const Decision decision = decided(ruled(one, Verdict::accept));
  CHECK(decision.payable == (700'010 - 600'000) / 5);
  CHECK(decision.withheld == Withheld::provisional);
  CHECK(codes(decision) == std::vector<ReasonCode>(2, ReasonCode::liability_by_person));
  // Without a list, every item may be its own.
  one.payload = bill({item("C1", 700'000, CatalogueClass::c)});
  one.product.liabilities[3].covered.clear();
  check_waits(one, Outcome::needs_person, {{ReasonCode::liability_by_person, 4}});
}

TEST_CASE("rule 4: a liability of the engine pays only the codes that it covers",
          "[adjudication]") {
  Case one{full_indemnity(),
           bill({item("A1", 100, CatalogueClass::a), item("B1", 20, CatalogueClass::a),
                 item("W900142", 3, CatalogueClass::a)})};
  CHECK(decided(one).payable == 120);
  one.product.liabilities[0].covered = {{"", "B", "W"}};
  CHECK(decided(one).payable == 20);
}

TEST_CASE("rule 11: ambiguous is never resolved silently, whatever the product excludes",
          "[adjudication]") {
  CodeMap map = small_map();
  Case one = plain();
  one.payload.diagnoses = {{"clinical", "M1", "", DiagnosisRole::principal}};
  CHECK(decided(one).outcome == Outcome::payable);
  one.map = &map;
  check_waits(one, Outcome::needs_person, {{ReasonCode::diagnosis_ambiguous, 0}});
  one.product.excluded_diagnoses = {{"", "O00", "O99"}};
  check_waits(one, Outcome::needs_person, {{ReasonCode::diagnosis_ambiguous, 0}});
  const Decision accepted = decided(ruled(one, Verdict::accept));
  CHECK(accepted.payable == 1'000 * kYuan);
  CHECK(accepted.reasons.empty());
  check_withheld(ruled(one, Verdict::decline), {{ReasonCode::declined_by_person, 0}});
}

TEST_CASE("ruling: accepted papers leave the bill as it is, provisionally", "[adjudication]") {
  Case one{city_product_r1(), bill({item("C1", 700'000, CatalogueClass::c),
                                    item("C2", 50'000, CatalogueClass::unknown)})};
  one.payload.invoices[0].total = 760'000;
  const Decision decision = decided(ruled(one, Verdict::accept));
  CHECK(decision.outcome == Outcome::payable);
  CHECK(decision.payable == 20'000);
  CHECK(decision.withheld == Withheld::provisional);
  CHECK(decision.reasons ==
        Reasons{{ReasonCode::items_total_mismatch, 0}, {ReasonCode::class_unknown, 1}});
  check_withheld(ruled(one, Verdict::decline), {{ReasonCode::declined_by_person, 0}});
}

TEST_CASE("amounts: what cannot be computed exactly goes to a person", "[adjudication]") {
  const Reasons too_large{{ReasonCode::amount_too_large, 0}};
  Case one = plain();
  one.payload = bill_of(kExpenseMax);
  CHECK(decided(one).payable == 10'000 * kYuan);
  one.payload = bill_of(kExpenseMax + 1);
  check_waits(one, Outcome::needs_person, too_large);
  check_waits(ruled(one, Verdict::accept), Outcome::needs_person, too_large);
  check_withheld(ruled(one, Verdict::decline), {{ReasonCode::declined_by_person, 0}});
  one.payload = bill_of(1);
  one.payload.items[0].amount = UINT64_MAX / 2;
  check_waits(one, Outcome::needs_person, too_large);
  one.payload =
      bill({item("A", kExpenseMax, CatalogueClass::a), item("A", kExpenseMax, CatalogueClass::a)});
  check_waits(one, Outcome::needs_person, too_large);
  one = plain();
  one.payload.invoices[0].cash = UINT64_MAX / 2;
  check_waits(one, Outcome::needs_person, too_large);
  one = plain();
  one.accumulators = {0, {{group_accumulator(1), kExpenseMax - 1}}};
  check_waits(one, Outcome::needs_person, too_large);
  one.accumulators = {0, {{group_accumulator(1), kExpenseMax + 1}}};
  check_waits(one, Outcome::needs_person, too_large);
  one = plain();
  one.invoices = {{kExpenseMax + 1}};
  check_waits(one, Outcome::needs_person, too_large);
}

TEST_CASE("decision: accumulators that were looked at stand in it also when nothing moves",
          "[adjudication]") {
  Case one{city_product(), bill({item("XL02", 10, CatalogueClass::c)})};
  one.accumulators = {7, {{1, 5}, {2, 6}, {liability_accumulator(1), 7}}};
  const Decision decision = decided(one);
  CHECK(decision.outcome == Outcome::needs_person);
  CHECK(decision.before ==
        Accumulators{7, {{1, 5}, {2, 6}, {3, 0}, {liability_accumulator(1), 7}}});
}

TEST_CASE("decision: the trace names each rule with what it looked at", "[adjudication]") {
  CodeMap map = small_map();
  Case one = plain();
  one.product.excluded_diagnoses = {{"", "O00", "O99"}};
  one.payload.diagnoses = {{"clinical", "E1", "", DiagnosisRole::principal}};
  one.map = &map;
  std::set<std::uint16_t> rules;
  for (const TraceStep& step : decided(one).trace) rules.insert(step.rule);
  CHECK(rules == std::set<std::uint16_t>{1, 2, 3, 4, 10, 11});
}

TEST_CASE("decision: every reason was reached by the tests before this one", "[adjudication]") {
  if (seen().size() < 2) return;  // run alone
  for (std::uint16_t i = 0; i < enum_names(ReasonCode{}).size(); ++i) {
    if (!is_enum_value<ReasonCode>(i)) continue;
    const auto code = static_cast<ReasonCode>(i);
    INFO(enum_name(code));
    CHECK(seen().count(code) == 1);
  }
}
