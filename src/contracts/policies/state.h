/// What the state keeps of products and policies.
#pragma once

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
  ConsentId consent;
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
        field("consent", &PolicyState::consent, "consent of the enrolment"),
        field("enrolled_at", &PolicyState::enrolled_at, "block time, ms"),
        field("phase", &PolicyState::phase, "whether it stands"));
  }
};

}  // namespace baolian::contracts
