#include "contracts/facts.h"

#include <algorithm>

#include "contracts/facts_writer.h"

namespace baolian::contracts {
namespace {

Error invalid(std::string what) { return fail(Errc::evidence_invalid, std::move(what)); }

Result<void> write_facts(OperationKind kind, FactWriter& facts) {
  switch (kind) {
    case OperationKind::consent_give:
    case OperationKind::consent_confirm:
    case OperationKind::consent_revoke:
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
    default:
      return ok();  // a kind of a later version: the ledger's own facts stand alone
  }
}

}  // namespace

bool FactWriter::has_attestor_cosignature() const {
  const auto& all = operation_.cosignatures;
  return std::any_of(all.begin(), all.end(), [](const ledger::Cosignature& cosignature) {
    return cosignature.capacity == ledger::Capacity::attestor;
  });
}

void FactWriter::add(std::string_view name, std::string value, ledger::Label label,
                     std::string by) {
  const auto rules = fact_rules();
  ASSERT(std::any_of(rules.begin(), rules.end(), [&](const FactRule& rule) {
    return rule.kind == kind_ && rule.name == name && rule.label == label;
  }));
  facts_.push_back({std::string(name), std::move(value), label, std::move(by), line_});
}

std::string subject_text(const SubjectId& subject) {
  const std::string audience = subject.is_care() ? "care" : subject.audience.hex();
  return audience + "/" + subject.value.hex();
}

std::string record_text(const RecordRef& record) {
  return record.record.hex() + " version " + std::to_string(record.version);
}

std::string institution_text(const InstitutionId& id) { return "institution " + id.hex(); }

Result<std::vector<ledger::Fact>> read_facts(const ledger::OperationLeaf& leaf) {
  const auto receipt = decode<ledger::Receipt>(leaf.receipt);
  if (!receipt) return invalid("a receipt does not decode: " + receipt.error().context);
  if (receipt->status != ledger::ReceiptStatus::applied) {
    ledger::Fact name{
        "code_name", std::string(code_name(receipt->code)), ledger::Label::enforced, {}};
    if (name.value.empty()) return std::vector<ledger::Fact>{};
    return std::vector<ledger::Fact>{std::move(name)};
  }
  const auto operation = decode<ledger::Operation>(leaf.operation);
  if (!operation) return invalid("an operation does not decode: " + operation.error().context);
  const auto kind = static_cast<OperationKind>(operation->kind);
  FactWriter facts(kind, *operation, *receipt);
  TRY(write_facts(kind, facts));
  return facts.take();
}

ledger::FactReader fact_reader() { return &read_facts; }

}  // namespace baolian::contracts
