/// Rules 10 and 11: what codes mean for the decision. Nothing is decided on a code that may mean
/// two things, and an exclusion is confirmed by a person, never by a table alone.
#include <algorithm>

#include "contracts/adjudication/rules.h"

namespace baolian::contracts {
namespace {

/// A diagnosis in each form in which a product may speak of it.
struct ComparedCode {
  Transcoding mapped;           ///< none: the code as written is all there is
  std::string_view map_system;  ///< of `mapped`

  bool is_mapped() const { return mapped.codes.size() == 1; }
};

bool is_excluded(const CodeRange& range, const Diagnosis& diagnosis, const ComparedCode& code) {
  // A range of the hospital's own system is about the code as written; any other about the code
  // that the map gives, which stands in for what was written.
  if (range.system == diagnosis.system) return range.contains(diagnosis.system, diagnosis.code);
  if (code.is_mapped()) return range.contains(code.map_system, code.mapped.codes.front());
  return range.contains(diagnosis.system, diagnosis.code);
}

bool is_comparable(const CodeRange& range, const Diagnosis& diagnosis, const ComparedCode& code) {
  if (range.system.empty() || range.system == diagnosis.system) return true;
  return code.is_mapped() && range.system == code.map_system;
}

void check_diagnosis(const DecisionInput& input, std::size_t index, Findings& findings) {
  const Diagnosis& diagnosis = input.payload.diagnoses[index];
  const auto& excluded = input.product.excluded_diagnoses;
  const auto detail = static_cast<std::int64_t>(index);
  ComparedCode code;
  if (input.map != nullptr) {
    code.mapped = input.map->lookup(diagnosis.system, diagnosis.code);
    code.map_system = input.map->target.system;
    const bool ambiguous = code.mapped.relation == Relation::ambiguous;
    if (ambiguous) findings.person(ReasonCode::diagnosis_ambiguous, index);
    findings.trace.push_back({11,
                              1,
                              ambiguous ? TraceResult::person : TraceResult::passed,
                              {{"diagnosis", detail},
                               {"relation", static_cast<std::int64_t>(code.mapped.relation)},
                               {"targets", static_cast<std::int64_t>(code.mapped.codes.size())}}});
    if (ambiguous) return;
  }
  if (excluded.empty()) return;
  const bool hit = std::any_of(excluded.begin(), excluded.end(), [&](const CodeRange& range) {
    return is_excluded(range, diagnosis, code);
  });
  const bool known = std::all_of(excluded.begin(), excluded.end(), [&](const CodeRange& range) {
    return is_comparable(range, diagnosis, code);
  });
  if (hit) {
    findings.person(ReasonCode::diagnosis_excluded, index);
  } else if (!known) {
    findings.person(ReasonCode::diagnosis_unmapped, index);
  }
  findings.trace.push_back(
      {10,
       1,
       hit || !known ? TraceResult::person : TraceResult::passed,
       {{"diagnosis", detail}, {"excluded", hit ? 1 : 0}, {"comparable", known ? 1 : 0}}});
}

/// A liability without terms is touched by an item that may be its own, whatever it costs.
bool touches(const Liability& liability, const BillItem& one) {
  const Item& item = *one.item;
  if (item.amount && *item.amount == 0) return false;
  const bool in_base = liability.base == ExpenseBase::whole_bill ||
                       one.catalogue_class == CatalogueClass::c ||
                       one.catalogue_class == CatalogueClass::unknown;
  return in_base && liability.takes_code(item.system, item.code);
}

}  // namespace

bool is_eligible(const Liability& liability, const BillItem& one) {
  const bool in_base =
      liability.base == ExpenseBase::whole_bill || one.catalogue_class == CatalogueClass::c;
  return in_base && liability.takes_code(one.item->system, one.item->code);
}

void check_codes(const DecisionInput& input, const AssembledBill& bill, Findings& findings) {
  for (std::size_t i = 0; i < input.payload.diagnoses.size(); ++i) {
    check_diagnosis(input, i, findings);
  }
  for (const Liability& liability : input.product.liabilities) {
    if (liability.decider != Decider::person) continue;
    const auto items = std::count_if(bill.items.begin(), bill.items.end(),
                                     [&](const BillItem& one) { return touches(liability, one); });
    if (items > 0) findings.person(ReasonCode::liability_by_person, liability.id);
    findings.trace.push_back({10,
                              1,
                              items > 0 ? TraceResult::person : TraceResult::passed,
                              {{"liability", liability.id}, {"items", items}}});
  }
}

}  // namespace baolian::contracts
