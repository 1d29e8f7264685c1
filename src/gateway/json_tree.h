/// A JSON text as a tree that keeps what FHIR input needs and a general JSON value loses: the text
/// of every number (amounts are read digit by digit, never as floating point) and where each object
/// stands in the source (resources are passed on byte for byte).
///
/// Bounds: depth 64, 1,000,000 values, no key twice in one object; the caller bounds the size.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace baolian::gateway {

inline constexpr std::size_t kJsonDepthMax = 64;
inline constexpr std::size_t kJsonValuesMax = 1'000'000;

struct JsonNode {
  enum class Kind : std::uint8_t { null, boolean, number, text, list, object };
  Kind kind = Kind::null;
  std::uint32_t begin = 0;      ///< objects: offset of '{' in the source
  std::uint32_t end = 0;        ///< objects: offset after '}'
  std::string text;             ///< number: as written; text: unescaped; boolean: "true" or "false"
  std::vector<JsonNode> items;  ///< list items, or an object's values
  std::vector<std::string> keys;  ///< an object's keys, one for each of items

  /// The member of an object; null if absent, or if this is no object.
  const JsonNode* find(std::string_view key) const;
};

/// Parses a whole text of at most 4 GiB.
/// Returns: Errc::bad_json with the byte at which it went wrong, Errc::limit_exceeded above the
/// bounds. The text itself is never repeated in the error.
Result<JsonNode> parse_json(std::string_view text);

/// The text in quotation marks, escaped.
std::string json_quoted(std::string_view text);

// Typed members. `place` says where in the file we are, for the error: "entry 12 (Claim)".
// All return Errc::fhir_invalid if the member is there but of another kind.

/// The object under `key`; null if absent.
Result<const JsonNode*> object_member(const JsonNode& object, std::string_view key,
                                      std::string_view place);

/// The list of objects under `key`; empty if absent.
Result<std::span<const JsonNode>> list_member(const JsonNode& object, std::string_view key,
                                              std::string_view place);

/// The text under `key`; empty if absent. Also Errc::limit_exceeded above size_max bytes.
Result<std::string> text_member(const JsonNode& object, std::string_view key, std::size_t size_max,
                                std::string_view place);

/// The number under `key`, as written; empty if absent.
Result<std::string> number_member(const JsonNode& object, std::string_view key,
                                  std::string_view place);

}  // namespace baolian::gateway
