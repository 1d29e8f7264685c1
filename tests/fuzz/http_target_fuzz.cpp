/// Targets of HTTP requests. Two readings of one target are two ways past a check: what is taken
/// must be read the same way again when it is written out.
#include <algorithm>

#include "core/assert.h"
#include "core/bytes.h"
#include "net/http_target.h"

namespace baolian::fuzz {
namespace {

std::string written(const net::HttpTarget& target) {
  std::string out;
  for (std::size_t at = 0; at < target.path.size();) {
    const std::size_t end = std::min(target.path.find('/', at + 1), target.path.size());
    out += '/' + net::percent_encode(std::string_view(target.path).substr(at + 1, end - at - 1));
    at = end;
  }
  char mark = '?';
  for (const auto& [name, value] : target.query) {
    out += mark + net::percent_encode(name) + '=' + net::percent_encode(value);
    mark = '&';
  }
  return out;
}

}  // namespace
}  // namespace baolian::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace baolian;
  const auto target = net::parse_http_target(as_text({data, size}));
  if (!target) return 0;
  ASSERT(target->path.starts_with('/'));
  ASSERT(is_utf8(target->path));
  ASSERT((target->path + '/').find("/../") == std::string::npos);
  ASSERT((target->path + '/').find("/./") == std::string::npos);
  const auto again = net::parse_http_target(fuzz::written(*target));
  ASSERT(again.has_value());
  ASSERT(again->path == target->path && again->query == target->query);
  return 0;
}
