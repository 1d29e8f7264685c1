#include "net/hello.h"

namespace baolian::net {

SignedHello sign_hello(Hello hello, const crypto::Signer& signer) {
  ASSERT(hello.node == signer.public_key());
  const Hash body_hash = crypto::sha256(encode(hello));
  const Signature signature =
      signer.sign_object(crypto::ObjectType::hello, hello.chain_id, Epoch{0}, body_hash);
  return {hello, signature};
}

Result<Hello> verify_hello(BytesView bytes, const HelloExpectation& expected,
                           const crypto::Verifier& verifier) {
  TRY(const SignedHello message, decode<SignedHello>(bytes));
  const Hello& hello = message.hello;
  if (hello.chain_id != expected.chain_id) {
    return fail(Errc::wrong_chain, "the peer belongs to another chain; compare the genesis files");
  }
  if (hello.node != expected.node) {
    return fail(Errc::peer_unknown,
                "the HELLO names another consensus key than is registered with this TLS key");
  }
  if (hello.session != expected.session) {
    return fail(Errc::tls_failed, "the HELLO was made for another TLS session or direction");
  }
  const Hash body_hash = crypto::sha256(encode(hello));
  if (!verifier.verify_object(hello.node, crypto::ObjectType::hello, hello.chain_id, Epoch{0},
                              body_hash, message.signature)) {
    return fail(Errc::bad_signature, "the signature of the HELLO is not valid");
  }
  return hello;
}

}  // namespace baolian::net
