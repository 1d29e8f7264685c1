/// The facts of an operation, for evidence files: which field is enforced, agreed or stated, by a
/// numbered table (docs/contracts.md; formats.md, Evidence). Texts version 1 is published: neither
/// names, values, labels nor the order of facts change any more; corrections are version 2.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "contracts/operation_kind.h"
#include "core/result.h"
#include "ledger/evidence_facts.h"
#include "ledger/transaction.h"

namespace baolian::contracts {

/// One row of the table, in the order in which facts stand: a fact of this name about this kind of
/// operation. docs/formats.md prints the rows and explains the words in capitals.
struct FactRule {
  OperationKind kind;
  std::string_view name;
  std::string_view value;  ///< from which field, in which form
  ledger::Label label;
  std::string_view by;    ///< for stated and agreed
  std::string_view when;  ///< condition; empty = always
};

/// The table of texts version 1.
std::span<const FactRule> fact_rules();

/// The facts of one operation leaf: first "operation", the name of its kind, then those of the
/// table. A rejected operation gives its code's name instead of those: what it says was checked by
/// nobody. A transaction rejected as a whole gives none. Pure.
/// Returns: Errc::evidence_invalid if operation, content, receipt or event do not decode, or if a
/// request is both granted and denied.
Result<std::vector<ledger::Fact>> read_facts(const ledger::OperationLeaf& leaf);

/// Numbers from `first` to `last`.
struct NumberRange {
  std::uint16_t first;
  std::uint16_t last;
};
/// The receipt codes and operation kinds that have names in texts version 1. A number that gets its
/// name later is shown by those texts as a number for ever, so that all builds give the same facts.
std::span<const NumberRange> fact_codes();
std::span<const NumberRange> fact_kinds();

/// read_facts, as evidence takes it.
ledger::FactReader fact_reader();

}  // namespace baolian::contracts
