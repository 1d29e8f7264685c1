#include "contracts/products/products.h"

#include "contracts/membership/membership.h"

namespace baolian::contracts {
namespace {

using ledger::InstitutionKind;
using ledger::Role;

Code check_version(const OperationContext& context, const ProductRegister& content) {
  if (context.state.read(keys::product(content.product, content.product_version))) {
    return Code::product_exists;
  }
  if (content.product_version == 1) return Code::applied;
  if (content.product_version == 0) return Code::product_version_not_next;
  const auto before = context.state.read_as<ProductState>(
      keys::product(content.product, content.product_version - 1));
  if (!before) return Code::product_version_not_next;
  return before->insurer == content.insurer ? Code::applied : Code::product_not_yours;
}

}  // namespace

Code register_product(OperationContext& context, const ProductRegister& content) {
  Code code =
      require_role(context, {Role::gateway, Role::agent, Role::compliance, Role::data_officer});
  if (code != Code::applied) return code;
  code = require_kind(context, {InstitutionKind::insurer});
  if (code != Code::applied) return code;
  if (content.insurer != context.sender.institution) return Code::not_your_institution;
  if (content.from_day > content.to_day) return Code::product_validity_empty;
  code = check_version(context, content);
  if (code != Code::applied) return code;
  const ProductState product{.version = {},
                             .insurer = content.insurer,
                             .content = content.content,
                             .cover_basis = content.cover_basis,
                             .authorization = content.authorization,
                             .payer_rank = content.payer_rank,
                             .premium_sources = content.premium_sources,
                             .from_day = content.from_day,
                             .to_day = content.to_day,
                             .registered_at = context.now()};
  context.state.write_as(keys::product(content.product, content.product_version), product);
  context.emit(ProductRegistered{.version = {},
                                 .product = content.product,
                                 .product_version = content.product_version,
                                 .insurer = content.insurer});
  return Code::applied;
}

}  // namespace baolian::contracts
