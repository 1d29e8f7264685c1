#include "net/http_target.h"

#include "support/catch.h"

using namespace baolian;  // NOLINT: a test

TEST_CASE("http target: path and query are decoded", "[net][http]") {
  const auto got = net::parse_http_target("/v1/claims/%E4%BF%9D?state=filed&q=a+b%26c&flag&e=");
  REQUIRE(got.has_value());
  CHECK(got->path == "/v1/claims/\xE4\xBF\x9D");
  CHECK(got->query == std::map<std::string, std::string>{
                          {"state", "filed"}, {"q", "a b&c"}, {"flag", ""}, {"e", ""}});
  CHECK(net::parse_http_target("/").value().query.empty());
  CHECK(net::parse_http_target("/a?").value().path == "/a");
  CHECK(net::parse_http_target("/a+b").value().path == "/a+b");
}

TEST_CASE("http target: what has two readings is refused", "[net][http]") {
  for (const char* target :
       {"", "v1", "*", "http://host/", "/a%2Fb", "/a%2fb", "/a%00", "/a%0a", "/a%", "/a%4", "/a%zz",
        "/a/../b", "/..", "/a/.", "/%2e%2e/b", "/a?x=1&x=2", "/a?x=%f", "/\xFF", "/a?x=%FF"}) {
    INFO(target);
    const auto got = net::parse_http_target(target);
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code == Errc::http_malformed);
  }
}

TEST_CASE("http target: percent_encode is undone by parsing", "[net][http]") {
  std::string all;
  for (int c = 0; c < 128; ++c) all.push_back(static_cast<char>(c));
  all += "\xE4\xBF\x9D\xE9\x93\xBE";
  const auto got = net::parse_http_target("/x?v=" + net::percent_encode(all));
  REQUIRE(got.has_value());
  CHECK(got->query.at("v") == all);
}
