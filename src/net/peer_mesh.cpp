#include "net/peer_mesh.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <set>

#include "core/prng.h"

namespace baolian::net {

namespace {

using Clock = std::chrono::steady_clock;

Clock::duration milliseconds(std::uint64_t ms) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(ms));
}

/// first, 2 first, 4 first ... up to `max`.
std::uint64_t doubled(std::uint32_t first, std::uint32_t max, std::uint32_t times) {
  std::uint64_t out = first;
  for (std::uint32_t i = 0; i < times && out < max; ++i) out *= 2;
  return std::min<std::uint64_t>(out, max);
}

/// Ends that only a faulty peer causes.
bool is_malformed(Errc code) {
  return code == Errc::limit_exceeded || code == Errc::not_canonical || code == Errc::truncated ||
         code == Errc::trailing_bytes || code == Errc::unknown_version;
}

Result<void> check_peers(const MeshConfig& config, const PublicKey& own_key, const Hash& own_pin) {
  std::set<PeerIndex> indexes;
  std::set<Hash> pins{own_pin};
  std::set<PublicKey> keys{own_key};
  for (const PeerConfig& peer : config.peers) {
    if (!indexes.insert(peer.index).second || !pins.insert(peer.tls_pin).second ||
        !keys.insert(peer.consensus_key).second) {
      return fail(Errc::config_invalid, "peer " + std::to_string(peer.index) +
                                            " repeats an index, TLS pin or consensus key, or has "
                                            "this node's own");
    }
  }
  return ok();
}

}  // namespace

/// Confined to the mesh thread but for what mutex_ guards.
class PeerMesh::State {
 public:
  State(MeshConfig config, const crypto::Signer& signer, const crypto::Verifier& verifier,
        MeshCallbacks callbacks)
      : config_(std::move(config)),
        signer_(signer),
        verifier_(verifier),
        callbacks_(std::move(callbacks)),
        jitter_(config_.jitter_seed) {
    peers_.resize(config_.peers.size());
    for (std::size_t i = 0; i < peers_.size(); ++i) peers_[i].config = config_.peers[i];
    std::sort(peers_.begin(), peers_.end(),
              [](const Peer& a, const Peer& b) { return a.config.index < b.config.index; });
  }

  Result<void> listen();
  void start();
  void stop();
  std::uint16_t bound_port() const { return bound_port_; }
  void set_address(PeerIndex index, std::string host, std::uint16_t port);
  SendOutcome send(PeerIndex index, MessageClass message_class, Frame frame);
  std::size_t broadcast(MessageClass message_class, const Frame& frame);
  void disconnect(PeerIndex index, DisconnectReason reason);
  std::vector<PeerIndex> connected() const;
  std::vector<PeerStatus> statuses() const;
  MeshCounters counters() const {
    const std::lock_guard lock(mutex_);
    return counters_;
  }

 private:
  class Session;
  struct Peer {
    PeerConfig config;           // host, port: guarded by mutex_; the rest never changes
    Session* session = nullptr;  // the connected one
    bool is_dialling = false;
    bool is_redial_waiting = false;
    std::uint32_t failures = 0;
    std::uint32_t ban_count = 0;
    Clock::time_point connected_at;
    // guarded by mutex_:
    std::shared_ptr<Link> link;  // of `session`
    Clock::time_point banned_until;
    std::uint64_t connects = 0;
    Counters ended;  // of connections that are over
  };

  Peer* find(PeerIndex index);
  Peer* find_pin(const Hash& pin);
  bool dials(const Peer& peer) const;
  bool is_banned(const Peer& peer) const {
    const std::lock_guard lock(mutex_);
    return Clock::now() < peer.banned_until;
  }
  void count(std::uint64_t MeshCounters::*counter) {
    const std::lock_guard lock(mutex_);
    ++(counters_.*counter);
  }
  void dial(Peer& peer);
  void redial_later(Peer& peer);
  void ban(Peer& peer);
  void close_sessions(const Peer& peer, const Error& why);
  void connect(Session& session);
  void end(Session& session, const Error& why);

  MeshConfig config_;
  const crypto::Signer& signer_;
  const crypto::Verifier& verifier_;
  const MeshCallbacks callbacks_;
  Prng jitter_;
  std::uint16_t bound_port_ = 0;
  std::vector<Peer> peers_;  // ascending by index; never grows
  std::set<std::shared_ptr<Session>> sessions_;
  bool is_stopping_ = false;
  std::mutex life_mutex_;  // start() and stop() one after the other
  bool is_started_ = false;
  bool is_stopped_ = false;
  mutable std::mutex mutex_;
  MeshCounters counters_;
  MeshLoop loop_;  // last: its links go first
};

/// One connection, from TLS to the end: secured, HELLO verified, welcomed, connected.
class PeerMesh::State::Session final : public LinkHandler {
 public:
  Session(State& mesh, std::shared_ptr<Link> link, LinkRole role, Peer* expected)
      : mesh_(mesh), link_(std::move(link)), role_(role), peer_(expected) {}

  Link& link() { return *link_; }
  const std::shared_ptr<Link>& shared_link() const { return link_; }
  LinkRole role() const { return role_; }
  Peer* peer() const { return peer_; }
  const Hello& hello() const { return hello_; }

  bool accept_pin(const Hash& pin) override {
    Peer* const found = mesh_.find_pin(pin);
    const bool is_expected = role_ == LinkRole::acceptor || found == peer_;
    if (found == nullptr || !is_expected || mesh_.is_banned(*found)) {
      mesh_.count(&MeshCounters::refused_keys);
      return false;
    }
    peer_ = found;
    return true;
  }

  void on_secured() override {
    const auto binding = link_->session_binding(role_);
    if (!binding) return link_->close(binding.error());
    const LocalRun run = mesh_.callbacks_.local_run();
    Hello hello;
    hello.chain_id = mesh_.config_.chain_id;
    hello.node = mesh_.signer_.public_key();
    hello.incarnation = run.incarnation;
    hello.boot_counter = run.boot_counter;
    hello.process_id = run.process_id;
    hello.last_vote = run.last_vote;
    hello.session = *binding;
    link_->queue().push_control(FrameKind::hello, encode(sign_hello(hello, mesh_.signer_)));
  }

  void on_frame(FrameKind kind, Bytes content) override {
    if (kind == FrameKind::hello) return on_hello(content);
    if (kind == FrameKind::welcome) return on_welcome();
    const auto message = message_class(kind);
    if (!is_welcomed_ || !message.has_value()) return out_of_order();
    if (mesh_.callbacks_.on_frame) {
      mesh_.callbacks_.on_frame(peer_->config.index, *message, std::move(content));
    }
  }

  void on_closed(const Error& why) override { mesh_.end(*this, why); }

 private:
  void on_hello(BytesView content) {
    if (is_verified_) return out_of_order();
    const auto sender = role_ == LinkRole::dialer ? LinkRole::acceptor : LinkRole::dialer;
    const auto binding = link_->session_binding(sender);
    if (!binding) return link_->close(binding.error());
    auto hello = verify_hello(
        content, {mesh_.config_.chain_id, peer_->config.consensus_key, *binding}, mesh_.verifier_);
    if (!hello) {
      mesh_.count(&MeshCounters::refused_hellos);
      const Errc code = hello.error().code;
      if (code == Errc::bad_signature || code == Errc::tls_failed) mesh_.ban(*peer_);
      return link_->close(hello.error());
    }
    const auto judged = mesh_.callbacks_.judge_hello
                            ? mesh_.callbacks_.judge_hello(peer_->config.index, *hello)
                            : ok();
    if (!judged) {
      mesh_.count(&MeshCounters::refused_hellos);
      return link_->close(judged.error());
    }
    hello_ = *hello;
    is_verified_ = true;
    link_->queue().push_control(FrameKind::welcome, {});
    link_->wake();
  }

  void on_welcome() {
    if (!is_verified_ || is_welcomed_) return out_of_order();
    is_welcomed_ = true;
    link_->set_open();
    mesh_.connect(*this);
  }

  void out_of_order() {
    link_->close(fail(Errc::not_canonical, "a frame out of order for the state of the connection"));
  }

  State& mesh_;
  const std::shared_ptr<Link> link_;
  const LinkRole role_;
  Peer* peer_;  // known from the TLS key on
  Hello hello_;
  bool is_verified_ = false;
  bool is_welcomed_ = false;
};

// ---------------------------------------------------------------- start, stop, dialling

Result<void> PeerMesh::State::listen() {
  TRY(const Hash own_pin, certificate_pin(config_.identity.certificate_der));
  TRY(check_peers(config_, signer_.public_key(), own_pin));
  TRY(loop_.use_identity(config_.identity, config_.times.link, config_.queue_caps));
  config_.identity = {};
  TRY(bound_port_, loop_.listen(config_.listen_address, config_.listen_port,
                                [this](const std::shared_ptr<Link>& link) {
                                  count(&MeshCounters::accepted);
                                  auto session = std::make_shared<Session>(
                                      *this, link, LinkRole::acceptor, nullptr);
                                  sessions_.insert(session);
                                  return session;
                                }));
  return ok();
}

void PeerMesh::State::start() {
  const std::lock_guard lock(life_mutex_);
  if (is_started_ || is_stopped_) return;
  is_started_ = true;
  loop_.post([this] {
    for (Peer& peer : peers_) dial(peer);
  });
  loop_.start();
}

void PeerMesh::State::stop() {
  const std::lock_guard lock(life_mutex_);
  if (is_stopped_) return;
  is_stopped_ = true;
  if (is_started_) {
    std::promise<void> closed;
    loop_.post([this, &closed] {
      is_stopping_ = true;
      while (!sessions_.empty()) {
        const auto session = *sessions_.begin();
        session->link().close(fail(Errc::closed, "this node stops"));
        sessions_.erase(session);
      }
      closed.set_value();
    });
    closed.get_future().wait();
  }
  loop_.stop();
}

PeerMesh::State::Peer* PeerMesh::State::find(PeerIndex index) {
  const auto at = std::lower_bound(
      peers_.begin(), peers_.end(), index,
      [](const Peer& peer, PeerIndex wanted) { return peer.config.index < wanted; });
  return at != peers_.end() && at->config.index == index ? &*at : nullptr;
}

PeerMesh::State::Peer* PeerMesh::State::find_pin(const Hash& pin) {
  const auto at = std::find_if(peers_.begin(), peers_.end(),
                               [&](const Peer& peer) { return peer.config.tls_pin == pin; });
  return at != peers_.end() ? &*at : nullptr;
}

bool PeerMesh::State::dials(const Peer& peer) const {
  if (config_.kind != peer.config.kind) return config_.kind == PeerKind::observer;
  return signer_.public_key() < peer.config.consensus_key;
}

void PeerMesh::State::dial(Peer& peer) {
  if (is_stopping_ || peer.session != nullptr || peer.is_dialling || !dials(peer)) return;
  if (is_banned(peer)) return redial_later(peer);
  std::string host;
  std::uint16_t port = 0;
  {
    const std::lock_guard lock(mutex_);
    host = peer.config.host;
    port = peer.config.port;
    if (!host.empty()) ++counters_.dials;
  }
  if (host.empty()) return;
  peer.is_dialling = true;
  loop_.dial(host, port, [this, &peer](const std::shared_ptr<Link>& link) {
    auto session = std::make_shared<Session>(*this, link, LinkRole::dialer, &peer);
    sessions_.insert(session);
    return session;
  });
}

/// Exponential with jitter between half and the whole, so that nodes that lost each other at one
/// moment do not return at one moment.
void PeerMesh::State::redial_later(Peer& peer) {
  if (is_stopping_ || peer.is_redial_waiting || !dials(peer)) return;
  const std::uint64_t full =
      doubled(config_.times.redial_min_ms, config_.times.redial_max_ms, peer.failures);
  peer.is_redial_waiting = true;
  loop_.after(jitter_.between(full / 2, full), [this, &peer] {
    peer.is_redial_waiting = false;
    dial(peer);
  });
}

void PeerMesh::State::set_address(PeerIndex index, std::string host, std::uint16_t port) {
  Peer* const peer = find(index);
  if (peer == nullptr) return;
  {
    const std::lock_guard lock(mutex_);
    peer->config.host = std::move(host);
    peer->config.port = port;
  }
  loop_.post([this, peer] { dial(*peer); });
}

// ---------------------------------------------------------------- connected and ended

void PeerMesh::State::connect(Session& session) {
  Peer& peer = *session.peer();
  if (peer.session != nullptr) {
    peer.session->link().close(fail(Errc::closed, "replaced by a newer connection of this peer"));
  }
  ASSERT(peer.session == nullptr);
  peer.session = &session;
  peer.connected_at = Clock::now();
  {
    const std::lock_guard lock(mutex_);
    peer.link = session.shared_link();
    ++peer.connects;
    ++counters_.connects;
  }
  if (callbacks_.on_connected) callbacks_.on_connected(peer.config.index, session.hello());
}

void PeerMesh::State::end(Session& session, const Error& why) {
  Peer* const peer = session.peer();
  const auto reason = peer == nullptr ? std::nullopt : std::optional<PeerIndex>(peer->config.index);
  if (peer != nullptr) {
    if (session.role() == LinkRole::dialer) peer->is_dialling = false;
    const bool was_connected = peer->session == &session;
    // Not for accepted links that never came so far: a certificate is public, so anyone could raise
    // the count of its owner.
    if (was_connected || session.role() == LinkRole::dialer) {
      const bool was_lasting = was_connected && Clock::now() - peer->connected_at >=
                                                    milliseconds(config_.times.redial_max_ms);
      peer->failures = was_lasting ? 0 : std::min(peer->failures + 1, 31u);
    }
    if (is_malformed(why.code)) {
      count(&MeshCounters::malformed);
      ban(*peer);
    }
    if (was_connected) {
      peer->session = nullptr;
      {
        const std::lock_guard lock(mutex_);
        peer->link.reset();
        ++counters_.disconnects;
        const Counters last = session.link().queue().counters();
        for (std::size_t i = 0; i < last.size(); ++i) peer->ended[i] += last[i];
      }
      if (callbacks_.on_disconnected) callbacks_.on_disconnected(peer->config.index);
    }
    redial_later(*peer);
  }
  if (!is_stopping_ && callbacks_.on_problem) callbacks_.on_problem(reason, why);
  std::erase_if(sessions_, [&](const auto& one) { return one.get() == &session; });
}

void PeerMesh::State::ban(Peer& peer) {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  if (now < peer.banned_until) return;  // one offence, seen twice
  if (now - peer.banned_until > milliseconds(config_.times.ban_memory_ms)) peer.ban_count = 0;
  const std::uint64_t ban_ms =
      doubled(config_.times.ban_min_ms, config_.times.ban_max_ms, peer.ban_count);
  peer.ban_count = std::min(peer.ban_count + 1, 31u);
  peer.banned_until = now + milliseconds(ban_ms);
  ++counters_.bans;
}

void PeerMesh::State::close_sessions(const Peer& peer, const Error& why) {
  std::vector<std::shared_ptr<Session>> ending;
  for (const auto& session : sessions_) {
    if (session->peer() == &peer) ending.push_back(session);
  }
  for (const auto& session : ending) session->link().close(why);
}

// ---------------------------------------------------------------- from any thread

SendOutcome PeerMesh::State::send(PeerIndex index, MessageClass message_class, Frame frame) {
  Peer* const peer = find(index);
  if (peer == nullptr) return SendOutcome::not_connected;
  std::shared_ptr<Link> link;
  {
    const std::lock_guard lock(mutex_);
    link = peer->link;
  }
  if (link == nullptr) return SendOutcome::not_connected;
  const SendOutcome outcome = link->queue().push(message_class, std::move(frame));
  if (is_queued(outcome)) link->wake();
  return outcome;
}

std::size_t PeerMesh::State::broadcast(MessageClass message_class, const Frame& frame) {
  std::vector<std::shared_ptr<Link>> links;
  {
    const std::lock_guard lock(mutex_);
    for (const Peer& peer : peers_) {
      if (peer.link != nullptr && peer.config.kind == PeerKind::validator) {
        links.push_back(peer.link);
      }
    }
  }
  std::size_t count = 0;
  for (const auto& link : links) {
    if (!is_queued(link->queue().push(message_class, frame))) continue;
    link->wake();
    ++count;
  }
  return count;
}

void PeerMesh::State::disconnect(PeerIndex index, DisconnectReason reason) {
  Peer* const peer = find(index);
  if (peer == nullptr) return;
  loop_.post([this, peer, reason] {
    if (reason != DisconnectReason::other) ban(*peer);
    close_sessions(*peer, fail(Errc::closed, "the node ended the connection"));
  });
}

std::vector<PeerIndex> PeerMesh::State::connected() const {
  const std::lock_guard lock(mutex_);
  std::vector<PeerIndex> out;
  for (const Peer& peer : peers_) {
    if (peer.link != nullptr) out.push_back(peer.config.index);
  }
  return out;
}

std::vector<PeerStatus> PeerMesh::State::statuses() const {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  std::vector<PeerStatus> out;
  for (const Peer& peer : peers_) {
    PeerStatus& status = out.emplace_back();
    status.index = peer.config.index;
    status.is_connected = peer.link != nullptr;
    status.is_banned = now < peer.banned_until;
    status.connects = peer.connects;
    status.counters = peer.ended;
    if (peer.link == nullptr) continue;
    const Counters current = peer.link->queue().counters();
    for (std::size_t i = 0; i < current.size(); ++i) {
      status.counters[i] += current[i];
      status.waiting_bytes[i] = peer.link->queue().waiting_bytes(static_cast<MessageClass>(i + 1));
    }
  }
  return out;
}

// ---------------------------------------------------------------- PeerMesh

PeerMesh::PeerMesh(std::unique_ptr<State> state) : state_(std::move(state)) {}
PeerMesh::~PeerMesh() { stop(); }

Result<std::unique_ptr<PeerMesh>> PeerMesh::create(MeshConfig config, const crypto::Signer& signer,
                                                   const crypto::Verifier& verifier,
                                                   MeshCallbacks callbacks) {
  ASSERT(callbacks.local_run);
  auto state = std::make_unique<State>(std::move(config), signer, verifier, std::move(callbacks));
  TRY(state->listen());
  return std::unique_ptr<PeerMesh>(new PeerMesh(std::move(state)));
}

std::uint16_t PeerMesh::bound_port() const { return state_->bound_port(); }
void PeerMesh::set_address(PeerIndex peer, std::string host, std::uint16_t port) {
  state_->set_address(peer, std::move(host), port);
}
void PeerMesh::start() { state_->start(); }
void PeerMesh::stop() { state_->stop(); }
SendOutcome PeerMesh::send(PeerIndex peer, MessageClass message_class, Frame frame) {
  return state_->send(peer, message_class, std::move(frame));
}
std::size_t PeerMesh::broadcast(MessageClass message_class, const Frame& frame) {
  return state_->broadcast(message_class, frame);
}
void PeerMesh::disconnect(PeerIndex peer, DisconnectReason reason) {
  state_->disconnect(peer, reason);
}
std::vector<PeerIndex> PeerMesh::connected() const { return state_->connected(); }
std::vector<PeerStatus> PeerMesh::peers() const { return state_->statuses(); }
MeshCounters PeerMesh::counters() const { return state_->counters(); }

}  // namespace baolian::net
