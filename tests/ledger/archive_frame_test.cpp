/// Frames of archive files: what goes in comes out, the bytes never change, and nothing that is no
/// frame does harm.
#include "ledger/archive_frame.h"

#include "core/prng.h"
#include "crypto/hash.h"
#include "support/catch.h"

namespace baolian::ledger {
namespace {

/// Bytes of few different values, or of pieces that were there before: what matches find.
Bytes sample(Prng& random, std::size_t size, std::uint64_t alphabet) {
  Bytes out;
  while (out.size() < size) {
    const bool repeats = out.size() > 100 && random.below(3) == 0;
    if (!repeats) {
      out.push_back(static_cast<std::uint8_t>(random.below(alphabet)));
      continue;
    }
    const std::size_t from = random.below(out.size() - 50);
    const std::size_t count = 4 + random.below(400);
    for (std::size_t i = 0; i < count; ++i) out.push_back(out[from + i]);
  }
  out.resize(size);
  return out;
}

}  // namespace

TEST_CASE("archive frame: what was packed comes out again, of every size and kind", "[archive]") {
  Prng random(11);
  for (std::size_t size = 0; size < 300; ++size) {
    for (const std::uint64_t alphabet : {1U, 2U, 256U}) {
      const Bytes content = sample(random, size, alphabet);
      REQUIRE(unpack_frame(pack_frame(content)).value() == content);
    }
  }
  for (const std::uint64_t alphabet : {1U, 3U, 40U, 256U}) {
    const Bytes content = sample(random, 200'000 + random.below(1000), alphabet);
    const Bytes frame = pack_frame(content);
    REQUIRE(unpack_frame(frame).value() == content);
    CHECK(frame.size() < content.size() + content.size() / 200 + 16);
  }
  CHECK(pack_frame(Bytes(100'000, 7)).size() < 500);
}

TEST_CASE("archive frame: the encoder never changes, or archives would differ between versions",
          "[archive]") {
  // "abcd" twelve times: one literal run, one match that reaches into itself, five last literals.
  Bytes content;
  for (int i = 0; i < 12; ++i) append(content, as_bytes("abcd"));
  CHECK(to_hex(pack_frame(content)) ==
        "300000004f616263640400145064616263"
        "64");
  Prng random(5);
  Hash chain;
  for (std::size_t i = 0; i < 64; ++i) {
    const Bytes frame = pack_frame(sample(random, 500 + 1500 * i, 1 + 4 * i));
    chain = crypto::sha256({chain.view(), frame});
  }
  CHECK(chain.hex() == "cf979eb4bcaab286a9151cd91ef54915b0d169c3ccefed747f8cc380d3c0976c");
}

TEST_CASE("archive frame: damaged and made-up bytes are refused or give other content, never more",
          "[archive]") {
  Prng random(23);
  const Bytes content = sample(random, 3000, 20);
  const Bytes frame = pack_frame(content);
  for (std::size_t size = 0; size < frame.size(); ++size) {
    CHECK_FALSE(unpack_frame(BytesView(frame).first(size)).has_value());
  }
  for (std::size_t i = 0; i < 20'000; ++i) {
    Bytes changed = frame;
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
      changed[random.below(changed.size())] = static_cast<std::uint8_t>(random.next());
    }
    const auto unpacked = unpack_frame(changed);
    if (unpacked) CHECK(unpacked->size() <= changed.size() * 256);
  }
  for (std::size_t i = 0; i < 20'000; ++i) {
    Bytes noise;
    for (std::uint64_t n = random.below(60); n > 0; --n) {
      noise.push_back(static_cast<std::uint8_t>(random.next()));
    }
    if (noise.size() > 4) noise[2] = noise[3] = 0;
    const auto unpacked = unpack_frame(noise);
    if (unpacked) CHECK(unpack_frame(pack_frame(*unpacked)).value() == *unpacked);
  }
}

}  // namespace baolian::ledger
