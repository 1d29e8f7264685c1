/// docs/contracts.md, consent.register_key and attestation (a): one test a rule.
#include "contracts/fixture.h"

using namespace baolian;
using namespace baolian::contracts;
using namespace baolian::contracts::test;
using ledger::Capacity;
using ledger::LogKind;

TEST_CASE("a person's own key attests his consent (a), also at the grantee's counter",
          "[person_key]") {
  World world;
  const PersonKey person;
  const auto give = care_consent(world, 1, "B");
  register_key(world, give.terms.subject, person);
  const RunOutcome outcome = world.run("B", give, {person.sign(world, "B", give)});
  REQUIRE(outcome.applied());
  const auto event = outcome.event<ConsentGiven>();
  REQUIRE(event.has_value());
  CHECK(event->attestation == Attestation::person_key);
  CHECK(event->attested_by.is_zero());
  const auto record = record_of(world, 1, "A");
  REQUIRE(world.run("A", record).applied());
  const RunOutcome answer =
      world.run("B.doctor", doctor_request(world, record.record, give.terms.id));
  CHECK(answer.denial() == Code::applied);
}

TEST_CASE("a key that is not registered for this person and audience attests nothing",
          "[person_key]") {
  World world;
  const PersonKey person;
  const PersonKey other;
  const auto give = care_consent(world, 1, "B");
  CHECK(world.run("A", give, {person.sign(world, "A", give)}).code() ==
        Code::person_key_not_registered);
  register_key(world, give.terms.subject, person);
  CHECK(world.run("A", give, {other.sign(world, "A", give)}).code() ==
        Code::person_key_not_registered);
  const auto stranger = care_consent(world, 2, "B");
  CHECK(world.run("A", stranger, {person.sign(world, "A", stranger)}).code() ==
        Code::person_key_not_registered);
  // Signed for another sender, or over other content.
  CHECK(world.run("A", give, {person.sign(world, "B", give)}).code() == Code::cosignature_invalid);
  CHECK(world.run("A", give, {person.sign(world, "A", stranger)}).code() ==
        Code::cosignature_invalid);
}

TEST_CASE("a key is registered once, on an attestor's word, and by who holds it", "[person_key]") {
  World world;
  const PersonKey person;
  const auto subject = care_consent(world, 1, "B").terms.subject;
  const auto content = registration_of(subject, person);
  const auto proof = [&](const std::string& sender) { return person.sign(world, sender, content); };
  CHECK(world.run("A", content, {proof("A")}).code() == Code::not_an_attestor);
  CHECK(world.run("bureau.attestor", content).code() == Code::person_key_not_proved);
  const PersonKey other;
  CHECK(world.run("bureau.attestor", content, {other.sign(world, "bureau", content)}).code() ==
        Code::person_key_not_proved);
  const RunOutcome outcome = world.run("A", content, {world.attest("A", content), proof("A")});
  REQUIRE(outcome.applied());
  CHECK(outcome.event<PersonKeyRegistered>()->attested_by == world.institution("bureau"));
  CHECK(outcome.event<PersonKeyRegistered>()->key == person.key());
  CHECK(outcome.count(LogKind::consents_of_subject, subject) == 1);
  const auto state = world.read<PersonKeyState>(keys::person_key(subject));
  REQUIRE(state.has_value());
  CHECK(state->key == person.key());
  // Under a second pseudonym it would join the two.
  auto second = content;
  second.subject = care_consent(world, 2, "B").terms.subject;
  CHECK(world.run("bureau.attestor", second, {person.sign(world, "bureau", second)}).code() ==
        Code::person_key_taken);
}

TEST_CASE("a new key takes the place of the old one; none leaves the person without",
          "[person_key]") {
  World world;
  const PersonKey first;
  const PersonKey second;
  const auto give = care_consent(world, 1, "B");
  register_key(world, give.terms.subject, first);
  register_key(world, give.terms.subject, second);
  CHECK(world.run("A", give, {first.sign(world, "A", give)}).code() ==
        Code::person_key_not_registered);
  REQUIRE(world.run("A", give, {second.sign(world, "A", give)}).applied());
  const ConsentRegisterKey lost{{}, give.terms.subject, std::nullopt, make_id<Commitment>(1)};
  CHECK(world.run("A", lost).code() == Code::not_an_attestor);
  REQUIRE(world.run("bureau.attestor", lost).applied());
  CHECK(world.run("bureau.attestor", lost).code() == Code::person_key_not_registered);
  CHECK_FALSE(world.read<PersonKeyState>(keys::person_key(give.terms.subject)).has_value());
  // What the person consented to stands: a lost key is no revocation.
  CHECK(world.read<ConsentState>(keys::consent(give.terms.id))->revoked_at == TimeMs{});
  register_key(world, give.terms.subject, PersonKey{});
  const auto again = registration_of(give.terms.subject, first);
  CHECK(world.run("bureau.attestor", again, {first.sign(world, "bureau", again)}).code() ==
        Code::person_key_taken);
}

TEST_CASE("who profits cannot make the key up: insurer or grantee as attestor", "[person_key]") {
  World world;
  const PersonKey person;
  const SubjectId insured{world.institution("X"), make_id<Tag32>(1)};
  const auto content = registration_of(insured, person);
  const auto by_insurer = world.cosign("X.attestor", Capacity::attestor, "X", content);
  CHECK_FALSE(world.run("X", content, {by_insurer, person.sign(world, "X", content)}).applied());
  CHECK_FALSE(world.read<PersonKeyState>(keys::person_key(insured)).has_value());

  // B registers a key under care and lets it consent to B.
  const auto give = care_consent(world, 1, "B");
  const auto made_up = registration_of(give.terms.subject, person);
  REQUIRE(world.run("B.attestor", made_up, {person.sign(world, "B", made_up)}).applied());
  CHECK(world.run("B", give, {person.sign(world, "B", give)}).code() == Code::attestor_is_grantee);
  auto confirmed = care_consent(world, 1, "B");
  REQUIRE(world.run("B", confirmed).applied());
  const ConsentConfirm confirm{{}, {{confirmed.terms.id, consent_hash(confirmed.terms)}}};
  CHECK(world.run("B", confirm, {person.sign(world, "B", confirm)}).code() ==
        Code::attestor_is_grantee);
}

TEST_CASE("a person confirms and revokes with his key", "[person_key]") {
  World world;
  const PersonKey person;
  const auto give = care_consent(world, 1, "B");
  register_key(world, give.terms.subject, person);
  REQUIRE(world.run("B", give).applied());
  const ConsentConfirm confirm{{}, {{give.terms.id, consent_hash(give.terms)}}};
  const PersonKey other;
  CHECK(world.run("B", confirm, {other.sign(world, "B", confirm)}).code() ==
        Code::person_key_not_registered);
  const RunOutcome outcome = world.run("B", confirm, {person.sign(world, "B", confirm)});
  REQUIRE(outcome.applied());
  CHECK(outcome.event<ConsentsConfirmed>()->attestation == Attestation::person_key);
  CHECK(outcome.event<ConsentsConfirmed>()->attested_by.is_zero());
  CHECK(world.read<ConsentState>(keys::consent(give.terms.id))->attestation ==
        Attestation::person_key);
  // Through any institution, also the grantee's own.
  const ConsentRevoke revoke{{}, give.terms.id, {}};
  CHECK(world.run("B", revoke).code() == Code::revocation_not_allowed);
  CHECK(world.run("B", revoke, {other.sign(world, "B", revoke)}).code() ==
        Code::person_key_not_registered);
  REQUIRE(world.run("B", revoke, {person.sign(world, "B", revoke)}).applied());
}

TEST_CASE("an audience is care or an insurer; a member's key is no person's", "[person_key]") {
  World world;
  const PersonKey person;
  const SubjectId nowhere{world.institution("A"), make_id<Tag32>(1)};
  const auto content = registration_of(nowhere, person);
  CHECK(world.run("bureau.attestor", content, {person.sign(world, "bureau", content)}).code() ==
        Code::audience_wrong);
  const auto subject = care_consent(world, 1, "B").terms.subject;
  ConsentRegisterKey own{
      {}, subject, world.actor("A.doctor").signer->public_key(), make_id<Commitment>(1)};
  const auto proof = world.cosign("A.doctor", Capacity::person, "bureau", own);
  CHECK(world.run("bureau.attestor", own, {proof}).code() == Code::person_key_taken);
}
