/// Operations of the records contract: readings and what leads to them (contracts.md, records).
/// `vault` is always the acting institution's member of role vault; `journal` is the place of that
/// vault's emergency journal.
#pragma once

#include <vector>

#include "contracts/operation_kind.h"
#include "contracts/types.h"

namespace baolian::contracts {

/// records.register, by the custodian: a new record (version 1) or the next version of its own.
struct RecordsRegister {
  static constexpr std::string_view kTypeName = "RecordsRegister";
  static constexpr OperationKind kKind = OperationKind::records_register;
  Version<1> version;
  RecordRef record;   ///< id: 32 random bytes, first use wins
  SubjectId subject;  ///< audience care
  RecordClass record_class{RecordClass::document};
  Level level{Level::one};
  Commitment commitment;  ///< privacy.md, Envelopes
  MemberId vault;
  Journal journal;

  friend bool operator==(const RecordsRegister&, const RecordsRegister&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &RecordsRegister::version, "format version"),
        field("record", &RecordsRegister::record, "random id and version"),
        field("subject", &RecordsRegister::subject, "the person, audience care"),
        field("record_class", &RecordsRegister::record_class, "coarse class"),
        field("level", &RecordsRegister::level, "confidentiality, 1..5"),
        field("commitment", &RecordsRegister::commitment, "salted commitment to the sealed record"),
        field("vault", &RecordsRegister::vault, "vault that keeps it"),
        field("journal", &RecordsRegister::journal, "of that vault"));
  }
};

/// records.read: a local reading by the custodian's or another holder's member. The vault opens
/// after it is certified. Cosigners: originator (0..1).
struct RecordsRead {
  static constexpr std::string_view kTypeName = "RecordsRead";
  static constexpr OperationKind kKind = OperationKind::records_read;
  Version<1> version;
  RecordRef record;
  Purpose purpose{Purpose::treat};
  Basis basis;
  ReadMode mode{ReadMode::human};
  Trigger trigger{Trigger::person_action};
  Originator originator;
  MemberId vault;
  Journal journal;

  friend bool operator==(const RecordsRead&, const RecordsRead&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &RecordsRead::version, "format version"),
                      field("record", &RecordsRead::record, "what is read"),
                      field("purpose", &RecordsRead::purpose, "for what"),
                      field("basis", &RecordsRead::basis, "by what right"),
                      field("mode", &RecordsRead::mode, "person or program"),
                      field("trigger", &RecordsRead::trigger, "what made it happen"),
                      field("originator", &RecordsRead::originator, "who reads"),
                      field("vault", &RecordsRead::vault, "vault that opens"),
                      field("journal", &RecordsRead::journal, "of that vault"));
  }
};

/// records.request: an institution asks the custodian's vault for a key. The answer is a grant or a
/// denial, and both are recorded. Cosigners: originator (0..1).
struct RecordsRequest {
  static constexpr std::string_view kTypeName = "RecordsRequest";
  static constexpr OperationKind kKind = OperationKind::records_request;
  Version<1> version;
  RecordRef record;
  Purpose purpose{Purpose::treat};
  Basis basis;
  ReadMode mode{ReadMode::human};
  Trigger trigger{Trigger::person_action};
  MemberId recipient;  ///< the reader's vault member: the key is wrapped to it
  Originator originator;
  std::vector<InstitutionId> via;  ///< intermediaries, in order; the sender's is among them
  Journal journal;                 ///< of the recipient

  friend bool operator==(const RecordsRequest&, const RecordsRequest&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &RecordsRequest::version, "format version"),
                      field("record", &RecordsRequest::record, "what is asked for"),
                      field("purpose", &RecordsRequest::purpose, "for what"),
                      field("basis", &RecordsRequest::basis, "by what right"),
                      field("mode", &RecordsRequest::mode, "person or program"),
                      field("trigger", &RecordsRequest::trigger, "what made it happen"),
                      field("recipient", &RecordsRequest::recipient, "vault member of the reader"),
                      field("originator", &RecordsRequest::originator, "who wants to read"),
                      field("via", &RecordsRequest::via, at_most(4), "intermediaries, in order"),
                      field("journal", &RecordsRequest::journal, "of the recipient vault"));
  }
};

/// records.release, by the custodian. The key leaves only after this is certified.
struct RecordsRelease {
  static constexpr std::string_view kTypeName = "RecordsRelease";
  static constexpr OperationKind kKind = OperationKind::records_release;
  Version<1> version;
  GrantId grant;
  Commitment commitment;  ///< of the granted version, as registered
  Hash wrap_hash;         ///< H("wrap" || sealed wrap)
  Hash ciphertext_hash;   ///< SHA-256 of the ciphertext, as inside the commitment
  MemberId vault;
  Journal journal;

  friend bool operator==(const RecordsRelease&, const RecordsRelease&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &RecordsRelease::version, "format version"),
        field("grant", &RecordsRelease::grant, "the grant that is fulfilled"),
        field("commitment", &RecordsRelease::commitment, "of the granted version, as registered"),
        field("wrap_hash", &RecordsRelease::wrap_hash, "H(\"wrap\" || sealed wrap)"),
        field("ciphertext_hash", &RecordsRelease::ciphertext_hash, "SHA-256 of the ciphertext"),
        field("vault", &RecordsRelease::vault, "vault that releases"),
        field("journal", &RecordsRelease::journal, "of that vault"));
  }
};

enum class ReceiveResult : std::uint8_t { ok = 1, mismatch = 2 };
constexpr auto enum_names(ReceiveResult) {
  return std::array<std::string_view, 3>{"", "ok", "mismatch"};
}

/// records.receive, by the reader: what arrived is what was committed to, or it is not.
struct RecordsReceive {
  static constexpr std::string_view kTypeName = "RecordsReceive";
  static constexpr OperationKind kKind = OperationKind::records_receive;
  Version<1> version;
  GrantId grant;
  Commitment commitment;  ///< as the reader computed it from what arrived; zeros if it could not
  ReceiveResult result{ReceiveResult::ok};
  MemberId vault;  ///< the grant's recipient
  Journal journal;

  friend bool operator==(const RecordsReceive&, const RecordsReceive&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &RecordsReceive::version, "format version"),
        field("grant", &RecordsReceive::grant, "the released grant"),
        field("commitment", &RecordsReceive::commitment,
              "computed from what arrived; zeros if it could not be"),
        field("result", &RecordsReceive::result, "whether it is the registered record"),
        field("vault", &RecordsReceive::vault, "the grant's recipient"),
        field("journal", &RecordsReceive::journal, "of that vault"));
  }
};

}  // namespace baolian::contracts
