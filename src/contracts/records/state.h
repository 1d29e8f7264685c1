/// What the state keeps of records, their holders, and grants.
#pragma once

#include <optional>

#include "contracts/records/operations.h"

namespace baolian::contracts {

struct RecordState {
  static constexpr std::string_view kTypeName = "RecordState";
  Version<1> version;
  InstitutionId custodian;
  std::optional<SubjectId> subject;  ///< audience care; none for a payload until it is filed
  RecordClass record_class{RecordClass::document};
  std::uint32_t newest_version = 1;

  friend bool operator==(const RecordState&, const RecordState&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &RecordState::version, "format version"),
        field("custodian", &RecordState::custodian, "who registered and keeps it"),
        field("subject", &RecordState::subject, "audience care; none for an unfiled payload"),
        field("record_class", &RecordState::record_class, "coarse class"),
        field("newest_version", &RecordState::newest_version, "versions 1..newest exist"));
  }
};

struct RecordVersion {
  static constexpr std::string_view kTypeName = "RecordVersion";
  Version<1> version;
  Level level{Level::one};
  Commitment commitment;
  TimeMs registered_at;

  friend bool operator==(const RecordVersion&, const RecordVersion&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &RecordVersion::version, "format version"),
                      field("level", &RecordVersion::level, "confidentiality, 1..5"),
                      field("commitment", &RecordVersion::commitment, "to the sealed record"),
                      field("registered_at", &RecordVersion::registered_at, "block time, ms"));
  }
};

/// An institution that received a copy.
struct HolderState {
  static constexpr std::string_view kTypeName = "HolderState";
  Version<1> version;
  GrantId grant;  ///< by which it first came
  TimeMs since;

  friend bool operator==(const HolderState&, const HolderState&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &HolderState::version, "format version"),
                      field("grant", &HolderState::grant, "by which it first came"),
                      field("since", &HolderState::since, "block time, ms"));
  }
};

enum class GrantPhase : std::uint8_t { granted = 1, released = 2, received = 3, mismatched = 4 };
constexpr auto enum_names(GrantPhase) {
  return std::array<std::string_view, 5>{"", "granted", "released", "received", "mismatched"};
}

/// The answer to a request, erased after its end.
struct GrantState {
  static constexpr std::string_view kTypeName = "GrantState";
  Version<1> version;
  RecordRef record;
  InstitutionId reader;
  InstitutionId custodian;
  Originator originator;
  Purpose purpose{Purpose::treat};
  Basis basis;
  ReadMode mode{ReadMode::human};
  MemberId recipient;
  EncryptionKey recipient_key;  ///< as registered at the grant's height
  TimeMs granted_at;
  TimeMs expires_at;  ///< last block time of a release
  TimeMs ends_at;     ///< last block time of the next step; names the key in grant_end/
  GrantPhase phase{GrantPhase::granted};
  Hash wrap_hash;        ///< zeros until released
  Hash ciphertext_hash;  ///< zeros until released

  friend bool operator==(const GrantState&, const GrantState&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &GrantState::version, "format version"),
        field("record", &GrantState::record, "record and version"),
        field("reader", &GrantState::reader, "who may have the key"),
        field("custodian", &GrantState::custodian, "who is to release it"),
        field("originator", &GrantState::originator, "who wants to read"),
        field("purpose", &GrantState::purpose, "for what"),
        field("basis", &GrantState::basis, "by what right"),
        field("mode", &GrantState::mode, "person or program"),
        field("recipient", &GrantState::recipient, "the reader's vault member"),
        field("recipient_key", &GrantState::recipient_key, "its key at the grant's height"),
        field("granted_at", &GrantState::granted_at, "block time, ms"),
        field("expires_at", &GrantState::expires_at, "last block time of a release, ms"),
        field("ends_at", &GrantState::ends_at, "last block time of the next step, ms"),
        field("phase", &GrantState::phase, "how far it came"),
        field("wrap_hash", &GrantState::wrap_hash, "as released; zeros before"),
        field("ciphertext_hash", &GrantState::ciphertext_hash, "as released; zeros before"));
  }
};

}  // namespace baolian::contracts
