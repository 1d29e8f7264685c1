/// HELLO: the first message on every mesh connection, in both directions. It binds the TLS session
/// (through its exporter) to a consensus key, a chain and one run of one node (consensus.md 1.7).
///
/// The exporter value is RFC 8446 7.5 with label kExporterLabel and, as context, the role of the
/// side that signs: "dialer" or "acceptor". So a HELLO is good for one session and one direction;
/// sent back to its signer or replayed on another session it does not verify.
#pragma once

#include <string_view>

#include "core/codec.h"
#include "core/ids.h"
#include "crypto/signing.h"

namespace baolian::net {

inline constexpr std::string_view kExporterLabel = "EXPORTER-baolian-hello";
inline constexpr std::size_t kHelloBytesMax = 1024;  ///< a SignedHello has 218 bytes

/// Which side opened the connection.
enum class LinkRole : std::uint8_t { dialer = 1, acceptor = 2 };
constexpr std::string_view exporter_context(LinkRole signer) {
  return signer == LinkRole::dialer ? "dialer" : "acceptor";
}

/// 16 random bytes chosen when the process starts: two processes that run from copies of one disk
/// differ in it.
using ProcessId = FixedBytes<struct ProcessIdTag, 16>;
/// Keying material exported from a TLS session.
using SessionBinding = FixedBytes<struct SessionBindingTag, 32>;

/// Position of the newest vote that a node has made durable; zeros before the first.
struct VotePosition {
  static constexpr std::string_view kTypeName = "VotePosition";
  Epoch epoch;
  View view;
  Height height;

  friend auto operator<=>(const VotePosition&, const VotePosition&) = default;
  static constexpr auto fields() {
    return field_list(field("epoch", &VotePosition::epoch, "epoch of the vote"),
                      field("view", &VotePosition::view, "view of the vote"),
                      field("height", &VotePosition::height, "height of the vote"));
  }
};

struct Hello {
  static constexpr std::string_view kTypeName = "Hello";
  Version<1> version;
  ChainId chain_id;
  PublicKey node;
  std::uint64_t incarnation = 0;
  std::uint64_t boot_counter = 0;
  ProcessId process_id;
  VotePosition last_vote;
  SessionBinding session;

  friend bool operator==(const Hello&, const Hello&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &Hello::version, "format version"),
        field("chain_id", &Hello::chain_id, "H(canonical genesis)"),
        field("node", &Hello::node, "consensus key of the signer"),
        field("incarnation", &Hello::incarnation, "grows with every restore or re-key"),
        field("boot_counter", &Hello::boot_counter, "durable, one more at every start"),
        field("process_id", &Hello::process_id, "random, chosen at start"),
        field("last_vote", &Hello::last_vote, "newest durable vote"),
        field("session", &Hello::session, "TLS exporter, label EXPORTER-baolian-hello"));
  }
};

struct SignedHello {
  static constexpr std::string_view kTypeName = "SignedHello";
  Hello hello;
  Signature signature;

  friend bool operator==(const SignedHello&, const SignedHello&) = default;
  static constexpr auto fields() {
    return field_list(
        field("hello", &SignedHello::hello, "what is signed (object type hello, epoch 0)"),
        field("signature", &SignedHello::signature, "by hello.node"));
  }
};

/// Signs with the consensus key. Requires: hello.node == signer.public_key().
SignedHello sign_hello(Hello hello, const crypto::Signer& signer);

/// What a receiver knows about the other side before it reads the HELLO.
struct HelloExpectation {
  ChainId chain_id;
  PublicKey node;          ///< the registry's consensus key for the pinned TLS key
  SessionBinding session;  ///< exported by the receiver for the sender's role
};

/// Decodes and checks a HELLO: chain, key, session, then the signature.
/// Returns: the codec's errors; Errc::wrong_chain; Errc::peer_unknown for another key than the
/// registry's; Errc::tls_failed if it was made for another session or direction (replayed or
/// reflected); Errc::bad_signature.
Result<Hello> verify_hello(BytesView bytes, const HelloExpectation& expected,
                           const crypto::Verifier& verifier);

}  // namespace baolian::net
