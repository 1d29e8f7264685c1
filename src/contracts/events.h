/// Events: what an operation brought about, as a part of its receipt and so provable. Numbers and
/// bodies are part of the format and only grow. `make_event` and `event_as` go between a body and
/// ledger::Event.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "contracts/claims/decision_events.h"
#include "contracts/claims/operations.h"
#include "contracts/codes.h"
#include "contracts/event_kind.h"
#include "contracts/records/operations.h"
#include "contracts/types.h"
#include "ledger/transaction.h"

namespace baolian::contracts {

/// "consent_given"; empty for a number that means nothing.
std::string_view event_name(std::uint16_t kind);

struct ConsentGiven {
  static constexpr std::string_view kTypeName = "ConsentGiven";
  static constexpr EventKind kKind = EventKind::consent_given;
  Version<1> version;
  ConsentId consent;
  SubjectId subject;
  InstitutionId grantee;
  Attestation attestation{Attestation::grantee_attested};
  InstitutionId attested_by;  ///< zeros without attestor, also for a person's key
  Hash hash;                  ///< consent_hash: what a confirmation names

  static constexpr auto fields() {
    return field_list(
        field("version", &ConsentGiven::version, "format version"),
        field("consent", &ConsentGiven::consent, "consent"),
        field("subject", &ConsentGiven::subject, "the person"),
        field("grantee", &ConsentGiven::grantee, "who may read"),
        field("attestation", &ConsentGiven::attestation, "how it is attested"),
        field("attested_by", &ConsentGiven::attested_by, "attesting institution or zeros"),
        field("hash", &ConsentGiven::hash, "H(\"consent\" || terms)"));
  }
};

struct ConsentsConfirmed {
  static constexpr std::string_view kTypeName = "ConsentsConfirmed";
  static constexpr EventKind kKind = EventKind::consents_confirmed;
  Version<1> version;
  std::uint32_t count = 0;  ///< the ids are in the operation
  Attestation attestation{Attestation::attestor};
  InstitutionId attested_by;  ///< zeros for a person's key

  static constexpr auto fields() {
    return field_list(
        field("version", &ConsentsConfirmed::version, "format version"),
        field("count", &ConsentsConfirmed::count, "how many; the ids are in the operation"),
        field("attestation", &ConsentsConfirmed::attestation, "how they are attested now"),
        field("attested_by", &ConsentsConfirmed::attested_by, "attesting institution or zeros"));
  }
};

struct ConsentRevoked {
  static constexpr std::string_view kTypeName = "ConsentRevoked";
  static constexpr EventKind kKind = EventKind::consent_revoked;
  Version<1> version;
  ConsentId consent;
  SubjectId subject;
  InstitutionId grantee;

  static constexpr auto fields() {
    return field_list(field("version", &ConsentRevoked::version, "format version"),
                      field("consent", &ConsentRevoked::consent, "consent that ended"),
                      field("subject", &ConsentRevoked::subject, "the person"),
                      field("grantee", &ConsentRevoked::grantee, "who may read no longer"));
  }
};

struct PersonKeyRegistered {
  static constexpr std::string_view kTypeName = "PersonKeyRegistered";
  static constexpr EventKind kKind = EventKind::person_key_registered;
  Version<1> version;
  SubjectId subject;
  std::optional<PublicKey> key;  ///< none: the person has none now
  InstitutionId attested_by;

  static constexpr auto fields() {
    return field_list(
        field("version", &PersonKeyRegistered::version, "format version"),
        field("subject", &PersonKeyRegistered::subject, "the person, for one audience"),
        field("key", &PersonKeyRegistered::key, "the person's own; none = the person has none"),
        field("attested_by", &PersonKeyRegistered::attested_by, "attesting institution"));
  }
};

struct RecordRegistered {
  static constexpr std::string_view kTypeName = "RecordRegistered";
  static constexpr EventKind kKind = EventKind::record_registered;
  Version<1> version;
  RecordRef record;
  InstitutionId custodian;

  static constexpr auto fields() {
    return field_list(field("version", &RecordRegistered::version, "format version"),
                      field("record", &RecordRegistered::record, "record and version"),
                      field("custodian", &RecordRegistered::custodian, "who keeps it"));
  }
};

struct RecordWasRead {
  static constexpr std::string_view kTypeName = "RecordWasRead";
  static constexpr EventKind kKind = EventKind::record_read;
  Version<1> version;
  RecordRef record;
  InstitutionId reader;
  InstitutionId custodian;  ///< the reader itself, or whose record it holds a copy of
  std::optional<SubjectId> subject;

  static constexpr auto fields() {
    return field_list(
        field("version", &RecordWasRead::version, "format version"),
        field("record", &RecordWasRead::record, "record and version"),
        field("reader", &RecordWasRead::reader, "whose member read"),
        field("custodian", &RecordWasRead::custodian,
              "custodian; the reader reads its own or a copy"),
        field("subject", &RecordWasRead::subject, "the person, audience care, once known"));
  }
};

struct Granted {
  static constexpr std::string_view kTypeName = "Granted";
  static constexpr EventKind kKind = EventKind::granted;
  Version<1> version;
  GrantId grant;
  RecordRef record;
  InstitutionId reader;
  InstitutionId custodian;
  std::optional<SubjectId> subject;
  ConsentId consent;  ///< on which it rests, directly or through the claim
  Attestation attestation{Attestation::attestor};  ///< of that consent
  TimeMs expires_at;                               ///< last block time of a release

  static constexpr auto fields() {
    return field_list(
        field("version", &Granted::version, "format version"),
        field("grant", &Granted::grant, "contract id of the grant"),
        field("record", &Granted::record, "record and version"),
        field("reader", &Granted::reader, "who may have the key"),
        field("custodian", &Granted::custodian, "who is to release it"),
        field("subject", &Granted::subject, "the person, audience care, once known"),
        field("consent", &Granted::consent, "on which it rests, directly or through the claim"),
        field("attestation", &Granted::attestation, "how that consent is attested"),
        field("expires_at", &Granted::expires_at, "last block time of a release, ms"));
  }
};

struct Denied {
  static constexpr std::string_view kTypeName = "Denied";
  static constexpr EventKind kKind = EventKind::denied;
  Version<1> version;
  std::uint16_t code = 0;  ///< a Code
  RecordRef record;
  InstitutionId reader;
  std::optional<SubjectId> subject;  ///< of the record, if it is known

  static constexpr auto fields() {
    return field_list(field("version", &Denied::version, "format version"),
                      field("code", &Denied::code, "why, docs/error-codes.md"),
                      field("record", &Denied::record, "what was asked for"),
                      field("reader", &Denied::reader, "who asked"),
                      field("subject", &Denied::subject, "the person, audience care, if known"));
  }
};

struct Released {
  static constexpr std::string_view kTypeName = "Released";
  static constexpr EventKind kKind = EventKind::released;
  Version<1> version;
  GrantId grant;
  RecordRef record;
  InstitutionId reader;
  InstitutionId custodian;
  EncryptionKey recipient_key;  ///< to which the wrap must be sealed
  TimeMs ends_at;               ///< last block time of a receive

  static constexpr auto fields() {
    return field_list(
        field("version", &Released::version, "format version"),
        field("grant", &Released::grant, "the fulfilled grant"),
        field("record", &Released::record, "record and version"),
        field("reader", &Released::reader, "who gets the key"),
        field("custodian", &Released::custodian, "who released it"),
        field("recipient_key", &Released::recipient_key, "key to which the wrap is sealed"),
        field("ends_at", &Released::ends_at, "last block time of a receive, ms"));
  }
};

struct Received {
  static constexpr std::string_view kTypeName = "Received";
  static constexpr EventKind kKind = EventKind::received;
  Version<1> version;
  GrantId grant;
  RecordRef record;
  InstitutionId reader;
  InstitutionId custodian;
  ReceiveResult result{ReceiveResult::ok};

  static constexpr auto fields() {
    return field_list(field("version", &Received::version, "format version"),
                      field("grant", &Received::grant, "the grant"),
                      field("record", &Received::record, "record and version"),
                      field("reader", &Received::reader, "holder from now on, if ok"),
                      field("custodian", &Received::custodian, "who released it"),
                      field("result", &Received::result, "as the reader states"));
  }
};

struct ProductRegistered {
  static constexpr std::string_view kTypeName = "ProductRegistered";
  static constexpr EventKind kKind = EventKind::product_registered;
  Version<1> version;
  ProductId product;
  std::uint32_t product_version = 0;
  InstitutionId insurer;

  static constexpr auto fields() {
    return field_list(field("version", &ProductRegistered::version, "format version"),
                      field("product", &ProductRegistered::product, "product"),
                      field("product_version", &ProductRegistered::product_version, "its version"),
                      field("insurer", &ProductRegistered::insurer, "whose it is"));
  }
};

struct Enrolled {
  static constexpr std::string_view kTypeName = "Enrolled";
  static constexpr EventKind kKind = EventKind::enrolled;
  Version<1> version;
  InstitutionId insurer;
  std::uint32_t lines = 0;                                 ///< the policies are in the operation
  Attestation attestation{Attestation::grantee_attested};  ///< of every consent
  InstitutionId attested_by;

  static constexpr auto fields() {
    return field_list(
        field("version", &Enrolled::version, "format version"),
        field("insurer", &Enrolled::insurer, "who insures"),
        field("lines", &Enrolled::lines, "how many; the policies are in the operation"),
        field("attestation", &Enrolled::attestation, "how the consents are attested"),
        field("attested_by", &Enrolled::attested_by, "attesting institution or zeros"));
  }
};

struct Reported {
  static constexpr std::string_view kTypeName = "Reported";
  static constexpr EventKind kKind = EventKind::reported;
  Version<1> version;
  Tag32 encounter;
  InstitutionId reporter;
  std::uint32_t claims = 0;  ///< filed with it; 0 = the encounter is unfiled
  TimeMs lapses_at;          ///< last block time of claims.file

  static constexpr auto fields() {
    return field_list(
        field("version", &Reported::version, "format version"),
        field("encounter", &Reported::encounter, "keyed tag of the encounter"),
        field("reporter", &Reported::reporter, "who reported"),
        field("claims", &Reported::claims, "claims filed with it; 0 = unfiled"),
        field("lapses_at", &Reported::lapses_at, "last block time of a later filing, ms"));
  }
};

struct FiledClaim {
  static constexpr std::string_view kTypeName = "FiledClaim";
  ClaimId claim;
  PolicyId policy;
  InstitutionId insurer;

  friend bool operator==(const FiledClaim&, const FiledClaim&) = default;
  static constexpr auto fields() {
    return field_list(field("claim", &FiledClaim::claim, "contract id of the claim"),
                      field("policy", &FiledClaim::policy, "policy it is under"),
                      field("insurer", &FiledClaim::insurer, "who owes the next step"));
  }
};

inline constexpr std::uint32_t kFiledClaimsPerEvent = 64;

/// Claims that a report or a filing made; several events if there are more than 64.
struct Filed {
  static constexpr std::string_view kTypeName = "Filed";
  static constexpr EventKind kKind = EventKind::filed;
  Version<1> version;
  Tag32 encounter;
  std::vector<FiledClaim> claims;

  static constexpr auto fields() {
    return field_list(field("version", &Filed::version, "format version"),
                      field("encounter", &Filed::encounter, "keyed tag of the encounter"),
                      field("claims", &Filed::claims, between(1, kFiledClaimsPerEvent),
                            "in order of their ids' lines"));
  }
};

struct FilingRefusal {
  static constexpr std::string_view kTypeName = "FilingRefusal";
  std::uint16_t filing = 0;  ///< index in the report
  InstitutionId insurer;
  std::uint16_t code = 0;  ///< a Code

  friend bool operator==(const FilingRefusal&, const FilingRefusal&) = default;
  static constexpr auto fields() {
    return field_list(field("filing", &FilingRefusal::filing, "index in the report"),
                      field("insurer", &FilingRefusal::insurer, "for whom it was meant"),
                      field("code", &FilingRefusal::code, "why, docs/error-codes.md"));
  }
};

/// The filings of a report that made no claim.
struct NotFiled {
  static constexpr std::string_view kTypeName = "NotFiled";
  static constexpr EventKind kKind = EventKind::not_filed;
  Version<1> version;
  Tag32 encounter;
  std::vector<FilingRefusal> filings;

  static constexpr auto fields() {
    return field_list(
        field("version", &NotFiled::version, "format version"),
        field("encounter", &NotFiled::encounter, "keyed tag of the encounter"),
        field("filings", &NotFiled::filings, between(1, 32), "in the order of the report"));
  }
};

struct ClaimOpened {
  static constexpr std::string_view kTypeName = "ClaimOpened";
  static constexpr EventKind kKind = EventKind::opened;
  Version<1> version;
  ClaimId claim;
  InstitutionId insurer;
  std::uint32_t payload_version = 0;
  TimeMs due;  ///< when the insurer's decision is due

  static constexpr auto fields() {
    return field_list(field("version", &ClaimOpened::version, "format version"),
                      field("claim", &ClaimOpened::claim, "claim"),
                      field("insurer", &ClaimOpened::insurer, "who received the payload"),
                      field("payload_version", &ClaimOpened::payload_version, "version received"),
                      field("due", &ClaimOpened::due, "when the decision is due, ms"));
  }
};

struct WithdrawnClaim {
  static constexpr std::string_view kTypeName = "WithdrawnClaim";
  ClaimId claim;
  InstitutionId insurer;

  friend bool operator==(const WithdrawnClaim&, const WithdrawnClaim&) = default;
  static constexpr auto fields() {
    return field_list(field("claim", &WithdrawnClaim::claim, "claim"),
                      field("insurer", &WithdrawnClaim::insurer, "its insurer"));
  }
};

struct ClaimsWithdrawn {
  static constexpr std::string_view kTypeName = "ClaimsWithdrawn";
  static constexpr EventKind kKind = EventKind::claims_withdrawn;
  Version<1> version;
  ConsentId consent;  ///< whose revocation withdrew them
  std::vector<WithdrawnClaim> claims;

  static constexpr auto fields() {
    return field_list(field("version", &ClaimsWithdrawn::version, "format version"),
                      field("consent", &ClaimsWithdrawn::consent, "revoked consent"),
                      field("claims", &ClaimsWithdrawn::claims, between(1, 64),
                            "filed claims that ended with it"));
  }
};

/// Rules of risk flags. The numbers only grow.
enum class FlagRule : std::uint8_t {
  receive_mismatch = 1,      ///< what arrived is not what was registered
  silent_countersigner = 2,  ///< the reporter did not answer for a day
};
constexpr auto enum_names(FlagRule) {
  return std::array<std::string_view, 3>{"", "receive_mismatch", "silent_countersigner"};
}

struct FlagRaised {
  static constexpr std::string_view kTypeName = "FlagRaised";
  static constexpr EventKind kKind = EventKind::flag_raised;
  Version<1> version;
  FlagRule rule{FlagRule::receive_mismatch};
  std::uint16_t rule_version = 1;
  Hash about;               ///< the grant, claim ... by rule
  InstitutionId raised_on;  ///< institution whose act raised it

  static constexpr auto fields() {
    return field_list(
        field("version", &FlagRaised::version, "format version"),
        field("rule", &FlagRaised::rule, "which rule"),
        field("rule_version", &FlagRaised::rule_version, "its version"),
        field("about", &FlagRaised::about, "what it is about: a grant, a claim, by rule"),
        field("raised_on", &FlagRaised::raised_on, "institution whose act raised it"));
  }
};

struct CatalogPublished {
  static constexpr std::string_view kTypeName = "CatalogPublished";
  static constexpr EventKind kKind = EventKind::catalog_published;
  Version<1> version;
  CatalogId catalog;
  std::uint32_t catalog_version = 0;
  InstitutionId publisher;

  static constexpr auto fields() {
    return field_list(field("version", &CatalogPublished::version, "format version"),
                      field("catalog", &CatalogPublished::catalog, "catalogue"),
                      field("catalog_version", &CatalogPublished::catalog_version, "its version"),
                      field("publisher", &CatalogPublished::publisher, "who published it"));
  }
};

template <typename Body>
ledger::Event make_event(const Body& body) {
  return {static_cast<std::uint16_t>(Body::kKind), encode(body)};
}

/// The body of an event; nullopt for another kind or bytes that do not decode.
template <typename Body>
std::optional<Body> event_as(const ledger::Event& event) {
  if (event.kind != static_cast<std::uint16_t>(Body::kKind)) return std::nullopt;
  auto body = decode<Body>(event.body);
  if (!body) return std::nullopt;
  return std::move(*body);
}

/// The first event of this kind in a receipt.
template <typename Body>
std::optional<Body> find_event(const ledger::Receipt& receipt) {
  for (const ledger::Event& event : receipt.events) {
    if (auto body = event_as<Body>(event)) return body;
  }
  return std::nullopt;
}

}  // namespace baolian::contracts
