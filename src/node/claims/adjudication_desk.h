/// The insurer's desk for opened claims: opens the case, decides by the product, has the decision
/// countersigned by the reporter and posts it. Whatever loses a race (stale_balance, stale_total,
/// stale_accumulator) is decided again on what stands; whoever is silent is asked again.
///
/// Durable before visible: the openings of a decision are in the book before the reporter or the
/// chain sees it. Work is done by the desk's own threads, one claim of a policy at a time.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "node/asking.h"
#include "node/claims/case_file.h"
#include "node/claims/claim_messages.h"
#include "node/recipients.h"
#include "node/work_queue.h"

namespace baolian::node {

/// A decision that a person of the insurer is to sign.
struct Proposal {
  Hash content_hash;  ///< names it in approve()
  Bytes content;      ///< canonical ClaimsDecide: what is signed, as second_approver
  contracts::Decision decision;
  std::string explanation_zh;
  std::string explanation_en;
  std::uint16_t persons_needed = 1;
};

/// Where a claim stands at this desk, for people.
struct DeskNote {
  std::uint32_t attempts = 0;
  std::string reason;  ///< of the last attempt that failed; no personal data
};

class AdjudicationDesk {
 public:
  AdjudicationDesk(const Services& services, OpeningBook& book, const PublicContents& contents,
                   const Recipients& recipients, std::size_t threads);
  ~AdjudicationDesk();
  void stop();

  /// Decides the claim when a thread is free; nothing if it is not opened here.
  void consider(const ClaimId& id);

  /// Opens a claim in review and decides it with this ruling, without posting anything. Waits for
  /// some block times. Returns: Errc::bad_argument if the claim is not in review, or if an earlier
  /// decision has counted the bill already and the ruling would count it again; the errors of
  /// open_case().
  Result<Proposal> propose(const ClaimId& id, const contracts::Ruling& ruling);
  /// Takes an adjuster's cosignature over the proposal. With enough of them the reporter
  /// countersigns and the decision is posted: its outcome; nullopt while another person must sign.
  /// Returns: Errc::not_found for another proposal; the errors of the reporter, the submitter and
  /// the chain.
  Result<std::optional<OperationOutcome>> approve(const Hash& content_hash,
                                                  const ledger::Cosignature& cosignature);

  void on_countersign_reply(const InstitutionId& from, BytesView message);
  void on_balance_reply(const InstitutionId& from, BytesView message);
  /// The reporter signs late: sends it the openings of an uncountersigned decision.
  void send_openings(const ClaimId& id, std::uint16_t number);

  std::optional<DeskNote> note_of(const ClaimId& id) const;

 private:
  struct Draft {
    CaseFile file;
    contracts::Decision decision;
    contracts::ClaimsDecide content;
    KeptDecision kept;
  };
  struct Open {
    Draft draft;
    std::vector<ledger::Cosignature> approvals;
  };
  class PolicyTurn;

  Result<void> adjudicate(const ClaimId& id);
  Result<Draft> draft(const ClaimId& id, const std::optional<contracts::Ruling>& ruling);
  Result<std::vector<BalanceOpening>> balances_of(const CaseFile& file,
                                                  const std::vector<Tag32>& tags);
  Result<void> ask_balances(const CaseFile& file);
  Result<contracts::Accumulators> accumulators_of(const CaseFile& file) const;
  Result<void> add_sums(Draft& draft, const std::vector<Tag32>& tags,
                        const std::vector<BalanceOpening>& balances) const;
  Result<void> add_accumulators(Draft& draft) const;
  Result<void> seal_escrow(Draft& draft) const;
  Result<ledger::Cosignature> countersign(const Draft& draft);
  Bytes countersign_request(const RequestId& id, const InstitutionId& reporter, Height height,
                            const KeptDecision& kept) const;
  Result<OperationOutcome> post(const Draft& draft, std::vector<ledger::Cosignature> cosignatures);
  bool is_silent(const contracts::ClaimState& claim) const;
  Result<void> check_undecided(const ClaimId& id, const contracts::ClaimState& claim) const;
  void try_later(const ClaimId& id, const Error& error);

  const Services& services_;
  OpeningBook& book_;
  const PublicContents& contents_;
  const Recipients& recipients_;
  Asking<CountersignReply> countersignatures_;
  Asking<BalanceReply> balances_;
  mutable std::mutex mutex_;
  std::condition_variable turn_;
  std::set<PolicyId> busy_;
  std::set<ClaimId> queued_;
  std::map<ClaimId, DeskNote> notes_;
  std::map<Hash, Open> proposals_;
  bool stopping_ = false;
  WorkQueue workers_;  // last: its threads use the rest
};

}  // namespace baolian::node
