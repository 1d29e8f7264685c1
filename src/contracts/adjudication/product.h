/// Products as data: what an insurance product pays, in the chain's minor units and in exact
/// integers. The content's hash stands on the chain (product.register); the content itself is
/// public.
///
/// Every value says where it comes from (Provenance), because a product's published sentences
/// rarely give all of them (docs/products/).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contracts/claims/decision_operations.h"
#include "contracts/products/operations.h"
#include "contracts/types.h"

namespace baolian::contracts {

inline constexpr std::uint32_t kPartsPerMillion = 1'000'000;

/// How the payout of a policy year so far is rounded to a minor unit.
enum class Rounding : std::uint8_t { half_up = 1, down = 2, half_even = 3 };
constexpr auto enum_names(Rounding) {
  return std::array<std::string_view, 4>{"", "half_up", "down", "half_even"};
}

/// Which part of a bill a liability looks at.
enum class ExpenseBase : std::uint8_t {
  whole_bill = 1,         ///< every item
  outside_catalogue = 2,  ///< items of catalogue class C (丙, 自费)
};
constexpr auto enum_names(ExpenseBase) {
  return std::array<std::string_view, 3>{"", "whole_bill", "outside_catalogue"};
}

/// Who decides on a liability's part: the engine, or always a person (terms that are no data yet).
enum class Decider : std::uint8_t { engine = 1, person = 2 };
constexpr auto enum_names(Decider) {
  return std::array<std::string_view, 3>{"", "engine", "person"};
}

enum class DeductibleScope : std::uint8_t { claim = 1, policy_year = 2 };
constexpr auto enum_names(DeductibleScope) {
  return std::array<std::string_view, 3>{"", "claim", "policy_year"};
}

enum class ProvenanceKind : std::uint8_t { given = 1, assumed = 2, third_party = 3 };
constexpr auto enum_names(ProvenanceKind) {
  return std::array<std::string_view, 4>{"", "given", "assumed", "third_party"};
}

/// A text in both languages.
struct BothLanguages {
  static constexpr std::string_view kTypeName = "BothLanguages";
  std::string zh;
  std::string en;

  friend bool operator==(const BothLanguages&, const BothLanguages&) = default;
  static constexpr auto fields() {
    return field_list(field("zh", &BothLanguages::zh, between(1, 512), "Chinese"),
                      field("en", &BothLanguages::en, between(1, 512), "English"));
  }
};

/// Codes from `first` to `last`, both included, of one system. A code is compared with `last` by as
/// many characters as `last` has: "O99" includes O99.8.
struct CodeRange {
  static constexpr std::string_view kTypeName = "CodeRange";
  std::string system;  ///< empty: any system
  std::string first;
  std::string last;

  friend auto operator<=>(const CodeRange&, const CodeRange&) = default;
  static constexpr auto fields() {
    return field_list(
        field("system", &CodeRange::system, at_most(256), "code system; empty = any"),
        field("first", &CodeRange::first, between(1, 128), "lowest code"),
        field("last", &CodeRange::last, between(1, 128), "highest code, by its own length"));
  }
  bool contains(std::string_view code_system, std::string_view code) const;
};

/// From this expense of the policy year on, up to the next tier, this share is paid.
struct Tier {
  static constexpr std::string_view kTypeName = "Tier";
  std::uint64_t above = 0;
  std::uint32_t ratio = 0;  ///< parts per million

  friend auto operator<=>(const Tier&, const Tier&) = default;
  static constexpr auto fields() {
    return field_list(field("above", &Tier::above, "expense, minor units"),
                      field("ratio", &Tier::ratio, "share paid, parts per million"));
  }
};

/// Expenses that run through one deductible and one set of tiers together.
struct DeductibleGroup {
  static constexpr std::string_view kTypeName = "DeductibleGroup";
  std::uint16_t id = 0;
  std::uint64_t amount = 0;
  DeductibleScope scope{DeductibleScope::policy_year};
  std::vector<Tier> tiers;

  friend auto operator<=>(const DeductibleGroup&, const DeductibleGroup&) = default;
  static constexpr auto fields() {
    return field_list(
        field("id", &DeductibleGroup::id, "number of the group"),
        field("amount", &DeductibleGroup::amount, "deductible, minor units; 0 = none"),
        field("scope", &DeductibleGroup::scope, "per claim or per policy year"),
        field("tiers", &DeductibleGroup::tiers, Limits{.max = 16, .min = 1, .ascending = true},
              "what is paid of the expense"));
  }
};

struct Liability {
  static constexpr std::string_view kTypeName = "Liability";
  std::uint16_t id = 0;
  BothLanguages name;
  Decider decider{Decider::engine};
  ExpenseBase base{ExpenseBase::whole_bill};
  std::uint16_t group = 0;             ///< its DeductibleGroup; unused where a person decides
  std::uint64_t limit = 0;             ///< of a policy year, minor units
  std::vector<CodeRange> not_covered;  ///< item codes that are not part of the expense base
  std::vector<CodeRange> covered;      ///< the only item codes that are; empty = every item

  friend bool operator==(const Liability&, const Liability&) = default;
  static constexpr auto fields() {
    return field_list(
        field("id", &Liability::id, "number of the liability"),
        field("name", &Liability::name, "for people"),
        field("decider", &Liability::decider, "engine or person"),
        field("base", &Liability::base, "which part of a bill"),
        field("group", &Liability::group, "its deductible group"),
        field("limit", &Liability::limit, "of a policy year, minor units"),
        field("not_covered", &Liability::not_covered, at_most(256), "items outside of it"),
        field("covered", &Liability::covered, at_most(256), "the only items in it; none = all"));
  }

  /// Whether the item's code is one that this liability is about, whatever the item's class.
  bool takes_code(std::string_view system, std::string_view code) const;
};

/// Where one value of the product comes from.
struct Provenance {
  static constexpr std::string_view kTypeName = "Provenance";
  std::string path;  ///< of the value, such as "groups/1/amount"
  ProvenanceKind kind{ProvenanceKind::assumed};
  std::string source;

  friend bool operator==(const Provenance&, const Provenance&) = default;
  static constexpr auto fields() {
    return field_list(field("path", &Provenance::path, between(1, 128), "which value"),
                      field("kind", &Provenance::kind, "given, assumed or third party"),
                      field("source", &Provenance::source, at_most(512), "in words"));
  }
};

struct Product {
  static constexpr std::string_view kTypeName = "Product";
  Version<1> version;
  BothLanguages name;
  std::string currency;
  std::uint8_t minor_digits = 2;
  CoverBasis cover_basis{CoverBasis::discharge};
  ClaimAuthorization authorization{ClaimAuthorization::standing};
  std::uint16_t payer_rank = 10;
  std::vector<PremiumSource> premium_sources;
  std::uint32_t from_day = 0;
  std::uint32_t to_day = 0;
  std::uint16_t waiting_days = 0;  ///< from the first day of a policy
  Rounding rounding{Rounding::half_up};
  std::uint64_t total_limit = 0;  ///< of a policy year over all liabilities, minor units
  std::vector<DeductibleGroup> groups;
  std::vector<Liability> liabilities;
  std::vector<CodeRange> excluded_diagnoses;  ///< one of these: a person decides
  std::vector<Provenance> provenance;

  friend bool operator==(const Product&, const Product&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &Product::version, "format version"),
        field("name", &Product::name, "for people"),
        field("currency", &Product::currency, between(3, 3), "ISO 4217"),
        field("minor_digits", &Product::minor_digits, "of the currency"),
        field("cover_basis", &Product::cover_basis, "which date must be covered"),
        field("authorization", &Product::authorization, "consent per claim or standing"),
        field("payer_rank", &Product::payer_rank, "order among payers"),
        field("premium_sources", &Product::premium_sources,
              Limits{.max = 3, .min = 1, .ascending = true}, "allowed sources"),
        field("from_day", &Product::from_day, "first civil day of a cover"),
        field("to_day", &Product::to_day, "last one"),
        field("waiting_days", &Product::waiting_days, "from the first day of a policy"),
        field("rounding", &Product::rounding, "of the payout of the year so far"),
        field("total_limit", &Product::total_limit, "of a policy year, minor units"),
        field("groups", &Product::groups, Limits{.max = 16, .min = 1, .ascending = true},
              "deductible groups, by number"),
        field("liabilities", &Product::liabilities, Limits{.max = 32, .min = 1}, "by number"),
        field("excluded_diagnoses", &Product::excluded_diagnoses, at_most(256),
              "a person decides on a bill with one of these"),
        field("provenance", &Product::provenance, at_most(512), "of each value"));
  }

  const DeductibleGroup* find_group(std::uint16_t id) const;
};

/// Everything that a product must be beyond its encoding: numbers ascend from 1, groups exist,
/// tiers begin at the deductible or above and pay at most everything, limits add up, and a policy
/// has at most kAccumulatorsMax accumulators. Returns: Errc::bad_argument with the sentence that
/// says which value and why.
Result<void> check_product(const Product& product);

/// H("public" || canonical bytes): ProductRegister::content. Requires: what decode<Product>
/// demands.
Hash product_content_hash(const Product& product);

/// Order-free: whichever order the bills of a year come in, the sum paid is the same (only
/// deductibles of the policy year; one liability, so that none takes an invoice's remainder or the
/// total limit from another).
bool is_order_free(const Product& product);

}  // namespace baolian::contracts
