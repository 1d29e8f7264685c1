/// TLS settings of the mesh, of the HTTPS server and of its client: TLS 1.3 only, no resumption, no
/// tickets, no early data, certificates judged by pin instead of by a CA.
#pragma once

#include <functional>
#include <string_view>

#include "core/result.h"
#include "net/openssl_handles.h"
#include "net/tls_identity.h"

namespace baolian::net {

inline constexpr std::string_view kMeshProtocol = "baolian/1";  ///< ALPN

/// Says whether the peer's certificate is acceptable. Called during the handshake, after OpenSSL
/// parsed the certificate and before any application byte; the peer's possession of the key is
/// proved by the handshake that follows.
using CertificateJudge = std::function<bool(BytesView certificate_der)>;

/// A context for both directions of the mesh: mutual, Ed25519 only, X25519 only, ALPN "baolian/1".
/// Every connection needs a judge, see set_certificate_judge.
/// Returns: Errc::tls_failed for an identity that cannot be used.
Result<SslContextHandle> mesh_tls_context(const TlsIdentity& identity);

/// A server context: no client certificates, ALPN "http/1.1" if the client asks.
Result<SslContextHandle> https_server_tls_context(const TlsIdentity& identity);

/// A client context. Every connection needs a judge.
Result<SslContextHandle> https_client_tls_context();

/// Binds the judge to one connection. Without one every certificate is refused. The judge must
/// live until the handshake is over. Returns: Errc::tls_failed.
Result<void> set_certificate_judge(ssl_st* connection, const CertificateJudge* judge);

/// True if both sides agreed on "baolian/1".
bool has_mesh_protocol(const ssl_st* connection);

}  // namespace baolian::net
