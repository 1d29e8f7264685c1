#include "crypto/signing.h"

#include <string>
#include <vector>

#include "crypto/hex.h"
#include "support/catch.h"

namespace baolian::crypto {
namespace {

using test::from_hex_digits;
using test::hex;

Secret seed_of(std::string_view digits) { return Secret::copy_of(hex(digits)); }

/// An Ed25519 key of the system from the 32 bytes of RFC 8032.
PublicKey ed25519_key(std::string_view digits) {
  return from_hex_digits<PublicKey>("01" + std::string(digits));
}

struct Rfc8032Vector {
  const char* seed;
  const char* key;
  const char* message;
  const char* signature;
};

const std::vector<Rfc8032Vector> kRfc8032 = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
     "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"}};

/// Signatures that a lax verifier accepts: the equation S·B = R + H(R, A, M)·A holds (after
/// reduction, or with the cofactor). Made by an independent implementation of the curve.
struct RefusedVector {
  const char* claim;
  const char* message;
  const char* key;
  const char* signature;
};

const std::vector<RefusedVector> kRefused = {
    {"key of order 1", "strict 16",
     "0100000000000000000000000000000000000000000000000000000000000000",
     "065b78f11fd4e6b1be355d23db8a25f99fe99b90ce0fd28adf51ba5f2585e51e"
     "80c883c9d49713d48ee0b2c776b40823787c6f0048fcccbed5cf57c133ddcc05"},
    {"key of order 8", "strict 7",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
     "065b78f11fd4e6b1be355d23db8a25f99fe99b90ce0fd28adf51ba5f2585e51e"
     "80c883c9d49713d48ee0b2c776b40823787c6f0048fcccbed5cf57c133ddcc05"},
    {"key of order 4", "strict 0",
     "0000000000000000000000000000000000000000000000000000000000000080",
     "065b78f11fd4e6b1be355d23db8a25f99fe99b90ce0fd28adf51ba5f2585e51e"
     "80c883c9d49713d48ee0b2c776b40823787c6f0048fcccbed5cf57c133ddcc05"},
    {"key of order 8", "strict 3",
     "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
     "065b78f11fd4e6b1be355d23db8a25f99fe99b90ce0fd28adf51ba5f2585e51e"
     "80c883c9d49713d48ee0b2c776b40823787c6f0048fcccbed5cf57c133ddcc05"},
    {"key of order 2", "strict 13",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
     "065b78f11fd4e6b1be355d23db8a25f99fe99b90ce0fd28adf51ba5f2585e51e"
     "80c883c9d49713d48ee0b2c776b40823787c6f0048fcccbed5cf57c133ddcc05"},
    {"key of order 8", "strict 3",
     "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
     "065b78f11fd4e6b1be355d23db8a25f99fe99b90ce0fd28adf51ba5f2585e51e"
     "80c883c9d49713d48ee0b2c776b40823787c6f0048fcccbed5cf57c133ddcc05"},
    {"key of order 4", "strict 2",
     "0000000000000000000000000000000000000000000000000000000000000000",
     "065b78f11fd4e6b1be355d23db8a25f99fe99b90ce0fd28adf51ba5f2585e51e"
     "80c883c9d49713d48ee0b2c776b40823787c6f0048fcccbed5cf57c133ddcc05"},
    {"key of order 8", "strict 0",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "065b78f11fd4e6b1be355d23db8a25f99fe99b90ce0fd28adf51ba5f2585e51e"
     "80c883c9d49713d48ee0b2c776b40823787c6f0048fcccbed5cf57c133ddcc05"},
    {"key: y = p + 1", "strict 11",
     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
     "065b78f11fd4e6b1be355d23db8a25f99fe99b90ce0fd28adf51ba5f2585e51e"
     "80c883c9d49713d48ee0b2c776b40823787c6f0048fcccbed5cf57c133ddcc05"},
    {"key: y = p", "strict 0", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
     "065b78f11fd4e6b1be355d23db8a25f99fe99b90ce0fd28adf51ba5f2585e51e"
     "80c883c9d49713d48ee0b2c776b40823787c6f0048fcccbed5cf57c133ddcc05"},
    {"key: x = 0 with a sign", "strict 1",
     "0100000000000000000000000000000000000000000000000000000000000080",
     "065b78f11fd4e6b1be355d23db8a25f99fe99b90ce0fd28adf51ba5f2585e51e"
     "80c883c9d49713d48ee0b2c776b40823787c6f0048fcccbed5cf57c133ddcc05"},
    {"key: y = p + 1 with a sign", "strict 14",
     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "065b78f11fd4e6b1be355d23db8a25f99fe99b90ce0fd28adf51ba5f2585e51e"
     "80c883c9d49713d48ee0b2c776b40823787c6f0048fcccbed5cf57c133ddcc05"},
    {"R of order 1", "strict", "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
     "0100000000000000000000000000000000000000000000000000000000000000"
     "e32ce71cd8ca5413a6e26f8ec857c96ffa6a714824d325b20dde2704a7d4830b"},
    {"R: y = p + 1", "strict", "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "a2260872029be2de756db88860ce81b2919bf7839e2dc54ca6968bfe333bdc02"},
    {"S + L", "strict", "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
     "a68963496e540b0e1575889534de10900655bdd7df364564d671a63385be89b9"
     "3ca9b999bb1a949a816aa6cde562201d61b26d6881411765801ce1c07b3bef19"},
    {"key with a part of order 8, as only a verifier with cofactor accepts", "mixed 0",
     "b502ff3d92e31d8190b4aa4ea0414005167fad089c4de9dac8a2fc850fed4f58",
     "065b78f11fd4e6b1be355d23db8a25f99fe99b90ce0fd28adf51ba5f2585e51e"
     "7ac5b7da58cd6ee1d54a9a051b02dbf1b78e8e2c4b568b0a74d027a4f56ff201"}};

struct TypeVector {
  ObjectType type;
  const char* signature;
};

constexpr const char* kGoldenSeed =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr Epoch kGoldenEpoch{7};

ChainId golden_chain() {
  ChainId chain;
  chain.bytes.fill(0x11);
  return chain;
}

Hash golden_body(ObjectType type) {
  return sha256(as_bytes("body of " + std::string(enum_name(type))));
}

const std::vector<TypeVector> kGolden = {
    {ObjectType::transaction,
     "c2c87a6271a61d36ecc4e9a0bf28ee166ec09013eeffd6cbb3eb735e12460a9f"
     "ed6ed2930f1aaae4d3848da46a6d48e78160e5404e019ab6dd1d95037bd1b601"},
    {ObjectType::cosign,
     "6bc1f66f70393f4e6dab812cd9452414a40075fb01b20d39051932d4f7ce4d78"
     "bc0aef0756096f542dbd52475538929e879382bc6c0ca3b04fbcc44741f5990d"},
    {ObjectType::pre_prepare,
     "b9d4a2cf9caa860519be92bb56d0b44a361f2a0d9edaf0cb117ebaac72271782"
     "f85d26fd3648b18052a12ed1f15f7b1a125b39e3cc1d14a89ff744265861d30c"},
    {ObjectType::prepare,
     "e0711892e3f53977a0c5f0deb22863e999b80244ad0bbf699879049fa0987a5f"
     "3a0521d486b1f20fa47f962bbccaca5a4895ae8a3c0a48c0b8ca1a3c479ddb01"},
    {ObjectType::commit,
     "0aebce4dd770448b3b50658b3d3ebbef7528ce242689da6ec89a97fd10aa257b"
     "7db56fadc4f303726e3e72c50ddfde2cdb719bb580c61b146e42f31c27318705"},
    {ObjectType::exec,
     "9e3d94d08518c1b468cd4be5df1c6f200516e93ece98329b99915ae4000f454b"
     "918bf194a07b0d659d6fc1a8c48a59db7060843dda9f97ab80fc7a6795992a0a"},
    {ObjectType::suspect,
     "1d08ced04f0437018a6422bbf9fcc22b63f743cc150fba1b80db93ba96a6621d"
     "dbd87b390bdeb39b58459cf3530bed7200c705de0182d2246eaab0effbe14402"},
    {ObjectType::view_change,
     "d15f39a83911b94a8d623f63558f3f36e5558c3229557bf4fb750dfdf0aeb99f"
     "79db5a43da1b498741ba622a36c83dd3765159e19b5e20ea2377e801ebb4a40e"},
    {ObjectType::new_view,
     "97bce04f0b9413548f2de3582371b22d163921f4bf08fedf1751697f34082045"
     "91ad773bf6204ce88a2daa0e42343a4af6434ced86214077c024021002f2a304"},
    {ObjectType::status,
     "b396b18afc9274e7e9b13f3dfef6a3e61a2c4279d2c955db6484f8d978ff28da"
     "0d559b7995aa803708606feb6faa547260d9f77a50a6328b0fbfb97dd17fbe03"},
    {ObjectType::hello,
     "f5c5c27926c2116d1f4d54e976b994fc774191ee54194f845fa02685d880884e"
     "aac3c1d19987ed8366cee96ad3d560378701471d0652a95332ec82590ab4be07"},
    {ObjectType::api_request,
     "ece93a6120f5d5df873bf8e5a037fc09ccc5e2dc33f0580099eb567930329f62"
     "5934bdceb9a7e219cd4dccf50ea39baa0c0858c84de81f8de15975c771fe6907"},
    {ObjectType::slip,
     "13fbc787cd030bc9dd6af1845e7cccc6441d30a5f94ec8f1ecc981013664b188"
     "a3ec96c39fba2ab79c2828b896f61ae4819e707c36e07bbf3daef8c7c4ddcb0b"},
    {ObjectType::attest,
     "bcdb16c1e4a4499caf3d3d08462be9ecc4971fb20010f41f1d361e05c24caed0"
     "f728f6e82eff5743a9f0f5382141700614074486ea349d79deadebb7488a980f"},
    {ObjectType::raft_entry,
     "fbf54f0d6268622ad491bc607c89315b9ea2e2020303408b7ac0c4807c2e86c5"
     "9782dc73692bfc1edfaea2fdaadde4041638e89008559fbb9b0a08fb4a034104"}};

}  // namespace

TEST_CASE("Ed25519 gives the keys and signatures of RFC 8032 7.1", "[signing]") {
  for (const Rfc8032Vector& vector : kRfc8032) {
    const auto signer = make_ed25519_signer(seed_of(vector.seed));
    const Bytes message = hex(vector.message);
    CHECK(signer->public_key() == ed25519_key(vector.key));
    CHECK(signer->sign(message).hex() == vector.signature);
    CHECK(ed25519_verifier().verify(signer->public_key(), message,
                                    from_hex_digits<Signature>(vector.signature)));
  }
}

TEST_CASE("a changed message, signature or key does not verify, at every bit", "[signing]") {
  const auto signer = make_ed25519_signer(seed_of(kGoldenSeed));
  Bytes message = to_bytes("strict");
  PublicKey key = signer->public_key();
  Signature signature = signer->sign(message);
  const auto flips_refused = [&](std::span<std::uint8_t> bytes) {
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
      bytes[bit / 8] ^= mask;
      CHECK_FALSE(ed25519_verifier().verify(key, message, signature));
      bytes[bit / 8] ^= mask;
    }
  };
  REQUIRE(ed25519_verifier().verify(key, message, signature));
  flips_refused(message);
  flips_refused(key.bytes);
  flips_refused(signature.bytes);
  CHECK(ed25519_verifier().verify(key, message, signature));
}

TEST_CASE("verification is strict: small order, non-canonical A, R and S are refused",
          "[signing][golden]") {
  for (const RefusedVector& vector : kRefused) {
    INFO(vector.claim << " " << vector.key);
    CHECK_FALSE(ed25519_verifier().verify(ed25519_key(vector.key), as_bytes(vector.message),
                                          from_hex_digits<Signature>(vector.signature)));
  }
}

TEST_CASE("verification is without cofactor: a key of mixed order passes where the equation holds",
          "[signing][golden]") {
  // H(R, A, M) is a multiple of 8 here. Accepting it is harmless (only the key's owner can make
  // it), but every node must say the same.
  CHECK(ed25519_verifier().verify(
      ed25519_key("b502ff3d92e31d8190b4aa4ea0414005167fad089c4de9dac8a2fc850fed4f58"),
      as_bytes("mixed 16"),
      from_hex_digits<Signature>(
          "065b78f11fd4e6b1be355d23db8a25f99fe99b90ce0fd28adf51ba5f2585e51e"
          "9d89d6e4be11c4050e314497c0ca413785b363e1d808cba3881d4fe06ebd2907")));
}

TEST_CASE("keys of other algorithms are refused", "[signing]") {
  const auto signer = make_ed25519_signer(new_seed());
  const Signature signature = signer->sign(as_bytes("m"));
  for (int algorithm = 0; algorithm < 256; ++algorithm) {
    PublicKey key = signer->public_key();
    key.bytes[0] = static_cast<std::uint8_t>(algorithm);
    CHECK(ed25519_verifier().verify(key, as_bytes("m"), signature) == (algorithm == 1));
    CHECK_FALSE(toy_verifier().verify(key, as_bytes("m"), signature));
  }
}

TEST_CASE("the signed bytes are prefix, type, chain, epoch, body hash", "[signing][golden]") {
  const SignedBytes bytes = signed_bytes(ObjectType::transaction, golden_chain(), kGoldenEpoch,
                                         golden_body(ObjectType::transaction));
  CHECK(to_hex(bytes) ==
        "62616f6c69616e31"
        "01"
        "1111111111111111111111111111111111111111111111111111111111111111"
        "0700000000000000"
        "630a7b4c29be4939540b6b8a7b0923dca0cbe7fcec427b6ed3edc9d023f986bf");
}

TEST_CASE("every object type keeps its golden signature", "[signing][golden]") {
  const auto signer = make_ed25519_signer(seed_of(kGoldenSeed));
  REQUIRE(signer->public_key() ==
          ed25519_key("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"));
  // One vector a type: whoever adds a type adds its vector.
  REQUIRE(kGolden.size() == enum_names(ObjectType{}).size() - 1);
  for (std::size_t i = 0; i < kGolden.size(); ++i) {
    const TypeVector& vector = kGolden[i];
    INFO(enum_name(vector.type));
    REQUIRE(static_cast<std::size_t>(vector.type) == i + 1);
    const Hash body = golden_body(vector.type);
    CHECK(signer->sign_object(vector.type, golden_chain(), kGoldenEpoch, body).hex() ==
          vector.signature);
    CHECK(ed25519_verifier().verify_object(signer->public_key(), vector.type, golden_chain(),
                                           kGoldenEpoch, body,
                                           from_hex_digits<Signature>(vector.signature)));
  }
}

TEST_CASE("a signature holds for one type, chain, epoch and body only", "[signing]") {
  const auto signer = make_ed25519_signer(new_seed());
  const PublicKey key = signer->public_key();
  const ChainId chain = golden_chain();
  const Hash body = golden_body(ObjectType::prepare);
  const Signature signature = signer->sign_object(ObjectType::prepare, chain, Epoch{1}, body);
  const auto valid = [&](ObjectType type, const ChainId& c, Epoch epoch, const Hash& b) {
    return ed25519_verifier().verify_object(key, type, c, epoch, b, signature);
  };
  ChainId other_chain = chain;
  other_chain.bytes[0] ^= 1;
  CHECK(valid(ObjectType::prepare, chain, Epoch{1}, body));
  CHECK_FALSE(valid(ObjectType::commit, chain, Epoch{1}, body));
  CHECK_FALSE(valid(ObjectType::prepare, other_chain, Epoch{1}, body));
  CHECK_FALSE(valid(ObjectType::prepare, chain, Epoch{2}, body));
  CHECK_FALSE(valid(ObjectType::prepare, chain, Epoch{1ULL << 56 | 1}, body));
  CHECK_FALSE(valid(ObjectType::prepare, chain, Epoch{1}, golden_body(ObjectType::commit)));
}

TEST_CASE("the toy signer signs, its verifier checks both halves, keys keep the order of seeds",
          "[signing]") {
  const auto first = make_toy_signer(1);
  const auto second = make_toy_signer(2);
  CHECK(first->public_key() < second->public_key());
  CHECK(second->public_key() < make_toy_signer(256)->public_key());
  CHECK(make_toy_signer(1)->public_key() == first->public_key());
  const Signature signature = first->sign(as_bytes("m"));
  CHECK(toy_verifier().verify(first->public_key(), as_bytes("m"), signature));
  CHECK_FALSE(toy_verifier().verify(second->public_key(), as_bytes("m"), signature));
  CHECK_FALSE(toy_verifier().verify(first->public_key(), as_bytes("n"), signature));
  CHECK_FALSE(ed25519_verifier().verify(first->public_key(), as_bytes("m"), signature));
  for (const std::size_t at : {std::size_t{0}, std::size_t{31}, std::size_t{32}, std::size_t{63}}) {
    Signature changed = signature;
    changed.bytes[at] ^= 1;
    CHECK_FALSE(toy_verifier().verify(first->public_key(), as_bytes("m"), changed));
  }
}

TEST_CASE("seeds are fresh and 32 bytes", "[signing]") {
  const Secret first = new_seed();
  const Secret second = new_seed();
  REQUIRE(first.size() == 32);
  REQUIRE(second.size() == 32);
  CHECK_FALSE(equal_constant_time(first.view(), second.view()));
}

}  // namespace baolian::crypto
