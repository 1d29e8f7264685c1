/// Collects the facts of one operation and holds them against the table. Internal to facts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "contracts/events.h"
#include "contracts/facts.h"
#include "contracts/operations.h"

namespace baolian::contracts {

/// One operation that was applied, with the facts found so far.
class FactWriter {
 public:
  FactWriter(OperationKind kind, const ledger::Operation& operation, const ledger::Receipt& receipt)
      : kind_(kind), operation_(operation), receipt_(receipt) {}

  const ledger::Operation& operation() const { return operation_; }
  const ledger::Receipt& receipt() const { return receipt_; }

  /// The facts that follow are about this line of a batch; nullopt: about the whole operation.
  void set_line(std::optional<std::uint16_t> line) { line_ = line; }

  void enforced(std::string_view name, std::string value) {
    add(name, std::move(value), ledger::Label::enforced, {});
  }
  void stated(std::string_view name, std::string value, std::string by) {
    add(name, std::move(value), ledger::Label::stated, std::move(by));
  }
  void agreed(std::string_view name, std::string value, std::string by) {
    add(name, std::move(value), ledger::Label::agreed, std::move(by));
  }
  /// Agreed between the sender and the person, or an attestor, if one signed too; else stated by
  /// the sender.
  void vouched(std::string_view name, std::string value) {
    if (has_cosignature(ledger::Capacity::person)) {
      agreed(name, std::move(value), "sender and the person");
    } else if (has_cosignature(ledger::Capacity::attestor)) {
      agreed(name, std::move(value), "sender and attestor");
    } else {
      stated(name, std::move(value), "sender");
    }
  }

  std::vector<ledger::Fact> take() { return std::move(facts_); }

 private:
  bool has_cosignature(ledger::Capacity capacity) const;
  void add(std::string_view name, std::string value, ledger::Label label, std::string by);

  OperationKind kind_;
  const ledger::Operation& operation_;
  const ledger::Receipt& receipt_;
  std::optional<std::uint16_t> line_;
  std::vector<ledger::Fact> facts_;
};

/// Each returns Errc::evidence_invalid if content or events are not what the kind has.
Result<void> write_consent_facts(OperationKind kind, FactWriter& facts);
Result<void> write_records_facts(OperationKind kind, FactWriter& facts);
Result<void> write_policy_facts(OperationKind kind, FactWriter& facts);
Result<void> write_claims_facts(OperationKind kind, FactWriter& facts);
Result<void> write_decision_facts(OperationKind kind, FactWriter& facts);

// Values as texts.
std::string subject_text(const SubjectId& subject);
std::string record_text(const RecordRef& record);
std::string institution_text(const InstitutionId& id);
template <typename E>
std::string set_text(const std::vector<E>& values) {
  std::string out;
  for (const E value : values) {
    if (!out.empty()) out += " ";
    out += enum_name(value);
  }
  return out;
}
template <typename E>
std::string name_text(E value) {
  return std::string(enum_name(value));
}
/// 2026-11-22T04:26:33.708Z: a leaf does not say in which zone its chain lives. From the year 9999
/// on the milliseconds since 1970 and " ms".
std::string time_text(TimeMs time);
/// The name of a Code, or its number if that means nothing here.
std::string code_text(std::uint16_t code);

/// The content, or Errc::evidence_invalid.
template <typename Content>
Result<Content> fact_content(const FactWriter& facts) {
  auto content = decode<Content>(facts.operation().content);
  if (!content) return fail(Errc::evidence_invalid, "the content of an applied operation is bad");
  return content;
}
/// The event of this kind, or Errc::evidence_invalid.
template <typename Body>
Result<Body> fact_event(const FactWriter& facts) {
  auto body = find_event<Body>(facts.receipt());
  if (!body) return fail(Errc::evidence_invalid, "an event is missing from a receipt");
  return std::move(*body);
}

}  // namespace baolian::contracts
