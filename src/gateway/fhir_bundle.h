/// The entries of a FHIR bundle, and what a reference inside it points to. Internal to gateway.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "gateway/json_tree.h"

namespace baolian::gateway {

/// One entry that has a resource. Views and pointers live as long as the Bundle.
struct BundleEntry {
  std::size_t index = 0;  ///< in Bundle.entry, from 0
  const JsonNode* resource = nullptr;
  std::string_view type;
  std::string_view id;
  std::string_view full_url;

  /// "entry 12 (Claim)": where an error is. Never personal data.
  std::string place() const;
};

/// Ownership: owns the parsed tree; not copyable, since entries point into it.
class Bundle {
 public:
  /// Returns: as parse_json; Errc::fhir_invalid if this is no Bundle, an entry or resource is of
  /// the wrong shape, or two entries have the same fullUrl or the same type and id.
  static Result<Bundle> parse(std::string_view text);

  Bundle(Bundle&&) = default;
  Bundle& operator=(Bundle&&) = default;
  Bundle(const Bundle&) = delete;
  Bundle& operator=(const Bundle&) = delete;

  const std::vector<BundleEntry>& entries() const { return entries_; }

  /// The entry with this fullUrl, or Type/id, with or without /_history/...; null if none.
  const BundleEntry* resolve(std::string_view reference) const;

  /// The entry that a Reference object names; null if `reference` is null or names none. Tolerant:
  /// a malformed Reference names nothing.
  const BundleEntry* resolve(const JsonNode* reference) const;

  /// A bundle of type collection with those entries, in that order, each resource byte for byte.
  /// Requires: `source` is the text that this bundle was parsed from.
  static std::string extract(const std::vector<const BundleEntry*>& entries,
                             std::string_view source);

 private:
  Bundle() = default;
  Result<void> add_entry(std::size_t index, const JsonNode& entry);

  std::vector<JsonNode> root_;  ///< exactly one; on the heap, so that moving keeps addresses
  std::vector<BundleEntry> entries_;
  std::map<std::string, std::size_t, std::less<>> by_reference_;  ///< into entries_
};

/// Refuses what may turn a resource's meaning round.
/// Returns: Errc::fhir_invalid if the node has modifierExtension or implicitRules.
Result<void> refuse_modifiers(const JsonNode& node, std::string_view place);

/// The first coding of a CodeableConcept that has a code; all empty if there is none.
struct Coding {
  std::string system;
  std::string code;
  std::string version;
  std::string display;
};
Result<Coding> first_coding(const JsonNode* concept_node, std::string_view place);

/// True if any coding of the concept has this code.
Result<bool> has_code(const JsonNode* concept_node, std::string_view code, std::string_view place);

/// The words of a CodeableConcept: text, else the first coding's display, else its code.
Result<std::string> concept_name(const JsonNode* concept_node, std::string_view place);

/// The extension of this url on the node; null if absent.
/// Returns: Errc::fhir_invalid if it stands there twice.
Result<const JsonNode*> extension(const JsonNode& node, std::string_view url,
                                  std::string_view place);

}  // namespace baolian::gateway
