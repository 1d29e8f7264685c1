/// Requests and answers as the HTTPS server and client hand them over: plain values.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace baolian::net {

/// Header fields in order. Names arrive in lower case; what is sent keeps the case given.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// The first value of a header, by its lower-case name.
inline std::optional<std::string_view> find_header(const HttpHeaders& headers,
                                                   std::string_view lower_case_name) {
  const auto at = std::find_if(headers.begin(), headers.end(),
                               [&](const auto& one) { return one.first == lower_case_name; });
  if (at == headers.end()) return std::nullopt;
  return std::string_view(at->second);
}

struct HttpRequest {
  std::string method;                        ///< "GET", "POST" ... as sent
  std::string target;                        ///< path and query as sent: what a signature covers
  std::string path;                          ///< decoded, begins with '/'
  std::map<std::string, std::string> query;  ///< decoded; a name given twice is refused with 400
  HttpHeaders headers;                       ///< names in lower case
  std::string body;
  std::string remote_address;  ///< IP address of the client
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  HttpHeaders headers = {};  ///< beside content-type, content-length and connection
};

}  // namespace baolian::net
