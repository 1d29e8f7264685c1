#include "bench/caller.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "crypto/keystore.h"
#include "node/api_auth.h"

namespace baolian::bench {
namespace {

constexpr std::uint32_t kRequestTimeoutMs = 60'000;
constexpr auto kGiveUp = std::chrono::seconds(120);
constexpr auto kAgainAfter = std::chrono::milliseconds(50);

}  // namespace

Result<Holder> load_holder(const Cluster& cluster, const std::string& node,
                           const std::string& role) {
  Holder out;
  out.node = node;
  TRY(out.profile, cli::load_profile(cluster.profile(node + "-" + role)));
  TRY(const crypto::Secret passphrase, cli::read_passphrase_file(out.profile.passphrase_file));
  TRY(const crypto::Keystore keys, crypto::Keystore::load(out.profile.keystore_file, passphrase));
  TRY(const crypto::Secret* seed, keys.require("member"));
  out.signer = crypto::make_ed25519_signer(*seed);
  return out;
}

std::string Answer::problem() const {
  const bool has_message = body.is_object() && body.contains("message");
  return fmt::format("HTTP {}: {}", status, has_message ? body["message"].dump() : body.dump());
}

Caller::Caller(const Holder& holder)
    : holder_(&holder),
      http_({.host = holder.profile.host,
             .port = holder.profile.port,
             .certificate_fingerprint = holder.profile.fingerprint,
             .request_timeout_ms = kRequestTimeoutMs}) {}

Result<Answer> Caller::request(const std::string& method, const std::string& target,
                               std::string body, const std::string& type) {
  const cli::Profile& profile = holder_->profile;
  net::HttpHeaders headers = {
      {"Authorization",
       node::sign_api_request(method, target, body, cli::now_ms(), profile.chain_id,
                              *holder_->signer, profile.fingerprint)}};
  if (!body.empty()) headers.emplace_back("Content-Type", type);
  TRY(const net::HttpResponse response, http_.request(method, target, std::move(body), headers));
  Answer out{response.status, nlohmann::json::parse(response.body, nullptr, false)};
  if (out.body.is_discarded()) return fail(Errc::bad_json, "the node's answer is no JSON");
  return out;
}

Result<nlohmann::json> Caller::require(const std::string& method, const std::string& target,
                                       const nlohmann::json& body) {
  const auto began = std::chrono::steady_clock::now();
  while (true) {
    const auto answer = request(method, target, body.dump());
    if (answer && answer->is_ok()) return answer->body;
    if (answer && !answer->is_busy()) {
      return fail(Errc::rejected, method + " " + target + ": " + answer->problem());
    }
    if (std::chrono::steady_clock::now() - began > kGiveUp) {
      return fail(Errc::timed_out, answer ? answer->problem() : answer.error().context);
    }
    std::this_thread::sleep_for(kAgainAfter);
  }
}

}  // namespace baolian::bench
