/// The records contract: what exists where, and every step of a reading.
#pragma once

#include "contracts/context.h"

namespace baolian::contracts {

Code register_record(OperationContext& context, const RecordsRegister& content);
Code read_record(OperationContext& context, const RecordsRead& content);
Code request_record(OperationContext& context, const RecordsRequest& content);
Code release_record(OperationContext& context, const RecordsRelease& content);
Code receive_record(OperationContext& context, const RecordsReceive& content);

/// Registers the sealed bill of a report: class bill, without subject until something is filed.
/// Returns: record_exists, or applied.
Code register_payload(OperationContext& context, const PayloadRef& payload);

/// A record version with what is known of its record.
struct FoundRecord {
  RecordState record;
  RecordVersion version;
};

/// What a basis is judged for.
struct Reading {
  RecordRef ref;
  FoundRecord found;
  InstitutionId reader;
  Purpose purpose{Purpose::treat};
  Basis basis;
  ReadMode mode{ReadMode::human};
};

/// Whether consent or claim let another institution have a record at the block's time.
struct BasisAnswer {
  Code code = Code::basis_not_allowed;
  std::optional<ConsentState> consent;  ///< on which it rests, if it was found
};
BasisAnswer judge_basis(const OperationContext& context, const Reading& reading);
/// The check of basis consent alone: of a request, and of reading a received copy.
BasisAnswer judge_consent_basis(const OperationContext& context, const Reading& reading);

/// Judges who reads, apart from roles: bound by signature, valid, mode fitting. `sender_acts_for`
/// is what the content names; via are the intermediaries.
Code check_originator(const OperationContext& context, const Originator& originator, ReadMode mode,
                      const std::vector<InstitutionId>& via, const MemberState*& found);
/// Whether a member's roles serve a purpose.
bool may_read_for(const MemberState& member, Purpose purpose);
/// Whether the sender may post readings: applied or role_not_allowed.
Code require_reader_role(const OperationContext& context);

/// Appends a reading to its four logs: of the record, its subject once known, the reader, and the
/// institution at which it happens.
void log_reading(OperationContext& context, const RecordRef& ref, const RecordState& record,
                 const InstitutionId& reader, const InstitutionId& at);

}  // namespace baolian::contracts
