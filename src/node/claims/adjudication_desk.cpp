#include "node/claims/adjudication_desk.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "contracts/adjudication/explain.h"
#include "contracts/codes.h"
#include "contracts/operations.h"
#include "contracts/parameters.h"
#include "crypto/commitment.h"
#include "crypto/pedersen.h"
#include "crypto/random.h"
#include "crypto/sealed_box.h"

namespace baolian::node {
namespace {

using contracts::ClaimPhase;
using contracts::ClaimsDecide;
using contracts::Countersigning;
using contracts::Outcome;
namespace keys = contracts::keys;

constexpr std::uint64_t kAnswerMs = 3'000;
constexpr int kStaleAttemptsMax = 8;
constexpr std::uint64_t kRetryMaxMs = 60'000;
constexpr std::size_t kProposalsMax = 1'000;

bool is_stale(const ledger::Receipt& receipt) {
  switch (static_cast<contracts::Code>(receipt.code)) {
    case contracts::Code::stale_payload:
    case contracts::Code::stale_balance:
    case contracts::Code::stale_total:
    case contracts::Code::stale_accumulator:
      return true;
    default:
      return false;
  }
}

}  // namespace

/// One claim of a policy at a time: two decisions on one total would only chase each other.
class AdjudicationDesk::PolicyTurn {
 public:
  PolicyTurn(AdjudicationDesk& desk, const PolicyId& policy) : desk_(desk), policy_(policy) {
    std::unique_lock lock(desk_.mutex_);
    desk_.turn_.wait(lock, [&] { return !desk_.busy_.contains(policy_); });
    desk_.busy_.insert(policy_);
  }
  ~PolicyTurn() {
    {
      const std::lock_guard lock(desk_.mutex_);
      desk_.busy_.erase(policy_);
    }
    desk_.turn_.notify_all();
  }
  PolicyTurn(const PolicyTurn&) = delete;
  PolicyTurn& operator=(const PolicyTurn&) = delete;

 private:
  AdjudicationDesk& desk_;
  PolicyId policy_;
};

AdjudicationDesk::AdjudicationDesk(const Services& services, OpeningBook& book,
                                   const PublicContents& contents, const Recipients& recipients,
                                   std::size_t threads)
    : services_(services),
      book_(book),
      contents_(contents),
      recipients_(recipients),
      workers_("adjudication", threads) {}

AdjudicationDesk::~AdjudicationDesk() { stop(); }

void AdjudicationDesk::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  workers_.close();
}

void AdjudicationDesk::consider(const ClaimId& id) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || !queued_.insert(id).second) return;
  }
  workers_.post([this, id] {
    {
      const std::lock_guard lock(mutex_);
      queued_.erase(id);
      if (stopping_) return;
    }
    auto done = adjudicate(id);
    if (!done) return try_later(id, done.error());
    const std::lock_guard lock(mutex_);
    notes_.erase(id);
  });
}

void AdjudicationDesk::try_later(const ClaimId& id, const Error& error) {
  std::uint32_t attempts = 0;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    DeskNote& note = notes_[id];
    attempts = ++note.attempts;
    note.reason = std::string(errc_name(error.code)) + ": " + error.context;
  }
  spdlog::info("claim {}: {}: {}", id.hex().substr(0, 12), errc_name(error.code), error.context);
  const std::uint64_t pause = std::min<std::uint64_t>(
      kRetryMaxMs, Retries::kPauseMs << std::min<std::uint32_t>(attempts - 1, 6));
  services_.retries.later(services_.clock().value + pause - Retries::kPauseMs,
                          [this, id] { consider(id); });
}

std::optional<DeskNote> AdjudicationDesk::note_of(const ClaimId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = notes_.find(id);
  return found == notes_.end() ? std::nullopt : std::optional(found->second);
}

bool AdjudicationDesk::is_silent(const contracts::ClaimState& claim) const {
  const TimeMs now = services_.chain.header(services_.chain.height())->timestamp;
  return now >=
         claim.opened_at + contracts::parameter(services_.genesis.epoch,
                                                contracts::ParameterId::countersign_silence_ms);
}

Result<void> AdjudicationDesk::adjudicate(const ClaimId& id) {
  for (int attempt = 0; attempt < kStaleAttemptsMax; ++attempt) {
    const auto claim = ledger::read_as<contracts::ClaimState>(services_.state(), keys::claim(id));
    if (!claim || claim->phase != ClaimPhase::opened || claim->insurer() != services_.self) {
      return ok();
    }
    const auto product = ledger::read_as<contracts::ProductState>(
        services_.state(), keys::product(claim->product, claim->product_version));
    if (!product || product->content.is_zero()) return ok();  // never decided, by its contract
    const PolicyTurn turn(*this, claim->policy);
    TRY(Draft drafted, draft(id, std::nullopt));
    if (!drafted.file.differences.empty()) {
      return fail(Errc::request_conflict, "dispute: the bill is not what was reported (" +
                                              std::string(enum_name(drafted.file.differences[0])) +
                                              "); speak to the reporter");
    }
    std::vector<ledger::Cosignature> cosignatures;
    if (drafted.content.outcome == Outcome::payable) {
      auto cosignature = countersign(drafted);
      if (cosignature) {
        cosignatures.push_back(*cosignature);
      } else if (is_silent(*claim) && cosignature.error().code == Errc::timed_out) {
        drafted.content.countersigning = Countersigning::uncountersigned;
        TRY(seal_escrow(drafted));
      } else if (cosignature.error().context.find("stale_") != std::string::npos) {
        continue;
      } else {
        return std::move(cosignature).error();
      }
    }
    TRY(const OperationOutcome outcome, post(drafted, std::move(cosignatures)));
    if (outcome.receipt.status == ledger::ReceiptStatus::applied) return ok();
    if (!is_stale(outcome.receipt)) return receipt_error(outcome.receipt);
  }
  return fail(Errc::busy, "others decided on the same balance or policy each time");
}

Result<std::vector<BalanceOpening>> AdjudicationDesk::balances_of(const CaseFile& file,
                                                                  const std::vector<Tag32>& tags) {
  std::vector<BalanceOpening> out;
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const auto invoice =
        ledger::read_as<contracts::InvoiceState>(services_.state(), keys::invoice(tags[i]));
    if (!invoice) return fail(Errc::not_found, "an invoice is not on the chain");
    if (invoice->frozen && invoice->frozen->claim != file.id) {
      return fail(Errc::busy, "an invoice is held by an uncountersigned decision");
    }
    if (invoice->balance == invoice->reported) {
      out.push_back(file.payload.openings.balances[i]);
      continue;
    }
    auto opening = book_.sum(invoice->balance);
    if (!opening) {
      TRY(ask_balances(file));
      opening = book_.sum(invoice->balance);
    }
    if (!opening)
      return fail(Errc::busy, "the reporter opened other balances than those that stand");
    out.push_back(*opening);
  }
  return out;
}

/// What others paid of the invoices, as the reporter opens it; every opening is checked.
Result<void> AdjudicationDesk::ask_balances(const CaseFile& file) {
  const BalanceRequest request{{}, crypto::random_id<RequestId>(), file.height, file.id};
  balances_.expect(request.request, file.claim.reporter);
  services_.send(file.claim.reporter, encode(request));
  const auto reply = balances_.wait(request.request, kAnswerMs);
  if (!reply) return fail(Errc::timed_out, "the reporter did not answer for its balances");
  if (reply->sealed.empty()) {
    return fail(Errc::not_authorized, "the reporter refused to open balances: " + reply->reason);
  }
  TRY(const crypto::Secret opened,
      crypto::open_sealed(services_.keys.vault_encryption(), reply->sealed));
  TRY(SumOpenings sums, decode<SumOpenings>(opened.view()));
  for (const SumOpening& one : sums.sums) {
    TRY(const GroupElement sum, crypto::pedersen_commit(one.opening.amount, one.opening.blinding));
    if (sum != one.sum) return fail(Errc::bad_commitment, "the reporter opened a balance wrongly");
  }
  return book_.keep(sums);
}

Result<contracts::Accumulators> AdjudicationDesk::accumulators_of(const CaseFile& file) const {
  contracts::Accumulators out;
  const PolicyId& policy = file.claim.policy;
  const auto total =
      ledger::read_as<contracts::PolicyTotal>(services_.state(), keys::policy_total(policy));
  const auto paid = book_.sum(total ? total->total : GroupElement{});
  if (!paid)
    return fail(Errc::vault_corrupt, "the policy's total does not open: restore openings/");
  out.total_paid = paid->amount;
  std::vector<std::uint16_t> ids;
  for (const auto& group : file.product.groups)
    ids.push_back(contracts::group_accumulator(group.id));
  for (const auto& liability : file.product.liabilities) {
    ids.push_back(contracts::liability_accumulator(liability.id));
  }
  for (const std::uint16_t id : ids) {
    const auto stands = ledger::read_as<contracts::AccumulatorState>(services_.state(),
                                                                     keys::accumulator(policy, id));
    if (!stands) continue;
    const auto opening = book_.accumulator(stands->amount);
    if (!opening) {
      return fail(Errc::vault_corrupt, "an accumulator does not open: restore openings/");
    }
    out.values.push_back({id, opening->amount});
  }
  std::sort(out.values.begin(), out.values.end());
  return out;
}

Result<AdjudicationDesk::Draft> AdjudicationDesk::draft(
    const ClaimId& id, const std::optional<contracts::Ruling>& ruling) {
  Draft out;
  TRY(out.file, open_case(services_, contents_, id));
  if (!out.file.differences.empty()) return out;
  TRY(recipients_.keep(id, out.file.payload.person.value));
  TRY(const std::vector<Tag32> tags,
      contracts::match_invoices(out.file.payload, out.file.reported));
  TRY(const std::vector<BalanceOpening> balances, balances_of(out.file, tags));
  TRY(contracts::Accumulators accumulators, accumulators_of(out.file));
  for (const auto& balance : balances) out.kept.file.standings.push_back({balance.amount});
  out.kept.file.ruling = ruling;
  out.decision =
      contracts::decide(out.file.input(out.kept.file.standings, std::move(accumulators), ruling));

  ClaimsDecide& content = out.content;
  content.claim = id;
  content.number = out.file.claim.next_decision;
  content.payload_version = out.file.claim.payload.version;
  content.outcome = out.decision.outcome;
  content.product_version = out.file.claim.product_version;
  content.map = out.file.map_hash;
  content.rule_set = out.decision.rule_set;
  content.engine = out.decision.engine;
  out.kept.file.decision = encode(out.decision);
  out.kept.file.decision_salt = crypto::new_salt();
  content.decision = decision_commitment(out.kept.file.decision_salt, out.kept.file.decision);
  out.kept.explanation_zh =
      contracts::explain(out.file.product, out.file.payload, out.decision, contracts::Language::zh,
                         ruling ? ruling->reason : std::string());
  out.kept.explanation_en =
      contracts::explain(out.file.product, out.file.payload, out.decision, contracts::Language::en,
                         ruling ? ruling->reason : std::string());
  if (content.outcome == Outcome::payable) {
    content.withheld = out.decision.withheld;
    TRY(add_sums(out, tags, balances));
    TRY(add_accumulators(out));
  }
  TRY(seal_escrow(out));
  return out;
}

Result<void> AdjudicationDesk::add_sums(Draft& draft, const std::vector<Tag32>& tags,
                                        const std::vector<BalanceOpening>& balances) const {
  ClaimsDecide& content = draft.content;
  const auto stands = ledger::read_as<contracts::PolicyTotal>(
      services_.state(), keys::policy_total(draft.file.claim.policy));
  content.total_before = stands ? stands->total : GroupElement{};
  const auto paid_before = book_.sum(content.total_before);
  if (!paid_before) return fail(Errc::vault_corrupt, "the policy's total does not open");
  BalanceOpening total = *paid_before;

  std::vector<std::size_t> order(tags.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return tags[a] < tags[b]; });
  for (const std::size_t i : order) {
    const BalanceOpening payout{draft.decision.invoice_payouts[i], crypto::new_blinding()};
    TRY(const GroupElement committed, crypto::pedersen_commit(payout.amount, payout.blinding));
    const auto invoice =
        ledger::read_as<contracts::InvoiceState>(services_.state(), keys::invoice(tags[i]));
    if (!invoice) return fail(Errc::not_found, "an invoice is not on the chain");
    content.lines.push_back({tags[i], committed, invoice->balance});
    draft.kept.file.payouts.push_back(payout);
    draft.kept.file.balances.push_back({balances[i].amount - payout.amount,
                                        crypto::subtract(balances[i].blinding, payout.blinding)});
    total.amount += payout.amount;
    total.blinding = crypto::add(total.blinding, payout.blinding);
  }
  draft.kept.file.total = total;
  return ok();
}

Result<void> AdjudicationDesk::add_accumulators(Draft& draft) const {
  const PolicyId& policy = draft.file.claim.policy;
  for (const auto& value : draft.decision.after.values) {
    const auto stands = ledger::read_as<contracts::AccumulatorState>(
        services_.state(), keys::accumulator(policy, value.id));
    const AccumulatorOpening opening{value.id, value.amount, crypto::new_salt()};
    draft.content.accumulators.push_back({value.id, stands ? stands->amount : Commitment{},
                                          accumulator_commitment(policy, opening)});
    draft.kept.file.accumulators.push_back(opening);
  }
  return ok();
}

/// The escrow holds the content as it is before the escrow's own hash stands in it.
Result<void> AdjudicationDesk::seal_escrow(Draft& draft) const {
  if (draft.content.outcome == Outcome::payable) {
    const auto reader = escrow_key_of(services_.genesis);
    if (!reader) return fail(Errc::not_found, "this chain has no member of role escrow_reader");
    draft.content.escrow = Hash{};
    draft.kept.file.content = encode(draft.content);
    TRY(draft.kept.escrow, crypto::seal(*reader, encode(draft.kept.file)));
    draft.content.escrow = escrow_hash(draft.kept.escrow);
  }
  draft.kept.file.content = encode(draft.content);
  return book_.keep(draft.kept);
}

Bytes AdjudicationDesk::countersign_request(const RequestId& id, const InstitutionId& reporter,
                                            Height height, const KeptDecision& kept) const {
  const CountersignBody body{{}, kept.file.content, kept.file.payouts, kept.escrow};
  const auto vault = vault_key_of(services_.genesis, reporter);
  if (!vault) return {};
  auto sealed = crypto::seal(*vault, encode(body));
  if (!sealed) return {};
  return encode(CountersignRequest{{}, id, height, *std::move(sealed)});
}

Result<ledger::Cosignature> AdjudicationDesk::countersign(const Draft& draft) {
  const auto id = crypto::random_id<RequestId>();
  const InstitutionId& reporter = draft.file.claim.reporter;
  Bytes request = countersign_request(id, reporter, draft.file.height, draft.kept);
  if (request.empty()) return fail(Errc::not_found, "the reporter has no vault to seal to");
  countersignatures_.expect(id, reporter);
  services_.send(reporter, std::move(request));
  const auto reply = countersignatures_.wait(id, kAnswerMs);
  if (!reply) return fail(Errc::timed_out, "the reporter did not countersign yet");
  if (!reply->cosignature) {
    return fail(Errc::not_authorized, "the reporter refused to countersign: " + reply->reason);
  }
  return *reply->cosignature;
}

Result<OperationOutcome> AdjudicationDesk::post(const Draft& draft,
                                                std::vector<ledger::Cosignature> cosignatures) {
  ledger::Operation operation =
      contracts::make_operation(draft.content, crypto::random_id<RequestId>());
  operation.cosignatures = std::move(cosignatures);
  // A signature that does not hold would make the whole transaction invalid.
  for (const auto& cosignature : operation.cosignatures) {
    if (!ledger::check_cosignature(operation, cosignature, services_.self,
                                   services_.chain.chain_id(), crypto::ed25519_verifier())) {
      return fail(Errc::bad_signature, "a cosignature over the decision does not hold");
    }
  }
  TRY(std::vector<OperationOutcome> outcomes,
      services_.submitter.submit_and_wait(services_.agent_key(), {std::move(operation)}));
  return std::move(outcomes.front());
}

/// A bill that moved a policy year must not move it again: what a review adds to such a decision is
/// an amendment, of a later version.
Result<void> AdjudicationDesk::check_undecided(const ClaimId& id,
                                               const contracts::ClaimState& claim) const {
  for (std::uint16_t number = 1; number < claim.next_decision; ++number) {
    const auto state =
        ledger::read_as<contracts::DecisionState>(services_.state(), keys::decision(id, number));
    if (!state) continue;
    TRY(const KeptDecision kept, book_.find(state->decision));
    TRY(const contracts::Decision decision, decode<contracts::Decision>(kept.file.decision));
    if (decision.payable != 0 || decision.before != decision.after) {
      return fail(
          Errc::bad_argument,
          "an earlier decision has counted this bill in the policy year; a review of it can "
          "confirm it (decline), adding to it comes with amendments");
    }
  }
  return ok();
}

Result<Proposal> AdjudicationDesk::propose(const ClaimId& id, const contracts::Ruling& ruling) {
  const auto claim = ledger::read_as<contracts::ClaimState>(services_.state(), keys::claim(id));
  if (!claim || claim->insurer() != services_.self) {
    return fail(Errc::not_found, "this insurer has no such claim");
  }
  if (claim->phase != ClaimPhase::in_review) {
    return fail(Errc::bad_argument, "the claim is not in review");
  }
  if (ruling.verdict == contracts::Verdict::accept) {
    TRY(check_undecided(id, *claim));
  }
  const PolicyTurn turn(*this, claim->policy);
  TRY(Draft drafted, draft(id, ruling));
  if (!drafted.file.differences.empty()) {
    return fail(Errc::request_conflict, "dispute: the bill is not what was reported");
  }
  if (drafted.content.outcome != Outcome::payable) {
    return fail(Errc::rejected, "outcome_not_allowed: no ruling makes this bill computable");
  }
  Proposal out{crypto::sha256(drafted.kept.file.content),
               drafted.kept.file.content,
               drafted.decision,
               drafted.kept.explanation_zh,
               drafted.kept.explanation_en,
               static_cast<std::uint16_t>(claim->reviews > 0 ? 2 : 1)};
  const std::lock_guard lock(mutex_);
  if (proposals_.size() >= kProposalsMax) proposals_.erase(proposals_.begin());
  proposals_.insert_or_assign(out.content_hash, Open{std::move(drafted), {}});
  return out;
}

Result<std::optional<OperationOutcome>> AdjudicationDesk::approve(
    const Hash& content_hash, const ledger::Cosignature& cosignature) {
  Draft drafted;
  std::vector<ledger::Cosignature> approvals;
  {
    const std::lock_guard lock(mutex_);
    const auto found = proposals_.find(content_hash);
    if (found == proposals_.end()) {
      return fail(Errc::not_found, "no such proposal is open; propose again");
    }
    auto& signed_by = found->second.approvals;
    std::erase_if(signed_by, [&](const auto& one) { return one.key == cosignature.key; });
    signed_by.push_back(cosignature);
    const std::size_t needed = found->second.draft.file.claim.reviews > 0 ? 2 : 1;
    if (signed_by.size() < needed) return std::optional<OperationOutcome>{};
    drafted = found->second.draft;
    approvals = signed_by;
  }
  TRY(const ledger::Cosignature countersignature, countersign(drafted));
  approvals.push_back(countersignature);
  TRY(OperationOutcome outcome, post(drafted, std::move(approvals)));
  const std::lock_guard lock(mutex_);
  proposals_.erase(content_hash);
  if (outcome.receipt.status != ledger::ReceiptStatus::applied) {
    return receipt_error(outcome.receipt);
  }
  return std::optional(std::move(outcome));
}

void AdjudicationDesk::on_countersign_reply(const InstitutionId& from, BytesView message) {
  auto reply = decode<CountersignReply>(message);
  if (reply) countersignatures_.answer(from, std::move(*reply));
}

void AdjudicationDesk::on_balance_reply(const InstitutionId& from, BytesView message) {
  auto reply = decode<BalanceReply>(message);
  if (reply) balances_.answer(from, std::move(*reply));
}

void AdjudicationDesk::send_openings(const ClaimId& id, std::uint16_t number) {
  const auto claim = ledger::read_as<contracts::ClaimState>(services_.state(), keys::claim(id));
  const auto decision =
      ledger::read_as<contracts::DecisionState>(services_.state(), keys::decision(id, number));
  if (!claim || !decision || decision->countersigning == Countersigning::countersigned) return;
  if (const auto kept = book_.find(decision->decision)) {
    Bytes request = countersign_request(crypto::random_id<RequestId>(), claim->reporter,
                                        services_.chain.certified_height(), *kept);
    if (!request.empty()) services_.send(claim->reporter, std::move(request));
  }
  services_.retries.later(services_.clock().value + kRetryMaxMs,
                          [this, id, number] { send_openings(id, number); });
}

}  // namespace baolian::node
