#include "contracts/facts.h"

#include <algorithm>

#include "contracts/facts_writer.h"
#include "ledger/evidence_texts.h"

namespace baolian::contracts {
namespace {

Error invalid(std::string what) { return fail(Errc::evidence_invalid, std::move(what)); }

Result<void> write_facts(OperationKind kind, FactWriter& facts) {
  switch (kind) {
    case OperationKind::consent_give:
    case OperationKind::consent_confirm:
    case OperationKind::consent_revoke:
    case OperationKind::consent_register_key:
      return write_consent_facts(kind, facts);
    case OperationKind::records_register:
    case OperationKind::records_read:
    case OperationKind::records_request:
    case OperationKind::records_release:
    case OperationKind::records_receive:
      return write_records_facts(kind, facts);
    case OperationKind::product_register:
    case OperationKind::policies_enrol:
      return write_policy_facts(kind, facts);
    case OperationKind::claims_report:
    case OperationKind::claims_file:
      return write_claims_facts(kind, facts);
    case OperationKind::claims_decide:
    case OperationKind::claims_supplement:
    case OperationKind::claims_withdraw:
    case OperationKind::claims_pay:
    case OperationKind::claims_explained:
    case OperationKind::claims_request_review:
    case OperationKind::claims_late_countersign:
    case OperationKind::catalog_publish:
    case OperationKind::system_sweep:
      return write_decision_facts(kind, facts);
    default:
      return ok();  // a kind of a later version: the ledger's own facts stand alone
  }
}

bool is_among(std::span<const NumberRange> ranges, std::uint16_t number) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const NumberRange& range) {
    return range.first <= number && number <= range.last;
  });
}

/// Names of texts version 1; empty for a number that has none there.
std::string_view fact_code_name(std::uint16_t code) {
  return is_among(fact_codes(), code) ? code_name(code) : std::string_view{};
}
std::string_view fact_kind_name(std::uint16_t kind) {
  return is_among(fact_kinds(), kind) ? kind_name(kind) : std::string_view{};
}

/// Facts that every kind may have.
void add_unless_empty(std::vector<ledger::Fact>& facts, std::string name, std::string_view value) {
  if (value.empty()) return;
  facts.push_back({std::move(name), std::string(value), ledger::Label::enforced, {}, std::nullopt});
}

}  // namespace

bool FactWriter::has_cosignature(ledger::Capacity capacity) const {
  const auto& all = operation_.cosignatures;
  return std::any_of(all.begin(), all.end(), [&](const ledger::Cosignature& cosignature) {
    return cosignature.capacity == capacity;
  });
}

void FactWriter::add(std::string_view name, std::string value, ledger::Label label,
                     std::string by) {
  ledger::Fact fact{std::string(name), std::move(value), label, std::move(by), line_};
  const auto rules = fact_rules();
  ASSERT(std::any_of(rules.begin(), rules.end(), [&](const FactRule& rule) {
    return rule.kind == kind_ && rule.name == name && rule.label == fact.label;
  }));
  facts_.push_back(std::move(fact));
}

std::string subject_text(const SubjectId& subject) {
  const std::string audience = subject.is_care() ? "care" : subject.audience.hex();
  return audience + "/" + subject.value.hex();
}

std::string record_text(const RecordRef& record) {
  return record.record.hex() + " version " + std::to_string(record.version);
}

std::string code_text(std::uint16_t code) {
  const std::string name(fact_code_name(code));
  return name.empty() ? std::to_string(code) : name;
}

std::string time_text(TimeMs time) {
  constexpr std::string_view kUtc = "+00:00";
  std::string text = ledger::civil_time(time, 0);
  if (text.ends_with(kUtc)) text.replace(text.size() - kUtc.size(), kUtc.size(), "Z");
  return text;
}

std::string institution_text(const InstitutionId& id) { return "institution " + id.hex(); }

Result<std::vector<ledger::Fact>> read_facts(const ledger::OperationLeaf& leaf) {
  const auto receipt = decode<ledger::Receipt>(leaf.receipt);
  if (!receipt) return invalid("a receipt does not decode: " + receipt.error().context);
  if (receipt->status == ledger::ReceiptStatus::transaction_rejected) {
    return std::vector<ledger::Fact>{};
  }
  const auto operation = decode<ledger::Operation>(leaf.operation);
  if (!operation) return invalid("an operation does not decode: " + operation.error().context);
  std::vector<ledger::Fact> out;
  add_unless_empty(out, "operation", fact_kind_name(operation->kind));
  if (receipt->status == ledger::ReceiptStatus::rejected) {
    add_unless_empty(out, "code_name", fact_code_name(receipt->code));
    return out;
  }
  const auto kind = static_cast<OperationKind>(operation->kind);
  if (kind == OperationKind::records_request && find_event<Granted>(*receipt) &&
      find_event<Denied>(*receipt)) {
    return invalid("a request is both granted and denied");
  }
  FactWriter facts(kind, *operation, *receipt);
  TRY(write_facts(kind, facts));
  for (ledger::Fact& fact : facts.take()) out.push_back(std::move(fact));
  return out;
}

ledger::FactReader fact_reader() { return &read_facts; }

}  // namespace baolian::contracts
