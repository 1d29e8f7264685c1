/// docs/contracts.md, States of a claim in this version: every cell of (state, operation).
#include <functional>

#include "contracts/decision_fixture.h"

using namespace baolian;
using namespace baolian::contracts;
using namespace baolian::contracts::test;

namespace {

/// What an operation answers in a state, and where the claim stands then.
struct Cell {
  Code code = Code::claim_state;
  std::optional<ClaimPhase> to;  ///< none: where it was
};

constexpr Cell kRefused{};
constexpr Cell stays() { return {Code::applied, {}}; }
constexpr Cell to(ClaimPhase phase) { return {Code::applied, phase}; }
constexpr Cell no(Code code) { return {code, {}}; }

/// A chain with one claim of two invoices, on its way through the states by operations. Decision 1
/// pays of the first invoice, without the reporter, and withholds a part.
struct Course {
  World world;
  Books books{world};
  Stay stay = books.file(1, {200'000, 100'000});
  std::optional<Granted> early;  ///< granted while filed, released
  std::optional<Granted> held;   ///< granted while filed, not released

  Course() {
    const auto request = insurer_request(world, stay.payload, stay.claim);
    early = world.run("X", request).event<Granted>();
    held = world.run("X", request).event<Granted>();
    REQUIRE(early.has_value());
    REQUIRE(held.has_value());
    const Commitment& commitment = stay.report.payload.commitment;
    REQUIRE(world.run("A", release_of(world, *early, commitment)).applied());
  }

  void open() { open_case(world, stay); }
  void wait(Outcome outcome) {
    open();
    REQUIRE(world.run("X", books.waiting(stay, outcome)).applied());
  }
  void decide(Withheld withheld) {
    open();
    // The reporter is silent; the grants of the first day are renewed.
    world.advance(kDay);
    Proposal proposal = books.propose(stay, {50'000});
    proposal.content.withheld = withheld;
    REQUIRE(books.send_alone(stay, proposal).code() == Code::applied);
  }
  void pay() { REQUIRE(world.run("X", pay_of(stay)).applied()); }
  void ask_review() { REQUIRE(world.run("bureau.attestor", review_of(stay)).applied()); }
  /// States of later versions are put there by hand: their cells must refuse as well.
  void set(ClaimPhase phase) {
    auto claim = claim_state(world, stay.claim);
    claim.phase = phase;
    world.state().write_as(keys::claim(stay.claim), claim);
  }
};

/// A payable decision of the second invoice, which nothing holds, by two persons.
Code decide_payable(Course& course) {
  Proposal proposal = course.books.propose(course.stay, {0, 10'000});
  proposal.content.lines.erase(proposal.content.lines.begin());
  proposal.payouts.erase(proposal.payouts.begin());
  return course.books.send_by_persons(course.stay, proposal).code();
}
Code decide_waiting(Course& course, Outcome outcome) {
  return course.world.run("X.adjuster", course.books.waiting(course.stay, outcome)).code();
}

struct Operation {
  const char* name;
  std::function<Code(Course&)> run;
};

std::vector<Operation> operations() {
  return {
      {"decide payable", decide_payable},
      {"decide needs_paper", [](Course& c) { return decide_waiting(c, Outcome::needs_paper); }},
      {"decide needs_person", [](Course& c) { return decide_waiting(c, Outcome::needs_person); }},
      {"supplement",
       [](Course& c) { return c.world.run("A", supplement_of(c.world, c.stay, 1)).code(); }},
      {"withdraw",
       [](Course& c) { return c.world.run("bureau.attestor", withdraw_of(c.stay)).code(); }},
      {"pay", [](Course& c) { return c.world.run("X", pay_of(c.stay)).code(); }},
      {"explained", [](Course& c) { return c.world.run("X", explained_of(c.stay)).code(); }},
      {"request_review",
       [](Course& c) { return c.world.run("bureau.attestor", review_of(c.stay)).code(); }},
      {"late_countersign", [](Course& c) { return c.world.run("A", late_of(c.stay)).code(); }},
      {"request",
       [](Course& c) {
         return c.world.run("X", insurer_request(c.world, c.stay.payload, c.stay.claim)).denial();
       }},
      {"file",
       [](Course& c) {
         return c.world
             .run("A", file_of(c.stay.report, 1, c.stay.insured.subject, c.stay.insured.consent))
             .code();
       }},
      {"sweep",
       [](Course& c) {
         return c.world.run("A", SystemSweep{{}, c.world.now, 10}).code();
       }},
      {"revoke",
       [](Course& c) {
         return c.world.run("bureau.attestor", ConsentRevoke{{}, c.stay.insured.consent, {}})
             .code();
       }},
  };
}

struct Row {
  const char* name;
  ClaimPhase phase;
  std::function<void(Course&)> reach;
  std::vector<Cell> cells;  ///< in the order of operations()
};

std::vector<Row> rows() {
  using enum ClaimPhase;
  const Cell not_twice = no(Code::already_filed);
  const Cell none = no(Code::decision_unknown);
  const Cell final_only = no(Code::outcome_not_allowed);
  const Cell paid_before = no(Code::decision_already_paid);
  const std::vector<Cell> nothing = {kRefused,  kRefused, kRefused, kRefused, kRefused,
                                     kRefused,  kRefused, kRefused, kRefused, kRefused,
                                     not_twice, stays(),  stays()};
  return {
      {"filed",
       filed,
       [](Course&) {},
       {kRefused, kRefused, kRefused, kRefused, to(withdrawn), kRefused, kRefused, kRefused,
        kRefused, stays(), not_twice, stays(), to(withdrawn)}},
      {"opened",
       opened,
       [](Course& c) { c.open(); },
       {to(decided), to(waiting_paper), to(in_review), kRefused, to(withdrawn), kRefused, kRefused,
        kRefused, kRefused, stays(), not_twice, stays(), stays()}},
      {"waiting_paper",
       waiting_paper,
       [](Course& c) { c.wait(Outcome::needs_paper); },
       {kRefused, kRefused, kRefused, to(opened), to(withdrawn), kRefused, kRefused, kRefused,
        kRefused, stays(), not_twice, stays(), stays()}},
      {"in_review, nothing decided",
       in_review,
       [](Course& c) { c.wait(Outcome::needs_person); },
       {to(decided), final_only, final_only, kRefused, to(withdrawn), none, none, kRefused, none,
        stays(), not_twice, stays(), stays()}},
      {"in_review, asked for by the person",
       in_review,
       [](Course& c) {
         c.decide(Withheld::provisional);
         c.ask_review();
       },
       {to(decided), final_only, final_only, kRefused, no(Code::payable_already_decided), stays(),
        stays(), kRefused, stays(), stays(), not_twice, stays(), stays()}},
      {"decided",
       decided,
       [](Course& c) { c.decide(Withheld::provisional); },
       {kRefused, kRefused, kRefused, kRefused, kRefused, to(paid), stays(), to(in_review), stays(),
        kRefused, not_twice, stays(), stays()}},
      {"paid",
       paid,
       [](Course& c) {
         c.decide(Withheld::provisional);
         c.pay();
       },
       {kRefused, kRefused, kRefused, kRefused, kRefused, paid_before, to(closed), to(in_review),
        stays(), kRefused, not_twice, stays(), stays()}},
      {"closed",
       closed,
       [](Course& c) {
         c.decide(Withheld::declared);
         c.pay();
       },
       {kRefused, kRefused, kRefused, kRefused, kRefused, paid_before, stays(), to(in_review),
        stays(), kRefused, not_twice, stays(), stays()}},
      {"withdrawn", withdrawn,
       [](Course& c) { REQUIRE(c.world.run("bureau.attestor", withdraw_of(c.stay)).applied()); },
       nothing},
      {"void", void_,
       [](Course& c) {
         c.decide(Withheld::provisional);
         c.set(void_);
       },
       nothing},
      {"recovering", recovering,
       [](Course& c) {
         c.decide(Withheld::provisional);
         c.set(recovering);
       },
       nothing},
  };
}

}  // namespace

TEST_CASE("every cell of claim state and operation", "[claims][states][table]") {
  std::set<ClaimPhase> phases;
  for (const Row& row : rows()) {
    phases.insert(row.phase);
    const auto all = operations();
    REQUIRE(row.cells.size() == all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      INFO(row.name << ", " << all[i].name);
      Course course;
      row.reach(course);
      REQUIRE(phase_of(course.world, course.stay.claim) == row.phase);
      const ClaimState before = claim_state(course.world, course.stay.claim);
      CHECK(all[i].run(course) == row.cells[i].code);
      CHECK(phase_of(course.world, course.stay.claim) == row.cells[i].to.value_or(row.phase));
      if (row.cells[i].code != Code::applied) {
        CHECK(claim_state(course.world, course.stay.claim) == before);
      }
      CHECK(course.books.agree());
    }
  }
  CHECK(phases.size() == enum_names(ClaimPhase{}).size() - 1);
}

TEST_CASE("every cell of claim state and a release, a receipt, a reading", "[claims][states]") {
  for (const Row& row : rows()) {
    INFO(row.name);
    Course course;
    World& world = course.world;
    const Stay& stay = course.stay;
    row.reach(course);
    const bool is_late = world.now > kStart + kDay;
    const bool is_readable = row.phase == ClaimPhase::filed || row.phase == ClaimPhase::opened ||
                             row.phase == ClaimPhase::waiting_paper ||
                             row.phase == ClaimPhase::in_review;
    const Commitment& commitment = stay.report.payload.commitment;
    if (!is_late) {
      CHECK(world.run("A", release_of(world, *course.held, commitment)).code() ==
            (is_readable ? Code::applied : Code::claim_state));
      // A receipt of what was released is always recorded; it opens a claim that is filed.
      const RunOutcome received = world.run("X", receive_of(world, *course.early, commitment, "X"));
      CHECK(received.applied());
      const bool opens = row.phase == ClaimPhase::filed;
      CHECK(received.event<ClaimOpened>().has_value() == opens);
      CHECK(phase_of(world, stay.claim) == (opens ? ClaimPhase::opened : row.phase));
    }
    const Basis basis{BasisKind::claim, id_cast<Hash>(stay.claim)};
    const bool is_over = row.phase == ClaimPhase::withdrawn || row.phase == ClaimPhase::void_;
    CHECK(world
              .run("X.adjuster",
                   read_of(world, stay.payload, "X", basis, Purpose::hpaymt, "adjuster"))
              .code() == (is_over ? Code::claim_state : Code::applied));
  }
}

TEST_CASE("operations of later versions are refused in every state", "[claims][states]") {
  Course course;
  for (const auto kind : {OperationKind::claims_undo, OperationKind::claims_reverse_invoice,
                          OperationKind::claims_amend_discharge, OperationKind::claims_challenge,
                          OperationKind::claims_answer}) {
    ledger::Operation later;
    later.kind = static_cast<std::uint16_t>(kind);
    CHECK(course.world.run_operation("X", later).code() == Code::kind_reserved);
  }
}
