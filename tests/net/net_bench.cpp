/// Measurements, not claims: `baolian_net_test [.bench]`.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "net/https_client.h"
#include "net/https_server.h"
#include "net/net_fixture.h"
#include "support/catch.h"

using namespace baolian;  // NOLINT: a test

namespace {

using Clock = std::chrono::steady_clock;

void print_quantiles(const char* what, std::vector<double> us) {
  std::sort(us.begin(), us.end());
  std::printf("%s: p50 %.0f us, p99 %.0f us, max %.0f us, n %zu\n", what, us[us.size() / 2],
              us[us.size() * 99 / 100], us.back(), us.size());
}

double us_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

}  // namespace

TEST_CASE("bench: https request over keep-alive on loopback", "[.bench]") {
  net::HttpsServerConfig config;
  config.identity = *net::https_identity(*net::new_https_key(), {"127.0.0.1"});
  const Hash fingerprint = net::certificate_fingerprint(config.identity.certificate_der);
  auto server = net::HttpsServer::start(
      std::move(config), [](net::HttpRequest request, const net::Responder& responder) {
        responder.respond({.body = std::move(request.body)});
      });
  REQUIRE(server.has_value());
  net::HttpsClient client({.host = "127.0.0.1",
                           .port = (*server)->bound_port(),
                           .certificate_fingerprint = fingerprint});
  std::vector<double> us;
  for (int i = 0; i < 5200; ++i) {
    const auto start = Clock::now();
    REQUIRE(client.request("POST", "/v1/x", "{}").has_value());
    if (i >= 200) us.push_back(us_since(start));
  }
  print_quantiles("https round trip", us);
  CHECK(client.connection_count() == 1);
  const std::string big(8u << 20, 'x');
  const auto start = Clock::now();
  REQUIRE(client.request("POST", "/v1/x", big).has_value());
  std::printf("https echo of 8 MiB: %.0f us\n", us_since(start));
}

TEST_CASE("bench: mesh round trip of a vote, and a stream of them", "[.bench]") {
  const test::Keys ka(1), kb(2);
  test::MeshNode a(ka, {{&kb}}, {}), b(kb, {{&ka}}, {});
  a.mesh().set_address(0, "127.0.0.1", b.mesh().bound_port());
  b.mesh().set_address(0, "127.0.0.1", a.mesh().bound_port());
  a.mesh().start();
  b.mesh().start();
  REQUIRE(a.wait_connected(0));
  REQUIRE(b.wait_connected(0));
  const auto vote = std::make_shared<const Bytes>(180, 1);
  std::vector<double> us;
  for (std::size_t i = 1; i <= 2000; ++i) {
    const auto start = Clock::now();
    a.mesh().send(0, net::MessageClass::votes, vote);
    REQUIRE(b.wait([&](const test::Seen& seen) { return seen.frames.size() == i; }));
    us.push_back(us_since(start));
  }
  print_quantiles("mesh vote, send() to on_frame and a waiting thread", us);
}
