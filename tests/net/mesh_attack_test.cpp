/// One honest mesh and a peer that does what our own code never would. The peer is registered as an
/// observer, so that the honest node waits for it to dial.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net_fixture.h"
#include "support/catch.h"

using namespace baolian;  // NOLINT: a test
using baolian::net::FrameKind;
using baolian::net::MessageClass;
using baolian::test::chain_of;
using baolian::test::frame_of;
using baolian::test::Keys;
using baolian::test::MeshNode;
using baolian::test::RawTls;
using baolian::test::RawTlsOptions;
using baolian::test::Seen;

namespace {

struct Attack {
  Keys honest_keys{1};
  Keys peer_keys{2};
  MeshNode honest;

  explicit Attack(MeshNode::Setup setup = {})
      : honest(honest_keys, {{&peer_keys, net::PeerKind::observer}}, std::move(setup)) {
    honest.mesh().start();
  }
  std::uint16_t port() { return honest.mesh().bound_port(); }
  RawTlsOptions as_peer() const { return {.identity = &peer_keys.identity, .alpn = "baolian/1"}; }
  bool has_problem(Errc code) {
    return honest.wait([&](const Seen& seen) { return seen.has_problem(code); });
  }
  bool never_connected() {
    return honest.seen().connects.empty() && honest.mesh().connected().empty();
  }
};

Bytes header_of(std::uint32_t content_bytes, FrameKind kind) {
  Bytes out;
  net::append_frame_header(out, {content_bytes, kind});
  return out;
}

}  // namespace

TEST_CASE("mesh attack: the hand-made peer connects when it does everything right",
          "[net][mesh][attack]") {
  Attack attack;
  RawTls raw(attack.port(), attack.as_peer());
  REQUIRE(test::connect_fully(raw, {&attack.peer_keys}));
  REQUIRE(attack.honest.wait_connected(0));
  REQUIRE(raw.write_frame(FrameKind::transactions, as_bytes("hello")));
  CHECK(attack.honest.wait([](const Seen& seen) { return seen.frames.size() == 1; }));
  attack.honest.mesh().send(0, MessageClass::votes, frame_of("vote"));
  const auto frame = raw.read_frame();
  REQUIRE(frame.has_value());
  CHECK(frame->kind == FrameKind::votes);
}

TEST_CASE("mesh attack: strangers and old TLS are closed before anything is parsed",
          "[net][mesh][attack]") {
  Attack attack;
  const Keys stranger(5);
  RawTlsOptions options = attack.as_peer();
  SECTION("unknown key") { options.identity = &stranger.identity; }
  SECTION("no certificate") { options.identity = nullptr; }
  SECTION("tls 1.2") { options.is_tls12 = true; }
  SECTION("another protocol") { options.alpn = "h2"; }
  SECTION("no protocol") { options.alpn.clear(); }
  RawTls raw(attack.port(), options);
  // With TLS 1.3 the client may believe in its handshake; a frame of it must still reach nobody.
  if (raw.handshake()) {
    raw.write_frame(FrameKind::hello, Bytes(200, 1));
    CHECK(raw.is_ended_by_peer());
  }
  CHECK(attack.has_problem(Errc::tls_failed));
  CHECK(attack.never_connected());
  CHECK(attack.honest.mesh().counters().refused_hellos == 0);
}

TEST_CASE("mesh attack: a HELLO of another session is refused", "[net][mesh][attack]") {
  Attack attack;
  Bytes recorded;
  {
    RawTls first(attack.port(), attack.as_peer());
    REQUIRE(first.handshake());
    net::Hello hello;
    hello.chain_id = chain_of(1);
    hello.node = attack.peer_keys.signer->public_key();
    hello.session = first.session_binding(net::LinkRole::dialer);
    recorded = encode(net::sign_hello(hello, *attack.peer_keys.signer));
  }
  RawTls second(attack.port(), attack.as_peer());
  REQUIRE(second.handshake());
  REQUIRE(second.write_frame(FrameKind::hello, recorded));
  CHECK(second.is_ended_by_peer());
  CHECK(attack.has_problem(Errc::tls_failed));
  CHECK(attack.honest.mesh().counters().refused_hellos == 1);
  CHECK(attack.honest.mesh().counters().bans == 1);
  CHECK(attack.never_connected());
}

TEST_CASE("mesh attack: a HELLO sent back to its signer is refused", "[net][mesh][attack]") {
  Attack attack;
  RawTls raw(attack.port(), attack.as_peer());
  REQUIRE(raw.handshake());
  const auto theirs = raw.read_frame();
  REQUIRE(theirs.has_value());
  REQUIRE(theirs->kind == FrameKind::hello);
  REQUIRE(raw.write_frame(FrameKind::hello, theirs->content));
  CHECK(raw.is_ended_by_peer());
  CHECK(attack.has_problem(Errc::peer_unknown));
  CHECK(attack.never_connected());
}

TEST_CASE("mesh attack: a HELLO with a wrong field is refused", "[net][mesh][attack]") {
  Attack attack;
  test::RawHandshake handshake{&attack.peer_keys};
  Errc expected = Errc::internal;
  RawTls raw(attack.port(), attack.as_peer());
  const Keys other(7);
  SECTION("exporter of the other direction") {
    handshake.change = [&](net::Hello& h) {
      h.session = raw.session_binding(net::LinkRole::acceptor);
    };
    expected = Errc::tls_failed;
  }
  SECTION("exporter of nothing") {
    handshake.change = [](net::Hello& h) { h.session = {}; };
    expected = Errc::tls_failed;
  }
  SECTION("another chain") {
    handshake.chain = chain_of(2);
    expected = Errc::wrong_chain;
  }
  SECTION("a consensus key that is not registered with this TLS key") {
    handshake.keys = &other;
    expected = Errc::peer_unknown;
  }
  REQUIRE(test::say_hello(raw, handshake));
  CHECK(raw.is_ended_by_peer());
  CHECK(attack.has_problem(expected));
  CHECK(attack.never_connected());
}

TEST_CASE("mesh attack: frames before their time end the connection", "[net][mesh][attack]") {
  Attack attack;
  RawTls raw(attack.port(), attack.as_peer());
  const test::RawHandshake handshake{&attack.peer_keys};
  SECTION("data instead of a HELLO") {
    REQUIRE(raw.handshake());
    raw.write_frame(FrameKind::votes, as_bytes("vote"));
  }
  SECTION("welcome instead of a HELLO") {
    REQUIRE(raw.handshake());
    raw.write_frame(FrameKind::welcome, {});
  }
  SECTION("data after the HELLO, without welcome") {
    REQUIRE(test::say_hello(raw, handshake));
    raw.write_frame(FrameKind::votes, as_bytes("vote"));
  }
  SECTION("two HELLOs") {
    REQUIRE(test::say_hello(raw, handshake));
    raw.write_frame(FrameKind::hello, Bytes(218, 0));
  }
  SECTION("a frame above the limit of the handshake") {
    REQUIRE(raw.handshake());
    raw.write(header_of(net::kHelloBytesMax + 1, FrameKind::hello));
  }
  SECTION("a HELLO that is cut") {
    REQUIRE(raw.handshake());
    raw.write_frame(FrameKind::hello, Bytes{1});
  }
  CHECK(raw.is_ended_by_peer());
  REQUIRE(attack.honest.wait([](const Seen& seen) { return !seen.problems.empty(); }));
  CHECK(attack.never_connected());
  CHECK(attack.honest.seen().frames.empty());
  CHECK(attack.honest.mesh().counters().bans == 1);
}

TEST_CASE("mesh attack: an oversize or unknown frame closes and bans", "[net][mesh][attack]") {
  Attack attack;
  {
    RawTls raw(attack.port(), attack.as_peer());
    REQUIRE(test::connect_fully(raw, {&attack.peer_keys}));
    REQUIRE(attack.honest.wait_connected(0));
    SECTION("oversize") { raw.write(header_of(net::kFrameBytesMax + 1, FrameKind::sync)); }
    SECTION("as large as a length can be") { raw.write(header_of(0xFFFFFFFF, FrameKind::sync)); }
    SECTION("unknown kind") { raw.write(*from_hex("00000000ff")); }
    SECTION("a second welcome") { raw.write_frame(FrameKind::welcome, {}); }
    CHECK(raw.is_ended_by_peer());
  }
  REQUIRE(attack.honest.wait([](const Seen& seen) { return seen.disconnects.count(0) == 1; }));
  CHECK(attack.honest.mesh().counters().bans == 1);
  CHECK(attack.honest.mesh().counters().malformed == 1);
  CHECK(attack.honest.mesh().peers().at(0).is_banned);

  RawTls again(attack.port(), attack.as_peer());
  CHECK_FALSE(test::connect_fully(again, {&attack.peer_keys}));
  CHECK(attack.honest.seen().connects.at(0) == 1);
}

TEST_CASE("mesh attack: a peer that does not read fills its queue and no more",
          "[net][mesh][attack]") {
  MeshNode::Setup setup;
  setup.caps.bytes.fill(1u << 20);
  Attack attack(setup);
  RawTls raw(attack.port(), attack.as_peer());
  REQUIRE(test::connect_fully(raw, {&attack.peer_keys}));
  REQUIRE(attack.honest.wait_connected(0));
  net::PeerMesh& mesh = attack.honest.mesh();
  const auto frame = std::make_shared<const Bytes>(60'000, 1);
  // The kernel's buffers take some of it; then the queues fill, and refuse or drop.
  int sent = 0;
  while (mesh.send(0, MessageClass::transactions, frame) == net::SendOutcome::queued) {
    REQUIRE(++sent < 100'000);
  }
  CHECK(mesh.send(0, MessageClass::transactions, frame) == net::SendOutcome::refused_full);
  // Only the write under way may still be taken by the kernel, so 40 votes cannot all be gone.
  for (int i = 0; i < 400; ++i) CHECK(net::is_queued(mesh.send(0, MessageClass::votes, frame)));
  const auto status = mesh.peers().at(0);
  for (const std::size_t waiting : status.waiting_bytes) CHECK(waiting <= 1u << 20);
  CHECK(status.counters[0].dropped_frames > 0);
  CHECK(status.is_connected);

  // What waits arrives once the peer reads: votes before the transactions that were there first.
  bool has_vote = false;
  while (!has_vote) {
    const auto got = raw.read_frame();
    REQUIRE(got.has_value());
    has_vote = got->kind == FrameKind::votes;
  }
}

TEST_CASE("mesh attack: a second connection of a peer replaces the first", "[net][mesh][attack]") {
  Attack attack;
  RawTls first(attack.port(), attack.as_peer());
  REQUIRE(test::connect_fully(first, {&attack.peer_keys}));
  REQUIRE(attack.honest.wait_connected(0));
  RawTls second(attack.port(), attack.as_peer());
  REQUIRE(test::connect_fully(second, {&attack.peer_keys}));
  REQUIRE(attack.honest.wait_connected(0, 2));
  CHECK(first.is_ended_by_peer());
  CHECK(attack.honest.seen().disconnects.at(0) == 1);
  attack.honest.mesh().send(0, MessageClass::votes, frame_of("vote"));
  const auto frame = second.read_frame();
  REQUIRE(frame.has_value());
  CHECK(frame->content == to_bytes("vote"));
}

TEST_CASE("mesh: silence ends a connection, pings keep it", "[net][mesh]") {
  MeshNode::Setup setup;
  setup.times.link.idle_timeout_ms = 400;
  setup.times.link.keepalive_ms = 50;
  Attack attack(setup);
  RawTls raw(attack.port(), attack.as_peer());
  REQUIRE(test::connect_fully(raw, {&attack.peer_keys}));
  // Twenty pings, each answered: longer than the idle timeout.
  for (int i = 0; i < 20; ++i) {
    const auto ping = raw.read_frame();
    REQUIRE(ping.has_value());
    CHECK(ping->kind == FrameKind::ping);
    REQUIRE(raw.write_frame(FrameKind::ping, {}));
  }
  CHECK(attack.honest.mesh().connected().size() == 1);
  CHECK(raw.is_ended_by_peer());  // it is silent from here
  CHECK(attack.has_problem(Errc::timed_out));
}

TEST_CASE("mesh attack: a handshake that is not finished in time is closed",
          "[net][mesh][attack]") {
  MeshNode::Setup setup;
  setup.times.link.handshake_timeout_ms = 200;
  Attack attack(setup);
  SECTION("TCP only") {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(attack.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    CHECK(attack.has_problem(Errc::timed_out));
    close(fd);
  }
  SECTION("TLS, no HELLO") {
    RawTls raw(attack.port(), attack.as_peer());
    REQUIRE(raw.handshake());
    CHECK(raw.is_ended_by_peer());
    CHECK(attack.has_problem(Errc::timed_out));
  }
  CHECK(attack.never_connected());
}

TEST_CASE("mesh attack: a crowd without keys does not keep a peer out", "[net][mesh][attack]") {
  Attack attack;
  std::vector<int> crowd;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(attack.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < 400; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    crowd.push_back(fd);
  }
  RawTls raw(attack.port(), attack.as_peer());
  CHECK(test::connect_fully(raw, {&attack.peer_keys}));
  CHECK(attack.honest.wait_connected(0));
  CHECK(attack.has_problem(Errc::busy));  // the oldest of the crowd had to go
  for (const int fd : crowd) close(fd);
}
