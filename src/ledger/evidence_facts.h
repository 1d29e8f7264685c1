/// Facts of evidence files: what the ledger itself reads from a proved operation, and what a
/// FactReader (contracts/facts.h) adds for the kinds of operations that it knows.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/result.h"
#include "ledger/evidence_file.h"
#include "ledger/genesis.h"

namespace baolian::ledger {

/// Reads the facts of one operation from its leaf alone. It must be a pure function, and it is part
/// of the format: for the same leaf every later build gives the same facts in the same order. For a
/// kind that it does not know it gives none. Names are [a-z0-9_.]{1,64}; values and `by` are one
/// line of UTF-8.
using FactReader = std::function<Result<std::vector<Fact>>(const OperationLeaf&)>;

/// A reader that knows no kind: evidence shows only what the ledger reads.
FactReader no_facts();

/// The groups of facts that belong to an evidence, from its question, proofs and header alone: for
/// a window one group an entry, for an operation one, for a state value none. Requires: proofs of
/// the question's kind that were checked. Returns: Errc::evidence_invalid if an operation or
/// receipt does not decode, a leaf contradicts itself, or the reader gives a fact that breaks the
/// rules above; the reader's errors.
Result<std::vector<FactGroup>> collect_facts(const Evidence& evidence, const Genesis& genesis,
                                             const FactReader& reader);

}  // namespace baolian::ledger
