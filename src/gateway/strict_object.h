/// A JSON object whose members are all known: what a person wrote in a product, a code map or a
/// supplement. A member that is unknown, absent or of another kind is an error that names where it
/// stands, such as "groups[0].tiers[1].ratio". Internal to gateway.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/codec.h"
#include "core/result.h"
#include "gateway/json_tree.h"

namespace baolian::gateway {

/// Digits after the point of a share, such as "0.2".
inline constexpr unsigned kRatioDigits = 6;

/// Reads the members one by one; finish() says which were not asked for. Lives as long as the node.
/// All return Errc::bad_argument for a member that is absent, of another kind or out of range, and
/// bad_amount for an amount that cannot be read exactly.
class StrictObject {
 public:
  static Result<StrictObject> open(const JsonNode& node, std::string place);

  bool has(std::string_view key) const { return node_->find(key) != nullptr; }

  Result<std::string> text(std::string_view key);
  Result<std::uint64_t> whole(std::string_view key, std::uint64_t max);
  /// "6000.00" in minor units: a text, since JSON readers lose digits of numbers.
  Result<std::uint64_t> amount(std::string_view key, unsigned minor_digits);
  /// "0.2" in parts per million.
  Result<std::uint32_t> ratio(std::string_view key);
  /// "2026-01-31" as days since 1970-01-01.
  Result<std::uint32_t> date(std::string_view key);
  Result<StrictObject> object(std::string_view key);
  /// The objects of a list, each with its place.
  Result<std::vector<StrictObject>> objects(std::string_view key);
  Result<std::vector<std::string>> texts(std::string_view key);

  /// One of the enum's names.
  template <CodecEnum E>
  Result<E> choice(std::string_view key) {
    TRY(const std::string name, text(key));
    const auto value = enum_from_name<E>(name);
    if (!value) return no_choice(key, enum_list<E>());
    return *value;
  }

  /// Returns: an error that names the first member that nobody asked for.
  Result<void> finish() const;

  /// "groups[0].amount".
  std::string place(std::string_view key) const;

 private:
  StrictObject(const JsonNode& node, std::string where) : node_(&node), where_(std::move(where)) {}
  Result<const JsonNode*> member(std::string_view key, JsonNode::Kind kind, const char* what);
  Error no_choice(std::string_view key, const std::string& names) const;

  template <CodecEnum E>
  static std::string enum_list() {
    std::string out;
    for (const std::string_view name : enum_names(E{})) {
      if (name.empty()) continue;
      out += (out.empty() ? "" : ", ") + std::string(name);
    }
    return out;
  }

  const JsonNode* node_;
  std::string where_;
  std::set<std::string, std::less<>> asked_;
};

/// Parses a whole text into its one object. Returns: Errc::limit_exceeded above bytes_max, else as
/// parse_json. `node` keeps the tree and must outlive the object.
Result<StrictObject> parse_strict(std::string_view text, std::size_t bytes_max, JsonNode& node);

/// "6000.00": an amount without separators, as amount() reads it. "0.2" for (200000, 6) if
/// `trimmed`.
enum class Zeros : std::uint8_t { kept, trimmed };
std::string decimal_text(std::uint64_t minor, unsigned digits, Zeros zeros);

}  // namespace baolian::gateway
