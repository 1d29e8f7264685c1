#include "contracts/catalog/catalog.h"

#include "contracts/membership/membership.h"

namespace baolian::contracts {
namespace {

using ledger::InstitutionKind;
using ledger::Role;

Code check_version(const OperationContext& context, const CatalogPublish& content) {
  if (context.state.read(keys::catalog(content.catalog, content.catalog_version))) {
    return Code::catalog_exists;
  }
  if (content.catalog_version == 0) return Code::catalog_version_not_next;
  if (content.catalog_version == 1) return Code::applied;
  const auto before = context.state.read_as<CatalogState>(
      keys::catalog(content.catalog, content.catalog_version - 1));
  const bool continues = before && before->publisher == context.sender.institution;
  return continues ? Code::applied : Code::catalog_version_not_next;
}

}  // namespace

Code publish_catalog(OperationContext& context, const CatalogPublish& content) {
  Code code =
      require_role(context, {Role::gateway, Role::agent, Role::compliance, Role::data_officer});
  if (code != Code::applied) return code;
  code = require_kind(context, {InstitutionKind::medical_insurance, InstitutionKind::regulator,
                                InstitutionKind::operator_});
  if (code != Code::applied) return code;
  if (content.content.is_zero()) return Code::catalog_empty;
  code = check_version(context, content);
  if (code != Code::applied) return code;
  context.state.write_as(keys::catalog(content.catalog, content.catalog_version),
                         CatalogState{.version = {},
                                      .publisher = context.sender.institution,
                                      .content = content.content,
                                      .published_at = context.now()});
  context.state.write_as(keys::catalog_content(content.content), Marker{});
  context.emit(CatalogPublished{.version = {},
                                .catalog = content.catalog,
                                .catalog_version = content.catalog_version,
                                .publisher = context.sender.institution});
  return Code::applied;
}

bool is_published(const ledger::StateReader& state, const Hash& content) {
  return state.read(keys::catalog_content(content)).has_value();
}

}  // namespace baolian::contracts
