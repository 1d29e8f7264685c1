/// Words that several native contracts share: subjects, purposes, classes of records, the basis of
/// a reading, journals. All are parts of operations, events and state, so they only grow.
#pragma once

#include <array>
#include <compare>
#include <vector>

#include "core/codec.h"
#include "core/ids.h"

namespace baolian::contracts {

/// The pseudonym of a person for one audience (privacy.md). Opaque here: who holds the audience's
/// key derived it. It is a public value and never serves as a key.
struct SubjectId {
  static constexpr std::string_view kTypeName = "SubjectId";
  InstitutionId audience;  ///< an insurer; zeros = care
  Tag32 value;

  bool is_care() const { return audience.is_zero(); }
  friend auto operator<=>(const SubjectId&, const SubjectId&) = default;
  static constexpr auto fields() {
    return field_list(
        field("audience", &SubjectId::audience, "institution that may derive it; zeros = care"),
        field("value", &SubjectId::value, "pseudonym of the person for this audience"));
  }
};

/// Why data is used (the FHIR/HL7 PurposeOfUse codes in capitals).
enum class Purpose : std::uint8_t {
  treat = 1,    ///< TREAT: treatment
  hpaymt = 2,   ///< HPAYMT: claims and payment
  hoperat = 3,  ///< HOPERAT: operations of the institution
  patrqt = 4,   ///< PATRQT: the person asked
  hresch = 5,   ///< HRESCH: research
  pubhlth = 6,  ///< PUBHLTH: public health
  hlegal = 7,   ///< HLEGAL: legal
  etreat = 8,   ///< ETREAT: emergency treatment
};
constexpr auto enum_names(Purpose) {
  return std::array<std::string_view, 9>{"",       "TREAT",   "HPAYMT", "HOPERAT", "PATRQT",
                                         "HRESCH", "PUBHLTH", "HLEGAL", "ETREAT"};
}

/// Coarse on purpose: finer labels are sealed, and enforced by the vault.
enum class RecordClass : std::uint8_t {
  administrative = 1,
  bill = 2,
  clinical_summary = 3,
  document = 4,
  image = 5,
};
constexpr auto enum_names(RecordClass) {
  return std::array<std::string_view, 6>{"",         "administrative", "bill", "clinical_summary",
                                         "document", "image"};
}

/// Confidentiality of a record, 1 (ordinary) to 5.
enum class Level : std::uint8_t { one = 1, two = 2, three = 3, four = 4, five = 5 };
constexpr auto enum_names(Level) {
  return std::array<std::string_view, 6>{"", "1", "2", "3", "4", "5"};
}

/// Whether a program may read by itself under a consent.
enum class AutomaticReading : std::uint8_t { refused = 0, allowed = 1 };
constexpr auto enum_names(AutomaticReading) {
  return std::array<std::string_view, 2>{"refused", "allowed"};
}

/// Whether a person or a program asked for a reading.
enum class ReadMode : std::uint8_t { human = 1, automatic = 2 };
constexpr auto enum_names(ReadMode) {
  return std::array<std::string_view, 3>{"", "human", "automatic"};
}

/// What made somebody read.
enum class Trigger : std::uint8_t {
  person_action = 1,
  claim_filed = 2,
  countersignature = 3,
  scheduled = 4,
  audit = 5,
};
constexpr auto enum_names(Trigger) {
  return std::array<std::string_view, 6>{
      "", "person_action", "claim_filed", "countersignature", "scheduled", "audit"};
}

/// Who answers with a signature for the originator of a reading.
enum class SignedBy : std::uint8_t {
  member = 1,       ///< the originator's own key: as sender, or as cosigner of capacity originator
  institution = 2,  ///< a system of the originator's institution: stated by the institution
};
constexpr auto enum_names(SignedBy) {
  return std::array<std::string_view, 3>{"", "member", "institution"};
}

enum class BasisKind : std::uint8_t {
  consent = 1,      ///< id = ConsentId
  claim = 2,        ///< id = ClaimId
  care = 3,         ///< id = commitment to registration or encounter; stated
  legal = 4,        ///< id = commitment to the order; a later issue
  break_glass = 5,  ///< a later issue
};
constexpr auto enum_names(BasisKind) {
  return std::array<std::string_view, 6>{"", "consent", "claim", "care", "legal", "break_glass"};
}

/// By what right a record is read.
struct Basis {
  static constexpr std::string_view kTypeName = "Basis";
  BasisKind kind{BasisKind::consent};
  Hash id;  ///< ConsentId, ClaimId or commitment, by kind

  friend bool operator==(const Basis&, const Basis&) = default;
  static constexpr auto fields() {
    return field_list(
        field("kind", &Basis::kind, "by what right"),
        field("id", &Basis::id, "consent id, claim id, or commitment to the encounter"));
  }
};

/// Reads an id as another type of the same size: a basis id as a ConsentId, a claim id as a log id.
template <typename To, typename Tag>
To id_cast(const FixedBytes<Tag, 32>& id) {
  static_assert(To::kSize == 32);
  To out;
  out.bytes = id.bytes;
  return out;
}

/// The member who wants to read, and who signs for that.
struct Originator {
  static constexpr std::string_view kTypeName = "Originator";
  InstitutionId institution;
  MemberId member;
  SignedBy signed_by{SignedBy::member};

  friend bool operator==(const Originator&, const Originator&) = default;
  static constexpr auto fields() {
    return field_list(field("institution", &Originator::institution, "the reader"),
                      field("member", &Originator::member, "its member who reads"),
                      field("signed_by", &Originator::signed_by, "whose key says so"));
  }
};

/// Where an institution's emergency journal stands (privacy.md, Release): an operation of a vault
/// is refused unless this equals what is committed. Zeros before any journal.
struct Journal {
  static constexpr std::string_view kTypeName = "Journal";
  std::uint32_t count = 0;
  Hash head;

  friend bool operator==(const Journal&, const Journal&) = default;
  static constexpr auto fields() {
    return field_list(field("count", &Journal::count, "entries submitted so far"),
                      field("head", &Journal::head, "hash of the last of them"));
  }
};

/// One version of a record.
struct RecordRef {
  static constexpr std::string_view kTypeName = "RecordRef";
  RecordId record;
  std::uint32_t version = 0;

  friend auto operator<=>(const RecordRef&, const RecordRef&) = default;
  static constexpr auto fields() {
    return field_list(field("record", &RecordRef::record, "record id"),
                      field("version", &RecordRef::version, "its version, from 1"));
  }
};

/// How a consent is attested (contracts.md, consent).
enum class Attestation : std::uint8_t {
  person_key = 1,        ///< (a) signature of a person key registered to the subject
  attestor = 2,          ///< (b) signature of an attestor that is not the grantee
  grantee_attested = 3,  ///< (c) neither: recorded, without effect until confirmed
};
constexpr auto enum_names(Attestation) {
  return std::array<std::string_view, 4>{"", "person_key", "attestor", "grantee_attested"};
}

/// What a decision on a claim comes to.
enum class Outcome : std::uint8_t {
  payable = 1,       ///< a sum is fixed, 0 included
  needs_paper = 2,   ///< something is missing that the person or the hospital can bring
  needs_person = 3,  ///< a member of the insurer decides
};
constexpr auto enum_names(Outcome) {
  return std::array<std::string_view, 4>{"", "payable", "needs_paper", "needs_person"};
}

/// Why a payable decision pays less than the bill. What a product declares is final; everything
/// else is provisional until the person had an explanation and a human route (PIPL 24).
enum class Withheld : std::uint8_t { none = 0, declared = 1, provisional = 2 };
constexpr auto enum_names(Withheld) {
  return std::array<std::string_view, 3>{"none", "declared", "provisional"};
}

}  // namespace baolian::contracts
