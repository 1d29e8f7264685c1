#include "contracts/consent/consent.h"

#include <algorithm>

#include "contracts/claims/claims.h"
#include "contracts/membership/membership.h"

namespace baolian::contracts {
namespace {

using ledger::InstitutionKind;
using ledger::LogKind;
using ledger::Role;

Code require_speaker(const OperationContext& context) {
  return require_role(context, {Role::gateway, Role::agent, Role::attestor, Role::clinician,
                                Role::compliance, Role::data_officer});
}

/// An insurer's consents stand under its own audience, everybody else's under care; an institution
/// that is both insurer and hospital may use either.
bool audience_fits(const SubjectId& subject, const InstitutionId& grantee,
                   const InstitutionState& institution) {
  const bool is_insurer = institution.is(InstitutionKind::insurer);
  const bool is_more = institution.kinds.size() > 1;
  if (subject.audience == grantee) return is_insurer;
  return subject.is_care() && (!is_insurer || is_more);
}

Code check_terms(const OperationContext& context, const ConsentTerms& terms) {
  const auto grantee = find_institution(context.state, terms.grantee);
  if (!grantee) return Code::grantee_unknown;
  if (!audience_fits(terms.subject, terms.grantee, *grantee)) return Code::audience_wrong;
  if (terms.to <= terms.from || terms.to <= context.now()) return Code::consent_period_empty;
  const bool any_empty = std::any_of(
      terms.exceptions.begin(), terms.exceptions.end(),
      [](const ConsentException& exception) { return exception == ConsentException{}; });
  return any_empty ? Code::exception_empty : Code::applied;
}

bool excepts(const ConsentException& exception, const ConsentUse& use) {
  return (!exception.custodian || *exception.custodian == use.custodian) &&
         (!exception.record_class || *exception.record_class == use.record_class) &&
         (!exception.purpose || *exception.purpose == use.purpose);
}

template <typename T>
bool contains(const std::vector<T>& set, const T& value) {
  return std::binary_search(set.begin(), set.end(), value);
}

/// Whether the person's key beside the operation is the one registered for this person.
/// Requires: there is one.
Code check_person(const OperationContext& context, const SubjectId& subject) {
  const auto registered = context.state.read_as<PersonKeyState>(keys::person_key(subject));
  const bool holds = registered && context.person_keys == std::vector<PublicKey>{registered->key};
  return holds ? Code::applied : Code::person_key_not_registered;
}

/// The same for a consent to `grantee`, which must not have vouched for that key: it could have
/// made the key itself.
Code check_person_consents(const OperationContext& context, const ConsentTerms& terms) {
  const Code code = check_person(context, terms.subject);
  if (code != Code::applied) return code;
  const auto registered = context.state.read_as<PersonKeyState>(keys::person_key(terms.subject));
  return registered->attested_by == terms.grantee ? Code::attestor_is_grantee : Code::applied;
}

/// Whether the sender may end this consent.
Code check_revoker(const OperationContext& context, const ConsentState& consent) {
  const InstitutionId& grantee = consent.terms.grantee;
  if (!context.person_keys.empty()) return check_person(context, consent.terms.subject);
  if (context.sender.institution == consent.submitted_by && consent.submitted_by != grantee) {
    return Code::applied;
  }
  const auto attestors = attestors_of(context);
  const bool vouched = std::any_of(attestors.begin(), attestors.end(),
                                   [&](const AttestorRef& a) { return a.institution != grantee; });
  return vouched ? Code::applied : Code::revocation_not_allowed;
}

Code store_person_key(OperationContext& context, const SubjectId& subject, const PublicKey& key,
                      const InstitutionId& attested_by) {
  const bool proved = context.person_keys == std::vector<PublicKey>{key};
  if (!proved) return Code::person_key_not_proved;
  Bytes used = keys::person_key_used(key);
  if (find_member(context.state, key) || context.state.read(used)) return Code::person_key_taken;
  context.state.write_as(std::move(used), Marker{});
  context.state.write_as(
      keys::person_key(subject),
      PersonKeyState{
          .version = {}, .key = key, .attested_by = attested_by, .registered_at = context.now()});
  return Code::applied;
}

Code erase_person_key(OperationContext& context, const SubjectId& subject) {
  Bytes key = keys::person_key(subject);
  const bool registered = context.state.read(key).has_value();
  if (!registered || !context.person_keys.empty()) return Code::person_key_not_registered;
  context.state.erase(std::move(key));
  return Code::applied;
}

/// Stores a new consent with its index entry and log entry; consent_exists, or applied.
Code store_consent(OperationContext& context, const ConsentTerms& terms,
                   const AttestedBy& attested) {
  if (find_consent(context.state, terms.id)) return Code::consent_exists;
  const bool has_effect = attested.attestation != Attestation::grantee_attested;
  const ConsentState consent{.version = {},
                             .terms = terms,
                             .submitted_by = context.sender.institution,
                             .given_at = context.now(),
                             .attestation = attested.attestation,
                             .attested_by = attested.institution,
                             .attested_at = has_effect ? context.now() : TimeMs{},
                             .revoked_at = {}};
  context.state.write_as(keys::consent(terms.id), consent);
  context.state.write_as(keys::subject_consent(terms.subject, terms.id), Marker{});
  context.log(LogKind::consents_of_subject, terms.subject);
  return Code::applied;
}

/// Keeps what changed of a consent that stands: in its own row, or in that of its policy.
void keep_changed(OperationContext& context, const ConsentState& consent) {
  Bytes key = keys::policy(enrolled_policy(consent.terms.id));
  auto policy = context.state.read_as<PolicyState>(key);
  if (!policy) {
    context.state.write_as(keys::consent(consent.terms.id), consent);
    return;
  }
  policy->consent.attestation = consent.attestation;
  policy->consent.attested_by = consent.attested_by;
  policy->consent.attested_at = consent.attested_at;
  policy->consent.revoked_at = consent.revoked_at;
  context.state.write_as(std::move(key), *policy);
}

}  // namespace

Hash consent_hash(const ConsentTerms& terms) {
  return crypto::hash_in_domain(crypto::domain::kConsent, {encode(terms)});
}

std::optional<ConsentState> find_consent(const ledger::StateReader& state, const ConsentId& id) {
  auto given = ledger::read_as<ConsentState>(state, keys::consent(id));
  if (given) return given;
  const PolicyId policy_id = enrolled_policy(id);
  const auto policy = ledger::read_as<PolicyState>(state, keys::policy(policy_id));
  if (!policy) return std::nullopt;
  return consent_of(policy_id, *policy);
}

AttestedBy attestation_for(const OperationContext& context, const InstitutionId& grantee) {
  for (const AttestorRef& attestor : attestors_of(context)) {
    if (attestor.institution != grantee) return {Attestation::attestor, attestor.institution};
  }
  return {};
}

Code give_consent(OperationContext& context, const ConsentGive& content) {
  Code code = require_speaker(context);
  if (code != Code::applied) return code;
  const ConsentTerms& terms = content.terms;
  code = check_terms(context, terms);
  if (code != Code::applied) return code;
  for (const Cosigner& cosigner : context.cosigners) {
    if (cosigner.member.institution == terms.grantee) return Code::cosigner_is_grantee;
  }
  AttestedBy attested = attestation_for(context, terms.grantee);
  if (!context.person_keys.empty()) {
    code = check_person_consents(context, terms);
    if (code != Code::applied) return code;
    attested = {Attestation::person_key, {}};
  }
  code = store_consent(context, terms, attested);
  if (code != Code::applied) return code;
  context.emit(ConsentGiven{.version = {},
                            .consent = terms.id,
                            .subject = terms.subject,
                            .grantee = terms.grantee,
                            .attestation = attested.attestation,
                            .attested_by = attested.institution,
                            .hash = consent_hash(terms)});
  return Code::applied;
}

Code confirm_consents(OperationContext& context, const ConsentConfirm& content) {
  Code code = require_speaker(context);
  if (code != Code::applied) return code;
  const auto attestors = attestors_of(context);
  const bool by_person = !context.person_keys.empty();
  if (attestors.empty() && !by_person) return Code::not_an_attestor;
  const AttestedBy attested =
      by_person ? AttestedBy{Attestation::person_key, {}}
                : AttestedBy{Attestation::attestor, attestors.front().institution};
  for (std::size_t line = 0; line < content.consents.size(); ++line) {
    const ConsentReference& reference = content.consents[line];
    auto consent = find_consent(context.state, reference.id);
    if (!consent) return Code::consent_unknown;
    if (consent_hash(consent->terms) != reference.hash) return Code::consent_hash_differs;
    if (consent->revoked_at != TimeMs{}) return Code::consent_revoked;
    // One that stands twice in the list is refused here too.
    if (consent->attestation != Attestation::grantee_attested) {
      return Code::consent_already_attested;
    }
    if (by_person) {
      code = check_person_consents(context, consent->terms);
      if (code != Code::applied) return code;
    }
    if (consent->terms.grantee == attested.institution) return Code::attestor_is_grantee;
    consent->attestation = attested.attestation;
    consent->attested_by = attested.institution;
    consent->attested_at = context.now();
    context.log(LogKind::consents_of_subject, consent->terms.subject, line);
    keep_changed(context, *consent);
  }
  context.emit(ConsentsConfirmed{.version = {},
                                 .count = static_cast<std::uint32_t>(content.consents.size()),
                                 .attestation = attested.attestation,
                                 .attested_by = attested.institution});
  return Code::applied;
}

Code revoke_consent(OperationContext& context, const ConsentRevoke& content) {
  Code code = require_speaker(context);
  if (code != Code::applied) return code;
  auto consent = find_consent(context.state, content.consent);
  if (!consent) return Code::consent_unknown;
  if (consent->revoked_at != TimeMs{}) return Code::consent_revoked;
  code = check_revoker(context, *consent);
  if (code != Code::applied) return code;
  consent->revoked_at = context.now();
  keep_changed(context, *consent);
  context.log(LogKind::consents_of_subject, consent->terms.subject);
  context.emit(ConsentRevoked{.version = {},
                              .consent = content.consent,
                              .subject = consent->terms.subject,
                              .grantee = consent->terms.grantee});
  withdraw_filed_claims(context, content.consent);
  return Code::applied;
}

Code register_person_key(OperationContext& context, const ConsentRegisterKey& content) {
  Code code = require_speaker(context);
  if (code != Code::applied) return code;
  const SubjectId& subject = content.subject;
  if (!subject.is_care()) {
    const auto insurer = find_institution(context.state, subject.audience);
    if (!insurer || !insurer->is(InstitutionKind::insurer)) return Code::audience_wrong;
  }
  const auto attestors = attestors_of(context);
  // An insurer that vouched for a key would consent to itself.
  const auto attestor = std::find_if(attestors.begin(), attestors.end(), [&](const AttestorRef& a) {
    return a.institution != subject.audience;
  });
  if (attestor == attestors.end()) return Code::not_an_attestor;
  if (content.key) {
    code = store_person_key(context, subject, *content.key, attestor->institution);
  } else {
    code = erase_person_key(context, subject);
  }
  if (code != Code::applied) return code;
  context.log(LogKind::consents_of_subject, subject);
  context.emit(PersonKeyRegistered{
      .version = {}, .subject = subject, .key = content.key, .attested_by = attestor->institution});
  return Code::applied;
}

Code check_consent(const OperationContext& context, const std::optional<ConsentState>& consent,
                   const ConsentUse& use) {
  if (!consent) return Code::consent_unknown;
  const ConsentTerms& terms = consent->terms;
  if (terms.grantee != use.grantee) return Code::consent_of_other_grantee;
  if (terms.subject != use.subject) return Code::consent_of_other_subject;
  if (consent->revoked_at != TimeMs{}) return Code::consent_revoked;
  if (consent->attestation == Attestation::grantee_attested) return Code::consent_not_attested;
  if (context.now() < terms.from || context.now() >= terms.to) return Code::consent_not_in_period;
  if (terms.encounter && terms.encounter != use.encounter) return Code::consent_of_other_encounter;
  if (!contains(terms.purposes, use.purpose)) return Code::purpose_not_consented;
  if (!contains(terms.classes, use.record_class)) return Code::class_not_consented;
  if (use.level > terms.level_ceiling) return Code::level_not_consented;
  if (use.mode == ReadMode::automatic && terms.automatic == AutomaticReading::refused) {
    return Code::automatic_not_consented;
  }
  const bool excepted =
      std::any_of(terms.exceptions.begin(), terms.exceptions.end(),
                  [&](const ConsentException& exception) { return excepts(exception, use); });
  return excepted ? Code::consent_excepted : Code::applied;
}

}  // namespace baolian::contracts
