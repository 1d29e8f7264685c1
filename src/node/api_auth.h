/// Signed API requests: who asks is a member key, not a session (docs/api.md, "Who asks").
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "core/codec.h"
#include "core/ids.h"
#include "crypto/signing.h"

namespace baolian::node {

using ApiNonce = FixedBytes<struct ApiNonceTag, 16>;

/// What an API request signs under ObjectType::api_request, epoch 0.
struct ApiRequest {
  static constexpr std::string_view kTypeName = "ApiRequest";
  std::string method;
  std::string target;  ///< path and query as sent
  Hash body_hash;      ///< SHA-256 of the body, also of an empty one
  TimeMs time;
  ApiNonce nonce;
  Hash server;  ///< fingerprint of the HTTPS certificate that the client has pinned

  static constexpr auto fields() {
    return field_list(field("method", &ApiRequest::method, at_most(16), "GET, POST ..."),
                      field("target", &ApiRequest::target, at_most(4096), "path and query as sent"),
                      field("body_hash", &ApiRequest::body_hash, "SHA-256 of the body"),
                      field("time", &ApiRequest::time, "client's clock, ms"),
                      field("nonce", &ApiRequest::nonce, "random, accepted once"),
                      field("server", &ApiRequest::server,
                            "SHA-256 of the node's HTTPS certificate; zeros = any node"));
  }
};

inline constexpr std::uint64_t kApiWindowMs = 60'000;

/// The value of the Authorization header. `server` binds the request to one node: otherwise a node
/// that is asked could ask another one with it, in the name of whoever signed.
/// Requires: method of at most 16 and target of at most 4,096 bytes.
std::string sign_api_request(std::string_view method, std::string_view target,
                             std::string_view body, TimeMs now, const ChainId& chain,
                             const crypto::Signer& signer, const Hash& server = {});

/// Checks requests and remembers nonces for the length of the window. Thread-safe.
class ApiAuthenticator {
 public:
  struct Options {
    Hash server{};     ///< this node's certificate; requests for another one are refused
    TimeMs started{};  ///< requests of an earlier time are refused: their nonces are not known here
    /// Who may ask at all; unknown keys are refused before anything is computed or remembered for
    /// them. Empty: everybody.
    std::function<bool(const PublicKey&)> may_ask{};
  };

  ApiAuthenticator(ChainId chain, const crypto::Verifier& verifier)
      : ApiAuthenticator(chain, verifier, Options{}) {}
  ApiAuthenticator(ChainId chain, const crypto::Verifier& verifier, Options options)
      : chain_(chain),
        verifier_(verifier),
        options_(std::move(options)),
        forgotten_before_(options_.started.value) {}

  /// Returns the key that signed. Errc::not_authorized with what to correct: missing or malformed
  /// header, unknown key, clock outside of the window, repeated nonce, bad signature. Errc::busy if
  /// too many nonces are remembered.
  Result<PublicKey> check(std::string_view authorization, std::string_view method,
                          std::string_view target, std::string_view body, TimeMs now);

 private:
  using Seen = std::pair<PublicKey, ApiNonce>;
  static constexpr std::size_t kNoncesMax = 1'000'000;
  ChainId chain_;
  const crypto::Verifier& verifier_;
  Options options_;
  std::mutex mutex_;
  std::set<Seen> seen_;
  std::multimap<std::uint64_t, Seen> by_time_;  // time of the request, ms
  std::uint64_t forgotten_before_ = 0;          // no nonce of an earlier request is remembered
};

}  // namespace baolian::node
