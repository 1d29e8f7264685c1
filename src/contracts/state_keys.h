/// The natural keys of the state: ASCII prefix, '/', then fixed-width binary; integers in keys are
/// big-endian, so that scans follow their order (formats.md, State). docs/formats.md lists them.
///
/// | key | value |
/// |---|---|
/// | epoch/ u64 epoch | EpochRecord |
/// | rules/ | ChainRules |
/// | institution/ institution | InstitutionState |
/// | member/ signing key | MemberState |
/// | member_id/ institution, member | the member's signing key |
/// | nonce/ signing key | NonceWindow |
/// | journal/ institution, vault member | Journal |
/// | consent/ consent | ConsentState, of one that did not come with a policy |
/// | subject_consent/ audience, subject, consent | empty, likewise |
/// | consent_claim/ consent, claim | empty, while the claim is filed |
/// | person_key/ audience, subject | PersonKeyState |
/// | person_key_used/ key | empty |
/// | record/ record | RecordState |
/// | record_version/ record, u32 version | RecordVersion |
/// | holder/ record, u32 version, institution | HolderState |
/// | grant/ grant | GrantState |
/// | grant_end/ u64 time, grant | empty |
/// | product/ product, u32 version | ProductState |
/// | catalog/ catalog, u32 version | CatalogState |
/// | catalog_content/ hash | empty |
/// | policy/ policy | PolicyState, with the consent that came with it |
/// | subject_policy/ audience, subject, u32 last day of cover, policy | empty |
/// | encounter/ tag | EncounterState |
/// | invoice/ tag | InvoiceState |
/// | claim/ claim | ClaimState |
/// | decision/ claim, u16 number | DecisionState |
/// | policy_total/ policy | PolicyTotal |
/// | accumulator/ policy, u16 id | AccumulatorState |
/// | encounter_claim/ encounter, policy | the claim's id |
/// | insurer_claim/ insurer, claim | empty |
/// | deadline/ u64 time, claim, u8 kind | empty |
///
/// An "empty" value is one byte: the version 1 of a marker.
#pragma once

#include <optional>

#include "contracts/types.h"
#include "core/bytes.h"
#include "core/ids.h"

namespace baolian::contracts {

/// The value of keys that say all by being there.
struct Marker {
  static constexpr std::string_view kTypeName = "Marker";
  Version<1> version;

  friend bool operator==(const Marker&, const Marker&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &Marker::version, "format version"));
  }
};

/// What a claim waits for.
enum class DeadlineKind : std::uint8_t {
  none = 0,
  insurer_request = 1,   ///< filed: the insurer requests the payload
  hospital_release = 2,  ///< granted: the reporter releases it
  insurer_decide = 3,    ///< opened: the insurer decides
  person_paper = 4,      ///< waiting_paper: the person brings what is missing
  insurer_review = 5,    ///< in_review: a person of the insurer decides
  insurer_pay = 6,       ///< of a decision: the insurer pays
  insurer_explain = 7,   ///< of a decision: the insurer explains what is withheld
};
constexpr auto enum_names(DeadlineKind) {
  return std::array<std::string_view, 8>{"none",           "insurer_request", "hospital_release",
                                         "insurer_decide", "person_paper",    "insurer_review",
                                         "insurer_pay",    "insurer_explain"};
}

namespace keys {

Bytes epoch(Epoch epoch);
Bytes rules();
Bytes institution(const InstitutionId& id);
Bytes members();  ///< begins the keys of members and of their ids, and no others
Bytes member(const PublicKey& signing_key);
Bytes member_id(const InstitutionId& institution, const MemberId& member);
Bytes nonce(const PublicKey& signing_key);
Bytes journal(const InstitutionId& institution, const MemberId& vault);

Bytes consent(const ConsentId& id);
/// Prefix of all consents of a subject that did not come with a policy.
Bytes subject_consents(const SubjectId& subject);
Bytes subject_consent(const SubjectId& subject, const ConsentId& consent);
/// Prefix of all filed claims that rest on a consent.
Bytes consent_claims(const ConsentId& consent);
Bytes consent_claim(const ConsentId& consent, const ClaimId& claim);

Bytes person_key(const SubjectId& subject);
Bytes person_key_used(const PublicKey& key);

Bytes record(const RecordId& id);
Bytes record_version(const RecordRef& record);
Bytes holder(const RecordRef& record, const InstitutionId& institution);
/// Prefix of all holders of a version.
Bytes holders(const RecordRef& record);
Bytes grant(const GrantId& id);
/// Prefix of all ends of grants, ascending by time.
Bytes grant_ends();
/// Below all that end at this time or later, above all that end before.
Bytes grant_ends_from(TimeMs end);
Bytes grant_end(TimeMs end, const GrantId& id);

Bytes product(const ProductId& id, std::uint32_t version);
Bytes catalog(const CatalogId& id, std::uint32_t version);
/// There while any version of any catalogue has this content.
Bytes catalog_content(const Hash& content);
Bytes policy(const PolicyId& id);
/// Prefix of all policies of a subject, ascending by last day of cover.
Bytes subject_policies(const SubjectId& subject);
/// The first key of policies whose cover ends on `last_day` or later.
Bytes subject_policies_from(const SubjectId& subject, std::uint32_t last_day);
Bytes subject_policy(const SubjectId& subject, std::uint32_t last_day, const PolicyId& policy);

Bytes encounter(const Tag32& tag);
Bytes invoice(const Tag32& tag);
/// Prefix of all claims, ascending by id.
Bytes claims();
Bytes claim(const ClaimId& id);
/// Prefix of all claims of an encounter.
Bytes encounter_claims(const Tag32& encounter);
Bytes encounter_claim(const Tag32& encounter, const PolicyId& policy);
/// Prefix of all claims of an insurer.
Bytes insurer_claims(const InstitutionId& insurer);
Bytes insurer_claim(const InstitutionId& insurer, const ClaimId& claim);
/// Prefix of all deadlines, ascending by time.
Bytes deadlines();
/// Below all of this time or later, above all before.
Bytes deadlines_from(TimeMs due);
Bytes deadline(TimeMs due, const ClaimId& claim, DeadlineKind kind);
/// What a key under deadlines() says; nullopt for another key.
struct Deadline {
  TimeMs time;
  ClaimId claim;
  DeadlineKind kind{DeadlineKind::none};
};
std::optional<Deadline> read_deadline(BytesView key);

Bytes decision(const ClaimId& claim, std::uint16_t number);
Bytes policy_total(const PolicyId& policy);
/// Prefix of all accumulators of a policy.
Bytes accumulators(const PolicyId& policy);
Bytes accumulator(const PolicyId& policy, std::uint16_t id);

/// The last 32 bytes of a key as an id: of the keys that end with one. Requires: 32 bytes or more.
template <typename Id>
Id last_id(BytesView key) {
  ASSERT(key.size() >= Id::kSize);
  return Id::from(key.subspan(key.size() - Id::kSize));
}

}  // namespace keys
}  // namespace baolian::contracts
