/// The JSON form of every codec struct, driven by its fields(): for people, the API, the genesis
/// file and evidence files. It is never hashed or signed; canonical bytes are.
///
///   u64, i64, Height and other numbers   decimal text "123": JSON readers lose digits above 2^53
///   smaller integers, versions           number
///   fixed and variable bytes             lower-case hexadecimal text
///   enums                                their declared name
///   options                              null or the value; the key is always there
///   structs, lists                       object with exactly the declared keys, array
///   variants                             {"type": alternative from 0, "value": ...}
///
/// Reading is as strict as the codec: unknown or missing keys, another type of value, ranges,
/// limits and order are errors that name their place, never its content.
/// from_json_form(to_json_form(x)) == x. This header brings nlohmann/json: include it from .cpp
/// files only.
#pragma once

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/codec.h"

namespace baolian::ledger {

using Json = nlohmann::json;

/// Bounds of a text before it is parsed, so that no input can exhaust stack or memory.
struct JsonBounds {
  std::size_t bytes_max = 0;
  std::size_t depth_max = 64;
  std::size_t values_max = 10'000'000;
};

/// Parses a whole text. Returns: Errc::limit_exceeded above the bounds; Errc::bad_json for anything
/// that is not one JSON value in UTF-8 without byte order mark, for a key that stands twice in one
/// object, and for the number -0.
Result<Json> parse_json_text(std::string_view text, const JsonBounds& bounds);

/// The text of a value: keys sorted by byte, one space of indentation a level, no trailing newline.
/// It is what JavaScript's JSON.stringify(value, null, 1) gives for sorted keys.
std::string json_text(const Json& value);

// ---------------------------------------------------------------- writing

template <typename T>
Json to_json_form(const T& v) {
  if constexpr (kIsVersion<T>) {
    return Json(std::uint32_t{T::kValue});
  } else if constexpr (std::same_as<T, bool>) {
    return Json(v);
  } else if constexpr (CodecInteger<T>) {
    if constexpr (sizeof(T) == 8) {
      return Json(std::to_string(v));
    } else {
      return Json(v);
    }
  } else if constexpr (CodecEnum<T>) {
    ASSERT(is_enum_value<T>(static_cast<std::uint64_t>(v)));
    return Json(std::string(enum_name(v)));
  } else if constexpr (kIsFixedBytes<T>) {
    return Json(v.hex());
  } else if constexpr (kIsNumber<T>) {
    return Json(std::to_string(v.value));
  } else if constexpr (std::same_as<T, Bytes>) {
    return Json(to_hex(v));
  } else if constexpr (std::same_as<T, std::string>) {
    return Json(v);
  } else if constexpr (kIsVector<T>) {
    Json out = Json::array();
    for (const auto& item : v) out.push_back(to_json_form(item));
    return out;
  } else if constexpr (kIsOptional<T>) {
    return v.has_value() ? to_json_form(*v) : Json(nullptr);
  } else if constexpr (kIsVariant<T>) {
    Json out = Json::object();
    out["type"] = static_cast<std::uint32_t>(v.index());
    out["value"] = std::visit([](const auto& alternative) { return to_json_form(alternative); }, v);
    return out;
  } else {
    static_assert(CodecStruct<T>, "type has no JSON form");
    Json out = Json::object();
    T::fields().apply(
        [&](const auto&... f) { ((out[std::string(f.name)] = to_json_form(v.*(f.member))), ...); });
    return out;
  }
}

// ---------------------------------------------------------------- reading

/// Reads the JSON form of one value. Every error names the place by keys and positions.
class JsonFormReader {
 public:
  template <typename T>
  Result<void> value(const Json& in, T& out, const Limits& limits = {}) {
    if constexpr (kIsVersion<T>) {
      return version(in, T::kValue);
    } else if constexpr (std::same_as<T, bool>) {
      return boolean(in, out);
    } else if constexpr (kIsNumber<T>) {
      return decimal(in, out.value);
    } else if constexpr (CodecInteger<T>) {
      return integer(in, out);
    } else if constexpr (CodecEnum<T>) {
      if (!in.is_string()) return bad("expected a name");
      const auto found = enum_from_name<T>(in.get_ref<const std::string&>());
      if (!found) return bad("unknown name; it must be one of " + names_of<T>());
      out = *found;
      return ok();
    } else if constexpr (kIsFixedBytes<T>) {
      return fixed(in, out.bytes);
    } else if constexpr (std::same_as<T, Bytes>) {
      return bytes(in, out, limits);
    } else if constexpr (std::same_as<T, std::string>) {
      return text(in, out, limits);
    } else if constexpr (kIsVector<T>) {
      return list(in, out, limits);
    } else if constexpr (kIsOptional<T>) {
      out.reset();
      if (in.is_null()) return ok();
      return value(in, out.emplace(), limits);
    } else if constexpr (kIsVariant<T>) {
      return variant(in, out);
    } else {
      static_assert(CodecStruct<T>, "type has no JSON form");
      if (!in.is_object()) return bad("expected an object");
      TRY(T::fields().apply([&](const auto&... f) { return all_fields(in, out, f...); }));
      if (in.size() != T::fields().kSize) return unknown_key(in, names(T::fields()));
      return ok();
    }
  }

 private:
  struct Step {
    std::string_view key;  ///< empty: a list position
    std::size_t index = 0;
  };

  template <typename Fields>
  static std::vector<std::string_view> names(const Fields& fields) {
    return fields.apply([](const auto&... f) { return std::vector<std::string_view>{f.name...}; });
  }

  template <typename T, typename First, typename... Rest>
  Result<void> all_fields(const Json& in, T& out, const First& first, const Rest&... rest) {
    path_.push_back({.key = first.name});
    const auto found = in.find(std::string(first.name));
    if (found == in.end()) return bad("missing");
    TRY(value(*found, out.*(first.member), first.limits));
    path_.pop_back();
    if constexpr (sizeof...(rest) > 0) {
      return all_fields(in, out, rest...);
    } else {
      return ok();
    }
  }

  template <typename T>
  Result<void> integer(const Json& in, T& out) {
    if constexpr (std::same_as<T, std::uint64_t>) {
      return decimal(in, out);
    } else if constexpr (std::same_as<T, std::int64_t>) {
      return signed_decimal(in, out);
    } else {
      std::int64_t wide = 0;
      TRY(small_number(in, std::int64_t{std::numeric_limits<T>::min()},
                       std::int64_t{std::numeric_limits<T>::max()}, wide));
      out = static_cast<T>(wide);
      return ok();
    }
  }

  template <typename T>
  Result<void> list(const Json& in, std::vector<T>& out, const Limits& limits) {
    if (!in.is_array()) return bad("expected a list");
    TRY(size_within(in.size(), limits));
    out.clear();
    for (std::size_t i = 0; i < in.size(); ++i) {
      path_.push_back({.key = {}, .index = i});
      TRY(value(in[i], out.emplace_back(), at_most(limits.item_max)));
      if constexpr (std::totally_ordered<T>) {
        if (limits.ascending && i > 0 && !(out[i - 1] < out[i])) return not_ascending();
      }
      path_.pop_back();
    }
    return ok();
  }

  template <typename V>
  Result<void> variant(const Json& in, V& out) {
    if (!in.is_object() || in.size() != 2) return bad("expected an object of type and value");
    const auto type = in.find("type");
    const auto content = in.find("value");
    if (type == in.end() || content == in.end()) return bad("expected an object of type and value");
    std::int64_t index = 0;
    TRY(small_number(*type, 0, static_cast<std::int64_t>(std::variant_size_v<V>) - 1, index));
    return alternative<0>(*content, out, static_cast<std::size_t>(index));
  }

  template <std::size_t I, typename V>
  Result<void> alternative(const Json& in, V& out, std::size_t index) {
    if constexpr (I < std::variant_size_v<V>) {
      if (index == I) return value(in, out.template emplace<I>());
      return alternative<I + 1>(in, out, index);
    } else {
      return bad("unknown type");
    }
  }

  Result<void> version(const Json& in, std::uint8_t expected);
  Result<void> boolean(const Json& in, bool& out);
  Result<void> decimal(const Json& in, std::uint64_t& out);
  Result<void> signed_decimal(const Json& in, std::int64_t& out);
  Result<void> small_number(const Json& in, std::int64_t low, std::int64_t high, std::int64_t& out);
  Result<void> fixed(const Json& in, std::span<std::uint8_t> out);
  Result<void> bytes(const Json& in, Bytes& out, const Limits& limits);
  Result<void> text(const Json& in, std::string& out, const Limits& limits);
  Result<void> size_within(std::size_t size, const Limits& limits) const;
  Error unknown_key(const Json& in, const std::vector<std::string_view>& known) const;
  template <CodecEnum E>
  static std::string names_of() {
    std::string out;
    for (const std::string_view name : enum_names(E{})) {
      if (!name.empty()) out.append(out.empty() ? "" : ", ").append(name);
    }
    return out;
  }
  Error bad(std::string_view what) const;
  Error not_ascending() const;
  Error at_place(Errc code, std::string_view what) const;

  std::vector<Step> path_;
};

/// Reads one value from its JSON form.
/// Returns: Errc::bad_json (another type of value, unknown or missing key, unknown name),
/// bad_number, bad_hex, bad_utf8, limit_exceeded, not_canonical (a set out of order),
/// unknown_version.
template <typename T>
Result<T> from_json_form(const Json& in) {
  T out{};
  TRY(JsonFormReader().value(in, out));
  return out;
}

}  // namespace baolian::ledger
