/// records.release and records.receive: the key leaves, and what arrived is what was registered.
#include "contracts/claims/claims.h"
#include "contracts/membership/membership.h"
#include "contracts/records/records.h"

namespace baolian::contracts {
namespace {

using ledger::LogKind;
using ledger::Role;

/// Reads the record version of a grant. Records are never erased from the state.
FoundRecord granted_record(const OperationContext& context, const GrantState& grant) {
  const auto record = context.state.read_as<RecordState>(keys::record(grant.record.record));
  const auto version = context.state.read_as<RecordVersion>(keys::record_version(grant.record));
  ASSERT(record.has_value() && version.has_value());
  return {*record, *version};
}

Code check_release_phase(const OperationContext& context, const GrantState& grant) {
  if (grant.phase != GrantPhase::granted) return Code::grant_already_released;
  return context.now() > grant.expires_at ? Code::grant_expired : Code::applied;
}

/// Everything that let the reader have the record must still stand.
Code check_still_stands(const OperationContext& context, const GrantState& grant,
                        const FoundRecord& found) {
  const MemberState* const originator =
      context.roster.find(context.state, grant.reader, grant.originator.member);
  const bool is_member = originator != nullptr && originator->is_valid_at(context.now()) &&
                         find_vault(context, grant.reader, grant.recipient) != nullptr;
  if (!is_member) return Code::reader_no_longer_member;
  return judge_basis(context, Reading{grant.record, found, grant.reader, grant.purpose, grant.basis,
                                      grant.mode})
      .code;
}

void log_step(OperationContext& context, const GrantState& grant, const RecordState& record) {
  log_reading(context, grant.record, record, grant.reader, grant.custodian);
  if (grant.basis.kind == BasisKind::claim) context.log(LogKind::claim, grant.basis.id);
}

Code check_receive(const OperationContext& context, const RecordsReceive& content,
                   const GrantState& grant) {
  if (grant.reader != context.sender.institution) return Code::not_the_reader;
  if (grant.recipient != content.vault) return Code::recipient_differs;
  const Code code = check_vault(context, grant.reader, content.vault, content.journal);
  if (code != Code::applied) return code;
  if (grant.phase == GrantPhase::granted) return Code::grant_not_released;
  if (grant.phase != GrantPhase::released) return Code::grant_already_received;
  if (context.now() > grant.ends_at) return Code::grant_ended;
  const bool is_same = granted_record(context, grant).version.commitment == content.commitment;
  if (content.result == ReceiveResult::ok) {
    return is_same ? Code::applied : Code::commitment_differs;
  }
  return is_same ? Code::mismatch_without_difference : Code::applied;
}

void raise_mismatch(OperationContext& context, const RecordsReceive& content,
                    const GrantState& grant) {
  context.log(LogKind::alarms, Hash{});
  context.emit(FlagRaised{.version = {},
                          .rule = FlagRule::receive_mismatch,
                          .rule_version = 1,
                          .about = id_cast<Hash>(content.grant),
                          .raised_on = grant.custodian});
  if (grant.basis.kind != BasisKind::claim) return;
  const auto id = id_cast<ClaimId>(grant.basis.id);
  auto claim = find_claim(context.state, id);
  ASSERT(claim.has_value());
  claim->flags |= 1U << static_cast<unsigned>(FlagRule::receive_mismatch);
  context.state.write_as(keys::claim(id), *claim);
}

void become_holder(OperationContext& context, const RecordsReceive& content,
                   const GrantState& grant) {
  Bytes key = keys::holder(grant.record, grant.reader);
  if (!context.state.read(key)) {
    context.state.write_as(std::move(key), HolderState{{}, content.grant, context.now()});
  }
  if (grant.basis.kind == BasisKind::claim) {
    payload_received(context, id_cast<ClaimId>(grant.basis.id), grant.record);
  }
}

}  // namespace

Code release_record(OperationContext& context, const RecordsRelease& content) {
  Code code = require_role(context, {Role::gateway, Role::agent});
  if (code != Code::applied) return code;
  auto grant = context.state.read_as<GrantState>(keys::grant(content.grant));
  if (!grant) return Code::grant_unknown;
  if (grant->custodian != context.sender.institution) return Code::not_the_custodian;
  code = check_vault(context, grant->custodian, content.vault, content.journal);
  if (code != Code::applied) return code;
  code = check_release_phase(context, *grant);
  if (code != Code::applied) return code;
  const FoundRecord found = granted_record(context, *grant);
  if (found.version.commitment != content.commitment) return Code::commitment_differs;
  code = check_still_stands(context, *grant, found);
  if (code != Code::applied) return code;

  context.state.erase(keys::grant_end(grant->ends_at, content.grant));
  grant->phase = GrantPhase::released;
  grant->ends_at = context.after(ParameterId::release_end_ms);
  grant->wrap_hash = content.wrap_hash;
  grant->ciphertext_hash = content.ciphertext_hash;
  context.state.write_as(keys::grant_end(grant->ends_at, content.grant), Marker{});
  context.state.write_as(keys::grant(content.grant), *grant);
  log_step(context, *grant, found.record);
  context.emit(Released{.version = {},
                        .grant = content.grant,
                        .record = grant->record,
                        .reader = grant->reader,
                        .custodian = grant->custodian,
                        .recipient_key = grant->recipient_key,
                        .ends_at = grant->ends_at});
  return Code::applied;
}

Code receive_record(OperationContext& context, const RecordsReceive& content) {
  Code code = require_role(context, {Role::gateway, Role::agent});
  if (code != Code::applied) return code;
  auto grant = context.state.read_as<GrantState>(keys::grant(content.grant));
  if (!grant) return Code::grant_unknown;
  code = check_receive(context, content, *grant);
  if (code != Code::applied) return code;

  const bool is_ok = content.result == ReceiveResult::ok;
  grant->phase = is_ok ? GrantPhase::received : GrantPhase::mismatched;
  context.state.write_as(keys::grant(content.grant), *grant);
  log_step(context, *grant, granted_record(context, *grant).record);
  context.emit(Received{.version = {},
                        .grant = content.grant,
                        .record = grant->record,
                        .reader = grant->reader,
                        .custodian = grant->custodian,
                        .result = content.result});
  if (is_ok) {
    become_holder(context, content, *grant);
  } else {
    raise_mismatch(context, content, *grant);
  }
  return Code::applied;
}

}  // namespace baolian::contracts
