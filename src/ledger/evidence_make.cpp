#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "ledger/evidence.h"
#include "ledger/evidence_texts.h"
#include "ledger/log_proof.h"
#include "ledger/trail.h"

namespace baolian::ledger {
namespace {

/// The operation leaves of consecutive entries, each once. Entries of one block stand together, so
/// that a block is read once.
Result<std::vector<OperationLeaf>> leaves_of(const Chain& chain,
                                             std::span<const LogEntry> entries) {
  std::vector<OperationLeaf> out;
  std::set<Hash> known;
  std::vector<OperationLeaf> block;
  Height loaded;  // entries never stand in block 0
  for (const LogEntry& entry : entries) {
    if (known.contains(entry.leaf_hash)) continue;
    if (entry.height != loaded) {
      TRY(block, chain.read_leaves(entry.height));
      loaded = entry.height;
    }
    OperationLeaf leaf =
        entry.operation < block.size() ? std::move(block[entry.operation]) : OperationLeaf{};
    if (merkle_leaf_hash(encode(leaf)) != entry.leaf_hash) {
      return fail(Errc::store_corrupt,
                  "a stored operation is not the one in the log; check this node's store");
    }
    known.insert(entry.leaf_hash);
    out.push_back(std::move(leaf));
  }
  return out;
}

/// The same path with the side of each sibling instead of index and size (RFC 9162 2.1.3.2).
std::vector<PathStep> with_sides(std::span<const Hash> path, std::uint64_t index,
                                 std::uint64_t size) {
  std::vector<PathStep> out;
  std::uint64_t position = index;
  std::uint64_t last = size - 1;
  for (const Hash& sibling : path) {
    const bool is_right_child = (position & 1) != 0 || position == last;
    out.push_back({.side = is_right_child ? Side::left : Side::right, .hash = sibling});
    while (is_right_child && (position & 1) == 0 && position != 0) {
      position >>= 1;
      last >>= 1;
    }
    position >>= 1;
    last >>= 1;
  }
  return out;
}

}  // namespace

/// Fills drafts.
class EvidenceMaker {
 public:
  EvidenceMaker(const Chain& chain, EvidenceQuestion question) : chain_(chain) {
    draft_.evidence_.texts = kTextsVersion;
    draft_.evidence_.chain_id = chain.chain_id();
    draft_.evidence_.question = std::move(question);
  }

  /// The header under whose roots the proofs stand. Returns: Errc::not_found.
  Result<void> stand_on(Height height) {
    const auto header = chain_.header(height);
    if (!header)
      return fail(Errc::not_found,
                  "this node has not executed block " + std::to_string(height.value));
    draft_.evidence_.header = *header;
    return ok();
  }
  TimeMs header_time() const { return draft_.evidence_.header.timestamp; }

  Result<EvidenceDraft> finish(EvidenceProofs proofs, const FactReader& reader) {
    draft_.evidence_.proofs = std::move(proofs);
    TRY(draft_.evidence_.facts, collect_facts(draft_.evidence_, chain_.genesis(), reader));
    return std::move(draft_);
  }

 private:
  const Chain& chain_;
  EvidenceDraft draft_;
};

Result<EvidenceDraft> draft_log_evidence(const Chain& chain, const LogId& log, TimeMs from,
                                         TimeMs to, const FactReader& reader) {
  EvidenceMaker maker(chain, LogWindowQuestion{.log = log, .from = from, .to = to});
  Height at;
  TRY(LogWindowProof window, chain.prove_log_window(log, from, to, at));
  TRY(maker.stand_on(at));
  if (maker.header_time() < to) {
    return fail(Errc::not_certified,
                "the newest block is older than the end of the window: entries could still be "
                "added; choose an "
                "end in the past or ask again after the next block");
  }
  TRY(std::vector<OperationLeaf> leaves, leaves_of(chain, entries_in_window(window, from, to)));
  return maker.finish(LogWindowProofs{.window = std::move(window), .leaves = std::move(leaves)},
                      reader);
}

Result<EvidenceDraft> draft_operation_evidence(const Chain& chain, Height height,
                                               std::uint32_t leaf_index, const FactReader& reader) {
  TRY(const std::vector<Hash> path, chain.prove_operation(height, leaf_index));
  TRY(std::vector<OperationLeaf> leaves, chain.read_leaves(height));
  ASSERT(leaf_index < leaves.size());  // it has a path
  OperationLeaf& leaf = leaves[leaf_index];
  EvidenceMaker maker(chain, OperationQuestion{.tx_hash = leaf.tx_hash, .op_index = leaf.op_index});
  TRY(maker.stand_on(height));
  return maker.finish(
      OperationProofs{.leaf = std::move(leaf), .path = with_sides(path, leaf_index, leaves.size())},
      reader);
}

Result<EvidenceDraft> draft_state_evidence(const Chain& chain, BytesView key) {
  if (key.empty() || key.size() > kStateKeyBytesMax) {
    return fail(Errc::bad_argument,
                "a state key has 1 to " + std::to_string(kStateKeyBytesMax) + " bytes");
  }
  EvidenceMaker maker(chain, StateQuestion{.key = to_bytes(key)});
  Chain::StateAnswer answer = chain.prove_state(key);
  TRY(maker.stand_on(answer.at));
  return maker.finish(
      StateProofs{.value = std::move(answer.value), .state = std::move(answer.proof)}, no_facts());
}

Result<std::string> finish_evidence(const Chain& chain, const EvidenceDraft& draft) {
  Evidence evidence = draft.evidence_;
  const Height at = draft.at();
  Height certified = at;
  auto certificate = chain.certificate(certified);
  if (!certificate && chain.certified_height() > at) {
    certified = chain.certified_height();
    certificate = chain.certificate(certified);
  }
  if (!certificate) {
    return fail(Errc::not_certified,
                "block " + std::to_string(at.value) +
                    " is not certified yet; ask again after the next certificate");
  }
  evidence.certificate = std::move(*certificate);
  if (certified != at) {
    evidence.certified_header = chain.header(certified);
    TRY(evidence.history, chain.prove_history(at, certified));
  }
  TRY(evidence.trail, chain.trail(evidence.certificate.epoch));
  evidence.words = evidence_words(evidence, chain.genesis());
  evidence.limits = evidence_limits(evidence, chain.genesis());
  std::string text = evidence_text(evidence);
  if (text.size() > kEvidenceBytesMax) {
    return fail(Errc::limit_exceeded, "the evidence would have " + std::to_string(text.size()) +
                                          " bytes; ask for shorter windows, one after the other");
  }
  return text;
}

Result<std::string> make_log_evidence(const Chain& chain, const LogId& log, TimeMs from, TimeMs to,
                                      const FactReader& reader) {
  TRY(const EvidenceDraft draft, draft_log_evidence(chain, log, from, to, reader));
  return finish_evidence(chain, draft);
}

Result<std::string> make_operation_evidence(const Chain& chain, Height height,
                                            std::uint32_t leaf_index, const FactReader& reader) {
  TRY(const EvidenceDraft draft, draft_operation_evidence(chain, height, leaf_index, reader));
  return finish_evidence(chain, draft);
}

Result<std::string> make_state_evidence(const Chain& chain, BytesView key) {
  TRY(const EvidenceDraft draft, draft_state_evidence(chain, key));
  return finish_evidence(chain, draft);
}

}  // namespace baolian::ledger
