#include "sim/claim_world.h"

#include <algorithm>
#include <string>

#include "contracts/calendar.h"
#include "crypto/hash.h"

namespace baolian::sim {
namespace {

using contracts::Product;
using ledger::InstitutionKind;
using ledger::MemberKind;
using ledger::Role;

constexpr std::uint64_t kCreatedMs = 1'750'000'000'000;
constexpr std::uint64_t kTenYearsMs = 10ULL * 365 * 86'400'000;

ledger::Member make_member(Prng& prng, MemberKind kind, std::vector<Role> roles,
                           const MemberId& responsible, const crypto::Signer& signer) {
  ledger::Member member;
  member.id = draw_id<MemberId>(prng);
  member.kind = kind;
  member.signing_key = signer.public_key();
  member.encryption_key = draw_id<EncryptionKey>(prng);
  member.encryption_key.bytes[0] = static_cast<std::uint8_t>(crypto::Algorithm::x25519);
  member.roles = std::move(roles);
  member.valid_from = TimeMs{kCreatedMs};
  member.valid_to = TimeMs{kCreatedMs + kTenYearsMs};
  if (kind == MemberKind::system) {
    member.software = "sim 1";
    member.responsible = responsible;
  }
  return member;
}

class Builder {
 public:
  explicit Builder(std::uint64_t seed) : prng_(seed) {}

  /// Adds an institution with a node of its own.
  Seat add(const std::string& name, std::vector<InstitutionKind> kinds, bool votes) {
    ledger::Institution out;
    out.id = draw_id<InstitutionId>(prng_);
    out.name = name;
    out.kinds = std::move(kinds);
    out.region = "330200";
    Seat seat;
    seat.institution = out.id;
    seat.agent = crypto::make_toy_signer(prng_.next());
    seat.attestor = crypto::make_toy_signer(prng_.next());
    const auto person = crypto::make_toy_signer(prng_.next());
    const auto vault = crypto::make_toy_signer(prng_.next());
    out.members.push_back(
        make_member(prng_, MemberKind::person, {Role::claims_adjuster}, {}, *person));
    const MemberId responsible = out.members.front().id;
    out.members.push_back(make_member(prng_, MemberKind::system, {Role::gateway, Role::agent},
                                      responsible, *seat.agent));
    out.members.push_back(
        make_member(prng_, MemberKind::system, {Role::vault}, responsible, *vault));
    out.members.push_back(make_member(prng_, MemberKind::system, {Role::agent, Role::attestor},
                                      responsible, *seat.attestor));
    seat.agent_member = out.members[1].id;
    seat.vault = out.members[2].id;
    add_node(out, votes);
    genesis_.institutions.push_back(std::move(out));
    return seat;
  }

  World finish(std::uint64_t seed) {
    genesis_.name = "claim simulation " + std::to_string(seed);
    genesis_.created = TimeMs{kCreatedMs};
    genesis_.signature_algorithm = static_cast<std::uint8_t>(crypto::Algorithm::toy);
    genesis_.epoch.first_height = Height{1};
    genesis_.second_generator = std::string(crypto::domain::kPedersenH);
    genesis_.person_id_systems = {"urn:sim:person"};
    genesis_.attestor_kinds = {InstitutionKind::medical_insurance};
    genesis_.subject_key_checks = {{InstitutionId{}, draw_id<Hash>(prng_)}};
    for (const ledger::Institution& one : genesis_.institutions) {
      if (one.kinds.front() != InstitutionKind::insurer) continue;
      genesis_.subject_key_checks.push_back({one.id, draw_id<Hash>(prng_)});
    }
    std::sort(genesis_.subject_key_checks.begin(), genesis_.subject_key_checks.end());
    const auto by_key = [](const auto& a, const auto& b) {
      return a->public_key() < b->public_key();
    };
    std::sort(voting_.begin(), voting_.end(), by_key);
    std::sort(watching_.begin(), watching_.end(), by_key);
    World world;
    for (const auto& signer : voting_) {
      genesis_.epoch.validators.push_back(signer->public_key());
      world.node_signers.push_back(signer);
    }
    world.validator_count = voting_.size();
    world.node_signers.insert(world.node_signers.end(), watching_.begin(), watching_.end());
    const auto checked = ledger::check_genesis(genesis_);
    ASSERT(checked.has_value());
    world.chain_id = ledger::chain_id_of(genesis_);
    world.genesis = std::move(genesis_);
    return world;
  }

  Prng& prng() { return prng_; }

 private:
  void add_node(ledger::Institution& institution, bool votes) {
    auto signer = crypto::make_toy_signer(prng_.next());
    ledger::Node node;
    node.consensus_key = signer->public_key();
    node.tls_pin = draw_id<Hash>(prng_);
    node.address = "127.0.0.1:" + std::to_string(7000 + genesis_.institutions.size());
    node.votes = votes;
    institution.nodes = {node};
    (votes ? voting_ : watching_).push_back(std::move(signer));
  }

  Prng prng_;
  ledger::Genesis genesis_;
  std::vector<std::shared_ptr<const crypto::Signer>> voting_;
  std::vector<std::shared_ptr<const crypto::Signer>> watching_;
};

/// One group, one liability: small enough for limits and tiers to be reached by a few bills.
Product make_product(const std::string& name, std::uint64_t deductible, std::uint32_t first_ratio,
                     std::uint64_t limit, std::uint32_t today) {
  Product out;
  out.name = {name, name};
  out.currency = "CNY";
  out.premium_sources = {contracts::PremiumSource::cash};
  out.from_day = today - 100;
  out.to_day = today + 300;
  out.total_limit = limit;
  out.groups = {{1,
                 deductible,
                 contracts::DeductibleScope::policy_year,
                 {{deductible, first_ratio}, {deductible + 150'000, 733'333}}}};
  contracts::Liability liability;
  liability.id = 1;
  liability.name = {name, name};
  liability.group = 1;
  liability.limit = limit;
  out.liabilities = {liability};
  const auto checked = contracts::check_product(out);
  ASSERT(checked.has_value());
  return out;
}

}  // namespace

ClaimWorld make_claim_world(std::uint64_t seed, TimeMs begins) {
  Builder builder(seed);
  ClaimWorld out;
  out.hospital = builder.add("Hospital A", {InstitutionKind::hospital}, true);
  out.insurers[0].seat = builder.add("Insurer X", {InstitutionKind::insurer}, true);
  out.insurers[1].seat = builder.add("Insurer Y", {InstitutionKind::insurer}, true);
  out.bureau = builder.add("Bureau", {InstitutionKind::medical_insurance}, true);
  builder.add("Auditor", {InstitutionKind::regulator}, false);
  for (Insurance& one : out.insurers) one.product_id = draw_id<ProductId>(builder.prng());
  out.world = builder.finish(seed);
  out.today = contracts::civil_day(begins, out.world.genesis.utc_offset_minutes);
  out.insurers[0].product = make_product("product X", 60'000, 600'000, 260'000, out.today);
  out.insurers[1].product = make_product("product Y", 20'000, 333'333, 180'000, out.today);
  return out;
}

}  // namespace baolian::sim
