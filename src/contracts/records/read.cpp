/// records.read: a holder's vault opens for its own staff.
#include "contracts/claims/claims.h"
#include "contracts/membership/membership.h"
#include "contracts/records/records.h"

namespace baolian::contracts {
namespace {

using ledger::LogKind;

/// A claim carries a local reading for its insurer, who keeps what it received, and for the
/// reporter, who countersigns.
Code judge_local_claim(const OperationContext& context, const Reading& reading) {
  const auto claim = find_claim(context.state, id_cast<ClaimId>(reading.basis.id));
  if (!claim) return Code::claim_unknown;
  const bool is_insurer = claim->insurer() == reading.reader;
  if (!is_insurer && claim->reporter != reading.reader) return Code::not_the_claims_insurer;
  if (!names_record(*claim, reading.ref)) return Code::record_not_in_claim;
  const bool is_over = claim->phase == ClaimPhase::withdrawn || claim->phase == ClaimPhase::void_;
  if (is_insurer && is_over) return Code::claim_state;
  return reading.purpose == Purpose::hpaymt ? Code::applied : Code::purpose_not_allowed;
}

Code judge_local_basis(const OperationContext& context, const Reading& reading) {
  const bool is_custodian = reading.found.record.custodian == reading.reader;
  switch (reading.basis.kind) {
    case BasisKind::care:
      if (!is_custodian) return Code::basis_not_allowed;
      return reading.purpose == Purpose::hlegal ? Code::purpose_not_allowed : Code::applied;
    case BasisKind::consent:
      return judge_consent_basis(context, reading).code;
    case BasisKind::claim:
      return judge_local_claim(context, reading);
    case BasisKind::legal:
    case BasisKind::break_glass:
      break;
  }
  return Code::basis_reserved;
}

}  // namespace

Code read_record(OperationContext& context, const RecordsRead& content) {
  const InstitutionId reader = context.sender.institution;
  Code code = require_reader_role(context);
  if (code != Code::applied) return code;
  if (content.originator.institution != reader) return Code::not_your_institution;
  code = check_vault(context, reader, content.vault, content.journal);
  if (code != Code::applied) return code;
  const MemberState* originator = nullptr;
  code = check_originator(context, content.originator, content.mode, {}, originator);
  if (code != Code::applied) return code;
  if (!may_read_for(*originator, content.purpose)) return Code::originator_role;

  const auto record = context.state.read_as<RecordState>(keys::record(content.record.record));
  if (!record) return Code::record_unknown;
  const auto version = context.state.read_as<RecordVersion>(keys::record_version(content.record));
  if (!version) return Code::record_version_unknown;
  const bool holds = record->custodian == reader ||
                     context.state.read(keys::holder(content.record, reader)).has_value();
  if (!holds) return Code::not_a_holder;
  const Reading reading{content.record,  {*record, *version}, reader,
                        content.purpose, content.basis,       content.mode};
  code = judge_local_basis(context, reading);
  if (code != Code::applied) return code;

  log_reading(context, content.record, *record, reader, reader);
  if (content.basis.kind == BasisKind::claim) context.log(LogKind::claim, content.basis.id);
  context.emit(RecordWasRead{.version = {},
                             .record = content.record,
                             .reader = reader,
                             .custodian = record->custodian,
                             .subject = record->subject});
  return Code::applied;
}

}  // namespace baolian::contracts
