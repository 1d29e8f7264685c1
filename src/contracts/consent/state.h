/// What the state keeps of a consent.
#pragma once

#include "contracts/consent/operations.h"

namespace baolian::contracts {

struct ConsentState {
  static constexpr std::string_view kTypeName = "ConsentState";
  Version<1> version;
  ConsentTerms terms;
  InstitutionId submitted_by;
  TimeMs given_at;
  Attestation attestation{Attestation::grantee_attested};
  InstitutionId attested_by;  ///< zeros for grantee_attested
  TimeMs attested_at;         ///< from here on it has effect; 0 while it has none
  TimeMs revoked_at;          ///< 0 while it stands

  friend bool operator==(const ConsentState&, const ConsentState&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &ConsentState::version, "format version"),
        field("terms", &ConsentState::terms, "what the person agreed to"),
        field("submitted_by", &ConsentState::submitted_by, "institution that brought it"),
        field("given_at", &ConsentState::given_at, "block time, ms"),
        field("attestation", &ConsentState::attestation, "how it is attested"),
        field("attested_by", &ConsentState::attested_by, "attesting institution or zeros"),
        field("attested_at", &ConsentState::attested_at, "block time, ms; 0 = without effect"),
        field("revoked_at", &ConsentState::revoked_at, "block time, ms; 0 = stands"));
  }
};

/// The key with which a person signs for himself, towards one audience.
struct PersonKeyState {
  static constexpr std::string_view kTypeName = "PersonKeyState";
  Version<1> version;
  PublicKey key;
  InstitutionId attested_by;
  TimeMs registered_at;

  friend bool operator==(const PersonKeyState&, const PersonKeyState&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &PersonKeyState::version, "format version"),
        field("key", &PersonKeyState::key, "the person's own key"),
        field("attested_by", &PersonKeyState::attested_by, "institution that saw the person"),
        field("registered_at", &PersonKeyState::registered_at, "block time, ms"));
  }
};

}  // namespace baolian::contracts
