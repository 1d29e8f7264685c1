/// docs/contracts.md, system.sweep and catalog.publish: one test a rule.
#include <algorithm>

#include "contracts/decision_fixture.h"

using namespace baolian;
using namespace baolian::contracts;
using namespace baolian::contracts::test;
using ledger::LogKind;

namespace {

SystemSweep sweep_to(TimeMs up_to, std::uint16_t count_max = kSweepMax) {
  return {{}, up_to, count_max};
}

std::vector<Alarm> alarms_of(const RunOutcome& outcome) {
  REQUIRE(outcome.applied());
  std::vector<Alarm> out;
  for (const ledger::Event& event : outcome.receipt.events) {
    const auto raised = event_as<AlarmsRaised>(event);
    REQUIRE(raised.has_value());
    out.insert(out.end(), raised->alarms.begin(), raised->alarms.end());
  }
  return out;
}

std::vector<Alarm> sweep(World& world) { return alarms_of(world.run("A", sweep_to(world.now))); }

}  // namespace

TEST_CASE("sweep: by an agent of an institution with a validator, not ahead of time", "[sweep]") {
  World world;
  const auto content = sweep_to(world.now);
  CHECK(world.run("B", content).code() == Code::not_a_validator);
  CHECK(world.run("X", content).code() == Code::not_a_validator);
  CHECK(world.run("A.doctor", content).code() == Code::role_not_allowed);
  CHECK(world.run("A", sweep_to(world.now + 1)).code() == Code::sweep_ahead);
  CHECK(world.run("A", sweep_to(world.now, 0)).code() == Code::sweep_count);
  CHECK(world.run("A", sweep_to(world.now, kSweepMax + 1)).code() == Code::sweep_count);
  const RunOutcome nothing = world.run("A", sweep_to(world.now));
  CHECK(nothing.applied());
  CHECK(nothing.receipt.events.empty());
  CHECK(nothing.appends.empty());
}

TEST_CASE("sweep: every kind of deadline names its debtor", "[sweep]") {
  World world;
  Books books(world);
  const Stay filed = books.file(1);
  const Stay granted = books.file(2);
  REQUIRE(world.run("X", insurer_request(world, granted.payload, granted.claim))
              .event<Granted>()
              .has_value());
  const Stay opened = books.open(3);
  const Stay papers = books.open(4);
  REQUIRE(world.run("X", books.waiting(papers, Outcome::needs_paper)).applied());
  const Stay review = books.open(5);
  REQUIRE(world.run("X", books.waiting(review, Outcome::needs_person)).applied());
  const Stay decided = books.open(6);
  Proposal proposal = books.propose(decided, {1'000});
  proposal.content.withheld = Withheld::provisional;
  REQUIRE(books.send(decided, proposal).applied());
  CHECK(deadline_count(world) == 7);

  CHECK(sweep(world).empty());
  world.advance(70 * kDay);
  const auto alarms = sweep(world);
  REQUIRE(alarms.size() == 7);
  CHECK(deadline_count(world) == 0);
  CHECK(std::is_sorted(alarms.begin(), alarms.end(),
                       [](const Alarm& a, const Alarm& b) { return a.due < b.due; }));
  const auto check = [&](const Stay& stay, DeadlineKind kind, const InstitutionId& debtor) {
    const auto found = std::find_if(alarms.begin(), alarms.end(), [&](const Alarm& alarm) {
      return alarm.claim == stay.claim && alarm.kind == kind;
    });
    INFO(enum_name(kind));
    REQUIRE(found != alarms.end());
    CHECK(found->debtor == debtor);
  };
  const InstitutionId x = world.institution("X");
  check(filed, DeadlineKind::insurer_request, x);
  check(granted, DeadlineKind::hospital_release, world.institution("A"));
  check(opened, DeadlineKind::insurer_decide, x);
  check(papers, DeadlineKind::person_paper, InstitutionId{});
  check(review, DeadlineKind::insurer_review, x);
  check(decided, DeadlineKind::insurer_pay, x);
  check(decided, DeadlineKind::insurer_explain, x);
}

TEST_CASE("sweep: nothing is decided by it, and what was owed can still be done", "[sweep]") {
  World world;
  Books books(world);
  const Stay papers = books.open(1);
  REQUIRE(world.run("X", books.waiting(papers, Outcome::needs_paper)).applied());
  const Stay decided = books.open(2);
  Proposal proposal = books.propose(decided, {1'000});
  proposal.content.withheld = Withheld::provisional;
  REQUIRE(books.send(decided, proposal).applied());
  world.advance(70 * kDay);
  const auto before = claim_state(world, papers.claim);
  CHECK(sweep(world).size() == 3);
  CHECK(claim_state(world, papers.claim) == before);
  CHECK(sweep(world).empty());
  CHECK(world.run("A", supplement_of(world, papers, 1)).applied());
  CHECK(world.run("X", pay_of(decided)).applied());
  CHECK(world.run("X", explained_of(decided)).applied());
  CHECK(phase_of(world, decided.claim) == ClaimPhase::closed);
  books.decide(papers, {1'000});
  // New deadlines, new alarms.
  CHECK(deadline_count(world) == 1);
}

TEST_CASE("sweep: in order of time, at most count_max, up to the time named", "[sweep]") {
  World world;
  Books books(world);
  std::vector<Stay> stays;
  for (std::uint64_t person = 1; person <= 5; ++person) stays.push_back(books.file(person));
  const TimeMs third = claim_state(world, stays[2].claim).due;
  world.advance(2 * kDay);
  const auto first = alarms_of(world.run("A", sweep_to(world.now, 2)));
  REQUIRE(first.size() == 2);
  CHECK(first[0].claim == stays[0].claim);
  CHECK(first[1].claim == stays[1].claim);
  CHECK(alarms_of(world.run("A", sweep_to(TimeMs{third.value - 1}))).empty());
  const RunOutcome one = world.run("A", sweep_to(third));
  REQUIRE(alarms_of(one).size() == 1);
  CHECK(alarms_of(one)[0].claim == stays[2].claim);
  CHECK(alarms_of(one)[0].due == third);
  CHECK(one.count(LogKind::alarms, Hash{}) == 1);
  CHECK(one.count(LogKind::claim, stays[2].claim) == 1);
  CHECK(one.appends.size() == 2);
  CHECK(sweep(world).size() == 2);
}

TEST_CASE("sweep: a thousand deadlines keep weight and events, and their lines",
          "[sweep][weight]") {
  const auto fill = [](World& world) {
    ClaimState claim;
    claim.subject.audience = world.institution("X");
    for (std::uint64_t i = 0; i < kSweepMax + 1U; ++i) {
      const auto id = make_id<ClaimId>(i);
      world.state().write_as(keys::claim(id), claim);
      world.state().write_as(keys::deadline(kStart + i, id, DeadlineKind::insurer_decide),
                             Marker{});
    }
    world.advance(kDay);
  };
  World world;
  fill(world);
  const RunOutcome outcome = world.run("A", sweep_to(world.now));
  const auto alarms = alarms_of(outcome);
  REQUIRE(alarms.size() == kSweepMax);
  CHECK(outcome.receipt.events.size() == 16);
  CHECK(outcome.appends.size() == 2 * kSweepMax);
  for (const auto& event : outcome.receipt.events) CHECK(event.body.size() <= 8192);
  for (std::size_t i = 0; i < alarms.size(); ++i) {
    REQUIRE(alarms[i].claim == make_id<ClaimId>(i));
    REQUIRE(alarms[i].due == kStart + i);
    REQUIRE(outcome.appends[2 * i].line == i);
    REQUIRE(outcome.appends[2 * i + 1].log.id == id_cast<Hash>(alarms[i].claim));
    REQUIRE(outcome.appends[2 * i + 1].line == i);
  }
  CHECK(sweep(world).size() == 1);

  World tight([](ledger::Genesis& genesis) {
    for (auto& parameter : genesis.epoch.parameters) {
      if (parameter.id == 2000 + static_cast<std::uint16_t>(OperationKind::system_sweep)) {
        --parameter.value;
      }
    }
  });
  fill(tight);
  CHECK(tight.run("A", sweep_to(tight.now)).code() == Code::weight_exceeded);
  CHECK(deadline_count(tight) == kSweepMax + 1U);
}

// ------------------------------------------------------------------ catalogue

TEST_CASE("catalog.publish: by bureau, regulator or operator; versions of one publisher",
          "[catalog]") {
  World world([](ledger::Genesis& genesis) {
    // A second institution that may publish.
    genesis.institutions[1].kinds.push_back(ledger::InstitutionKind::operator_);
    std::sort(genesis.institutions[1].kinds.begin(), genesis.institutions[1].kinds.end());
  });
  const CatalogPublish first{{}, make_id<CatalogId>(1), 1, make_id<Hash>(1)};
  CHECK(world.run("X", first).code() == Code::institution_kind_not_allowed);
  CHECK(world.run("A", first).code() == Code::institution_kind_not_allowed);
  CHECK(world.run("bureau.auditor", first).code() == Code::role_not_allowed);
  const auto publish = [&](const std::string& sender, std::uint32_t version, const Hash& content) {
    return world.run(sender, CatalogPublish{{}, first.catalog, version, content});
  };
  CHECK(publish("bureau", 1, {}).code() == Code::catalog_empty);
  CHECK(publish("bureau", 0, make_id<Hash>(1)).code() == Code::catalog_version_not_next);
  CHECK(publish("bureau", 2, make_id<Hash>(1)).code() == Code::catalog_version_not_next);
  const TimeMs at = world.now;
  const RunOutcome outcome = world.run("bureau", first);
  REQUIRE(outcome.applied());
  CHECK(outcome.appends.empty());
  CHECK(outcome.event<CatalogPublished>()->publisher == world.institution("bureau"));
  const auto state = world.read<CatalogState>(keys::catalog(first.catalog, 1));
  REQUIRE(state.has_value());
  CHECK(state->content == first.content);
  CHECK(state->published_at == at);
  CHECK(publish("bureau", 1, make_id<Hash>(2)).code() == Code::catalog_exists);
  CHECK(publish("bureau", 3, make_id<Hash>(2)).code() == Code::catalog_version_not_next);
  CHECK(publish("B", 2, make_id<Hash>(2)).code() == Code::catalog_version_not_next);
  CHECK(publish("bureau", 2, make_id<Hash>(2)).applied());
  // The same content again, under another id.
  CHECK(world.run("B", CatalogPublish{{}, make_id<CatalogId>(2), 1, first.content}).applied());
}
