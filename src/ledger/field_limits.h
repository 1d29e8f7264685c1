/// Checks a value's declared limits without encoding it: for values that people write (genesis,
/// product definitions), where Encoder would take a limit that is not kept for our own bug.
#pragma once

#include <string>

#include "core/codec.h"

namespace baolian::ledger {

namespace field_limits {

inline Error broken(std::string_view place, const std::string& what) {
  return fail(Errc::limit_exceeded, "field " + std::string(place) + " " + what);
}

template <typename T>
Result<void> check_size(const T& v, const Limits& limits, std::string_view place) {
  if (v.size() < limits.min || v.size() > limits.max) {
    return broken(place, "has " + std::to_string(v.size()) + " elements, allowed are " +
                             std::to_string(limits.min) + " to " + std::to_string(limits.max));
  }
  return ok();
}

template <typename T>
Result<void> check(const T& v, const Limits& limits, std::string_view place);

template <typename T>
Result<void> check_items(const std::vector<T>& v, const Limits& limits, std::string_view place) {
  for (std::size_t i = 0; i < v.size(); ++i) {
    TRY(check(v[i], at_most(limits.item_max), place));
    if constexpr (std::totally_ordered<T>) {
      if (limits.ascending && i > 0 && !(v[i - 1] < v[i])) {
        return fail(Errc::not_canonical,
                    "field " + std::string(place) + " must be strictly ascending");
      }
    }
  }
  return ok();
}

template <typename T>
Result<void> check(const T& v, const Limits& limits, std::string_view place) {
  if constexpr (std::same_as<T, Bytes>) {
    return check_size(v, limits, place);
  } else if constexpr (std::same_as<T, std::string>) {
    TRY(check_size(v, limits, place));
    if (!is_utf8(v)) return fail(Errc::bad_utf8, "field " + std::string(place) + " is not UTF-8");
    return ok();
  } else if constexpr (kIsVector<T>) {
    TRY(check_size(v, limits, place));
    return check_items(v, limits, place);
  } else if constexpr (kIsOptional<T>) {
    if (!v.has_value()) return ok();
    return check(*v, limits, place);
  } else if constexpr (kIsVariant<T>) {
    return std::visit([&](const auto& alternative) { return check(alternative, {}, place); }, v);
  } else if constexpr (CodecEnum<T>) {
    if (is_enum_value<T>(static_cast<std::uint64_t>(v))) return ok();
    return broken(place, "has no such value");
  } else if constexpr (CodecStruct<T>) {
    Result<void> result = ok();
    T::fields().apply([&](const auto&... f) {
      static_cast<void>(((result = check(v.*(f.member), f.limits, f.name)).has_value() && ...));
    });
    return result;
  } else {
    return ok();
  }
}

}  // namespace field_limits

/// Returns: Errc::limit_exceeded, not_canonical or bad_utf8, naming the field whose declared limit
/// is not kept.
template <CodecStruct T>
Result<void> check_field_limits(const T& value) {
  return field_limits::check(value, {}, T::kTypeName);
}

}  // namespace baolian::ledger
