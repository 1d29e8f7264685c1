/// Renders the declared fields of a type as the rows of docs/formats.md, so that document and code
/// cannot differ.
#pragma once

#include <string>

#include "core/codec.h"

namespace baolian {

namespace codec_table {

inline std::string bounds(const Limits& limits, const char* unit) {
  const std::string low = limits.min > 0 ? std::to_string(limits.min) + ".." : "at most ";
  return low + std::to_string(limits.max) + unit;
}

template <typename T>
std::string type_name() {
  if constexpr (kIsVersion<T>) {
    return "u8 = " + std::to_string(T::kValue);
  } else if constexpr (std::same_as<T, bool>) {
    return "bool";
  } else if constexpr (CodecInteger<T>) {
    return std::string(std::is_signed_v<T> ? "i" : "u") + std::to_string(sizeof(T) * 8);
  } else if constexpr (CodecEnum<T>) {
    std::string out = "u" + std::to_string(sizeof(T) * 8) + ":";
    constexpr auto names = enum_names(T{});
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!names[i].empty()) out += " " + std::to_string(i) + " " + std::string(names[i]);
    }
    return out;
  } else if constexpr (kIsFixedBytes<T>) {
    return std::to_string(T::kSize) + " bytes";
  } else if constexpr (kIsNumber<T>) {
    return "u64";
  } else if constexpr (std::same_as<T, Bytes>) {
    return "bytes";
  } else if constexpr (std::same_as<T, std::string>) {
    return "text (UTF-8)";
  } else if constexpr (kIsVector<T>) {
    return "list of " + type_name<typename T::value_type>();
  } else if constexpr (kIsOptional<T>) {
    return "option of " + type_name<typename T::value_type>();
  } else if constexpr (kIsVariant<T>) {
    return "variant";
  } else {
    return std::string(T::kTypeName);
  }
}

template <typename F>
std::string limit_text(const F& f) {
  if (f.limits.max == 0) return "";
  std::string out = bounds(f.limits, "");
  if (f.limits.ascending) out += ", strictly ascending";
  if (f.limits.item_max > 0)
    out += ", each at most " + std::to_string(f.limits.item_max) + " bytes";
  return out;
}

}  // namespace codec_table

/// The Markdown table of a type's fields in wire order: field | type | limit | meaning.
template <CodecStruct T>
std::string format_table() {
  std::string out = "| field | type | limit | meaning |\n|---|---|---|---|\n";
  T::fields().apply([&](const auto&... f) {
    ((out += "| " + std::string(f.name) + " | " +
             codec_table::type_name<typename std::decay_t<decltype(f)>::member_type>() + " | " +
             codec_table::limit_text(f) + " | " + std::string(f.meaning) + " |\n"),
     ...);
  });
  return out;
}

}  // namespace baolian
