/// A type with every kind of field that the codec knows.
#pragma once

#include "core/codec.h"

namespace baolian::test {

enum class Colour : std::uint8_t { red = 1, green = 2, blue = 4 };
constexpr auto enum_names(Colour) {
  return std::array<std::string_view, 5>{"", "red", "green", "", "blue"};
}

enum class Wide : std::uint16_t { first = 0, second = 1 };
constexpr auto enum_names(Wide) { return std::array<std::string_view, 2>{"first", "second"}; }

struct Point {
  static constexpr std::string_view kTypeName = "Point";
  std::int32_t x = 0;
  std::uint16_t y = 0;

  friend auto operator<=>(const Point&, const Point&) = default;
  static constexpr auto fields() {
    return field_list(field("x", &Point::x, "first"), field("y", &Point::y, "second"));
  }
};

struct Label {
  static constexpr std::string_view kTypeName = "Label";
  std::string text;

  friend bool operator==(const Label&, const Label&) = default;
  static constexpr auto fields() {
    return field_list(field("text", &Label::text, at_most(16), "words"));
  }
};

struct Everything {
  static constexpr std::string_view kTypeName = "Everything";
  Version<3> version;
  std::uint8_t u8 = 0;
  std::uint16_t u16 = 0;
  std::uint32_t u32 = 0;
  std::uint64_t u64 = 0;
  std::int8_t i8 = 0;
  std::int64_t i64 = 0;
  bool flag = false;
  Colour colour = Colour::red;
  Wide wide = Wide::first;
  RequestId id;
  Height height;
  Bytes bytes;
  std::string text;
  Point point;
  std::vector<Point> points;
  std::vector<std::uint16_t> set;
  std::vector<std::string> texts;
  std::optional<std::uint32_t> number;
  std::optional<Bytes> maybe_bytes;
  std::variant<Point, Label, std::uint64_t> choice;

  friend bool operator==(const Everything&, const Everything&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &Everything::version, "format version"),
        field("u8", &Everything::u8, "1 byte"), field("u16", &Everything::u16, "2 bytes"),
        field("u32", &Everything::u32, "4 bytes"), field("u64", &Everything::u64, "8 bytes"),
        field("i8", &Everything::i8, "signed"), field("i64", &Everything::i64, "signed"),
        field("flag", &Everything::flag, "yes or no"),
        field("colour", &Everything::colour, "with a gap"),
        field("wide", &Everything::wide, "two bytes"), field("id", &Everything::id, "fixed bytes"),
        field("height", &Everything::height, "a strong number"),
        field("bytes", &Everything::bytes, between(1, 8), "byte string"),
        field("text", &Everything::text, at_most(12), "text"),
        field("point", &Everything::point, "a struct"),
        field("points", &Everything::points, at_most(5), "list of structs"),
        field("set", &Everything::set, set_of(6), "ascending"),
        field("texts", &Everything::texts, list_of_bytes(4, 6), "list of texts"),
        field("number", &Everything::number, "option"),
        field("maybe_bytes", &Everything::maybe_bytes, at_most(4), "option of bytes"),
        field("choice", &Everything::choice, "variant"));
  }
};

}  // namespace baolian::test
