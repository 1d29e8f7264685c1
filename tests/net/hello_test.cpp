#include "net/hello.h"

#include "core/codec_table.h"
#include "net/net_fixture.h"
#include "support/catch.h"

using namespace baolian;  // NOLINT: a test
using baolian::test::chain_of;
using baolian::test::Keys;

namespace {

net::Hello sample(const Keys& keys) {
  net::Hello out;
  out.chain_id = chain_of(1);
  out.node = keys.signer->public_key();
  out.incarnation = 2;
  out.boot_counter = 3;
  out.process_id = net::ProcessId::from(Bytes(16, 0xAB));
  out.last_vote = {Epoch{4}, View{5}, Height{6}};
  out.session = net::SessionBinding::from(Bytes(32, 0xCD));
  return out;
}

Errc refused(const net::SignedHello& message, const net::HelloExpectation& expected) {
  const auto got = net::verify_hello(encode(message), expected, crypto::ed25519_verifier());
  return got.has_value() ? Errc::internal : got.error().code;
}

}  // namespace

TEST_CASE("hello: the layout is that of docs/formats.md", "[net][hello]") {
  const Keys keys(1);
  const Bytes bytes = encode(sample(keys));
  CHECK(to_hex(bytes) == "01" + std::string(64, '0').replace(0, 64, chain_of(1).hex()) +
                             keys.signer->public_key().hex() + "0200000000000000" +
                             "0300000000000000" + "abababababababababababababababab" +
                             "0400000000000000" + "0500000000000000" + "0600000000000000" +
                             net::SessionBinding::from(Bytes(32, 0xCD)).hex());
  CHECK(*decode<net::Hello>(bytes) == sample(keys));
  CHECK(encode(net::sign_hello(sample(keys), *keys.signer)).size() == 218);
  CHECK(format_table<net::Hello>().find("| session | 32 bytes |") != std::string::npos);
}

TEST_CASE("hello: verifies for its chain, key and session only", "[net][hello]") {
  const Keys keys(1);
  const Keys other(2);
  const net::SignedHello message = net::sign_hello(sample(keys), *keys.signer);
  const net::HelloExpectation right{chain_of(1), keys.signer->public_key(), message.hello.session};
  const auto got = net::verify_hello(encode(message), right, crypto::ed25519_verifier());
  REQUIRE(got.has_value());
  CHECK(*got == message.hello);

  net::HelloExpectation wrong = right;
  wrong.chain_id = chain_of(2);
  CHECK(refused(message, wrong) == Errc::wrong_chain);
  wrong = right;
  wrong.node = other.signer->public_key();
  CHECK(refused(message, wrong) == Errc::peer_unknown);
  wrong = right;
  wrong.session.bytes[31] ^= 1;
  CHECK(refused(message, wrong) == Errc::tls_failed);
}

TEST_CASE("hello: every changed bit is refused", "[net][hello]") {
  const Keys keys(1);
  const net::SignedHello message = net::sign_hello(sample(keys), *keys.signer);
  const net::HelloExpectation right{chain_of(1), keys.signer->public_key(), message.hello.session};
  const Bytes bytes = encode(message);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    Bytes changed = bytes;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1u << bit % 8));
    INFO("bit " << bit);
    CHECK_FALSE(net::verify_hello(changed, right, crypto::ed25519_verifier()).has_value());
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const BytesView cut = BytesView(bytes).first(size);
    CHECK_FALSE(net::verify_hello(cut, right, crypto::ed25519_verifier()).has_value());
  }
}

TEST_CASE("hello: a signature of another kind of object does not serve", "[net][hello]") {
  const Keys keys(1);
  net::SignedHello message = net::sign_hello(sample(keys), *keys.signer);
  message.signature = keys.signer->sign_object(crypto::ObjectType::status, chain_of(1), Epoch{0},
                                               crypto::sha256(encode(message.hello)));
  CHECK(refused(message, {chain_of(1), keys.signer->public_key(), message.hello.session}) ==
        Errc::bad_signature);
}
