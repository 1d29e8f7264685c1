#include "net/https_client.h"

#include <atomic>

#include "net/https_server.h"
#include "net/net_fixture.h"
#include "support/catch.h"

using namespace baolian;  // NOLINT: a test

namespace {

Hash start(std::unique_ptr<net::HttpsServer>& out, net::HttpsServerConfig config,
           net::HttpHandler handler) {
  config.identity = *net::https_identity(*net::new_https_key(), {"127.0.0.1"});
  const Hash fingerprint = net::certificate_fingerprint(config.identity.certificate_der);
  auto started = net::HttpsServer::start(std::move(config), std::move(handler));
  REQUIRE(started.has_value());
  out = std::move(*started);
  return fingerprint;
}

void answer_ok(const net::HttpRequest&, const net::Responder& responder) { responder.respond({}); }

net::HttpsClient client_of(const net::HttpsServer& server, const Hash& fingerprint) {
  return net::HttpsClient(
      {.host = "127.0.0.1", .port = server.bound_port(), .certificate_fingerprint = fingerprint});
}

}  // namespace

TEST_CASE("https client: another certificate than the pinned one is refused", "[net][https]") {
  std::unique_ptr<net::HttpsServer> server;
  Hash fingerprint = start(server, {}, answer_ok);
  REQUIRE(client_of(*server, fingerprint).request("GET", "/").has_value());
  fingerprint.bytes[0] ^= 1;
  net::HttpsClient client = client_of(*server, fingerprint);
  const auto got = client.request("POST", "/", "secret");
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().code == Errc::tls_failed);
  CHECK(got.error().context.find("fingerprint") != std::string::npos);
  CHECK(server->counters().requests == 1);  // the secret was not sent
  CHECK(client.request("POST", "/", "secret").error().code == Errc::tls_failed);
}

TEST_CASE("https client: nobody there", "[net][https]") {
  std::unique_ptr<net::HttpsServer> server;
  const Hash fingerprint = start(server, {}, answer_ok);
  net::HttpsClient client = client_of(*server, fingerprint);
  server->stop();
  server.reset();
  CHECK(client.request("GET", "/").error().code == Errc::connect_failed);
  net::HttpsClient lost({.host = "no-such-host.invalid", .port = 1});
  CHECK(lost.request("GET", "/").error().code == Errc::connect_failed);
}

TEST_CASE("https client: a server that does not answer in time", "[net][https]") {
  std::vector<net::Responder> held;
  std::unique_ptr<net::HttpsServer> server;
  net::HttpsServerConfig config;
  config.stop_grace_ms = 10;
  const Hash fingerprint = start(
      server, std::move(config),
      [&](const net::HttpRequest&, const net::Responder& responder) { held.push_back(responder); });
  net::HttpsClient client({.host = "127.0.0.1",
                           .port = server->bound_port(),
                           .certificate_fingerprint = fingerprint,
                           .request_timeout_ms = 100});
  CHECK(client.request("GET", "/").error().code == Errc::timed_out);
  server->stop();
  CHECK(held.size() == 1);  // not sent again
}

TEST_CASE("https client: a kept connection that the server closed is made anew", "[net][https]") {
  std::unique_ptr<net::HttpsServer> server;
  net::HttpsServerConfig config;
  config.idle_timeout_ms = 50;
  const Hash fingerprint = start(server, std::move(config), answer_ok);
  net::HttpsClient client = client_of(*server, fingerprint);
  REQUIRE(client.request("GET", "/").has_value());
  const auto deadline = std::chrono::steady_clock::now() + test::kDeadline;
  while (server->counters().open_connections > 0) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::yield();
  }
  REQUIRE(client.request("GET", "/").has_value());
  CHECK(client.connection_count() == 2);
}

TEST_CASE("https client: an answer above its limit is an error", "[net][https]") {
  std::unique_ptr<net::HttpsServer> server;
  const Hash fingerprint =
      start(server, {}, [](const net::HttpRequest& request, const net::Responder& responder) {
        responder.respond({.body = std::string(request.path == "/big" ? 2000 : 10, 'x')});
      });
  net::HttpsClient client({.host = "127.0.0.1",
                           .port = server->bound_port(),
                           .certificate_fingerprint = fingerprint,
                           .response_bytes_max = 1000});
  CHECK(client.request("GET", "/big").error().code == Errc::limit_exceeded);
  CHECK(client.request("GET", "/small").value().body.size() == 10);
}

TEST_CASE("https client: line breaks do not reach the wire", "[net][https]") {
  std::unique_ptr<net::HttpsServer> server;
  const Hash fingerprint = start(server, {}, answer_ok);
  net::HttpsClient client = client_of(*server, fingerprint);
  CHECK(client.request("GET", "/ HTTP/1.1\r\nX: y").error().code == Errc::bad_argument);
  CHECK(client.request("G\r\nET", "/").error().code == Errc::bad_argument);
  CHECK(client.request("GET", "/", "", {{"X", "1\nY: 2"}}).error().code == Errc::bad_argument);
  CHECK(server->counters().requests == 0);
}
