#include "gateway/json_tree.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

namespace baolian::gateway {
namespace {

using nlohmann::json;

// Counts the bytes that the parser has taken. The parser calls back for '{' and '}' before it takes
// the next byte, so that the count is then the offset after the brace.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* taken) : at_(at), taken_(taken) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*taken_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) {
    return a.at_ == b.at_;
  }

 private:
  const char* at_;
  std::size_t* taken_;
};

// The events of nlohmann's parser; false ends the parse, with error_ set.
class TreeBuilder {
 public:
  explicit TreeBuilder(const std::size_t& taken) : taken_(taken) {}

  bool null() { return leaf(JsonNode::Kind::null, {}); }
  bool boolean(bool value) { return leaf(JsonNode::Kind::boolean, value ? "true" : "false"); }
  bool number_integer(json::number_integer_t value) {
    // Only called for texts that begin with a minus sign; "-0" must stay negative.
    return leaf(JsonNode::Kind::number, value == 0 ? "-0" : std::to_string(value));
  }
  bool number_unsigned(json::number_unsigned_t value) {
    return leaf(JsonNode::Kind::number, std::to_string(value));
  }
  bool number_float(json::number_float_t, const std::string& text) {
    return leaf(JsonNode::Kind::number, text);
  }
  bool string(std::string& text) { return leaf(JsonNode::Kind::text, std::move(text)); }
  bool binary(json::binary_t&) { return refuse(Errc::bad_json, "binary value"); }
  bool start_object(std::size_t) { return open(JsonNode::Kind::object); }
  bool start_array(std::size_t) { return open(JsonNode::Kind::list); }
  bool key(std::string& key) {
    open_.back()->keys.push_back(std::move(key));
    return true;
  }
  bool end_object() {
    JsonNode& node = *open_.back();
    node.end = static_cast<std::uint32_t>(taken_);
    std::vector<std::string_view> sorted(node.keys.begin(), node.keys.end());
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
      return refuse(Errc::bad_json, "the same key twice in the object that ends");
    }
    open_.pop_back();
    return true;
  }
  bool end_array() {
    open_.pop_back();
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const json::exception&) {
    // The library's text quotes the input, which may be personal data.
    error_ = fail(Errc::bad_json, "not JSON: wrong or missing at byte " + std::to_string(position));
    return false;
  }

  Result<JsonNode> take() {
    if (error_) return *std::move(error_);
    return std::move(root_);
  }

 private:
  bool refuse(Errc code, const char* what) {
    error_ = fail(code, std::string(what) + " at byte " + std::to_string(taken_));
    return false;
  }

  JsonNode* add(JsonNode::Kind kind) {
    if (++values_ > kJsonValuesMax) {
      refuse(Errc::limit_exceeded, "more than 1,000,000 JSON values");
      return nullptr;
    }
    JsonNode* node = open_.empty() ? &root_ : &open_.back()->items.emplace_back();
    node->kind = kind;
    return node;
  }

  bool leaf(JsonNode::Kind kind, std::string text) {
    JsonNode* node = add(kind);
    if (node == nullptr) return false;
    node->text = std::move(text);
    return true;
  }

  bool open(JsonNode::Kind kind) {
    if (open_.size() >= kJsonDepthMax) {
      return refuse(Errc::limit_exceeded, "JSON nested deeper than 64 levels");
    }
    JsonNode* node = add(kind);
    if (node == nullptr) return false;
    node->begin = static_cast<std::uint32_t>(taken_ - 1);
    // Pointers stay valid: a list grows only while no item of it is open.
    open_.push_back(node);
    return true;
  }

  const std::size_t& taken_;
  JsonNode root_;
  std::vector<JsonNode*> open_;
  std::size_t values_ = 0;
  std::optional<Error> error_;
};

Error wrong_kind(std::string_view place, std::string_view key, const char* expected) {
  return fail(Errc::fhir_invalid,
              std::string(place) + ": " + std::string(key) + " must be " + expected);
}

}  // namespace

const JsonNode* JsonNode::find(std::string_view key) const {
  const auto it = std::find(keys.begin(), keys.end(), key);
  if (it == keys.end()) return nullptr;
  return &items[static_cast<std::size_t>(it - keys.begin())];
}

Result<JsonNode> parse_json(std::string_view text) {
  ASSERT(text.size() <= UINT32_MAX);
  std::size_t taken = 0;
  TreeBuilder builder(taken);
  const bool parsed =
      json::sax_parse(CountingIterator(text.data(), &taken),
                      CountingIterator(text.data() + text.size(), &taken), &builder);
  Result<JsonNode> tree = builder.take();
  ASSERT(parsed == tree.has_value());
  return tree;
}

std::string json_quoted(std::string_view text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<const JsonNode*> object_member(const JsonNode& object, std::string_view key,
                                      std::string_view place) {
  const JsonNode* node = object.find(key);
  if (node != nullptr && node->kind != JsonNode::Kind::object) {
    return wrong_kind(place, key, "an object");
  }
  return node;
}

Result<std::span<const JsonNode>> list_member(const JsonNode& object, std::string_view key,
                                              std::string_view place) {
  const JsonNode* node = object.find(key);
  if (node == nullptr) return std::span<const JsonNode>{};
  if (node->kind != JsonNode::Kind::list) return wrong_kind(place, key, "a list");
  for (const JsonNode& item : node->items) {
    if (item.kind != JsonNode::Kind::object) return wrong_kind(place, key, "a list of objects");
  }
  return std::span<const JsonNode>(node->items);
}

Result<std::string> text_member(const JsonNode& object, std::string_view key, std::size_t size_max,
                                std::string_view place) {
  const JsonNode* node = object.find(key);
  if (node == nullptr) return std::string{};
  if (node->kind != JsonNode::Kind::text) return wrong_kind(place, key, "a text");
  if (node->text.size() > size_max) {
    return fail(Errc::limit_exceeded, std::string(place) + ": " + std::string(key) +
                                          " is longer than " + std::to_string(size_max) + " bytes");
  }
  return node->text;
}

Result<std::string> number_member(const JsonNode& object, std::string_view key,
                                  std::string_view place) {
  const JsonNode* node = object.find(key);
  if (node == nullptr) return std::string{};
  if (node->kind != JsonNode::Kind::number) return wrong_kind(place, key, "a number");
  return node->text;
}

}  // namespace baolian::gateway
