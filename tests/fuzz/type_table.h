/// A fuzz target for a group of decoders: the first byte of the input chooses the type, the rest is
/// what is decoded. Bytes are one to one with values (core/codec.h): what decodes must encode to
/// the same bytes again, and encoding must not run into its own assertions.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include "core/codec.h"

namespace baolian::fuzz {

template <typename T>
void check_round_trip(BytesView in) {
  const Result<T> value = decode<T>(in);
  if (!value) {
    ASSERT(!value.error().context.empty());
    return;
  }
  const Bytes again = encode(*value);
  ASSERT(std::equal(again.begin(), again.end(), in.begin(), in.end()));
}

template <typename... Ts>
struct TypeTable {
  static constexpr std::size_t kSize = sizeof...(Ts);

  static void check(BytesView in) {
    if (in.empty()) return;
    constexpr std::array<void (*)(BytesView), kSize> checks{&check_round_trip<Ts>...};
    checks[in[0] % kSize](in.subspan(1));
  }
  /// Position of a type: the first byte of its inputs.
  template <typename T>
  static constexpr std::uint8_t index_of() {
    constexpr std::array<bool, kSize> is_it{std::is_same_v<T, Ts>...};
    std::uint8_t at = 0;
    while (!is_it[at]) ++at;
    return at;
  }
};

}  // namespace baolian::fuzz
