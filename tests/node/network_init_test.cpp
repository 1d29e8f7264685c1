#include "node/network_init.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "contracts/parameters.h"
#include "ledger/fixture.h"
#include "ledger/genesis_json.h"
#include "net/tls_identity.h"
#include "node/config.h"
#include "node/node_keys.h"
#include "support/catch.h"
#include "vault/subject_keys.h"

namespace baolian::node {
namespace {

using ledger::InstitutionKind;
using ledger::test::TemporaryDirectory;

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

NetworkPlan small_plan(const std::string& directory) {
  NetworkPlan plan = demo_plan(directory);
  plan.institutions = {{"hospital-a", "Hospital", {InstitutionKind::hospital}, "330200", true},
                       {"insurer-a", "Insurer", {InstitutionKind::insurer}, "330200", true},
                       {"bureau",
                        "Bureau",
                        {InstitutionKind::regulator, InstitutionKind::medical_insurance},
                        "330200",
                        false}};
  return plan;
}

/// One network for all tests that only read it: its keystores take a while.
struct Network {
  TemporaryDirectory directory;
  NetworkFiles files;
  ledger::Genesis genesis;

  Network() {
    auto made = init_network(small_plan(directory.path() + "/network"));
    REQUIRE(made.has_value());
    files = *std::move(made);
    genesis = ledger::genesis_from_json(text_of(files.genesis_file)).value();
  }
  Config config(std::size_t node) const {
    return load_config(files.nodes[node].config_file).value();
  }
  crypto::Keystore keystore(std::size_t node) const {
    const Config c = config(node);
    return open_keystore(c.keystore_file, c.passphrase_file);
  }
  static crypto::Keystore open_keystore(const std::string& path, const std::string& passphrase) {
    std::string word = text_of(passphrase);
    REQUIRE(word.back() == '\n');
    word.pop_back();
    return crypto::Keystore::load(path, crypto::Secret::copy_of(as_bytes(word))).value();
  }
};

const Network& network() {
  static const Network made;
  return made;
}

constexpr std::size_t kHospital = 0;
constexpr std::size_t kInsurer = 1;
constexpr std::size_t kBureau = 2;

/// The hospital's keystore with one entry replaced; an empty secret leaves it out.
crypto::Keystore changed_keystore(std::string_view name, const crypto::Secret& secret) {
  crypto::Keystore out;
  const crypto::Keystore own = network().keystore(kHospital);
  for (const auto& entry : own.entries()) {
    if (entry.name != name) {
      REQUIRE(out.add(entry.name, entry.secret.clone()).has_value());
    } else if (!secret.empty()) {
      REQUIRE(out.add(entry.name, secret.clone()).has_value());
    }
  }
  return out;
}

Errc load_error(const crypto::Keystore& keystore) {
  const auto keys =
      NodeKeys::load(keystore, network().genesis, network().config(kHospital).institution);
  REQUIRE_FALSE(keys.has_value());
  return keys.error().code;
}

TEST_CASE("the demonstration has two hospitals, two insurers and an observing bureau",
          "[network-init]") {
  const NetworkPlan plan = demo_plan("somewhere");
  REQUIRE(plan.institutions.size() == 5);
  CHECK(std::count_if(plan.institutions.begin(), plan.institutions.end(),
                      [](const auto& i) { return i.votes; }) == 4);
  CHECK_FALSE(plan.institutions.back().votes);
}

TEST_CASE("a new network's genesis is valid and complete", "[network-init]") {
  const ledger::Genesis& genesis = network().genesis;
  REQUIRE(ledger::check_genesis(genesis).has_value());
  CHECK(ledger::chain_id_of(genesis).hex() == network().files.chain_id_hex);
  CHECK(genesis.epoch.validators.size() == 2);
  CHECK(genesis.epoch.parameters == contracts::default_parameters());
  REQUIRE(genesis.institutions.size() == 3);
  CHECK(genesis.subject_key_checks.size() == 2);  // care, one insurer
  CHECK(std::is_sorted(genesis.institutions[kBureau].kinds.begin(),
                       genesis.institutions[kBureau].kinds.end()));
  CHECK_FALSE(genesis.institutions[kBureau].nodes[0].votes);
}

TEST_CASE("the consensus of the plan stands in the genesis", "[network-init]") {
  CHECK(network().genesis.epoch.consensus_kind == crypto::ConsensusKind::pbft);
  const TemporaryDirectory directory;
  NetworkPlan plan = small_plan(directory.path() + "/network");
  plan.consensus = crypto::ConsensusKind::raft;
  const auto made = init_network(plan);
  REQUIRE(made.has_value());
  const auto genesis = ledger::genesis_from_json(text_of(made->genesis_file));
  REQUIRE(genesis.has_value());
  CHECK(genesis->epoch.consensus_kind == crypto::ConsensusKind::raft);
  CHECK(made->epoch == genesis->epoch);
}

TEST_CASE("every node of a new network starts from its files", "[network-init]") {
  std::set<std::string> addresses;
  for (std::size_t i = 0; i < 3; ++i) {
    const Config config = network().config(i);
    CHECK(std::filesystem::equivalent(config.genesis_file, network().files.genesis_file));
    CHECK(config.api_listen == network().files.nodes[i].api_address);
    addresses.insert({config.api_listen, config.mesh_listen});
    const auto keystore = network().keystore(i);
    const auto keys = NodeKeys::load(keystore, network().genesis, config.institution);
    REQUIRE(keys.has_value());
    CHECK(keys->has_member(key_name::kGateway));
    CHECK(keys->has_member(key_name::kAttestor) == (i == kBureau));
    CHECK(keys->key_encryption_key().size() == 32);
    const auto subjects = vault::SubjectKeys::load(keystore, network().genesis);
    REQUIRE(subjects.has_value());
    const auto all = network().genesis.subject_key_checks.size();
    CHECK(subjects->audiences().size() == (i == kInsurer ? 1 : all));
    CHECK(subjects->can_tag() == (i != kInsurer));
    CHECK(subjects->can_derive(InstitutionId{}) == (i != kInsurer));
  }
  CHECK(addresses.size() == 6);
}

TEST_CASE("every profile of a new network belongs to a member and pins its node",
          "[network-init]") {
  REQUIRE_FALSE(network().files.profiles.empty());
  std::set<std::string> members;
  for (const auto& path : network().files.profiles) {
    const auto profile = nlohmann::json::parse(text_of(path));
    const std::string folder = std::filesystem::path(path).parent_path().string() + "/";
    const auto keystore =
        Network::open_keystore(folder + profile["keystore"].get<std::string>(),
                               folder + profile["passphrase_file"].get<std::string>());
    const auto key = crypto::make_ed25519_signer(*keystore.require("member").value())->public_key();
    const auto encryption =
        crypto::make_encryption_key_pair(*keystore.require("encryption").value());
    std::size_t node = 0;
    bool found = false;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto& institution = network().genesis.institutions[i];
      for (const auto& member : institution.members) {
        if (member.id.hex() != profile["member"]) continue;
        found = true;
        node = i;
        CHECK(member.signing_key == key);
        CHECK(member.encryption_key == encryption.public_key);
        CHECK(institution.id.hex() == profile["institution"]);
        CHECK(member.kind == ledger::MemberKind::person);
      }
    }
    REQUIRE(found);
    members.insert(profile["member"].get<std::string>());
    CHECK(profile["chain_id"] == network().files.chain_id_hex);
    CHECK(profile["api"] == "https://" + network().files.nodes[node].api_address);
    const auto https =
        network().keystore(node).require(key_name::kHttpsCertificate).value()->clone();
    CHECK(profile["fingerprint"] == net::certificate_fingerprint(https.view()).hex());
  }
  CHECK(members.size() == network().files.profiles.size());
}

TEST_CASE("files with secrets are the owner's alone, and no other file holds one",
          "[network-init]") {
  std::vector<std::string> secrets;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto keystore = network().keystore(i);
    for (const auto& entry : keystore.entries()) {
      if (entry.name == key_name::kHttpsCertificate) continue;
      secrets.push_back(to_hex(entry.secret.view()));
      secrets.emplace_back(as_text(entry.secret.view()));
    }
  }
  std::size_t secret_files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(network().directory.path() + "/network")) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().filename().string();
    const bool secret =
        name.find("keystore") != std::string::npos || name.find("passphrase") != std::string::npos;
    const auto mode = entry.status().permissions() & std::filesystem::perms::all;
    if (secret) {
      CHECK(mode == static_cast<std::filesystem::perms>(0600));
      ++secret_files;
    }
    const std::string content = text_of(entry.path().string());
    for (const auto& word : secrets) REQUIRE(content.find(word) == std::string::npos);
  }
  CHECK(secret_files == 2 * (3 + network().files.profiles.size()));
}

TEST_CASE("a keystore of another node or with a missing entry is refused", "[node-keys]") {
  CHECK(load_error(network().keystore(kInsurer)) == Errc::config_invalid);
  for (const auto name :
       {key_name::kConsensus, key_name::kTls, key_name::kGateway, key_name::kAgent,
        key_name::kVault, key_name::kVaultEncryption, key_name::kKeyEncryption}) {
    CHECK(load_error(changed_keystore(name, {})) == Errc::not_found);
    CHECK(load_error(changed_keystore(name, crypto::Secret::copy_of(Bytes(31, 1)))) ==
          Errc::config_invalid);
  }
  const auto keys =
      NodeKeys::load(network().keystore(kHospital), network().genesis, InstitutionId{});
  REQUIRE_FALSE(keys.has_value());
  CHECK(keys.error().code == Errc::config_invalid);
}

TEST_CASE("every key that is not the one in the genesis is refused and named", "[node-keys]") {
  const auto foreign = crypto::Secret::copy_of(Bytes(32, 1));
  for (const auto name : {key_name::kConsensus, key_name::kTls, key_name::kGateway,
                          key_name::kAgent, key_name::kVault, key_name::kVaultEncryption}) {
    const auto keystore = changed_keystore(name, foreign);
    const auto keys =
        NodeKeys::load(keystore, network().genesis, network().config(kHospital).institution);
    REQUIRE_FALSE(keys.has_value());
    CHECK(keys.error().code == Errc::config_invalid);
    CHECK_THAT(keys.error().context, Catch::Contains("'" + std::string(name) + "'"));
  }
  // A member's key in the entry of another role.
  const auto own = network().keystore(kHospital);
  CHECK(load_error(changed_keystore(key_name::kGateway, *own.require(key_name::kAgent).value())) ==
        Errc::config_invalid);
}

TEST_CASE("a plan that cannot be carried out is refused before anything is written",
          "[network-init]") {
  const TemporaryDirectory directory;
  const auto refused = [&](const std::function<void(NetworkPlan&)>& change) {
    NetworkPlan plan = small_plan(directory.path() + "/network");
    change(plan);
    const auto made = init_network(plan);
    REQUIRE_FALSE(made.has_value());
    CHECK_FALSE(std::filesystem::exists(plan.directory));
    return made.error().code;
  };
  CHECK(refused([](auto& p) { p.institutions.clear(); }) == Errc::bad_argument);
  CHECK(refused([](auto& p) {
          for (auto& i : p.institutions) i.votes = false;
        }) == Errc::bad_argument);
  for (const std::string& slug :
       std::vector<std::string>{"", "A", "a/b", "..", "a b", std::string(33, 'a')}) {
    CHECK(refused([&](auto& p) { p.institutions[0].slug = slug; }) == Errc::bad_argument);
  }
  CHECK(refused([](auto& p) { p.institutions[1].slug = p.institutions[0].slug; }) ==
        Errc::bad_argument);
  CHECK(refused([](auto& p) { p.base_port = 65'530; }) == Errc::bad_argument);
  CHECK(refused([](auto& p) { p.currency = "yuan"; }) == Errc::genesis_invalid);
  CHECK(refused([](auto& p) { p.institutions[0].kinds.clear(); }) == Errc::genesis_invalid);
}

TEST_CASE("a directory that holds anything is left alone", "[network-init]") {
  const TemporaryDirectory directory;
  std::ofstream(directory.path() + "/letter") << "mine";
  const auto made = init_network(small_plan(directory.path()));
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().code == Errc::already_exists);
  CHECK(text_of(directory.path() + "/letter") == "mine");
}

TEST_CASE("ports count up from a base port", "[network-init]") {
  const TemporaryDirectory directory;
  NetworkPlan plan = small_plan(directory.path() + "/network");
  plan.institutions.resize(2);
  plan.base_port = 65'530;
  const auto made = init_network(plan);
  REQUIRE(made.has_value());
  const auto first = load_config(made->nodes[0].config_file).value();
  const auto second = load_config(made->nodes[1].config_file).value();
  CHECK(first.mesh_listen == "127.0.0.1:65530");
  CHECK(first.api_listen == "127.0.0.1:65531");
  CHECK(second.mesh_listen == "127.0.0.1:65532");
  CHECK(second.api_listen == "127.0.0.1:65533");
}

}  // namespace
}  // namespace baolian::node
