/// The facts of an operation, for evidence files: which field is enforced, agreed or stated, by a
/// numbered table (docs/contracts.md; formats.md, Evidence). Texts version 1 is published: neither
/// names, values, labels nor the order of facts change any more; corrections are version 2.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "contracts/operation_kind.h"
#include "core/result.h"
#include "ledger/evidence_facts.h"
#include "ledger/transaction.h"

namespace baolian::contracts {

/// One row of the table: a fact of this name about this kind of operation may carry this label.
struct FactRule {
  OperationKind kind;
  std::string_view name;
  ledger::Label label;
  std::string_view when;  ///< condition, if the same name has several labels; else empty
};

/// The table of texts version 1.
std::span<const FactRule> fact_rules();

/// The facts of one operation leaf. A rejected operation gives its code's name only: what it says
/// was checked by nobody. Pure.
/// Returns: Errc::evidence_invalid if operation, content, receipt or event do not decode.
Result<std::vector<ledger::Fact>> read_facts(const ledger::OperationLeaf& leaf);

/// read_facts, as evidence takes it.
ledger::FactReader fact_reader();

}  // namespace baolian::contracts
