/// What holds for every transaction and operation: sender, nonce, expiry, weight, cosignatures.
#include "contracts/fixture.h"

using namespace baolian;
using namespace baolian::contracts;
using namespace baolian::contracts::test;

namespace {

/// An operation that a hospital's gateway may always send.
ledger::Operation any_operation(World& world) {
  return make_operation(record_of(world, 1, "A"), make_id<RequestId>(world.fresh()));
}

Code run_once(World& world, const ledger::TransactionBody& body) {
  return world.run_body(body).front().code();
}

/// The state as a map, for "nothing changed".
ledger::StateOverlay::Writes snapshot(const World& world) { return world.state().writes(); }

}  // namespace

TEST_CASE("a transaction of an unknown key changes nothing, not even a nonce window", "[execute]") {
  World world;
  auto body = world.body("A", {any_operation(world)});
  body.sender = make_id<PublicKey>(1);
  const auto before = snapshot(world);
  const auto outcomes = world.run_body(body);
  CHECK(outcomes.size() == 1);
  CHECK(outcomes[0].receipt.status == ledger::ReceiptStatus::transaction_rejected);
  CHECK(outcomes[0].code() == Code::sender_unknown);
  CHECK(outcomes[0].leaf.op_index == ledger::kWholeTransaction);
  CHECK(outcomes[0].leaf.operation.empty());
  CHECK(snapshot(world) == before);
}

TEST_CASE("a sender outside of its validity is refused as a whole", "[execute]") {
  World world([](ledger::Genesis& genesis) {
    for (auto& member : genesis.institutions[0].members) {
      member.valid_from = kStart + 10 * kDay;
      member.valid_to = kStart + 20 * kDay;
    }
  });
  CHECK(run_once(world, world.body("A", {any_operation(world)})) == Code::sender_not_valid);
  world.advance(20 * kDay);
  CHECK(run_once(world, world.body("A", {any_operation(world)})) == Code::sender_not_valid);
  world.now = kStart + 15 * kDay;
  CHECK(run_once(world, world.body("A", {any_operation(world)})) == Code::applied);
}

TEST_CASE("a system without role gateway or agent sends nothing", "[execute]") {
  World world;
  CHECK(run_once(world, world.body("A.vault", {any_operation(world)})) == Code::sender_role);
}

TEST_CASE("a transaction executes until its expiry and at most 10 minutes ahead of it",
          "[execute]") {
  World world;
  auto body = world.body("A", {any_operation(world)});
  body.expires_at = TimeMs{world.now.value - 1};
  const auto before = snapshot(world);
  CHECK(run_once(world, body) == Code::transaction_expired);
  CHECK(snapshot(world) == before);
  body.expires_at = world.now + (10 * kMinute + 1);
  CHECK(run_once(world, body) == Code::expiry_too_far);
  body.expires_at = TimeMs{UINT64_MAX};
  CHECK(run_once(world, body) == Code::expiry_too_far);
  body.expires_at = world.now + 10 * kMinute;
  CHECK(run_once(world, body) == Code::applied);  // its nonce was still free
  auto last = world.body("A", {any_operation(world)});
  last.expires_at = world.now;
  CHECK(run_once(world, last) == Code::applied);
}

TEST_CASE("the same transaction twice executes once", "[execute][nonce]") {
  World world;
  const auto body = world.body("A", {any_operation(world)});
  CHECK(run_once(world, body) == Code::applied);
  const auto before = snapshot(world);
  CHECK(run_once(world, body) == Code::nonce_used);
  CHECK(snapshot(world) == before);
}

TEST_CASE("a rejected operation uses its nonce up", "[execute][nonce]") {
  World world;
  ledger::Operation unknown;
  unknown.kind = 9999;
  const auto body = world.body("A", {unknown});
  CHECK(run_once(world, body) == Code::kind_unknown);
  CHECK(run_once(world, body) == Code::nonce_used);
}

TEST_CASE("the nonce window is 1,024 wide: below it is too old", "[execute][nonce]") {
  World world;
  auto body = world.body("A", {any_operation(world)});
  const auto with_nonce = [&](std::uint64_t nonce) {
    body.nonce = Nonce{nonce};
    body.operations = {any_operation(world)};
    return run_once(world, body);
  };
  CHECK(with_nonce(2000) == Code::applied);
  CHECK(with_nonce(977) == Code::applied);
  CHECK(with_nonce(977) == Code::nonce_used);
  CHECK(with_nonce(976) == Code::nonce_too_old);
  CHECK(with_nonce(2001) == Code::applied);
  CHECK(with_nonce(978) == Code::applied);
  CHECK(with_nonce(977) == Code::nonce_too_old);
}

TEST_CASE("the nonce window agrees with a set of used numbers", "[nonce]") {
  NonceWindow window;
  std::set<std::uint64_t> used;
  std::uint64_t highest = 0;
  std::uint64_t seed = 7;
  for (int i = 0; i < 20'000; ++i) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::uint64_t spread = (seed >> 33) % 1500;
    const std::uint64_t nonce = highest + 40 > spread ? highest + 40 - spread : 0;
    const bool too_old = nonce + NonceWindow::kWidth <= highest;
    const auto expected = too_old                ? NonceWindow::Answer::too_old
                          : used.contains(nonce) ? NonceWindow::Answer::used
                                                 : NonceWindow::Answer::fresh;
    REQUIRE(window.ask(Nonce{nonce}) == expected);
    if (expected != NonceWindow::Answer::fresh) continue;
    window.use(Nonce{nonce});
    used.insert(nonce);
    highest = std::max(highest, nonce);
  }
  CHECK(used.size() > 1000);
}

TEST_CASE("operations of a transaction fail alone", "[execute]") {
  World world;
  ledger::Operation bad = any_operation(world);
  bad.content.push_back(0);
  const auto outcomes =
      world.run_body(world.body("A", {any_operation(world), bad, any_operation(world)}));
  REQUIRE(outcomes.size() == 3);
  CHECK(outcomes[0].applied());
  CHECK(outcomes[1].code() == Code::content_malformed);
  CHECK(outcomes[1].receipt.events.empty());
  CHECK(outcomes[2].applied());
  CHECK(outcomes[2].leaf.op_index == 2);
}

TEST_CASE("an operation of a later version is refused with its own code", "[execute]") {
  World world;
  for (const KindEntry& entry : operation_kinds()) {
    if (entry.availability == Availability::available) continue;
    ledger::Operation operation;
    operation.kind = static_cast<std::uint16_t>(entry.kind);
    INFO(entry.name);
    CHECK(world.run_operation("A", operation).code() == Code::kind_reserved);
  }
}

TEST_CASE("content that is not canonical is refused for every kind", "[execute]") {
  World world;
  for (const KindEntry& entry : operation_kinds()) {
    if (entry.availability == Availability::reserved) continue;
    for (const Bytes& content : {Bytes{}, Bytes{1}, Bytes{2, 0, 0}, Bytes(5000, 0xFF)}) {
      ledger::Operation operation;
      operation.kind = static_cast<std::uint16_t>(entry.kind);
      operation.content = content;
      INFO(entry.name);
      CHECK(world.run_operation("A", operation).code() == Code::content_malformed);
    }
  }
}

TEST_CASE("a transaction above its share of a block is refused as a whole", "[weight]") {
  World world;
  ledger::Operation revoke = make_operation(ConsentRevoke{}, RequestId{});
  const std::uint64_t one = declared_weight(world.genesis().epoch, revoke);
  const std::size_t fits = (12'500 - 1) / one;
  CHECK(run_once(world, world.body("A", std::vector<ledger::Operation>(fits + 1, revoke))) ==
        Code::transaction_too_heavy);
  CHECK(run_once(world, world.body("A", std::vector<ledger::Operation>(fits, revoke))) ==
        Code::consent_unknown);
}

TEST_CASE("an operation that writes more than its kind declares is refused", "[weight]") {
  World world([](ledger::Genesis& genesis) {
    for (auto& parameter : genesis.epoch.parameters) {
      if (parameter.id == 1000 + static_cast<int>(OperationKind::records_register)) {
        parameter.value = 1;
      }
    }
  });
  const auto record = record_of(world, 1, "A");
  CHECK(world.run("A", record).code() == Code::weight_exceeded);
  CHECK_FALSE(world.read<RecordState>(keys::record(record.record.record)));
}

TEST_CASE("a parameter that the epoch record does not name has its default", "[weight]") {
  crypto::EpochRecord epoch;
  CHECK(parameter(epoch, ParameterId::grant_automatic_ms) == 120'000);
  epoch.parameters = {{2, 5}};
  CHECK(parameter(epoch, ParameterId::grant_automatic_ms) == 5);
  CHECK(parameter(epoch, ParameterId::grant_person_ms) == 900'000);
  const auto table = default_parameters();
  for (std::size_t i = 1; i < table.size(); ++i) CHECK(table[i - 1].id < table[i].id);
}

// ------------------------------------------------------------------ cosignatures

TEST_CASE("a cosignature over another content, sender or chain is refused", "[cosignature]") {
  World world;
  const auto give = care_consent(world, 1, "B");
  auto other = give;
  other.terms.automatic = AutomaticReading::allowed;
  CHECK(world.run("A", give, {world.attest("A", other)}).code() == Code::cosignature_invalid);
  CHECK(world.run("A", give, {world.attest("B", give)}).code() == Code::cosignature_invalid);
  auto later = world.attest("A", give);
  later.not_after = later.not_after + 1;
  CHECK(world.run("A", give, {later}).code() == Code::cosignature_invalid);
  CHECK(world.run("A", give, {world.attest("A", give)}).applied());
}

TEST_CASE("a cosignature holds until its not_after", "[cosignature]") {
  World world;
  const auto give = care_consent(world, 1, "B");
  const auto attestation = world.attest("A", give);
  world.now = TimeMs{attestation.not_after.value + 1};
  CHECK(world.run("A", give, {attestation}).code() == Code::cosignature_expired);
  world.now = attestation.not_after;
  CHECK(world.run("A", give, {attestation}).applied());
}

TEST_CASE("only registered, valid attestors of the genesis kinds attest", "[cosignature]") {
  World world([](ledger::Genesis& genesis) {
    genesis.institutions[1].members[4].valid_to = kStart;  // B.attestor
  });
  const auto give = care_consent(world, 1, "B");
  const auto by = [&](const std::string& name) {
    return world.cosign(name, ledger::Capacity::attestor, "A", give);
  };
  CHECK(world.run("A", give, {by("B.attestor")}).code() == Code::cosigner_not_valid);
  CHECK(world.run("A", give, {by("bureau")}).code() == Code::cosigner_not_attestor);
  CHECK(world.run("A", give, {by("X.attestor")}).code() == Code::cosigner_not_attestor);
  auto numbered = by("bureau.attestor");
  numbered.nonce = Nonce{1};
  CHECK(world.run("A", give, {numbered}).code() == Code::cosignature_nonce);
  CHECK(world.run("A", give, {by("bureau.attestor"), by("bureau.attestor")}).code() ==
        Code::cosignature_duplicate);
}

TEST_CASE("a key of nobody cannot attest", "[cosignature]") {
  World world;
  const auto give = care_consent(world, 1, "B");
  const auto person = crypto::make_ed25519_signer(crypto::new_seed());
  const auto signature = ledger::cosign(make_operation(give, RequestId{}),
                                        ledger::Capacity::attestor, world.institution("A"), Nonce{},
                                        world.now + kMinute, world.chain_id(), *person);
  CHECK(world.run("A", give, {signature}).code() == Code::cosigner_unknown);
}

TEST_CASE("a capacity that the operation does not take is refused", "[cosignature]") {
  World world;
  const auto record = record_of(world, 1, "A");
  CHECK(world.run("A", record, {world.attest("A", record)}).code() == Code::cosignature_unexpected);
  const auto give = care_consent(world, 1, "B");
  for (const auto capacity : {ledger::Capacity::originator, ledger::Capacity::countersigner,
                              ledger::Capacity::second_approver}) {
    const auto odd = world.cosign("bureau.attestor", capacity, "A", give);
    CHECK(world.run("A", give, {odd}).code() == Code::cosignature_unexpected);
  }
}

TEST_CASE("every member of genesis is found by key and by id", "[membership]") {
  World world;
  for (const auto& institution : world.genesis().institutions) {
    const auto state = world.read<InstitutionState>(keys::institution(institution.id));
    REQUIRE(state.has_value());
    CHECK(state->kinds == institution.kinds);
    for (const auto& member : institution.members) {
      const auto found = world.read<MemberState>(keys::member(member.signing_key));
      REQUIRE(found.has_value());
      CHECK(found->institution == institution.id);
      CHECK(found->member == member);
      const auto key = world.read<MemberKey>(keys::member_id(institution.id, member.id));
      REQUIRE(key.has_value());
      CHECK(key->signing_key == member.signing_key);
    }
  }
  CHECK(world.read<crypto::EpochRecord>(keys::epoch(Epoch{0})) == world.genesis().epoch);
  CHECK(world.read<ChainRules>(keys::rules())->attestor_kinds == world.genesis().attestor_kinds);
}
