#include "sim/world.h"

#include <algorithm>
#include <string>

#include "core/prng.h"
#include "crypto/hash.h"
#include "sim/draw.h"

namespace baolian::sim {

namespace {

constexpr std::uint64_t kCreatedMs = 1'750'000'000'000;

ledger::Member make_member(Prng& prng, ledger::MemberKind kind, ledger::Role role,
                           const MemberId& responsible,
                           std::shared_ptr<const crypto::Signer>& signer) {
  ledger::Member member;
  member.id = draw_id<MemberId>(prng);
  member.kind = kind;
  signer = crypto::make_toy_signer(prng.next());
  member.signing_key = signer->public_key();
  member.encryption_key = draw_id<EncryptionKey>(prng);
  member.encryption_key.bytes[0] = static_cast<std::uint8_t>(crypto::Algorithm::x25519);
  member.roles = {role};
  member.valid_from = TimeMs{kCreatedMs};
  member.valid_to = TimeMs{kCreatedMs + 10ULL * 365 * 86'400'000};
  if (kind == ledger::MemberKind::system) {
    member.software = "sim 1";
    member.responsible = responsible;
  }
  return member;
}

ledger::Institution make_institution(Prng& prng, std::size_t index, bool votes, World& world,
                                     std::shared_ptr<const crypto::Signer>& node_signer) {
  ledger::Institution out;
  out.id = draw_id<InstitutionId>(prng);
  out.name = "institution " + std::to_string(index);
  out.kinds = {ledger::InstitutionKind::hospital};
  out.region = "330200";
  std::shared_ptr<const crypto::Signer> person_signer;
  std::shared_ptr<const crypto::Signer> vault_signer;
  std::shared_ptr<const crypto::Signer> gateway_signer;
  using ledger::MemberKind;
  using ledger::Role;
  const auto person = make_member(prng, MemberKind::person, Role::clinician, {}, person_signer);
  const auto vault = make_member(prng, MemberKind::system, Role::vault, person.id, vault_signer);
  const auto gateway =
      make_member(prng, MemberKind::system, Role::gateway, person.id, gateway_signer);
  out.members = {person, vault, gateway};
  world.senders.push_back({person_signer, out.id, person.id, vault.id});
  world.senders.push_back({gateway_signer, out.id, person.id, vault.id});

  node_signer = crypto::make_toy_signer(prng.next());
  ledger::Node node;
  node.consensus_key = node_signer->public_key();
  node.tls_pin = draw_id<Hash>(prng);
  node.address = "127.0.0.1:" + std::to_string(7000 + index);
  node.votes = votes;
  out.nodes = {node};
  return out;
}

}  // namespace

World make_world(std::size_t validators, std::size_t observers, std::uint64_t seed,
                 crypto::ConsensusKind consensus) {
  ASSERT(validators >= 1);
  Prng prng(seed);
  World world;
  world.validator_count = validators;
  ledger::Genesis& genesis = world.genesis;
  genesis.name = "simulation " + std::to_string(seed);
  genesis.created = TimeMs{kCreatedMs};
  genesis.signature_algorithm = static_cast<std::uint8_t>(crypto::Algorithm::toy);
  genesis.epoch.first_height = Height{1};
  genesis.epoch.consensus_kind = consensus;
  genesis.second_generator = std::string(crypto::domain::kPedersenH);
  genesis.person_id_systems = {"urn:sim:person"};
  genesis.attestor_kinds = {ledger::InstitutionKind::hospital};
  genesis.subject_key_checks = {{InstitutionId{}, draw_id<Hash>(prng)}};
  for (std::size_t i = 0; i < validators + observers; ++i) {
    std::shared_ptr<const crypto::Signer> signer;
    genesis.institutions.push_back(make_institution(prng, i, i < validators, world, signer));
    world.node_signers.push_back(signer);
  }
  const auto by_key = [](const auto& a, const auto& b) {
    return a->public_key() < b->public_key();
  };
  const auto middle = world.node_signers.begin() + static_cast<std::ptrdiff_t>(validators);
  std::sort(world.node_signers.begin(), middle, by_key);
  std::sort(middle, world.node_signers.end(), by_key);
  for (auto at = world.node_signers.begin(); at != middle; ++at) {
    genesis.epoch.validators.push_back((*at)->public_key());
  }
  const auto checked = ledger::check_genesis(genesis);
  ASSERT(checked.has_value());
  world.chain_id = ledger::chain_id_of(genesis);
  return world;
}

std::vector<PublicKey> World::node_keys() const {
  std::vector<PublicKey> out;
  for (const auto& signer : node_signers) out.push_back(signer->public_key());
  return out;
}

void plan_changes(World& world, const std::vector<PlannedChange>& changes) {
  if (changes.empty()) return;
  std::vector<std::pair<Height, std::vector<PublicKey>>> plan;
  for (const PlannedChange& change : changes) {
    std::vector<PublicKey> keys;
    for (const consensus::ReplicaId id : change.validators) {
      keys.push_back(world.node_signers[id]->public_key());
    }
    std::sort(keys.begin(), keys.end());
    plan.emplace_back(change.height, std::move(keys));
  }
  world.epoch_changes =
      [plan = std::move(plan)](
          Height height, const crypto::EpochRecord& present) -> std::optional<crypto::EpochRecord> {
    const auto index = static_cast<std::size_t>(present.epoch.value);
    if (index >= plan.size() || height < plan[index].first) return std::nullopt;
    crypto::EpochRecord next = present;
    next.validators = plan[index].second;
    return next;
  };
}

}  // namespace baolian::sim
