// Sealed boxes, payload streams and secret memory.
#include <sodium.h>

#include <algorithm>
#include <vector>

#include "core/prng.h"
#include "crypto/hex.h"
#include "crypto/random.h"
#include "crypto/sealed_box.h"
#include "crypto/secretstream.h"
#include "crypto/signing.h"
#include "support/catch.h"

namespace baolian::crypto {
namespace {

using test::from_hex_digits;
using test::hex;

constexpr const char* kGoldenSeed =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr const char* kGoldenText = "a discharge summary";

Secret secret_from(std::string_view digits) { return Secret::copy_of(hex(digits)); }

Bytes some_bytes(std::size_t size) {
  Prng random(size);
  Bytes out(size);
  for (auto& b : out) b = static_cast<std::uint8_t>(random.next());
  return out;
}

bool same(const Secret& secret, BytesView bytes) {
  return std::equal(secret.view().begin(), secret.view().end(), bytes.begin(), bytes.end());
}

const BytesView kRecord = as_bytes("record 1");

void check_refused(const Secret& key, BytesView associated_data, BytesView ciphertext) {
  const auto outcome = decrypt_stream(key, associated_data, ciphertext);
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().code == Errc::cannot_open);
}

}  // namespace

TEST_CASE("secret memory: starts zeroed, moves, copies only on demand", "[secret]") {
  Secret first(40);
  CHECK(std::all_of(first.view().begin(), first.view().end(), [](auto b) { return b == 0; }));
  first.mutable_view()[39] = 9;
  const Secret copy = first.clone();
  first.mutable_view()[39] = 8;
  CHECK(copy.view()[39] == 9);
  const std::uint8_t* const place = first.view().data();
  Secret moved = std::move(first);
  CHECK(moved.view().data() == place);
  CHECK(first.empty());  // NOLINT: a moved-from Secret is empty by contract
  moved = Secret::copy_of(as_bytes("ab"));
  CHECK(same(moved, as_bytes("ab")));
  Secret& itself = moved;
  moved = std::move(itself);
  CHECK(same(moved, as_bytes("ab")));
  CHECK(Secret::copy_of({}).empty());
  CHECK(Secret().clone().empty());
}

TEST_CASE("secret memory: wipe and comparison", "[secret]") {
  Bytes bytes = to_bytes("secret");
  CHECK(equal_constant_time(bytes, as_bytes("secret")));
  CHECK_FALSE(equal_constant_time(bytes, as_bytes("secreu")));
  CHECK_FALSE(equal_constant_time(bytes, as_bytes("secre")));
  CHECK(equal_constant_time({}, {}));
  wipe(bytes);
  CHECK(bytes == Bytes(6, 0));
}

TEST_CASE("random identifiers differ", "[random]") {
  initialize();
  initialize();
  CHECK(random_id<RecordId>() != random_id<RecordId>());
}

TEST_CASE("sealed box: round trip, also of nothing", "[sealed_box]") {
  const EncryptionKeyPair key = make_encryption_key_pair(new_seed());
  for (const std::size_t size : {0U, 1U, 32U, 5000U}) {
    const Bytes plain = some_bytes(size);
    const Bytes box = seal(key.public_key, plain).value();
    CHECK(box.size() == size + 48);
    CHECK(same(open_sealed(key, box).value(), plain));
    CHECK(seal(key.public_key, plain).value() != box);
  }
}

TEST_CASE("sealed box: a stored box opens for ever", "[sealed_box][golden]") {
  const EncryptionKeyPair key = make_encryption_key_pair(secret_from(kGoldenSeed));
  CHECK(key.public_key.hex() ==
        "024701d08488451f545a409fb58ae3e58581ca40ac3f7f114698cd71deac73ca01");
  const Bytes box =
      hex("4db7138d9bbf26f3cb56723195aaf5d56026aa26cb1ba7af676a8f476426ad44ad6603fa070e00ff"
          "b535205b26e7748f6d8c41689ee88f22eb01d4a5f5bd4aed51635d");
  CHECK(same(open_sealed(key, box).value(), as_bytes(kGoldenText)));
}

TEST_CASE("sealed box: every changed bit, a cut, an extension and another key fail",
          "[sealed_box]") {
  const EncryptionKeyPair key = make_encryption_key_pair(new_seed());
  Bytes box = seal(key.public_key, as_bytes("a data key")).value();
  const auto check_cannot_open = [](const EncryptionKeyPair& with, BytesView bytes) {
    const auto outcome = open_sealed(with, bytes);
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().code == Errc::cannot_open);
  };
  for (std::size_t bit = 0; bit < box.size() * 8; ++bit) {
    const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
    box[bit / 8] ^= mask;
    // X25519 ignores the top bit of a point, but the nonce is a hash of it as sent.
    check_cannot_open(key, box);
    box[bit / 8] ^= mask;
  }
  for (std::size_t size = 0; size < box.size(); ++size) {
    check_cannot_open(key, BytesView(box).first(size));
  }
  check_cannot_open(make_encryption_key_pair(new_seed()), box);
  CHECK(open_sealed(key, box).has_value());
  box.push_back(0);
  check_cannot_open(key, box);
}

TEST_CASE("sealed box: keys of another algorithm and of low order are refused", "[sealed_box]") {
  EncryptionKey key = make_encryption_key_pair(new_seed()).public_key;
  key.bytes[0] = static_cast<std::uint8_t>(Algorithm::ed25519);
  CHECK(seal(key, as_bytes("x")).error().code == Errc::bad_public_key);
  const char* const low_order[] = {
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
  for (const char* digits : low_order) {
    INFO(digits);
    const auto outcome =
        seal(from_hex_digits<EncryptionKey>("02" + std::string(digits)), as_bytes("x"));
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().code == Errc::bad_public_key);
  }
}

TEST_CASE("stream: round trip at every boundary of chunks", "[secretstream]") {
  const Secret key = new_seed();
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, kStreamChunkBytes - 1, kStreamChunkBytes,
        kStreamChunkBytes + 1, 2 * kStreamChunkBytes, 3 * kStreamChunkBytes + 17}) {
    INFO(size);
    const Bytes plain = some_bytes(size);
    const Bytes sealed = encrypt_stream(key, kRecord, plain);
    const std::size_t chunks = std::max<std::size_t>(1, (size + 65535) / 65536);
    CHECK(sealed.size() == 24 + size + 17 * chunks);
    CHECK(same(decrypt_stream(key, kRecord, sealed).value(), plain));
    CHECK(encrypt_stream(key, kRecord, plain) != sealed);
  }
}

TEST_CASE("stream: a stored payload opens for ever", "[secretstream][golden]") {
  const Secret key =
      secret_from("202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f");
  const Bytes sealed =
      hex("292e33db17cbea48e2ec2374a2aa1e66b24ed33c876ef5ff877952dc8301b515d4b768cde9d7b08c"
          "4a6f79d320622f7dc3ea6b863da64389dd5876d5");
  CHECK(same(decrypt_stream(key, kRecord, sealed).value(), as_bytes(kGoldenText)));
}

TEST_CASE("stream: wrong key and other associated data fail", "[secretstream]") {
  const Secret key = new_seed();
  for (const std::size_t size : {std::size_t{5}, 2 * kStreamChunkBytes}) {
    const Bytes sealed = encrypt_stream(key, kRecord, some_bytes(size));
    check_refused(new_seed(), kRecord, sealed);
    check_refused(key, as_bytes("record 2"), sealed);
    check_refused(key, {}, sealed);
  }
}

TEST_CASE("stream: every changed bit of a short payload fails", "[secretstream]") {
  const Secret key = new_seed();
  Bytes sealed = encrypt_stream(key, kRecord, as_bytes("diagnosis"));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
    sealed[bit / 8] ^= mask;
    check_refused(key, kRecord, sealed);
    sealed[bit / 8] ^= mask;
  }
  CHECK(decrypt_stream(key, kRecord, sealed).has_value());
}

TEST_CASE("stream: cut, extended, reordered, repeated chunks fail", "[secretstream]") {
  const Secret key = new_seed();
  const std::size_t sealed_chunk = kStreamChunkBytes + 17;
  const Bytes sealed = encrypt_stream(key, kRecord, some_bytes(3 * kStreamChunkBytes));
  const BytesView view = sealed;
  REQUIRE(sealed.size() == 24 + 3 * sealed_chunk);
  const BytesView header = view.first(24);
  const auto chunk = [&](std::size_t i) {
    return view.subspan(24 + i * sealed_chunk, sealed_chunk);
  };
  const auto joined = [&](std::initializer_list<BytesView> parts) {
    Bytes out = to_bytes(header);
    for (const BytesView part : parts) append(out, part);
    return out;
  };
  REQUIRE(decrypt_stream(key, kRecord, joined({chunk(0), chunk(1), chunk(2)})).has_value());
  check_refused(key, kRecord, joined({chunk(0), chunk(1)}));  // cut at a chunk
  check_refused(key, kRecord, joined({chunk(0)}));
  check_refused(key, kRecord, joined({chunk(0), chunk(2)}));
  check_refused(key, kRecord, joined({chunk(1), chunk(0), chunk(2)}));
  check_refused(key, kRecord, joined({chunk(0), chunk(1), chunk(2), chunk(2)}));
  check_refused(key, kRecord, joined({chunk(0), chunk(1), chunk(2), as_bytes("x")}));
  Bytes zeros(17, 0);
  check_refused(key, kRecord, joined({chunk(0), chunk(1), chunk(2), zeros}));
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{23}, std::size_t{24}, std::size_t{25},
        std::size_t{40}, std::size_t{41}, 24 + sealed_chunk - 1, 24 + sealed_chunk + 5,
        24 + sealed_chunk + 17, sealed.size() - 1}) {
    INFO(size);
    check_refused(key, kRecord, view.first(size));
  }
}

TEST_CASE("stream: another division of the same plaintext into chunks fails", "[secretstream]") {
  const Secret key = new_seed();
  const auto sealed_as = [&](const std::vector<std::size_t>& chunk_sizes) {
    Bytes out(24);
    crypto_secretstream_xchacha20poly1305_state state;
    crypto_secretstream_xchacha20poly1305_init_push(&state, out.data(), key.view().data());
    for (std::size_t i = 0; i < chunk_sizes.size(); ++i) {
      const Bytes plain(chunk_sizes[i], 7);
      Bytes chunk(plain.size() + 17);
      const bool last = i + 1 == chunk_sizes.size();
      crypto_secretstream_xchacha20poly1305_push(
          &state, chunk.data(), nullptr, plain.data(), plain.size(), kRecord.data(), kRecord.size(),
          last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
               : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
      append(out, chunk);
    }
    return out;
  };
  REQUIRE(decrypt_stream(key, kRecord, sealed_as({kStreamChunkBytes})).has_value());
  REQUIRE(decrypt_stream(key, kRecord, sealed_as({kStreamChunkBytes, 1})).has_value());
  check_refused(key, kRecord, sealed_as({kStreamChunkBytes, 0}));
  check_refused(key, kRecord, sealed_as({kStreamChunkBytes - 1, 1}));
  check_refused(key, kRecord, sealed_as({0, 0}));
  check_refused(key, kRecord, sealed_as({5, 5}));
}

TEST_CASE("stream: what one key opens, another does not open by accident", "[secretstream]") {
  // The cipher promises no more: see the header on keys that somebody prepares.
  const Bytes sealed = encrypt_stream(new_seed(), kRecord, as_bytes("x"));
  for (int i = 0; i < 100; ++i) check_refused(new_seed(), kRecord, sealed);
}

}  // namespace baolian::crypto
