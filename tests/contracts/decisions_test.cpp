/// docs/contracts.md, claims.decide: one test a rule, with balances and payouts that open.
#include <algorithm>

#include "contracts/decision_fixture.h"

using namespace baolian;
using namespace baolian::contracts;
using namespace baolian::contracts::test;
using ledger::Capacity;
using ledger::LogKind;

namespace {

/// A decision changed by `change`, then signed by the reporter and sent: the code.
template <typename Change>
Code refused(World& world, Books& books, const Stay& stay, Change change) {
  Proposal proposal = books.propose(stay, {1'000});
  change(proposal.content);
  const auto signature = world.cosign("A", Capacity::countersigner, "X", proposal.content);
  const RunOutcome outcome = world.run("X", proposal.content, {signature});
  CHECK(phase_of(world, stay.claim) == ClaimPhase::opened);
  return outcome.code();
}

AccumulatorLine moved(std::uint16_t id, const Commitment& before, std::uint64_t n) {
  return {id, before, make_id<Commitment>(n)};
}

}  // namespace

TEST_CASE("decide: the published case, 3,112.90 of 3,255.00, to its end", "[decide]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1, {325'500});
  Proposal proposal = books.propose(stay, {311'290});
  proposal.content.withheld = Withheld::declared;
  const TimeMs decided_at = world.now;
  const RunOutcome decided = books.send(stay, proposal);
  REQUIRE(decided.code() == Code::applied);
  const auto event = decided.event<ClaimDecided>();
  REQUIRE(event.has_value());
  CHECK(event->claim == stay.claim);
  CHECK(event->insurer == world.institution("X"));
  CHECK(event->reporter == world.institution("A"));
  CHECK(event->number == 1);
  CHECK(event->outcome == Outcome::payable);
  CHECK(event->persons == 0);
  CHECK(event->due == decided_at + 10 * kDay);
  CHECK(decided.appends.size() == 1);
  CHECK(decided.count(LogKind::claim, stay.claim) == 1);
  CHECK(books.agree());
  CHECK(books.balance(stay.invoices[0]).amount == 14'210);
  CHECK(books.total(stay.insured.policy).amount == 311'290);

  const auto decision = world.read<DecisionState>(keys::decision(stay.claim, 1));
  REQUIRE(decision.has_value());
  CHECK(decision->invoices == stay.invoices);
  CHECK(decision->decision == proposal.content.decision);
  CHECK(decision->escrow == proposal.content.escrow);
  CHECK(decision->pay_due == decided_at + 10 * kDay);
  CHECK(decision->explain_due == decided_at + 3 * kDay);
  CHECK(decision->paid_at == TimeMs{});
  ClaimState claim = claim_state(world, stay.claim);
  CHECK(claim.phase == ClaimPhase::decided);
  CHECK(claim.next_decision == 2);
  CHECK(claim.unpaid == 1);
  CHECK(claim.unexplained == 0);
  CHECK(claim.due_kind == DeadlineKind::none);
  CHECK(deadline_count(world) == 2);
  const auto invoice = world.read<InvoiceState>(keys::invoice(stay.invoices[0]));
  CHECK(invoice->reported == stay.report.invoices[0].balance);
  CHECK_FALSE(invoice->frozen.has_value());

  const RunOutcome paid = world.run("X", pay_of(stay));
  REQUIRE(paid.applied());
  CHECK(paid.event<ClaimPaid>()->closed);
  CHECK(phase_of(world, stay.claim) == ClaimPhase::closed);
  CHECK(deadline_count(world) == 1);
  REQUIRE(world.run("X", explained_of(stay)).applied());
  CHECK(deadline_count(world) == 0);
}

TEST_CASE("decide: what every validator recomputes opens to what both signers know", "[decide]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1, {100'000, 50'000, 20'000});
  books.decide(stay, {70'000, 0, 20'000});
  CHECK(books.agree());
  CHECK(books.balance(stay.invoices[0]).amount == 30'000);
  CHECK(books.balance(stay.invoices[1]).amount == 50'000);
  CHECK(books.balance(stay.invoices[2]).amount == 0);
  CHECK(books.total(stay.insured.policy).amount == 90'000);
  // A balance of nothing is no identity: its blinding factor stays.
  const auto empty = world.read<InvoiceState>(keys::invoice(stay.invoices[2]));
  CHECK_FALSE(empty->balance.is_zero());
  // A second stay of the policy continues the total, on a second claim.
  const Stay next = books.open_again(stay, {40'000});
  books.decide(next, {25'000});
  CHECK(books.agree());
  CHECK(books.total(stay.insured.policy).amount == 115'000);
}

TEST_CASE("decide: a payout of 0 is r*H alone; the identity as payout is refused", "[decide]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1);
  CHECK(refused(world, books, stay, [](ClaimsDecide& content) {
          content.lines[0].payout = GroupElement{};
        }) == Code::payout_not_an_element);
  CHECK(refused(world, books, stay, [](ClaimsDecide& content) {
          content.lines[0].payout.bytes.fill(0xFF);
        }) == Code::payout_not_an_element);
  const Proposal nothing = books.propose(stay, {0});
  CHECK_FALSE(nothing.content.lines[0].payout.is_zero());
  REQUIRE(books.send(stay, nothing).applied());
  CHECK(books.agree());
  CHECK(books.total(stay.insured.policy).amount == 0);
  REQUIRE(world.run("X", pay_of(stay)).applied());
  CHECK(phase_of(world, stay.claim) == ClaimPhase::closed);
}

TEST_CASE("decide: a balance reported as the identity moves as any other", "[decide]") {
  World world;
  const FiledCase filed = file_case(world, 1);
  open_case(world, filed);
  Books books(world);
  Stay stay;
  static_cast<FiledCase&>(stay) = filed;
  stay.insurer = "X";
  Proposal proposal = books.propose(stay, {});
  crypto::Scalar r;
  r.bytes[0] = 7;
  const GroupElement payout = *crypto::pedersen_commit(0, r);
  proposal.content.lines = {{filed.report.invoices[0].tag, payout, GroupElement{}}};
  REQUIRE(books.send(stay, {proposal.content, {}}).applied());
  const auto invoice = world.read<InvoiceState>(keys::invoice(filed.report.invoices[0].tag));
  CHECK(crypto::add(invoice->balance, payout).value().is_zero());
  CHECK(world.read<PolicyTotal>(keys::policy_total(stay.insured.policy))->total == payout);
}

// ------------------------------------------------------------------ who decides, on what

TEST_CASE("decide: by gateway, agent or adjuster of the claim's insurer", "[decide]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1);
  const auto content = books.waiting(stay, Outcome::needs_person);
  CHECK(world.run("X.auditor", content).code() == Code::role_not_allowed);
  CHECK(world.run("X.doctor", content).code() == Code::role_not_allowed);
  CHECK(world.run("A", content).code() == Code::institution_kind_not_allowed);
  CHECK(world.run("Y", content).code() == Code::not_the_claims_insurer);
  auto unknown = content;
  unknown.claim = make_id<ClaimId>(1);
  CHECK(world.run("X", unknown).code() == Code::claim_unknown);
  CHECK(world.run("X.adjuster", content).applied());
  CHECK(phase_of(world, stay.claim) == ClaimPhase::in_review);
}

TEST_CASE("decide: number, payload and product are those that stand", "[decide]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1);
  CHECK(refused(world, books, stay, [](ClaimsDecide& c) { c.number = 2; }) ==
        Code::decision_number_wrong);
  CHECK(refused(world, books, stay, [](ClaimsDecide& c) { c.number = 0; }) ==
        Code::decision_number_wrong);
  CHECK(refused(world, books, stay, [](ClaimsDecide& c) { c.payload_version = 2; }) ==
        Code::stale_payload);
  CHECK(refused(world, books, stay, [](ClaimsDecide& c) { c.product_version = 2; }) ==
        Code::product_version_differs);
}

TEST_CASE("decide: a product without content is never decided", "[decide]") {
  World world;
  auto product = product_of(world, "X");
  product.content = {};
  const Insured insured = insure_under(world, product, 1, "X");
  auto report = report_of(world);
  add_filing(report, 1, insured.subject, insured.consent);
  const auto filed = world.run("A", report).event<Filed>();
  REQUIRE(filed.has_value());
  Stay stay;
  static_cast<FiledCase&>(stay) =
      FiledCase{insured, report, filed->claims[0].claim, {report.payload.record, 1}};
  open_case(world, stay);
  const Books books(world);
  for (const Outcome outcome : {Outcome::needs_paper, Outcome::needs_person, Outcome::payable}) {
    CHECK(world.run("X", books.waiting(stay, outcome)).code() == Code::product_without_content);
  }
}

TEST_CASE("decide: a code map that nobody published decides nothing", "[decide][catalog]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1);
  const Hash map = make_id<Hash>(4711);
  CHECK(refused(world, books, stay, [&](ClaimsDecide& c) { c.map = map; }) == Code::map_unknown);
  REQUIRE(world.run("bureau", CatalogPublish{{}, make_id<CatalogId>(1), 1, map}).applied());
  Proposal proposal = books.propose(stay, {1'000});
  proposal.content.map = map;
  CHECK(books.send(stay, proposal).applied());
}

TEST_CASE("decide: sums stand in a payable decision and in no other", "[decide]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1);
  const auto form = [&](Outcome outcome, auto change) {
    ClaimsDecide content = books.waiting(stay, outcome);
    change(content);
    const Code code = world.run("X", content).code();
    CHECK(phase_of(world, stay.claim) == ClaimPhase::opened);
    return code;
  };
  const Proposal sums = books.propose(stay, {1'000});
  for (const Outcome outcome : {Outcome::needs_paper, Outcome::needs_person}) {
    CHECK(form(outcome, [&](ClaimsDecide& c) { c.lines = sums.content.lines; }) ==
          Code::decision_form);
    CHECK(form(outcome, [&](ClaimsDecide& c) { c.accumulators = {moved(1, {}, 1)}; }) ==
          Code::decision_form);
    CHECK(form(outcome, [&](ClaimsDecide& c) { c.escrow = sums.content.escrow; }) ==
          Code::decision_form);
    CHECK(form(outcome, [&](ClaimsDecide& c) { c.total_before = sums.content.lines[0].payout; }) ==
          Code::decision_form);
    CHECK(form(outcome, [](ClaimsDecide& c) { c.withheld = Withheld::provisional; }) ==
          Code::decision_form);
    CHECK(form(outcome, [](ClaimsDecide& c) {
            c.countersigning = Countersigning::uncountersigned;
          }) == Code::decision_form);
    const auto content = books.waiting(stay, outcome);
    CHECK(world.run("X", content, {world.cosign("A", Capacity::countersigner, "X", content)})
              .code() == Code::decision_form);
  }
  CHECK(refused(world, books, stay, [](ClaimsDecide& c) { c.lines.clear(); }) ==
        Code::decision_form);
  CHECK(refused(world, books, stay, [](ClaimsDecide& c) { c.escrow = {}; }) == Code::decision_form);
  CHECK(refused(world, books, stay, [](ClaimsDecide& c) {
          c.accumulators = {{1, {}, {}}};
        }) == Code::decision_form);
  CHECK(refused(world, books, stay, [](ClaimsDecide& c) {
          c.countersigning = Countersigning::uncountersigned;
        }) == Code::decision_form);
}

TEST_CASE("decide: each line is an invoice of this stay, once", "[decide]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1, {100'000, 50'000});
  const Stay other = books.open(2);
  CHECK(refused(world, books, stay, [](ClaimsDecide& c) { c.lines[0].invoice.reset(); }) ==
        Code::fixed_benefit_reserved);
  CHECK(refused(world, books, stay, [](ClaimsDecide& c) {
          c.lines[0].invoice = make_id<Tag32>(1);
        }) == Code::invoice_not_in_claim);
  CHECK(refused(world, books, stay, [&](ClaimsDecide& c) {
          c.lines = books.propose(other, {1'000}).content.lines;
        }) == Code::invoice_not_in_claim);
  CHECK(refused(world, books, stay, [&](ClaimsDecide& c) {
          PayoutLine twin = c.lines[0];
          twin.payout = committed({7, books.balance(stay.invoices[0]).blinding});
          c.lines.push_back(twin);
          std::sort(c.lines.begin(), c.lines.end());
        }) == Code::invoice_not_in_claim);
  // Lines that do not ascend are no canonical content.
  Proposal reversed = books.propose(stay, {1'000, 1'000});
  std::swap(reversed.content.lines[0], reversed.content.lines[1]);
  CHECK(books.send(stay, reversed).code() == Code::content_malformed);
}

// ------------------------------------------------------------------ the reporter's signature

TEST_CASE("decide: payable needs the reporter's signature over the whole content", "[decide]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1);
  const Proposal proposal = books.propose(stay, {1'000});
  const auto& content = proposal.content;
  const auto sign = [&](const std::string& who) {
    return world.cosign(who, Capacity::countersigner, "X", content);
  };
  CHECK(world.run("X", content).code() == Code::countersignature_missing);
  CHECK(world.run("X", content, {sign("B")}).code() == Code::countersigner_not_reporter);
  CHECK(world.run("X", content, {sign("X.attestor")}).code() == Code::countersigner_not_reporter);
  CHECK(world.run("X", content, {sign("A"), sign("B")}).code() == Code::countersigner_not_reporter);
  CHECK(world.run("X", content, {sign("B"), sign("A")}).code() == Code::countersigner_not_reporter);
  for (const std::string who : {"A.doctor", "A.vault", "A.adjuster", "A.auditor"}) {
    INFO(who);
    CHECK(world.run("X", content, {sign(who)}).code() == Code::cosigner_role);
  }
  CHECK(world.run("X", content, {sign("A"), sign("A")}).code() == Code::cosignature_duplicate);
  // Over another payout, for another sender, in another capacity.
  const auto other = books.propose(stay, {2'000}).content;
  CHECK(world.run("X", content, {world.cosign("A", Capacity::countersigner, "X", other)}).code() ==
        Code::cosignature_invalid);
  CHECK(
      world.run("X", content, {world.cosign("A", Capacity::countersigner, "Y", content)}).code() ==
      Code::cosignature_invalid);
  CHECK(world.run("X", content, {world.cosign("A", Capacity::attestor, "X", content)}).code() ==
        Code::cosignature_unexpected);
  auto counted = sign("A");
  counted.nonce = Nonce{1};
  CHECK(world.run("X", content, {counted}).code() == Code::cosignature_nonce);
  const auto late = sign("A");
  world.advance(6 * kMinute);
  CHECK(world.run("X", content, {late}).code() == Code::cosignature_expired);
  CHECK(phase_of(world, stay.claim) == ClaimPhase::opened);
  CHECK(world.run("X", content, {sign("A.attestor")}).applied());  // an agent of the reporter
}

TEST_CASE("decide: a signature serves once; one that lost serves nobody", "[decide]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1);
  const Proposal first = books.propose(stay, {1'000});
  const Proposal second = books.propose(stay, {1'000});
  REQUIRE(books.send(stay, first).applied());
  CHECK(books.send(stay, first).code() == Code::claim_state);
  CHECK(books.send(stay, second).code() == Code::claim_state);
  CHECK(books.agree());
}

TEST_CASE("decide: without the reporter only a day after the opening; its invoices are held",
          "[decide][uncountersigned]") {
  World world;
  Books books(world);
  const auto stays = books.open_at(1, {"X", "Y"}, {300'000, 50'000});
  const Stay& x = stays[0];
  const Stay& y = stays[1];
  const TimeMs opened_at = claim_state(world, x.claim).opened_at;
  world.now = opened_at + (kDay - 1);
  CHECK(books.send_alone(x, books.propose(x, {100'000})).code() == Code::uncountersigned_too_early);
  world.now = opened_at + kDay;
  const RunOutcome decided = books.send_alone(x, books.propose(x, {100'000}));
  REQUIRE(decided.code() == Code::applied);
  const auto flag = decided.event<FlagRaised>();
  REQUIRE(flag.has_value());
  CHECK(flag->rule == FlagRule::silent_countersigner);
  CHECK(flag->about == id_cast<Hash>(x.claim));
  CHECK(flag->raised_on == world.institution("A"));
  CHECK(decided.count(LogKind::alarms, Hash{}) == 1);
  CHECK(decided.count(LogKind::claim, x.claim) == 1);
  CHECK(claim_state(world, x.claim).flags ==
        1U << static_cast<unsigned>(FlagRule::silent_countersigner));
  const auto held = world.read<InvoiceState>(keys::invoice(x.invoices[0]));
  REQUIRE(held->frozen.has_value());
  CHECK(*held->frozen == DecisionRef{x.claim, 1});
  CHECK(books.agree());

  // Frozen to other payers; the invoice that was not paid from is not.
  CHECK(books.send(y, books.propose(y, {1'000})).code() == Code::invoice_frozen);
  world.advance(kDay);
  CHECK(books.send_alone(y, books.propose(y, {1'000})).code() == Code::invoice_frozen);
  Proposal on_second = books.propose(y, {1'000, 1'000});
  on_second.content.lines.erase(on_second.content.lines.begin());
  on_second.payouts.erase(on_second.payouts.begin());
  CHECK(books.send(y, on_second).applied());
  CHECK(books.agree());
}

TEST_CASE("late countersignature: by the reporter, once, and the invoices are free",
          "[uncountersigned]") {
  World world;
  Books books(world);
  const auto stays = books.open_at(1, {"X", "Y"}, {300'000});
  world.advance(kDay);
  REQUIRE(books.send_alone(stays[0], books.propose(stays[0], {100'000})).applied());
  const auto late = late_of(stays[0]);
  CHECK(world.run("B", late).code() == Code::not_the_reporter);
  CHECK(world.run("X", late).code() == Code::not_the_reporter);
  CHECK(world.run("A.doctor", late).code() == Code::role_not_allowed);
  CHECK(world.run("A", late_of(stays[0], 2)).code() == Code::decision_unknown);
  auto unknown = late;
  unknown.claim = make_id<ClaimId>(1);
  CHECK(world.run("A", unknown).code() == Code::claim_unknown);
  const RunOutcome outcome = world.run("A", late);
  REQUIRE(outcome.applied());
  CHECK(outcome.event<LateCountersigned>()->reporter == world.institution("A"));
  CHECK(outcome.count(LogKind::claim, stays[0].claim) == 1);
  CHECK(world.run("A", late).code() == Code::not_uncountersigned);
  CHECK(world.read<DecisionState>(keys::decision(stays[0].claim, 1))->countersigning ==
        Countersigning::countersigned);
  CHECK_FALSE(world.read<InvoiceState>(keys::invoice(stays[0].invoices[0]))->frozen.has_value());
  books.decide(stays[1], {50'000});
  CHECK(books.agree());
  CHECK(books.balance(stays[0].invoices[0]).amount == 150'000);
  CHECK(world.run("A", late_of(stays[1])).code() == Code::not_uncountersigned);
}

// ------------------------------------------------------------------ what stands

TEST_CASE("two insurers on one invoice: the first wins, the other decides again", "[decide]") {
  World world;
  Books books(world);
  const auto stays = books.open_at(1, {"X", "Y"}, {300'000});
  const Proposal x = books.propose(stays[0], {200'000});
  const Proposal y = books.propose(stays[1], {200'000});
  REQUIRE(books.send(stays[0], x).applied());
  CHECK(books.send(stays[1], y).code() == Code::stale_balance);
  CHECK(phase_of(world, stays[1].claim) == ClaimPhase::opened);
  CHECK(books.agree());
  const Proposal again = books.propose(stays[1], {100'000});
  CHECK(again.content.number == y.content.number);
  CHECK(again.content.lines[0].payout != y.content.lines[0].payout);
  REQUIRE(books.send(stays[1], again).applied());
  CHECK(books.agree());
  CHECK(books.balance(stays[0].invoices[0]).amount == 0);
  CHECK(books.total(stays[0].insured.policy).amount == 200'000);
  CHECK(books.total(stays[1].insured.policy).amount == 100'000);
}

TEST_CASE("two claims of one policy: total and accumulators that are behind are refused",
          "[decide]") {
  World world;
  Books books(world);
  const Stay first = books.open(1, {300'000});
  const Stay second = books.open_again(first, {500'000});
  Proposal a = books.propose(first, {100'000});
  Proposal b = books.propose(second, {200'000});
  a.content.accumulators = {moved(1, {}, 11), moved(2, {}, 12)};
  b.content.accumulators = {moved(1, {}, 21)};
  REQUIRE(books.send(first, a).applied());
  CHECK(books.send(second, b).code() == Code::stale_total);
  b = books.propose(second, {200'000});
  b.content.accumulators = {moved(1, {}, 21)};
  CHECK(books.send(second, b).code() == Code::stale_accumulator);
  b = books.propose(second, {200'000});
  b.content.accumulators = {moved(1, make_id<Commitment>(11), 21), moved(2, {}, 22)};
  CHECK(books.send(second, b).code() == Code::stale_accumulator);
  b = books.propose(second, {200'000});
  b.content.accumulators = {moved(1, make_id<Commitment>(11), 21), moved(3, {}, 23)};
  CHECK(b.content.number == 1);
  REQUIRE(books.send(second, b).applied());
  CHECK(books.agree());
  const auto stands = [&](std::uint16_t id) {
    return world.read<AccumulatorState>(keys::accumulator(first.insured.policy, id))->amount;
  };
  CHECK(stands(1) == make_id<Commitment>(21));
  CHECK(stands(2) == make_id<Commitment>(12));
  CHECK(stands(3) == make_id<Commitment>(23));
  CHECK(books.total(first.insured.policy).amount == 300'000);
}

TEST_CASE("decide: sums that do not stand change nothing", "[decide]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1, {300'000, 50'000});
  const Opening other{300'000, books.balance(stay.invoices[1]).blinding};
  CHECK(refused(world, books, stay, [&](ClaimsDecide& c) {
          c.lines[0].balance_before = committed(other);
        }) == Code::stale_balance);
  CHECK(refused(world, books, stay, [&](ClaimsDecide& c) { c.total_before = committed(other); }) ==
        Code::stale_total);
  CHECK(refused(world, books, stay, [&](ClaimsDecide& c) {
          c.accumulators = {moved(1, make_id<Commitment>(1), 2)};
        }) == Code::stale_accumulator);
  CHECK(refused(world, books, stay, [&](ClaimsDecide& c) {
          c.accumulators = {moved(1, {}, 2), moved(1, {}, 3)};
        }) == Code::duplicate_in_operation);
  // The second line fails after the first was computed: neither is kept.
  Proposal proposal = books.propose(stay, {1'000, 1'000});
  proposal.content.lines[1].balance_before = {};
  CHECK(books.send(stay, proposal).code() == Code::stale_balance);
  CHECK(books.agree());
  CHECK_FALSE(world.read<PolicyTotal>(keys::policy_total(stay.insured.policy)).has_value());
}

// ------------------------------------------------------------------ sizes

TEST_CASE("the largest decision keeps its weight, to the key", "[decide][weight]") {
  const auto largest = [](World& world) {
    Books books(world);
    const std::vector<std::uint64_t> amounts(kPayoutLinesMax, 10'000);
    const Stay stay = books.open(1, amounts);
    world.advance(kDay);
    Proposal proposal = books.propose(stay, amounts);
    proposal.content.withheld = Withheld::provisional;
    for (std::uint16_t id = 0; id < kAccumulatorsMax; ++id) {
      proposal.content.accumulators.push_back(moved(id, {}, 100U + id));
    }
    const RunOutcome outcome = books.send_alone(stay, proposal);
    if (outcome.applied()) {
      CHECK(books.agree());
      CHECK(outcome.receipt.events.size() == 2);
      // Its late countersignature writes every invoice again.
      CHECK(world.run("A", late_of(stay)).code() == Code::applied);
    }
    return outcome.code();
  };
  World world;
  CHECK(largest(world) == Code::applied);
  // One key less is too little: the weight is what the rule writes, not a guess above it.
  World tight([](ledger::Genesis& genesis) {
    for (auto& parameter : genesis.epoch.parameters) {
      if (parameter.id == 1000 + static_cast<std::uint16_t>(OperationKind::claims_decide)) {
        --parameter.value;
      }
    }
  });
  CHECK(largest(tight) == Code::weight_exceeded);
}
