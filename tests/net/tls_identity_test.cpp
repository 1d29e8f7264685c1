#include "net/tls_identity.h"

#include "crypto/hash.h"
#include "net/net_fixture.h"
#include "support/catch.h"

using namespace baolian;  // NOLINT: a test
using baolian::test::seed_of;

TEST_CASE("mesh identity: one seed, one certificate, one pin", "[net][tls]") {
  const auto first = net::mesh_identity(seed_of(3));
  const auto again = net::mesh_identity(seed_of(3));
  const auto other = net::mesh_identity(seed_of(4));
  REQUIRE(first.has_value());
  CHECK(first->certificate_der == again->certificate_der);
  CHECK(first->certificate_der != other->certificate_der);

  const Hash pin = *net::certificate_pin(first->certificate_der);
  CHECK(pin == *net::mesh_pin(*net::mesh_public_key(seed_of(3))));
  CHECK(pin != *net::certificate_pin(other->certificate_der));
  CHECK_FALSE(net::mesh_identity(crypto::Secret(31)).has_value());
}

TEST_CASE("rfc 8410 4: the pin covers exactly the SubjectPublicKeyInfo", "[net][tls]") {
  // RFC 8032 7.1, test 1: secret key and public key; RFC 8410 4: the 12 bytes before the key.
  const auto seed = crypto::Secret::copy_of(
      *from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  const Bytes info = *from_hex(
      "302a300506032b6570032100"
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  CHECK(*net::certificate_pin(net::mesh_identity(seed)->certificate_der) == crypto::sha256(info));
}

TEST_CASE("mesh pin: only Ed25519 keys", "[net][tls]") {
  PublicKey key = *net::mesh_public_key(seed_of(3));
  key.bytes[0] = 2;
  CHECK(net::mesh_pin(key).error().code == Errc::bad_public_key);
}

TEST_CASE("https identity: the key can be kept, the fingerprint is of the whole certificate",
          "[net][tls]") {
  const auto key = net::new_https_key();
  REQUIRE(key.has_value());
  const auto made = net::https_identity(*key, {"node.example", "127.0.0.1", "::1"});
  const auto again = net::https_identity(*key, {"node.example"});
  REQUIRE(made.has_value());
  REQUIRE(again.has_value());
  CHECK(*net::certificate_pin(made->certificate_der) ==
        *net::certificate_pin(again->certificate_der));
  CHECK(net::certificate_fingerprint(made->certificate_der) !=
        net::certificate_fingerprint(again->certificate_der));
  CHECK(net::certificate_fingerprint(made->certificate_der) ==
        crypto::sha256(made->certificate_der));

  const std::string pem = net::certificate_pem(made->certificate_der);
  CHECK(pem.rfind("-----BEGIN CERTIFICATE-----\n", 0) == 0);
  CHECK(*net::certificate_from_pem(pem) == made->certificate_der);
}

TEST_CASE("https identity: what is no host name is refused", "[net][tls]") {
  const auto key = net::new_https_key();
  for (const char* name : {"", "a b", "x,DNS:evil.example", "a\nb", "\xE4\xBF\x9D"}) {
    CHECK(net::https_identity(*key, {name}).error().code == Errc::bad_argument);
  }
  CHECK(net::https_identity(*key, {}).error().code == Errc::bad_argument);
  CHECK(net::https_identity(seed_of(1), {"localhost"}).error().code == Errc::tls_failed);
}

TEST_CASE("certificates: other bytes are refused", "[net][tls]") {
  const Bytes der = net::mesh_identity(seed_of(3))->certificate_der;
  CHECK(net::certificate_pin({}).error().code == Errc::tls_failed);
  for (std::size_t size = 0; size < der.size(); ++size) {
    CHECK_FALSE(net::certificate_pin(BytesView(der).first(size)).has_value());
  }
  Bytes longer = der;
  longer.push_back(0);
  CHECK_FALSE(net::certificate_pin(longer).has_value());
  CHECK_FALSE(net::certificate_from_pem("no PEM").has_value());
}

TEST_CASE("private key in PEM: read without asking for a password", "[net][tls]") {
  const auto text = [](std::string_view pem) { return crypto::Secret::copy_of(as_bytes(pem)); };
  // RFC 8410 10.3: an Ed25519 private key in PKCS#8.
  const auto key = net::private_key_from_pem(
      text("-----BEGIN PRIVATE KEY-----\n"
           "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
           "-----END PRIVATE KEY-----\n"));
  REQUIRE(key.has_value());
  CHECK(to_hex(key->view()) ==
        "302e020100300506032b657004220420"
        "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842");
  CHECK_FALSE(net::private_key_from_pem(text("nothing")).has_value());
}
