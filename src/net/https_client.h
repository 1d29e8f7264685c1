/// A synchronous HTTPS client for one server whose certificate is known: the CLI's, the load
/// generator's. TLS 1.3, one kept connection, one request at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/ids.h"
#include "core/result.h"
#include "net/http_message.h"

namespace baolian::net {

struct HttpsClientConfig {
  std::string host = {};  ///< name or IP address
  std::uint16_t port = 0;
  Hash certificate_fingerprint =
      {};  ///< SHA-256 of the server certificate's DER; nothing else is judged
  std::uint32_t connect_timeout_ms = 5000;   ///< TCP and TLS
  std::uint32_t request_timeout_ms = 30000;  ///< from sending to the end of the answer
  std::uint64_t response_bytes_max = 256 * 1024 * 1024;
};

/// See the file head.
///
/// Threads: one at a time.
class HttpsClient {
 public:
  explicit HttpsClient(HttpsClientConfig config);
  ~HttpsClient();
  HttpsClient(HttpsClient&&) noexcept;
  HttpsClient& operator=(HttpsClient&&) noexcept;

  /// Sends a request and waits for the answer. If a kept connection proves dead and not a byte of
  /// an answer came, the request is sent once more on a new one: the server may then see it twice,
  /// so requests must bear that (the API's writes are exactly-once by their request id).
  /// `target` is sent as it is: see percent_encode(). Any status is a value, not an error.
  /// Returns: Errc::connect_failed; Errc::tls_failed, also for another certificate;
  /// Errc::timed_out; Errc::closed; Errc::http_malformed; Errc::limit_exceeded for an answer above
  /// response_bytes_max; Errc::bad_argument for a line break in method, target or header.
  Result<HttpResponse> request(const std::string& method, const std::string& target,
                               std::string body = {}, const HttpHeaders& headers = {});

  /// Connections opened so far: 1 as long as keep-alive works.
  std::uint64_t connection_count() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace baolian::net
