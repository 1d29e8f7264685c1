/// Every message of consensus and every body inside one; then the door of the engine itself:
/// verify_envelope() must judge any bytes from any peer.
#include "fuzz/decoders.h"

namespace baolian::fuzz {
namespace {

const crypto::EpochRecord& epoch() {
  static const crypto::EpochRecord record = [] {
    crypto::EpochRecord out;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      out.validators.push_back(crypto::make_toy_signer(seed)->public_key());
    }
    return out;
  }();
  return record;
}

void check_door(BytesView in) {
  const auto bytes = std::make_shared<const Bytes>(to_bytes(in));
  for (consensus::ReplicaId from = 0; from < 6; ++from) {
    const auto verified =
        consensus::verify_envelope(from, bytes, ChainId{}, epoch(), crypto::toy_verifier());
    if (!verified) continue;
    ASSERT(verified->from() == from);
    ASSERT(encode(verified->envelope()) == *bytes);
    ASSERT(verified->envelope().sender == from || from >= 4);
  }
}

}  // namespace
}  // namespace baolian::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace baolian::fuzz;
  const baolian::BytesView in(data, size);
  ConsensusMessages::check(in);
  if (!in.empty() && in[0] % ConsensusMessages::kSize == 0) check_door(in.subspan(1));
  return 0;
}
