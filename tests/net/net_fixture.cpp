#include "net/net_fixture.h"

#include <algorithm>

#include "crypto/random.h"
#include "support/catch.h"

namespace baolian::test {

crypto::Secret seed_of(std::uint8_t number) {
  crypto::initialize();
  return crypto::Secret::copy_of(Bytes(32, number));
}

ChainId chain_of(std::uint8_t number) { return ChainId::from(Bytes(32, number)); }

Keys::Keys(std::uint8_t number) : signer(crypto::make_ed25519_signer(seed_of(number))) {
  // A TLS key of its own, made from another seed than the consensus key.
  auto made = net::mesh_identity(seed_of(static_cast<std::uint8_t>(number + 100)));
  REQUIRE(made.has_value());
  identity = std::move(*made);
  pin = *net::certificate_pin(identity.certificate_der);
}

bool Seen::has_problem(Errc code) const {
  return std::any_of(problems.begin(), problems.end(),
                     [&](const auto& one) { return one.second.code == code; });
}

MeshNode::MeshNode(const Keys& own, const std::vector<Peer>& peers, Setup setup) {
  net::MeshConfig config;
  config.chain_id = setup.chain;
  config.kind = setup.kind;
  config.listen_port = setup.port;
  config.identity = own.identity.clone();
  config.times = setup.times;
  config.queue_caps = setup.caps;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    net::PeerConfig peer;
    peer.index = static_cast<net::PeerIndex>(i);
    peer.tls_pin = peers[i].keys->pin;
    peer.consensus_key = peers[i].keys->signer->public_key();
    peer.kind = peers[i].kind;
    config.peers.push_back(peer);
  }
  net::MeshCallbacks callbacks;
  net::LocalRun run;
  run.incarnation = 7;
  run.boot_counter = setup.boot_counter;
  crypto::fill_random(run.process_id.bytes);
  callbacks.local_run = [run] { return run; };
  callbacks.judge_hello = setup.judge_hello;
  const auto record = [this](const std::function<void()>& change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  };
  callbacks.on_connected = [this, record](net::PeerIndex peer, const net::Hello& hello) {
    record([&] {
      ++seen_.connects[peer];
      seen_.hellos[peer] = hello;
    });
  };
  callbacks.on_disconnected = [this, record](net::PeerIndex peer) {
    record([&] { ++seen_.disconnects[peer]; });
  };
  callbacks.on_frame = [this, record](net::PeerIndex peer, net::MessageClass message_class,
                                      Bytes content) {
    record([&] { seen_.frames.push_back({peer, message_class, std::move(content)}); });
  };
  callbacks.on_problem = [this, record](std::optional<net::PeerIndex> peer, const Error& why) {
    record([&] { seen_.problems.emplace_back(peer, why); });
  };
  auto made = net::PeerMesh::create(std::move(config), *own.signer, crypto::ed25519_verifier(),
                                    std::move(callbacks));
  if (!made.has_value()) FAIL(made.error().context);
  mesh_ = std::move(*made);
}

MeshNode::~MeshNode() { mesh_->stop(); }

bool MeshNode::wait(const std::function<bool(const Seen&)>& condition) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kDeadline, [&] { return condition(seen_); });
}

bool MeshNode::wait_connected(net::PeerIndex peer, int times) {
  return wait([&](const Seen& seen) {
    const auto at = seen.connects.find(peer);
    return at != seen.connects.end() && at->second >= times;
  });
}

Seen MeshNode::seen() {
  const std::lock_guard lock(mutex_);
  return seen_;
}

bool dials(const Keys& a, const Keys& b) { return a.signer->public_key() < b.signer->public_key(); }

bool say_hello(RawTls& raw, const RawHandshake& handshake) {
  if (!raw.handshake()) return false;
  net::Hello hello;
  hello.chain_id = handshake.chain;
  hello.node = handshake.keys->signer->public_key();
  hello.session = raw.session_binding(net::LinkRole::dialer);
  if (handshake.change) handshake.change(hello);
  const net::SignedHello message = net::sign_hello(hello, *handshake.keys->signer);
  return raw.write_frame(net::FrameKind::hello, encode(message));
}

bool connect_fully(RawTls& raw, const RawHandshake& handshake) {
  if (!say_hello(raw, handshake)) return false;
  const auto hello = raw.read_frame();
  if (!hello || hello->kind != net::FrameKind::hello) return false;
  const auto welcome = raw.read_frame();
  if (!welcome || welcome->kind != net::FrameKind::welcome) return false;
  return raw.write_frame(net::FrameKind::welcome, {});
}

net::Frame frame_of(std::string_view text) { return std::make_shared<const Bytes>(to_bytes(text)); }

}  // namespace baolian::test
