/// Products as people write and read them: JSON with amounts and shares as decimal texts, dates as
/// civil dates, names in both languages and a provenance for each value. docs/products/ has
/// the format. What is hashed is the canonical form, never this text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "contracts/adjudication/product.h"
#include "core/result.h"

namespace baolian::gateway {

inline constexpr std::size_t kProductBytesMax = std::size_t{1} << 20;

/// Reads a product and checks all of it.
/// Returns: Errc::bad_json, limit_exceeded for a text that is no JSON or too large; bad_argument
/// for a member that is unknown, missing or of another kind, for a value without provenance and a
/// provenance without value, and for what check_product() refuses; bad_amount; each names the
/// place.
Result<contracts::Product> read_product_json(std::string_view text);

/// The same text form, indented, with a newline at the end: read_product_json() gives the product
/// back. Requires: what read_product_json() demands.
std::string write_product_json(const contracts::Product& product);

/// One value of a product, as a person reads it.
struct ProductValue {
  std::string path;   ///< "groups/1/tiers": groups and liabilities by their numbers
  std::string value;  ///< "20% above 6,000.00 CNY, 80% above 20,000.00 CNY"
  const contracts::Provenance* provenance = nullptr;  ///< the closest that covers it; null if none
};

/// Every value, in the order of the file. A provenance covers the value of its path and those below
/// it: "liabilities/1" covers "liabilities/1/limit". Pointers live as long as the product.
std::vector<ProductValue> product_values(const contracts::Product& product);

}  // namespace baolian::gateway
