/// Operations of the catalogue: code systems and maps between them, as public content.
#pragma once

#include "contracts/operation_kind.h"
#include "contracts/types.h"

namespace baolian::contracts {

/// catalog.publish, by a bureau, a regulator or an operator. Versions follow each other from 1.
struct CatalogPublish {
  static constexpr std::string_view kTypeName = "CatalogPublish";
  static constexpr OperationKind kKind = OperationKind::catalog_publish;
  Version<1> version;
  CatalogId catalog;  ///< 32 random bytes, first use wins
  std::uint32_t catalog_version = 1;
  Hash content;  ///< H("public" || canonical CodeMap)

  friend bool operator==(const CatalogPublish&, const CatalogPublish&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &CatalogPublish::version, "format version"),
        field("catalog", &CatalogPublish::catalog, "32 random bytes; first use wins"),
        field("catalog_version", &CatalogPublish::catalog_version, "from 1, without gaps"),
        field("content", &CatalogPublish::content, "H(\"public\" || content)"));
  }
};

}  // namespace baolian::contracts
