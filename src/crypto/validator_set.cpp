#include "crypto/validator_set.h"

#include <algorithm>

#include "crypto/hash.h"

namespace baolian::crypto {

Hash validators_hash(const EpochRecord& record) {
  return hash_in_domain(domain::kEpoch, {encode(record)});
}

std::optional<ValidatorIndex> validator_index(const EpochRecord& record, const PublicKey& key) {
  const auto& keys = record.validators;
  const auto at = std::lower_bound(keys.begin(), keys.end(), key);
  if (at == keys.end() || *at != key) return std::nullopt;
  return static_cast<ValidatorIndex>(at - keys.begin());
}

}  // namespace baolian::crypto
