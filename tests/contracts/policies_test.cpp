/// docs/contracts.md, products and policies: one test a rule.
#include "contracts/calendar.h"
#include "contracts/consent/consent.h"
#include "contracts/fixture.h"

using namespace baolian;
using namespace baolian::contracts;
using namespace baolian::contracts::test;
using ledger::LogKind;

namespace {

struct Case {
  World world;
  ProductRegister product = product_of(world, "X");

  Case() { REQUIRE(world.run("X", product).applied()); }
  PoliciesEnrol enrol(std::initializer_list<std::uint64_t> persons) {
    return enrolment(world, product, "X", persons);
  }
};

}  // namespace

TEST_CASE("product: versions of an insurer follow each other", "[product]") {
  Case c;
  CHECK(c.world.run("X", c.product).code() == Code::product_exists);
  auto next = c.product;
  next.product_version = 3;
  CHECK(c.world.run("X", next).code() == Code::product_version_not_next);
  next.product_version = 0;
  CHECK(c.world.run("X", next).code() == Code::product_version_not_next);
  next.product_version = 2;
  next.insurer = c.world.institution("Y");
  CHECK(c.world.run("X", next).code() == Code::not_your_institution);
  CHECK(c.world.run("Y", next).code() == Code::product_not_yours);
  next.insurer = c.world.institution("X");
  CHECK(c.world.run("X", next).applied());
  auto empty = product_of(c.world, "X");
  empty.from_day = empty.to_day + 1;
  CHECK(c.world.run("X", empty).code() == Code::product_validity_empty);
  CHECK(c.world.run("X.doctor", product_of(c.world, "X")).code() == Code::role_not_allowed);
  auto hospital = product_of(c.world, "A");
  CHECK(c.world.run("A", hospital).code() == Code::institution_kind_not_allowed);
}

TEST_CASE("enrol: a line creates a policy and a consent", "[policies]") {
  Case c;
  const auto enrol = c.enrol({1, 2});
  const TimeMs enrolled_at = c.world.now;
  const RunOutcome outcome = c.world.run("X", enrol, {c.world.attest("X", enrol)});
  REQUIRE(outcome.applied());
  CHECK(outcome.event<Enrolled>()->lines == 2);
  CHECK(outcome.event<Enrolled>()->attested_by == c.world.institution("bureau"));
  CHECK(outcome.appends.size() == 2);
  CHECK(outcome.appends[1].line == 1);
  CHECK(outcome.count(LogKind::consents_of_subject, enrol.lines[1].subject) == 1);
  const auto policy = c.world.read<PolicyState>(keys::policy(policy_id(enrol.lines[0])));
  REQUIRE(policy.has_value());
  CHECK(policy->insurer() == c.world.institution("X"));
  // The consent stands in the policy's row, under the policy's id.
  const ConsentId id = enrolment_consent(policy_id(enrol.lines[0]));
  CHECK_FALSE(c.world.read<ConsentState>(keys::consent(id)).has_value());
  const auto consent = find_consent(c.world.state(), id);
  REQUIRE(consent.has_value());
  CHECK(consent->terms == consent_terms(enrol, enrol.lines[0], c.world.institution("X")));
  CHECK(consent->submitted_by == c.world.institution("X"));
  CHECK(consent->given_at == enrolled_at);
  CHECK(consent->attested_at == enrolled_at);
  CHECK(consent->attestation == Attestation::attestor);
}

TEST_CASE("enrol: without an attestor of its own the consents are (c)", "[policies]") {
  Case c;
  const auto enrol = c.enrol({1});
  const auto own = c.world.cosign("X.attestor", ledger::Capacity::attestor, "X", enrol);
  CHECK(c.world.run("X", enrol, {own}).code() == Code::cosigner_not_attestor);
  const RunOutcome outcome = c.world.run("X", enrol);
  REQUIRE(outcome.applied());
  CHECK(outcome.event<Enrolled>()->attestation == Attestation::grantee_attested);
  const ConsentId id = enrolment_consent(policy_id(enrol.lines[0]));
  CHECK(find_consent(c.world.state(), id)->attested_at == TimeMs{});
}

TEST_CASE("enrol: the policy's consent is confirmed and revoked like any other", "[policies]") {
  Case c;
  const auto enrol = c.enrol({1, 2});
  const TimeMs enrolled_at = c.world.now;
  REQUIRE(c.world.run("X", enrol).applied());
  const ConsentTerms terms = consent_terms(enrol, enrol.lines[0], c.world.institution("X"));
  c.world.advance(kHour);
  const TimeMs confirmed_at = c.world.now;
  ConsentConfirm confirm{{}, {{terms.id, consent_hash(terms)}}};
  const RunOutcome confirmed = c.world.run("bureau.attestor", confirm);
  REQUIRE(confirmed.applied());
  CHECK(confirmed.count(LogKind::consents_of_subject, terms.subject) == 1);
  auto consent = find_consent(c.world.state(), terms.id);
  REQUIRE(consent.has_value());
  CHECK(consent->terms == terms);
  CHECK(consent->given_at == enrolled_at);
  CHECK(consent->attested_at == confirmed_at);
  CHECK(consent->attested_by == c.world.institution("bureau"));
  CHECK(c.world.run("bureau.attestor", confirm).code() == Code::consent_already_attested);
  c.world.advance(kHour);
  const TimeMs revoked_at = c.world.now;
  REQUIRE(c.world.run("bureau.attestor", ConsentRevoke{{}, terms.id, {}}).applied());
  consent = find_consent(c.world.state(), terms.id);
  CHECK(consent->revoked_at == revoked_at);
  CHECK(consent->attested_at == confirmed_at);
  // The policy itself and its neighbour stand as before.
  const auto policy = c.world.read<PolicyState>(keys::policy(policy_id(enrol.lines[0])));
  CHECK(policy->phase == PolicyPhase::active);
  CHECK(policy->enrolled_at == enrolled_at);
  const auto neighbour =
      find_consent(c.world.state(), enrolment_consent(policy_id(enrol.lines[1])));
  CHECK(neighbour->attested_at == TimeMs{});
}

TEST_CASE("enrol: a policy and a consent never share an id by accident", "[policies]") {
  Case c;
  const auto enrol = c.enrol({1});
  auto give = care_consent(c.world, 2, "B");
  give.terms.id = enrolment_consent(policy_id(enrol.lines[0]));
  REQUIRE(c.world.run("bureau.attestor", give).applied());
  CHECK(c.world.run("X", enrol).code() == Code::consent_exists);
  const auto other = c.enrol({1});
  REQUIRE(c.world.run("X", other).applied());
  give.terms.id = enrolment_consent(policy_id(other.lines[0]));
  CHECK(c.world.run("bureau.attestor", give).code() == Code::consent_exists);
}

TEST_CASE("enrol: an insurer whose own kind attests cannot attest for itself", "[policies]") {
  World world([](ledger::Genesis& genesis) {
    genesis.attestor_kinds = {ledger::InstitutionKind::insurer};
  });
  const auto product = product_of(world, "X");
  REQUIRE(world.run("X", product).applied());
  const auto enrol = enrolment(world, product, "X", {1});
  const auto own = world.cosign("X.attestor", ledger::Capacity::attestor, "X", enrol);
  CHECK(world.run("X", enrol, {own}).code() == Code::cosigner_is_grantee);
  const RunOutcome as_sender = world.run("X.attestor", enrol);
  REQUIRE(as_sender.applied());
  CHECK(as_sender.event<Enrolled>()->attestation == Attestation::grantee_attested);
}

TEST_CASE("enrol: a past start and a lineal account need the bureau", "[policies]") {
  Case c;
  auto past = c.enrol({1});
  past.lines[0].from_day = kToday - 1;
  CHECK(c.world.run("X", past).code() == Code::bureau_attestation_needed);
  const auto by_hospital = c.world.cosign("A.attestor", ledger::Capacity::attestor, "X", past);
  CHECK(c.world.run("X", past, {by_hospital}).code() == Code::bureau_attestation_needed);
  CHECK(c.world.run("X", past, {by_hospital, c.world.attest("X", past)}).applied());
  auto lineal = c.enrol({2});
  lineal.lines[0].premium_source = PremiumSource::lineal_account;
  CHECK(c.world.run("X", lineal).code() == Code::bureau_attestation_needed);
  CHECK(c.world.run("X", lineal, {c.world.attest("X", lineal)}).applied());
}

TEST_CASE("enrol: today is the civil day of the chain's zone", "[policies][calendar]") {
  Case c;
  // 23:30 in the chain's zone, 15:30Z of the same day.
  c.world.now = kStart + (13 * kHour + 30 * kMinute);
  CHECK(c.world.run("X", c.enrol({1})).applied());
  c.world.advance(kHour);  // 00:30 of the next day there
  CHECK(c.world.run("X", c.enrol({1})).code() == Code::bureau_attestation_needed);
}

TEST_CASE("enrol: all lines or none", "[policies]") {
  Case c;
  auto enrol = c.enrol({1, 2, 3});
  enrol.lines[2].subject.audience = c.world.institution("Y");
  CHECK(c.world.run("X", enrol).code() == Code::audience_wrong);
  CHECK_FALSE(c.world.read<PolicyState>(keys::policy(policy_id(enrol.lines[0]))).has_value());
}

TEST_CASE("enrol: refuses what the product or the line does not allow", "[policies]") {
  Case c;
  const auto refused = [&](auto change) {
    auto enrol = c.enrol({1});
    change(enrol);
    return c.world.run("X", enrol).code();
  };
  CHECK(refused([](PoliciesEnrol& e) { e.product_version = 2; }) == Code::product_unknown);
  CHECK(refused([](PoliciesEnrol& e) { e.lines[0].to_day = e.lines[0].from_day - 1; }) ==
        Code::cover_period_empty);
  CHECK(refused([&](PoliciesEnrol& e) {
          e.lines[0].from_day = c.product.to_day + 1;
          e.lines[0].to_day = c.product.to_day + 2;
        }) == Code::cover_outside_validity);
  CHECK(refused([](PoliciesEnrol& e) { e.lines[0].premium_source = PremiumSource::own_account; }) ==
        Code::premium_source_not_allowed);
  CHECK(refused([&](PoliciesEnrol& e) { e.lines[0].consent_to = c.world.now; }) ==
        Code::consent_period_empty);
  CHECK(refused([](PoliciesEnrol& e) { e.lines.push_back(e.lines[0]); }) == Code::policy_exists);
  auto foreign = c.enrol({1});
  foreign.lines[0].subject.audience = c.world.institution("Y");
  CHECK(c.world.run("Y", foreign).code() == Code::product_not_yours);
  CHECK(c.world.run("A", c.enrol({1})).code() == Code::institution_kind_not_allowed);
  CHECK(c.world.run("X.adjuster", c.enrol({1})).code() == Code::role_not_allowed);
  auto enrol = c.enrol({1});
  enrol.lines.clear();
  ledger::Operation empty;
  empty.kind = static_cast<std::uint16_t>(OperationKind::policies_enrol);
  // No encoder makes it: an enrolment without lines.
  Bytes bytes = encode(c.enrol({1}));
  bytes.resize(bytes.size() - encode(c.enrol({1}).lines[0]).size() - 4);
  append(bytes, Bytes{0, 0, 0, 0});
  empty.content = bytes;
  CHECK(c.world.run_operation("X", empty).code() == Code::content_malformed);
}

TEST_CASE("enrol: at most 16 policies of a person at a time", "[policies]") {
  Case c;
  for (int i = 0; i < 16; ++i) REQUIRE(c.world.run("X", c.enrol({1})).applied());
  CHECK(c.world.run("X", c.enrol({1})).code() == Code::too_many_policies);
  CHECK(c.world.run("X", c.enrol({2})).applied());
  // When those have ended there is room again.
  c.world.now = kStart + 366 * kDay;
  auto later = c.enrol({1});
  later.lines[0].consent_to = c.world.now + kDay;
  CHECK(c.world.run("X", later, {c.world.attest("X", later)}).code() == Code::too_many_policies);
  auto product = c.product;
  product.product_version = 2;
  product.to_day = kToday + 800;
  REQUIRE(c.world.run("X", product).applied());
  later.product_version = 2;
  later.lines[0].from_day = kToday + 366;
  later.lines[0].to_day = kToday + 367;
  CHECK(c.world.run("X", later).applied());
}

TEST_CASE("enrol: 1,000 persons in one operation keep their declared weight",
          "[policies][weight]") {
  Case c;
  auto enrol = c.enrol({});
  for (std::uint64_t person = 1; person <= 1000; ++person) {
    enrol.lines.push_back(c.enrol({person}).lines[0]);
  }
  const RunOutcome outcome = c.world.run("X", enrol, {c.world.attest("X", enrol)});
  CHECK(outcome.applied());
  CHECK(outcome.appends.size() == 1000);
  CHECK(declared_weight(c.world.genesis().epoch, make_operation(enrol, RequestId{})) == 3001);
}

TEST_CASE("civil days and months agree with the Gregorian calendar", "[calendar]") {
  CHECK(civil_day(TimeMs{0}, 0) == 0);
  CHECK(civil_day(TimeMs{0}, -60) == 0);
  CHECK(civil_day(TimeMs{16 * 3'600'000 - 1}, 480) == 0);
  CHECK(civil_day(TimeMs{16 * 3'600'000}, 480) == 1);
  CHECK(civil_day(kStart, 480) == kToday);
  CHECK(civil_date_text(kToday) == "2026-03-15");
  CHECK(civil_date_text(0) == "1970-01-01");
  CHECK(civil_date_text(11'016) == "2000-02-29");
  CHECK(civil_date_text(47'540) == "2100-02-28");
  CHECK(civil_date_text(47'541) == "2100-03-01");
  CHECK(civil_month(UINT32_MAX) > 0);
  CHECK(civil_day(TimeMs{UINT64_MAX}, 480) == UINT32_MAX);
  // Naive count, day by day, until 2200.
  std::uint32_t day = 0;
  for (std::uint32_t year = 1970; year < 2200; ++year) {
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const std::uint32_t lengths[] = {31, leap ? 29U : 28U, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (std::uint32_t month = 0; month < 12; ++month) {
      const std::uint32_t index = (year - 1970) * 12 + month;
      REQUIRE(first_day_of_month(index) == day);
      REQUIRE(civil_month(day) == index);
      day += lengths[month];
      REQUIRE(civil_month(day - 1) == index);
    }
  }
}
