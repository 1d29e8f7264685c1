#include "contracts/policies/policies.h"

#include <algorithm>

#include "contracts/calendar.h"
#include "contracts/consent/consent.h"
#include "contracts/membership/membership.h"
#include "crypto/hash.h"

namespace baolian::contracts {
namespace {

using ledger::InstitutionKind;
using ledger::LogKind;
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

EnrolmentConsent new_consent(const OperationContext& context, const Batch& batch,
                             const EnrolLine& line) {
  const bool has_effect = batch.attested.attestation != Attestation::grantee_attested;
  return {.purposes = batch.content.purposes,
          .classes = batch.content.classes,
          .level_ceiling = batch.content.level_ceiling,
          .automatic = batch.content.automatic,
          .text_version = batch.content.text_version,
          .to = line.consent_to,
          .evidence = line.evidence,
          .attestation = batch.attested.attestation,
          .attested_by = batch.attested.institution,
          .attested_at = has_effect ? context.now() : TimeMs{},
          .revoked_at = {}};
}

Code enrol_line(OperationContext& context, const Batch& batch, const EnrolLine& line,
                std::size_t index) {
  Code code = check_line(context, batch, line);
  if (code != Code::applied) return code;
  const PolicyId id = policy_id(line);
  Bytes key = keys::policy(id);
  // A line that stands twice in the batch meets itself here.
  if (context.state.read(key)) return Code::policy_exists;
  if (context.state.read(keys::consent(enrolment_consent(id)))) {
    return Code::consent_exists;
  }
  const PolicyState policy{.version = {},
                           .subject = line.subject,
                           .product = batch.content.product,
                           .product_version = batch.content.product_version,
                           .premium_class = line.premium_class,
                           .premium_source = line.premium_source,
                           .from_day = line.from_day,
                           .to_day = line.to_day,
                           .consent = new_consent(context, batch, line),
                           .enrolled_at = context.now(),
                           .phase = PolicyPhase::active};
  context.state.write_as(std::move(key), policy);
  context.state.write_as(keys::subject_policy(line.subject, line.to_day, id), Marker{});
  context.log(LogKind::consents_of_subject, line.subject, index);
  return Code::applied;
}

}  // namespace

PolicyId policy_id(const SubjectId& subject, const Commitment& evidence) {
  const Hash hash =
      crypto::hash_in_domain(crypto::domain::kPolicy, {encode(subject), evidence.view()});
  return id_cast<PolicyId>(hash);
}

ConsentState consent_of(const PolicyId& id, const PolicyState& policy) {
  const EnrolmentConsent& consent = policy.consent;
  ConsentState out;
  out.terms.id = enrolment_consent(id);
  out.terms.subject = policy.subject;
  out.terms.giver = Giver::self;
  out.terms.grantee = policy.insurer();
  out.terms.purposes = consent.purposes;
  out.terms.classes = consent.classes;
  out.terms.level_ceiling = consent.level_ceiling;
  out.terms.to = consent.to;
  out.terms.text_version = consent.text_version;
  out.terms.evidence = consent.evidence;
  out.terms.automatic = consent.automatic;
  out.submitted_by = policy.insurer();
  out.given_at = policy.enrolled_at;
  out.attestation = consent.attestation;
  out.attested_by = consent.attested_by;
  out.attested_at = consent.attested_at;
  out.revoked_at = consent.revoked_at;
  return out;
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
