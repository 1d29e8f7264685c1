#include "gateway/strict_object.h"

#include <algorithm>
#include <charconv>

#include "gateway/dates.h"
#include "gateway/money.h"

namespace baolian::gateway {
namespace {

constexpr std::uint64_t kDayMs = 86'400'000;

Error bad(const std::string& place, const std::string& what) {
  return fail(Errc::bad_argument, (place.empty() ? "the file" : place) + " " + what);
}

}  // namespace

Result<StrictObject> StrictObject::open(const JsonNode& node, std::string place) {
  if (node.kind != JsonNode::Kind::object) return bad(place, "must be an object");
  return StrictObject(node, std::move(place));
}

std::string StrictObject::place(std::string_view key) const {
  return where_.empty() ? std::string(key) : where_ + '.' + std::string(key);
}

Result<const JsonNode*> StrictObject::member(std::string_view key, JsonNode::Kind kind,
                                             const char* what) {
  asked_.emplace(key);
  const JsonNode* found = node_->find(key);
  if (found == nullptr) return bad(place(key), "is missing");
  if (found->kind != kind) return bad(place(key), std::string("must be ") + what);
  return found;
}

Error StrictObject::no_choice(std::string_view key, const std::string& names) const {
  return bad(place(key), "must be one of: " + names);
}

Result<std::string> StrictObject::text(std::string_view key) {
  TRY(const JsonNode* found, member(key, JsonNode::Kind::text, "a text"));
  return found->text;
}

Result<std::uint64_t> StrictObject::whole(std::string_view key, std::uint64_t max) {
  TRY(const JsonNode* found, member(key, JsonNode::Kind::number, "a whole number"));
  std::uint64_t out = 0;
  const char* end = found->text.data() + found->text.size();
  const auto read = std::from_chars(found->text.data(), end, out);
  if (read.ec != std::errc{} || read.ptr != end || out > max) {
    return bad(place(key), "must be a whole number of 0 to " + std::to_string(max));
  }
  return out;
}

Result<std::uint64_t> StrictObject::amount(std::string_view key, unsigned minor_digits) {
  TRY(const JsonNode* found,
      member(key, JsonNode::Kind::text, "an amount as text, such as \"6000.00\""));
  auto out = parse_amount(found->text, minor_digits);
  if (!out) return fail(out.error().code, place(key) + ": " + out.error().context);
  return out;
}

Result<std::uint32_t> StrictObject::ratio(std::string_view key) {
  TRY(const JsonNode* found, member(key, JsonNode::Kind::text, "a share as text, such as \"0.2\""));
  const auto out = parse_amount(found->text, kRatioDigits);
  if (!out || *out > UINT32_MAX) {
    return bad(place(key), "must be a plain decimal number with at most 6 digits after the point");
  }
  return static_cast<std::uint32_t>(*out);
}

Result<std::uint32_t> StrictObject::date(std::string_view key) {
  TRY(const JsonNode* found,
      member(key, JsonNode::Kind::text, "a date as text, such as \"2026-01-31\""));
  const auto time = parse_fhir_time(found->text, 0);
  if (!time || time->precision != Precision::day) {
    return bad(place(key), "must be a civil date of 1970 or later, such as \"2026-01-31\"");
  }
  return static_cast<std::uint32_t>(time->at.value / kDayMs);
}

Result<StrictObject> StrictObject::object(std::string_view key) {
  TRY(const JsonNode* found, member(key, JsonNode::Kind::object, "an object"));
  return StrictObject(*found, place(key));
}

Result<std::vector<StrictObject>> StrictObject::objects(std::string_view key) {
  TRY(const JsonNode* found, member(key, JsonNode::Kind::list, "a list"));
  std::vector<StrictObject> out;
  for (std::size_t i = 0; i < found->items.size(); ++i) {
    TRY(StrictObject one,
        StrictObject::open(found->items[i], place(key) + '[' + std::to_string(i) + ']'));
    out.push_back(std::move(one));
  }
  return out;
}

Result<std::vector<std::string>> StrictObject::texts(std::string_view key) {
  TRY(const JsonNode* found, member(key, JsonNode::Kind::list, "a list of texts"));
  std::vector<std::string> out;
  for (const JsonNode& item : found->items) {
    if (item.kind != JsonNode::Kind::text) return bad(place(key), "must be a list of texts");
    out.push_back(item.text);
  }
  return out;
}

Result<void> StrictObject::finish() const {
  for (const std::string& key : node_->keys) {
    if (!asked_.contains(key)) return bad(place(key), "is not known here; remove it");
  }
  return ok();
}

Result<StrictObject> parse_strict(std::string_view text, std::size_t bytes_max, JsonNode& node) {
  if (text.size() > bytes_max) {
    return fail(Errc::limit_exceeded,
                "the file has more than " + std::to_string(bytes_max) + " bytes");
  }
  TRY(node, parse_json(text));
  return StrictObject::open(node, "");
}

std::string decimal_text(std::uint64_t minor, unsigned digits, Zeros zeros) {
  std::string out = std::to_string(minor);
  if (digits == 0) return out;
  if (out.size() <= digits) out.insert(0, digits + 1 - out.size(), '0');
  out.insert(out.size() - digits, 1, '.');
  if (zeros == Zeros::trimmed) {
    out.erase(out.find_last_not_of('0') + 1);
    if (out.back() == '.') out.pop_back();
  }
  return out;
}

}  // namespace baolian::gateway
