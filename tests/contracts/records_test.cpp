/// docs/contracts.md, records: one test a rule.
#include "contracts/fixture.h"

using namespace baolian;
using namespace baolian::contracts;
using namespace baolian::contracts::test;
using ledger::LogKind;

namespace {

/// A record of person 1 at A, and a consent of person 1 for B.
struct Case {
  World world;
  RecordsRegister record = record_of(world, 1, "A");
  ConsentGive consent = care_consent(world, 1, "B");

  Case() {
    REQUIRE(world.run("A", record).applied());
    REQUIRE(world.run("A.attestor", consent).applied());
  }
  RecordsRequest request() const { return doctor_request(world, record.record, consent.terms.id); }
  Granted grant() {
    const RunOutcome answer = world.run("B.doctor", request());
    const auto granted = answer.event<Granted>();
    REQUIRE(granted.has_value());
    return *granted;
  }
  Granted released() {
    const Granted granted = grant();
    REQUIRE(world.run("A", release_of(world, granted, record.commitment)).applied());
    return granted;
  }
  void receive(const Granted& granted) {
    REQUIRE(world.run("B", receive_of(world, granted, record.commitment)).applied());
  }
};

constexpr Basis kCare{BasisKind::care, {}};

}  // namespace

TEST_CASE("register: first use of an id wins, versions follow each other", "[records]") {
  Case c;
  CHECK(c.world.run("A", c.record).code() == Code::record_exists);
  auto stolen = c.record;
  stolen.vault = c.world.vault("B");
  CHECK(c.world.run("B", stolen).code() == Code::record_exists);
  auto next = c.record;
  next.record.version = 3;
  CHECK(c.world.run("A", next).code() == Code::record_version_not_next);
  next.record.version = 2;
  next.subject = care_subject(2);
  CHECK(c.world.run("A", next).code() == Code::record_subject_differs);
  next.subject = c.record.subject;
  next.record_class = RecordClass::image;
  CHECK(c.world.run("A", next).code() == Code::record_class_differs);
  next.record_class = c.record.record_class;
  const RunOutcome outcome = c.world.run("A", next);
  REQUIRE(outcome.applied());
  CHECK(outcome.appends.empty());
  CHECK(c.world.read<RecordState>(keys::record(c.record.record.record))->newest_version == 2);
  auto fresh = record_of(c.world, 1, "A");
  fresh.record.version = 2;
  CHECK(c.world.run("A", fresh).code() == Code::record_version_not_next);
}

TEST_CASE("register: by hospitals, pharmacies and the bureau, with a vault, under care",
          "[records]") {
  World world;
  CHECK(world.run("X", record_of(world, 1, "X")).code() == Code::institution_kind_not_allowed);
  CHECK(world.run("A.auditor", record_of(world, 1, "A")).code() == Code::role_not_allowed);
  CHECK(world.run("P", record_of(world, 1, "P")).applied());
  auto record = record_of(world, 1, "A");
  record.subject = subject_of(world, "X", 1);
  CHECK(world.run("A", record).code() == Code::subject_audience_not_care);
  record = record_of(world, 1, "A");
  record.vault = world.vault("B");
  CHECK(world.run("A", record).code() == Code::vault_unknown);
  record.vault = world.actor("A").member;  // a member, but no vault
  CHECK(world.run("A", record).code() == Code::vault_unknown);
}

TEST_CASE("an operation of a vault must name where its journal stands", "[records][journal]") {
  World world;
  auto record = record_of(world, 1, "A");
  record.journal.count = 1;
  CHECK(world.run("A", record).code() == Code::journal_mismatch);
  const Journal submitted{3, make_id<Hash>(3)};
  world.state().write_as(keys::journal(world.institution("A"), world.vault("A")), submitted);
  record.journal = {};
  CHECK(world.run("A", record).code() == Code::journal_mismatch);
  record.journal = submitted;
  CHECK(world.run("A", record).applied());
}

// ------------------------------------------------------------------ local readings

TEST_CASE("read: the custodian's doctor reads, and four logs say so", "[records][read]") {
  Case c;
  const RunOutcome outcome = c.world.run("A.doctor", read_of(c.world, c.record.record, "A", kCare));
  REQUIRE(outcome.applied());
  CHECK(outcome.appends.size() == 4);
  CHECK(outcome.count(LogKind::reads_of_record, c.record.record.record) == 1);
  CHECK(outcome.count(LogKind::reads_of_subject, c.record.subject) == 1);
  CHECK(outcome.count(LogKind::reads_by_institution, c.world.institution("A")) == 1);
  CHECK(outcome.count(LogKind::reads_at_institution, c.world.institution("A")) == 1);
  CHECK(outcome.event<RecordWasRead>()->custodian == c.world.institution("A"));
}

TEST_CASE("read: who does not hold a copy does not read locally", "[records][read]") {
  Case c;
  CHECK(c.world.run("B.doctor", read_of(c.world, c.record.record, "B", kCare)).code() ==
        Code::not_a_holder);
  auto unknown = c.record.record;
  unknown.record = make_id<RecordId>(1);
  CHECK(c.world.run("A.doctor", read_of(c.world, unknown, "A", kCare)).code() ==
        Code::record_unknown);
  unknown = c.record.record;
  unknown.version = 2;
  CHECK(c.world.run("A.doctor", read_of(c.world, unknown, "A", kCare)).code() ==
        Code::record_version_unknown);
}

TEST_CASE("read: a holder reads its copy under the consent, not under care, not after revocation",
          "[records][read]") {
  Case c;
  c.receive(c.released());
  const Basis consent{BasisKind::consent, id_cast<Hash>(c.consent.terms.id)};
  const auto read = [&](const Basis& basis) {
    return c.world.run("B.doctor", read_of(c.world, c.record.record, "B", basis));
  };
  const RunOutcome outcome = read(consent);
  CHECK(outcome.applied());
  CHECK(outcome.count(LogKind::reads_at_institution, c.world.institution("B")) == 1);
  CHECK(read(kCare).code() == Code::basis_not_allowed);
  CHECK(read({BasisKind::legal, {}}).code() == Code::basis_reserved);
  CHECK(read({BasisKind::claim, {}}).code() == Code::claim_unknown);
  REQUIRE(c.world.run("bureau.attestor", ConsentRevoke{{}, c.consent.terms.id, {}}).applied());
  CHECK(read(consent).code() == Code::consent_revoked);
}

TEST_CASE("read: the originator is bound by his own signature or stated by his institution",
          "[records][originator]") {
  Case c;
  const auto read = read_of(c.world, c.record.record, "A", kCare);
  // The gateway sends: member claimed, but his signature is not there.
  CHECK(c.world.run("A", read).code() == Code::originator_not_bound);
  auto stated = read;
  stated.originator.signed_by = SignedBy::institution;
  CHECK(c.world.run("A", stated).applied());
  // The doctor sends himself and says he did not sign.
  CHECK(c.world.run("A.doctor", stated).code() == Code::originator_not_bound);
  const auto by_doctor =
      c.world.cosign("A.doctor", ledger::Capacity::originator, "A", read, Nonce{100});
  CHECK(c.world.run("A", read, {by_doctor}).applied());
  const auto by_other =
      c.world.cosign("A.adjuster", ledger::Capacity::originator, "A", stated, Nonce{1});
  CHECK(c.world.run("A", stated, {by_other}).code() == Code::originator_not_bound);
  auto stranger = read;
  stranger.originator.member = c.world.actor("B.doctor").member;
  CHECK(c.world.run("A", stranger).code() == Code::originator_unknown);
  stranger.originator.institution = c.world.institution("B");
  CHECK(c.world.run("A", stranger).code() == Code::not_your_institution);
}

TEST_CASE("read: an originator's signature serves once, in the nonce window of its key",
          "[records][originator][nonce]") {
  Case c;
  const auto read = read_of(c.world, c.record.record, "A", kCare);
  const auto signed_with = [&](std::uint64_t nonce) {
    return c.world.cosign("A.doctor", ledger::Capacity::originator, "A", read, Nonce{nonce});
  };
  CHECK(c.world.run("A", read, {signed_with(5000)}).applied());
  CHECK(c.world.run("A", read, {signed_with(5000)}).code() == Code::originator_nonce_used);
  CHECK(c.world.run("A", read, {signed_with(3976)}).code() == Code::originator_nonce_too_old);
  CHECK(c.world.run("A", read, {signed_with(4999)}).applied());
  const auto unknown = crypto::make_ed25519_signer(crypto::new_seed());
  const auto forged = ledger::cosign(make_operation(read, RequestId{}),
                                     ledger::Capacity::originator, c.world.institution("A"),
                                     Nonce{1}, c.world.now + kMinute, c.world.chain_id(), *unknown);
  CHECK(c.world.run("A", read, {forged}).code() == Code::cosigner_unknown);
  CHECK(c.world.run("A", read, {signed_with(5001), signed_with(5002)}).code() ==
        Code::cosignature_duplicate);
}

TEST_CASE("read: roles and modes", "[records][originator]") {
  Case c;
  const auto as = [&](const std::string& member, Purpose purpose) {
    return read_of(c.world, c.record.record, "A", kCare, purpose, member);
  };
  CHECK(c.world.run("A.doctor", as("doctor", Purpose::hpaymt)).code() == Code::originator_role);
  CHECK(c.world.run("A.adjuster", as("adjuster", Purpose::treat)).code() == Code::originator_role);
  CHECK(c.world.run("A.adjuster", as("adjuster", Purpose::hpaymt)).applied());
  CHECK(c.world.run("A.auditor", as("auditor", Purpose::treat)).code() == Code::role_not_allowed);
  auto automatic = as("doctor", Purpose::treat);
  automatic.mode = ReadMode::automatic;
  CHECK(c.world.run("A.doctor", automatic).code() == Code::mode_contradicts_originator);
  auto program = as("doctor", Purpose::treat);
  program.originator.member = c.world.actor("A").member;
  CHECK(c.world.run("A", program).code() == Code::mode_contradicts_originator);
  program.mode = ReadMode::automatic;
  CHECK(c.world.run("A", program).applied());
}

// ------------------------------------------------------------------ requests

TEST_CASE("request: a grant is recorded in four logs and names consent and attestation",
          "[records][request]") {
  Case c;
  const TimeMs at = c.world.now;
  const RunOutcome outcome = c.world.run("B.doctor", c.request());
  const auto granted = outcome.event<Granted>();
  REQUIRE(granted.has_value());
  CHECK(granted->consent == c.consent.terms.id);
  CHECK(granted->attestation == Attestation::attestor);
  CHECK(granted->expires_at == at + 15 * kMinute);
  CHECK(outcome.appends.size() == 4);
  CHECK(outcome.count(LogKind::reads_by_institution, c.world.institution("B")) == 1);
  CHECK(outcome.count(LogKind::reads_at_institution, c.world.institution("A")) == 1);
  const auto grant = c.world.read<GrantState>(keys::grant(granted->grant));
  REQUIRE(grant.has_value());
  CHECK(grant->phase == GrantPhase::granted);
  CHECK(grant->recipient == c.world.vault("B"));
  const auto vault = c.world.read<MemberState>(keys::member(c.world.actor("B.vault").key));
  CHECK(grant->recipient_key == vault->member.encryption_key);
}

TEST_CASE("request: a denial is applied and stands in the denial logs", "[records][request]") {
  Case c;
  auto request = c.request();
  request.basis.id = make_id<Hash>(1);
  const RunOutcome outcome = c.world.run("B.doctor", request);
  CHECK(outcome.applied());
  CHECK(outcome.denial() == Code::consent_unknown);
  CHECK(outcome.appends.size() == 2);
  CHECK(outcome.count(LogKind::denials_of_subject, c.record.subject) == 1);
  CHECK(outcome.count(LogKind::denials_by_institution, c.world.institution("B")) == 1);
  CHECK(c.world.state().scan(keys::grant_ends(), keys::grant_ends(), 10).empty());
}

TEST_CASE("request: what is unknown or not for this role is denied on record",
          "[records][request]") {
  Case c;
  auto request = c.request();
  request.record.version = 2;
  CHECK(c.world.run("B.doctor", request).denial() == Code::record_version_unknown);
  request.record.record = make_id<RecordId>(9);
  const RunOutcome unknown = c.world.run("B.doctor", request);
  CHECK(unknown.denial() == Code::record_unknown);
  CHECK(unknown.appends.size() == 1);
  request = c.request();
  request.purpose = Purpose::hpaymt;
  CHECK(c.world.run("B.doctor", request).denial() == Code::originator_role);
  request = c.request();
  request.basis.kind = BasisKind::care;
  CHECK(c.world.run("B.doctor", request).denial() == Code::basis_not_allowed);
}

TEST_CASE("request: what is no request at all is refused", "[records][request]") {
  Case c;
  auto request = c.request();
  request.basis.kind = BasisKind::legal;
  CHECK(c.world.run("B.doctor", request).code() == Code::basis_reserved);
  request.basis.kind = BasisKind::break_glass;
  CHECK(c.world.run("B.doctor", request).code() == Code::basis_reserved);
  request = c.request();
  request.recipient = c.world.vault("A");
  CHECK(c.world.run("B.doctor", request).code() == Code::vault_unknown);
  CHECK(c.world.run("B.auditor", c.request()).code() == Code::role_not_allowed);
  auto own = doctor_request(c.world, c.record.record, c.consent.terms.id, "A");
  CHECK(c.world.run("A.doctor", own).code() == Code::own_record);
}

TEST_CASE("request: a program needs a consent that allows programs", "[records][request]") {
  Case c;
  auto request = c.request();
  request.originator.member = c.world.actor("B").member;
  request.mode = ReadMode::automatic;
  CHECK(c.world.run("B", request).denial() == Code::automatic_not_consented);
  auto allowing = care_consent(c.world, 1, "B");
  allowing.terms.automatic = AutomaticReading::allowed;
  REQUIRE(c.world.run("A.attestor", allowing).applied());
  request.basis.id = id_cast<Hash>(allowing.terms.id);
  const TimeMs at = c.world.now;
  const RunOutcome outcome = c.world.run("B", request);
  REQUIRE(outcome.event<Granted>().has_value());
  CHECK(outcome.event<Granted>()->expires_at == at + 2 * kMinute);
}

TEST_CASE("request: an intermediary asks only with the originator's signature and in via",
          "[records][request][originator]") {
  Case c;
  auto request = c.request();
  CHECK(c.world.run("P", request).code() == Code::originator_not_bound);
  request.originator.signed_by = SignedBy::institution;
  CHECK(c.world.run("P", request).code() == Code::originator_not_bound);
  request.originator.signed_by = SignedBy::member;
  const auto by_doctor = [&] {
    return c.world.cosign("B.doctor", ledger::Capacity::originator, "P", request, Nonce{70});
  };
  CHECK(c.world.run("P", request, {by_doctor()}).code() == Code::sender_not_among_via);
  request.via = {c.world.institution("P")};
  const RunOutcome outcome = c.world.run("P", request, {by_doctor()});
  REQUIRE(outcome.event<Granted>().has_value());
  CHECK(outcome.event<Granted>()->reader == c.world.institution("B"));
}

// ------------------------------------------------------------------ release and receive

TEST_CASE("release: names the wrap, moves the end, stands in the logs", "[records][release]") {
  Case c;
  const Granted granted = c.grant();
  const TimeMs at = c.world.now;
  const auto release = release_of(c.world, granted, c.record.commitment);
  const RunOutcome outcome = c.world.run("A", release);
  REQUIRE(outcome.applied());
  CHECK(outcome.appends.size() == 4);
  CHECK(outcome.event<Released>()->ends_at == at + kDay);
  const auto grant = c.world.read<GrantState>(keys::grant(granted.grant));
  CHECK(grant->phase == GrantPhase::released);
  CHECK(grant->wrap_hash == release.wrap_hash);
  CHECK(c.world.state().scan(keys::grant_ends(), keys::grant_ends(), 10).size() == 1);
  CHECK(c.world.read<Marker>(keys::grant_end(at + kDay, granted.grant)).has_value());
}

TEST_CASE("release: a grant serves once", "[records][release]") {
  Case c;
  const Granted granted = c.released();
  CHECK(c.world.run("A", release_of(c.world, granted, c.record.commitment)).code() ==
        Code::grant_already_released);
  c.receive(granted);
  CHECK(c.world.run("A", release_of(c.world, granted, c.record.commitment)).code() ==
        Code::grant_already_released);
}

TEST_CASE("release: an expired grant releases nothing, and goes", "[records][release]") {
  Case c;
  const Granted granted = c.grant();
  const auto release = release_of(c.world, granted, c.record.commitment);
  c.world.now = TimeMs{granted.expires_at.value + 1};
  CHECK(c.world.run("A", release).code() == Code::grant_expired);
  // The block in which that happened erased it.
  CHECK_FALSE(c.world.read<GrantState>(keys::grant(granted.grant)).has_value());
  CHECK(c.world.run("A", release).code() == Code::grant_unknown);
  const Granted again = c.grant();
  c.world.now = again.expires_at;
  CHECK(c.world.run("A", release_of(c.world, again, c.record.commitment)).applied());
}

TEST_CASE("release: only of the granted version, only by the custodian", "[records][release]") {
  Case c;
  const Granted granted = c.grant();
  auto next = c.record;
  next.record.version = 2;
  next.commitment = make_id<Commitment>(4);
  REQUIRE(c.world.run("A", next).applied());
  CHECK(c.world.run("A", release_of(c.world, granted, next.commitment)).code() ==
        Code::commitment_differs);
  CHECK(c.world.run("B", release_of(c.world, granted, c.record.commitment, "B")).code() ==
        Code::not_the_custodian);
  CHECK(c.world.run("A.doctor", release_of(c.world, granted, c.record.commitment)).code() ==
        Code::role_not_allowed);
  CHECK(c.world.run("A", release_of(c.world, granted, c.record.commitment)).applied());
}

TEST_CASE("release: refused after the consent was revoked", "[records][release]") {
  Case c;
  const Granted granted = c.grant();
  REQUIRE(c.world.run("bureau.attestor", ConsentRevoke{{}, c.consent.terms.id, {}}).applied());
  CHECK(c.world.run("A", release_of(c.world, granted, c.record.commitment)).code() ==
        Code::consent_revoked);
}

TEST_CASE("release: refused when the reader is no member any more", "[records][release]") {
  World world([](ledger::Genesis& genesis) {
    genesis.institutions[1].members[0].valid_to = kStart + kMinute;  // B.doctor
  });
  const auto record = record_of(world, 1, "A");
  REQUIRE(world.run("A", record).applied());
  const auto consent = care_consent(world, 1, "B");
  REQUIRE(world.run("A.attestor", consent).applied());
  const RunOutcome answer =
      world.run("B.doctor", doctor_request(world, record.record, consent.terms.id));
  REQUIRE(answer.event<Granted>().has_value());
  world.advance(kMinute);
  CHECK(world.run("A", release_of(world, *answer.event<Granted>(), record.commitment)).code() ==
        Code::reader_no_longer_member);
}

TEST_CASE("receive: ok makes the reader a holder of that version", "[records][receive]") {
  Case c;
  const Granted granted = c.released();
  const RunOutcome outcome = c.world.run("B", receive_of(c.world, granted, c.record.commitment));
  REQUIRE(outcome.applied());
  CHECK(outcome.appends.size() == 4);
  const auto holder =
      c.world.read<HolderState>(keys::holder(c.record.record, c.world.institution("B")));
  REQUIRE(holder.has_value());
  CHECK(holder->grant == granted.grant);
  CHECK(c.world.run("B", receive_of(c.world, granted, c.record.commitment)).code() ==
        Code::grant_already_received);
}

TEST_CASE("receive: a mismatch is an alarm, and makes no holder", "[records][receive]") {
  Case c;
  const Granted granted = c.released();
  auto receive = receive_of(c.world, granted, make_id<Commitment>(3));
  CHECK(c.world.run("B", receive).code() == Code::commitment_differs);
  receive.result = ReceiveResult::mismatch;
  receive.commitment = c.record.commitment;
  CHECK(c.world.run("B", receive).code() == Code::mismatch_without_difference);
  receive.commitment = {};
  const RunOutcome outcome = c.world.run("B", receive);
  REQUIRE(outcome.applied());
  CHECK(outcome.event<FlagRaised>()->rule == FlagRule::receive_mismatch);
  CHECK(outcome.event<FlagRaised>()->raised_on == c.world.institution("A"));
  CHECK(outcome.count(LogKind::alarms, Hash{}) == 1);
  CHECK_FALSE(c.world.read<HolderState>(keys::holder(c.record.record, c.world.institution("B"))));
  CHECK(c.world.run("B", receive).code() == Code::grant_already_received);
}

TEST_CASE("receive: not before the release, not by another, not with another vault, not too late",
          "[records][receive]") {
  Case c;
  const Granted granted = c.grant();
  CHECK(c.world.run("B", receive_of(c.world, granted, c.record.commitment)).code() ==
        Code::grant_not_released);
  REQUIRE(c.world.run("A", release_of(c.world, granted, c.record.commitment)).applied());
  const TimeMs ends_at = c.world.read<GrantState>(keys::grant(granted.grant))->ends_at;
  CHECK(c.world.run("P", receive_of(c.world, granted, c.record.commitment, "P")).code() ==
        Code::not_the_reader);
  CHECK(c.world.run("B", receive_of(c.world, granted, c.record.commitment, "A")).code() ==
        Code::recipient_differs);
  CHECK(c.world.run("B.doctor", receive_of(c.world, granted, c.record.commitment)).code() ==
        Code::role_not_allowed);
  c.world.now = TimeMs{ends_at.value + 1};
  CHECK(c.world.run("B", receive_of(c.world, granted, c.record.commitment)).code() ==
        Code::grant_ended);
  CHECK(c.world.run("B", receive_of(c.world, granted, c.record.commitment)).code() ==
        Code::grant_unknown);
}

TEST_CASE("ended grants leave the state, at most two for each operation of a block",
          "[records][expiry]") {
  Case c;
  for (int i = 0; i < 7; ++i) c.grant();
  const auto left = [&] {
    return c.world.state().scan(keys::grant_ends(), keys::grant_ends(), 100).size();
  };
  CHECK(left() == 7);
  c.world.advance(kHour);
  c.world.idle_block(1);
  CHECK(left() == 5);
  c.world.idle_block(2);
  CHECK(left() == 1);
  c.world.idle_block(10);
  CHECK(left() == 0);
}
