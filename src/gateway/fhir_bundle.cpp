#include "gateway/fhir_bundle.h"

#include "gateway/payload.h"

namespace baolian::gateway {

std::string BundleEntry::place() const {
  return "entry " + std::to_string(index) + " (" + std::string(type) + ")";
}

Result<Bundle> Bundle::parse(std::string_view text) {
  TRY(JsonNode root, parse_json(text));
  Bundle bundle;
  bundle.root_.push_back(std::move(root));
  const JsonNode& top = bundle.root_.front();
  if (top.kind != JsonNode::Kind::object) {
    return fail(Errc::fhir_invalid, "the file is no JSON object; a FHIR R4 Bundle is expected");
  }
  TRY(const std::string type, text_member(top, "resourceType", 64, "file"));
  if (type != "Bundle") {
    return fail(Errc::fhir_invalid, "the file is no FHIR Bundle (resourceType)");
  }
  TRY(const auto entries, list_member(top, "entry", "Bundle"));
  for (std::size_t i = 0; i < entries.size(); ++i) TRY(bundle.add_entry(i, entries[i]));
  return bundle;
}

Result<void> Bundle::add_entry(std::size_t index, const JsonNode& entry) {
  const std::string place = "entry " + std::to_string(index);
  TRY(const JsonNode* resource, object_member(entry, "resource", place));
  if (resource == nullptr) return ok();
  const auto text_view = [](const JsonNode& node, std::string_view key) {
    const JsonNode* member = node.find(key);
    return member == nullptr ? std::string_view{} : std::string_view(member->text);
  };
  TRY(const std::string type, text_member(*resource, "resourceType", 64, place));
  TRY(text_member(*resource, "id", 256, place));
  TRY(text_member(entry, "fullUrl", 2048, place));
  // FHIR type names are letters only; anything else has no business in an error text.
  if (type.empty() || type.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "abcdefghijklmnopqrstuvwxyz") != std::string::npos) {
    return fail(Errc::fhir_invalid, place + ": the resource has no resourceType");
  }
  const BundleEntry added{.index = index,
                          .resource = resource,
                          .type = text_view(*resource, "resourceType"),
                          .id = text_view(*resource, "id"),
                          .full_url = text_view(entry, "fullUrl")};
  const std::size_t position = entries_.size();
  entries_.push_back(added);
  const auto name = [&](std::string key) {
    const auto [at, inserted] = by_reference_.emplace(std::move(key), position);
    return inserted || at->second == position;
  };
  const bool url_free = added.full_url.empty() || name(std::string(added.full_url));
  const bool id_free = added.id.empty() || name(type + '/' + std::string(added.id));
  if (!url_free || !id_free) {
    return fail(Errc::fhir_invalid,
                added.place() + ": an earlier entry has the same fullUrl or the same id");
  }
  return ok();
}

const BundleEntry* Bundle::resolve(std::string_view reference) const {
  const auto it = by_reference_.find(reference.substr(0, reference.find("/_history/")));
  return it == by_reference_.end() ? nullptr : &entries_[it->second];
}

const BundleEntry* Bundle::resolve(const JsonNode* reference) const {
  if (reference == nullptr) return nullptr;
  const JsonNode* text = reference->find("reference");
  if (text == nullptr || text->kind != JsonNode::Kind::text) return nullptr;
  return resolve(text->text);
}

std::string Bundle::extract(const std::vector<const BundleEntry*>& entries,
                            std::string_view source) {
  std::string out = R"({"resourceType":"Bundle","type":"collection","entry":[)";
  bool first = true;
  for (const BundleEntry* entry : entries) {
    const JsonNode& resource = *entry->resource;
    ASSERT(resource.end <= source.size() && resource.begin < resource.end);
    ASSERT(source[resource.begin] == '{' && source[resource.end - 1] == '}');
    out += first ? "{" : ",{";
    first = false;
    if (!entry->full_url.empty()) out += "\"fullUrl\":" + json_quoted(entry->full_url) + ',';
    out += "\"resource\":";
    out += source.substr(resource.begin, resource.end - resource.begin);
    out += '}';
  }
  out += "]}\n";
  return out;
}

Result<void> refuse_modifiers(const JsonNode& node, std::string_view place) {
  if (node.find("modifierExtension") != nullptr || node.find("implicitRules") != nullptr) {
    return fail(Errc::fhir_invalid,
                std::string(place) +
                    ": modifierExtension or implicitRules may change the meaning and are not known "
                    "here; send the resource without them");
  }
  return ok();
}

Result<Coding> first_coding(const JsonNode* concept_node, std::string_view place) {
  if (concept_node == nullptr) return Coding{};
  TRY(const auto codings, list_member(*concept_node, "coding", place));
  for (const JsonNode& node : codings) {
    Coding coding;
    TRY(coding.code, text_member(node, "code", kIdentifierBytesMax, place));
    if (coding.code.empty()) continue;
    TRY(coding.system, text_member(node, "system", kSystemBytesMax, place));
    TRY(coding.version, text_member(node, "version", kIdentifierBytesMax, place));
    TRY(coding.display, text_member(node, "display", kNameBytesMax, place));
    return coding;
  }
  return Coding{};
}

Result<bool> has_code(const JsonNode* concept_node, std::string_view code, std::string_view place) {
  if (concept_node == nullptr) return false;
  TRY(const auto codings, list_member(*concept_node, "coding", place));
  for (const JsonNode& node : codings) {
    TRY(const std::string found, text_member(node, "code", kIdentifierBytesMax, place));
    if (found == code) return true;
  }
  return false;
}

Result<std::string> concept_name(const JsonNode* concept_node, std::string_view place) {
  if (concept_node == nullptr) return std::string{};
  TRY(std::string name, text_member(*concept_node, "text", kNameBytesMax, place));
  if (!name.empty()) return name;
  TRY(Coding coding, first_coding(concept_node, place));
  return coding.display.empty() ? coding.code : coding.display;
}

Result<const JsonNode*> extension(const JsonNode& node, std::string_view url,
                                  std::string_view place) {
  TRY(const auto extensions, list_member(node, "extension", place));
  const JsonNode* found = nullptr;
  for (const JsonNode& candidate : extensions) {
    const JsonNode* name = candidate.find("url");
    if (name == nullptr || name->kind != JsonNode::Kind::text || name->text != url) continue;
    if (found != nullptr) {
      return fail(Errc::fhir_invalid, std::string(place) + ": one of our extensions stands twice");
    }
    found = &candidate;
  }
  return found;
}

}  // namespace baolian::gateway
