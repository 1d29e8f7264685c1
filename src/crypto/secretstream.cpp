#include "crypto/secretstream.h"

#include <sodium.h>

#include <algorithm>

namespace baolian::crypto {
namespace {

constexpr std::size_t kHeaderBytes = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr std::size_t kTagBytes = crypto_secretstream_xchacha20poly1305_ABYTES;
constexpr std::size_t kSealedChunkBytes = kStreamChunkBytes + kTagBytes;
static_assert(kHeaderBytes == 24 && kTagBytes == 17, "the format is fixed");
static_assert(kDataKeyBytes == crypto_secretstream_xchacha20poly1305_KEYBYTES);

/// libsodium's state holds the key: wiped when it goes.
struct Stream {
  crypto_secretstream_xchacha20poly1305_state state;
  ~Stream() { sodium_memzero(&state, sizeof state); }
};

Error cannot_open() {
  return fail(Errc::cannot_open,
              "the encrypted payload does not open: wrong key, other record, or changed bytes");
}

}  // namespace

Bytes encrypt_stream(const Secret& key, BytesView associated_data, BytesView plaintext) {
  ASSERT(key.size() == kDataKeyBytes);
  const std::size_t chunk_count =
      std::max<std::size_t>(1, (plaintext.size() + kStreamChunkBytes - 1) / kStreamChunkBytes);
  Bytes out(kHeaderBytes + plaintext.size() + chunk_count * kTagBytes);
  Stream stream;
  crypto_secretstream_xchacha20poly1305_init_push(&stream.state, out.data(), key.view().data());
  std::span<std::uint8_t> rest = std::span(out).subspan(kHeaderBytes);
  for (std::size_t i = 0; i < chunk_count; ++i) {
    const BytesView chunk = plaintext.first(std::min(plaintext.size(), kStreamChunkBytes));
    const std::uint8_t tag = i + 1 == chunk_count
                                 ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                                 : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    crypto_secretstream_xchacha20poly1305_push(&stream.state, rest.data(), nullptr, chunk.data(),
                                               chunk.size(), associated_data.data(),
                                               associated_data.size(), tag);
    plaintext = plaintext.subspan(chunk.size());
    rest = rest.subspan(chunk.size() + kTagBytes);
  }
  ASSERT(rest.empty() && plaintext.empty());
  return out;
}

Result<Secret> decrypt_stream(const Secret& key, BytesView associated_data, BytesView ciphertext) {
  ASSERT(key.size() == kDataKeyBytes);
  if (ciphertext.size() < kHeaderBytes + kTagBytes) return cannot_open();
  Stream stream;
  if (crypto_secretstream_xchacha20poly1305_init_pull(&stream.state, ciphertext.data(),
                                                      key.view().data()) != 0) {
    return cannot_open();
  }
  BytesView rest = ciphertext.subspan(kHeaderBytes);
  // Every chunk but the last is full, and only the chunk of an empty plaintext is empty: so the
  // sizes follow from the length alone, and one plaintext has one division into chunks.
  const std::size_t chunk_count = (rest.size() + kSealedChunkBytes - 1) / kSealedChunkBytes;
  const std::size_t last_bytes = rest.size() - (chunk_count - 1) * kSealedChunkBytes;
  if (last_bytes < kTagBytes || (last_bytes == kTagBytes && chunk_count > 1)) return cannot_open();
  Secret out(rest.size() - chunk_count * kTagBytes);
  std::span<std::uint8_t> plain = out.mutable_view();
  for (std::size_t i = 0; i < chunk_count; ++i) {
    const BytesView chunk = rest.first(std::min(rest.size(), kSealedChunkBytes));
    const std::uint8_t expected = i + 1 == chunk_count
                                      ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                                      : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    std::uint8_t tag = 0;
    if (crypto_secretstream_xchacha20poly1305_pull(
            &stream.state, plain.data(), nullptr, &tag, chunk.data(), chunk.size(),
            associated_data.data(), associated_data.size()) != 0 ||
        tag != expected) {
      return cannot_open();
    }
    rest = rest.subspan(chunk.size());
    plain = plain.subspan(chunk.size() - kTagBytes);
  }
  return out;
}

}  // namespace baolian::crypto
