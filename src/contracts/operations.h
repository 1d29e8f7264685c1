/// Every operation of the native contracts: its number (operation_kind.h) and the canonical type of
/// its content, one header a contract. docs/contracts.md has a row for each.
#pragma once

#include "contracts/catalog/operations.h"
#include "contracts/claims/decision_operations.h"
#include "contracts/claims/operations.h"
#include "contracts/consent/operations.h"
#include "contracts/operation_kind.h"
#include "contracts/policies/operations.h"
#include "contracts/products/operations.h"
#include "contracts/records/operations.h"
#include "contracts/system/operations.h"
#include "contracts/types.h"
#include "ledger/transaction.h"

namespace baolian::contracts {

/// An operation of this content, without cosignatures: `make_operation(ConsentGive{...}, id)`.
template <typename Content>
ledger::Operation make_operation(const Content& content, const RequestId& request_id) {
  ledger::Operation operation;
  operation.kind = static_cast<std::uint16_t>(Content::kKind);
  operation.request_id = request_id;
  operation.content = encode(content);
  return operation;
}

/// The content of an operation. Returns: Errc::bad_argument for another kind, codec errors.
template <typename Content>
Result<Content> content_of(const ledger::Operation& operation) {
  if (operation.kind != static_cast<std::uint16_t>(Content::kKind)) {
    return fail(Errc::bad_argument, "the operation is of another kind");
  }
  return decode<Content>(operation.content);
}

/// An id made by a contract: H("id" || u16 kind || tx_id || u16 op_index || u16 line),
/// little-endian integers. A grant is line 0 of its request; claims count from 0 in the order of
/// their filing.
Hash contract_id(OperationKind kind, const TxId& tx_id, std::uint16_t op_index, std::uint16_t line);

/// The complete log that belongs to a subject: H("sublog" || audience || value). Hashed because a
/// value alone would let one audience append to the list of another.
Hash subject_log_id(const SubjectId& subject);

}  // namespace baolian::contracts
