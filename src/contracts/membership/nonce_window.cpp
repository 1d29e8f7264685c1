#include "contracts/membership/state.h"

namespace baolian::contracts {
namespace {

using Bits = std::array<std::uint8_t, NonceWindow::kWidth / 8>;

bool is_set(const Bits& bits, std::uint64_t i) { return (bits[i / 8] >> (i % 8) & 1U) != 0; }
void set(Bits& bits, std::uint64_t i) {
  bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | 1U << (i % 8));
}

}  // namespace

NonceWindow::Answer NonceWindow::ask(Nonce nonce) const {
  if (nonce > highest) return Answer::fresh;
  const std::uint64_t below = highest.value - nonce.value;
  if (below >= kWidth) return Answer::too_old;
  return is_set(used.bytes, below) ? Answer::used : Answer::fresh;
}

void NonceWindow::use(Nonce nonce) {
  ASSERT(ask(nonce) == Answer::fresh);
  if (nonce > highest) {
    const std::uint64_t shift = nonce.value - highest.value;
    Bits moved{};
    for (std::uint64_t i = 0; shift < kWidth && i < kWidth - shift; ++i) {
      if (is_set(used.bytes, i)) set(moved, i + shift);
    }
    used.bytes = moved;
    highest = nonce;
  }
  set(used.bytes, highest.value - nonce.value);
}

}  // namespace baolian::contracts
