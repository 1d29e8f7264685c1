#include "cli/client.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "crypto/keystore.h"
#include "node/api_auth.h"
#include "node/config.h"

namespace baolian::cli {
namespace {

using nlohmann::json;

Result<json> parse_json(std::string_view text) {
  json out = json::parse(text, nullptr, false);
  if (out.is_discarded()) return fail(Errc::bad_json, "not valid JSON");
  return out;
}

Result<std::string> text_member(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) {
    return fail(Errc::config_invalid, fmt::format("the profile has no text '{}'", name));
  }
  return found->get<std::string>();
}

template <typename Id>
Result<void> id_member(const json& object, const char* name, Id& out) {
  TRY(const std::string hex, text_member(object, name));
  TRY(out, Id::from_hex_text(hex));
  return ok();
}

std::string beside(const std::string& profile_path, const std::string& name) {
  return (std::filesystem::path(profile_path).parent_path() / name).lexically_normal().string();
}

/// The API's error shape as an Error.
Error api_error(unsigned status, const std::string& body) {
  const json parsed = json::parse(body, nullptr, false);
  const Errc code = status == 401 || status == 403 ? Errc::not_authorized
                    : status == 404                ? Errc::not_found
                    : status == 409                ? Errc::rejected
                    : status == 410                ? Errc::pruned
                    : status == 503                ? Errc::busy
                                                   : Errc::http_status;
  if (parsed.is_object() && parsed.contains("code") && parsed.contains("message")) {
    std::string text = parsed["code"].dump() + ": " + parsed["message"].get<std::string>();
    if (parsed.contains("what_to_do") && parsed["what_to_do"].is_string() &&
        !parsed["what_to_do"].get_ref<const std::string&>().empty()) {
      text += " — " + parsed["what_to_do"].get<std::string>();
    }
    return fail(code, text);
  }
  return fail(code, fmt::format("the node answered with HTTP status {}", status));
}

}  // namespace

TimeMs now_ms() {
  using namespace std::chrono;
  return {static_cast<std::uint64_t>(
      duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count())};
}

Result<crypto::Secret> read_passphrase_file(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return fail(Errc::io_failed, "cannot open the passphrase file " + path);
  auto passphrase = crypto::read_passphrase(::fileno(file));
  std::fclose(file);
  return passphrase;
}

Result<std::string> read_text_file(const std::string& path, std::size_t bytes_max) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return fail(Errc::io_failed, path + ": " + error.message());
  if (size > bytes_max) {
    return fail(Errc::limit_exceeded,
                fmt::format("{}: {} bytes, at most {} are read", path, size, bytes_max));
  }
  std::ifstream in(path, std::ios::binary);
  std::string out(size, '\0');
  in.read(out.data(), static_cast<std::streamsize>(size));
  if (!in) return fail(Errc::io_failed, path + ": cannot be read");
  return out;
}

Result<void> write_text_file(const std::string& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) return fail(Errc::io_failed, path + ": cannot be written");
  return ok();
}

Result<Profile> load_profile(const std::string& path) {
  if (path.empty()) {
    return fail(Errc::config_invalid,
                "name a profile with --profile FILE or in BAOLIAN_PROFILE; `baolian network init` "
                "writes them");
  }
  TRY(const std::string text, read_text_file(path, 64 * 1024));
  TRY(const json object, parse_json(text));
  if (!object.is_object()) return fail(Errc::config_invalid, "the profile is no JSON object");
  Profile out;
  out.path = path;
  TRY(id_member(object, "institution", out.institution));
  TRY(out.institution_name, text_member(object, "institution_name"));
  TRY(id_member(object, "member", out.member));
  TRY(id_member(object, "fingerprint", out.fingerprint));
  TRY(id_member(object, "chain_id", out.chain_id));
  TRY(const std::string api, text_member(object, "api"));
  constexpr std::string_view kScheme = "https://";
  if (!api.starts_with(kScheme)) {
    return fail(Errc::config_invalid, "the profile's 'api' must begin with https://");
  }
  TRY(const node::HostPort address,
      node::parse_host_port(std::string_view(api).substr(kScheme.size())));
  out.host = address.host;
  out.port = address.port;
  TRY(const std::string genesis, text_member(object, "genesis"));
  TRY(const std::string keystore, text_member(object, "keystore"));
  TRY(const std::string passphrase, text_member(object, "passphrase_file"));
  out.genesis_file = beside(path, genesis);
  out.keystore_file = beside(path, keystore);
  out.passphrase_file = beside(path, passphrase);
  return out;
}

namespace {

Result<std::unique_ptr<crypto::Signer>> member_signer(const Profile& profile) {
  TRY(const crypto::Secret passphrase, read_passphrase_file(profile.passphrase_file));
  TRY(const crypto::Keystore keystore, crypto::Keystore::load(profile.keystore_file, passphrase));
  TRY(const crypto::Secret* seed, keystore.require("member"));
  if (seed->size() != 32) return fail(Errc::config_invalid, "the member key is no 32-byte seed");
  return std::unique_ptr<crypto::Signer>(crypto::make_ed25519_signer(*seed));
}

}  // namespace

Result<std::unique_ptr<crypto::Signer>> Context::signer() const {
  TRY(const Profile from, profile());
  return member_signer(from);
}

Result<ApiClient> ApiClient::connect(const Profile& profile, std::uint32_t timeout_ms) {
  TRY(std::unique_ptr<crypto::Signer> signer, member_signer(profile));
  net::HttpsClientConfig config;
  config.host = profile.host;
  config.port = profile.port;
  config.certificate_fingerprint = profile.fingerprint;
  config.request_timeout_ms = timeout_ms;
  return ApiClient(net::HttpsClient(std::move(config)), std::move(signer), profile.chain_id,
                   profile.fingerprint);
}

Result<std::string> ApiClient::request_text(const std::string& method, const std::string& target,
                                            std::string body, const std::string& content_type) {
  net::HttpHeaders headers;
  headers.emplace_back("Authorization", node::sign_api_request(method, target, body, now_ms(),
                                                               chain_, *signer_, server_));
  if (!body.empty()) headers.emplace_back("Content-Type", content_type);
  TRY(net::HttpResponse response, http_.request(method, target, std::move(body), headers));
  if (response.status / 100 != 2) return api_error(response.status, response.body);
  return std::move(response.body);
}

Result<json> ApiClient::request_json(const std::string& method, const std::string& target,
                                     const json& body) {
  TRY(const std::string answer,
      request_text(method, target, body.is_null() ? std::string() : body.dump()));
  return parse_json(answer);
}

Result<ApiClient> Context::connect() const {
  TRY(const Profile profile, load_profile(profile_path));
  return ApiClient::connect(profile, timeout_ms);
}

void Context::failed(const Error& error) {
  switch (error.code) {
    case Errc::connect_failed:
    case Errc::tls_failed:
    case Errc::timed_out:
    case Errc::closed:
      exit = Exit::unreachable;
      break;
    case Errc::not_authorized:
    case Errc::rejected:
    case Errc::pruned:
      exit = Exit::refused;
      break;
    case Errc::config_invalid:
    case Errc::bad_argument:
      exit = Exit::usage;
      break;
    case Errc::evidence_invalid:
      exit = Exit::invalid;
      break;
    default:
      exit = Exit::failed;
  }
  if (json) {
    const nlohmann::json out = {{"code", std::string(errc_name(error.code))},
                                {"message", error.context}};
    fmt::print("{}\n", out.dump(1));
  } else {
    fmt::print(stderr, "baolian: {}: {}\n", errc_name(error.code), error.context);
  }
}

}  // namespace baolian::cli
