/// The sockets of the mesh: listening, dialling, TLS, frames, timers, on one thread. It knows
/// nothing of peers, HELLO or bans: that is net/peer_mesh.h. Internal to net.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/ids.h"
#include "core/result.h"
#include "net/frame_queue.h"
#include "net/hello.h"
#include "net/tls_identity.h"

namespace baolian::net {

struct LinkTimeouts {
  std::uint32_t handshake_timeout_ms = 5000;  ///< from connect to set_open(), HELLOs included
  std::uint32_t idle_timeout_ms = 60000;      ///< nothing received, or a write stuck, for so long
  std::uint32_t keepalive_ms = 15000;         ///< a ping after so long without another frame
};

/// Receives what happens on one link. All functions are called on the mesh thread.
class LinkHandler {
 public:
  virtual ~LinkHandler() = default;
  /// Judges the TLS key during the handshake. False ends the link.
  virtual bool accept_pin(const Hash& pin) = 0;
  /// The TLS handshake is done here; the other side may still refuse our certificate.
  virtual void on_secured() = 0;
  virtual void on_frame(FrameKind kind, Bytes content) = 0;
  /// Called exactly once; nothing is called after it. `why.code` is connect_failed, tls_failed,
  /// timed_out, closed, limit_exceeded, not_canonical, or what was given to close().
  virtual void on_closed(const Error& why) = 0;
};

/// One connection with TLS. Used on the mesh thread, but for queue() and wake().
class Link {
 public:
  virtual ~Link() = default;
  /// Largest content accepted from now on. Before the first call kHelloBytesMax.
  virtual void set_open() = 0;
  /// The TLS exporter for a HELLO signed by the side with this role.
  virtual Result<SessionBinding> session_binding(LinkRole signer) = 0;
  virtual void close(Error why) = 0;
  /// Any thread: what is to be written; call wake() after pushing.
  virtual FrameQueue& queue() = 0;
  virtual void wake() = 0;
};

/// The mesh thread.
class MeshLoop {
 public:
  MeshLoop();
  ~MeshLoop();  ///< Requires: stop() was called if start() was.
  MeshLoop(const MeshLoop&) = delete;
  MeshLoop& operator=(const MeshLoop&) = delete;

  /// Returns: Errc::tls_failed.
  Result<void> use_identity(const TlsIdentity& identity, const LinkTimeouts& timeouts,
                            const QueueCaps& caps);
  /// Makes the handler of an accepted link, or nullptr to drop it unread.
  using MakeHandler = std::function<std::shared_ptr<LinkHandler>(const std::shared_ptr<Link>&)>;
  /// Port 0 = any free one. Returns: the port; Errc::connect_failed if the address is taken or no
  /// IP address.
  Result<std::uint16_t> listen(const std::string& address, std::uint16_t port, MakeHandler make);
  void start();
  /// Ends the thread; whatever waits is dropped. Not from the mesh thread.
  void stop();
  bool is_mesh_thread() const;

  // From any thread: run on the mesh thread, at once or after a delay.
  void post(std::function<void()> work);
  // On the mesh thread only, or before start().
  void after(std::uint64_t delay_ms, std::function<void()> work);
  std::shared_ptr<Link> dial(const std::string& host, std::uint16_t port, MakeHandler make);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace baolian::net
