#include "contracts/facts_writer.h"

namespace baolian::contracts {
namespace {

void write_terms(FactWriter& facts, const ConsentTerms& terms) {
  facts.enforced("consent", terms.id.hex());
  facts.enforced("subject", subject_text(terms.subject));
  facts.enforced("grantee", terms.grantee.hex());
  facts.vouched("giver", name_text(terms.giver));
  facts.vouched("purposes", set_text(terms.purposes));
  facts.vouched("classes", set_text(terms.classes));
  facts.vouched("level_ceiling", name_text(terms.level_ceiling));
  facts.vouched("holds_from",
                terms.from.value == 0 ? std::string("when_given") : time_text(terms.from));
  facts.vouched("holds_to", time_text(terms.to));
  facts.vouched("automatic_reading", name_text(terms.automatic));
  if (terms.encounter) facts.vouched("encounter", terms.encounter->hex());
  if (!terms.exceptions.empty()) {
    facts.vouched("exceptions", std::to_string(terms.exceptions.size()));
  }
}

Result<void> write_give(FactWriter& facts) {
  TRY(const ConsentGive content, fact_content<ConsentGive>(facts));
  TRY(const ConsentGiven event, fact_event<ConsentGiven>(facts));
  write_terms(facts, content.terms);
  facts.enforced("attestation", name_text(event.attestation));
  if (!event.attested_by.is_zero()) facts.enforced("attested_by", event.attested_by.hex());
  return ok();
}

Result<void> write_confirm(FactWriter& facts) {
  TRY(const ConsentConfirm content, fact_content<ConsentConfirm>(facts));
  TRY(const ConsentsConfirmed event, fact_event<ConsentsConfirmed>(facts));
  facts.enforced("attestation", name_text(event.attestation));
  if (!event.attested_by.is_zero()) facts.enforced("attested_by", event.attested_by.hex());
  for (std::size_t i = 0; i < content.consents.size(); ++i) {
    facts.set_line(static_cast<std::uint16_t>(i));
    facts.enforced("consent", content.consents[i].id.hex());
    facts.enforced("terms_hash", content.consents[i].hash.hex());
  }
  return ok();
}

Result<void> write_revoke(FactWriter& facts) {
  TRY(const ConsentRevoked event, fact_event<ConsentRevoked>(facts));
  facts.enforced("consent", event.consent.hex());
  facts.enforced("subject", subject_text(event.subject));
  facts.enforced("grantee", event.grantee.hex());
  facts.vouched("the_person_wants_it", "yes");
  const auto withdrawn = find_event<ClaimsWithdrawn>(facts.receipt());
  if (!withdrawn) return ok();
  facts.enforced("claims_withdrawn", std::to_string(withdrawn->claims.size()));
  for (std::size_t i = 0; i < withdrawn->claims.size(); ++i) {
    facts.set_line(static_cast<std::uint16_t>(i));
    facts.enforced("claim_withdrawn", withdrawn->claims[i].claim.hex());
    facts.enforced("insurer", withdrawn->claims[i].insurer.hex());
  }
  return ok();
}

Result<void> write_register_key(FactWriter& facts) {
  TRY(const PersonKeyRegistered event, fact_event<PersonKeyRegistered>(facts));
  facts.enforced("subject", subject_text(event.subject));
  facts.enforced("person_key", event.key ? event.key->hex() : "none");
  facts.enforced("attested_by", event.attested_by.hex());
  if (event.key) facts.stated("key_is_the_persons", "yes", institution_text(event.attested_by));
  return ok();
}

}  // namespace

Result<void> write_consent_facts(OperationKind kind, FactWriter& facts) {
  if (kind == OperationKind::consent_give) return write_give(facts);
  if (kind == OperationKind::consent_confirm) return write_confirm(facts);
  if (kind == OperationKind::consent_register_key) return write_register_key(facts);
  return write_revoke(facts);
}

}  // namespace baolian::contracts
