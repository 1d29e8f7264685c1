#include "crypto/commitment.h"

#include "crypto/random.h"

namespace baolian::crypto {

Commitment commit(std::string_view domain, const Salt& salt, BytesView value) {
  return Commitment::from(hash_in_domain(domain, {salt.view(), value}).view());
}

Salt new_salt() { return random_id<Salt>(); }

}  // namespace baolian::crypto
