#include <algorithm>
#include <set>
#include <utility>

#include "ledger/evidence.h"
#include "ledger/evidence_texts.h"
#include "ledger/log_proof.h"
#include "ledger/trail.h"

namespace baolian::ledger {
namespace {

Error invalid(std::string what) { return fail(Errc::evidence_invalid, std::move(what)); }

/// One file under verification: each check adds its step, the first that fails is the last.
class Judge {
 public:
  Judge(const Genesis& genesis, const crypto::Verifier& verifier, const FactReader& reader)
      : genesis_(genesis), verifier_(verifier), reader_(reader) {}

  Verification judge(std::string_view file) {
    if (!run(file)) return std::move(out_);
    out_.ok = true;
    out_.question_text = evidence_.words.front().en;
    out_.words = std::move(evidence_.words);
    out_.limits = std::move(evidence_.limits);
    out_.facts = std::move(evidence_.facts);
    out_.question = std::move(evidence_.question);
    return std::move(out_);
  }

 private:
  bool run(std::string_view file) {
    return step("the file is an evidence file of version 1", read(file)) &&
           step("the file is in canonical form", canonical(file)) &&
           step("the file is of the chain of this genesis", same_chain()) &&
           step("the validators follow from the genesis", trail()) &&
           step("the certified header is of this chain and epoch",
                check_header(certified(), chain_, epoch_)) &&
           step("the certificate has enough valid signatures", certificate()) &&
           step("the proof's header belongs to the certified history", history()) && proofs() &&
           step("the facts are those of the proved operations", facts()) &&
           step("the words are those of the facts", words());
  }

  bool step(std::string what, Result<void> result) {
    const bool holds = result.has_value();
    out_.steps.push_back({.what = std::move(what),
                          .ok = holds,
                          .detail = holds ? std::exchange(detail_, {}) : result.error().context});
    return holds;
  }

  const Header& certified() const {
    return evidence_.certified_header ? *evidence_.certified_header : evidence_.header;
  }

  Result<void> read(std::string_view file) {
    TRY(evidence_, parse_evidence(file));
    if (text_templates(evidence_.texts).empty()) {
      return fail(Errc::unknown_version, "texts version " + std::to_string(evidence_.texts) +
                                             " is not known to this program; use a newer one");
    }
    detail_ = std::to_string(file.size()) + " bytes, question " +
              std::string(question_kind(evidence_.question));
    return ok();
  }

  Result<void> canonical(std::string_view file) const {
    if (evidence_text(evidence_) == file) return ok();
    return invalid("written again, the content gives other bytes than the file's");
  }

  Result<void> same_chain() {
    TRY(check_genesis(genesis_));
    constexpr auto kToy = static_cast<std::uint8_t>(crypto::Algorithm::toy);
    if (genesis_.signature_algorithm == kToy && &verifier_ != &crypto::toy_verifier()) {
      return fail(Errc::genesis_invalid, "a genesis of the simulator proves nothing");
    }
    chain_ = chain_id_of(genesis_);
    if (evidence_.chain_id != chain_) {
      return fail(Errc::wrong_chain,
                  "the file names another chain id than the hash of this genesis");
    }
    detail_ = chain_.hex();
    return ok();
  }

  Result<void> trail() {
    TRY(epoch_, follow_trail(genesis_, chain_, evidence_.trail, verifier_));
    detail_ = "epoch " + std::to_string(epoch_.epoch.value) + ", " +
              std::to_string(epoch_.validators.size()) + " validators";
    return ok();
  }

  Result<void> certificate() {
    TRY(check_certified(certified(), evidence_.certificate, chain_, epoch_, verifier_));
    const crypto::Quorum quorum{epoch_.validators.size()};
    detail_ = block_name(certified()) + ", " +
              std::to_string(evidence_.certificate.signatures.size()) + " of " +
              std::to_string(epoch_.validators.size()) + " validators, needed are " +
              std::to_string(quorum.quorum(epoch_.consensus_kind));
    return ok();
  }

  Result<void> history() {
    if (!evidence_.certified_header) {
      if (!evidence_.history.empty())
        return invalid("a header that is certified itself needs no history");
      detail_ = "it is the certified header";
      return ok();
    }
    const Header& header = evidence_.header;
    if (header.chain_id != chain_) return invalid(block_name(header) + " is of another chain");
    TRY(const Hash root,
        root_from_inclusion(merkle_leaf_hash(header_hash(header).view()), header.height.value,
                            certified().height.value, evidence_.history));
    if (root != certified().history_root)
      return invalid("the path does not lead to the history root");
    detail_ = block_name(header) + " below " + block_name(certified());
    return ok();
  }

  bool proofs() {
    if (const auto* window = std::get_if<LogWindowProofs>(&evidence_.proofs)) {
      const auto& question = std::get<LogWindowQuestion>(evidence_.question);
      return step("the window of the log is complete and in order",
                  complete(question, window->window)) &&
             step("the operations are those that the entries name", operations(question, *window));
    }
    if (const auto* operation = std::get_if<OperationProofs>(&evidence_.proofs)) {
      return step(
          "the operation is under the operations root",
          operation_under_root(std::get<OperationQuestion>(evidence_.question), *operation));
    }
    const auto& state = std::get<StateProofs>(evidence_.proofs);
    return step("the value is under the state root",
                check_state_proof(evidence_.header.state_root,
                                  std::get<StateQuestion>(evidence_.question).key, state.value,
                                  state.state));
  }

  Result<void> complete(const LogWindowQuestion& question, const LogWindowProof& window) {
    const Header& header = evidence_.header;
    TRY(check_log_window(header.state_root, header.timestamp, question.log, question.from,
                         question.to, window));
    detail_ = std::to_string(entries_in_window(window, question.from, question.to).size()) +
              " of " + std::to_string(window.frontier.count) + " entries, " + block_name(header);
    return ok();
  }

  Result<void> operations(const LogWindowQuestion& question, const LogWindowProofs& proofs) {
    std::set<Hash> known;
    std::size_t next = 0;
    for (const LogEntry& entry : entries_in_window(proofs.window, question.from, question.to)) {
      if (!known.insert(entry.leaf_hash).second) continue;
      if (next == proofs.leaves.size()) return invalid("an operation is missing");
      if (merkle_leaf_hash(encode(proofs.leaves[next])) != entry.leaf_hash) {
        return invalid("operation " + std::to_string(next) +
                       " is not the one that its entry names");
      }
      ++next;
    }
    if (next != proofs.leaves.size()) return invalid("there are operations that no entry names");
    detail_ = std::to_string(next) + " operations";
    return ok();
  }

  Result<void> operation_under_root(const OperationQuestion& question,
                                    const OperationProofs& proofs) {
    const OperationLeaf& leaf = proofs.leaf;
    if (leaf.tx_hash != question.tx_hash || leaf.op_index != question.op_index) {
      return invalid("the operation is not the one that was asked for");
    }
    Hash root = merkle_leaf_hash(encode(leaf));
    for (const PathStep& path_step : proofs.path) {
      root = path_step.side == Side::left ? merkle_node_hash(path_step.hash, root)
                                          : merkle_node_hash(root, path_step.hash);
    }
    if (root != evidence_.header.operations_root)
      return invalid("the path does not lead to the operations root");
    detail_ = block_name(evidence_.header);
    return ok();
  }

  Result<void> facts() {
    TRY(const std::vector<FactGroup> found, collect_facts(evidence_, genesis_, reader_));
    if (found != evidence_.facts)
      return invalid("the facts of the file are not those of the operations");
    return ok();
  }

  Result<void> words() {
    if (evidence_words(evidence_, genesis_) != evidence_.words) {
      return invalid("the words of the file are not those of its facts");
    }
    if (evidence_limits(evidence_, genesis_) != evidence_.limits) {
      return invalid("the limits of the file are not those of its kind");
    }
    return ok();
  }

  const Genesis& genesis_;
  const crypto::Verifier& verifier_;
  const FactReader& reader_;
  Verification out_;
  std::string detail_;
  Evidence evidence_;
  ChainId chain_;
  crypto::EpochRecord epoch_;
};

}  // namespace

Verification verify_evidence(std::string_view file, const Genesis& genesis,
                             const crypto::Verifier& verifier, const FactReader& reader) {
  return Judge(genesis, verifier, reader).judge(file);
}

}  // namespace baolian::ledger
