#include "core/bytes.h"

#include <vector>

#include "core/ids.h"
#include "support/catch.h"

namespace baolian {

TEST_CASE("hex: written lower case, read in both cases", "[bytes]") {
  const Bytes bytes{0x00, 0x0f, 0xa5, 0xff};
  CHECK(to_hex(bytes) == "000fa5ff");
  CHECK(from_hex("000fa5ff").value() == bytes);
  CHECK(from_hex("000FA5Ff").value() == bytes);
  CHECK(to_hex({}).empty());
  CHECK(from_hex("").value().empty());
  Bytes all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  CHECK(from_hex(to_hex(all)).value() == all);
}

TEST_CASE("hex: odd lengths and other characters are refused", "[bytes]") {
  for (const char* text :
       {"0", "abc", "0g", "g0", "0x", " 0", "0 ", "/0", ":0", "@0", "`0", "-1"}) {
    INFO(text);
    CHECK(from_hex(text).error().code == Errc::bad_hex);
  }
  CHECK(from_hex(std::string_view("0\0", 2)).error().code == Errc::bad_hex);
}

TEST_CASE("hex: a fixed-size value takes its own length only", "[bytes]") {
  const std::string digits(64, 'a');
  CHECK(Hash::from_hex_text(digits).value().hex() == digits);
  CHECK(Hash::from_hex_text(digits.substr(2)).error().code == Errc::bad_hex);
  CHECK(Hash::from_hex_text(digits + "aa").error().code == Errc::bad_hex);
}

TEST_CASE("utf8: well-formed texts are accepted (Unicode table 3-7)", "[bytes]") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("claims"));
  CHECK(is_utf8("\xE4\xBF\x9D\xE9\x93\xBE"));
  for (const char* edge :
       {"\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    INFO(to_hex(as_bytes(edge)));
    CHECK(is_utf8(edge));
  }
  CHECK(is_utf8(std::string_view("a\0b", 3)));
}

TEST_CASE("utf8: overlong forms, surrogates, values above U+10FFFF and fragments are refused",
          "[bytes]") {
  for (const char* bad : {"\x80",
                          "\xBF",
                          "\xC0\x80",
                          "\xC1\xBF",
                          "\xC2",
                          "\xC2\x7F",
                          "\xC2\xC0",
                          "\xE0\x80\x80",
                          "\xE0\x9F\xBF",
                          "\xE1\x80",
                          "\xE1\x80\x7F",
                          "\xE1\x7F\x80",
                          "\xED\xA0\x80",
                          "\xED\xBF\xBF",
                          "\xF0\x80\x80\x80",
                          "\xF0\x8F\xBF\xBF",
                          "\xF1\x80\x80",
                          "\xF1\x80\x80\x7F",
                          "\xF4\x90\x80\x80",
                          "\xF5\x80\x80\x80",
                          "\xFE",
                          "\xFF"}) {
    INFO(to_hex(as_bytes(bad)));
    CHECK_FALSE(is_utf8(bad));
    CHECK_FALSE(is_utf8(std::string("ok ") + bad));
    CHECK_FALSE(is_utf8(std::string(bad) + " ok"));
  }
}

TEST_CASE("big endian: values of keys sort as numbers and read back", "[bytes]") {
  Bytes out;
  append_big_endian(out, 0x0102030405060708ULL, 8);
  append_big_endian(out, 0xA1B2, 2);
  append_big_endian(out, 0x11223344, 1);  // the lowest byte
  CHECK(to_hex(out) == "0102030405060708a1b244");
  CHECK(read_big_endian(BytesView(out).first(8)) == 0x0102030405060708ULL);
  CHECK(read_big_endian(BytesView(out).subspan(8, 2)) == 0xA1B2);
  Bytes previous;
  for (const std::uint64_t value : {0ULL, 1ULL, 255ULL, 256ULL, 65535ULL, 65536ULL, ~0ULL}) {
    Bytes key;
    append_big_endian(key, value, 8);
    CHECK(read_big_endian(key) == value);
    CHECK(previous < key);
    previous = key;
  }
}

TEST_CASE("ids: fixed bytes compare as bytes, numbers as numbers", "[ids]") {
  Hash small;
  Hash large;
  CHECK(small.is_zero());
  large.bytes[0] = 0x80;
  small.bytes[31] = 0xFF;
  CHECK_FALSE(small.is_zero());
  CHECK(small < large);
  CHECK(Hash::from(large.view()) == large);
  CHECK(Height{2} < Height{10});
  CHECK(Height{2}.next() == Height{3});
  CHECK(Height{2} + 8 == Height{10});
  Height height{7};
  CHECK((++height).value == 8);
}

}  // namespace baolian
