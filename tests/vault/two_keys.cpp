#include "vault/two_keys.h"

#include <openssl/bn.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "crypto/random.h"

namespace baolian::vault::test {
namespace {

constexpr std::size_t kBlockBytes = 16;
constexpr std::size_t kCipherBlocks = 4;  // the last two are solved for
constexpr std::size_t kTagBlockBytes = 64;

struct FreeNumber {
  void operator()(BIGNUM* number) const { BN_free(number); }
};
using Number = std::unique_ptr<BIGNUM, FreeNumber>;
struct FreeContext {
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};

Number number() { return Number(BN_new()); }
Number copy(const Number& a) { return Number(BN_dup(a.get())); }
Number from_little_endian(BytesView bytes) {
  return Number(BN_lebin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}
Number power_of_two(int exponent) {
  Number out = number();
  BN_set_bit(out.get(), exponent);
  return out;
}

/// Arithmetic modulo 2^130 - 5.
class Field {
 public:
  Field() : prime_(power_of_two(130)), context_(BN_CTX_new()) { BN_sub_word(prime_.get(), 5); }

  Number add(const Number& a, const Number& b) const {
    Number out = number();
    BN_mod_add(out.get(), a.get(), b.get(), prime_.get(), context_.get());
    return out;
  }
  Number subtract(const Number& a, const Number& b) const {
    Number out = number();
    BN_mod_sub(out.get(), a.get(), b.get(), prime_.get(), context_.get());
    return out;
  }
  Number multiply(const Number& a, const Number& b) const {
    Number out = number();
    BN_mod_mul(out.get(), a.get(), b.get(), prime_.get(), context_.get());
    return out;
  }
  Number inverse(const Number& a) const {
    return Number(BN_mod_inverse(nullptr, a.get(), prime_.get(), context_.get()));
  }

 private:
  Number prime_;
  std::unique_ptr<BN_CTX, FreeContext> context_;
};

/// What a key makes of a stream's header: the first chunk's keystream and its Poly1305 key.
struct KeyView {
  crypto::Secret key;
  std::array<std::uint8_t, 32> stream_key{};
  std::array<std::uint8_t, kTagBlockBytes> tag_keystream{};
  Number r;
  Number s;
};

/// libsodium's secretstream: key = HChaCha20(key, header[0..16)), nonce = u32 1 || header[16..24),
/// block 0 of the keystream keys Poly1305, block 1 hides the chunk's tag, block 2 begins the text.
KeyView view_of(crypto::Secret key, BytesView header) {
  KeyView out;
  crypto_core_hchacha20(out.stream_key.data(), header.data(), key.view().data(), nullptr);
  std::array<std::uint8_t, 12> nonce{1};
  std::copy(header.begin() + 16, header.end(), nonce.begin() + 4);
  std::array<std::uint8_t, 128> stream{};
  crypto_stream_chacha20_ietf(stream.data(), stream.size(), nonce.data(), out.stream_key.data());
  std::copy(stream.begin() + 64, stream.end(), out.tag_keystream.begin());
  for (const std::size_t i : {3U, 7U, 11U, 15U}) stream[i] &= 15;
  for (const std::size_t i : {4U, 8U, 12U}) stream[i] &= 252;
  out.r = from_little_endian(BytesView(stream).first(16));
  out.s = from_little_endian(BytesView(stream).subspan(16, 16));
  out.key = std::move(key);
  return out;
}

/// The message under Poly1305, in blocks: associated data, padded; the tag's block; the ciphertext;
/// both lengths.
std::vector<Number> blocks_of(BytesView associated_data, const KeyView& view,
                              std::uint8_t sealed_tag, BytesView cipher) {
  Bytes message = to_bytes(associated_data);
  message.resize((message.size() + kBlockBytes - 1) / kBlockBytes * kBlockBytes);
  append(message, view.tag_keystream);
  message[message.size() - kTagBlockBytes] = sealed_tag;
  append(message, cipher);
  const std::array<std::uint64_t, 2> lengths = {associated_data.size(),
                                                kTagBlockBytes + cipher.size()};
  for (std::uint64_t length : lengths) {
    for (int i = 0; i < 8; ++i, length >>= 8) message.push_back(length & 0xFF);
  }
  std::vector<Number> out;
  for (std::size_t at = 0; at < message.size(); at += kBlockBytes) {
    out.push_back(from_little_endian(BytesView(message).subspan(at, kBlockBytes)));
    BN_set_bit(out.back().get(), 128);
  }
  return out;
}

/// One of the two equations: known + factor_x * x + factor_y * y = wanted.
struct Equation {
  Number factor_x;
  Number factor_y;
  Number rest;  // wanted - known
};

Equation equation_of(const Field& field, const KeyView& view, const std::vector<Number>& blocks,
                     const Number& tag) {
  // x and y are the last two blocks before the lengths: powers 3 and 2 of r.
  Equation out;
  out.factor_y = field.multiply(view.r, view.r);
  out.factor_x = field.multiply(out.factor_y, view.r);
  Number known = number();
  Number power = copy(view.r);
  for (std::size_t i = blocks.size(); i-- > 0; power = field.multiply(power, view.r)) {
    const std::size_t from_end = blocks.size() - 1 - i;
    if (from_end == 1 || from_end == 2) continue;
    known = field.add(known, field.multiply(blocks[i], power));
  }
  Number wanted = copy(tag);
  if (BN_cmp(wanted.get(), view.s.get()) < 0) {
    BN_add(wanted.get(), wanted.get(), power_of_two(128).get());
  }
  BN_sub(wanted.get(), wanted.get(), view.s.get());
  out.rest = field.subtract(wanted, known);
  return out;
}

/// A block of a message has bit 128 set and none above it.
bool is_block(const Number& value) { return BN_num_bits(value.get()) == 129; }

void store_block(const Number& value, std::span<std::uint8_t> out) {
  std::array<std::uint8_t, 17> bytes{};
  BN_bn2lebinpad(value.get(), bytes.data(), static_cast<int>(bytes.size()));
  std::copy_n(bytes.begin(), kBlockBytes, out.begin());
}

}  // namespace

TwoKeys make_two_keys(BytesView associated_data) {
  constexpr std::uint8_t kFinalTag = crypto_secretstream_xchacha20poly1305_TAG_FINAL;
  FixedBytes<struct StreamHeaderTag, 24> header = crypto::random_id<decltype(header)>();
  const auto fresh = [&] {
    crypto::Secret key(32);
    crypto::fill_random(key.mutable_view());
    return view_of(std::move(key), header.view());
  };
  KeyView first = fresh();
  KeyView second = fresh();
  // Both must read the same chunk tag from one sealed byte.
  while (second.tag_keystream[0] != first.tag_keystream[0]) second = fresh();
  const auto sealed_tag = static_cast<std::uint8_t>(kFinalTag ^ first.tag_keystream[0]);

  const Field field;
  while (true) {
    FixedBytes<struct CipherTag, kBlockBytes* kCipherBlocks> cipher =
        crypto::random_id<decltype(cipher)>();
    const auto tag_bytes = crypto::random_id<FixedBytes<struct MacTag, kBlockBytes>>();
    const Number tag = from_little_endian(tag_bytes.view());
    const Equation a = equation_of(
        field, first, blocks_of(associated_data, first, sealed_tag, cipher.view()), tag);
    const Equation b = equation_of(
        field, second, blocks_of(associated_data, second, sealed_tag, cipher.view()), tag);
    const Number determinant = field.subtract(field.multiply(a.factor_x, b.factor_y),
                                              field.multiply(b.factor_x, a.factor_y));
    const Number inverse = field.inverse(determinant);
    if (inverse == nullptr) continue;
    const Number x = field.multiply(inverse, field.subtract(field.multiply(a.rest, b.factor_y),
                                                            field.multiply(b.rest, a.factor_y)));
    const Number y = field.multiply(inverse, field.subtract(field.multiply(a.factor_x, b.rest),
                                                            field.multiply(b.factor_x, a.rest)));
    if (!is_block(x) || !is_block(y)) continue;  // one try in sixteen succeeds
    store_block(x, std::span(cipher.bytes).subspan(2 * kBlockBytes));
    store_block(y, std::span(cipher.bytes).subspan(3 * kBlockBytes));
    TwoKeys out{std::move(first.key), std::move(second.key), to_bytes(header.view())};
    out.ciphertext.push_back(sealed_tag);
    append(out.ciphertext, cipher.view());
    append(out.ciphertext, tag_bytes.view());
    return out;
  }
}

}  // namespace baolian::vault::test
