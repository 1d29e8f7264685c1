#include "contracts/policies/policies.h"

#include <algorithm>

#include "contracts/calendar.h"
#include "contracts/consent/consent.h"
#include "contracts/membership/membership.h"

namespace baolian::contracts {
namespace {

using ledger::InstitutionKind;
using ledger::Role;

/// What is the same for all lines.
struct Batch {
  const PoliciesEnrol& content;
  const ProductState& product;
  InstitutionId insurer;
  AttestedBy attested;
  bool has_bureau = false;
  std::uint32_t today = 0;
};

/// Whether the person still has room for a policy of this cover.
Code check_count(const OperationContext& context, const Batch& batch, const EnrolLine& line) {
  // Past covers count too where the new one lies in the past, so that no stay meets too many.
  const std::uint32_t since = std::min(batch.today, line.from_day);
  const auto live =
      context.state.scan(keys::subject_policies(line.subject),
                         keys::subject_policies_from(line.subject, since), kPoliciesPerSubjectMax);
  return live.size() < kPoliciesPerSubjectMax ? Code::applied : Code::too_many_policies;
}

Code check_line(const OperationContext& context, const Batch& batch, const EnrolLine& line) {
  if (line.subject.audience != batch.insurer) return Code::audience_wrong;
  if (line.from_day > line.to_day) return Code::cover_period_empty;
  if (line.from_day < batch.product.from_day || line.from_day > batch.product.to_day) {
    return Code::cover_outside_validity;
  }
  const auto& sources = batch.product.premium_sources;
  if (!std::binary_search(sources.begin(), sources.end(), line.premium_source)) {
    return Code::premium_source_not_allowed;
  }
  if (line.consent_to <= context.now()) return Code::consent_period_empty;
  const bool needs_bureau =
      line.from_day < batch.today || line.premium_source == PremiumSource::lineal_account;
  if (needs_bureau && !batch.has_bureau) return Code::bureau_attestation_needed;
  return check_count(context, batch, line);
}

Code enrol_line(OperationContext& context, const Batch& batch, const EnrolLine& line,
                std::size_t index) {
  Code code = check_line(context, batch, line);
  if (code != Code::applied) return code;
  Bytes key = keys::policy(line.policy);
  // An id that stands twice in the batch meets its own first line here.
  if (context.state.read(key)) return Code::policy_exists;
  code = store_consent(context, consent_terms(batch.content, line, batch.insurer), batch.attested,
                       index);
  if (code != Code::applied) return code;
  const PolicyState policy{.version = {},
                           .subject = line.subject,
                           .product = batch.content.product,
                           .product_version = batch.content.product_version,
                           .premium_class = line.premium_class,
                           .premium_source = line.premium_source,
                           .from_day = line.from_day,
                           .to_day = line.to_day,
                           .consent = line.consent,
                           .enrolled_at = context.now(),
                           .phase = PolicyPhase::active};
  context.state.write_as(std::move(key), policy);
  context.state.write_as(keys::subject_policy(line.subject, line.to_day, line.policy), Marker{});
  return Code::applied;
}

}  // namespace

ConsentTerms consent_terms(const PoliciesEnrol& enrol, const EnrolLine& line,
                           const InstitutionId& insurer) {
  ConsentTerms terms;
  terms.id = line.consent;
  terms.subject = line.subject;
  terms.giver = Giver::self;
  terms.grantee = insurer;
  terms.purposes = enrol.purposes;
  terms.classes = enrol.classes;
  terms.level_ceiling = enrol.level_ceiling;
  terms.to = line.consent_to;
  terms.text_version = enrol.text_version;
  terms.evidence = line.evidence;
  terms.automatic = enrol.automatic;
  return terms;
}

Code enrol_policies(OperationContext& context, const PoliciesEnrol& content) {
  Code code = require_role(context, {Role::gateway, Role::agent});
  if (code != Code::applied) return code;
  code = require_kind(context, {InstitutionKind::insurer});
  if (code != Code::applied) return code;
  const InstitutionId insurer = context.sender.institution;
  const auto product =
      context.state.read_as<ProductState>(keys::product(content.product, content.product_version));
  if (!product) return Code::product_unknown;
  if (product->insurer != insurer) return Code::product_not_yours;
  for (const Cosigner& cosigner : context.cosigners) {
    if (cosigner.member.institution == insurer) return Code::cosigner_is_grantee;
  }
  const auto attestors = attestors_of(context);
  const Batch batch{.content = content,
                    .product = *product,
                    .insurer = insurer,
                    .attested = attestation_for(context, insurer),
                    .has_bureau = std::any_of(attestors.begin(), attestors.end(),
                                              [&](const AttestorRef& attestor) {
                                                return attestor.is_bureau &&
                                                       attestor.institution != insurer;
                                              }),
                    .today = civil_day(context.now(), context.block.genesis.utc_offset_minutes)};
  for (std::size_t i = 0; i < content.lines.size(); ++i) {
    code = enrol_line(context, batch, content.lines[i], i);
    if (code != Code::applied) return code;
  }
  context.emit(Enrolled{.version = {},
                        .insurer = insurer,
                        .lines = static_cast<std::uint32_t>(content.lines.size()),
                        .attestation = batch.attested.attestation,
                        .attested_by = batch.attested.institution});
  return Code::applied;
}

}  // namespace baolian::contracts
