/// decide(): a bill under a product, as a pure function (contracts.md, adjudication). The same
/// values in give the same bytes out on every machine: whoever opens the inputs recomputes the
/// decision to the last minor unit.
///
/// Rules of this rule set (number, what, outcome if it fails):
///
/// | rule | what | else |
/// |---|---|---|
/// | 0 | what the chain says of the report is what the payload says | dispute: no decision |
/// | 1 | parts and items of each invoice give its total, classes are known | paper |
/// | 2 | dates: order, cover and waiting period by the product's basis | 0 |
/// | 3 | what remains of each invoice | cut |
/// | 4 | deductible, tiers, limits: F(after) - F(before), cut to what remains | declared |
/// | 10 | excluded diagnoses and liabilities without terms | person |
/// | 11 | transcoding: ambiguous is never resolved silently | person |
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "contracts/adjudication/bill.h"
#include "contracts/adjudication/code_map.h"
#include "contracts/adjudication/product.h"

namespace baolian::contracts {

inline constexpr std::uint16_t kEngineVersion = 1;
inline constexpr std::uint16_t kRuleSetVersion = 1;

/// Why a bill waits or pays less. The numbers only grow; `detail` of a DecisionReason by code. An
/// index of an item counts the payload's items from 0, then the lines that supplements added.
enum class ReasonCode : std::uint16_t {
  // papers
  invoice_without_total = 1,   ///< detail: index of the invoice
  payment_parts_mismatch = 2,  ///< detail: index of the invoice
  items_total_mismatch = 3,    ///< detail: index of the invoice
  item_without_amount = 4,     ///< detail: index of the item; only if its invoice does not add up
  class_unknown = 5,           ///< detail: index of the item; only if a liability asks for it
  // persons
  diagnosis_ambiguous = 101,  ///< detail: index of the diagnosis
  diagnosis_excluded = 102,   ///< detail: index of the diagnosis
  diagnosis_unmapped = 103,   ///< detail: index of the diagnosis; the product has exclusions
  liability_by_person = 104,  ///< detail: number of the liability
  supplement_unusable = 105,  ///< detail: index of the supplement
  amount_too_large = 106,     ///< detail: 0; an amount or a sum is above kExpenseMax
  supplement_to_read = 107,   ///< detail: index of the supplement; a paper and no facts
  // why something is withheld
  outside_cover = 201,      ///< detail: how many items by item_date, else 0
  in_waiting_period = 202,  ///< detail: as outside_cover
  dates_reversed = 203,
  declined_by_person = 204,
};

constexpr auto enum_names(ReasonCode) {
  std::array<std::string_view, 205> out{};
  const auto name = [&out](ReasonCode code, std::string_view text) {
    out[static_cast<std::size_t>(code)] = text;
  };
  name(ReasonCode::invoice_without_total, "invoice_without_total");
  name(ReasonCode::payment_parts_mismatch, "payment_parts_mismatch");
  name(ReasonCode::items_total_mismatch, "items_total_mismatch");
  name(ReasonCode::item_without_amount, "item_without_amount");
  name(ReasonCode::class_unknown, "class_unknown");
  name(ReasonCode::diagnosis_ambiguous, "diagnosis_ambiguous");
  name(ReasonCode::diagnosis_excluded, "diagnosis_excluded");
  name(ReasonCode::diagnosis_unmapped, "diagnosis_unmapped");
  name(ReasonCode::liability_by_person, "liability_by_person");
  name(ReasonCode::supplement_unusable, "supplement_unusable");
  name(ReasonCode::amount_too_large, "amount_too_large");
  name(ReasonCode::supplement_to_read, "supplement_to_read");
  name(ReasonCode::outside_cover, "outside_cover");
  name(ReasonCode::in_waiting_period, "in_waiting_period");
  name(ReasonCode::dates_reversed, "dates_reversed");
  name(ReasonCode::declined_by_person, "declined_by_person");
  return out;
}

/// At most so many reasons stand in a decision: the lowest ones.
inline constexpr std::uint32_t kReasonsMax = 1024;

struct DecisionReason {
  static constexpr std::string_view kTypeName = "DecisionReason";
  ReasonCode code{ReasonCode::invoice_without_total};
  std::uint32_t detail = 0;

  friend auto operator<=>(const DecisionReason&, const DecisionReason&) = default;
  static constexpr auto fields() {
    return field_list(field("code", &DecisionReason::code, "why"),
                      field("detail", &DecisionReason::detail, "of what, by code"));
  }
};

/// What one liability pays of one invoice.
struct DecisionLine {
  static constexpr std::string_view kTypeName = "DecisionLine";
  std::uint16_t liability = 0;
  std::uint16_t invoice = 0;         ///< index in the payload
  std::uint64_t eligible = 0;        ///< of the liability's expense base
  std::uint64_t expense_before = 0;  ///< of its group, in the policy year (or the claim)
  std::uint64_t expense_after = 0;   ///< grown by what is eligible and remains of the invoice
  std::uint64_t by_tiers = 0;        ///< F(after) - F(before)
  std::uint64_t paid = 0;            ///< cut to the limits and to what remains of the invoice

  friend bool operator==(const DecisionLine&, const DecisionLine&) = default;
  static constexpr auto fields() {
    return field_list(
        field("liability", &DecisionLine::liability, "number of the liability"),
        field("invoice", &DecisionLine::invoice, "index of the invoice"),
        field("eligible", &DecisionLine::eligible, "of its expense base, minor units"),
        field("expense_before", &DecisionLine::expense_before, "of its group before"),
        field("expense_after", &DecisionLine::expense_after, "of its group after"),
        field("by_tiers", &DecisionLine::by_tiers, "F(after) - F(before)"),
        field("paid", &DecisionLine::paid, "after limits and remainder"));
  }
};

/// One rule that was applied, with the numbers it looked at.
struct TraceInput {
  static constexpr std::string_view kTypeName = "TraceInput";
  std::string name;
  std::int64_t value = 0;

  friend bool operator==(const TraceInput&, const TraceInput&) = default;
  static constexpr auto fields() {
    return field_list(field("name", &TraceInput::name, between(1, 64), "what"),
                      field("value", &TraceInput::value, "minor units, days or counts"));
  }
};

enum class TraceResult : std::uint8_t {
  passed = 1,
  applied = 2,
  paper = 3,
  person = 4,
  dispute = 5,
  withheld = 6
};
constexpr auto enum_names(TraceResult) {
  return std::array<std::string_view, 7>{"",       "passed",  "applied", "paper",
                                         "person", "dispute", "withheld"};
}

struct TraceStep {
  static constexpr std::string_view kTypeName = "TraceStep";
  std::uint16_t rule = 0;
  std::uint16_t version = 1;
  TraceResult result{TraceResult::passed};
  std::vector<TraceInput> inputs;

  friend bool operator==(const TraceStep&, const TraceStep&) = default;
  static constexpr auto fields() {
    return field_list(field("rule", &TraceStep::rule, "number of the rule"),
                      field("version", &TraceStep::version, "its version"),
                      field("result", &TraceStep::result, "what it came to"),
                      field("inputs", &TraceStep::inputs, at_most(32), "what it looked at"));
  }
};

struct Decision {
  static constexpr std::string_view kTypeName = "Decision";
  Version<1> version;
  std::uint16_t engine = kEngineVersion;
  std::uint16_t rule_set = kRuleSetVersion;
  Outcome outcome{Outcome::needs_person};
  std::vector<DecisionReason> reasons;  ///< ascending
  std::uint64_t billed = 0;             ///< sum of the invoices' totals
  std::uint64_t payable = 0;            ///< sum of the lines
  Withheld withheld{Withheld::none};
  std::vector<DecisionLine> lines;             ///< invoices in order, liabilities in order
  std::vector<std::uint64_t> invoice_payouts;  ///< one for each invoice of the payload
  Accumulators before;                         ///< every accumulator that was looked at
  Accumulators after;                          ///< the same ids
  std::vector<TraceStep> trace;

  friend bool operator==(const Decision&, const Decision&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &Decision::version, "format version"),
        field("engine", &Decision::engine, "version of the engine"),
        field("rule_set", &Decision::rule_set, "version of the rules"),
        field("outcome", &Decision::outcome, "what it comes to"),
        field("reasons", &Decision::reasons, set_of(kReasonsMax), "why it waits or withholds"),
        field("billed", &Decision::billed, "sum of the invoices, minor units"),
        field("payable", &Decision::payable, "sum of the lines, minor units"),
        field("withheld", &Decision::withheld, "of what kind the difference is"),
        field("lines", &Decision::lines, at_most(2048), "by invoice, then liability"),
        field("invoice_payouts", &Decision::invoice_payouts, at_most(kInvoicesMax),
              "one for each invoice"),
        field("before", &Decision::before, "accumulators that were looked at"),
        field("after", &Decision::after, "the same ones afterwards"),
        field("trace", &Decision::trace, at_most(4096), "rule by rule"));
  }
};

/// Everything that a decision depends on. Ownership: refers to what the caller holds.
struct DecisionInput {
  const Product& product;
  PolicyFacts policy;
  Accumulators accumulators;
  const ClaimPayload& payload;
  std::vector<BillSupplement> supplements;
  std::vector<InvoiceStanding> invoices;  ///< one for each invoice of the payload
  const CodeMap* map = nullptr;           ///< none: codes stand for themselves
  std::optional<Ruling> ruling;           ///< a person decided: outcome is payable
};

/// Order of the answers: what a supplement brought and the engine cannot use, while papers are
/// missing, goes to a person; then missing papers; then all that persons settle; else payable.
/// needs_paper names every paper that is missing.
///
/// A ruling settles papers and persons: `decline` pays nothing; `accept` pays by the product on
/// what is there, an unknown class counting as not eligible. What is withheld then for want of a
/// paper, or because a liability has no terms, is provisional, and its reasons stay. Amounts above
/// kExpenseMax wait for a person also with `accept`: no ruling makes them computable.
///
/// A stay outside of the cover pays nothing, provisional, and moves no accumulator; so does an
/// item, where the product goes by the items' dates.
///
/// Requires: check_product() holds; every item names an invoice of the payload; invoices as many as
/// the payload's; rule 0 passed (report_check.h). Invoices are taken in order of (code, number),
/// liabilities in order of their numbers; an amount above kExpenseMax goes to a person.
Decision decide(const DecisionInput& input);

}  // namespace baolian::contracts
