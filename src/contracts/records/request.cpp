/// records.request: the answer is a grant or a denial, and both are recorded.
#include "contracts/claims/claims.h"
#include "contracts/membership/membership.h"
#include "contracts/records/records.h"

namespace baolian::contracts {
namespace {

using ledger::LogKind;

/// A denial stands where the person and the reader's overseers look for it; in a claim's story only
/// if the reader is its insurer, so that strangers cannot fill it.
void deny(OperationContext& context, const RecordsRequest& content,
          const std::optional<SubjectId>& subject, Code code) {
  const InstitutionId& reader = content.originator.institution;
  if (subject) context.log(LogKind::denials_of_subject, *subject);
  context.log(LogKind::denials_by_institution, reader);
  if (content.basis.kind == BasisKind::claim) {
    const auto claim = find_claim(context.state, id_cast<ClaimId>(content.basis.id));
    if (claim && claim->insurer() == reader) context.log(LogKind::claim, content.basis.id);
  }
  context.emit(Denied{.version = {},
                      .code = static_cast<std::uint16_t>(code),
                      .record = content.record,
                      .reader = reader,
                      .subject = subject});
}

GrantState new_grant(const OperationContext& context, const RecordsRequest& content,
                     const InstitutionId& custodian, const MemberState& recipient) {
  const bool is_program = content.mode == ReadMode::automatic;
  const TimeMs expires_at =
      context.after(is_program ? ParameterId::grant_automatic_ms : ParameterId::grant_person_ms);
  GrantState grant;
  grant.record = content.record;
  grant.reader = content.originator.institution;
  grant.custodian = custodian;
  grant.originator = content.originator;
  grant.purpose = content.purpose;
  grant.basis = content.basis;
  grant.mode = content.mode;
  grant.recipient = content.recipient;
  grant.recipient_key = recipient.member.encryption_key;
  grant.granted_at = context.now();
  grant.expires_at = expires_at;
  grant.ends_at = expires_at;
  return grant;
}

void grant_reading(OperationContext& context, const RecordsRequest& content,
                   const FoundRecord& found, const ConsentState& consent,
                   const MemberState& recipient) {
  const GrantState grant = new_grant(context, content, found.record.custodian, recipient);
  const auto id = id_cast<GrantId>(
      contract_id(OperationKind::records_request, context.tx_id, context.op_index, 0));
  context.state.write_as(keys::grant(id), grant);
  context.state.write_as(keys::grant_end(grant.ends_at, id), Marker{});
  log_reading(context, content.record, found.record, grant.reader, grant.custodian);
  context.emit(Granted{.version = {},
                       .grant = id,
                       .record = content.record,
                       .reader = grant.reader,
                       .custodian = grant.custodian,
                       .subject = found.record.subject,
                       .consent = consent.terms.id,
                       .attestation = consent.attestation,
                       .expires_at = grant.expires_at});
  if (content.basis.kind == BasisKind::claim) {
    context.log(LogKind::claim, content.basis.id);
    payload_granted(context, id_cast<ClaimId>(content.basis.id), content.record);
  }
}

/// What makes a request no request at all.
Code check_request(OperationContext& context, const RecordsRequest& content,
                   const MemberState*& originator) {
  Code code = require_reader_role(context);
  if (code != Code::applied) return code;
  if (content.basis.kind == BasisKind::legal || content.basis.kind == BasisKind::break_glass) {
    return Code::basis_reserved;
  }
  code = check_originator(context, content.originator, content.mode, content.via, originator);
  if (code != Code::applied) return code;
  return check_vault(context, content.originator.institution, content.recipient, content.journal);
}

}  // namespace

Code request_record(OperationContext& context, const RecordsRequest& content) {
  const MemberState* originator = nullptr;
  const Code code = check_request(context, content, originator);
  if (code != Code::applied) return code;
  const InstitutionId& reader = content.originator.institution;
  const auto record = context.state.read_as<RecordState>(keys::record(content.record.record));
  if (record && record->custodian == reader) return Code::own_record;

  if (!record) {
    deny(context, content, std::nullopt, Code::record_unknown);
    return Code::applied;
  }
  const auto version = context.state.read_as<RecordVersion>(keys::record_version(content.record));
  if (!version) {
    deny(context, content, record->subject, Code::record_version_unknown);
    return Code::applied;
  }
  if (!may_read_for(*originator, content.purpose)) {
    deny(context, content, record->subject, Code::originator_role);
    return Code::applied;
  }
  const FoundRecord found{*record, *version};
  const BasisAnswer answer = judge_basis(
      context,
      Reading{content.record, found, reader, content.purpose, content.basis, content.mode});
  if (answer.code != Code::applied) {
    deny(context, content, record->subject, answer.code);
    return Code::applied;
  }
  const MemberState* const recipient = find_vault(context, reader, content.recipient);
  ASSERT(recipient != nullptr && answer.consent.has_value());
  grant_reading(context, content, found, *answer.consent, *recipient);
  return Code::applied;
}

}  // namespace baolian::contracts
