#include "ledger/json.h"

#include <algorithm>
#include <charconv>

namespace baolian::ledger {
namespace {

/// What a text holds, counted outside of its quoted strings and before anything is allocated.
struct JsonCounts {
  std::size_t depth_max = 0;
  std::size_t values = 1;  ///< an upper bound
  std::size_t colons = 0;  ///< object members, if the text is JSON
  bool has_negative_zero = false;
};

/// Whether the number at `at` is "-0": a second spelling of 0, which the parser would let through.
bool is_negative_zero(std::string_view text, std::size_t at) {
  const auto next = [&](std::size_t i) { return i < text.size() ? text[i] : ' '; };
  if (next(at) != '-' || next(at + 1) != '0') return false;
  return std::string_view(".eE").find(next(at + 2)) == std::string_view::npos;
}

JsonCounts count_json(std::string_view text) {
  JsonCounts counts;
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
      continue;
    }
    switch (c) {
      case '"':
        quoted = true;
        break;
      case '[':
      case '{':
        counts.depth_max = std::max(counts.depth_max, ++depth);
        ++counts.values;
        break;
      case ']':
      case '}':
        if (depth > 0) --depth;
        break;
      case ',':
        ++counts.values;
        break;
      case ':':
        ++counts.colons;
        break;
      case '-':
        counts.has_negative_zero = counts.has_negative_zero || is_negative_zero(text, i);
        break;
      default:
        break;
    }
  }
  return counts;
}

/// Object members of a parsed value of bounded depth.
std::size_t count_members(const Json& value) {
  if (!value.is_structured()) return 0;
  std::size_t members = value.is_object() ? value.size() : 0;
  for (const Json& item : value) members += count_members(item);
  return members;
}

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_identifier(std::string_view text) {
  return text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || c == '_';
         });
}

/// Decimal digits without sign, leading zeros or anything else.
template <typename T>
bool read_decimal(std::string_view text, T& out) {
  const std::string_view digits = !text.empty() && text[0] == '-' ? text.substr(1) : text;
  if (digits.empty() || (digits.size() > 1 && digits[0] == '0') || text == "-0") return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

Result<Json> parse_json_text(std::string_view text, const JsonBounds& bounds) {
  if (text.size() > bounds.bytes_max) {
    return fail(Errc::limit_exceeded, "the file has " + std::to_string(text.size()) +
                                          " bytes, at most " + std::to_string(bounds.bytes_max) +
                                          " are read");
  }
  const JsonCounts counts = count_json(text);
  if (counts.depth_max > bounds.depth_max || counts.values > bounds.values_max) {
    return fail(Errc::limit_exceeded, "the JSON text is nested too deeply or has too many values");
  }
  // The parser would skip a byte order mark.
  if (text.starts_with("\xEF\xBB\xBF") || counts.has_negative_zero) {
    return fail(Errc::bad_json, "a byte order mark or the number -0 stands in the file");
  }
  Json value = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) {
    return fail(Errc::bad_json, "not one JSON value in UTF-8: the file is damaged or no JSON file");
  }
  if (count_members(value) != counts.colons) {
    return fail(Errc::bad_json, "a key stands twice in one object: remove one of them");
  }
  return value;
}

std::string json_text(const Json& value) {
  // Texts come from checked UTF-8; `replace` only keeps the writer from throwing.
  return value.dump(1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

Error JsonFormReader::at_place(Errc code, std::string_view what) const {
  std::string place;
  for (const Step& step : path_) {
    if (step.key.empty()) {
      place += "[" + std::to_string(step.index) + "]";
    } else {
      if (!place.empty()) place += ".";
      place += step.key;
    }
  }
  if (place.empty()) place = "object";
  return fail(code, place + ": " + std::string(what));
}

Error JsonFormReader::bad(std::string_view what) const { return at_place(Errc::bad_json, what); }

Error JsonFormReader::not_ascending() const {
  return at_place(Errc::not_canonical, "items are not strictly ascending");
}

Error JsonFormReader::unknown_key(const Json& in,
                                  const std::vector<std::string_view>& known) const {
  for (const auto& member : in.items()) {
    const std::string& key = member.key();
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    // A key that is no identifier may be anything, even somebody's name: it is not repeated.
    if (is_identifier(key)) return bad("unknown key " + key);
  }
  return bad("unknown key");
}

Result<void> JsonFormReader::version(const Json& in, std::uint8_t expected) {
  std::int64_t found = 0;
  TRY(small_number(in, 0, 255, found));
  if (found == expected) return ok();
  return at_place(Errc::unknown_version, "version " + std::to_string(found) +
                                             ", this program knows " + std::to_string(expected));
}

Result<void> JsonFormReader::boolean(const Json& in, bool& out) {
  if (!in.is_boolean()) return bad("expected true or false");
  out = in.get<bool>();
  return ok();
}

Result<void> JsonFormReader::decimal(const Json& in, std::uint64_t& out) {
  if (!in.is_string()) return bad("expected a decimal number in quotation marks");
  const auto& digits = in.get_ref<const std::string&>();
  if (digits.starts_with('-') || !read_decimal(digits, out)) {
    return at_place(Errc::bad_number, "not a decimal number below 2^64 without leading zeros");
  }
  return ok();
}

Result<void> JsonFormReader::signed_decimal(const Json& in, std::int64_t& out) {
  if (!in.is_string()) return bad("expected a decimal number in quotation marks");
  if (!read_decimal(in.get_ref<const std::string&>(), out)) {
    return at_place(Errc::bad_number, "not a decimal number of 64 bits without leading zeros");
  }
  return ok();
}

Result<void> JsonFormReader::small_number(const Json& in, std::int64_t low, std::int64_t high,
                                          std::int64_t& out) {
  if (!in.is_number_integer()) return bad("expected a whole number");
  const bool too_large =
      in.is_number_unsigned() && in.get<std::uint64_t>() > static_cast<std::uint64_t>(high);
  if (too_large || in.get<std::int64_t>() < low || in.get<std::int64_t>() > high) {
    return at_place(Errc::bad_number,
                    "outside " + std::to_string(low) + ".." + std::to_string(high));
  }
  out = in.get<std::int64_t>();
  return ok();
}

Result<void> JsonFormReader::fixed(const Json& in, std::span<std::uint8_t> out) {
  if (!in.is_string()) return bad("expected hexadecimal text");
  const auto& digits = in.get_ref<const std::string&>();
  if (digits.size() != out.size() * 2 || !is_lower_hex(digits)) {
    return at_place(Errc::bad_hex, "expected " + std::to_string(out.size() * 2) +
                                       " lower-case hexadecimal digits");
  }
  TRY(const Bytes raw, from_hex(digits));
  std::copy(raw.begin(), raw.end(), out.begin());
  return ok();
}

Result<void> JsonFormReader::size_within(std::size_t size, const Limits& limits) const {
  if (size >= limits.min && size <= limits.max) return ok();
  return at_place(Errc::limit_exceeded, std::to_string(size) + " is outside " +
                                            std::to_string(limits.min) + ".." +
                                            std::to_string(limits.max));
}

Result<void> JsonFormReader::bytes(const Json& in, Bytes& out, const Limits& limits) {
  if (!in.is_string()) return bad("expected hexadecimal text");
  const auto& digits = in.get_ref<const std::string&>();
  if (digits.size() % 2 != 0 || !is_lower_hex(digits)) {
    return at_place(Errc::bad_hex, "expected pairs of lower-case hexadecimal digits");
  }
  TRY(size_within(digits.size() / 2, limits));
  TRY(out, from_hex(digits));
  return ok();
}

Result<void> JsonFormReader::text(const Json& in, std::string& out, const Limits& limits) {
  if (!in.is_string()) return bad("expected a text");
  out = in.get_ref<const std::string&>();
  TRY(size_within(out.size(), limits));
  if (!is_utf8(out)) return at_place(Errc::bad_utf8, "not UTF-8");
  return ok();
}

}  // namespace baolian::ledger
