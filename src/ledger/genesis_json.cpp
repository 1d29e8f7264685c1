#include "ledger/genesis_json.h"

#include "ledger/json.h"

namespace baolian::ledger {

std::string genesis_to_json(const Genesis& genesis) {
  return json_text(to_json_form(genesis)) + "\n";
}

Result<Genesis> genesis_from_json(std::string_view text) {
  TRY(const Json json, parse_json_text(text, {.bytes_max = kGenesisJsonBytesMax}));
  TRY(Genesis genesis, from_json_form<Genesis>(json));
  TRY(check_genesis(genesis));
  return genesis;
}

}  // namespace baolian::ledger
