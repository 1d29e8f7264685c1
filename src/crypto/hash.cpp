#include "crypto/hash.h"

// OpenSSL calls its plain transforms deprecated in favour of EVP. A hash of a tree node takes 128
// ns there and 82 ns here, and a block makes tens of thousands of them.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <sodium.h>

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace baolian::crypto {
namespace {

/// A digest that is always ready for the first byte.
class Context {
 public:
  Context() { restart(); }

  void update(BytesView bytes) {
    if (bytes.empty()) return;
    ASSERT(SHA256_Update(&context_, bytes.data(), bytes.size()) == 1);
  }

  Hash finish() {
    Hash out;
    ASSERT(SHA256_Final(out.bytes.data(), &context_) == 1);
    restart();
    return out;
  }

 private:
  void restart() { ASSERT(SHA256_Init(&context_) == 1); }

  SHA256_CTX context_;
};

// ------------------------------------------------------------------ CRC-32C

using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

/// Tables for eight bytes a step; table 0 is the plain byte-wise table of the reversed polynomial.
constexpr CrcTables make_crc_tables() {
  constexpr std::uint32_t kCastagnoli = 0x82F63B78U;
  CrcTables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kCastagnoli : 0);
    tables[0][i] = crc;
  }
  for (std::size_t t = 1; t < tables.size(); ++t) {
    for (std::size_t i = 0; i < 256; ++i) {
      const std::uint32_t previous = tables[t - 1][i];
      tables[t][i] = (previous >> 8) ^ tables[0][previous & 0xFF];
    }
  }
  return tables;
}

constexpr CrcTables kCrcTables = make_crc_tables();

std::uint32_t crc32c_by_tables(std::uint32_t crc, BytesView bytes) {
  while (bytes.size() >= 8) {
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      const std::uint32_t from_crc = i < 4 ? (crc >> (8 * i)) & 0xFF : 0;
      next ^= kCrcTables[7 - i][from_crc ^ bytes[i]];
    }
    crc = next;
    bytes = bytes.subspan(8);
  }
  for (const std::uint8_t b : bytes) crc = (crc >> 8) ^ kCrcTables[0][(crc ^ b) & 0xFF];
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::uint32_t crc,
                                                                      BytesView bytes) {
  std::uint64_t wide = crc;
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    wide = _mm_crc32_u64(wide, word);
    bytes = bytes.subspan(8);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  for (const std::uint8_t b : bytes) narrow = _mm_crc32_u8(narrow, b);
  return narrow;
}
#endif

}  // namespace

struct Sha256::State {
  Context context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;

Sha256& Sha256::update(BytesView bytes) {
  state_->context.update(bytes);
  return *this;
}

Hash Sha256::finish() { return state_->context.finish(); }

Hash sha256(std::initializer_list<BytesView> parts) {
  Context context;
  for (const BytesView part : parts) context.update(part);
  return context.finish();
}

Hash hash_in_domain(std::string_view domain, std::initializer_list<BytesView> parts) {
  Context context;
  context.update(as_bytes(domain));
  for (const BytesView part : parts) context.update(part);
  return context.finish();
}

Hash hmac_sha256(BytesView key, std::initializer_list<BytesView> parts) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key.data(), key.size());
  for (const BytesView part : parts) {
    crypto_auth_hmacsha256_update(&state, part.data(), part.size());
  }
  Hash out;
  crypto_auth_hmacsha256_final(&state, out.bytes.data());
  sodium_memzero(&state, sizeof state);
  return out;
}

std::uint32_t crc32c(BytesView bytes, std::uint32_t seed) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) return ~crc32c_by_instruction(~seed, bytes);
#endif
  return ~crc32c_by_tables(~seed, bytes);
}

std::uint32_t crc32c_portable(BytesView bytes, std::uint32_t seed) {
  return ~crc32c_by_tables(~seed, bytes);
}

}  // namespace baolian::crypto
