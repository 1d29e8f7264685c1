/// Changes one field of a decoded value (ByzzFuzz): the same declarations that drive the codec name
/// the fields, so that every field of every message can be met.
#pragma once

#include <algorithm>
#include <limits>

#include "core/codec.h"
#include "core/prng.h"

namespace baolian::sim {

/// Walks a value to its leaves and changes the one with the drawn number. What it makes can always
/// be encoded; whether it can be decoded again is the receiver's affair.
class Mutator {
 public:
  explicit Mutator(Prng& prng) : prng_(prng) {}

  template <typename T>
  void mutate(T& value) {
    target_ = UINT64_MAX;
    leaves_ = 0;
    visit(value, {});
    if (leaves_ == 0) return;
    target_ = prng_.below(leaves_);
    leaves_ = 0;
    visit(value, {});
  }

 private:
  bool is_target() { return leaves_++ == target_; }

  template <typename T>
  T other_integer(T value) {
    constexpr T kMax = std::numeric_limits<T>::max();
    switch (prng_.below(7)) {
      case 0:
        return T{0};
      case 1:
        return kMax;
      case 2:
        return static_cast<T>(kMax - 1);
      case 3:
        return static_cast<T>(value + T{1});
      case 4:
        return static_cast<T>(value - T{1});
      case 5:
        return static_cast<T>(value ^ static_cast<T>(T{1} << prng_.below(sizeof(T) * 8)));
      default:
        return static_cast<T>(prng_.next());
    }
  }

  void change_bytes(std::uint8_t* bytes, std::size_t size) {
    if (size == 0) return;
    if (prng_.chance_percent(20)) {
      std::fill_n(bytes, size, std::uint8_t{0});
    } else {
      bytes[prng_.below(size)] ^= static_cast<std::uint8_t>(1U << prng_.below(8));
    }
  }

  template <typename List>
  void change_list(List& list, const Limits& limits) {
    const std::uint64_t way = prng_.below(4);
    if (way == 0 || list.empty()) {
      if (list.size() < limits.max) list.emplace_back();
    } else if (way == 1 && list.size() > limits.min) {
      list.pop_back();
    } else if (way == 2 && list.size() < limits.max) {
      list.push_back(list[prng_.below(list.size())]);
    } else if (list.size() > 1) {
      std::swap(list.front(), list.back());
    }
  }

  template <typename T>
  void visit(T& v, const Limits& limits) {
    if constexpr (kIsVersion<T>) {
      return;
    } else if constexpr (std::same_as<T, bool>) {
      if (is_target()) v = !v;
    } else if constexpr (CodecInteger<T>) {
      if (is_target()) v = other_integer(v);
    } else if constexpr (CodecEnum<T>) {
      constexpr auto kNames = enum_names(T{});
      if (!is_target()) return;
      const auto other = prng_.below(kNames.size());
      if (is_enum_value<T>(other)) v = static_cast<T>(other);
    } else if constexpr (kIsFixedBytes<T>) {
      if (is_target()) change_bytes(v.bytes.data(), v.bytes.size());
    } else if constexpr (kIsNumber<T>) {
      if (is_target()) v.value = other_integer(v.value);
    } else if constexpr (std::same_as<T, Bytes>) {
      if (is_target()) {
        if (prng_.chance_percent(30) && v.size() > limits.min) {
          v.pop_back();
        } else {
          change_bytes(v.data(), v.size());
        }
      }
    } else if constexpr (kIsVector<T>) {
      if (is_target()) return change_list(v, limits);
      for (auto& item : v) visit(item, at_most(limits.item_max));
    } else if constexpr (kIsOptional<T>) {
      if (is_target()) {
        v.reset();
      } else if (v.has_value()) {
        visit(*v, limits);
      }
    } else if constexpr (kIsVariant<T>) {
      std::visit([this](auto& alternative) { visit(alternative, {}); }, v);
    } else {
      T::fields().apply([&](const auto&... f) { (visit(v.*(f.member), f.limits), ...); });
    }
  }

  Prng& prng_;
  std::uint64_t target_ = 0;
  std::uint64_t leaves_ = 0;
};

}  // namespace baolian::sim
