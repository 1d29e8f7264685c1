/// Byte strings and their hexadecimal form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace baolian {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;

/// The bytes of a text, without a terminating zero. The view lives as long as the text.
inline BytesView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The text made of these bytes, unchecked (see is_utf8). The view lives as long as the bytes.
inline std::string_view as_text(BytesView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Bytes to_bytes(BytesView view) { return {view.begin(), view.end()}; }
inline Bytes to_bytes(std::string_view text) { return to_bytes(as_bytes(text)); }

inline void append(Bytes& out, BytesView more) { out.insert(out.end(), more.begin(), more.end()); }

/// Lower-case hexadecimal.
std::string to_hex(BytesView bytes);

/// Returns: the bytes, or Errc::bad_hex for an odd length or anything but 0-9 a-f A-F.
Result<Bytes> from_hex(std::string_view text);

/// True for well-formed UTF-8: no overlong form, surrogate or value above U+10FFFF.
bool is_utf8(std::string_view text);

/// Appends `value` as `size_bytes` big-endian bytes: the form of integers inside state keys, so
/// that scans follow their order (everywhere else integers are little-endian).
void append_big_endian(Bytes& out, std::uint64_t value, std::size_t size_bytes);

/// Reads a big-endian integer of 1..8 bytes. Requires: 1 <= bytes.size() <= 8.
std::uint64_t read_big_endian(BytesView bytes);

}  // namespace baolian
