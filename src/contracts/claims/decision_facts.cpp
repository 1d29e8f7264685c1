/// Facts of the operations from a decision to the end of a claim.
#include "contracts/facts_writer.h"

namespace baolian::contracts {
namespace {

std::string yes_or_no(bool value) { return value ? "yes" : "no"; }

/// Facts of a decision that the reporter signed too are agreed; without it the insurer states them.
class DecisionFacts {
 public:
  DecisionFacts(FactWriter& facts, const ClaimDecided& event)
      : facts_(facts),
        insurer_(institution_text(event.insurer)),
        both_(insurer_ + " and " + institution_text(event.reporter)),
        is_agreed_(event.outcome == Outcome::payable &&
                   event.countersigning == Countersigning::countersigned) {}

  void vouched(std::string_view name, std::string value) {
    if (is_agreed_) {
      facts_.agreed(name, std::move(value), both_);
    } else {
      facts_.stated(name, std::move(value), insurer_);
    }
  }
  void stated(std::string_view name, std::string value) {
    facts_.stated(name, std::move(value), insurer_);
  }

 private:
  FactWriter& facts_;
  std::string insurer_;
  std::string both_;
  bool is_agreed_;
};

std::string payout_text(const PayoutLine& line) {
  return "invoice " + line.invoice.value_or(Tag32{}).hex() + " payout " + line.payout.hex() +
         " balance " + line.balance_before.hex();
}

Result<void> write_decide(FactWriter& facts) {
  TRY(const ClaimsDecide content, fact_content<ClaimsDecide>(facts));
  TRY(const ClaimDecided event, fact_event<ClaimDecided>(facts));
  DecisionFacts decided(facts, event);
  const bool is_payable = content.outcome == Outcome::payable;
  facts.enforced("claim", content.claim.hex());
  facts.enforced("decision_number", std::to_string(content.number));
  facts.enforced("insurer", event.insurer.hex());
  decided.vouched("claim_outcome", name_text(content.outcome));
  facts.enforced("payload_version", std::to_string(content.payload_version));
  facts.enforced("product_version", std::to_string(content.product_version));
  if (!content.map.is_zero()) facts.enforced("code_map", content.map.hex());
  decided.stated("rule_set", std::to_string(content.rule_set));
  decided.stated("engine", std::to_string(content.engine));
  if (event.persons > 0) facts.enforced("persons_signed", std::to_string(event.persons));
  decided.vouched("decision_commitment", content.decision.hex());
  if (is_payable) {
    facts.enforced("countersigning", name_text(content.countersigning));
    decided.vouched("withheld", name_text(content.withheld));
    for (const PayoutLine& line : content.lines) decided.vouched("payout", payout_text(line));
    facts.enforced("sums_moved", std::to_string(content.lines.size()));
    facts.enforced("total_before", content.total_before.hex());
    facts.enforced("accumulators", std::to_string(content.accumulators.size()));
    decided.vouched("escrow_hash", content.escrow.hex());
  }
  facts.enforced("next_due", time_text(event.due));
  return ok();
}

Result<void> write_supplement(FactWriter& facts) {
  TRY(const ClaimsSupplement content, fact_content<ClaimsSupplement>(facts));
  TRY(const ClaimSupplemented event, fact_event<ClaimSupplemented>(facts));
  facts.enforced("claim", content.claim.hex());
  facts.enforced("insurer", event.insurer.hex());
  facts.enforced("brought_by", event.brought_by.hex());
  for (const RecordRef& record : content.records) facts.enforced("record", record_text(record));
  facts.enforced("next_due", time_text(event.due));
  return ok();
}

Result<void> write_withdraw(FactWriter& facts) {
  TRY(const ClaimWithdrawn event, fact_event<ClaimWithdrawn>(facts));
  facts.enforced("claim", event.claim.hex());
  facts.enforced("insurer", event.insurer.hex());
  if (!event.attested_by.is_zero()) facts.enforced("attested_by", event.attested_by.hex());
  return ok();
}

Result<void> write_pay(FactWriter& facts) {
  TRY(const ClaimsPay content, fact_content<ClaimsPay>(facts));
  TRY(const ClaimPaid event, fact_event<ClaimPaid>(facts));
  const std::string by = institution_text(event.insurer);
  facts.enforced("claim", content.claim.hex());
  facts.enforced("decision_number", std::to_string(content.number));
  facts.enforced("insurer", event.insurer.hex());
  facts.stated("payee_kind", name_text(content.payee_kind), by);
  facts.stated("payment_reference", content.reference.hex(), by);
  facts.enforced("claim_closed", yes_or_no(event.closed));
  return ok();
}

Result<void> write_explained(FactWriter& facts) {
  TRY(const ClaimsExplained content, fact_content<ClaimsExplained>(facts));
  TRY(const ClaimExplained event, fact_event<ClaimExplained>(facts));
  facts.enforced("claim", content.claim.hex());
  facts.enforced("decision_number", std::to_string(content.number));
  facts.enforced("insurer", event.insurer.hex());
  facts.stated("explanation", content.explanation.hex(), institution_text(event.insurer));
  facts.enforced("claim_closed", yes_or_no(event.closed));
  return ok();
}

Result<void> write_review(FactWriter& facts) {
  TRY(const ReviewRequested event, fact_event<ReviewRequested>(facts));
  facts.enforced("claim", event.claim.hex());
  facts.enforced("insurer", event.insurer.hex());
  if (!event.attested_by.is_zero()) facts.enforced("attested_by", event.attested_by.hex());
  facts.enforced("next_due", time_text(event.due));
  return ok();
}

Result<void> write_late(FactWriter& facts) {
  TRY(const LateCountersigned event, fact_event<LateCountersigned>(facts));
  facts.enforced("claim", event.claim.hex());
  facts.enforced("decision_number", std::to_string(event.number));
  facts.enforced("reporter", event.reporter.hex());
  return ok();
}

Result<void> write_publish(FactWriter& facts) {
  TRY(const CatalogPublish content, fact_content<CatalogPublish>(facts));
  TRY(const CatalogPublished event, fact_event<CatalogPublished>(facts));
  facts.enforced("catalog", content.catalog.hex());
  facts.enforced("catalog_version", std::to_string(content.catalog_version));
  facts.enforced("publisher", event.publisher.hex());
  facts.stated("map_hash", content.content.hex(), institution_text(event.publisher));
  return ok();
}

/// A line for each deadline, counted as in the logs of alarms and claims.
Result<void> write_sweep(FactWriter& facts) {
  TRY(const SystemSweep content, fact_content<SystemSweep>(facts));
  facts.enforced("swept_to", time_text(content.up_to));
  std::uint16_t line = 0;
  for (const ledger::Event& event : facts.receipt().events) {
    const auto raised = event_as<AlarmsRaised>(event);
    if (!raised) continue;
    for (const Alarm& alarm : raised->alarms) {
      facts.set_line(line++);
      facts.enforced("claim", alarm.claim.hex());
      facts.enforced("overdue", name_text(alarm.kind));
      facts.enforced("was_due", time_text(alarm.due));
      if (!alarm.debtor.is_zero()) facts.enforced("debtor", alarm.debtor.hex());
    }
  }
  facts.set_line(std::nullopt);
  return ok();
}

}  // namespace

Result<void> write_decision_facts(OperationKind kind, FactWriter& facts) {
  switch (kind) {
    case OperationKind::claims_decide:
      return write_decide(facts);
    case OperationKind::claims_supplement:
      return write_supplement(facts);
    case OperationKind::claims_withdraw:
      return write_withdraw(facts);
    case OperationKind::claims_pay:
      return write_pay(facts);
    case OperationKind::claims_explained:
      return write_explained(facts);
    case OperationKind::claims_request_review:
      return write_review(facts);
    case OperationKind::claims_late_countersign:
      return write_late(facts);
    case OperationKind::catalog_publish:
      return write_publish(facts);
    default:
      return write_sweep(facts);
  }
}

}  // namespace baolian::contracts
