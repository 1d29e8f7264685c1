#include "node/divergence.h"

#include <nlohmann/json.hpp>

#include "core/bytes.h"
#include "crypto/hash.h"

namespace baolian::node {

std::string divergence_text(const std::string& reason,
                            const std::map<Height, Executor::UncertifiedBlock>& blocks) {
  using nlohmann::ordered_json;
  ordered_json out = {{"reason", reason}, {"blocks", ordered_json::array()}};
  for (const auto& [height, block] : blocks) {
    ordered_json writes = ordered_json::array();
    for (const auto& [key, value] : block.writes) {
      writes.push_back({{"key", to_hex(key)},
                        {"value", value ? ordered_json(to_hex(*value)) : ordered_json(nullptr)}});
    }
    out["blocks"].push_back({{"height", height.value},
                             {"header", to_hex(block.header)},
                             {"writes", std::move(writes)}});
  }
  return out.dump(1) + "\n";
}

}  // namespace baolian::node
