/// A TLS client made of OpenSSL and a blocking socket alone, to say on the wire what our own code
/// never would. Every read has a deadline of 20 seconds.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/frame_queue.h"
#include "net/hello.h"
#include "net/tls_identity.h"

namespace baolian::test {

struct RawTlsOptions {
  const net::TlsIdentity* identity = nullptr;  ///< none: no client certificate
  std::string alpn = {};                       ///< none: no ALPN
  bool is_tls12 = false;                       ///< offers TLS 1.2 only
};

struct RawFrame {
  net::FrameKind kind;
  Bytes content;
};

class RawTls {
 public:
  /// Connects to 127.0.0.1. Ends the test if TCP fails.
  RawTls(std::uint16_t port, const RawTlsOptions& options);
  ~RawTls();
  RawTls(const RawTls&) = delete;
  RawTls& operator=(const RawTls&) = delete;

  /// The client's side of the handshake; with TLS 1.3 it says nothing about the server's judgement.
  bool handshake();
  bool write(BytesView bytes);
  bool write_frame(net::FrameKind kind, BytesView content);
  /// nullopt at the end of the connection.
  std::optional<RawFrame> read_frame();
  /// Up to `size` bytes; empty at the end of the connection.
  Bytes read_some(std::size_t size);
  /// Reads until `marker` was received, or the end. Returns all that came.
  std::string read_until(std::string_view marker);
  /// Reads and drops until the other side ends the connection. False at the deadline.
  bool is_ended_by_peer();
  net::SessionBinding session_binding(net::LinkRole signer);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace baolian::test
