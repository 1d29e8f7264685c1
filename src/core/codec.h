/// The canonical codec: Borsh's wire rules, decoded strictly. Little-endian fixed integers; u32
/// length before bytes, texts and lists; one tag byte for options, booleans, enums and variants;
/// structs are their fields in order. One value has one encoding: decode(encode(x)) == x and
/// encode(decode(b)) == b.
///
/// A struct declares its fields once, and this drives bytes, JSON form (ledger/json.h) and the
/// tables of docs/formats.md (core/codec_table.h):
///
///   struct Ping {
///     static constexpr std::string_view kTypeName = "Ping";
///     Version<1> version;
///     Height height;
///     Bytes payload;
///     static constexpr auto fields() {
///       return field_list(field("version", &Ping::version, "format version"),
///                              field("height", &Ping::height, "newest certified height"),
///                              field("payload", &Ping::payload, at_most(64), "anything"));
///     }
///   };
///
/// Enums: `constexpr auto enum_names(E)` beside the enum gives the names indexed by value; an empty
/// name is no value.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"

namespace baolian {

/// The first byte of every top-level object. Another value is Errc::unknown_version.
template <std::uint8_t V>
struct Version {
  static constexpr std::uint8_t kValue = V;
  friend bool operator==(const Version&, const Version&) = default;
};

/// Limits of a variable-length field: bytes of a text or byte string, items of a list.
struct Limits {
  std::uint32_t max = 0;
  std::uint32_t min = 0;
  bool ascending = false;      ///< list items strictly ascending: a set
  std::uint32_t item_max = 0;  ///< for lists of bytes or texts: bytes of one item
};

constexpr Limits at_most(std::uint32_t max) { return {.max = max}; }
constexpr Limits between(std::uint32_t min, std::uint32_t max) { return {.max = max, .min = min}; }
constexpr Limits set_of(std::uint32_t max) { return {.max = max, .ascending = true}; }
constexpr Limits list_of_bytes(std::uint32_t max, std::uint32_t item_max) {
  return {.max = max, .item_max = item_max};
}

template <typename Class, typename Member>
struct Field {
  using member_type = Member;
  std::string_view name;
  Member Class::*member;
  Limits limits;
  std::string_view meaning;
};

template <std::size_t I, typename F>
struct FieldAt {
  F field;
};
template <typename Indices, typename... F>
struct FieldSequence;
/// The fields of a type, in wire order. It does what a tuple would: of those, one a type made every
/// file that knows many types seconds slower to compile.
template <std::size_t... I, typename... F>
struct FieldSequence<std::index_sequence<I...>, F...> : FieldAt<I, F>... {
  static constexpr std::size_t kSize = sizeof...(F);

  /// visit(field...), with all of them.
  template <typename Visit>
  constexpr decltype(auto) apply(Visit&& visit) const {
    return visit(static_cast<const FieldAt<I, F>&>(*this).field...);
  }
};

template <typename... F>
constexpr FieldSequence<std::index_sequence_for<F...>, F...> field_list(const F&... fields) {
  return {{fields}...};
}

template <typename T>
inline constexpr bool kIsVector = false;
template <typename T>
inline constexpr bool kIsVector<std::vector<T>> = true;
template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <typename T>
inline constexpr bool kIsVariant = false;
template <typename... T>
inline constexpr bool kIsVariant<std::variant<T...>> = true;
template <typename T>
inline constexpr bool kIsVersion = false;
template <std::uint8_t V>
inline constexpr bool kIsVersion<Version<V>> = true;
template <typename T>
inline constexpr bool kIsFixedBytes = false;
template <typename Tag, std::size_t N>
inline constexpr bool kIsFixedBytes<FixedBytes<Tag, N>> = true;
template <typename T>
inline constexpr bool kIsNumber = false;
template <typename Tag>
inline constexpr bool kIsNumber<Number<Tag>> = true;

template <typename T>
concept CodecStruct = requires {
  T::fields();
};
template <typename T>
concept CodecInteger = std::integral<T> && !std::same_as<T, bool>;
template <typename T>
concept CodecEnum = std::is_enum_v<T> && requires(T t) {
  enum_names(t);
};
template <typename T>
inline constexpr bool kNeedsLimits = kIsVector<T> || std::same_as<T, std::string>;

/// A field of fixed size, or a struct, option, variant or enum.
template <typename Class, typename Member>
constexpr Field<Class, Member> field(std::string_view name, Member Class::*member,
                                     std::string_view meaning) {
  static_assert(!kNeedsLimits<Member>, "lists, texts and byte strings need at_most(n)");
  return {name, member, {}, meaning};
}

/// A field of variable length.
template <typename Class, typename Member>
constexpr Field<Class, Member> field(std::string_view name, Member Class::*member, Limits limits,
                                     std::string_view meaning) {
  return {name, member, limits, meaning};
}

/// True if `value` is one of the enum's named values.
template <CodecEnum E>
constexpr bool is_enum_value(std::uint64_t value) {
  constexpr auto names = enum_names(E{});
  return value < names.size() && !names[static_cast<std::size_t>(value)].empty();
}

/// The declared name; empty for a value that is none.
template <CodecEnum E>
constexpr std::string_view enum_name(E e) {
  constexpr auto names = enum_names(E{});
  const auto index = static_cast<std::size_t>(e);
  return index < names.size() ? names[index] : std::string_view{};
}

/// The value with this name.
template <CodecEnum E>
constexpr std::optional<E> enum_from_name(std::string_view name) {
  constexpr auto names = enum_names(E{});
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty() && names[i] == name) return static_cast<E>(i);
  }
  return std::nullopt;
}

// ---------------------------------------------------------------- encoding

/// How many bytes encode() gives.
template <typename T>
constexpr std::size_t encoded_size(const T& v) {
  if constexpr (kIsVersion<T> || std::same_as<T, bool>) {
    return 1;
  } else if constexpr (CodecInteger<T>) {
    return sizeof(T);
  } else if constexpr (CodecEnum<T>) {
    return sizeof(std::underlying_type_t<T>);
  } else if constexpr (kIsFixedBytes<T>) {
    return T::kSize;
  } else if constexpr (kIsNumber<T>) {
    return sizeof(v.value);
  } else if constexpr (std::same_as<T, Bytes> || std::same_as<T, std::string>) {
    return sizeof(std::uint32_t) + v.size();
  } else if constexpr (kIsVector<T>) {
    std::size_t size = sizeof(std::uint32_t);
    for (const auto& item : v) size += encoded_size(item);
    return size;
  } else if constexpr (kIsOptional<T>) {
    return 1 + (v.has_value() ? encoded_size(*v) : 0);
  } else if constexpr (kIsVariant<T>) {
    return 1 + std::visit([](const auto& alternative) { return encoded_size(alternative); }, v);
  } else {
    static_assert(CodecStruct<T>, "type has no canonical form");
    return T::fields().apply(
        [&](const auto&... f) { return (std::size_t{0} + ... + encoded_size(v.*(f.member))); });
  }
}

/// Appends canonical bytes to a byte string that it does not own.
class Encoder {
 public:
  explicit Encoder(Bytes& out) : out_(out) {}

  template <CodecInteger T>
  void integer(T value) {
    const auto bits = static_cast<std::uint64_t>(value);
    const std::size_t at = out_.size();
    out_.resize(at + sizeof(T));
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      out_[at + i] = static_cast<std::uint8_t>(bits >> (8 * i));
    }
  }
  void raw(BytesView bytes) { append(out_, bytes); }
  void length(std::size_t size) {
    ASSERT(size <= UINT32_MAX);
    integer(static_cast<std::uint32_t>(size));
  }

  /// Requires: the value keeps its declared limits (the pair of the decoder's check).
  template <typename T>
  void value(const T& v, const Limits& limits = {}) {
    if constexpr (kIsVersion<T>) {
      integer(T::kValue);
    } else if constexpr (std::same_as<T, bool>) {
      integer(static_cast<std::uint8_t>(v ? 1 : 0));
    } else if constexpr (CodecInteger<T>) {
      integer(v);
    } else if constexpr (CodecEnum<T>) {
      ASSERT(is_enum_value<T>(static_cast<std::uint64_t>(v)));
      integer(static_cast<std::underlying_type_t<T>>(v));
    } else if constexpr (kIsFixedBytes<T>) {
      raw(v.view());
    } else if constexpr (kIsNumber<T>) {
      integer(v.value);
    } else if constexpr (std::same_as<T, Bytes> || std::same_as<T, std::string>) {
      ASSERT(v.size() >= limits.min && v.size() <= limits.max);
      length(v.size());
      out_.insert(out_.end(), v.begin(), v.end());
    } else if constexpr (kIsVector<T>) {
      ASSERT(v.size() >= limits.min && v.size() <= limits.max);
      length(v.size());
      for (const auto& item : v) value(item, at_most(limits.item_max));
    } else if constexpr (kIsOptional<T>) {
      integer(static_cast<std::uint8_t>(v.has_value() ? 1 : 0));
      if (v.has_value()) value(*v, limits);
    } else if constexpr (kIsVariant<T>) {
      integer(static_cast<std::uint8_t>(v.index()));
      std::visit([this](const auto& alternative) { value(alternative); }, v);
    } else {
      static_assert(CodecStruct<T>, "type has no canonical form");
      T::fields().apply([&](const auto&... f) { (value(v.*(f.member), f.limits), ...); });
    }
  }

 private:
  Bytes& out_;
};

/// The canonical bytes of a value.
template <typename T>
Bytes encode(const T& v) {
  Bytes out;
  out.reserve(encoded_size(v));  // a string that grows by itself is moved several times
  Encoder(out).value(v);
  return out;
}

// ---------------------------------------------------------------- decoding

/// Reads canonical bytes. Every error names the field in which it was found. Limits and the bytes
/// that remain are checked before anything is allocated.
class Decoder {
 public:
  explicit Decoder(BytesView in) : in_(in) {}

  std::size_t remaining() const { return in_.size(); }

  /// Returns: Errc::trailing_bytes if anything is left.
  Result<void> finish() const;

  /// Returns: Errc::truncated.
  template <CodecInteger T>
  Result<void> integer(T& out) {
    return outcome(read_integer(out));
  }
  /// Returns: what decode() does, but for trailing_bytes.
  template <typename T>
  Result<void> value(T& out, const Limits& limits = {}) {
    return outcome(read(out, limits));
  }

 private:
  /// These return false once error_ is set: a Result for every field would cost more than reading
  /// it.
  template <CodecInteger T>
  bool read_integer(T& out) {
    if (in_.size() < sizeof(T)) return truncated();
    using Unsigned = std::make_unsigned_t<T>;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) value |= std::uint64_t{in_[i]} << (8 * i);
    out = static_cast<T>(static_cast<Unsigned>(value));
    in_ = in_.subspan(sizeof(T));
    return true;
  }

  template <typename T>
  bool read(T& out, const Limits& limits = {}) {
    if constexpr (kIsVersion<T>) {
      return version(T::kValue);
    } else if constexpr (std::same_as<T, bool>) {
      return boolean(out);
    } else if constexpr (CodecInteger<T>) {
      return read_integer(out);
    } else if constexpr (CodecEnum<T>) {
      std::underlying_type_t<T> raw{};
      if (!read_integer(raw)) return false;
      if (!is_enum_value<T>(static_cast<std::uint64_t>(raw)))
        return bad_enum(static_cast<std::uint64_t>(raw));
      out = static_cast<T>(raw);
      return true;
    } else if constexpr (kIsFixedBytes<T>) {
      return fixed(out.bytes);
    } else if constexpr (kIsNumber<T>) {
      return read_integer(out.value);
    } else if constexpr (std::same_as<T, Bytes>) {
      return bytes(out, limits);
    } else if constexpr (std::same_as<T, std::string>) {
      return text(out, limits);
    } else if constexpr (kIsVector<T>) {
      return list(out, limits);
    } else if constexpr (kIsOptional<T>) {
      bool present = false;
      if (!boolean(present)) return false;
      out.reset();
      return !present || read(out.emplace(), limits);
    } else if constexpr (kIsVariant<T>) {
      std::uint8_t tag = 0;
      return read_integer(tag) &&
             alternative(out, tag, std::make_index_sequence<std::variant_size_v<T>>());
    } else {
      static_assert(CodecStruct<T>, "type has no canonical form");
      return T::fields().apply([&](const auto&... f) { return (read_field(out, f) && ...); });
    }
  }

  template <typename T, typename F>
  bool read_field(T& out, const F& field) {
    const std::string_view outer = place_;
    place_ = field.name;
    if (!read(out.*(field.member), field.limits)) return false;
    place_ = outer;
    return true;
  }

  template <typename V, std::size_t... I>
  bool alternative(V& out, std::uint8_t tag, std::index_sequence<I...>) {
    if (tag >= sizeof...(I)) return bad_enum(tag);
    bool good = false;
    ((tag == I && (good = read(out.template emplace<I>()), true)) || ...);
    return good;
  }

  template <typename T>
  bool list(std::vector<T>& out, const Limits& limits) {
    std::uint32_t count = 0;
    if (!list_length(count, limits)) return false;
    out.clear();
    out.reserve(count < 64 ? count : 64);
    for (std::uint32_t i = 0; i < count; ++i) {
      if (!read(out.emplace_back(), at_most(limits.item_max))) return false;
      if constexpr (std::totally_ordered<T>) {
        if (limits.ascending && i > 0 && !(out[i - 1] < out[i])) return not_ascending();
      } else {
        ASSERT(!limits.ascending);
      }
    }
    return true;
  }

  bool version(std::uint8_t expected);
  bool boolean(bool& out);
  bool fixed(std::span<std::uint8_t> out);
  bool bytes(Bytes& out, const Limits& limits);
  bool text(std::string& out, const Limits& limits);
  bool list_length(std::uint32_t& count, const Limits& limits);
  bool truncated();
  bool bad_enum(std::uint64_t value);
  bool not_ascending();
  bool at_place(Errc code, const std::string& what);
  Result<void> outcome(bool good);

  BytesView in_;
  std::string_view place_ = "object";
  std::optional<Error> error_;
};

/// Decodes one whole value.
/// Returns: Errc::truncated, trailing_bytes, limit_exceeded, not_canonical, unknown_version,
/// bad_utf8.
template <typename T>
Result<T> decode(BytesView in) {
  T out{};
  Decoder decoder(in);
  TRY(decoder.value(out));
  TRY(decoder.finish());
  return out;
}

}  // namespace baolian
