/// claims.decide: what every validator checks of a decision without seeing an amount.
#include <algorithm>

#include "contracts/catalog/catalog.h"
#include "contracts/claims/claims.h"
#include "contracts/membership/membership.h"
#include "crypto/pedersen.h"

namespace baolian::contracts {
namespace {

using ledger::Capacity;
using ledger::InstitutionKind;
using ledger::LogKind;
using ledger::Role;

/// What a payable decision changes, once all of it is checked.
struct Movement {
  std::vector<std::pair<Tag32, InvoiceState>> invoices;
  GroupElement total;
};

bool is_countersigner(const Cosigner& cosigner) {
  return cosigner.capacity == Capacity::countersigner;
}

bool has_countersigner(const OperationContext& context) {
  return std::any_of(context.cosigners.begin(), context.cosigners.end(), is_countersigner);
}

/// Adjusters, persons of the insurer, whose signature is on the operation. Cosigners differ from
/// each other and from the sender.
std::uint16_t count_persons(const OperationContext& context) {
  std::uint16_t out = is_adjuster(context.sender) ? 1 : 0;
  for (const Cosigner& cosigner : context.cosigners) {
    if (cosigner.capacity == Capacity::second_approver) ++out;
  }
  return out;
}

Code check_versions(const OperationContext& context, const ClaimState& claim,
                    const ClaimsDecide& content) {
  if (content.number != claim.next_decision) return Code::decision_number_wrong;
  if (content.payload_version != claim.payload.version) return Code::stale_payload;
  if (content.product_version != claim.product_version) return Code::product_version_differs;
  const auto product =
      context.state.read_as<ProductState>(keys::product(claim.product, claim.product_version));
  ASSERT(product.has_value());
  if (product->content.is_zero()) return Code::product_without_content;
  const bool has_map = !content.map.is_zero();
  return has_map && !is_published(context.state, content.map) ? Code::map_unknown : Code::applied;
}

/// A decision that waits moves nothing and needs nobody's countersignature.
bool moves_nothing(const OperationContext& context, const ClaimsDecide& content) {
  return content.lines.empty() && content.accumulators.empty() && content.total_before.is_zero() &&
         content.withheld == Withheld::none && content.escrow.is_zero() &&
         content.countersigning == Countersigning::countersigned && !has_countersigner(context);
}

Code check_persons(const OperationContext& context, const ClaimState& claim,
                   const ClaimsDecide& content) {
  if (claim.phase != ClaimPhase::in_review) return Code::applied;
  if (content.outcome != Outcome::payable) return Code::outcome_not_allowed;
  const std::uint16_t needed = claim.reviews > 0 ? 2 : 1;
  return count_persons(context) >= needed ? Code::applied : Code::persons_needed;
}

Code check_countersignature(const OperationContext& context, const ClaimState& claim,
                            const ClaimsDecide& content) {
  if (content.countersigning == Countersigning::countersigned) {
    if (!has_countersigner(context)) return Code::countersignature_missing;
    // Nobody else may stand on the chain as one who agreed.
    const bool is_reporter = std::all_of(
        context.cosigners.begin(), context.cosigners.end(), [&](const Cosigner& cosigner) {
          return !is_countersigner(cosigner) || cosigner.member.institution == claim.reporter;
        });
    return is_reporter ? Code::applied : Code::countersigner_not_reporter;
  }
  if (has_countersigner(context)) return Code::decision_form;
  const TimeMs silent_until =
      claim.opened_at + context.parameter(ParameterId::countersign_silence_ms);
  return context.now() < silent_until ? Code::uncountersigned_too_early : Code::applied;
}

/// One line: B_after = B_before - P on what stands; T grows by P.
Code move_line(const OperationContext& context, const ClaimState& claim,
               const ClaimsDecide& content, const PayoutLine& line, Movement& movement) {
  if (!line.invoice) return Code::fixed_benefit_reserved;
  auto invoice = context.state.read_as<InvoiceState>(keys::invoice(*line.invoice));
  if (!invoice || invoice->encounter != claim.encounter) return Code::invoice_not_in_claim;
  if (!movement.invoices.empty() && movement.invoices.back().first == *line.invoice) {
    return Code::invoice_not_in_claim;  // lines ascend: a second one stands behind the first
  }
  // Held from other payers; the claim that holds it may go on, as after a requested review.
  if (invoice->frozen && invoice->frozen->claim != content.claim) return Code::invoice_frozen;
  if (invoice->balance != line.balance_before) return Code::stale_balance;
  if (line.payout.is_zero() || !crypto::is_group_element(line.payout)) {
    return Code::payout_not_an_element;
  }
  const auto balance = crypto::subtract(invoice->balance, line.payout);
  const auto total = crypto::add(movement.total, line.payout);
  ASSERT(balance.has_value() && total.has_value());
  invoice->balance = *balance;
  if (content.countersigning == Countersigning::uncountersigned) {
    invoice->frozen = DecisionRef{content.claim, content.number};
  }
  movement.total = *total;
  movement.invoices.emplace_back(*line.invoice, std::move(*invoice));
  return Code::applied;
}

Code check_accumulators(const OperationContext& context, const ClaimState& claim,
                        const ClaimsDecide& content) {
  for (std::size_t i = 0; i < content.accumulators.size(); ++i) {
    const AccumulatorLine& line = content.accumulators[i];
    if (i > 0 && content.accumulators[i - 1].id == line.id) return Code::duplicate_in_operation;
    if (line.after.is_zero()) return Code::decision_form;
    const auto stands =
        context.state.read_as<AccumulatorState>(keys::accumulator(claim.policy, line.id));
    const Commitment before = stands ? stands->amount : Commitment{};
    if (before != line.before) return Code::stale_accumulator;
  }
  return Code::applied;
}

Code check_sums(const OperationContext& context, const ClaimState& claim,
                const ClaimsDecide& content, Movement& movement) {
  if (content.lines.empty() || content.escrow.is_zero()) return Code::decision_form;
  Code code = check_countersignature(context, claim, content);
  if (code != Code::applied) return code;
  const auto stands = context.state.read_as<PolicyTotal>(keys::policy_total(claim.policy));
  movement.total = stands ? stands->total : GroupElement{};
  const bool is_total = movement.total == content.total_before;
  for (const PayoutLine& line : content.lines) {
    code = move_line(context, claim, content, line, movement);
    if (code != Code::applied) return code;
  }
  if (!is_total) return Code::stale_total;
  return check_accumulators(context, claim, content);
}

void store_sums(OperationContext& context, const ClaimState& claim, const ClaimsDecide& content,
                const Movement& movement) {
  for (const auto& [tag, invoice] : movement.invoices) {
    context.state.write_as(keys::invoice(tag), invoice);
  }
  context.state.write_as(keys::policy_total(claim.policy), PolicyTotal{{}, movement.total});
  for (const AccumulatorLine& line : content.accumulators) {
    context.state.write_as(keys::accumulator(claim.policy, line.id),
                           AccumulatorState{{}, line.after});
  }
}

DecisionState new_decision(const OperationContext& context, const ClaimsDecide& content) {
  DecisionState out;
  out.payload_version = content.payload_version;
  out.decided_at = context.now();
  for (const PayoutLine& line : content.lines) out.invoices.push_back(*line.invoice);
  out.withheld = content.withheld;
  out.countersigning = content.countersigning;
  out.decision = content.decision;
  out.escrow = content.escrow;
  out.pay_due = context.after(ParameterId::insurer_pay_ms);
  if (content.withheld != Withheld::none) {
    out.explain_due = context.after(ParameterId::insurer_explain_ms);
  }
  return out;
}

/// Writes the decision with its two deadlines and moves the claim to decided. Returns: when payment
/// is due.
TimeMs store_payable(OperationContext& context, ClaimState claim, const ClaimsDecide& content) {
  const DecisionState decision = new_decision(context, content);
  context.state.write_as(keys::decision(content.claim, content.number), decision);
  context.state.write_as(keys::deadline(decision.pay_due, content.claim, DeadlineKind::insurer_pay),
                         Marker{});
  if (decision.explain_due != TimeMs{}) {
    context.state.write_as(
        keys::deadline(decision.explain_due, content.claim, DeadlineKind::insurer_explain),
        Marker{});
  }
  if (content.countersigning == Countersigning::uncountersigned) {
    context.emit(FlagRaised{.version = {},
                            .rule = FlagRule::silent_countersigner,
                            .rule_version = 1,
                            .about = id_cast<Hash>(content.claim),
                            .raised_on = claim.reporter});
    context.log(LogKind::alarms, Hash{});
    claim.flags |= 1U << static_cast<unsigned>(FlagRule::silent_countersigner);
  }
  claim.phase = ClaimPhase::decided;
  ++claim.next_decision;
  ++claim.unpaid;
  if (content.withheld == Withheld::provisional) ++claim.unexplained;
  write_claim(context, content.claim, std::move(claim), DeadlineKind::none, {});
  return decision.pay_due;
}

/// The claim waits for a paper or a person. Returns: until when.
TimeMs store_waiting(OperationContext& context, ClaimState claim, const ClaimsDecide& content) {
  ++claim.next_decision;
  if (content.outcome == Outcome::needs_paper) {
    const TimeMs due = context.after(ParameterId::person_paper_ms);
    claim.remaining_ms = claim.due > context.now() ? claim.due.value - context.now().value : 0;
    claim.phase = ClaimPhase::waiting_paper;
    write_claim(context, content.claim, std::move(claim), DeadlineKind::person_paper, due);
    return due;
  }
  // The insurer's clock ran from the opening on; the person's review is counted from the filing.
  const std::uint64_t from_filing =
      context.parameter(ParameterId::insurer_review_ms) + claim.due.value;
  const std::uint64_t from_opening = context.parameter(ParameterId::insurer_decide_ms) +
                                     (claim.opened_at.value - claim.filed_at.value);
  const TimeMs due{from_filing > from_opening ? from_filing - from_opening : 0};
  claim.phase = ClaimPhase::in_review;
  write_claim(context, content.claim, std::move(claim), DeadlineKind::insurer_review, due);
  return due;
}

}  // namespace

Code decide_claim(OperationContext& context, const ClaimsDecide& content) {
  Code code = require_role(context, {Role::gateway, Role::agent, Role::claims_adjuster});
  if (code != Code::applied) return code;
  code = require_kind(context, {InstitutionKind::insurer});
  if (code != Code::applied) return code;
  auto claim = find_claim(context.state, content.claim);
  if (!claim) return Code::claim_unknown;
  if (claim->insurer() != context.sender.institution) return Code::not_the_claims_insurer;
  if (claim->phase != ClaimPhase::opened && claim->phase != ClaimPhase::in_review) {
    return Code::claim_state;
  }
  code = check_versions(context, *claim, content);
  if (code != Code::applied) return code;
  code = check_persons(context, *claim, content);
  if (code != Code::applied) return code;

  ClaimDecided event{.version = {},
                     .claim = content.claim,
                     .insurer = claim->insurer(),
                     .reporter = claim->reporter,
                     .number = content.number,
                     .outcome = content.outcome,
                     .withheld = content.withheld,
                     .countersigning = content.countersigning,
                     .persons = count_persons(context),
                     .due = {}};
  if (content.outcome == Outcome::payable) {
    Movement movement;
    code = check_sums(context, *claim, content, movement);
    if (code != Code::applied) return code;
    store_sums(context, *claim, content, movement);
    event.due = store_payable(context, std::move(*claim), content);
  } else {
    if (!moves_nothing(context, content)) return Code::decision_form;
    event.due = store_waiting(context, std::move(*claim), content);
  }
  context.log(LogKind::claim, content.claim);
  context.emit(event);
  return Code::applied;
}

}  // namespace baolian::contracts
