/// The HTTPS server of the node's API: TLS 1.3, HTTP/1.1 with keep-alive, one request of a
/// connection at a time. It knows nothing of routes, JSON or rights: those are the handler's.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "net/http_message.h"
#include "net/tls_identity.h"

namespace baolian::net {

/// Answers one request, from any thread, at any time, once. Copies answer the same request. If the
/// last copy goes unanswered, the client gets 500. May outlive the server: then it does nothing.
class Responder {
 public:
  using Deliver = std::function<void(HttpResponse)>;

  explicit Responder(Deliver deliver);
  /// Returns: false if the request was answered before; `response` is then dropped.
  bool respond(HttpResponse response) const;

 private:
  struct Once;
  std::shared_ptr<Once> once_;
};

/// Called on a thread of the server, for several requests at once if it has several threads. It
/// must not wait: whatever takes long answers later through the Responder.
using HttpHandler = std::function<void(HttpRequest, Responder)>;

struct HttpsServerConfig {
  std::string listen_address = "127.0.0.1";  ///< an IP address
  std::uint16_t listen_port = 0;             ///< 0 = any free one
  TlsIdentity identity;                      ///< see https_identity()
  std::uint32_t thread_count = 2;
  std::uint32_t connections_max = 1024;             ///< beyond it a new one is closed at once
  std::uint32_t header_bytes_max = 16 * 1024;       ///< beyond it 431
  std::uint64_t body_bytes_max = 32 * 1024 * 1024;  ///< of one request; beyond it 413
  /// Of all requests that are being read or answered; beyond it 503. A chunked body counts as
  /// body_bytes_max, since its size is not known before.
  std::uint64_t body_bytes_total_max = 512 * 1024 * 1024;
  std::uint32_t handshake_timeout_ms = 5000;
  std::uint32_t idle_timeout_ms = 75000;   ///< from the last answer to the end of the next header
  std::uint32_t read_timeout_ms = 30000;   ///< for a body, all of it
  std::uint32_t write_timeout_ms = 30000;  ///< for an answer, all of it
  std::uint32_t stop_grace_ms = 2000;      ///< stop() waits so long for requests under way
};

struct HttpsCounters {
  std::uint64_t connections = 0;          ///< accepted since the start
  std::uint64_t refused_connections = 0;  ///< above connections_max
  std::uint64_t failed_handshakes = 0;
  std::uint64_t requests = 0;          ///< given to the handler
  std::uint64_t refused_requests = 0;  ///< 400, 413, 431, 503 made here
  std::uint64_t open_connections = 0;  ///< now
};

/// See the file head.
///
/// Threads:   thread_count of its own; all functions are thread-safe. stop() and the destructor
///            must not be called on one of them.
class HttpsServer {
 public:
  /// Listens and serves at once.
  /// Returns: Errc::connect_failed if the address is not free, Errc::tls_failed for the identity.
  static Result<std::unique_ptr<HttpsServer>> start(HttpsServerConfig config, HttpHandler handler);
  ~HttpsServer();  ///< stops
  HttpsServer(const HttpsServer&) = delete;
  HttpsServer& operator=(const HttpsServer&) = delete;

  std::uint16_t bound_port() const;
  /// Takes no more requests, closes idle connections, gives requests under way stop_grace_ms.
  void stop();
  HttpsCounters counters() const;

 private:
  struct Core;
  class Connection;
  explicit HttpsServer(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

}  // namespace baolian::net
