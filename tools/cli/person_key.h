/// A person's own key in a file, and what it cosigns.
#pragma once

#include <string>

#include "cli/client.h"

namespace baolian::cli {

/// Makes a new key, sealed under the passphrase of `passphrase_file`. Returns the public key;
/// Errc::already_exists, Errc::io_failed.
Result<PublicKey> new_person_key(const std::string& path, const std::string& passphrase_file);

class PersonKey {
 public:
  /// Returns: Errc::not_found, bad_passphrase, io_failed.
  static Result<PersonKey> load(const std::string& path, const std::string& passphrase_file);

  PublicKey public_key() const { return signer_->public_key(); }

  /// Cosigns what a node prepared (the answer with "to_sign") and sends it there. Returns also
  /// Errc::bad_argument if the node prepared something else than `asked`: a consent of more or to
  /// another, another key, another consent.
  Result<nlohmann::json> sign_and_send(ApiClient& client, const Profile& profile,
                                       const nlohmann::json& asked,
                                       const nlohmann::json& prepared) const;

 private:
  explicit PersonKey(std::unique_ptr<crypto::Signer> signer) : signer_(std::move(signer)) {}
  std::unique_ptr<crypto::Signer> signer_;
};

}  // namespace baolian::cli
