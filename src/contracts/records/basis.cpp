/// By what right a record is read, and who reads.
#include <algorithm>

#include "contracts/claims/claims.h"
#include "contracts/consent/consent.h"
#include "contracts/membership/membership.h"
#include "contracts/records/records.h"

namespace baolian::contracts {
namespace {

using ledger::LogKind;
using ledger::Role;

BasisAnswer judge_claim_basis(const OperationContext& context, const Reading& reading) {
  const auto claim = find_claim(context.state, id_cast<ClaimId>(reading.basis.id));
  if (!claim) return {Code::claim_unknown, {}};
  if (claim->insurer() != reading.reader) return {Code::not_the_claims_insurer, {}};
  if (!names_record(*claim, reading.ref)) return {Code::record_not_in_claim, {}};
  if (!is_readable(*claim)) return {Code::claim_state, {}};
  if (reading.purpose != Purpose::hpaymt) return {Code::purpose_not_allowed, {}};
  auto consent = find_consent(context.state, claim->consent);
  const Code code = check_consent(context, consent,
                                  ConsentUse{.grantee = reading.reader,
                                             .subject = claim->subject,
                                             .custodian = reading.found.record.custodian,
                                             .purpose = Purpose::hpaymt,
                                             .record_class = reading.found.record.record_class,
                                             .level = reading.found.version.level,
                                             .mode = reading.mode,
                                             .encounter = claim->encounter});
  return {code, std::move(consent)};
}

/// Which purposes a role reads for; anything else is denied.
bool role_serves(Role role, Purpose purpose) {
  switch (role) {
    case Role::clinician:
      return purpose == Purpose::treat || purpose == Purpose::etreat || purpose == Purpose::patrqt;
    case Role::claims_adjuster:
      return purpose == Purpose::hpaymt;
    case Role::compliance:
      return purpose == Purpose::hoperat || purpose == Purpose::patrqt;
    case Role::data_officer:
      return purpose == Purpose::hoperat || purpose == Purpose::patrqt ||
             purpose == Purpose::hresch || purpose == Purpose::pubhlth;
    case Role::gateway:
    case Role::agent:
      return purpose == Purpose::treat || purpose == Purpose::hpaymt ||
             purpose == Purpose::hoperat || purpose == Purpose::patrqt;
    case Role::system_admin:
    case Role::security_admin:
    case Role::audit_admin:
    case Role::auditor:
    case Role::lawful_access:
    case Role::attestor:
    case Role::vault:
    case Role::escrow_reader:
      return false;
  }
  return false;
}

/// Whether the originator's own key is on the operation.
bool signed_by_originator(const OperationContext& context, const Originator& originator) {
  const auto is_it = [&](const MemberState& member) {
    return member.institution == originator.institution && member.member.id == originator.member;
  };
  if (is_it(context.sender)) return true;
  return std::any_of(context.cosigners.begin(), context.cosigners.end(), [&](const Cosigner& c) {
    return c.capacity == ledger::Capacity::originator && is_it(c.member);
  });
}

}  // namespace

BasisAnswer judge_consent_basis(const OperationContext& context, const Reading& reading) {
  auto consent = find_consent(context.state, id_cast<ConsentId>(reading.basis.id));
  // A payload without subject is nobody's yet, so that no consent can name its subject.
  if (!reading.found.record.subject) return {Code::consent_of_other_subject, std::move(consent)};
  const Code code = check_consent(context, consent,
                                  ConsentUse{.grantee = reading.reader,
                                             .subject = *reading.found.record.subject,
                                             .custodian = reading.found.record.custodian,
                                             .purpose = reading.purpose,
                                             .record_class = reading.found.record.record_class,
                                             .level = reading.found.version.level,
                                             .mode = reading.mode,
                                             .encounter = std::nullopt});
  return {code, std::move(consent)};
}

BasisAnswer judge_basis(const OperationContext& context, const Reading& reading) {
  switch (reading.basis.kind) {
    case BasisKind::consent:
      return judge_consent_basis(context, reading);
    case BasisKind::claim:
      return judge_claim_basis(context, reading);
    case BasisKind::care:
    case BasisKind::legal:
    case BasisKind::break_glass:
      break;
  }
  return {};
}

Code require_reader_role(const OperationContext& context) {
  return require_role(context, {Role::gateway, Role::agent, Role::clinician, Role::claims_adjuster,
                                Role::compliance, Role::data_officer});
}

bool may_read_for(const MemberState& member, Purpose purpose) {
  return std::any_of(member.member.roles.begin(), member.member.roles.end(),
                     [&](Role role) { return role_serves(role, purpose); });
}

Code check_originator(const OperationContext& context, const Originator& originator, ReadMode mode,
                      const std::vector<InstitutionId>& via, const MemberState*& found) {
  found = context.roster.find(context.state, originator.institution, originator.member);
  if (found == nullptr || !found->is_valid_at(context.now())) return Code::originator_unknown;
  const bool has_signed = signed_by_originator(context, originator);
  const bool claims_to = originator.signed_by == SignedBy::member;
  if (has_signed != claims_to) return Code::originator_not_bound;
  // A cosignature of somebody else would say something that nobody reads.
  if (!context.cosigners.empty() && context.cosigners.front().member.member.id != originator.member)
    return Code::originator_not_bound;
  if (originator.institution != context.sender.institution) {
    // Only the member's own signature lets one institution ask for another.
    if (!has_signed) return Code::originator_not_bound;
    if (std::find(via.begin(), via.end(), context.sender.institution) == via.end()) {
      return Code::sender_not_among_via;
    }
  }
  const bool is_program = found->member.kind == ledger::MemberKind::system;
  if (is_program != (mode == ReadMode::automatic)) return Code::mode_contradicts_originator;
  return Code::applied;
}

void log_reading(OperationContext& context, const RecordRef& ref, const RecordState& record,
                 const InstitutionId& reader, const InstitutionId& at) {
  context.log(LogKind::reads_of_record, ref.record);
  if (record.subject) context.log(LogKind::reads_of_subject, *record.subject);
  context.log(LogKind::reads_by_institution, reader);
  context.log(LogKind::reads_at_institution, at);
}

}  // namespace baolian::contracts
