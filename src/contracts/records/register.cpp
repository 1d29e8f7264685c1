/// records.register, and the record that a report registers.
#include "contracts/membership/membership.h"
#include "contracts/records/records.h"

namespace baolian::contracts {
namespace {

using ledger::InstitutionKind;
using ledger::Role;

/// Whether `content` continues a record: applied, or why not.
Code check_next_version(const OperationContext& context, const RecordState& record,
                        const RecordsRegister& content) {
  if (record.custodian != context.sender.institution) return Code::record_exists;
  if (content.record.version <= record.newest_version) return Code::record_exists;
  if (content.record.version != record.newest_version + 1) return Code::record_version_not_next;
  if (record.subject != content.subject) return Code::record_subject_differs;
  if (record.record_class != content.record_class) return Code::record_class_differs;
  return Code::applied;
}

void store_version(OperationContext& context, const RecordRef& ref, const RecordState& record,
                   Level level, const Commitment& commitment) {
  context.state.write_as(keys::record(ref.record), record);
  context.state.write_as(keys::record_version(ref),
                         RecordVersion{{}, level, commitment, context.now()});
  context.emit(RecordRegistered{.version = {}, .record = ref, .custodian = record.custodian});
}

}  // namespace

Code register_record(OperationContext& context, const RecordsRegister& content) {
  Code code = require_role(context, {Role::gateway, Role::agent, Role::clinician});
  if (code != Code::applied) return code;
  code = require_kind(context, {InstitutionKind::hospital, InstitutionKind::pharmacy,
                                InstitutionKind::medical_insurance});
  if (code != Code::applied) return code;
  if (!content.subject.is_care()) return Code::subject_audience_not_care;
  code = check_vault(context, context.sender.institution, content.vault, content.journal);
  if (code != Code::applied) return code;

  auto record = context.state.read_as<RecordState>(keys::record(content.record.record));
  if (record) {
    code = check_next_version(context, *record, content);
    if (code != Code::applied) return code;
    record->newest_version = content.record.version;
  } else {
    if (content.record.version != 1) return Code::record_version_not_next;
    record = RecordState{.version = {},
                         .custodian = context.sender.institution,
                         .subject = content.subject,
                         .record_class = content.record_class,
                         .newest_version = 1};
  }
  store_version(context, content.record, *record, content.level, content.commitment);
  return Code::applied;
}

Code register_payload(OperationContext& context, const PayloadRef& payload) {
  if (context.state.read(keys::record(payload.record))) return Code::record_exists;
  const RecordState record{.version = {},
                           .custodian = context.sender.institution,
                           .subject = std::nullopt,
                           .record_class = RecordClass::bill,
                           .newest_version = payload.version};
  store_version(context, {payload.record, payload.version}, record, payload.level,
                payload.commitment);
  return Code::applied;
}

}  // namespace baolian::contracts
