/// Bytes written as hexadecimal digits in tests.
#pragma once

#include <string_view>

#include "core/bytes.h"

namespace baolian::test {

inline Bytes hex(std::string_view text) { return from_hex(text).value(); }

/// A fixed-size value from its digits.
template <typename T>
T from_hex_digits(std::string_view text) {
  return T::from_hex_text(text).value();
}

}  // namespace baolian::test
