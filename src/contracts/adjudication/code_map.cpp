#include "contracts/adjudication/code_map.h"

#include <algorithm>

#include "crypto/hash.h"

namespace baolian::contracts {
namespace {

Error bad(std::string what) { return fail(Errc::bad_argument, "code map: " + std::move(what)); }

Result<void> check_entry(const MapEntry& entry) {
  const std::size_t count = entry.targets.size();
  switch (entry.relation) {
    case Relation::exact:
    case Relation::approximate:
      if (count != 1) return bad(entry.source + ": exact and approximate have one target");
      break;
    case Relation::ambiguous:
      if (count < 2) return bad(entry.source + ": ambiguous has two targets or more");
      break;
    case Relation::none:
      if (count != 0) return bad(entry.source + ": none has no target");
      break;
  }
  for (std::size_t i = 1; i < count; ++i) {
    if (entry.targets[i - 1].code >= entry.targets[i].code) {
      return bad(entry.source + ": its targets are not in ascending order, each once");
    }
  }
  return ok();
}

}  // namespace

Transcoding CodeMap::lookup(std::string_view system, std::string_view code) const {
  if (system == target.system) return {Relation::exact, {std::string(code)}};
  if (system != source.system) return {};
  const auto found =
      std::lower_bound(entries.begin(), entries.end(), code,
                       [](const MapEntry& entry, std::string_view c) { return entry.source < c; });
  if (found == entries.end() || found->source != code) return {};
  Transcoding out{found->relation, {}};
  for (const MapTarget& one : found->targets) out.codes.push_back(one.code);
  return out;
}

Result<void> check_code_map(const CodeMap& map) {
  if (map.source.system == map.target.system) {
    return bad("source and target are the same system; give each edition a system of its own");
  }
  for (std::size_t i = 0; i < map.entries.size(); ++i) {
    if (i > 0 && map.entries[i - 1].source >= map.entries[i].source) {
      return bad(map.entries[i].source + ": entries are not in ascending order, each code once");
    }
    TRY(check_entry(map.entries[i]));
  }
  return ok();
}

Hash code_map_content_hash(const CodeMap& map) {
  return crypto::hash_in_domain(crypto::domain::kPublicContent, {encode(map)});
}

}  // namespace baolian::contracts
