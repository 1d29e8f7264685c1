/// Reads a fuzzer's input as a row of small choices. Past the end everything is zero, so that an
/// input can be cut anywhere and still means something.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/bytes.h"

namespace baolian::fuzz {

class InputBytes {
 public:
  explicit InputBytes(BytesView in) : in_(in) {}

  bool is_empty() const { return in_.empty(); }
  std::uint8_t byte() {
    if (in_.empty()) return 0;
    const std::uint8_t out = in_.front();
    in_ = in_.subspan(1);
    return out;
  }
  /// 0 <= result < bound. Requires: 0 < bound <= 256.
  std::size_t pick(std::size_t bound) { return byte() % bound; }
  bool flip() { return (byte() & 1) != 0; }
  std::uint16_t word() {
    const auto low = byte();
    return static_cast<std::uint16_t>(low | byte() << 8);
  }
  /// Up to `size_max` bytes, as far as there are any.
  BytesView take(std::size_t size_max) {
    const BytesView out = in_.first(std::min(size_max, in_.size()));
    in_ = in_.subspan(out.size());
    return out;
  }
  BytesView rest() { return take(in_.size()); }

 private:
  BytesView in_;
};

}  // namespace baolian::fuzz
