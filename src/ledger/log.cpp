#include "ledger/log.h"

namespace baolian::ledger {

Bytes log_state_key(const LogId& log) {
  Bytes key = to_bytes(kLogStatePrefix);
  key.reserve(key.size() + 2 + Hash::kSize);
  key.push_back(static_cast<std::uint8_t>(log.kind));
  key.push_back(static_cast<std::uint8_t>('/'));
  append(key, log.id.view());
  return key;
}

}  // namespace baolian::ledger
