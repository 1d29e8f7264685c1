#include "crypto/keystore.h"
#include "load.h"
#include "node/api_auth.h"

namespace baolian::e2e {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{256} << 20;

Result<std::unique_ptr<crypto::Signer>> member_signer(const cli::Profile& profile) {
  TRY(const crypto::Secret passphrase, cli::read_passphrase_file(profile.passphrase_file));
  TRY(const crypto::Keystore keystore, crypto::Keystore::load(profile.keystore_file, passphrase));
  TRY(const crypto::Secret* seed, keystore.require("member"));
  return crypto::make_ed25519_signer(*seed);
}

}  // namespace

Result<nlohmann::json> post_file(const std::string& profile_path, const std::string& target,
                                 const std::string& path) {
  TRY(const cli::Profile profile, cli::load_profile(profile_path));
  TRY(const std::unique_ptr<crypto::Signer> signer, member_signer(profile));
  TRY(std::string body, cli::read_text_file(path, kFileBytesMax));
  net::HttpsClientConfig config;
  config.host = profile.host;
  config.port = profile.port;
  config.certificate_fingerprint = profile.fingerprint;
  net::HttpsClient http(std::move(config));
  const net::HttpHeaders headers = {
      {"Authorization", node::sign_api_request("POST", target, body, cli::now_ms(),
                                               profile.chain_id, *signer, profile.fingerprint)},
      {"Content-Type", "application/fhir+json"}};
  TRY(const net::HttpResponse response, http.request("POST", target, std::move(body), headers));
  const auto answer = nlohmann::json::parse(response.body, nullptr, false);
  const bool shaped = answer.is_object();
  return nlohmann::json{{"status", response.status},
                        {"body", response.body},
                        {"code", shaped ? answer.value("code", "") : ""},
                        {"message", shaped ? answer.value("message", "") : response.body}};
}

}  // namespace baolian::e2e
