#include "gateway/json_tree.h"

#include "support/catch.h"

using namespace baolian;
using namespace baolian::gateway;

namespace {
std::string number_text(const std::string& text) {
  const auto tree = parse_json("[" + text + "]");
  REQUIRE(tree.has_value());
  REQUIRE(tree->items.at(0).kind == JsonNode::Kind::number);
  return tree->items.at(0).text;
}
Errc refused(const std::string& text) {
  const auto tree = parse_json(text);
  REQUIRE_FALSE(tree.has_value());
  return tree.error().code;
}
}  // namespace

TEST_CASE("json tree: numbers keep their text", "[gateway][json]") {
  for (const char* text : {"0", "-0", "75", "75.00", "16022.33", "0.1", "-5", "1e3", "1E-7",
                           "18446744073709551615", "18446744073709551616", "-9223372036854775808",
                           "123456789012345678901234567890.123456789"}) {
    INFO(text);
    CHECK(number_text(text) == text);
  }
}

TEST_CASE("json tree: objects know where they stand in the source", "[gateway][json]") {
  const std::string text =
      "\xEF\xBB\xBF { \"a\" : [ 1 , {\"b\":{}, \"c\":\"}{\\\"保\"} , 2.5 ] }  ";
  const auto tree = parse_json(text);
  REQUIRE(tree.has_value());
  const JsonNode& inner = tree->find("a")->items.at(1);
  CHECK(text.substr(inner.begin, inner.end - inner.begin) == "{\"b\":{}, \"c\":\"}{\\\"保\"}");
  const JsonNode& empty = *inner.find("b");
  CHECK(text.substr(empty.begin, empty.end - empty.begin) == "{}");
  CHECK(text.substr(tree->begin, tree->end - tree->begin) == text.substr(4, text.size() - 6));
}

TEST_CASE("json tree: depth, count and double keys are bounded", "[gateway][json]") {
  CHECK(parse_json(std::string(64, '[') + std::string(64, ']')).has_value());
  CHECK(refused(std::string(65, '[') + std::string(65, ']')) == Errc::limit_exceeded);
  CHECK(refused(std::string(10'000'000, '[')) == Errc::limit_exceeded);
  std::string many = "[0";
  for (std::size_t i = 0; i < kJsonValuesMax; ++i) many += ",0";
  CHECK(refused(many + "]") == Errc::limit_exceeded);
  CHECK(refused(R"({"total":1,"x":2,"total":3})") == Errc::bad_json);
  CHECK(parse_json(R"({"a":{"total":1},"total":3})").has_value());
}

TEST_CASE("json tree: what is no JSON is refused and never repeated", "[gateway][json]") {
  for (const char* text : {"", " ", "{", "[1", "nul", "{\"a\"}", "[1,]", "\"\xFF\"", "[1] x", "01",
                           "1e999", "\"\\ud800\"", "'a'", "{\"a\":1,}"}) {
    INFO(text);
    CHECK(refused(text) == Errc::bad_json);
  }
  const auto tree = parse_json("{\"name\":\"CANARY\",\"x\":CANARY}");
  CHECK(tree.error().context.find("CANARY") == std::string::npos);
}

TEST_CASE("json tree: members are typed", "[gateway][json]") {
  const auto tree = parse_json(R"({"t":"x","n":1,"l":[{}],"o":{},"bad":[1]})");
  REQUIRE(tree.has_value());
  CHECK(*text_member(*tree, "t", 1, "here") == "x");
  CHECK(text_member(*tree, "none", 1, "here")->empty());
  CHECK(text_member(*tree, "t", 0, "here").error().code == Errc::limit_exceeded);
  CHECK(text_member(*tree, "n", 9, "here").error().context == "here: n must be a text");
  CHECK(*number_member(*tree, "n", "here") == "1");
  CHECK(number_member(*tree, "t", "here").error().code == Errc::fhir_invalid);
  CHECK(list_member(*tree, "l", "here")->size() == 1);
  CHECK(list_member(*tree, "bad", "here").error().code == Errc::fhir_invalid);
  CHECK(list_member(*tree, "o", "here").error().code == Errc::fhir_invalid);
  CHECK(*object_member(*tree, "o", "here") != nullptr);
  CHECK(*object_member(*tree, "none", "here") == nullptr);
  CHECK(object_member(*tree, "l", "here").error().code == Errc::fhir_invalid);
}
