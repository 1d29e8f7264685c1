#include "node/api_auth.h"

#include "ledger/fixture.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

using ledger::test::numbered;

constexpr TimeMs kNow{1'700'000'000'000};
const auto kChain = numbered<ChainId>(1);

struct Client {
  std::unique_ptr<crypto::Signer> signer =
      crypto::make_ed25519_signer(crypto::Secret::copy_of(Bytes(32, 7)));

  std::string sign(TimeMs now = kNow, const Hash& server = {}) const {
    return sign_api_request("POST", "/v1/records?x=1", "{\"a\":1}", now, kChain, *signer, server);
  }
};

Result<PublicKey> check(ApiAuthenticator& authenticator, const std::string& header,
                        TimeMs now = kNow) {
  return authenticator.check(header, "POST", "/v1/records?x=1", "{\"a\":1}", now);
}

void require_refused(const Result<PublicKey>& result) {
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == Errc::not_authorized);
  CHECK_FALSE(result.error().context.empty());
}

TEST_CASE("a signed request names the key that signed it", "[api-auth]") {
  const Client client;
  ApiAuthenticator node(kChain, crypto::ed25519_verifier());
  const auto key = check(node, client.sign());
  REQUIRE(key.has_value());
  CHECK(*key == client.signer->public_key());
}

TEST_CASE("a request is accepted within 60 s of the node's clock, both ways", "[api-auth]") {
  const Client client;
  ApiAuthenticator node(kChain, crypto::ed25519_verifier());
  const auto at = [&](std::int64_t offset_ms) {
    const TimeMs time{
        static_cast<std::uint64_t>(static_cast<std::int64_t>(kNow.value) + offset_ms)};
    return check(node, client.sign(time));
  };
  CHECK(at(-60'000).has_value());
  CHECK(at(60'000).has_value());
  require_refused(at(-60'001));
  require_refused(at(60'001));
  require_refused(check(node, client.sign(TimeMs{0})));
  require_refused(check(node, client.sign(TimeMs{UINT64_MAX})));
}

TEST_CASE("a nonce is accepted once, at any time of the window", "[api-auth]") {
  const Client client;
  ApiAuthenticator node(kChain, crypto::ed25519_verifier());
  const std::string header = client.sign();
  REQUIRE(check(node, header, TimeMs{kNow.value - 60'000}).has_value());
  for (const std::uint64_t later : {0U, 1U, 60'000U, 119'999U, 120'000U}) {
    require_refused(check(node, header, TimeMs{kNow.value - 60'000 + later}));
    // Other requests make the node forget what it may.
    const TimeMs now{kNow.value - 60'000 + later};
    CHECK(check(node, client.sign(now), now).has_value());
  }
}

TEST_CASE("a request is not accepted again after the node's clock was set back", "[api-auth]") {
  const Client client;
  ApiAuthenticator node(kChain, crypto::ed25519_verifier());
  const std::string header = client.sign();
  REQUIRE(check(node, header).has_value());
  const TimeMs later{kNow.value + 600'000};
  REQUIRE(check(node, client.sign(later), later).has_value());
  require_refused(check(node, header));
  // A request of now is served all the same once it is newer than what was forgotten.
  const TimeMs next{kNow.value + 1};
  CHECK(check(node, client.sign(next), next).has_value());
}

TEST_CASE("a request of before the start is refused: a restart forgets nonces", "[api-auth]") {
  const Client client;
  ApiAuthenticator node(kChain, crypto::ed25519_verifier(), {.started = kNow});
  require_refused(check(node, client.sign(TimeMs{kNow.value - 1})));
  CHECK(check(node, client.sign()).has_value());
}

TEST_CASE("changed body, target or method is refused", "[api-auth]") {
  const Client client;
  const std::string header = client.sign();
  ApiAuthenticator node(kChain, crypto::ed25519_verifier());
  require_refused(node.check(header, "POST", "/v1/records?x=1", "{\"a\":2}", kNow));
  require_refused(node.check(header, "POST", "/v1/records?x=1", "", kNow));
  require_refused(node.check(header, "POST", "/v1/records?x=2", "{\"a\":1}", kNow));
  require_refused(node.check(header, "POST", "/v1/records", "{\"a\":1}", kNow));
  require_refused(node.check(header, "PUT", "/v1/records?x=1", "{\"a\":1}", kNow));
  require_refused(node.check(header, "POST/", "v1/records?x=1", "{\"a\":1}", kNow));
  require_refused(node.check(header, std::string(17, 'P'), "/v1/records?x=1", "{\"a\":1}", kNow));
  require_refused(node.check(header, "POST", std::string(4097, '/'), "{\"a\":1}", kNow));
  // None of these used up the nonce.
  CHECK(check(node, header).has_value());
}

TEST_CASE("a request for another chain or another node is refused", "[api-auth]") {
  const Client client;
  ApiAuthenticator other_chain(numbered<ChainId>(2), crypto::ed25519_verifier());
  require_refused(check(other_chain, client.sign()));
  const auto here = numbered<Hash>(3);
  ApiAuthenticator node(kChain, crypto::ed25519_verifier(), {.server = here});
  CHECK(check(node, client.sign(kNow, here)).has_value());
  require_refused(check(node, client.sign(kNow, numbered<Hash>(4))));
  require_refused(check(node, client.sign()));
}

TEST_CASE("a key that may not ask is refused and costs no memory", "[api-auth]") {
  const Client client;
  ApiAuthenticator::Options options;
  std::vector<PublicKey> asked;
  options.may_ask = [&](const PublicKey& key) {
    asked.push_back(key);
    return false;
  };
  ApiAuthenticator node(kChain, crypto::ed25519_verifier(), options);
  require_refused(check(node, client.sign()));
  CHECK(asked == std::vector<PublicKey>{client.signer->public_key()});
}

TEST_CASE("a changed header is refused", "[api-auth]") {
  const Client client;
  const std::string header = client.sign();
  for (const std::string_view name : {"key=", "time=", "nonce=", "signature="}) {
    std::string changed = header;
    char& digit = changed[changed.find(name) + name.size() + 4];
    digit = digit == '1' ? '2' : '1';
    ApiAuthenticator node(kChain, crypto::ed25519_verifier());
    require_refused(check(node, changed));
  }
}

TEST_CASE("a malformed header is refused", "[api-auth]") {
  const std::string good = Client{}.sign();
  const auto without = [&](std::string_view name) {
    std::string out = good;
    out.replace(out.find(name), name.size(), std::string(name.size(), 'x'));
    return out;
  };
  ApiAuthenticator node(kChain, crypto::ed25519_verifier());
  const std::vector<std::string> bad = {"",
                                        "Baolian",
                                        "Baolian ",
                                        "Bearer abc",
                                        good.substr(1),
                                        good.substr(0, good.size() - 1),
                                        good + "0",
                                        without("key="),
                                        without("time="),
                                        without("nonce="),
                                        without("signature="),
                                        "Baolian key=, time=, nonce=, signature=",
                                        "Baolian " + std::string(100'000, ',')};
  for (const auto& header : bad) require_refused(check(node, header));
  for (const std::string_view time : {"-1", "+1", "1e3", "0x10", "99999999999999999999999", " 1"}) {
    std::string changed = good;
    const std::size_t at = changed.find("time=") + 5;
    changed.replace(at, changed.find(',', at) - at, time);
    require_refused(check(node, changed));
  }
}

TEST_CASE("a key of another algorithm is refused", "[api-auth]") {
  const auto toy = crypto::make_toy_signer(1);
  ApiAuthenticator node(kChain, crypto::ed25519_verifier());
  require_refused(
      check(node, sign_api_request("POST", "/v1/records?x=1", "{\"a\":1}", kNow, kChain, *toy)));
}

}  // namespace
}  // namespace baolian::node
