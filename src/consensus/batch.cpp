#include "consensus/batch.h"

namespace baolian::consensus {

Hash null_digest(const ChainId& chain, Epoch epoch, Height height) {
  Bytes numbers;
  Encoder encoder(numbers);
  encoder.value(epoch);
  encoder.value(height);
  return crypto::hash_in_domain(crypto::domain::kNullBatch, {chain.view(), numbers});
}

}  // namespace baolian::consensus
