/// What every command of the CLI needs: the profile of who asks, a signed HTTPS client, output for
/// people or programs.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "core/ids.h"
#include "core/result.h"
#include "crypto/signing.h"
#include "net/https_client.h"

namespace baolian::cli {

/// Exit codes (docs/operations.md, CLI).
enum class Exit : int {
  ok = 0,
  failed = 1,
  usage = 2,
  refused = 3,
  unreachable = 4,
  invalid = 5,
  behind = 6
};

/// Who asks whom: written by `baolian network init`.
struct Profile {
  std::string path;
  InstitutionId institution;
  std::string institution_name;
  MemberId member;
  std::string host;
  std::uint16_t port = 0;
  Hash fingerprint;
  ChainId chain_id;
  std::string genesis_file;
  std::string keystore_file;
  std::string passphrase_file;
};

/// Returns: Errc::io_failed, bad_json, config_invalid.
Result<Profile> load_profile(const std::string& path);

/// An HTTPS client that signs as the profile's member.
class ApiClient {
 public:
  static Result<ApiClient> connect(const Profile& profile, std::uint32_t timeout_ms = 60'000);

  /// The answer's JSON. Errors of the API become Errors with the API's own words.
  Result<nlohmann::json> request_json(const std::string& method, const std::string& target,
                                      const nlohmann::json& body = nullptr);
  /// The answer's bytes, for evidence files.
  Result<std::string> request_text(const std::string& method, const std::string& target,
                                   std::string body = {},
                                   const std::string& content_type = "application/json");

 private:
  ApiClient(net::HttpsClient http, std::unique_ptr<crypto::Signer> signer, ChainId chain,
            const Hash& server)
      : http_(std::move(http)), signer_(std::move(signer)), chain_(chain), server_(server) {}
  net::HttpsClient http_;
  std::unique_ptr<crypto::Signer> signer_;
  ChainId chain_;
  Hash server_;  ///< the node's certificate: a request signed for it is of no use elsewhere
};

/// Options that every command has.
struct Context {
  std::string profile_path;  ///< --profile, or the environment's BAOLIAN_PROFILE
  bool json = false;
  std::uint32_t timeout_ms = 60'000;
  Exit exit = Exit::ok;

  Result<ApiClient> connect() const;
  /// The member's own key, for what a person signs.
  Result<std::unique_ptr<crypto::Signer>> signer() const;
  Result<Profile> profile() const { return load_profile(profile_path); }
  /// Prints an error for a person (stderr) or a program (stdout as JSON) and sets the exit code.
  void failed(const Error& error);
};

/// The passphrase in a file. Returns: Errc::io_failed, bad_passphrase.
Result<crypto::Secret> read_passphrase_file(const std::string& path);
TimeMs now_ms();

/// Whole file, at most `bytes_max`.
Result<std::string> read_text_file(const std::string& path, std::size_t bytes_max);
Result<void> write_text_file(const std::string& path, std::string_view text);

}  // namespace baolian::cli
