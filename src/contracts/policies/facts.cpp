#include "contracts/calendar.h"
#include "contracts/facts_writer.h"

namespace baolian::contracts {
namespace {

Result<void> write_product(FactWriter& facts) {
  TRY(const ProductRegister content, fact_content<ProductRegister>(facts));
  const std::string by = institution_text(content.insurer);
  facts.enforced("product", content.product.hex());
  facts.enforced("product_version", std::to_string(content.product_version));
  facts.enforced("insurer", content.insurer.hex());
  facts.stated("content_hash", content.content.hex(), by);
  facts.stated("cover_basis", name_text(content.cover_basis), by);
  facts.stated("authorization", name_text(content.authorization), by);
  facts.stated("payer_rank", std::to_string(content.payer_rank), by);
  facts.stated("premium_sources", set_text(content.premium_sources), by);
  facts.stated("starts_from", civil_date_text(content.from_day), by);
  facts.stated("starts_to", civil_date_text(content.to_day), by);
  return ok();
}

Result<void> write_enrol(FactWriter& facts) {
  TRY(const PoliciesEnrol content, fact_content<PoliciesEnrol>(facts));
  TRY(const Enrolled event, fact_event<Enrolled>(facts));
  facts.enforced("product", content.product.hex());
  facts.enforced("product_version", std::to_string(content.product_version));
  facts.enforced("insurer", event.insurer.hex());
  facts.enforced("lines", std::to_string(event.lines));
  facts.enforced("attestation", name_text(event.attestation));
  if (!event.attested_by.is_zero()) facts.enforced("attested_by", event.attested_by.hex());
  facts.vouched("purposes", set_text(content.purposes));
  facts.vouched("classes", set_text(content.classes));
  facts.vouched("level_ceiling", name_text(content.level_ceiling));
  facts.vouched("automatic_reading", name_text(content.automatic));
  for (std::size_t i = 0; i < content.lines.size(); ++i) {
    const EnrolLine& line = content.lines[i];
    facts.set_line(static_cast<std::uint16_t>(i));
    facts.enforced("policy", policy_id(line).hex());
    facts.enforced("subject", subject_text(line.subject));
    facts.vouched("premium_class", std::to_string(line.premium_class));
    facts.vouched("premium_source", name_text(line.premium_source));
    facts.vouched("cover_from", civil_date_text(line.from_day));
    facts.vouched("cover_to", civil_date_text(line.to_day));
    facts.enforced("consent", enrolment_consent(policy_id(line)).hex());
    facts.vouched("holds_to", time_text(line.consent_to));
  }
  return ok();
}

}  // namespace

Result<void> write_policy_facts(OperationKind kind, FactWriter& facts) {
  return kind == OperationKind::product_register ? write_product(facts) : write_enrol(facts);
}

}  // namespace baolian::contracts
