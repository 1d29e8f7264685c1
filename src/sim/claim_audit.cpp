#include "sim/claim_audit.h"

#include <algorithm>
#include <tuple>

#include "contracts/adjudication/payout.h"
#include "contracts/adjudication/report_check.h"
#include "contracts/claims/claims.h"
#include "contracts/parameters.h"
#include "contracts/state.h"
#include "contracts/system/system.h"
#include "crypto/commitment.h"
#include "sim/claim_replay.h"

namespace baolian::sim {
namespace {

using contracts::ClaimPhase;
using contracts::ClaimsDecide;
using contracts::DeadlineKind;
using contracts::ParameterId;
namespace keys = contracts::keys;

struct AuditedPolicy {
  Opening total;
  std::map<std::uint16_t, std::uint64_t> values;
  std::map<std::uint16_t, Commitment> commitments;
};

struct AuditedClaim {
  Bill* bill = nullptr;
  std::size_t insurer = 0;
  PolicyId policy;
  DeadlineKind waits_for{DeadlineKind::none};
  TimeMs due;
  std::uint16_t decided = 0;  ///< newest payable decision
  std::set<std::uint16_t> paid;
  TimeMs pay_due;
  TimeMs explain_due;
};

class Audit {
 public:
  explicit Audit(const AuditInput& input) : in_(input), scene_(input.scene) {
    for (const Bill& bill : scene_.script.bills) {
      for (std::size_t i = 0; i < bill.tags.size(); ++i) {
        const contracts::BalanceOpening& balance = bill.payload.openings.balances[i];
        balances_[bill.tags[i]] = {balance.amount, balance.blinding};
      }
    }
  }

  AuditReport run() {
    for (const Certified& entry : scene_.feed.entries()) {
      if (entry.applied()) {
        follow(entry);
      } else {
        ++out_.refused;
      }
    }
    judge_claims();
    judge_sums();
    judge_reports();
    judge_roots();
    if (!out_.violation) {
      if (const auto trace = find_trace_of_refusals(in_.node.chain())) violation("C5: " + *trace);
    }
    return out_;
  }

 private:
  void violation(const std::string& what) {
    if (!out_.violation) out_.violation = what;
  }
  template <typename T>
  std::optional<T> read(const Bytes& key) const {
    return ledger::read_as<T>(in_.node.chain().state(), key);
  }
  std::uint64_t parameter(ParameterId id) const {
    return contracts::parameter(scene_.world.world.genesis.epoch, id);
  }

  // ---------------------------------------------------------------- deadlines

  void owe(const ClaimId& id, DeadlineKind kind, TimeMs due) {
    const AuditedClaim& claim = claims_.at(id);
    const bool will_pass = kind == DeadlineKind::insurer_pay &&
                           claim.bill->plays(ClaimStrategy::overdue_payment, claim.insurer);
    if (scene_.fault == SeededFault::forgotten_alarm && !forgot_ && will_pass) {
      forgot_ = true;
      return;
    }
    deadlines_.insert({due, id, kind});
  }
  void settle(const ClaimId& id, DeadlineKind kind, TimeMs due) {
    deadlines_.erase({due, id, kind});
  }
  void wait_for(const ClaimId& id, DeadlineKind kind, TimeMs due) {
    AuditedClaim& claim = claims_.at(id);
    settle(id, claim.waits_for, claim.due);
    claim.waits_for = kind;
    claim.due = due;
    if (kind != DeadlineKind::none) owe(id, kind, due);
  }

  void follow(const Certified& entry) {
    if (const auto filed = contracts::find_event<contracts::Filed>(entry.receipt)) {
      for (const contracts::FiledClaim& one : filed->claims) {
        AuditedClaim& claim = claims_[one.claim];
        claim.bill = scene_.script.find(filed->encounter);
        claim.insurer = *scene_.world.insurer_index(one.insurer);
        claim.policy = one.policy;
        insurer_of_[one.policy] = claim.insurer;
        wait_for(one.claim, DeadlineKind::insurer_request,
                 entry.time + parameter(ParameterId::insurer_request_ms));
      }
    }
    if (contracts::find_event<contracts::Granted>(entry.receipt)) follow_grant(entry);
    if (const auto opened = contracts::find_event<contracts::ClaimOpened>(entry.receipt)) {
      wait_for(opened->claim, DeadlineKind::insurer_decide,
               entry.time + parameter(ParameterId::insurer_decide_ms));
    }
    if (const auto content = contracts::content_of<ClaimsDecide>(entry.operation)) {
      follow_decision(*content, entry.time);
    }
    if (const auto content = contracts::content_of<contracts::ClaimsPay>(entry.operation)) {
      AuditedClaim& claim = claims_.at(content->claim);
      if (!claim.paid.insert(content->number).second) violation("C4: a decision was paid twice");
      settle(content->claim, DeadlineKind::insurer_pay, claim.pay_due);
    }
    if (const auto content = contracts::content_of<contracts::ClaimsExplained>(entry.operation)) {
      settle(content->claim, DeadlineKind::insurer_explain, claims_.at(content->claim).explain_due);
    }
    if (const auto content = contracts::content_of<contracts::SystemSweep>(entry.operation)) {
      follow_sweep(*content, entry);
    }
  }

  void follow_grant(const Certified& entry) {
    const auto content = contracts::content_of<contracts::RecordsRequest>(entry.operation);
    if (!content) return;
    const auto id = contracts::id_cast<ClaimId>(content->basis.id);
    if (claims_.at(id).waits_for != DeadlineKind::insurer_request) return;
    wait_for(id, DeadlineKind::hospital_release,
             entry.time + parameter(ParameterId::hospital_release_ms));
  }

  void follow_sweep(const contracts::SystemSweep& content, const Certified& entry) {
    std::vector<contracts::Alarm> expected;
    while (!deadlines_.empty() && expected.size() < content.count_max) {
      const auto [due, id, kind] = *deadlines_.begin();
      if (due > content.up_to) break;
      const AuditedClaim& claim = claims_.at(id);
      const InstitutionId debtor = kind == DeadlineKind::hospital_release
                                       ? scene_.world.hospital.institution
                                       : scene_.world.insurers[claim.insurer].seat.institution;
      expected.push_back({id, kind, due, debtor});
      deadlines_.erase(deadlines_.begin());
    }
    const auto raised = contracts::find_event<contracts::AlarmsRaised>(entry.receipt);
    const auto alarms = raised ? raised->alarms : std::vector<contracts::Alarm>{};
    if (alarms != expected) violation("C6: a sweep did not raise exactly the overdue alarms");
  }

  // ---------------------------------------------------------------- money

  void follow_decision(const ClaimsDecide& content, TimeMs time) {
    AuditedClaim& claim = claims_.at(content.claim);
    if (content.number != claim.decided + 1) {
      return violation("C4: a decision was applied under another number than the next");
    }
    claim.decided = content.number;
    ++out_.decisions;
    const contracts::Decision decision = recompute(claim);
    judge_decision(claim, content, decision);
    take_payouts(claim, content, decision);
    take_accumulators(claim, content, decision);
    wait_for(content.claim, DeadlineKind::none, {});
    claim.pay_due = time + parameter(ParameterId::insurer_pay_ms);
    owe(content.claim, DeadlineKind::insurer_pay, claim.pay_due);
    if (content.withheld == contracts::Withheld::none) return;
    claim.explain_due = time + parameter(ParameterId::insurer_explain_ms);
    owe(content.claim, DeadlineKind::insurer_explain, claim.explain_due);
  }

  /// The engine on what stood when this decision committed.
  contracts::Decision recompute(const AuditedClaim& claim) {
    AuditedPolicy& policy = policies_[claim.policy];
    contracts::Accumulators kept;
    kept.total_paid = policy.total.amount;
    for (const auto& [id, amount] : policy.values) kept.values.push_back({id, amount});
    contracts::DecisionInput input{scene_.world.insurers[claim.insurer].product,
                                   {scene_.world.today - 30, scene_.world.today + 334},
                                   kept,
                                   claim.bill->payload,
                                   {},
                                   {},
                                   nullptr,
                                   {}};
    for (const Tag32& tag : claim.bill->tags) input.invoices.push_back({balances_.at(tag).amount});
    return contracts::decide(input);
  }

  void judge_decision(const AuditedClaim& claim, const ClaimsDecide& content,
                      const contracts::Decision& expected) {
    const auto& decisions = in_.books[claim.insurer]->decisions;
    const auto kept = decisions.find(content.decision);
    if (kept == decisions.end()) return violation("C2: nobody can open a decision");
    const Commitment again =
        crypto::commit(crypto::domain::kDecision, kept->second.salt, encode(expected));
    if (again != content.decision || content.withheld != expected.withheld) {
      violation("C2: a decision is not the engine's on what stood at its commit");
    }
  }

  void take_payouts(const AuditedClaim& claim, const ClaimsDecide& content,
                    const contracts::Decision& expected) {
    AuditedPolicy& policy = policies_[claim.policy];
    const auto& tags = claim.bill->tags;
    for (const contracts::PayoutLine& line : content.lines) {
      const auto payout = in_.books[claim.insurer]->payouts.find(line.payout);
      if (!payout) return violation("C2: a payout does not open");
      const auto at = std::find(tags.begin(), tags.end(), *line.invoice);
      if (at == tags.end()) return violation("C2: a payout is of an invoice of another bill");
      const auto index = static_cast<std::size_t>(at - tags.begin());
      if (payout->amount != expected.invoice_payouts[index]) {
        return violation("C2: a payout is not what the engine pays");
      }
      Opening& balance = balances_.at(*line.invoice);
      if (payout->amount > balance.amount) return violation("C2: an invoice pays above its total");
      const bool forgets = scene_.fault == SeededFault::forgotten_payout && !forgot_;
      forgot_ = forgot_ || forgets;
      if (!forgets) balance = balance - *payout;
      policy.total = policy.total + *payout;
      out_.paid_minor += payout->amount;
    }
  }

  void take_accumulators(const AuditedClaim& claim, const ClaimsDecide& content,
                         const contracts::Decision& expected) {
    AuditedPolicy& policy = policies_[claim.policy];
    if (content.accumulators.size() != expected.after.values.size()) {
      return violation("C3: a decision moved other accumulators than the engine");
    }
    for (const contracts::AccumulatorLine& line : content.accumulators) {
      const auto stood = policy.commitments.find(line.id);
      const Commitment before = stood == policy.commitments.end() ? Commitment{} : stood->second;
      if (line.before != before) return violation("C3: an accumulator forked");
      const auto& book = in_.books[claim.insurer]->accumulators;
      const auto after = book.find(line.after);
      const bool opens = after != book.end() && after->second.policy == claim.policy &&
                         after->second.id == line.id &&
                         after->second.amount == expected.after.value(line.id);
      if (!opens) return violation("C3: an accumulator does not open to the engine's value");
      policy.values[line.id] = after->second.amount;
      policy.commitments[line.id] = line.after;
    }
  }

  // ---------------------------------------------------------------- what stands at the end

  void judge_claims() {
    std::size_t expected_claims = 0;
    for (const Bill& bill : scene_.script.bills) {
      expected_claims += bill.report.filings.size();
    }
    out_.claims = claims_.size();
    if (claims_.size() != expected_claims) violation("C1: a claim was lost or filed twice");
    for (const auto& [id, claim] : claims_) {
      const auto state = read<contracts::ClaimState>(keys::claim(id));
      const ClaimPhase expected = expected_end(*claim.bill, claim.insurer);
      if (!state || state->phase != expected) {
        violation("C1: a claim of strategy " + std::string(strategy_name(claim.bill->strategy)) +
                  " ended " + (state ? std::string(enum_name(state->phase)) : "nowhere") +
                  " instead of " + std::string(enum_name(expected)));
        continue;
      }
      if (state->next_decision != claim.decided + 1) violation("C4: a decision number was lost");
      for (std::uint16_t n = 1; n <= claim.decided; ++n) judge_stored(id, claim, n);
      if (read<contracts::DecisionState>(
              keys::decision(id, static_cast<std::uint16_t>(claim.decided + 1)))) {
        violation("C4: a decision stands that was never applied");
      }
    }
  }

  void judge_stored(const ClaimId& id, const AuditedClaim& claim, std::uint16_t number) {
    const auto stored = read<contracts::DecisionState>(keys::decision(id, number));
    if (!stored) return violation("C4: a decision that was applied does not stand");
    const bool is_paid = stored->paid_at != TimeMs{};
    if (is_paid != claim.paid.contains(number)) violation("C4: state and payments differ");
    if (stored->countersigning != contracts::Countersigning::countersigned) {
      violation("C1: a decision is still without countersignature");
    }
  }

  void judge_sums() {
    for (const Bill& bill : scene_.script.bills) {
      for (std::size_t i = 0; i < bill.tags.size(); ++i) {
        const auto invoice = read<contracts::InvoiceState>(keys::invoice(bill.tags[i]));
        if (!invoice) {
          violation("C2: an invoice was never reported");
          continue;
        }
        if (invoice->balance != committed(balances_.at(bill.tags[i]))) {
          violation("C2: B_0 is not B_now and the payouts");
        }
        if (invoice->frozen) violation("C1: an invoice is still frozen");
      }
    }
    for (const auto& [id, policy] : policies_) {
      const auto total = read<contracts::PolicyTotal>(keys::policy_total(id));
      if (!total || total->total != committed(policy.total)) {
        violation("C2: T is not the sum of the payouts");
      }
      judge_year(id, policy);
      for (const auto& [number, commitment] : policy.commitments) {
        const auto stands = read<contracts::AccumulatorState>(keys::accumulator(id, number));
        if (!stands || stands->amount != commitment) violation("C3: an accumulator was lost");
      }
    }
    std::size_t standing =
        in_.node.chain().state().scan(keys::deadlines(), keys::deadlines(), 5000).size();
    if (standing != deadlines_.size()) violation("C6: other deadlines stand than are owed");
  }

  /// The year in one step, without decide(): these products are order-free.
  void judge_year(const PolicyId& id, const AuditedPolicy& policy) {
    const std::size_t insurer = insurer_of_.at(id);
    const contracts::Product& product = scene_.world.insurers[insurer].product;
    const auto expense = policy.values.find(contracts::group_accumulator(1));
    if (expense == policy.values.end()) return violation("C3: a policy paid without expense");
    const std::uint64_t by_tiers =
        contracts::cumulative_payout(product.groups.front(), product.rounding, expense->second);
    if (policy.total.amount != std::min(by_tiers, product.total_limit)) {
      violation("C2: T is not what the year's expense gives");
    }
  }

  /// Rule 0 of the engine, on what stands.
  void judge_reports() {
    for (const auto& [id, claim] : claims_) {
      const Bill& bill = *claim.bill;
      const auto state = read<contracts::EncounterState>(keys::encounter(bill.report.encounter));
      if (!state) return violation("C8: an encounter does not stand");
      const InsuredPerson::Cover& cover = *scene_.script.persons[bill.person].covers[claim.insurer];
      contracts::ReportOnChain report{
          state->subject_commitment, state->record_list, state->first_month, state->last_month,
          state->care_subject,       cover.subject,      cover.subject,      {}};
      for (const Tag32& tag : bill.tags) {
        const auto invoice = read<contracts::InvoiceState>(keys::invoice(tag));
        if (invoice) report.invoices.push_back({tag, invoice->reported});
      }
      if (!contracts::compare_report(report, bill.payload).empty()) {
        violation("C8: a report is not the one of its payload");
      }
    }
  }

  void judge_roots() {
    const ledger::Chain& chain = in_.node.chain();
    const auto own = chain.header(chain.height());
    for (const auto& node : scene_.nodes) {
      if (!node->is_up()) continue;
      const auto other = node->chain().header(chain.height());
      if (!other || other->state_root != own->state_root) violation("C7: state roots differ");
    }
  }

  const AuditInput& in_;
  ClaimScene& scene_;
  AuditReport out_;
  bool forgot_ = false;
  std::map<Tag32, Opening> balances_;
  std::map<PolicyId, AuditedPolicy> policies_;
  std::map<PolicyId, std::size_t> insurer_of_;
  std::map<ClaimId, AuditedClaim> claims_;
  std::set<std::tuple<TimeMs, ClaimId, DeadlineKind>> deadlines_;
};

}  // namespace

AuditReport audit_claims(const AuditInput& input) { return Audit(input).run(); }

}  // namespace baolian::sim
