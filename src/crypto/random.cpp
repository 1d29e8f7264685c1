#include "crypto/random.h"

#include <sodium.h>

#include <cstdio>
#include <cstdlib>

namespace baolian::crypto {

void initialize() {
  // sodium_init is itself safe to repeat and from several threads; the static spares its lock.
  static const int outcome = sodium_init();
  if (outcome < 0) {
    std::fputs("baolian: libsodium cannot start: no source of random bytes?\n", stderr);
    std::abort();
  }
}

void fill_random(std::span<std::uint8_t> out) {
  initialize();
  randombytes_buf(out.data(), out.size());
}

}  // namespace baolian::crypto
