#include "crypto/validator_set.h"

#include <algorithm>

#include "core/assert.h"
#include "crypto/hash.h"

namespace baolian::crypto {

Hash validators_hash(const EpochRecord& record) {
  return hash_in_domain(domain::kEpoch, {encode(record)});
}

std::string trust_words(const EpochRecord& record) {
  ASSERT(!record.validators.empty());
  const ConsensusKind kind = record.consensus_kind;
  const Quorum quorum{record.validators.size()};
  const auto up_to = [](std::size_t count) {
    return count == 0 ? std::string("none") : "up to " + std::to_string(count);
  };
  const std::string agree = std::to_string(quorum.quorum(kind)) + " of " +
                            std::to_string(quorum.validator_count) + " validators must agree; ";
  if (kind == ConsensusKind::raft) {
    return "Raft: " + agree + up_to(quorum.crashed_max(kind)) +
           " may crash, none may lie: a dishonest leader can certify two histories, a dishonest "
           "majority anything";
  }
  return "PBFT: " + agree + up_to(quorum.lying_max(kind)) + " may crash or lie";
}

std::optional<ValidatorIndex> validator_index(const EpochRecord& record, const PublicKey& key) {
  const auto& keys = record.validators;
  const auto at = std::lower_bound(keys.begin(), keys.end(), key);
  if (at == keys.end() || *at != key) return std::nullopt;
  return static_cast<ValidatorIndex>(at - keys.begin());
}

}  // namespace baolian::crypto
