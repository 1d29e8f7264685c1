#include "node/node_keys.h"

#include <algorithm>
#include <array>

#include "net/tls_identity.h"

namespace baolian::node {
namespace {

const ledger::Institution* find_institution(const ledger::Genesis& genesis,
                                            const InstitutionId& id) {
  const auto found = std::find_if(genesis.institutions.begin(), genesis.institutions.end(),
                                  [&](const auto& i) { return i.id == id; });
  return found == genesis.institutions.end() ? nullptr : &*found;
}

Result<const crypto::Secret*> seed_of(const crypto::Keystore& keystore, std::string_view name) {
  TRY(const crypto::Secret* seed, keystore.require(name));
  if (seed->size() != 32) {
    return fail(Errc::config_invalid, "keystore entry '" + std::string(name) +
                                          "' is not a 32-byte seed; restore the keystore");
  }
  return seed;
}

/// Member entries and the role in which each signs.
struct RoleEntry {
  std::string_view name;
  ledger::Role role;
};
constexpr std::array<RoleEntry, 4> kRoleEntries = {{
    {key_name::kGateway, ledger::Role::gateway},
    {key_name::kAgent, ledger::Role::agent},
    {key_name::kVault, ledger::Role::vault},
    {key_name::kAttestor, ledger::Role::attestor},
}};

Error foreign_entry(std::string_view name, const char* what) {
  return fail(Errc::config_invalid, "keystore entry '" + std::string(name) + "' is " + what +
                                        " in the genesis; the keystore belongs to another node or "
                                        "chain");
}

/// The member of this key, which must have the entry's role.
Result<const ledger::Member*> find_member(const ledger::Institution& institution,
                                          const RoleEntry& entry, const PublicKey& key) {
  for (const ledger::Member& member : institution.members) {
    if (member.signing_key != key) continue;
    if (std::find(member.roles.begin(), member.roles.end(), entry.role) != member.roles.end()) {
      return &member;
    }
    return foreign_entry(entry.name, "a member without this role");
  }
  return foreign_entry(entry.name, "no member of this institution");
}

/// The consensus key names the node; its TLS key must be the pinned one.
Result<void> check_node(const ledger::Institution& institution, const PublicKey& consensus,
                        const crypto::Secret& tls_seed) {
  const auto node = std::find_if(institution.nodes.begin(), institution.nodes.end(),
                                 [&](const auto& n) { return n.consensus_key == consensus; });
  if (node == institution.nodes.end()) {
    return foreign_entry(key_name::kConsensus, "no node of this institution");
  }
  TRY(const PublicKey tls_key, net::mesh_public_key(tls_seed));
  TRY(const Hash pin, net::mesh_pin(tls_key));
  if (pin != node->tls_pin)
    return foreign_entry(key_name::kTls, "not the one pinned for this node");
  return ok();
}

}  // namespace

Result<NodeKeys> NodeKeys::load(const crypto::Keystore& keystore, const ledger::Genesis& genesis,
                                const InstitutionId& institution) {
  const ledger::Institution* own = find_institution(genesis, institution);
  if (own == nullptr) {
    return fail(Errc::config_invalid,
                "the configured institution is not in the genesis; correct 'institution'");
  }
  NodeKeys out;
  TRY(const crypto::Secret* consensus, seed_of(keystore, key_name::kConsensus));
  out.consensus_ = crypto::make_ed25519_signer(*consensus);
  TRY(const crypto::Secret* tls, seed_of(keystore, key_name::kTls));
  out.tls_seed_ = tls->clone();
  TRY(check_node(*own, out.consensus_->public_key(), out.tls_seed_));
  TRY(const crypto::Secret* encryption, seed_of(keystore, key_name::kVaultEncryption));
  out.vault_encryption_ = crypto::make_encryption_key_pair(*encryption);
  for (const RoleEntry& entry : kRoleEntries) {
    if (entry.role == ledger::Role::attestor && keystore.find(entry.name) == nullptr) continue;
    TRY(const crypto::Secret* seed, seed_of(keystore, entry.name));
    auto signer = crypto::make_ed25519_signer(*seed);
    TRY(const ledger::Member* member, find_member(*own, entry, signer->public_key()));
    if (entry.role == ledger::Role::vault &&
        member->encryption_key != out.vault_encryption_.public_key) {
      return foreign_entry(key_name::kVaultEncryption, "not the one registered for the vault");
    }
    out.members_.emplace(std::string(entry.name), std::move(signer));
  }
  TRY(const crypto::Secret* kek, seed_of(keystore, key_name::kKeyEncryption));
  out.key_encryption_key_ = kek->clone();
  return out;
}

const crypto::Signer& NodeKeys::member(std::string_view name) const {
  const auto found = members_.find(std::string(name));
  ASSERT(found != members_.end());
  return *found->second;
}

Salt NodeKeys::salt_of(std::string_view purpose, const RequestId& request) const {
  const Hash subkey = crypto::hmac_sha256(key_encryption_key_.view(), {as_bytes("salts")});
  const Hash salt =
      crypto::hmac_sha256(subkey.view(), {as_bytes(purpose), as_bytes("/"), request.view()});
  return Salt::from(salt.view());
}

}  // namespace baolian::node
