#include "core/codec.h"

#include <limits>

#include "core/codec_sample.h"
#include "core/codec_table.h"
#include "support/catch.h"

namespace baolian::test {
namespace {

template <typename T>
struct Holder {
  static constexpr std::string_view kTypeName = "Holder";
  T value{};
  static constexpr Limits kLimits = at_most(4);
  friend bool operator==(const Holder&, const Holder&) = default;
  static constexpr auto fields() {
    return field_list(field("value", &Holder::value, kLimits, "anything"));
  }
};

struct Words {
  static constexpr std::string_view kTypeName = "Words";
  std::vector<std::string> words;
  static constexpr auto fields() {
    return field_list(field("words", &Words::words, list_of_bytes(2, 3), "words"));
  }
};

struct Numbers {
  static constexpr std::string_view kTypeName = "Numbers";
  std::vector<std::uint16_t> set;  // of uint8_t it would be Bytes, which has no order
  static constexpr auto fields() {
    return field_list(field("set", &Numbers::set, set_of(4), "numbers"));
  }
};

struct Row {
  static constexpr std::string_view kTypeName = "Row";
  Version<2> version;
  Colour colour = Colour::red;
  std::vector<Hash> hashes;
  std::vector<std::string> texts;
  std::optional<Point> point;
  Bytes bytes;
  static constexpr auto fields() {
    return field_list(field("version", &Row::version, "format version"),
                      field("colour", &Row::colour, "of the row"),
                      field("hashes", &Row::hashes, set_of(7), "what it covers"),
                      field("texts", &Row::texts, list_of_bytes(3, 20), "words"),
                      field("point", &Row::point, "where"),
                      field("bytes", &Row::bytes, between(1, 9), "raw"));
  }
};

template <typename T>
Errc refusal(std::string_view digits) {
  const auto outcome = decode<T>(from_hex(digits).value());
  REQUIRE_FALSE(outcome.has_value());
  return outcome.error().code;
}

Everything example() {
  Everything out;
  out.u8 = 0x11;
  out.u16 = 0x2221;
  out.u32 = 0x34333231;
  out.u64 = 0x4847464544434241ULL;
  out.i8 = -2;
  out.i64 = std::numeric_limits<std::int64_t>::min();
  out.flag = true;
  out.colour = Colour::blue;
  out.wide = Wide::second;
  out.id.bytes.fill(0x55);
  out.height = Height{9};
  out.bytes = {0xAA, 0xBB};
  out.text = "\xE4\xBF\x9D";
  out.point = {.x = -1, .y = 7};
  out.points = {{.x = 1, .y = 2}};
  out.set = {3, 256};
  out.texts = {"a", ""};
  out.number = 5;
  out.maybe_bytes = std::nullopt;
  out.choice = Label{"hi"};
  return out;
}

/// One line a field of Everything.
constexpr std::string_view kExampleDigits =
    "03"
    "11"
    "2122"
    "31323334"
    "4142434445464748"
    "fe"
    "0000000000000080"
    "01"
    "04"
    "0100"
    "55555555555555555555555555555555"
    "0900000000000000"
    "02000000aabb"
    "03000000e4bf9d"
    "ffffffff0700"
    "01000000010000000200"
    "0200000003000001"
    "020000000100000061"
    "00000000"
    "0105000000"
    "00"
    "01020000006869";

}  // namespace

TEST_CASE("codec: every kind of field has the bytes of the format, and reads back",
          "[codec][golden]") {
  CHECK(to_hex(encode(example())) == kExampleDigits);
  CHECK(decode<Everything>(from_hex(kExampleDigits).value()).value() == example());
}

TEST_CASE("codec: the size is known before anything is written", "[codec]") {
  const Bytes bytes = encode(example());
  CHECK(encoded_size(example()) == bytes.size());
  CHECK(bytes.capacity() == bytes.size());
}

TEST_CASE("codec: every proper beginning is truncated, every extension trails", "[codec]") {
  Bytes bytes = encode(example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    INFO(size);
    const auto outcome = decode<Everything>(BytesView(bytes).first(size));
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().code == Errc::truncated);
  }
  bytes.push_back(0);
  CHECK(decode<Everything>(bytes).error().code == Errc::trailing_bytes);
}

TEST_CASE("codec: another version is refused as such", "[codec]") {
  Bytes bytes = encode(example());
  for (const int version : {0, 1, 2, 4, 255}) {
    bytes[0] = static_cast<std::uint8_t>(version);
    CHECK(decode<Everything>(bytes).error().code == Errc::unknown_version);
  }
}

TEST_CASE("codec: booleans and option tags are 0 or 1", "[codec]") {
  CHECK(decode<bool>(Bytes{0}).value() == false);
  CHECK(decode<bool>(Bytes{1}).value() == true);
  CHECK(refusal<bool>("02") == Errc::not_canonical);
  CHECK(refusal<bool>("ff") == Errc::not_canonical);
  CHECK(decode<std::optional<std::uint8_t>>(Bytes{0}).value() == std::nullopt);
  CHECK(decode<std::optional<std::uint8_t>>(Bytes{1, 7}).value() == std::uint8_t{7});
  CHECK(refusal<std::optional<std::uint8_t>>("0207") == Errc::not_canonical);
  CHECK(refusal<std::optional<std::uint8_t>>("0007") == Errc::trailing_bytes);
  CHECK(refusal<std::optional<std::uint8_t>>("01") == Errc::truncated);
}

TEST_CASE("codec: an option leaves nothing of an earlier value", "[codec]") {
  std::optional<std::uint8_t> value = 9;
  const Bytes none{0};
  REQUIRE(Decoder(none).value(value).has_value());
  CHECK(value == std::nullopt);
}

TEST_CASE("codec: enums take their named values only", "[codec]") {
  CHECK(decode<Colour>(Bytes{4}).value() == Colour::blue);
  for (const char* digits : {"00", "03", "05", "ff"}) {
    CHECK(refusal<Colour>(digits) == Errc::not_canonical);
  }
  CHECK(decode<Wide>(Bytes{1, 0}).value() == Wide::second);
  CHECK(refusal<Wide>("0200") == Errc::not_canonical);
  CHECK(refusal<Wide>("0001") == Errc::not_canonical);
  CHECK(enum_name(Colour::green) == "green");
  CHECK(enum_name(static_cast<Colour>(200)).empty());
  CHECK(enum_from_name<Colour>("blue") == Colour::blue);
  CHECK(enum_from_name<Colour>("") == std::nullopt);
  CHECK(enum_from_name<Colour>("mauve") == std::nullopt);
}

TEST_CASE("codec: a variant takes its declared tags only", "[codec]") {
  using Choice = std::variant<std::uint8_t, std::uint16_t>;
  CHECK(decode<Choice>(Bytes{0, 7}).value() == Choice(std::uint8_t{7}));
  CHECK(decode<Choice>(Bytes{1, 7, 0}).value() == Choice(std::uint16_t{7}));
  CHECK(refusal<Choice>("0207") == Errc::not_canonical);
  CHECK(refusal<Choice>("ff07") == Errc::not_canonical);
  CHECK(refusal<Choice>("01ff") == Errc::truncated);
}

TEST_CASE("codec: lengths outside the declared limits are refused", "[codec]") {
  CHECK(decode<Holder<Bytes>>(from_hex("0400000001020304").value()).has_value());
  CHECK(refusal<Holder<Bytes>>("050000000102030405") == Errc::limit_exceeded);
  CHECK(refusal<Holder<std::string>>("050000006162636465") == Errc::limit_exceeded);
  CHECK(refusal<Holder<std::vector<std::uint16_t>>>("0500000001000200030004000500") ==
        Errc::limit_exceeded);
  CHECK(refusal<Holder<std::optional<Bytes>>>("01050000000102030405") == Errc::limit_exceeded);
  Everything too_few = example();
  too_few.bytes = {1};
  Bytes bytes = encode(too_few);
  const std::size_t length_at = 1 + 1 + 2 + 4 + 8 + 1 + 8 + 1 + 1 + 2 + 16 + 8;
  REQUIRE(bytes[length_at] == 1);
  bytes[length_at] = 0;
  bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(length_at) + 4);
  CHECK(decode<Everything>(bytes).error().code == Errc::limit_exceeded);
  // Items of a list of texts have their own limit.
  CHECK(decode<Words>(from_hex("0100000003000000616263").value()).has_value());
  CHECK(refusal<Words>("010000000400000061626364") == Errc::limit_exceeded);
}

TEST_CASE("codec: a length beyond the bytes that remain is refused before allocating", "[codec]") {
  constexpr Limits kHuge = at_most(std::numeric_limits<std::uint32_t>::max());
  const Bytes in = from_hex("ffffffff6162").value();
  Bytes bytes;
  CHECK(Decoder(in).value(bytes, kHuge).error().code == Errc::truncated);
  CHECK(bytes.capacity() == 0);
  std::string text;
  const std::size_t capacity_before = text.capacity();
  CHECK(Decoder(in).value(text, kHuge).error().code == Errc::truncated);
  CHECK(text.capacity() == capacity_before);
  std::vector<std::uint64_t> list;
  CHECK(Decoder(in).value(list, kHuge).error().code == Errc::truncated);
  CHECK(list.capacity() == 0);
}

TEST_CASE("codec: a list grows with what was read, not with what it claims", "[codec]") {
  // 1,000,000 items of 136 bytes are claimed, and 1,000,000 bytes are there: 7,352 items.
  Bytes in = from_hex("40420f00").value();
  in.resize(in.size() + 1'000'000);
  using Item = FixedBytes<struct ItemTag, 136>;
  std::vector<Item> list;
  CHECK(Decoder(in).value(list, at_most(1'000'000)).error().code == Errc::truncated);
  CHECK(list.capacity() < 20'000);
}

TEST_CASE("codec: sets are strictly ascending", "[codec]") {
  CHECK(decode<Numbers>(from_hex("00000000").value()).has_value());
  CHECK(decode<Numbers>(from_hex("03000000010002000001").value()).has_value());
  CHECK(refusal<Numbers>("03000000010000010200") == Errc::not_canonical);
  CHECK(refusal<Numbers>("03000000010002000200") == Errc::not_canonical);
  CHECK(refusal<Numbers>("0200000002000100") == Errc::not_canonical);
  // Plain lists have any order.
  CHECK(
      decode<Holder<std::vector<std::uint16_t>>>(from_hex("0200000002000100").value()).has_value());
}

TEST_CASE("codec: texts are UTF-8, byte strings are anything", "[codec]") {
  CHECK(refusal<Holder<std::string>>("02000000c080") == Errc::bad_utf8);
  CHECK(refusal<Holder<std::string>>("01000000ff") == Errc::bad_utf8);
  CHECK(decode<Holder<Bytes>>(from_hex("02000000c080").value()).has_value());
}

TEST_CASE("codec: an error names the field in which it was found", "[codec]") {
  Bytes bytes = encode(example());
  const std::size_t flag_at = 1 + 1 + 2 + 4 + 8 + 1 + 8;
  bytes[flag_at] = 2;
  CHECK(decode<Everything>(bytes).error().context.starts_with("flag:"));
  CHECK(decode<Everything>({}).error().context.starts_with("version:"));
  // After an inner struct, the outer field is named again.
  CHECK(decode<Everything>(BytesView(encode(example())).first(encode(example()).size() - 7))
            .error()
            .context.starts_with("choice:"));
}

TEST_CASE("codec: a decoder reads values one after another", "[codec]") {
  const Bytes in = from_hex("01020304").value();
  Decoder decoder(in);
  std::uint8_t first = 0;
  std::uint16_t second = 0;
  REQUIRE(decoder.integer(first).has_value());
  REQUIRE(decoder.value(second).has_value());
  CHECK(first == 1);
  CHECK(second == 0x0302);
  CHECK(decoder.remaining() == 1);
  CHECK(decoder.finish().error().code == Errc::trailing_bytes);
  std::uint16_t third = 0;
  CHECK(decoder.integer(third).error().code == Errc::truncated);
  CHECK(decoder.remaining() == 1);
}

TEST_CASE("codec: format_table shows every field in wire order", "[codec]") {
  CHECK(format_table<Row>() ==
        "| field | type | limit | meaning |\n"
        "|---|---|---|---|\n"
        "| version | u8 = 2 |  | format version |\n"
        "| colour | u8: 1 red 2 green 4 blue |  | of the row |\n"
        "| hashes | list of 32 bytes | at most 7, strictly ascending | what it covers |\n"
        "| texts | list of text (UTF-8) | at most 3, each at most 20 bytes | words |\n"
        "| point | option of Point |  | where |\n"
        "| bytes | bytes | 1..9 | raw |\n");
}

}  // namespace baolian::test
