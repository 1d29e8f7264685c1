/// What the state keeps of products and policies.
#pragma once

#include "contracts/consent/state.h"
#include "contracts/policies/operations.h"
#include "contracts/products/operations.h"

namespace baolian::contracts {

/// A product version as it was registered.
struct ProductState {
  static constexpr std::string_view kTypeName = "ProductState";
  Version<1> version;
  InstitutionId insurer;
  Hash content;
  CoverBasis cover_basis{CoverBasis::discharge};
  ClaimAuthorization authorization{ClaimAuthorization::standing};
  std::uint16_t payer_rank = 0;
  std::vector<PremiumSource> premium_sources;
  std::uint32_t from_day = 0;
  std::uint32_t to_day = 0;
  TimeMs registered_at;

  friend bool operator==(const ProductState&, const ProductState&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &ProductState::version, "format version"),
        field("insurer", &ProductState::insurer, "whose it is"),
        field("content", &ProductState::content, "hash of the content; zeros = none"),
        field("cover_basis", &ProductState::cover_basis, "which date must be covered"),
        field("authorization", &ProductState::authorization, "consent per claim or standing"),
        field("payer_rank", &ProductState::payer_rank, "order among payers"),
        field("premium_sources", &ProductState::premium_sources,
              Limits{.max = 3, .min = 1, .ascending = true}, "how premiums may be paid"),
        field("from_day", &ProductState::from_day, "first civil day of a cover's start"),
        field("to_day", &ProductState::to_day, "last civil day of a cover's start"),
        field("registered_at", &ProductState::registered_at, "block time, ms"));
  }
};

enum class PolicyPhase : std::uint8_t { active = 1, lapsed = 2, refunded = 3 };
constexpr auto enum_names(PolicyPhase) {
  return std::array<std::string_view, 4>{"", "active", "lapsed", "refunded"};
}

/// What of the consent that came with a policy does not follow from the policy.
struct EnrolmentConsent {
  static constexpr std::string_view kTypeName = "EnrolmentConsent";
  std::vector<Purpose> purposes;
  std::vector<RecordClass> classes;
  Level level_ceiling{Level::one};
  AutomaticReading automatic{AutomaticReading::refused};
  std::uint16_t text_version = 0;
  TimeMs to;
  Commitment evidence;
  Attestation attestation{Attestation::grantee_attested};
  InstitutionId attested_by;  ///< zeros for grantee_attested
  TimeMs attested_at;         ///< from here on it has effect; 0 while it has none
  TimeMs revoked_at;          ///< 0 while it stands

  friend bool operator==(const EnrolmentConsent&, const EnrolmentConsent&) = default;
  static constexpr auto fields() {
    return field_list(
        field("purposes", &EnrolmentConsent::purposes,
              Limits{.max = 8, .min = 1, .ascending = true}, "for what"),
        field("classes", &EnrolmentConsent::classes, Limits{.max = 5, .min = 1, .ascending = true},
              "which classes of records"),
        field("level_ceiling", &EnrolmentConsent::level_ceiling, "highest level included"),
        field("automatic", &EnrolmentConsent::automatic, "whether programs may read by themselves"),
        field("text_version", &EnrolmentConsent::text_version, "consent text that the person saw"),
        field("to", &EnrolmentConsent::to, "block time from which it no longer holds, ms"),
        field("evidence", &EnrolmentConsent::evidence, "salted commitment to the evidence"),
        field("attestation", &EnrolmentConsent::attestation, "how it is attested"),
        field("attested_by", &EnrolmentConsent::attested_by, "attesting institution or zeros"),
        field("attested_at", &EnrolmentConsent::attested_at, "block time, ms; 0 = without effect"),
        field("revoked_at", &EnrolmentConsent::revoked_at, "block time, ms; 0 = stands"));
  }
};

/// A policy and the consent with which its holder enrolled: one row, for most policies are
/// never touched again.
struct PolicyState {
  static constexpr std::string_view kTypeName = "PolicyState";
  Version<1> version;
  SubjectId subject;  ///< the insurer is its audience
  ProductId product;
  std::uint32_t product_version = 0;
  std::uint8_t premium_class = 0;
  PremiumSource premium_source{PremiumSource::cash};
  std::uint32_t from_day = 0;
  std::uint32_t to_day = 0;
  EnrolmentConsent consent;
  TimeMs enrolled_at;
  PolicyPhase phase{PolicyPhase::active};

  const InstitutionId& insurer() const { return subject.audience; }
  friend bool operator==(const PolicyState&, const PolicyState&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &PolicyState::version, "format version"),
        field("subject", &PolicyState::subject, "the insured; the audience is the insurer"),
        field("product", &PolicyState::product, "product"),
        field("product_version", &PolicyState::product_version, "its version"),
        field("premium_class", &PolicyState::premium_class, "class of the product"),
        field("premium_source", &PolicyState::premium_source, "how the premium is paid"),
        field("from_day", &PolicyState::from_day, "first civil day of cover"),
        field("to_day", &PolicyState::to_day, "last civil day of cover"),
        field("consent", &PolicyState::consent, "the consent that came with it, under its id"),
        field("enrolled_at", &PolicyState::enrolled_at, "block time, ms"),
        field("phase", &PolicyState::phase, "whether it stands"));
  }
};

/// The consent that came with a policy, as if it had been given by itself.
ConsentState consent_of(const PolicyId& id, const PolicyState& policy);

}  // namespace baolian::contracts
