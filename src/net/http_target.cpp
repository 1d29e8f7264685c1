#include "net/http_target.h"

#include "core/bytes.h"

namespace baolian::net {

namespace {

enum class Part : std::uint8_t { path, query };

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> percent_decode(std::string_view text, Part part) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && part == Part::query) c = ' ';
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return fail(Errc::http_malformed, "a broken percent sequence in the request target");
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
      if (part == Part::path && c == '/') {
        return fail(Errc::http_malformed, "an encoded '/' in the path");
      }
    }
    const auto byte = static_cast<unsigned char>(c);
    if (part == Part::path && (byte < 0x20 || byte == 0x7F)) {
      return fail(Errc::http_malformed, "a control character in the path");
    }
    out.push_back(c);
  }
  if (!is_utf8(out)) return fail(Errc::http_malformed, "the request target is not UTF-8");
  return out;
}

Result<void> check_segments(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);  // '/'
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment == "." || segment == "..") {
      return fail(Errc::http_malformed, "a '.' or '..' segment in the path");
    }
    path.remove_prefix(segment.size());
  }
  return ok();
}

}  // namespace

Result<HttpTarget> parse_http_target(std::string_view target) {
  if (target.empty() || target.front() != '/') {
    return fail(Errc::http_malformed, "the request target must begin with '/'");
  }
  HttpTarget out;
  const std::size_t mark = target.find('?');
  TRY(out.path, percent_decode(target.substr(0, mark), Part::path));
  TRY(check_segments(out.path));
  std::string_view rest = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    TRY(std::string name, percent_decode(pair.substr(0, equals), Part::query));
    TRY(std::string value,
        percent_decode(pair.substr(std::min(equals + 1, pair.size())), Part::query));
    if (!out.query.emplace(std::move(name), std::move(value)).second) {
      return fail(Errc::http_malformed, "a query parameter is given twice");
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 0xF]);
  }
  return out;
}

}  // namespace baolian::net
