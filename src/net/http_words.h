/// What client and server judge alike of HTTP's texts and errors. Includes Beast: for .cpp files.
#pragma once

#include <boost/beast/http/error.hpp>
#include <string>
#include <string_view>

namespace baolian::net {

/// A header's name or value that would end its line.
inline bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

/// Of ASCII letters; others stay.
inline std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// What came was no HTTP, where others are errors of the connection.
inline bool is_http_error(const boost::system::error_code& ec) {
  namespace http = boost::beast::http;
  return ec.category() == make_error_code(http::error::bad_method).category();
}

}  // namespace baolian::net
