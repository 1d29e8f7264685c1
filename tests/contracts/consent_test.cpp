/// docs/contracts.md, consent: one test a rule.
#include "contracts/fixture.h"

using namespace baolian;
using namespace baolian::contracts;
using namespace baolian::contracts::test;
using ledger::LogKind;

namespace {

ConsentConfirm confirmation_of(const ConsentGive& give) {
  return {{}, {{give.terms.id, consent_hash(give.terms)}}};
}

/// What a doctor of B gets who asks for this record of A under the consent.
Code ask(World& world, const RecordRef& record, const ConsentId& consent) {
  const RunOutcome answer = world.run("B.doctor", doctor_request(world, record, consent));
  REQUIRE(answer.applied());
  return answer.denial();
}

RecordRef registered(World& world, std::uint64_t person) {
  const auto record = record_of(world, person, "A");
  REQUIRE(world.run("A", record).applied());
  return record.record;
}

}  // namespace

TEST_CASE("a consent attested by a cosigner (b) has effect at once", "[consent]") {
  World world;
  const auto give = care_consent(world, 1, "B");
  const RunOutcome outcome = world.run("B", give, {world.attest("B", give)});
  REQUIRE(outcome.applied());
  const auto event = outcome.event<ConsentGiven>();
  REQUIRE(event.has_value());
  CHECK(event->attestation == Attestation::attestor);
  CHECK(event->attested_by == world.institution("bureau"));
  CHECK(event->hash == consent_hash(give.terms));
  CHECK(outcome.appends.size() == 1);
  CHECK(outcome.count(LogKind::consents_of_subject, give.terms.subject) == 1);
  CHECK(ask(world, registered(world, 1), give.terms.id) == Code::applied);
}

TEST_CASE("a consent sent by an attestor (b) of another institution has effect at once",
          "[consent]") {
  World world;
  const auto give = care_consent(world, 1, "B");
  const RunOutcome outcome = world.run("A.attestor", give);
  REQUIRE(outcome.applied());
  CHECK(outcome.event<ConsentGiven>()->attestation == Attestation::attestor);
  CHECK(outcome.event<ConsentGiven>()->attested_by == world.institution("A"));
}

TEST_CASE("a grantee cannot attest its own consent, neither as sender nor as cosigner",
          "[consent]") {
  World world;
  const auto give = care_consent(world, 1, "B");
  const auto own = world.cosign("B.attestor", ledger::Capacity::attestor, "B", give);
  CHECK(world.run("B", give, {own}).code() == Code::cosigner_is_grantee);
  const RunOutcome sent = world.run("B.attestor", give);
  REQUIRE(sent.applied());
  CHECK(sent.event<ConsentGiven>()->attestation == Attestation::grantee_attested);
  CHECK(sent.event<ConsentGiven>()->attested_by.is_zero());
}

TEST_CASE("a consent (c) has no effect until it is confirmed, from that block on", "[consent]") {
  World world;
  const auto record = registered(world, 1);
  const auto give = care_consent(world, 1, "B");
  REQUIRE(world.run("B", give).applied());
  CHECK(ask(world, record, give.terms.id) == Code::consent_not_attested);

  const TimeMs confirmed_at = world.now;
  const RunOutcome confirmed = world.run("bureau.attestor", confirmation_of(give));
  REQUIRE(confirmed.applied());
  CHECK(confirmed.event<ConsentsConfirmed>()->attested_by == world.institution("bureau"));
  CHECK(confirmed.count(LogKind::consents_of_subject, give.terms.subject) == 1);
  const auto state = world.read<ConsentState>(keys::consent(give.terms.id));
  CHECK(state->attestation == Attestation::attestor);
  CHECK(state->attested_at == confirmed_at);
  CHECK(ask(world, record, give.terms.id) == Code::applied);
}

TEST_CASE("a confirmation by cosignature holds too", "[consent]") {
  World world;
  const auto give = care_consent(world, 1, "B");
  REQUIRE(world.run("B", give).applied());
  const auto confirm = confirmation_of(give);
  CHECK(world.run("B", confirm).code() == Code::not_an_attestor);
  CHECK(world.run("B", confirm, {world.attest("B", confirm)}).applied());
}

TEST_CASE("confirm refuses what it should not vouch for, all or none", "[consent]") {
  World world;
  const auto first = care_consent(world, 1, "B");
  const auto second = care_consent(world, 2, "B");
  REQUIRE(world.run("B", first).applied());
  REQUIRE(world.run("B", second).applied());
  auto confirm = confirmation_of(first);
  confirm.consents.push_back({second.terms.id, Hash{}});
  CHECK(world.run("bureau.attestor", confirm).code() == Code::consent_hash_differs);
  CHECK(world.read<ConsentState>(keys::consent(first.terms.id))->attestation ==
        Attestation::grantee_attested);
  CHECK(world.run("B.attestor", confirmation_of(first)).code() == Code::attestor_is_grantee);
  CHECK(world.run("bureau.attestor", confirmation_of(care_consent(world, 3, "B"))).code() ==
        Code::consent_unknown);
  CHECK(world.run("bureau.auditor", confirmation_of(first)).code() == Code::role_not_allowed);
  REQUIRE(world.run("bureau.attestor", confirmation_of(first)).applied());
  CHECK(world.run("bureau.attestor", confirmation_of(first)).code() ==
        Code::consent_already_attested);
  const ConsentRevoke revoke{{}, second.terms.id, {}};
  REQUIRE(world.run("bureau.attestor", revoke).applied());
  CHECK(world.run("bureau.attestor", confirmation_of(second)).code() == Code::consent_revoked);
}

TEST_CASE("1,000 consents are confirmed in one operation", "[consent][weight]") {
  World world;
  std::vector<ledger::Operation> gives;
  ConsentConfirm confirm;
  for (int i = 0; i < 1000; ++i) {
    const auto give = care_consent(world, static_cast<std::uint64_t>(i), "B");
    gives.push_back(make_operation(give, make_id<RequestId>(world.fresh())));
    confirm.consents.push_back({give.terms.id, consent_hash(give.terms)});
  }
  for (const auto& outcome : world.run_body(world.body("B", gives))) REQUIRE(outcome.applied());
  const RunOutcome outcome = world.run("bureau.attestor", confirm);
  CHECK(outcome.applied());
  CHECK(outcome.appends.size() == 1000);
  CHECK(outcome.appends.back().line == 999);
}

TEST_CASE("give refuses terms that make no sense", "[consent]") {
  World world;
  const auto good = care_consent(world, 1, "B");
  const auto refused = [&](auto change) {
    auto give = good;
    change(give.terms);
    return world.run("B", give).code();
  };
  CHECK(refused([](ConsentTerms& t) { t.grantee = make_id<InstitutionId>(1); }) ==
        Code::grantee_unknown);
  CHECK(refused([&](ConsentTerms& t) { t.subject.audience = world.institution("B"); }) ==
        Code::audience_wrong);
  CHECK(refused([&](ConsentTerms& t) { t.subject.audience = world.institution("X"); }) ==
        Code::audience_wrong);
  CHECK(refused([&](ConsentTerms& t) { t.grantee = world.institution("X"); }) ==
        Code::audience_wrong);
  CHECK(refused([&](ConsentTerms& t) { t.to = world.now; }) == Code::consent_period_empty);
  CHECK(refused([](ConsentTerms& t) { t.from = t.to; }) == Code::consent_period_empty);
  CHECK(refused([](ConsentTerms& t) { t.exceptions = {ConsentException{}}; }) ==
        Code::exception_empty);
  CHECK(refused([](ConsentTerms&) {}) == Code::applied);
  CHECK(refused([](ConsentTerms&) {}) == Code::consent_exists);
  CHECK(world.run("B.adjuster", care_consent(world, 1, "B")).code() == Code::role_not_allowed);
}

TEST_CASE("revocation: by attestor, by the submitter that does not profit, by nobody else",
          "[consent]") {
  World world;
  const auto by_grantee = care_consent(world, 1, "B");
  REQUIRE(world.run("B", by_grantee, {world.attest("B", by_grantee)}).applied());
  const ConsentRevoke revoke{{}, by_grantee.terms.id, {}};
  CHECK(world.run("B", revoke).code() == Code::revocation_not_allowed);
  CHECK(world.run("B.attestor", revoke).code() == Code::revocation_not_allowed);
  CHECK(world.run("A", revoke).code() == Code::revocation_not_allowed);
  CHECK(world.run("A.auditor", revoke).code() == Code::role_not_allowed);
  CHECK(world.run("B", revoke, {world.attest("B", revoke)}).applied());
  CHECK(world.run("bureau.attestor", revoke).code() == Code::consent_revoked);

  const auto by_other = care_consent(world, 1, "B");
  REQUIRE(world.run("A", by_other).applied());
  const RunOutcome own = world.run("A", ConsentRevoke{{}, by_other.terms.id, {}});
  CHECK(own.applied());
  CHECK(own.count(LogKind::consents_of_subject, by_other.terms.subject) == 1);
  CHECK(world.run("A", ConsentRevoke{{}, make_id<ConsentId>(1), {}}).code() ==
        Code::consent_unknown);
}

TEST_CASE("a request under a consent is denied for each thing that it does not cover",
          "[consent][records]") {
  World world;
  auto record = record_of(world, 1, "A");
  REQUIRE(world.run("A", record).applied());
  const auto denied = [&](auto change) {
    auto give = care_consent(world, 1, "B");
    change(give.terms);
    REQUIRE(world.run("A.attestor", give).applied());
    return ask(world, record.record, give.terms.id);
  };
  CHECK(denied([](ConsentTerms&) {}) == Code::applied);
  CHECK(denied([](ConsentTerms& t) { t.subject = care_subject(2); }) ==
        Code::consent_of_other_subject);
  CHECK(denied([&](ConsentTerms& t) { t.grantee = world.institution("P"); }) ==
        Code::consent_of_other_grantee);
  CHECK(denied([&](ConsentTerms& t) { t.from = world.now + kDay; }) == Code::consent_not_in_period);
  CHECK(denied([](ConsentTerms& t) { t.purposes = {Purpose::hpaymt}; }) ==
        Code::purpose_not_consented);
  CHECK(denied([](ConsentTerms& t) { t.classes = {RecordClass::image}; }) ==
        Code::class_not_consented);
  CHECK(denied([](ConsentTerms& t) { t.level_ceiling = Level::one; }) == Code::level_not_consented);
  CHECK(denied([](ConsentTerms& t) { t.encounter = make_id<Tag32>(1); }) ==
        Code::consent_of_other_encounter);
  CHECK(ask(world, record.record, make_id<ConsentId>(5)) == Code::consent_unknown);
}

TEST_CASE("a consent ends at its end, to the millisecond", "[consent][records]") {
  World world;
  const auto record = registered(world, 1);
  auto give = care_consent(world, 1, "B");
  give.terms.to = world.now + kDay;
  REQUIRE(world.run("A.attestor", give).applied());
  world.now = TimeMs{give.terms.to.value - 1};
  CHECK(ask(world, record, give.terms.id) == Code::applied);
  world.now = give.terms.to;
  CHECK(ask(world, record, give.terms.id) == Code::consent_not_in_period);
}

TEST_CASE("a deny exception denies exactly what it matches", "[consent][records]") {
  World world;
  const auto record = registered(world, 1);
  const auto with = [&](const ConsentException& exception) {
    auto give = care_consent(world, 1, "B");
    give.terms.exceptions = {exception};
    REQUIRE(world.run("A.attestor", give).applied());
    return ask(world, record, give.terms.id);
  };
  const InstitutionId a = world.institution("A");
  CHECK(with({a, std::nullopt, std::nullopt}) == Code::consent_excepted);
  CHECK(with({std::nullopt, RecordClass::clinical_summary, std::nullopt}) ==
        Code::consent_excepted);
  CHECK(with({a, RecordClass::clinical_summary, Purpose::treat}) == Code::consent_excepted);
  CHECK(with({a, RecordClass::clinical_summary, Purpose::hoperat}) == Code::applied);
  CHECK(with({world.institution("P"), std::nullopt, std::nullopt}) == Code::applied);
}
