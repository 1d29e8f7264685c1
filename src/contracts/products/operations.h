/// Operations on products. A product's content is data of a later issue: here it is a hash, and a
/// product whose hash is zero can be filed and opened, never decided.
#pragma once

#include <vector>

#include "contracts/operation_kind.h"
#include "contracts/types.h"

namespace baolian::contracts {

/// Which date must lie inside the cover.
enum class CoverBasis : std::uint8_t { admission = 1, discharge = 2, item_date = 3 };
constexpr auto enum_names(CoverBasis) {
  return std::array<std::string_view, 4>{"", "admission", "discharge", "item_date"};
}

enum class PremiumSource : std::uint8_t {
  cash = 1,
  own_account = 2,     ///< own personal account of basic insurance
  lineal_account = 3,  ///< a lineal relative's: needs the bureau's attestation
};
constexpr auto enum_names(PremiumSource) {
  return std::array<std::string_view, 4>{"", "cash", "own_account", "lineal_account"};
}

/// 一案一授权: whether each claim needs a consent of its own.
enum class ClaimAuthorization : std::uint8_t { standing = 0, per_claim = 1 };
constexpr auto enum_names(ClaimAuthorization) {
  return std::array<std::string_view, 2>{"standing", "per_claim"};
}

/// product.register, by the insurer. Versions of a product follow each other from 1.
struct ProductRegister {
  static constexpr std::string_view kTypeName = "ProductRegister";
  static constexpr OperationKind kKind = OperationKind::product_register;
  Version<1> version;
  ProductId product;  ///< 32 random bytes, first use wins
  std::uint32_t product_version = 1;
  InstitutionId insurer;
  Hash content;  ///< H("public" || content), public; zeros = without content
  CoverBasis cover_basis{CoverBasis::discharge};
  ClaimAuthorization authorization{ClaimAuthorization::standing};
  std::uint16_t payer_rank = 10;  ///< 0 basic insurance, 10 city inclusive, 20 group, 30 individual
  std::vector<PremiumSource> premium_sources;
  std::uint32_t from_day = 0;  ///< first civil day on which a cover may start, since 1970-01-01
  std::uint32_t to_day = 0;    ///< last one

  friend bool operator==(const ProductRegister&, const ProductRegister&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &ProductRegister::version, "format version"),
        field("product", &ProductRegister::product, "32 random bytes; first use wins"),
        field("product_version", &ProductRegister::product_version, "from 1, without gaps"),
        field("insurer", &ProductRegister::insurer, "the sender's institution"),
        field("content", &ProductRegister::content,
              "H(\"public\" || content); zeros = without content"),
        field("cover_basis", &ProductRegister::cover_basis, "which date must be covered"),
        field("authorization", &ProductRegister::authorization, "consent per claim or standing"),
        field("payer_rank", &ProductRegister::payer_rank, "order among payers"),
        field("premium_sources", &ProductRegister::premium_sources,
              Limits{.max = 3, .min = 1, .ascending = true}, "how premiums may be paid"),
        field("from_day", &ProductRegister::from_day,
              "first civil day of a cover's start, days since 1970-01-01"),
        field("to_day", &ProductRegister::to_day, "last civil day of a cover's start"));
  }
};

}  // namespace baolian::contracts
