#include "crypto/secret.h"

#include <sodium.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "crypto/random.h"

namespace baolian::crypto {

Secret::Secret(std::size_t size_bytes) : size_bytes_(size_bytes) {
  if (size_bytes == 0) return;
  initialize();  // sodium_malloc learns the page size there
  data_ = static_cast<std::uint8_t*>(sodium_malloc(size_bytes));
  if (data_ == nullptr) {
    std::fputs("baolian: no guarded memory left for secrets (vm.max_map_count?)\n", stderr);
    std::abort();
  }
  std::fill_n(data_, size_bytes, std::uint8_t{0});
}

Secret Secret::copy_of(BytesView bytes) {
  Secret out(bytes.size());
  std::copy(bytes.begin(), bytes.end(), out.data_);
  return out;
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_bytes_(std::exchange(other.size_bytes_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    sodium_free(data_);
    data_ = std::exchange(other.data_, nullptr);
    size_bytes_ = std::exchange(other.size_bytes_, 0);
  }
  return *this;
}

// sodium_free wipes, and ignores nullptr.
Secret::~Secret() { sodium_free(data_); }

void wipe(std::span<std::uint8_t> bytes) { sodium_memzero(bytes.data(), bytes.size()); }

bool equal_constant_time(BytesView a, BytesView b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace baolian::crypto
