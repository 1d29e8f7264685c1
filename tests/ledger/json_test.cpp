#include "ledger/json.h"

#include "ledger/evidence_file.h"
#include "ledger/genesis.h"
#include "ledger/random_value.h"
#include "ledger/store.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::ledger;
using namespace baolian::ledger::test;

namespace {

/// Every kind of field once.
enum class Colour : std::uint8_t { red = 1, blue = 3 };
constexpr auto enum_names(Colour) { return std::array<std::string_view, 4>{"", "red", "", "blue"}; }
struct Point {
  static constexpr std::string_view kTypeName = "Point";
  std::int16_t x = 0;
  std::int64_t y = 0;
  friend auto operator<=>(const Point&, const Point&) = default;
  static constexpr auto fields() {
    return field_list(field("x", &Point::x, "x"), field("y", &Point::y, "y"));
  }
};
struct Everything {
  static constexpr std::string_view kTypeName = "Everything";
  Version<3> version;
  bool flag = false;
  std::uint8_t small = 0;
  std::uint32_t medium = 0;
  std::uint64_t large = 0;
  Height height;
  Colour colour = Colour::red;
  RequestId id;
  Bytes bytes;
  std::string text;
  std::vector<std::uint16_t> set;
  std::vector<std::string> texts;
  std::optional<Point> point;
  std::variant<Point, Height> either;

  friend bool operator==(const Everything&, const Everything&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &Everything::version, ""), field("flag", &Everything::flag, ""),
        field("small", &Everything::small, ""), field("medium", &Everything::medium, ""),
        field("large", &Everything::large, ""), field("height", &Everything::height, ""),
        field("colour", &Everything::colour, ""), field("id", &Everything::id, ""),
        field("bytes", &Everything::bytes, at_most(4), ""),
        field("text", &Everything::text, between(1, 8), ""),
        field("set", &Everything::set, set_of(3), ""),
        field("texts", &Everything::texts, list_of_bytes(2, 3), ""),
        field("point", &Everything::point, ""), field("either", &Everything::either, ""));
  }
};

template <typename T>
void check_round_trips(std::uint64_t seed) {
  RandomValues random(seed);
  for (int i = 0; i < 200; ++i) {
    const T value = random.make<T>();
    const Json json = to_json_form(value);
    const auto back = from_json_form<T>(json);
    INFO(T::kTypeName << " " << i);
    REQUIRE(back.has_value());
    REQUIRE(encode(*back) == encode(value));
    // Through text as well, and the text is a function of the value.
    const std::string text = json_text(json);
    const auto parsed = parse_json_text(text, {.bytes_max = text.size()});
    REQUIRE(parsed.has_value());
    REQUIRE(json_text(*parsed) == text);
  }
}

Everything sample() {
  return {.version = {},
          .flag = true,
          .small = 255,
          .medium = 4'000'000'000,
          .large = UINT64_MAX,
          .height = Height{7},
          .colour = Colour::blue,
          .id = {},
          .bytes = {0xAB, 0x00},
          .text = "保\"",
          .set = {1, 5},
          .texts = {"a", ""},
          .point = Point{-2, INT64_MIN},
          .either = Height{9}};
}

Errc error_of(const Json& json) {
  const auto value = from_json_form<Everything>(json);
  return value.has_value() ? Errc::internal : value.error().code;
}

std::string context_of(const Json& json) {
  const auto value = from_json_form<Everything>(json);
  return value.has_value() ? "" : value.error().context;
}

Errc error_with(const char* key, const Json& value) {
  Json json = to_json_form(sample());
  json[key] = value;
  return error_of(json);
}

}  // namespace

TEST_CASE("json: the form of each kind of field is the documented one", "[json]") {
  const std::string expected = R"({
 "bytes": "ab00",
 "colour": "blue",
 "either": {
  "type": 1,
  "value": "9"
 },
 "flag": true,
 "height": "7",
 "id": "00000000000000000000000000000000",
 "large": "18446744073709551615",
 "medium": 4000000000,
 "point": {
  "x": -2,
  "y": "-9223372036854775808"
 },
 "set": [
  1,
  5
 ],
 "small": 255,
 "text": "保\"",
 "texts": [
  "a",
  ""
 ],
 "version": 3
})";
  CHECK(json_text(to_json_form(sample())) == expected);
  Everything empty = sample();
  empty.point.reset();
  empty.set.clear();
  const Json json = to_json_form(empty);
  CHECK(json["point"].is_null());
  CHECK(json_text(json["set"]) == "[]");
  CHECK(*from_json_form<Everything>(json) == empty);
}

TEST_CASE("json: every declared type round-trips through its JSON form and text", "[json]") {
  check_round_trips<Everything>(1);
  check_round_trips<Point>(2);
  check_round_trips<Genesis>(3);
  check_round_trips<Header>(4);
  check_round_trips<crypto::EpochRecord>(5);
  check_round_trips<crypto::ExecCertificate>(6);
  check_round_trips<Transaction>(7);
  check_round_trips<CosignBody>(8);
  check_round_trips<OperationLeaf>(9);
  check_round_trips<Receipt>(10);
  check_round_trips<LogWindowProofs>(11);
  check_round_trips<OperationProofs>(12);
  check_round_trips<StateProofs>(13);
  check_round_trips<TrailLink>(14);
  check_round_trips<FactGroup>(15);
  check_round_trips<Sentence>(16);
  check_round_trips<StoredBlock>(17);
  check_round_trips<Evidence>(18);
}

TEST_CASE("json: a value of another type, range or name is refused", "[json]") {
  CHECK(error_with("flag", 1) == Errc::bad_json);
  CHECK(error_with("flag", "true") == Errc::bad_json);
  CHECK(error_with("small", 256) == Errc::bad_number);
  CHECK(error_with("small", -1) == Errc::bad_number);
  CHECK(error_with("small", 1.0) == Errc::bad_json);
  CHECK(error_with("small", "1") == Errc::bad_json);
  CHECK(error_with("medium", UINT64_MAX) == Errc::bad_number);
  CHECK(error_with("medium", INT64_MIN) == Errc::bad_number);
  for (const char* digits : {"", "-1", "+1", "01", " 1", "1 ", "1.0", "0x1", "-0", "1e3",
                             "18446744073709551616", "99999999999999999999999"}) {
    INFO(digits);
    CHECK(error_with("large", digits) == Errc::bad_number);
    CHECK(error_with("height", digits) == Errc::bad_number);
  }
  CHECK(error_with("large", "0") == Errc::internal);
  CHECK(error_with("large", 5) == Errc::bad_json);
  CHECK(error_with("colour", "") == Errc::bad_json);
  CHECK(error_with("colour", "green") == Errc::bad_json);
  CHECK(error_with("colour", 1) == Errc::bad_json);
  CHECK(error_with("version", 4) == Errc::unknown_version);
  CHECK(error_with("id", "00") == Errc::bad_hex);
  CHECK(error_with("id", "0000000000000000000000000000000A") == Errc::bad_hex);
  CHECK(error_with("id", nullptr) == Errc::bad_json);
  CHECK(error_with("bytes", "abc") == Errc::bad_hex);
  CHECK(error_with("bytes", "AB") == Errc::bad_hex);
  CHECK(error_with("bytes", "0102030405") == Errc::limit_exceeded);
  CHECK(error_with("text", "") == Errc::limit_exceeded);
  CHECK(error_with("text", "123456789") == Errc::limit_exceeded);
  CHECK(error_with("set", Json::parse("[5,1]")) == Errc::not_canonical);
  CHECK(error_with("set", Json::parse("[1,1]")) == Errc::not_canonical);
  CHECK(error_with("set", Json::parse("[1,2,3,4]")) == Errc::limit_exceeded);
  CHECK(error_with("set", Json::parse("{}")) == Errc::bad_json);
  CHECK(error_with("texts", Json::parse("[\"abcd\"]")) == Errc::limit_exceeded);
  CHECK(error_with("point", Json::parse("{\"x\":1}")) == Errc::bad_json);
  CHECK(error_with("either", Json::parse("{\"type\":2,\"value\":\"1\"}")) == Errc::bad_number);
  CHECK(error_with("either", Json::parse("{\"type\":0,\"value\":\"1\"}")) == Errc::bad_json);
  CHECK(error_with("either", Json::parse("{\"type\":1}")) == Errc::bad_json);
}

TEST_CASE("json: unknown and missing keys are refused and named, contents are not", "[json]") {
  Json json = to_json_form(sample());
  json["colour_2"] = 1;
  CHECK(error_of(json) == Errc::bad_json);
  json = to_json_form(sample());
  json["shade"] = 1;
  CHECK(context_of(json).find("shade") != std::string::npos);
  json = to_json_form(sample());
  json["Zhang San"] = 1;
  CHECK(context_of(json) == "object: unknown key");
  const Json whole = to_json_form(sample());
  for (const auto& member : whole.items()) {
    Json without = to_json_form(sample());
    without.erase(member.key());
    CHECK(error_of(without) == Errc::bad_json);
    CHECK(context_of(without) == member.key() + ": missing");
  }
  json = to_json_form(sample());
  json["point"]["x"] = 40'000;
  CHECK(context_of(json) == "point.x: outside -32768..32767");
  json = to_json_form(sample());
  json["set"][1] = "private";
  CHECK(context_of(json) == "set[1]: expected a whole number");
}

TEST_CASE("json: texts that are no single strict JSON value are refused before harm", "[json]") {
  const JsonBounds bounds{.bytes_max = 2'000'000, .depth_max = 64, .values_max = 1000};
  const auto error = [&](std::string_view text) {
    const auto json = parse_json_text(text, bounds);
    return json.has_value() ? Errc::internal : json.error().code;
  };
  CHECK(error("{\"a\":{\"b\":1,\"c\":[{},\"}:{\"]}}") == Errc::internal);
  CHECK(error("{\"a\":\"\\\":\"}") == Errc::internal);
  for (const std::string_view text :
       {"", "{", "{}{}", "nul", "{\"a\":1,}", "[1,]", "{'a':1}", "\"\xff\"", "\"\xed\xa0\x80\"",
        "// c\n1", "\xef\xbb\xbf", "{\"a\":1,\"a\":1}", "[{\"a\":{\"b\":1,\"b\":2}}]", "NaN"}) {
    INFO(text);
    CHECK(error(text) == Errc::bad_json);
  }
  CHECK(error(std::string(65, '[') + std::string(65, ']')) == Errc::limit_exceeded);
  CHECK(error(std::string(64, '[') + std::string(64, ']')) == Errc::internal);
  CHECK(error(std::string(1'000'000, '[')) == Errc::limit_exceeded);
  std::string many = "[0";
  for (int i = 0; i < 1000; ++i) many += ",0";
  CHECK(error(many + "]") == Errc::limit_exceeded);
  CHECK(error(std::string(2'000'001, ' ')) == Errc::limit_exceeded);
}
