#include "contracts/calendar.h"
#include "contracts/facts_writer.h"

namespace baolian::contracts {
namespace {

void write_disclosure(FactWriter& facts, const Disclosure& disclosure) {
  facts.stated("care_subject", subject_text(disclosure.care_subject), "sender");
  for (const RecordRef& record : disclosure.records) {
    facts.enforced("listed_record", record_text(record));
  }
}

/// A line for each claim, counted as in the claims' logs.
void write_claims(FactWriter& facts) {
  std::uint16_t line = 0;
  for (const ledger::Event& event : facts.receipt().events) {
    const auto filed = event_as<Filed>(event);
    if (!filed) continue;
    for (const FiledClaim& claim : filed->claims) {
      facts.set_line(line++);
      facts.enforced("claim_filed", claim.claim.hex());
      facts.enforced("policy", claim.policy.hex());
      facts.enforced("insurer", claim.insurer.hex());
    }
  }
  facts.set_line(std::nullopt);
}

Result<void> write_report(FactWriter& facts) {
  TRY(const ClaimsReport content, fact_content<ClaimsReport>(facts));
  TRY(const Reported event, fact_event<Reported>(facts));
  const std::string by = institution_text(event.reporter);
  facts.enforced("encounter", content.encounter.hex());
  facts.enforced("reporter", event.reporter.hex());
  facts.stated("report_kind", name_text(content.kind), by);
  facts.stated("first_month", civil_month_text(content.first_month), by);
  facts.stated("last_month", civil_month_text(content.last_month), by);
  facts.enforced("payload", record_text({content.payload.record, content.payload.version}));
  facts.stated("payload_commitment", content.payload.commitment.hex(), by);
  facts.enforced("invoices", std::to_string(content.invoices.size()));
  facts.enforced("claims", std::to_string(event.claims));
  facts.enforced("file_until", time_text(event.lapses_at));
  if (const auto refused = find_event<NotFiled>(facts.receipt())) {
    for (const FilingRefusal& refusal : refused->filings) {
      facts.enforced("not_filed", refusal.insurer.hex() + " " + code_text(refusal.code));
    }
  }
  if (content.disclosure) write_disclosure(facts, *content.disclosure);
  write_claims(facts);
  return ok();
}

Result<void> write_file(FactWriter& facts) {
  TRY(const ClaimsFile content, fact_content<ClaimsFile>(facts));
  facts.enforced("encounter", content.encounter.hex());
  facts.enforced("subject", subject_text(content.filing.subject));
  facts.enforced("consent", content.filing.consent.hex());
  write_disclosure(facts, content.disclosure);
  write_claims(facts);
  return ok();
}

}  // namespace

Result<void> write_claims_facts(OperationKind kind, FactWriter& facts) {
  return kind == OperationKind::claims_report ? write_report(facts) : write_file(facts);
}

}  // namespace baolian::contracts
