#include "contracts/decision_fixture.h"

#include <algorithm>

namespace baolian::contracts::test {

using ledger::Capacity;

Opening operator+(const Opening& a, const Opening& b) {
  return {a.amount + b.amount, crypto::add(a.blinding, b.blinding)};
}
Opening operator-(const Opening& a, const Opening& b) {
  return {a.amount - b.amount, crypto::subtract(a.blinding, b.blinding)};
}

GroupElement committed(const Opening& opening) {
  if (opening.amount == 0 && opening.blinding.is_zero()) return {};
  const auto out = crypto::pedersen_commit(opening.amount, opening.blinding);
  REQUIRE(out.has_value());
  return *out;
}

crypto::Scalar Books::blinding() {
  crypto::Scalar out;
  const std::uint64_t n = world_.fresh();
  for (std::size_t i = 0; i < 8; ++i) out.bytes[i] = static_cast<std::uint8_t>(n >> (8 * i));
  // Far above all that is taken away from it: a blinding factor is never zero.
  out.bytes[20] = static_cast<std::uint8_t>(n % 251 + 1);
  return out;
}

ClaimsReport Books::report(const std::vector<std::uint64_t>& amounts) {
  ClaimsReport out = report_of(world_);
  out.invoices.clear();
  for (const std::uint64_t amount : amounts) {
    const auto tag = make_id<Tag32>(world_.fresh());
    balances_[tag] = {amount, blinding()};
    out.invoices.push_back({tag, committed(balances_[tag])});
  }
  return out;
}

namespace {

/// Reports and files; a stay for each insured, as the claims come.
std::vector<Stay> file_stay(World& world, const ClaimsReport& report,
                            const std::vector<std::pair<std::string, Insured>>& insured) {
  const RunOutcome reported = world.run("A", report);
  REQUIRE(reported.applied());
  const auto filed = reported.event<Filed>();
  REQUIRE(filed.has_value());
  REQUIRE(filed->claims.size() == insured.size());
  std::vector<Stay> out;
  for (const auto& [insurer, policy] : insured) {
    Stay stay;
    stay.insured = policy;
    stay.report = report;
    stay.payload = {report.payload.record, 1};
    stay.insurer = insurer;
    for (const InvoiceLine& invoice : report.invoices) stay.invoices.push_back(invoice.tag);
    for (const FiledClaim& claim : filed->claims) {
      if (claim.policy == policy.policy) stay.claim = claim.claim;
    }
    REQUIRE_FALSE(stay.claim.is_zero());
    out.push_back(std::move(stay));
  }
  return out;
}

}  // namespace

Stay Books::file(std::uint64_t person, const std::vector<std::uint64_t>& amounts) {
  const Insured insured = insure(world_, person);
  ClaimsReport content = report(amounts);
  add_filing(content, person, insured.subject, insured.consent);
  return file_stay(world_, content, {{"X", insured}}).front();
}

Stay Books::open(std::uint64_t person, const std::vector<std::uint64_t>& amounts) {
  Stay stay = file(person, amounts);
  open_case(world_, stay);
  return stay;
}

std::vector<Stay> Books::open_at(std::uint64_t person, const std::vector<std::string>& insurers,
                                 const std::vector<std::uint64_t>& amounts) {
  std::vector<std::pair<std::string, Insured>> insured;
  for (const std::string& name : insurers) insured.emplace_back(name, insure(world_, person, name));
  ClaimsReport content = report(amounts);
  for (const auto& [name, policy] : insured) {
    add_filing(content, person, policy.subject, policy.consent);
  }
  auto stays = file_stay(world_, content, insured);
  for (const Stay& stay : stays) open_case(world_, stay, stay.insurer);
  return stays;
}

Stay Books::open_again(const Stay& before, const std::vector<std::uint64_t>& amounts) {
  ClaimsReport content = report(amounts);
  content.filings = before.report.filings;
  content.disclosure = before.report.disclosure;
  Stay stay = file_stay(world_, content, {{before.insurer, before.insured}}).front();
  open_case(world_, stay, stay.insurer);
  return stay;
}

Proposal Books::propose(const Stay& stay, const std::vector<std::uint64_t>& amounts) {
  Proposal out;
  ClaimsDecide& content = out.content;
  content.claim = stay.claim;
  content.number = claim_state(world_, stay.claim).next_decision;
  content.outcome = Outcome::payable;
  content.decision = make_id<Commitment>(world_.fresh());
  content.escrow = make_id<Hash>(world_.fresh());
  content.total_before = committed(total(stay.insured.policy));
  for (std::size_t i = 0; i < amounts.size(); ++i) {
    out.payouts.push_back({amounts[i], blinding()});
    out.payouts.back().blinding.bytes[20] = 0;  // below every balance's
    content.lines.push_back({stay.invoices[i], committed(out.payouts.back()),
                             committed(balances_.at(stay.invoices[i]))});
  }
  return out;
}

ClaimsDecide Books::waiting(const Stay& stay, Outcome outcome) const {
  ClaimsDecide content;
  content.claim = stay.claim;
  content.number = claim_state(world_, stay.claim).next_decision;
  content.outcome = outcome;
  content.decision = make_id<Commitment>(5);
  return content;
}

void Books::take_over(const Stay& stay, const Proposal& proposal) {
  for (std::size_t i = 0; i < proposal.payouts.size(); ++i) {
    Opening& balance = balances_.at(*proposal.content.lines[i].invoice);
    balance = balance - proposal.payouts[i];
    totals_[stay.insured.policy] = totals_[stay.insured.policy] + proposal.payouts[i];
  }
}

RunOutcome Books::send(const Stay& stay, const Proposal& proposal) {
  const auto signature =
      world_.cosign("A", Capacity::countersigner, stay.insurer, proposal.content);
  const RunOutcome outcome = world_.run(stay.insurer, proposal.content, {signature});
  if (outcome.applied()) take_over(stay, proposal);
  return outcome;
}

RunOutcome Books::send_alone(const Stay& stay, Proposal proposal) {
  proposal.content.countersigning = Countersigning::uncountersigned;
  const RunOutcome outcome = world_.run(stay.insurer, proposal.content);
  if (outcome.applied()) take_over(stay, proposal);
  return outcome;
}

RunOutcome Books::send_by_persons(const Stay& stay, const Proposal& proposal) {
  const std::string sender = stay.insurer + ".adjuster";
  const RunOutcome outcome =
      world_.run(sender, proposal.content,
                 {world_.cosign("A", Capacity::countersigner, sender, proposal.content),
                  world_.cosign(stay.insurer + ".second", Capacity::second_approver, sender,
                                proposal.content)});
  if (outcome.applied()) take_over(stay, proposal);
  return outcome;
}

void Books::decide(const Stay& stay, const std::vector<std::uint64_t>& amounts) {
  REQUIRE(send(stay, propose(stay, amounts)).code() == Code::applied);
}

Opening Books::total(const PolicyId& policy) const {
  const auto found = totals_.find(policy);
  return found == totals_.end() ? Opening{} : found->second;
}

bool Books::agree() const {
  bool out = true;
  for (const auto& [tag, opening] : balances_) {
    const auto invoice = world_.read<InvoiceState>(keys::invoice(tag));
    out = out && invoice && invoice->balance == committed(opening);
  }
  for (const auto& [policy, opening] : totals_) {
    const auto total = world_.read<PolicyTotal>(keys::policy_total(policy));
    out = out && total && total->total == committed(opening);
  }
  return out;
}

ClaimsPay pay_of(const Stay& stay, std::uint16_t number) {
  ClaimsPay content;
  content.claim = stay.claim;
  content.number = number;
  content.reference = make_id<Commitment>(8);
  return content;
}

ClaimsExplained explained_of(const Stay& stay, std::uint16_t number) {
  return {{}, stay.claim, number, make_id<Commitment>(9)};
}

ClaimsLateCountersign late_of(const Stay& stay, std::uint16_t number) {
  return {{}, stay.claim, number};
}

ClaimsSupplement supplement_of(World& world, const Stay& stay, std::uint64_t person) {
  const auto record = record_of(world, person, "A");
  REQUIRE(world.run("A", record).applied());
  return {{}, stay.claim, {record.record}, make_id<Commitment>(10)};
}

ClaimsWithdraw withdraw_of(const Stay& stay) { return {{}, stay.claim, make_id<Commitment>(11)}; }
ClaimsRequestReview review_of(const Stay& stay) {
  return {{}, stay.claim, make_id<Commitment>(12)};
}

ClaimState claim_state(const World& world, const ClaimId& claim) {
  const auto state = world.read<ClaimState>(keys::claim(claim));
  REQUIRE(state.has_value());
  return *state;
}

ClaimPhase phase_of(const World& world, const ClaimId& claim) {
  return claim_state(world, claim).phase;
}

std::size_t deadline_count(const World& world) {
  return world.state().scan(keys::deadlines(), keys::deadlines(), 5000).size();
}

}  // namespace baolian::contracts::test
