/// docs/contracts.md, claims: what follows a decision or takes its place.
#include "contracts/decision_fixture.h"

using namespace baolian;
using namespace baolian::contracts;
using namespace baolian::contracts::test;
using ledger::Capacity;
using ledger::LogKind;

namespace {

/// Decided as payable with this kind of withheld part.
Stay decided(Books& books, std::uint64_t person, Withheld withheld) {
  const Stay stay = books.open(person);
  Proposal proposal = books.propose(stay, {100'000});
  proposal.content.withheld = withheld;
  REQUIRE(books.send(stay, proposal).applied());
  return stay;
}

void ask_for_review(World& world, const Stay& stay) {
  REQUIRE(world.run("bureau.attestor", review_of(stay)).applied());
}

}  // namespace

// ------------------------------------------------------------------ papers

TEST_CASE("needs_paper stops the clock; a supplement gives back what was left", "[supplement]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1);
  const TimeMs decide_due = claim_state(world, stay.claim).due;
  world.advance(10 * kDay);
  const TimeMs asked_at = world.now;
  const RunOutcome asked = world.run("X", books.waiting(stay, Outcome::needs_paper));
  REQUIRE(asked.code() == Code::applied);
  CHECK(asked.event<ClaimDecided>()->outcome == Outcome::needs_paper);
  CHECK(asked.event<ClaimDecided>()->due == asked_at + 60 * kDay);
  CHECK(asked.appends.size() == 1);
  ClaimState claim = claim_state(world, stay.claim);
  CHECK(claim.phase == ClaimPhase::waiting_paper);
  CHECK(claim.due_kind == DeadlineKind::person_paper);
  CHECK(claim.due == asked_at + 60 * kDay);
  CHECK(claim.remaining_ms == decide_due.value - asked_at.value);
  CHECK(claim.next_decision == 2);
  CHECK(deadline_count(world) == 1);
  CHECK_FALSE(world.read<DecisionState>(keys::decision(stay.claim, 1)).has_value());

  world.advance(30 * kDay);
  const auto brought = supplement_of(world, stay, 1);
  const TimeMs brought_at = world.now;
  const RunOutcome outcome = world.run("A", brought);
  REQUIRE(outcome.applied());
  CHECK(outcome.event<ClaimSupplemented>()->brought_by == world.institution("A"));
  CHECK(outcome.count(LogKind::claim, stay.claim) == 1);
  const TimeMs due = brought_at + (decide_due.value - asked_at.value);
  CHECK(outcome.event<ClaimSupplemented>()->due == due);
  claim = claim_state(world, stay.claim);
  CHECK(claim.phase == ClaimPhase::opened);
  CHECK(claim.due_kind == DeadlineKind::insurer_decide);
  CHECK(claim.due == due);
  CHECK(claim.remaining_ms == 0);
  CHECK(claim.supplements == brought.records);
  CHECK(deadline_count(world) == 1);
  // The insurer may have what was brought, and decides with the next number.
  CHECK(world.run("X", insurer_request(world, brought.records[0], stay.claim))
            .event<Granted>()
            .has_value());
  Proposal proposal = books.propose(stay, {1'000});
  CHECK(proposal.content.number == 2);
  CHECK(books.send(stay, proposal).applied());
}

TEST_CASE("an insurer that asks for paper when its time is over gets none back", "[supplement]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1);
  world.advance(40 * kDay);
  REQUIRE(world.run("X", books.waiting(stay, Outcome::needs_paper)).applied());
  CHECK(claim_state(world, stay.claim).remaining_ms == 0);
  const auto brought = supplement_of(world, stay, 1);
  const TimeMs now = world.now;
  REQUIRE(world.run("A", brought).applied());
  CHECK(claim_state(world, stay.claim).due == now);
}

TEST_CASE("supplement: records of the sender, of this person, not in the claim", "[supplement]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1);
  const auto own = supplement_of(world, stay, 1);
  CHECK(world.run("A", own).code() == Code::claim_state);
  REQUIRE(world.run("X", books.waiting(stay, Outcome::needs_paper)).applied());
  auto unknown = own;
  unknown.claim = make_id<ClaimId>(1);
  CHECK(world.run("A", unknown).code() == Code::claim_unknown);
  CHECK(world.run("A.auditor", own).code() == Code::role_not_allowed);
  CHECK(world.run("B", own).code() == Code::listed_record_unknown);
  auto wrong = own;
  wrong.records = {{own.records[0].record, 2}};
  CHECK(world.run("A", wrong).code() == Code::listed_record_unknown);
  wrong.records = {stay.payload};
  CHECK(world.run("A", wrong).code() == Code::duplicate_in_operation);
  CHECK(world.run("A", supplement_of(world, stay, 2)).code() ==
        Code::listed_record_of_other_subject);
  // Another hospital of the person brings what it registered.
  const auto elsewhere = record_of(world, 1, "B");
  REQUIRE(world.run("B", elsewhere).applied());
  CHECK(world.run("B.doctor", ClaimsSupplement{{}, stay.claim, {elsewhere.record}, {}}).applied());
  REQUIRE(world.run("X", books.waiting(stay, Outcome::needs_paper)).applied());
  CHECK(world.run("B", ClaimsSupplement{{}, stay.claim, {elsewhere.record}, {}}).code() ==
        Code::duplicate_in_operation);
  CHECK(world.run("A", own).applied());
  CHECK(claim_state(world, stay.claim).supplements ==
        std::vector<RecordRef>{elsewhere.record, own.records[0]});
}

TEST_CASE("supplement: 64 in a claim", "[supplement]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1);
  const auto bring = [&](std::size_t count) {
    REQUIRE(world.run("X", books.waiting(stay, Outcome::needs_paper)).applied());
    ClaimsSupplement content{{}, stay.claim, {}, {}};
    for (std::size_t i = 0; i < count; ++i) {
      const auto record = record_of(world, 1, "A");
      REQUIRE(world.run("A", record).applied());
      content.records.push_back(record.record);
    }
    return world.run("A", content).code();
  };
  for (int i = 0; i < 3; ++i) CHECK(bring(16) == Code::applied);
  CHECK(bring(15) == Code::applied);
  CHECK(bring(2) == Code::too_many_records);
  const auto last = record_of(world, 1, "A");
  REQUIRE(world.run("A", last).applied());
  CHECK(world.run("A", ClaimsSupplement{{}, stay.claim, {last.record}, {}}).applied());
  CHECK(claim_state(world, stay.claim).supplements.size() == 64);
}

// ------------------------------------------------------------------ persons

TEST_CASE("needs_person is due 30 days from the filing, without the time for papers", "[review]") {
  World world;
  Books books(world);
  const Stay plain = books.file(1);
  world.advance(20 * kHour);
  open_case(world, plain);
  world.advance(5 * kDay);
  const RunOutcome outcome = world.run("X", books.waiting(plain, Outcome::needs_person));
  REQUIRE(outcome.applied());
  ClaimState claim = claim_state(world, plain.claim);
  CHECK(claim.phase == ClaimPhase::in_review);
  CHECK(claim.due_kind == DeadlineKind::insurer_review);
  CHECK(claim.due == claim.filed_at + 30 * kDay);
  CHECK(outcome.event<ClaimDecided>()->due == claim.due);

  const Stay papers = books.open(2);
  const TimeMs asked_at = world.now;
  REQUIRE(world.run("X", books.waiting(papers, Outcome::needs_paper)).applied());
  world.advance(12 * kDay);
  const auto brought = supplement_of(world, papers, 2);
  const TimeMs brought_at = world.now;
  REQUIRE(world.run("A", brought).applied());
  REQUIRE(world.run("X", books.waiting(papers, Outcome::needs_person)).applied());
  claim = claim_state(world, papers.claim);
  CHECK(claim.due == claim.filed_at + (30 * kDay + (brought_at.value - asked_at.value)));
}

TEST_CASE("from review a person of the insurer decides, and only what is payable", "[review]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1);
  REQUIRE(world.run("X", books.waiting(stay, Outcome::needs_person)).applied());
  CHECK(world.run("X.adjuster", books.waiting(stay, Outcome::needs_paper)).code() ==
        Code::outcome_not_allowed);
  CHECK(world.run("X.adjuster", books.waiting(stay, Outcome::needs_person)).code() ==
        Code::outcome_not_allowed);
  const Proposal proposal = books.propose(stay, {100'000});
  const auto& content = proposal.content;
  const auto reporter = world.cosign("A", Capacity::countersigner, "X", content);
  const auto approve = [&](const std::string& who) {
    return world.cosign(who, Capacity::second_approver, "X", content);
  };
  CHECK(world.run("X", content, {reporter}).code() == Code::persons_needed);
  CHECK(world.run("X", content, {reporter, approve("Y.adjuster")}).code() == Code::cosigner_role);
  CHECK(world.run("X", content, {reporter, approve("A.adjuster")}).code() == Code::cosigner_role);
  CHECK(world.run("X", content, {reporter, approve("X.auditor")}).code() == Code::cosigner_role);
  CHECK(world.run("X", content, {reporter, approve("X.attestor")}).code() == Code::cosigner_role);
  CHECK(world.run("X.adjuster", content).code() == Code::countersignature_missing);
  const RunOutcome outcome = world.run("X", content, {reporter, approve("X.adjuster")});
  REQUIRE(outcome.code() == Code::applied);
  CHECK(outcome.event<ClaimDecided>()->persons == 1);
  CHECK(outcome.event<ClaimDecided>()->number == 2);
  books.take_over(stay, proposal);
  CHECK(books.agree());
  CHECK(phase_of(world, stay.claim) == ClaimPhase::decided);
}

TEST_CASE("an adjuster is a person: a system of that role decides no review", "[review]") {
  World world([](ledger::Genesis& genesis) {
    for (auto& member : genesis.institutions[2].members) {
      if (member.kind != ledger::MemberKind::system) continue;
      member.roles.push_back(ledger::Role::claims_adjuster);
      std::sort(member.roles.begin(), member.roles.end());
    }
  });
  Books books(world);
  const Stay stay = books.open(1);
  REQUIRE(world.run("X", books.waiting(stay, Outcome::needs_person)).applied());
  const Proposal proposal = books.propose(stay, {100'000});
  const auto& content = proposal.content;
  const auto reporter = world.cosign("A", Capacity::countersigner, "X", content);
  CHECK(world.run("X", content, {reporter}).code() == Code::persons_needed);
  const auto by_program = world.cosign("X.attestor", Capacity::second_approver, "X", content);
  CHECK(world.run("X", content, {reporter, by_program}).code() == Code::cosigner_role);
  CHECK(world
            .run("X.adjuster", content,
                 {world.cosign("A", Capacity::countersigner, "X.adjuster", content)})
            .applied());
}

TEST_CASE("a requested review takes two persons, and what was decided is paid meanwhile",
          "[review]") {
  World world;
  Books books(world);
  const Stay stay = decided(books, 1, Withheld::provisional);
  const TimeMs asked_at = world.now;
  const RunOutcome asked = world.run("bureau.attestor", review_of(stay));
  REQUIRE(asked.applied());
  CHECK(asked.event<ReviewRequested>()->attested_by == world.institution("bureau"));
  CHECK(asked.event<ReviewRequested>()->due == asked_at + 15 * kDay);
  CHECK(asked.count(LogKind::claim, stay.claim) == 1);
  ClaimState claim = claim_state(world, stay.claim);
  CHECK(claim.phase == ClaimPhase::in_review);
  CHECK(claim.due_kind == DeadlineKind::insurer_review);
  CHECK(claim.due == asked_at + 15 * kDay);
  CHECK(claim.reviews == 1);

  REQUIRE(world.run("X", pay_of(stay)).applied());
  CHECK(phase_of(world, stay.claim) == ClaimPhase::in_review);
  REQUIRE(world.run("X", explained_of(stay)).applied());
  CHECK(phase_of(world, stay.claim) == ClaimPhase::in_review);
  CHECK(deadline_count(world) == 1);

  const Proposal more = books.propose(stay, {25'000});
  const auto& content = more.content;
  const auto reporter = world.cosign("A", Capacity::countersigner, "X", content);
  const auto approve = [&](const std::string& who) {
    return world.cosign(who, Capacity::second_approver, "X", content);
  };
  CHECK(world.run("X", content, {reporter, approve("X.adjuster")}).code() == Code::persons_needed);
  CHECK(world.run("X.adjuster", content, {reporter}).code() == Code::persons_needed);
  CHECK(world.run("X", content, {reporter, approve("X.adjuster"), approve("X.adjuster")}).code() ==
        Code::cosignature_duplicate);
  CHECK(world.run("X.adjuster", content, {reporter, approve("X.adjuster")}).code() ==
        Code::cosignature_duplicate);
  CHECK(world.run("X", content, {reporter, approve("X.adjuster"), approve("Y.adjuster")}).code() ==
        Code::cosigner_role);
  const RunOutcome outcome = books.send_by_persons(stay, more);
  REQUIRE(outcome.code() == Code::applied);
  CHECK(outcome.event<ClaimDecided>()->persons == 2);
  CHECK(books.agree());
  CHECK(books.total(stay.insured.policy).amount == 125'000);
  claim = claim_state(world, stay.claim);
  CHECK(claim.phase == ClaimPhase::decided);
  CHECK(claim.unpaid == 1);
  CHECK(claim.next_decision == 3);
  CHECK(world.run("X", pay_of(stay)).code() == Code::decision_already_paid);
  REQUIRE(world.run("X", pay_of(stay, 2)).applied());
  CHECK(phase_of(world, stay.claim) == ClaimPhase::closed);
}

TEST_CASE("a claim that holds its invoice is reviewed; the late signature frees what it held",
          "[review][uncountersigned]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1);
  world.advance(kDay);
  REQUIRE(books.send_alone(stay, books.propose(stay, {100'000})).applied());
  ask_for_review(world, stay);
  REQUIRE(books.send_by_persons(stay, books.propose(stay, {25'000})).applied());
  const auto held = [&] {
    return world.read<InvoiceState>(keys::invoice(stay.invoices[0]))->frozen;
  };
  CHECK(held() == DecisionRef{stay.claim, 1});
  REQUIRE(world.run("A", late_of(stay)).applied());
  CHECK_FALSE(held().has_value());
  CHECK(books.agree());
}

TEST_CASE("two unpaid decisions: paid with the last of them", "[review]") {
  World world;
  Books books(world);
  const Stay stay = decided(books, 1, Withheld::none);
  ask_for_review(world, stay);
  REQUIRE(books.send_by_persons(stay, books.propose(stay, {0})).applied());
  CHECK(claim_state(world, stay.claim).unpaid == 2);
  REQUIRE(world.run("X", pay_of(stay, 2)).applied());
  CHECK(phase_of(world, stay.claim) == ClaimPhase::decided);
  const RunOutcome last = world.run("X", pay_of(stay));
  REQUIRE(last.applied());
  CHECK(last.event<ClaimPaid>()->closed);
  CHECK(phase_of(world, stay.claim) == ClaimPhase::closed);
  // A closed claim is reviewed as well, and once at a time.
  ask_for_review(world, stay);
  CHECK(world.run("bureau.attestor", review_of(stay)).code() == Code::claim_state);
  CHECK(claim_state(world, stay.claim).reviews == 2);
}

// ------------------------------------------------------------------ who speaks for the person

TEST_CASE(
    "withdraw and review: on the word of an attestor that is not the insurer's, or of the "
    "person's own key",
    "[person_key][withdraw][review]") {
  World world;
  Books books(world);
  const Stay open = books.open(1);
  const Stay done = decided(books, 2, Withheld::none);
  const auto both = [&](const std::string& sender, std::vector<ledger::Cosignature> on_withdraw,
                        std::vector<ledger::Cosignature> on_review) {
    const Code withdrawn = world.run_with(sender, withdraw_of(open), on_withdraw).code();
    const Code reviewed = world.run_with(sender, review_of(done), on_review).code();
    CHECK(withdrawn == reviewed);
    return withdrawn;
  };
  CHECK(both("X", {}, {}) == Code::person_not_attested);
  CHECK(both("A", {}, {}) == Code::person_not_attested);
  CHECK(both("X.attestor", {}, {}) == Code::person_not_attested);
  CHECK(both("A.doctor", {}, {}) == Code::role_not_allowed);
  CHECK(both("X.adjuster", {}, {}) == Code::role_not_allowed);
  const auto signed_by = [&](const std::string& who, const std::string& sender,
                             const auto& content) {
    return std::vector{world.cosign(who, Capacity::attestor, sender, content)};
  };
  CHECK(both("A", signed_by("X.attestor", "A", withdraw_of(open)),
             signed_by("X.attestor", "A", review_of(done))) == Code::cosigner_not_attestor);
  CHECK(both("A", signed_by("A", "A", withdraw_of(open)), signed_by("A", "A", review_of(done))) ==
        Code::cosignature_duplicate);

  const PersonKey person(1);
  const auto by_key = [&](const PersonKey& key, const std::string& sender, const auto& content) {
    return std::vector{key.sign(world, sender, content)};
  };
  CHECK(both("A", by_key(person, "A", withdraw_of(open)), by_key(person, "A", review_of(done))) ==
        Code::person_key_not_registered);
  register_key(world, open.insured.subject, person);
  const PersonKey second(2);
  register_key(world, done.insured.subject, second);
  // Each his own claim, and nobody else's.
  CHECK(both("A", by_key(second, "A", withdraw_of(open)), by_key(person, "A", review_of(done))) ==
        Code::person_key_not_registered);
  CHECK(both("A", by_key(person, "B", withdraw_of(open)), by_key(second, "B", review_of(done))) ==
        Code::cosignature_invalid);
  // With the key even the insurer's own node may carry it.
  const RunOutcome withdrawn =
      world.run_with("X", withdraw_of(open), by_key(person, "X", withdraw_of(open)));
  REQUIRE(withdrawn.applied());
  CHECK(withdrawn.event<ClaimWithdrawn>()->attested_by.is_zero());
  const RunOutcome reviewed =
      world.run_with("X", review_of(done), by_key(second, "X", review_of(done)));
  REQUIRE(reviewed.applied());
  CHECK(reviewed.event<ReviewRequested>()->attested_by.is_zero());
}

TEST_CASE("an insurer whose kind attests speaks for no insured person", "[withdraw][review]") {
  World world([](ledger::Genesis& genesis) {
    genesis.attestor_kinds.push_back(ledger::InstitutionKind::insurer);
    std::sort(genesis.attestor_kinds.begin(), genesis.attestor_kinds.end());
  });
  Books books(world);
  const Stay stay = books.open(1);
  const auto content = withdraw_of(stay);
  CHECK(world.run("X.attestor", content).code() == Code::person_not_attested);
  CHECK(world.run("A", content, {world.cosign("X.attestor", Capacity::attestor, "A", content)})
            .code() == Code::person_not_attested);
  // Nor by a key that it vouched for; registration already refuses its word.
  const PersonKey person(1);
  const auto made_up = registration_of(stay.insured.subject, person);
  CHECK(world.run("X.attestor", made_up, {person.sign(world, "X", made_up)}).code() ==
        Code::not_an_attestor);
  PersonKeyState planted{{}, person.key(), world.institution("X"), world.now};
  world.state().write_as(keys::person_key(stay.insured.subject), planted);
  CHECK(world.run("A", content, {person.sign(world, "A", content)}).code() ==
        Code::person_key_not_registered);
  CHECK(world.run("Y.attestor", content).applied());
}

TEST_CASE("withdraw: the claim ends, with what hangs on it", "[withdraw]") {
  World world;
  Books books(world);
  const Stay filed = books.file(1);
  const RunOutcome outcome = world.run("A.attestor", withdraw_of(filed));
  REQUIRE(outcome.applied());
  CHECK(outcome.event<ClaimWithdrawn>()->attested_by == world.institution("A"));
  CHECK(outcome.event<ClaimWithdrawn>()->insurer == world.institution("X"));
  CHECK(outcome.count(LogKind::claim, filed.claim) == 1);
  CHECK(phase_of(world, filed.claim) == ClaimPhase::withdrawn);
  CHECK(deadline_count(world) == 0);
  CHECK_FALSE(
      world.read<Marker>(keys::consent_claim(filed.insured.consent, filed.claim)).has_value());
  CHECK(world.run("A.attestor", withdraw_of(filed)).code() == Code::claim_state);
  CHECK(world.run("A.attestor", ClaimsWithdraw{}).code() == Code::claim_unknown);
  // A revocation afterwards finds nothing left to withdraw.
  const RunOutcome revoked =
      world.run("bureau.attestor", ConsentRevoke{{}, filed.insured.consent, {}});
  CHECK_FALSE(revoked.event<ClaimsWithdrawn>().has_value());

  const Stay reviewed = decided(books, 2, Withheld::none);
  ask_for_review(world, reviewed);
  CHECK(world.run("bureau.attestor", withdraw_of(reviewed)).code() ==
        Code::payable_already_decided);
}

// ------------------------------------------------------------------ payment, explanation

TEST_CASE("pay: by the insurer's system, a payable decision, once, to the person", "[pay]") {
  World world;
  Books books(world);
  const Stay stay = decided(books, 1, Withheld::none);
  const auto pay = pay_of(stay);
  CHECK(world.run("X.adjuster", pay).code() == Code::role_not_allowed);
  CHECK(world.run("Y", pay).code() == Code::not_the_claims_insurer);
  CHECK(world.run("A", pay).code() == Code::not_the_claims_insurer);
  CHECK(world.run("X", pay_of(stay, 2)).code() == Code::decision_unknown);
  CHECK(world.run("X", ClaimsPay{}).code() == Code::claim_unknown);
  auto to_institution = pay;
  to_institution.payee_kind = PayeeKind::institution;
  CHECK(world.run("X", to_institution).code() == Code::payee_reserved);
  auto with_tag = pay;
  with_tag.payee = make_id<Tag32>(1);
  CHECK(world.run("X", with_tag).code() == Code::payee_reserved);
  const TimeMs paid_at = world.now;
  const RunOutcome outcome = world.run("X", pay);
  REQUIRE(outcome.applied());
  CHECK(outcome.appends.size() == 2);
  CHECK(outcome.count(LogKind::claim, stay.claim) == 1);
  CHECK(outcome.count(LogKind::payouts_of_insurer, world.institution("X")) == 1);
  CHECK(world.read<DecisionState>(keys::decision(stay.claim, 1))->paid_at == paid_at);
  CHECK(deadline_count(world) == 0);
  CHECK(world.run("X", pay).code() == Code::decision_already_paid);
}

TEST_CASE("a waiting decision owes no payment", "[pay]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1);
  REQUIRE(world.run("X", books.waiting(stay, Outcome::needs_person)).applied());
  CHECK(world.run("X", pay_of(stay)).code() == Code::decision_unknown);
  CHECK(world.run("X", explained_of(stay)).code() == Code::decision_unknown);
  CHECK(world.run("A", late_of(stay)).code() == Code::decision_unknown);
}

TEST_CASE("closed exactly when all is paid and nothing provisional is unexplained", "[pay]") {
  struct Row {
    Withheld withheld;
    bool explained_first;
    ClaimPhase after_pay;
  };
  const Row rows[] = {{Withheld::none, false, ClaimPhase::closed},
                      {Withheld::declared, false, ClaimPhase::closed},
                      {Withheld::declared, true, ClaimPhase::closed},
                      {Withheld::provisional, false, ClaimPhase::paid},
                      {Withheld::provisional, true, ClaimPhase::closed}};
  for (const Row& row : rows) {
    INFO(enum_name(row.withheld) << row.explained_first);
    World world;
    Books books(world);
    const Stay stay = decided(books, 1, row.withheld);
    if (row.explained_first) {
      const RunOutcome explained = world.run("X.adjuster", explained_of(stay));
      REQUIRE(explained.applied());
      CHECK_FALSE(explained.event<ClaimExplained>()->closed);
      CHECK(phase_of(world, stay.claim) == ClaimPhase::decided);
    }
    const RunOutcome paid = world.run("X", pay_of(stay));
    REQUIRE(paid.applied());
    CHECK(phase_of(world, stay.claim) == row.after_pay);
    CHECK(paid.event<ClaimPaid>()->closed == (row.after_pay == ClaimPhase::closed));
    if (row.after_pay == ClaimPhase::paid) {
      const RunOutcome explained = world.run("X", explained_of(stay));
      REQUIRE(explained.applied());
      CHECK(explained.event<ClaimExplained>()->closed);
      CHECK(phase_of(world, stay.claim) == ClaimPhase::closed);
    }
  }
}

TEST_CASE("explained: of what a decision withholds, once", "[explained]") {
  World world;
  Books books(world);
  const Stay full = decided(books, 1, Withheld::none);
  CHECK(world.run("X", explained_of(full)).code() == Code::nothing_to_explain);
  const Stay stay = decided(books, 2, Withheld::provisional);
  CHECK(claim_state(world, stay.claim).unexplained == 1);
  CHECK(world.run("Y", explained_of(stay)).code() == Code::not_the_claims_insurer);
  CHECK(world.run("X.doctor", explained_of(stay)).code() == Code::role_not_allowed);
  CHECK(world.run("X", explained_of(stay, 2)).code() == Code::decision_unknown);
  CHECK(world.run("X", ClaimsExplained{}).code() == Code::claim_unknown);
  const TimeMs at = world.now;
  const RunOutcome outcome = world.run("X", explained_of(stay));
  REQUIRE(outcome.applied());
  CHECK(outcome.appends.size() == 1);
  CHECK(world.read<DecisionState>(keys::decision(stay.claim, 1))->explained_at == at);
  CHECK(claim_state(world, stay.claim).unexplained == 0);
  CHECK(world.run("X", explained_of(stay)).code() == Code::nothing_to_explain);
}

TEST_CASE("a consent that is revoked after the opening leaves the decision to the insurer",
          "[decide]") {
  World world;
  Books books(world);
  const Stay stay = books.open(1);
  REQUIRE(world.run("bureau.attestor", ConsentRevoke{{}, stay.insured.consent, {}}).applied());
  books.decide(stay, {1'000});
  CHECK(world.run("X", pay_of(stay)).applied());
}
