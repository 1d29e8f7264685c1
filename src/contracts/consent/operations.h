/// Operations of the consent contract.
#pragma once

#include <optional>
#include <vector>

#include "contracts/operation_kind.h"
#include "contracts/types.h"

namespace baolian::contracts {

enum class Giver : std::uint8_t { self = 1, guardian = 2 };
constexpr auto enum_names(Giver) { return std::array<std::string_view, 3>{"", "self", "guardian"}; }

/// A deny exception, one level deep: what matches every given part is not consented to.
struct ConsentException {
  static constexpr std::string_view kTypeName = "ConsentException";
  std::optional<InstitutionId> custodian;
  std::optional<RecordClass> record_class;
  std::optional<Purpose> purpose;

  friend auto operator<=>(const ConsentException&, const ConsentException&) = default;
  static constexpr auto fields() {
    return field_list(
        field("custodian", &ConsentException::custodian, "records of this custodian; none = any"),
        field("record_class", &ConsentException::record_class, "of this class; none = any"),
        field("purpose", &ConsentException::purpose, "for this purpose; none = any"));
  }
};

/// What a person agreed to. The same whether it came by consent.give or with an enrolment line, and
/// what consent.confirm names by its hash.
struct ConsentTerms {
  static constexpr std::string_view kTypeName = "ConsentTerms";
  ConsentId id;       ///< 32 random bytes, first use wins
  SubjectId subject;  ///< under the audience of the grantee: insurer X: X; others: care
  Giver giver{Giver::self};
  InstitutionId grantee;
  std::vector<Purpose> purposes;
  std::vector<RecordClass> classes;
  Level level_ceiling{Level::one};
  TimeMs from;                     ///< first block time; 0 = since it was given
  TimeMs to;                       ///< block time from which it no longer holds
  std::uint16_t text_version = 0;  ///< version of the consent text that the person saw
  Commitment evidence;             ///< to the signed form, recording ...; opened to the attestor
  std::optional<Tag32> encounter;  ///< scope: none = standing, else this encounter only
  AutomaticReading automatic{AutomaticReading::refused};
  std::vector<ConsentException> exceptions;

  friend bool operator==(const ConsentTerms&, const ConsentTerms&) = default;
  static constexpr auto fields() {
    return field_list(
        field("id", &ConsentTerms::id, "32 random bytes; first use wins"),
        field("subject", &ConsentTerms::subject, "the person, for the grantee's audience"),
        field("giver", &ConsentTerms::giver, "who gave it"),
        field("grantee", &ConsentTerms::grantee, "who may read"),
        field("purposes", &ConsentTerms::purposes, Limits{.max = 8, .min = 1, .ascending = true},
              "for what"),
        field("classes", &ConsentTerms::classes, Limits{.max = 5, .min = 1, .ascending = true},
              "which classes of records"),
        field("level_ceiling", &ConsentTerms::level_ceiling, "highest level included"),
        field("from", &ConsentTerms::from, "first block time, ms; 0 = since it was given"),
        field("to", &ConsentTerms::to, "block time from which it no longer holds, ms"),
        field("text_version", &ConsentTerms::text_version, "consent text that the person saw"),
        field("evidence", &ConsentTerms::evidence, "salted commitment to the evidence"),
        field("encounter", &ConsentTerms::encounter,
              "none = standing consent; else the tag of the one encounter"),
        field("automatic", &ConsentTerms::automatic, "whether programs may read by themselves"),
        field("exceptions", &ConsentTerms::exceptions, set_of(8), "what is not consented to"));
  }
};

/// H("consent" || canonical terms): what an attestor confirms.
Hash consent_hash(const ConsentTerms& terms);

/// consent.give. Cosigners: attestor (0..2), or the person with a registered key.
struct ConsentGive {
  static constexpr std::string_view kTypeName = "ConsentGive";
  static constexpr OperationKind kKind = OperationKind::consent_give;
  Version<1> version;
  ConsentTerms terms;

  friend bool operator==(const ConsentGive&, const ConsentGive&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &ConsentGive::version, "format version"),
                      field("terms", &ConsentGive::terms, "what the person agreed to"));
  }
};

struct ConsentReference {
  static constexpr std::string_view kTypeName = "ConsentReference";
  ConsentId id;
  Hash hash;  ///< consent_hash of its terms, so that nobody confirms what he did not see

  friend auto operator<=>(const ConsentReference&, const ConsentReference&) = default;
  static constexpr auto fields() {
    return field_list(field("id", &ConsentReference::id, "consent"),
                      field("hash", &ConsentReference::hash, "H(\"consent\" || terms)"));
  }
};

/// consent.confirm. Sender or cosigner: attestor; or cosigner: the person of all of them. All are
/// confirmed or none.
struct ConsentConfirm {
  static constexpr std::string_view kTypeName = "ConsentConfirm";
  static constexpr OperationKind kKind = OperationKind::consent_confirm;
  Version<1> version;
  std::vector<ConsentReference> consents;  ///< ascending

  friend bool operator==(const ConsentConfirm&, const ConsentConfirm&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &ConsentConfirm::version, "format version"),
                      field("consents", &ConsentConfirm::consents,
                            Limits{.max = 1000, .min = 1, .ascending = true},
                            "consents that the attestor vouches for"));
  }
};

/// consent.revoke. By the institution that submitted the consent unless it is the grantee, else
/// with an attestor as sender or cosigner, or the person as cosigner.
struct ConsentRevoke {
  static constexpr std::string_view kTypeName = "ConsentRevoke";
  static constexpr OperationKind kKind = OperationKind::consent_revoke;
  Version<1> version;
  ConsentId consent;
  Commitment evidence;  ///< to what the person said or signed

  friend bool operator==(const ConsentRevoke&, const ConsentRevoke&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &ConsentRevoke::version, "format version"),
        field("consent", &ConsentRevoke::consent, "consent that ends"),
        field("evidence", &ConsentRevoke::evidence, "salted commitment to the evidence"));
  }
};

/// consent.register_key: which key is a person's own, for one audience. Attestor as sender or
/// cosigner, of another institution than the audience's insurer; cosigner of capacity person: the
/// new key itself, which so proves that somebody holds it.
///
/// One key an audience: the same key under two audiences would show that two pseudonyms are one
/// person. So a key that was ever registered is never registered again.
struct ConsentRegisterKey {
  static constexpr std::string_view kTypeName = "ConsentRegisterKey";
  static constexpr OperationKind kKind = OperationKind::consent_register_key;
  Version<1> version;
  SubjectId subject;
  std::optional<PublicKey> key;  ///< in the place of an older one; none: the person has none now
  Commitment evidence;           ///< to what the attestor saw

  friend bool operator==(const ConsentRegisterKey&, const ConsentRegisterKey&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &ConsentRegisterKey::version, "format version"),
        field("subject", &ConsentRegisterKey::subject, "the person, for one audience"),
        field("key", &ConsentRegisterKey::key, "the person's own; none = the person has none"),
        field("evidence", &ConsentRegisterKey::evidence, "salted commitment to the evidence"));
  }
};

}  // namespace baolian::contracts
