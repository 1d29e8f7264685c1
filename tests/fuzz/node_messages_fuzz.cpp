/// What travels between nodes beside consensus: HELLO, the transaction pool, deliveries,
/// attestations, claims. A HELLO must also be judged, whatever it holds.
#include "fuzz/decoders.h"

namespace baolian::fuzz {
namespace {

void check_hello(BytesView in) {
  // Expecting exactly what the bytes say takes the judgement to its last step, the signature.
  net::HelloExpectation expected;
  const auto message = decode<net::SignedHello>(in);
  if (message) {
    expected = {message->hello.chain_id, message->hello.node, message->hello.session};
  }
  const auto judged = net::verify_hello(in, expected, crypto::toy_verifier());
  ASSERT(!judged || (message && *judged == message->hello));
  if (message) {
    expected.session.bytes[0] ^= 1;
    ASSERT(!net::verify_hello(in, expected, crypto::toy_verifier()));
  }
}

}  // namespace
}  // namespace baolian::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace baolian::fuzz;
  const baolian::BytesView in(data, size);
  NodeMessages::check(in);
  if (!in.empty() && in[0] % NodeMessages::kSize == 0) check_hello(in.subspan(1));
  return 0;
}
