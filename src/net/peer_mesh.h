/// The peer mesh: one TLS 1.3 connection to every registered node, frames by class, both ways.
///
/// Who may connect is decided by the registry alone: the TLS key is pinned (an unknown key is
/// closed during the handshake, before anything of it is parsed), then both sides send a HELLO that
/// binds the session to their consensus keys, then a welcome once the other's HELLO is verified.
/// A peer counts as connected only when its HELLO is verified here AND ours is verified there: with
/// TLS 1.3 a client's handshake succeeds before the server has judged its certificate.
///
/// Who dials: an observer dials validators; among equals the lower consensus key dials. So there is
/// one connection a pair. A new connection that comes that far replaces an older one of the same
/// peer, whose end we may not have noticed.
///
/// Source: consensus.md 1.7 (HELLO), 1.12 (limits, classes, bans).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "crypto/signing.h"
#include "net/frame_queue.h"
#include "net/hello.h"
#include "net/mesh_link.h"
#include "net/tls_identity.h"

namespace baolian::net {

/// Names a peer in this process only; chosen by whoever configures the mesh.
using PeerIndex = std::uint16_t;

enum class PeerKind : std::uint8_t { validator = 1, observer = 2 };

struct PeerConfig {
  PeerIndex index = 0;    ///< unique in the list
  std::string host = {};  ///< name or IP address; empty: this peer is never dialled
  std::uint16_t port = 0;
  Hash tls_pin = {};             ///< SHA-256 of the SubjectPublicKeyInfo, see mesh_pin()
  PublicKey consensus_key = {};  ///< signs its HELLO
  PeerKind kind = PeerKind::validator;
};

/// The part of a HELLO that the node supplies; asked for at every handshake.
struct LocalRun {
  std::uint64_t incarnation = 0;
  std::uint64_t boot_counter = 0;
  ProcessId process_id;
  VotePosition last_vote;
};

/// Why the node ends a connection.
enum class DisconnectReason : std::uint8_t {
  malformed,          ///< banned: it sent what no correct node sends
  invalid_signature,  ///< banned
  other,              ///< not banned: the connection is made anew
};

struct MeshTimes {
  LinkTimeouts link;
  std::uint32_t redial_min_ms = 50;  ///< doubles with every failure, with jitter
  std::uint32_t redial_max_ms = 2000;
  std::uint32_t ban_min_ms = 1000;  ///< doubles with every ban of the peer
  std::uint32_t ban_max_ms = 600000;
  std::uint32_t ban_memory_ms = 3600000;  ///< after so long without one it begins again
};

struct MeshCounters {
  std::uint64_t dials = 0;
  std::uint64_t accepted = 0;        ///< TCP connections
  std::uint64_t refused_keys = 0;    ///< unknown or banned TLS keys
  std::uint64_t refused_hellos = 0;  ///< HELLOs that did not verify or were judged unfit
  std::uint64_t malformed = 0;       ///< connections ended for malformed frames
  std::uint64_t bans = 0;
  std::uint64_t connects = 0;
  std::uint64_t disconnects = 0;
};

struct PeerStatus {
  PeerIndex index = 0;
  bool is_connected = false;
  bool is_banned = false;
  std::uint64_t connects = 0;
  Counters counters;  ///< since start(), over all connections
  std::array<std::size_t, kMessageClassCount> waiting_bytes{};
};

/// Called on the mesh thread; they should return soon and may call send(), broadcast() and
/// disconnect(). on_frame is called synchronously: while it runs nothing else is read, so a slow
/// on_frame slows every peer down. Callbacks may be empty, but for local_run.
struct MeshCallbacks {
  std::function<LocalRun()> local_run;
  /// Applies the node's rules of incarnations to a verified HELLO. An error refuses the peer; the
  /// dialling side tries again later.
  std::function<Result<void>(PeerIndex, const Hello&)> judge_hello;
  std::function<void(PeerIndex, const Hello&)> on_connected;
  std::function<void(PeerIndex, MessageClass, Bytes)> on_frame;
  /// Called once for every on_connected, also by stop().
  std::function<void(PeerIndex)> on_disconnected;
  /// For logs: why a connection failed or ended. No peer if the key was unknown.
  std::function<void(std::optional<PeerIndex>, const Error&)> on_problem;
};

struct MeshConfig {
  ChainId chain_id;
  PeerKind kind = PeerKind::validator;  ///< of this node
  std::string listen_address = "127.0.0.1";
  std::uint16_t listen_port = 0;  ///< 0 = any free one, see bound_port()
  TlsIdentity identity;
  std::vector<PeerConfig> peers;
  MeshTimes times;
  QueueCaps queue_caps;
  std::uint64_t jitter_seed = 0;  ///< of the redial jitter
};

/// See the file head.
///
/// Threads:   one of its own, on which all callbacks run. All functions are thread-safe; stop() and
///            the destructor must not be called on the mesh thread.
/// Ownership: signer and verifier must outlive the mesh.
class PeerMesh {
 public:
  /// Listens, but neither accepts nor dials before start().
  /// Returns: Errc::connect_failed if the listen address is not free, Errc::tls_failed for the
  /// identity, Errc::config_invalid for a list of peers that repeats an index, pin or key or holds
  /// this node's own.
  static Result<std::unique_ptr<PeerMesh>> create(MeshConfig config, const crypto::Signer& signer,
                                                  const crypto::Verifier& verifier,
                                                  MeshCallbacks callbacks);
  ~PeerMesh();  ///< stops
  PeerMesh(const PeerMesh&) = delete;
  PeerMesh& operator=(const PeerMesh&) = delete;

  std::uint16_t bound_port() const;
  /// Tells where a peer is now; the next dial uses it. For ports known only after start, and for
  /// changes of address.
  void set_address(PeerIndex peer, std::string host, std::uint16_t port);
  void start();
  /// Ends all connections (with on_disconnected) and the thread. Safe to call again.
  void stop();

  /// Never waits. Requires: frame != nullptr.
  SendOutcome send(PeerIndex peer, MessageClass message_class, Frame frame);
  /// To all connected validators. Returns: how many queues took it.
  std::size_t broadcast(MessageClass message_class, const Frame& frame);
  /// Ends the connection to a peer, if there is one, and bans it for the two reasons that say so.
  void disconnect(PeerIndex peer, DisconnectReason reason);

  /// Ascending by index.
  std::vector<PeerIndex> connected() const;
  std::vector<PeerStatus> peers() const;
  MeshCounters counters() const;

 private:
  class State;
  explicit PeerMesh(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace baolian::net
