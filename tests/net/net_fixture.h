/// Meshes on loopback that record what happens to them; waiting is on conditions with a deadline.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "crypto/signing.h"
#include "net/peer_mesh.h"
#include "net/raw_tls.h"

namespace baolian::test {

inline constexpr std::chrono::seconds kDeadline{20};

crypto::Secret seed_of(std::uint8_t number);
ChainId chain_of(std::uint8_t number);

/// The keys of one institution's node.
struct Keys {
  explicit Keys(std::uint8_t number);
  std::unique_ptr<crypto::Signer> signer;
  net::TlsIdentity identity;
  Hash pin;
};

struct ReceivedFrame {
  net::PeerIndex from;
  net::MessageClass message_class;
  Bytes content;
};

/// What the callbacks of one mesh saw.
struct Seen {
  std::map<net::PeerIndex, int> connects;
  std::map<net::PeerIndex, int> disconnects;
  std::map<net::PeerIndex, net::Hello> hellos;
  std::vector<ReceivedFrame> frames;
  std::vector<std::pair<std::optional<net::PeerIndex>, Error>> problems;

  bool has_problem(Errc code) const;
};

/// One mesh with its keys. The peers are given as (keys, kind); the index is the position.
class MeshNode {
 public:
  struct Peer {
    const Keys* keys;
    net::PeerKind kind = net::PeerKind::validator;
  };
  struct Setup {
    ChainId chain = chain_of(1);
    net::PeerKind kind = net::PeerKind::validator;
    std::uint16_t port = 0;
    net::MeshTimes times;
    net::QueueCaps caps;
    std::function<Result<void>(net::PeerIndex, const net::Hello&)> judge_hello;
    std::uint64_t boot_counter = 1;
  };

  MeshNode(const Keys& own, const std::vector<Peer>& peers, Setup setup);
  ~MeshNode();

  net::PeerMesh& mesh() { return *mesh_; }
  /// Waits until `condition` holds for what was seen. False at the deadline.
  bool wait(const std::function<bool(const Seen&)>& condition);
  bool wait_connected(net::PeerIndex peer, int times = 1);
  Seen seen();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Seen seen_;
  std::unique_ptr<net::PeerMesh> mesh_;
};

/// True if a node with keys `a` dials one with keys `b`, both validators.
bool dials(const Keys& a, const Keys& b);

/// Completes the handshake of a dialling peer by hand. `change` may spoil the HELLO before it is
/// signed. Returns: nothing if the other side ended it.
struct RawHandshake {
  const Keys* keys;
  ChainId chain = chain_of(1);
  std::function<void(net::Hello&)> change = {};
};
bool say_hello(RawTls& raw, const RawHandshake& handshake);
/// HELLO, then both welcomes. True if connected on both sides.
bool connect_fully(RawTls& raw, const RawHandshake& handshake);

net::Frame frame_of(std::string_view text);

}  // namespace baolian::test
