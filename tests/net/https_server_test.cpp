/// The server against our client where that suffices, against raw TLS where it does not.
#include "net/https_server.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "net/https_client.h"
#include "net/net_fixture.h"
#include "support/catch.h"

using namespace baolian;  // NOLINT: a test
using baolian::test::RawTls;

namespace {

struct Server {
  Hash fingerprint;
  std::unique_ptr<net::HttpsServer> server;

  explicit Server(net::HttpHandler handler, net::HttpsServerConfig config = {}) {
    config.identity = *net::https_identity(*net::new_https_key(), {"127.0.0.1", "localhost"});
    fingerprint = net::certificate_fingerprint(config.identity.certificate_der);
    auto started = net::HttpsServer::start(std::move(config), std::move(handler));
    REQUIRE(started.has_value());
    server = std::move(*started);
  }
  std::uint16_t port() const { return server->bound_port(); }
  net::HttpsClient client() const {
    return net::HttpsClient(
        {.host = "127.0.0.1", .port = port(), .certificate_fingerprint = fingerprint});
  }
};

void echo(net::HttpRequest request, const net::Responder& responder) {
  net::HttpResponse out;
  out.content_type = "text/plain";
  out.body = request.method + " " + request.path;
  for (const auto& [name, value] : request.query) out.body += " " + name + "=" + value;
  if (!request.body.empty()) out.body += "\n" + request.body;
  responder.respond(std::move(out));
}

/// Holds Responders until told, to answer from another thread or never.
struct Held {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<net::Responder> responders;

  void hold(const net::Responder& responder) {
    const std::lock_guard lock(mutex);
    responders.push_back(responder);
    changed.notify_all();
  }
  bool wait(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, test::kDeadline, [&] { return responders.size() >= count; });
  }
};

std::string raw_exchange(const Server& server, std::string_view sent, std::string_view marker) {
  RawTls raw(server.port(), {});
  REQUIRE(raw.handshake());
  REQUIRE(raw.write(as_bytes(sent)));
  return raw.read_until(marker);
}

}  // namespace

TEST_CASE("https: a request goes through and keeps the connection", "[net][https]") {
  const Server server(echo);
  net::HttpsClient client = server.client();
  const auto got = client.request("GET", "/v1/claims/7?state=filed&q=a%20b");
  REQUIRE(got.has_value());
  CHECK(got->status == 200);
  CHECK(got->content_type == "text/plain");
  CHECK(got->body == "GET /v1/claims/7 q=a b state=filed");
  for (int i = 0; i < 20; ++i) {
    const auto next = client.request("POST", "/v1/x", "body " + std::to_string(i));
    REQUIRE(next.has_value());
    CHECK(next->body == "POST /v1/x\nbody " + std::to_string(i));
  }
  CHECK(client.connection_count() == 1);
  CHECK(server.server->counters().connections == 1);
  CHECK(server.server->counters().requests == 21);
}

TEST_CASE("https: the handler sees headers, raw target and address", "[net][https]") {
  net::HttpRequest seen;
  const Server server([&](net::HttpRequest request, const net::Responder& responder) {
    seen = std::move(request);
    responder.respond({.status = 201, .headers = {{"X-Request-Id", "42"}}});
  });
  net::HttpsClient client = server.client();
  const auto got = client.request("PUT", "/a%20b?x=%31", "{}", {{"Authorization", "Token abc"}});
  REQUIRE(got.has_value());
  CHECK(got->status == 201);
  CHECK(net::find_header(got->headers, "x-request-id") == "42");
  CHECK(seen.method == "PUT");
  CHECK(seen.target == "/a%20b?x=%31");
  CHECK(seen.path == "/a b");
  CHECK(seen.query.at("x") == "1");
  CHECK(net::find_header(seen.headers, "authorization") == "Token abc");
  CHECK(seen.remote_address == "127.0.0.1");
}

TEST_CASE("https: many clients at once", "[net][https]") {
  const Server server(echo);
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&server, &right, t] {
      net::HttpsClient client = server.client();
      for (int i = 0; i < 50; ++i) {
        const std::string body = std::to_string(t) + "/" + std::to_string(i);
        const auto got = client.request("POST", "/x", body);
        if (got.has_value() && got->body == "POST /x\n" + body) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == 400);
}

TEST_CASE("https: answers may come later, from any thread, in any order", "[net][https]") {
  Held held;
  const Server server([&](const net::HttpRequest&, const net::Responder& r) { held.hold(r); });
  std::vector<std::thread> threads;
  std::atomic<int> answered = 0;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      net::HttpsClient client = server.client();
      const auto got = client.request("GET", "/slow");
      if (got.has_value() && got->status == 202) ++answered;
    });
  }
  REQUIRE(held.wait(3));
  for (auto at = held.responders.rbegin(); at != held.responders.rend(); ++at) {
    CHECK(at->respond({.status = 202}));
    CHECK_FALSE(at->respond({.status = 500}));  // exactly once
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(answered == 3);
}

TEST_CASE("https: a request that nobody answers gets 500", "[net][https]") {
  const Server server([](const net::HttpRequest&, const net::Responder&) {});
  net::HttpsClient client = server.client();
  for (int i = 0; i < 3; ++i) {
    const auto got = client.request("GET", "/forgotten");
    REQUIRE(got.has_value());
    CHECK(got->status == 500);
  }
  CHECK(client.connection_count() == 1);
}

TEST_CASE("https: an exception of an outside library in the handler gives 500", "[net][https]") {
  const Server server([](const net::HttpRequest&, const net::Responder&) {
    throw std::runtime_error("from a library");
  });
  net::HttpsClient client = server.client();
  CHECK(client.request("GET", "/").value().status == 500);
}

TEST_CASE("https: an answer that would break the wire becomes 500", "[net][https]") {
  const Server server([](const net::HttpRequest& request, const net::Responder& responder) {
    if (request.path == "/status") return (void)responder.respond({.status = 99});
    if (request.path == "/type") return (void)responder.respond({.content_type = "a\r\nX: y"});
    responder.respond({.headers = {{"X-Id", "1\r\nSet-Cookie: evil"}}});
  });
  net::HttpsClient client = server.client();
  for (const char* path : {"/status", "/type", "/header"}) {
    const auto got = client.request("GET", path);
    REQUIRE(got.has_value());
    CHECK(got->status == 500);
    CHECK_FALSE(net::find_header(got->headers, "set-cookie").has_value());
  }
}

TEST_CASE("https: a big body comes through in both directions", "[net][https]") {
  const Server server([](net::HttpRequest request, const net::Responder& responder) {
    responder.respond({.body = std::move(request.body)});
  });
  net::HttpsClient client = server.client();
  std::string body(20u << 20, ' ');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
  const auto got = client.request("POST", "/big", body);
  REQUIRE(got.has_value());
  CHECK(got->status == 200);
  CHECK((got->body == body));
}

TEST_CASE("https: a body above the limit gets 413, small or enormous", "[net][https]") {
  net::HttpsServerConfig config;
  config.body_bytes_max = 1000;
  const Server server(echo, std::move(config));
  net::HttpsClient client = server.client();
  CHECK(client.request("POST", "/x", std::string(1000, 'x')).value().status == 200);
  CHECK(client.request("POST", "/x", std::string(1001, 'x')).value().status == 413);
  const auto got = client.request("POST", "/x", std::string(20u << 20, 'x'));
  REQUIRE(got.has_value());
  CHECK(got->status == 413);
  CHECK(client.request("GET", "/after").value().status == 200);

  const std::string chunked =
      "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "400\r\n" +
      std::string(1024, 'x') + "\r\n0\r\n\r\n";
  CHECK(raw_exchange(server, chunked, "\r\n\r\n").rfind("HTTP/1.1 413", 0) == 0);
}

TEST_CASE("https: bodies together are bounded", "[net][https]") {
  net::HttpsServerConfig config;
  config.body_bytes_max = 1000;
  config.body_bytes_total_max = 1500;
  Held held;
  const Server server([&](const net::HttpRequest&, const net::Responder& r) { held.hold(r); },
                      std::move(config));
  std::atomic<unsigned> first_status = 0;
  std::thread first([&] {
    net::HttpsClient client = server.client();
    const auto got = client.request("POST", "/x", std::string(900, 'x'));
    if (got.has_value()) first_status = got->status;
  });
  REQUIRE(held.wait(1));
  net::HttpsClient client = server.client();
  CHECK(client.request("POST", "/x", std::string(900, 'x')).value().status == 503);
  held.responders[0].respond({});
  first.join();
  CHECK(first_status == 200);
}

TEST_CASE("https: malformed HTTP gets 400 and the connection ends", "[net][https]") {
  const Server server(echo);
  for (const std::string_view sent :
       {"nonsense\r\n\r\n", "GET / HTTP/9.9\r\nHost: h\r\n\r\n", "GET\r\n\r\n",
        "GET / HTTP/1.1\r\nbad header\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", "GET /../x HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /?a=1&a=2 HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"}) {
    INFO(sent);
    RawTls raw(server.port(), {});
    REQUIRE(raw.handshake());
    REQUIRE(raw.write(as_bytes(sent)));
    CHECK(raw.read_until("}").rfind("HTTP/1.1 400", 0) == 0);
    CHECK(raw.is_ended_by_peer());
  }
  CHECK(server.server->counters().requests == 0);
}

TEST_CASE("https: a header above the limit gets 431", "[net][https]") {
  const Server server(echo);
  const std::string sent = "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(20'000, 'x');
  CHECK(raw_exchange(server, sent, "\r\n\r\n").rfind("HTTP/1.1 431", 0) == 0);
}

TEST_CASE("https: pipelined requests are answered one after the other, in order", "[net][https]") {
  std::atomic<int> open = 0;
  std::atomic<int> open_max = 0;
  const Server server([&](const net::HttpRequest& request, const net::Responder& responder) {
    open_max = std::max(open_max.load(), ++open);
    --open;
    responder.respond({.content_type = "text/plain", .body = "<" + request.path + ">"});
  });
  std::string sent;
  for (int i = 0; i < 10; ++i) {
    sent += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  }
  const std::string got = raw_exchange(server, sent, "</9>");
  std::size_t at = 0;
  for (int i = 0; i < 10; ++i) {
    at = got.find("</" + std::to_string(i) + ">", at);
    REQUIRE(at != std::string::npos);
  }
  CHECK(open_max == 1);
}

TEST_CASE("https: HEAD, 204 and Expect are answered as HTTP asks", "[net][https]") {
  const Server server([](const net::HttpRequest& request, const net::Responder& responder) {
    if (request.path == "/none") return (void)responder.respond({.status = 204, .body = "drop"});
    responder.respond({.body = "twelve bytes" + request.body});
  });
  net::HttpsClient client = server.client();
  const auto head = client.request("HEAD", "/");
  REQUIRE(head.has_value());
  CHECK(head->body.empty());
  CHECK(net::find_header(head->headers, "content-length") == "12");
  CHECK(client.request("GET", "/none").value().body.empty());
  CHECK(client.request("GET", "/").value().body == "twelve bytes");
  CHECK(client.connection_count() == 1);

  RawTls raw(server.port(), {});
  REQUIRE(raw.handshake());
  REQUIRE(raw.write(
      as_bytes("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")));
  CHECK(raw.read_until("\r\n\r\n").rfind("HTTP/1.1 100", 0) == 0);
  REQUIRE(raw.write(as_bytes("abc")));
  CHECK(raw.read_until("abc").rfind("HTTP/1.1 200", 0) == 0);
}

TEST_CASE("https: a client of TLS 1.2 is refused", "[net][https]") {
  const Server server(echo);
  RawTls raw(server.port(), {.is_tls12 = true});
  CHECK_FALSE(raw.handshake());
}

TEST_CASE("https: slow and silent clients are cut off", "[net][https]") {
  net::HttpsServerConfig config;
  config.handshake_timeout_ms = 150;
  config.idle_timeout_ms = 150;
  config.read_timeout_ms = 150;
  const Server server(echo, std::move(config));
  RawTls raw(server.port(), {});
  SECTION("no request") { REQUIRE(raw.handshake()); }
  SECTION("half a header") {
    REQUIRE(raw.handshake());
    raw.write(as_bytes("GET / HT"));
  }
  SECTION("half a body") {
    REQUIRE(raw.handshake());
    raw.write(as_bytes("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"));
  }
  CHECK(raw.is_ended_by_peer());
}

TEST_CASE("https: connections are bounded", "[net][https]") {
  net::HttpsServerConfig config;
  config.connections_max = 2;
  const Server server(echo, std::move(config));
  net::HttpsClient a = server.client(), b = server.client(), c = server.client();
  CHECK(a.request("GET", "/").value().status == 200);
  CHECK(b.request("GET", "/").value().status == 200);
  CHECK_FALSE(c.request("GET", "/").has_value());
  CHECK(server.server->counters().refused_connections >= 1);
  CHECK(a.request("GET", "/").value().status == 200);
}

TEST_CASE("https: stop lets a request under way finish and closes idle connections",
          "[net][https]") {
  net::HttpsServerConfig config;
  config.stop_grace_ms = 20'000;
  Held held;
  Server server([&](const net::HttpRequest&, const net::Responder& r) { held.hold(r); },
                std::move(config));
  test::RawTls idle(server.port(), {});
  REQUIRE(idle.handshake());
  std::atomic<unsigned> status = 0;
  std::thread busy([&] {
    net::HttpsClient client = server.client();
    const auto got = client.request("GET", "/last");
    if (got.has_value()) status = got->status;
  });
  REQUIRE(held.wait(1));
  std::thread answers([&] { held.responders[0].respond({.status = 200}); });
  server.server->stop();
  answers.join();
  busy.join();
  CHECK(status == 200);
  CHECK(idle.is_ended_by_peer());
  CHECK_FALSE(server.client().request("GET", "/").has_value());
}

TEST_CASE("https: a Responder may outlive its server", "[net][https]") {
  Held held;
  std::atomic<bool> was_answered = true;
  std::thread client_thread;
  {
    net::HttpsServerConfig config;
    config.stop_grace_ms = 50;
    Server server([&](const net::HttpRequest&, const net::Responder& r) { held.hold(r); },
                  std::move(config));
    client_thread = std::thread([client = server.client(), &was_answered]() mutable {
      was_answered = client.request("GET", "/never").has_value();
    });
    REQUIRE(held.wait(1));
  }
  CHECK(held.responders[0].respond({}));  // reaches nobody, harms nobody
  held.responders.clear();
  client_thread.join();
  CHECK_FALSE(was_answered);
}
