/// What stands in a node's keystore, and the identities made from it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "crypto/keystore.h"
#include "crypto/sealed_box.h"
#include "crypto/signing.h"
#include "ledger/genesis.h"

namespace baolian::node {

/// Names of keystore entries (docs/formats.md, Keystore). All seeds are 32 bytes.
namespace key_name {
inline constexpr std::string_view kConsensus = "consensus";  ///< Ed25519 seed: votes
inline constexpr std::string_view kTls = "tls";              ///< Ed25519 seed: peer mesh
inline constexpr std::string_view kHttps = "https";          ///< P-256 private key, PKCS#8 DER
inline constexpr std::string_view kHttpsCertificate = "https-certificate";  ///< DER
inline constexpr std::string_view kGateway =
    "member/gateway";                                       ///< signs the institution's operations
inline constexpr std::string_view kAgent = "member/agent";  ///< signs what agents do by themselves
inline constexpr std::string_view kAttestor = "member/attestor";  ///< attests consents (bureau)
inline constexpr std::string_view kVault = "member/vault";  ///< receives keys; see kVaultEncryption
inline constexpr std::string_view kVaultEncryption = "encryption/vault";  ///< X25519 seed
inline constexpr std::string_view kKeyEncryption = "kek/1";  ///< wraps data keys at rest, epoch 1
inline constexpr std::string_view kInvoiceTag =
    "tag/invoice";                                      ///< keyed tags: encounters, invoices
inline constexpr std::string_view kDayTag = "tag/day";  ///< keyed tags: days of a stay
inline constexpr std::string_view kSubjectPrefix = "subject/";  ///< + audience in hex; zeros = care
}  // namespace key_name

/// Signers of one node, made once at start. Everything is compared with the genesis: a wrong vault
/// key would be a node to which every record is sealed in vain.
class NodeKeys {
 public:
  /// Returns: Errc::not_found if a required entry is missing, Errc::config_invalid if a key is not
  /// that of a node of this institution in the genesis, or of its member in the entry's role.
  static Result<NodeKeys> load(const crypto::Keystore& keystore, const ledger::Genesis& genesis,
                               const InstitutionId& institution);

  const crypto::Signer& consensus() const { return *consensus_; }
  const crypto::Secret& tls_seed() const { return tls_seed_; }
  /// Requires: the entry was loaded (gateway, agent and vault always are).
  const crypto::Signer& member(std::string_view name) const;
  bool has_member(std::string_view name) const { return members_.contains(std::string(name)); }
  const crypto::EncryptionKeyPair& vault_encryption() const { return vault_encryption_; }
  const crypto::Secret& key_encryption_key() const { return key_encryption_key_; }
  /// A salt that nobody else can guess and this node can make again: HMAC under a subkey of the
  /// key-encryption key. For commitments whose value the institution keeps elsewhere.
  Salt salt_of(std::string_view purpose, const RequestId& request) const;

 private:
  NodeKeys() = default;
  std::unique_ptr<crypto::Signer> consensus_;
  crypto::Secret tls_seed_;
  std::map<std::string, std::unique_ptr<crypto::Signer>> members_;
  crypto::EncryptionKeyPair vault_encryption_;
  crypto::Secret key_encryption_key_;
};

}  // namespace baolian::node
