#include "crypto/base64.h"

#include <sodium.h>

namespace baolian::crypto {

std::string base64_encode(BytesView bytes) {
  // The length that libsodium asks for includes the terminating zero.
  std::string out(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(out.data(), out.size(), bytes.data(), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  out.pop_back();
  return out;
}

Result<Bytes> base64_decode(std::string_view text) {
  Bytes out(text.size() / 4 * 3 + 3);
  std::size_t length = 0;
  const char* end = nullptr;
  const int failed = sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr,
                                       &length, &end, sodium_base64_VARIANT_ORIGINAL);
  if (failed != 0 || end != text.data() + text.size()) {
    return fail(Errc::bad_argument, "not base64 with padding");
  }
  out.resize(length);
  return out;
}

}  // namespace baolian::crypto
