#include "ledger/evidence_facts.h"

#include <algorithm>
#include <map>

#include "ledger/evidence_texts.h"
#include "ledger/log_proof.h"

namespace baolian::ledger {
namespace {

Error invalid(std::string what) { return fail(Errc::evidence_invalid, std::move(what)); }

bool is_fact_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
}

/// One line: no control character could start a sentence of its own.
bool is_line(std::string_view text, std::size_t bytes_max) {
  return text.size() <= bytes_max && is_utf8(text) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
}

Result<void> check_fact(const Fact& fact) {
  if (is_fact_name(fact.name) && is_line(fact.value, 2048) && is_line(fact.by, 512) &&
      is_enum_value<Label>(static_cast<std::uint64_t>(fact.label))) {
    return ok();
  }
  return invalid("a fact of the operation has no proper name, value or label");
}

Fact enforced(std::string_view name, std::string value) {
  return {.name = std::string(name), .value = std::move(value), .label = Label::enforced, .by = {}};
}

/// A leaf that only our own bug could have made would contradict itself in the words: refused.
Result<void> check_leaf(const OperationLeaf& leaf, const Receipt& receipt) {
  const bool is_whole = leaf.op_index == kWholeTransaction;
  if (is_whole != (receipt.status == ReceiptStatus::transaction_rejected) ||
      is_whole != leaf.operation.empty()) {
    return invalid("a leaf says only in part that its whole transaction was rejected");
  }
  if ((receipt.status == ReceiptStatus::applied) != (receipt.code == 0)) {
    return invalid("a receipt's code contradicts its status");
  }
  return ok();
}

/// What stands in every operation leaf, whatever its kind.
Result<std::vector<Fact>> leaf_facts(const OperationLeaf& leaf, const FactReader& reader) {
  std::vector<Fact> facts = {enforced("transaction", leaf.tx_hash.hex()),
                             enforced("sender", leaf.sender.hex())};
  const auto receipt = decode<Receipt>(leaf.receipt);
  if (!receipt) return invalid("the receipt of a leaf does not decode: " + receipt.error().context);
  TRY(check_leaf(leaf, *receipt));
  if (leaf.op_index != kWholeTransaction) {
    const auto operation = decode<Operation>(leaf.operation);
    if (!operation)
      return invalid("the operation of a leaf does not decode: " + operation.error().context);
    facts.push_back(enforced("operation_kind", std::to_string(operation->kind)));
  }
  facts.push_back(enforced("outcome", std::string(enum_name(receipt->status))));
  facts.push_back(enforced("code", std::to_string(receipt->code)));
  TRY(std::vector<Fact> more, reader(leaf));
  for (Fact& fact : more) {
    TRY(check_fact(fact));
    facts.push_back(std::move(fact));
  }
  return facts;
}

/// The facts that a group shows: those of its block, then those of the leaf without line or of this
/// line.
std::vector<Fact> shown(TimeMs time, Height height, std::optional<std::uint16_t> line,
                        const Genesis& genesis, const std::vector<Fact>& of_leaf) {
  std::vector<Fact> facts = {enforced("block_height", std::to_string(height.value)),
                             enforced("block_time", civil_time(time, genesis.utc_offset_minutes))};
  if (line && *line != 0) facts.push_back(enforced("line", std::to_string(*line)));
  for (const Fact& fact : of_leaf) {
    if (line && fact.line && *fact.line != *line) continue;
    facts.push_back(fact);
    facts.back().line.reset();
  }
  return facts;
}

Result<std::vector<FactGroup>> window_facts(const LogWindowQuestion& question,
                                            const LogWindowProofs& proofs, const Genesis& genesis,
                                            const FactReader& reader) {
  std::vector<std::vector<Fact>> by_leaf;
  std::map<Hash, std::uint32_t> leaf_of;
  for (const OperationLeaf& leaf : proofs.leaves) {
    TRY(by_leaf.emplace_back(), leaf_facts(leaf, reader));
    leaf_of.emplace(merkle_leaf_hash(encode(leaf)), static_cast<std::uint32_t>(by_leaf.size() - 1));
  }
  std::vector<FactGroup> groups;
  std::uint64_t index = first_index_in_window(proofs.window, question.from);
  for (const LogEntry& entry : entries_in_window(proofs.window, question.from, question.to)) {
    const auto leaf = leaf_of.find(entry.leaf_hash);
    if (leaf == leaf_of.end()) return invalid("the operation of an entry is missing");
    groups.push_back(
        {.entry = index++,
         .leaf = leaf->second,
         .facts = shown(entry.time, entry.height, entry.line, genesis, by_leaf[leaf->second])});
  }
  return groups;
}

}  // namespace

FactReader no_facts() {
  return [](const OperationLeaf&) -> Result<std::vector<Fact>> { return std::vector<Fact>{}; };
}

Result<std::vector<FactGroup>> collect_facts(const Evidence& evidence, const Genesis& genesis,
                                             const FactReader& reader) {
  if (const auto* window = std::get_if<LogWindowQuestion>(&evidence.question)) {
    const auto* proofs = std::get_if<LogWindowProofs>(&evidence.proofs);
    ASSERT(proofs != nullptr);
    return window_facts(*window, *proofs, genesis, reader);
  }
  std::vector<FactGroup> groups;
  if (const auto* proofs = std::get_if<OperationProofs>(&evidence.proofs)) {
    TRY(const std::vector<Fact> of_leaf, leaf_facts(proofs->leaf, reader));
    const Header& header = evidence.header;
    groups.push_back(
        {.entry = std::nullopt,
         .leaf = 0,
         .facts = shown(header.timestamp, header.height, std::nullopt, genesis, of_leaf)});
  }
  return groups;
}

}  // namespace baolian::ledger
