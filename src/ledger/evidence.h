/// Evidence: one self-contained file that answers a question with proofs, and its verification with
/// nothing but the genesis file (ledger.md, "Evidence file"; the format: docs/formats.md, "Evidence
/// file").
///
/// A proof is drawn at the newest executed height and can be handed out once that height, or a
/// later one, is certified: draft first, finish when Chain::certified_height() has reached
/// EvidenceDraft::at(). Drawing again instead of finishing the draft may never end on a busy chain.
/// Threads: all functions are pure but for const queries of the chain; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "crypto/signing.h"
#include "ledger/chain.h"
#include "ledger/evidence_facts.h"
#include "ledger/evidence_file.h"
#include "ledger/genesis.h"

namespace baolian::ledger {

/// An evidence that lacks only its certificate.
class EvidenceDraft {
 public:
  /// The height whose header (or a later one) must be certified before finish_evidence().
  Height at() const { return evidence_.header.height; }
  const EvidenceQuestion& question() const { return evidence_.question; }
  const std::vector<FactGroup>& facts() const { return evidence_.facts; }

 private:
  friend class EvidenceMaker;
  friend Result<std::string> finish_evidence(const Chain&, const EvidenceDraft&);
  Evidence evidence_;
};

/// The entries of a log with from <= time < to, complete.
/// Returns: Errc::bad_argument if from > to; Errc::not_certified if the newest block is older than
/// `to` (ask for a window that ends in the past, or again after the next block);
/// Errc::limit_exceeded for more than 100,000 entries (ask for shorter windows); Errc::pruned if
/// bodies of the window are no longer here; Errc::evidence_invalid and errors of the reader.
Result<EvidenceDraft> draft_log_evidence(const Chain& chain, const LogId& log, TimeMs from,
                                         TimeMs to, const FactReader& reader);
/// One operation by its place (Chain::find_transaction gives it).
/// Returns: Errc::not_found, Errc::pruned; Errc::evidence_invalid and errors of the reader.
Result<EvidenceDraft> draft_operation_evidence(const Chain& chain, Height height,
                                               std::uint32_t leaf_index, const FactReader& reader);
/// The value of a state key, or its absence, after the newest block.
/// Returns: Errc::bad_argument for a key of no or more than kStateKeyBytesMax bytes.
Result<EvidenceDraft> draft_state_evidence(const Chain& chain, BytesView key);

/// The file. Returns: Errc::not_certified while no height from draft.at() on is certified here:
/// call again after the next certificate. Errc::limit_exceeded above kEvidenceBytesMax (about 3 KB
/// an entry, so some 70,000 entries): ask for a shorter window.
Result<std::string> finish_evidence(const Chain& chain, const EvidenceDraft& draft);

/// Draft and finish in one, for a chain at rest. Errors of both.
Result<std::string> make_log_evidence(const Chain& chain, const LogId& log, TimeMs from, TimeMs to,
                                      const FactReader& reader);
Result<std::string> make_operation_evidence(const Chain& chain, Height height,
                                            std::uint32_t leaf_index, const FactReader& reader);
Result<std::string> make_state_evidence(const Chain& chain, BytesView key);

/// One step of a verification.
struct VerifyStep {
  std::string what;    ///< what was checked
  bool ok = false;     ///< whether it holds
  std::string detail;  ///< what was found, or why it does not hold
};

/// The outcome: every step up to the first one that does not hold.
struct Verification {
  bool ok = false;
  std::vector<VerifyStep> steps;
  std::string question_text;     ///< the first of words, in English; set only if ok
  std::vector<Sentence> words;   ///< set only if ok
  std::vector<Sentence> limits;  ///< set only if ok
  std::vector<FactGroup> facts;  ///< set only if ok
  EvidenceQuestion question;     ///< set only if ok

  /// The step that does not hold; nullptr if all do.
  const VerifyStep* failure() const { return ok || steps.empty() ? nullptr : &steps.back(); }
};

/// Checks a file of at most kEvidenceBytesMax against the genesis, offline. Any input is allowed;
/// it never throws. The reader must be the one of the operations' contracts; another one finds
/// other facts, and the verification fails.
Verification verify_evidence(std::string_view file, const Genesis& genesis,
                             const crypto::Verifier& verifier, const FactReader& reader);

}  // namespace baolian::ledger
