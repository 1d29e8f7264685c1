/// The target of an HTTP request: "/v1/claims?state=filed&limit=10".
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/result.h"

namespace baolian::net {

struct HttpTarget {
  std::string path;
  std::map<std::string, std::string> query;
};

/// Splits and percent-decodes a target in origin form (RFC 9112 3.2.1); in the query '+' is a
/// space. Two readings of one target are two ways past a check, so whatever is ambiguous is
/// refused. Returns: Errc::http_malformed for a target that does not begin with '/', a broken
/// percent sequence, an encoded '/' or control character in the path, "." or ".." segments, a query
/// name given twice.
Result<HttpTarget> parse_http_target(std::string_view target);

/// Percent-encodes everything but unreserved characters (RFC 3986 2.3), for building targets.
std::string percent_encode(std::string_view text);

}  // namespace baolian::net
