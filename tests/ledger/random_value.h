/// A random value of any codec struct that keeps its declared limits, for round-trip properties.
#pragma once

#include <algorithm>
#include <string>
#include <variant>

#include "core/codec.h"
#include "core/prng.h"

namespace baolian::ledger::test {

class RandomValues {
 public:
  explicit RandomValues(std::uint64_t seed) : prng_(seed) {}

  template <typename T>
  T make(const Limits& limits = {}) {
    T out{};
    fill(out, limits);
    return out;
  }

 private:
  std::size_t size_within(const Limits& limits) {
    const std::uint64_t high = std::min<std::uint64_t>(limits.max, limits.min + std::uint64_t{5});
    return static_cast<std::size_t>(prng_.between(limits.min, high));
  }

  template <typename T>
  void fill(T& out, const Limits& limits) {
    if constexpr (kIsVersion<T>) {
      return;
    } else if constexpr (std::same_as<T, bool>) {
      out = prng_.below(2) == 1;
    } else if constexpr (CodecInteger<T>) {
      out = static_cast<T>(prng_.below(8) == 0 ? UINT64_MAX : prng_.next());
    } else if constexpr (CodecEnum<T>) {
      do {
        out = static_cast<T>(prng_.below(enum_names(T{}).size()));
      } while (!is_enum_value<T>(static_cast<std::uint64_t>(out)));
    } else if constexpr (kIsFixedBytes<T>) {
      for (auto& b : out.bytes) b = static_cast<std::uint8_t>(prng_.next());
    } else if constexpr (kIsNumber<T>) {
      fill(out.value, limits);
    } else if constexpr (std::same_as<T, Bytes>) {
      out.resize(size_within(limits));
      for (auto& b : out) b = static_cast<std::uint8_t>(prng_.next());
    } else if constexpr (std::same_as<T, std::string>) {
      fill_text(out, limits);
    } else if constexpr (kIsVector<T>) {
      fill_list(out, limits);
    } else if constexpr (kIsOptional<T>) {
      if (prng_.below(2) == 1) fill(out.emplace(), limits);
    } else if constexpr (kIsVariant<T>) {
      fill_variant<0>(out, prng_.below(std::variant_size_v<T>));
    } else {
      T::fields().apply([&](const auto&... f) { (fill(out.*(f.member), f.limits), ...); });
    }
  }

  void fill_text(std::string& out, const Limits& limits) {
    static constexpr std::array<std::string_view, 8> kPieces = {
        "a", "\"", "\\", "\n", "\x01", "\x7f", "保", "\xe2\x80\xa8"};
    while (out.size() < limits.min || prng_.below(3) != 0) {
      const std::string_view piece = kPieces[prng_.below(kPieces.size())];
      if (out.size() + piece.size() > limits.max) {
        if (out.size() >= limits.min) return;
        out += 'z';
        continue;
      }
      out += piece;
    }
  }

  template <typename T>
  void fill_list(std::vector<T>& out, const Limits& limits) {
    const std::size_t size = size_within(limits);
    while (out.size() < size) fill(out.emplace_back(), at_most(limits.item_max));
    if constexpr (std::totally_ordered<T>) {
      if (!limits.ascending) return;
      std::sort(out.begin(), out.end());
      const auto same = [](const T& a, const T& b) { return !(a < b) && !(b < a); };
      out.erase(std::unique(out.begin(), out.end(), same), out.end());
    }
  }

  template <std::size_t I, typename V>
  void fill_variant(V& out, std::uint64_t index) {
    if constexpr (I < std::variant_size_v<V>) {
      if (index == I) {
        fill(out.template emplace<I>(), {});
      } else {
        fill_variant<I + 1>(out, index);
      }
    }
  }

  Prng prng_;
};

}  // namespace baolian::ledger::test
