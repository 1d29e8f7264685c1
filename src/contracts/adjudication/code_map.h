/// A map from one code system to another, as versioned data: what a hospital writes and what an
/// insurer's terms are about. It never replaces the original code, and where two targets are
/// possible it says so instead of choosing (rule 11).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "contracts/adjudication/product.h"
#include "contracts/claims/payload.h"

namespace baolian::contracts {

inline constexpr std::uint32_t kMapEntriesMax = 65'536;

/// How a source code and its targets belong together.
enum class Relation : std::uint8_t {
  exact = 1,        ///< the one target means the same
  approximate = 2,  ///< the one target is the nearest there is
  ambiguous = 3,    ///< two or more targets; which one, only a person can say
  none = 4,         ///< no target
};
constexpr auto enum_names(Relation) {
  return std::array<std::string_view, 5>{"", "exact", "approximate", "ambiguous", "none"};
}

/// One code of the target system.
struct MapTarget {
  static constexpr std::string_view kTypeName = "MapTarget";
  std::string code;
  std::string name;  ///< Chinese, as the target system prints it

  friend auto operator<=>(const MapTarget&, const MapTarget&) = default;
  static constexpr auto fields() {
    return field_list(
        field("code", &MapTarget::code, between(1, kIdentifierBytesMax), "code of the target"),
        field("name", &MapTarget::name, between(1, 512), "its name in Chinese"));
  }
};

struct MapEntry {
  static constexpr std::string_view kTypeName = "MapEntry";
  std::string source;
  Relation relation{Relation::none};
  std::vector<MapTarget> targets;  ///< 1 for exact and approximate, 2 or more, 0 for none

  friend auto operator<=>(const MapEntry&, const MapEntry&) = default;
  static constexpr auto fields() {
    return field_list(
        field("source", &MapEntry::source, between(1, kIdentifierBytesMax), "code of the source"),
        field("relation", &MapEntry::relation, "how they belong together"),
        field("targets", &MapEntry::targets, set_of(64), "codes of the target, ascending"));
  }
};

/// A code system in one of its editions.
struct SystemVersion {
  static constexpr std::string_view kTypeName = "SystemVersion";
  std::string system;
  std::string version;  ///< as its publisher calls it; empty if not stated

  friend bool operator==(const SystemVersion&, const SystemVersion&) = default;
  static constexpr auto fields() {
    return field_list(
        field("system", &SystemVersion::system, between(1, kSystemBytesMax), "code system"),
        field("version", &SystemVersion::version, at_most(kIdentifierBytesMax), "its edition"));
  }
};

/// What a code comes to in the target system.
struct Transcoding {
  Relation relation{Relation::none};
  std::vector<std::string> codes;  ///< of the target system: 1, 2 or more, or none

  friend bool operator==(const Transcoding&, const Transcoding&) = default;
};

struct CodeMap {
  static constexpr std::string_view kTypeName = "CodeMap";
  Version<1> version;
  BothLanguages name;
  SystemVersion source;
  SystemVersion target;
  std::string provenance;  ///< who made it, of what
  std::vector<MapEntry> entries;

  friend bool operator==(const CodeMap&, const CodeMap&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &CodeMap::version, "format version"),
        field("name", &CodeMap::name, "for people"),
        field("source", &CodeMap::source, "codes as they come"),
        field("target", &CodeMap::target, "codes that terms are about"),
        field("provenance", &CodeMap::provenance, between(1, 4096), "who made it, of what"),
        field("entries", &CodeMap::entries, set_of(kMapEntriesMax), "ascending by source code"));
  }

  /// A code of the target system stands for itself; one of a third system, or without an entry, is
  /// `none`. Editions are not compared: the map says which one it was made for.
  Transcoding lookup(std::string_view system, std::string_view code) const;
};

/// Everything that a map must be beyond its encoding: source and target differ, each source code
/// has one entry, and as many targets as its relation says.
/// Returns: Errc::bad_argument with the sentence that says which entry and why.
Result<void> check_code_map(const CodeMap& map);

/// H("public" || canonical bytes): under which name the content is known.
Hash code_map_content_hash(const CodeMap& map);

}  // namespace baolian::contracts
