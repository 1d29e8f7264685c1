#include "gateway/code_map_json.h"

#include <nlohmann/json.hpp>

#include "gateway/strict_object.h"
#include "ledger/field_limits.h"

namespace baolian::gateway {
namespace {

using contracts::CodeMap;
using contracts::MapEntry;
using contracts::MapTarget;
using contracts::SystemVersion;
using Json = nlohmann::ordered_json;

Result<SystemVersion> read_system(StrictObject object) {
  SystemVersion out;
  TRY(out.system, object.text("system"));
  TRY(out.version, object.text("version"));
  TRY(object.finish());
  return out;
}

Result<MapEntry> read_entry(StrictObject& object) {
  MapEntry out;
  TRY(out.source, object.text("source"));
  TRY(out.relation, object.choice<contracts::Relation>("relation"));
  TRY(std::vector<StrictObject> targets, object.objects("targets"));
  for (StrictObject& one : targets) {
    MapTarget target;
    TRY(target.code, one.text("code"));
    TRY(target.name, one.text("name"));
    TRY(one.finish());
    out.targets.push_back(std::move(target));
  }
  TRY(object.finish());
  return out;
}

Json system_json(const SystemVersion& system) {
  return {{"system", system.system}, {"version", system.version}};
}

}  // namespace

Result<CodeMap> read_code_map_json(std::string_view text) {
  JsonNode node;
  TRY(StrictObject object, parse_strict(text, kCodeMapBytesMax, node));
  CodeMap out;
  TRY(StrictObject name, object.object("name"));
  TRY(out.name.zh, name.text("zh"));
  TRY(out.name.en, name.text("en"));
  TRY(name.finish());
  TRY(StrictObject source, object.object("source"));
  TRY(out.source, read_system(std::move(source)));
  TRY(StrictObject target, object.object("target"));
  TRY(out.target, read_system(std::move(target)));
  TRY(out.provenance, object.text("provenance"));
  TRY(std::vector<StrictObject> entries, object.objects("entries"));
  for (StrictObject& one : entries) {
    TRY(MapEntry entry, read_entry(one));
    out.entries.push_back(std::move(entry));
  }
  TRY(object.finish());
  // First, since its sentences name the entry.
  TRY(contracts::check_code_map(out));
  TRY(ledger::check_field_limits(out));
  return out;
}

std::string write_code_map_json(const CodeMap& map) {
  Json out = {{"name", {{"zh", map.name.zh}, {"en", map.name.en}}},
              {"source", system_json(map.source)},
              {"target", system_json(map.target)},
              {"provenance", map.provenance},
              {"entries", Json::array()}};
  for (const MapEntry& entry : map.entries) {
    Json targets = Json::array();
    for (const MapTarget& target : entry.targets) {
      targets.push_back({{"code", target.code}, {"name", target.name}});
    }
    out["entries"].push_back(
        {{"source", entry.source}, {"relation", enum_name(entry.relation)}, {"targets", targets}});
  }
  return out.dump(1) + '\n';
}

}  // namespace baolian::gateway
