/// What the state keeps of the catalogue.
#pragma once

#include "contracts/catalog/operations.h"
#include "core/codec.h"

namespace baolian::contracts {

struct CatalogState {
  static constexpr std::string_view kTypeName = "CatalogState";
  Version<1> version;
  InstitutionId publisher;
  Hash content;
  TimeMs published_at;

  friend bool operator==(const CatalogState&, const CatalogState&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &CatalogState::version, "format version"),
                      field("publisher", &CatalogState::publisher, "who published it"),
                      field("content", &CatalogState::content, "hash of the content"),
                      field("published_at", &CatalogState::published_at, "block time, ms"));
  }
};

}  // namespace baolian::contracts
