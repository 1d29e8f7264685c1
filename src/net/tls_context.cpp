#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <climits>

namespace baolian::net {

void OpensslDelete::operator()(ssl_ctx_st* p) const { SSL_CTX_free(p); }

namespace {

/// A certificate of ours is about 400 bytes; more is somebody trying.
constexpr long kPeerCertificateBytesMax = 16 * 1024;

/// Asio keeps its own pointer in SSL_set_app_data, hence an index of our own.
int judge_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

/// Replaces OpenSSL's chain verification: the leaf's pin decides and nothing else does, neither
/// dates nor issuers nor names.
int judge_certificate(X509_STORE_CTX* store, void*) {
  const auto* connection = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* judge =
      static_cast<const CertificateJudge*>(SSL_get_ex_data(connection, judge_index()));
  X509* leaf = X509_STORE_CTX_get0_cert(store);
  unsigned char* encoded = nullptr;
  const int size = leaf == nullptr ? -1 : i2d_X509(leaf, &encoded);
  bool accepted = false;
  if (size > 0 && judge != nullptr && *judge) {
    accepted = (*judge)({encoded, static_cast<std::size_t>(size)});
  }
  OPENSSL_free(encoded);
  X509_STORE_CTX_set_error(store, accepted ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
  return accepted ? 1 : 0;
}

int select_protocol(std::string_view wanted, bool mandatory, const unsigned char** out,
                    unsigned char* out_size, const unsigned char* offered,
                    unsigned int offered_size) {
  for (unsigned int at = 0; at < offered_size;) {
    const unsigned int size = offered[at];
    if (size > offered_size - at - 1) break;
    if (as_text({offered + at + 1, size}) == wanted) {
      *out = offered + at + 1;
      *out_size = static_cast<unsigned char>(size);
      return SSL_TLSEXT_ERR_OK;
    }
    at += size + 1;
  }
  return mandatory ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
}

int select_mesh_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                         const unsigned char* offered, unsigned int offered_size, void*) {
  return select_protocol(kMeshProtocol, true, out, out_size, offered, offered_size);
}

int select_http_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                         const unsigned char* offered, unsigned int offered_size, void*) {
  return select_protocol("http/1.1", false, out, out_size, offered, offered_size);
}

Result<SslContextHandle> plain_context() {
  SslContextHandle context(SSL_CTX_new(TLS_method()));
  if (context == nullptr) return openssl_error(Errc::tls_failed, "cannot make a TLS context");
  SSL_CTX_set_options(context.get(),
                      SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context.get(), kPeerCertificateBytesMax);
  if (SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_num_tickets(context.get(), 0) != 1 ||
      SSL_CTX_set_max_early_data(context.get(), 0) != 1) {
    return openssl_error(Errc::tls_failed, "this OpenSSL cannot be limited to TLS 1.3");
  }
  return context;
}

Result<void> use_identity(SSL_CTX* context, const TlsIdentity& identity) {
  const Bytes& certificate = identity.certificate_der;
  const BytesView key_der = identity.private_key_der.view();
  if (certificate.size() > INT_MAX || key_der.empty() || key_der.size() > INT_MAX) {
    return fail(Errc::tls_failed, "the TLS identity has no key or no certificate");
  }
  const unsigned char* at = key_der.data();
  const KeyHandle key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(key_der.size())));
  if (key == nullptr ||
      SSL_CTX_use_certificate_ASN1(context, static_cast<int>(certificate.size()),
                                   certificate.data()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return openssl_error(Errc::tls_failed, "the TLS certificate and its key do not fit");
  }
  return ok();
}

}  // namespace

Result<SslContextHandle> mesh_tls_context(const TlsIdentity& identity) {
  TRY(SslContextHandle context, plain_context());
  TRY(use_identity(context.get(), identity));
  Bytes offer{static_cast<std::uint8_t>(kMeshProtocol.size())};
  append(offer, as_bytes(kMeshProtocol));
  if (SSL_CTX_set1_sigalgs_list(context.get(), "ed25519") != 1 ||
      SSL_CTX_set1_groups_list(context.get(), "X25519") != 1 ||
      SSL_CTX_set_alpn_protos(context.get(), offer.data(),
                              static_cast<unsigned int>(offer.size())) != 0) {
    return openssl_error(Errc::tls_failed, "this OpenSSL lacks Ed25519 or X25519");
  }
  SSL_CTX_set_alpn_select_cb(context.get(), select_mesh_protocol, nullptr);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context.get(), judge_certificate, nullptr);
  return context;
}

Result<SslContextHandle> https_server_tls_context(const TlsIdentity& identity) {
  TRY(SslContextHandle context, plain_context());
  TRY(use_identity(context.get(), identity));
  SSL_CTX_set_alpn_select_cb(context.get(), select_http_protocol, nullptr);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  return context;
}

Result<SslContextHandle> https_client_tls_context() {
  TRY(SslContextHandle context, plain_context());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context.get(), judge_certificate, nullptr);
  return context;
}

Result<void> set_certificate_judge(ssl_st* connection, const CertificateJudge* judge) {
  if (SSL_set_ex_data(connection, judge_index(), const_cast<CertificateJudge*>(judge)) != 1) {
    return openssl_error(Errc::tls_failed, "cannot prepare the TLS connection");
  }
  return ok();
}

bool has_mesh_protocol(const ssl_st* connection) {
  const unsigned char* chosen = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(connection, &chosen, &size);
  return chosen != nullptr && as_text({chosen, size}) == kMeshProtocol;
}

}  // namespace baolian::net
