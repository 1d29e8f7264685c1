/// Meshes of our own code with each other. What hostile peers do stands in mesh_attack_test.cpp.
#include "net/peer_mesh.h"

#include <algorithm>
#include <thread>

#include "net/net_fixture.h"
#include "support/catch.h"

using namespace baolian;  // NOLINT: a test
using baolian::net::MessageClass;
using baolian::test::chain_of;
using baolian::test::dials;
using baolian::test::frame_of;
using baolian::test::Keys;
using baolian::test::MeshNode;
using baolian::test::Seen;

namespace {

/// Two validators that know each other and each other's address; not started.
struct Pair {
  Keys a_keys{1};
  Keys b_keys{2};
  MeshNode a;
  MeshNode b;

  explicit Pair(MeshNode::Setup a_setup = {}, MeshNode::Setup b_setup = {})
      : a(a_keys, {{&b_keys}}, std::move(a_setup)), b(b_keys, {{&a_keys}}, std::move(b_setup)) {
    a.mesh().set_address(0, "127.0.0.1", b.mesh().bound_port());
    b.mesh().set_address(0, "127.0.0.1", a.mesh().bound_port());
  }
  void start() {
    a.mesh().start();
    b.mesh().start();
  }
  bool start_and_connect() {
    start();
    return a.wait_connected(0) && b.wait_connected(0);
  }
};

}  // namespace

TEST_CASE("mesh: three nodes connect once a pair and exchange frames of every class",
          "[net][mesh]") {
  const Keys k0(1), k1(2), k2(3);
  MeshNode n0(k0, {{&k1}, {&k2}}, {});
  MeshNode n1(k1, {{&k0}, {&k2}}, {});
  MeshNode n2(k2, {{&k0}, {&k1}}, {});
  const std::uint16_t p0 = n0.mesh().bound_port(), p1 = n1.mesh().bound_port(),
                      p2 = n2.mesh().bound_port();
  n0.mesh().set_address(0, "127.0.0.1", p1);
  n0.mesh().set_address(1, "127.0.0.1", p2);
  n1.mesh().set_address(0, "127.0.0.1", p0);
  n1.mesh().set_address(1, "localhost", p2);
  n2.mesh().set_address(0, "127.0.0.1", p0);
  n2.mesh().set_address(1, "127.0.0.1", p1);
  for (MeshNode* n : {&n0, &n1, &n2}) n->mesh().start();
  for (MeshNode* n : {&n0, &n1, &n2}) {
    REQUIRE(n->wait_connected(0));
    REQUIRE(n->wait_connected(1));
    CHECK(n->mesh().connected() == std::vector<net::PeerIndex>{0, 1});
  }
  CHECK(n1.seen().hellos.at(0).node == k0.signer->public_key());
  CHECK(n1.seen().hellos.at(0).incarnation == 7);

  for (std::uint8_t c = 1; c <= net::kMessageClassCount; ++c) {
    CHECK(n0.mesh().broadcast(static_cast<MessageClass>(c), frame_of("to all")) == 2);
  }
  for (MeshNode* n : {&n1, &n2}) {
    REQUIRE(n->wait([](const Seen& seen) { return seen.frames.size() == 5; }));
    for (const auto& frame : n->seen().frames) {
      CHECK(frame.from == 0);
      CHECK(frame.content == to_bytes("to all"));
    }
  }
  CHECK(n2.mesh().send(1, MessageClass::votes, frame_of("back")) == net::SendOutcome::queued);
  REQUIRE(n1.wait([](const Seen& seen) { return seen.frames.size() == 6; }));
  CHECK(n1.seen().frames.back().from == 1);
  for (MeshNode* n : {&n0, &n1, &n2}) {
    CHECK(n->mesh().counters().connects == 2);
    CHECK(n->mesh().counters().disconnects == 0);
  }
}

TEST_CASE("mesh: frames of a class arrive in order and whole, up to 4 MiB", "[net][mesh]") {
  net::QueueCaps caps;
  caps.bytes.fill(64u << 20);
  MeshNode::Setup setup;
  setup.caps = caps;
  Pair pair(setup);
  REQUIRE(pair.start_and_connect());
  std::vector<std::size_t> sizes;
  for (std::size_t i = 0; i < 500; ++i) sizes.push_back(i * 37 % 9000);
  sizes.push_back(net::kFrameBytesMax);
  sizes.push_back(0);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto frame = std::make_shared<const Bytes>(sizes[i], static_cast<std::uint8_t>(i));
    REQUIRE(pair.a.mesh().send(0, MessageClass::proposal, frame) == net::SendOutcome::queued);
  }
  REQUIRE(pair.b.wait([&](const Seen& seen) { return seen.frames.size() == sizes.size(); }));
  const Seen seen = pair.b.seen();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    CHECK(seen.frames[i].content == Bytes(sizes[i], static_cast<std::uint8_t>(i)));
  }
  const auto status = pair.a.mesh().peers().at(0);
  const auto& counters = status.counters[net::class_index(MessageClass::proposal)];
  CHECK(counters.sent_frames == sizes.size());
  CHECK(counters.dropped_frames == 0);
}

TEST_CASE("mesh: many threads send at once and nothing is lost", "[net][mesh]") {
  Pair pair;
  REQUIRE(pair.start_and_connect());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pair, t] {
      net::PeerMesh& mesh = t % 2 == 0 ? pair.a.mesh() : pair.b.mesh();
      for (int i = 0; i < 500; ++i) {
        mesh.send(0, MessageClass::votes, frame_of("vote"));
        mesh.broadcast(MessageClass::transactions, frame_of("body"));
        if (i % 100 == 0) mesh.peers();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (MeshNode* n : {&pair.a, &pair.b}) {
    CHECK(n->wait([](const Seen& seen) { return seen.frames.size() == 2000; }));
  }
}

TEST_CASE("mesh: a peer that restarts is connected again, from either side", "[net][mesh]") {
  const Keys low(dials(Keys(1), Keys(2)) ? 1 : 2), high(dials(Keys(1), Keys(2)) ? 2 : 1);
  REQUIRE(dials(low, high));
  const bool is_dialler_restarted = GENERATE(true, false);
  const Keys& stays_keys = is_dialler_restarted ? high : low;
  const Keys& restarts_keys = is_dialler_restarted ? low : high;
  MeshNode stays(stays_keys, {{&restarts_keys}}, {});
  auto restarts = std::make_unique<MeshNode>(
      restarts_keys, std::vector<MeshNode::Peer>{{&stays_keys}}, MeshNode::Setup{});
  const std::uint16_t port = restarts->mesh().bound_port();
  stays.mesh().set_address(0, "127.0.0.1", port);
  restarts->mesh().set_address(0, "127.0.0.1", stays.mesh().bound_port());
  stays.mesh().start();
  restarts->mesh().start();
  REQUIRE(stays.wait_connected(0));
  REQUIRE(restarts->wait_connected(0));

  restarts->mesh().stop();
  CHECK(restarts->seen().disconnects.at(0) == 1);
  REQUIRE(stays.wait([](const Seen& seen) { return seen.disconnects.count(0) == 1; }));
  CHECK(stays.mesh().connected().empty());
  CHECK(stays.mesh().send(0, MessageClass::votes, frame_of("x")) ==
        net::SendOutcome::not_connected);
  restarts.reset();

  MeshNode::Setup again;
  again.port = port;
  again.boot_counter = 2;
  MeshNode restarted(restarts_keys, {{&stays_keys}}, again);
  restarted.mesh().set_address(0, "127.0.0.1", stays.mesh().bound_port());
  restarted.mesh().start();
  REQUIRE(stays.wait_connected(0, 2));
  REQUIRE(restarted.wait_connected(0));
  CHECK(stays.seen().hellos.at(0).boot_counter == 2);
  stays.mesh().send(0, MessageClass::votes, frame_of("again"));
  CHECK(restarted.wait([](const Seen& seen) { return seen.frames.size() == 1; }));
}

TEST_CASE("mesh: nodes of different chains never connect", "[net][mesh]") {
  MeshNode::Setup other;
  other.chain = chain_of(2);
  Pair pair({}, other);
  pair.start();
  REQUIRE(pair.a.wait([](const Seen& seen) { return seen.has_problem(Errc::wrong_chain); }));
  REQUIRE(pair.b.wait([](const Seen& seen) { return !seen.problems.empty(); }));
  CHECK(pair.a.seen().connects.empty());
  CHECK(pair.b.seen().connects.empty());
  CHECK(pair.a.mesh().connected().empty());
}

TEST_CASE("mesh: a HELLO that one side judges unfit connects neither", "[net][mesh]") {
  const bool is_judge_dialler = GENERATE(true, false);
  MeshNode::Setup refusing;
  refusing.judge_hello = [](net::PeerIndex, const net::Hello&) -> Result<void> {
    return fail(Errc::rejected, "the boot counter went back");
  };
  const bool is_a_dialler = dials(Keys(1), Keys(2));
  const bool is_a_judge = is_a_dialler == is_judge_dialler;
  Pair pair(is_a_judge ? refusing : MeshNode::Setup{}, is_a_judge ? MeshNode::Setup{} : refusing);
  pair.start();
  MeshNode& judge = is_a_judge ? pair.a : pair.b;
  REQUIRE(judge.wait([](const Seen& seen) { return seen.has_problem(Errc::rejected); }));
  // The dialling side has tried again: so it did not take the first try for a connection.
  REQUIRE(judge.wait([](const Seen& seen) { return seen.problems.size() >= 3; }));
  CHECK(pair.a.seen().connects.empty());
  CHECK(pair.b.seen().connects.empty());
  CHECK(judge.mesh().counters().refused_hellos >= 1);
}

TEST_CASE("mesh: an unknown key is refused and connected on neither side", "[net][mesh]") {
  const bool is_stranger_dialler = GENERATE(true, false);
  const bool is_one_lower = dials(Keys(1), Keys(2));
  const Keys stranger(is_one_lower == is_stranger_dialler ? 1 : 2);
  const Keys honest(is_one_lower == is_stranger_dialler ? 2 : 1);
  REQUIRE(dials(stranger, honest) == is_stranger_dialler);
  // The honest node knows this consensus key, but with another TLS key.
  Keys registered(is_one_lower == is_stranger_dialler ? 1 : 2);
  registered.pin = Keys(9).pin;
  MeshNode a(honest, {{&registered}}, {});
  MeshNode b(stranger, {{&honest}}, {});
  a.mesh().set_address(0, "127.0.0.1", b.mesh().bound_port());
  b.mesh().set_address(0, "127.0.0.1", a.mesh().bound_port());
  a.mesh().start();
  b.mesh().start();
  // More than one try of the dialling side, and every one failed on both sides.
  REQUIRE(a.wait([](const Seen& seen) { return seen.problems.size() >= 3; }));
  REQUIRE(b.wait([](const Seen& seen) { return seen.problems.size() >= 3; }));
  CHECK(a.mesh().counters().refused_keys >= 3);
  CHECK(a.seen().connects.empty());
  CHECK(b.seen().connects.empty());
  CHECK(b.mesh().connected().empty());
  CHECK(a.seen().has_problem(Errc::tls_failed));
  CHECK(b.seen().frames.empty());
}

TEST_CASE("mesh: an observer dials validators and is left out of broadcasts", "[net][mesh]") {
  // The validator's key is the lower one: among equals it would dial.
  const Keys validator(dials(Keys(1), Keys(2)) ? 1 : 2), observer(dials(Keys(1), Keys(2)) ? 2 : 1);
  MeshNode::Setup setup;
  setup.kind = net::PeerKind::observer;
  MeshNode v(validator, {{&observer, net::PeerKind::observer}}, {});
  MeshNode o(observer, {{&validator}}, setup);
  o.mesh().set_address(0, "127.0.0.1", v.mesh().bound_port());
  v.mesh().start();
  o.mesh().start();
  REQUIRE(v.wait_connected(0));
  REQUIRE(o.wait_connected(0));
  CHECK(v.mesh().counters().dials == 0);
  CHECK(v.mesh().broadcast(MessageClass::votes, frame_of("vote")) == 0);
  CHECK(o.mesh().broadcast(MessageClass::transactions, frame_of("tx")) == 1);
  CHECK(v.mesh().send(0, MessageClass::sync, frame_of("block")) == net::SendOutcome::queued);
  CHECK(o.wait([](const Seen& seen) { return seen.frames.size() == 1; }));
}

TEST_CASE("mesh: disconnect for a reason bans, longer every time, and then lets in again",
          "[net][mesh]") {
  MeshNode::Setup setup;
  setup.times.ban_min_ms = 100;
  Pair pair(setup);
  REQUIRE(pair.start_and_connect());
  pair.a.mesh().disconnect(0, net::DisconnectReason::invalid_signature);
  REQUIRE(pair.a.wait([](const Seen& seen) { return seen.disconnects.count(0) == 1; }));
  REQUIRE(pair.b.wait([](const Seen& seen) { return seen.disconnects.count(0) == 1; }));
  REQUIRE(pair.a.wait_connected(0, 2));
  CHECK(pair.a.mesh().counters().bans == 1);
  pair.a.mesh().disconnect(0, net::DisconnectReason::other);
  REQUIRE(pair.a.wait_connected(0, 3));
  CHECK(pair.a.mesh().counters().bans == 1);
  CHECK_FALSE(pair.a.mesh().peers().at(0).is_banned);
}

TEST_CASE("mesh: callbacks may send and disconnect", "[net][mesh]") {
  const Keys k0(1), k1(2);
  net::PeerMesh* mesh = nullptr;
  net::MeshConfig config;
  config.chain_id = chain_of(1);
  config.identity = k0.identity.clone();
  config.peers.push_back({.index = 5,
                          .host = "",
                          .port = 0,
                          .tls_pin = k1.pin,
                          .consensus_key = k1.signer->public_key()});
  net::MeshCallbacks callbacks;
  callbacks.local_run = [] { return net::LocalRun{}; };
  callbacks.on_frame = [&mesh](net::PeerIndex from, MessageClass message_class, Bytes content) {
    mesh->send(from, message_class, std::make_shared<const Bytes>(std::move(content)));
    mesh->disconnect(77, net::DisconnectReason::malformed);  // nobody
  };
  auto echo = net::PeerMesh::create(std::move(config), *k0.signer, crypto::ed25519_verifier(),
                                    std::move(callbacks));
  REQUIRE(echo.has_value());
  mesh = echo->get();
  MeshNode node(k1, {{&k0}}, {});
  node.mesh().set_address(0, "127.0.0.1", mesh->bound_port());
  mesh->set_address(5, "127.0.0.1", node.mesh().bound_port());
  mesh->start();
  node.mesh().start();
  REQUIRE(node.wait_connected(0));
  node.mesh().send(0, MessageClass::sync, frame_of("echo"));
  REQUIRE(node.wait([](const Seen& seen) { return seen.frames.size() == 1; }));
  CHECK(node.seen().frames[0].content == to_bytes("echo"));
  mesh->stop();
}

TEST_CASE("mesh: a list of peers that contradicts itself is refused", "[net][mesh]") {
  const Keys own(1), peer(2), third(3);
  const auto create = [&](std::vector<net::PeerConfig> peers) {
    net::MeshConfig config;
    config.identity = own.identity.clone();
    config.peers = std::move(peers);
    net::MeshCallbacks callbacks;
    callbacks.local_run = [] { return net::LocalRun{}; };
    auto made = net::PeerMesh::create(std::move(config), *own.signer, crypto::ed25519_verifier(),
                                      std::move(callbacks));
    return made.has_value() ? Errc::internal : made.error().code;
  };
  const auto named = [](net::PeerIndex index, const Keys& tls, const Keys& consensus) {
    net::PeerConfig out;
    out.index = index;
    out.tls_pin = tls.pin;
    out.consensus_key = consensus.signer->public_key();
    return out;
  };
  CHECK(create({named(0, peer, peer), named(1, third, third)}) == Errc::internal);
  CHECK(create({named(0, peer, peer), named(0, third, third)}) == Errc::config_invalid);
  CHECK(create({named(0, peer, peer), named(1, peer, third)}) == Errc::config_invalid);
  CHECK(create({named(0, peer, peer), named(1, third, peer)}) == Errc::config_invalid);
  CHECK(create({named(0, own, peer)}) == Errc::config_invalid);
  CHECK(create({named(0, peer, own)}) == Errc::config_invalid);
}

TEST_CASE("mesh: an address that is taken is said, not waited for", "[net][mesh]") {
  const Keys own(1), other(2);
  MeshNode first(own, {}, {});
  net::MeshConfig config;
  config.identity = other.identity.clone();
  config.listen_port = first.mesh().bound_port();
  net::MeshCallbacks callbacks;
  callbacks.local_run = [] { return net::LocalRun{}; };
  const auto second = net::PeerMesh::create(std::move(config), *other.signer,
                                            crypto::ed25519_verifier(), std::move(callbacks));
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == Errc::connect_failed);
}
