#include "net/raw_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "support/catch.h"

namespace baolian::test {

struct RawTls::State {
  int fd = -1;
  SSL_CTX* context = nullptr;
  SSL* tls = nullptr;
  bool is_timed_out = false;
};

RawTls::RawTls(std::uint16_t port, const RawTlsOptions& options)
    : state_(std::make_unique<State>()) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets without MSG_NOSIGNAL
  State& s = *state_;
  s.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval deadline{.tv_sec = 20, .tv_usec = 0};
  setsockopt(s.fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
  setsockopt(s.fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
  REQUIRE(connect(s.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);

  s.context = SSL_CTX_new(TLS_client_method());
  const int version = options.is_tls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
  SSL_CTX_set_min_proto_version(s.context, version);
  SSL_CTX_set_max_proto_version(s.context, version);
  if (options.identity != nullptr) {
    const BytesView key_der = options.identity->private_key_der.view();
    const unsigned char* at = key_der.data();
    EVP_PKEY* key = d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(key_der.size()));
    const Bytes& certificate = options.identity->certificate_der;
    REQUIRE(SSL_CTX_use_certificate_ASN1(s.context, static_cast<int>(certificate.size()),
                                         certificate.data()) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey(s.context, key) == 1);
    EVP_PKEY_free(key);
  }
  s.tls = SSL_new(s.context);
  if (!options.alpn.empty()) {
    Bytes offer{static_cast<std::uint8_t>(options.alpn.size())};
    append(offer, as_bytes(options.alpn));
    REQUIRE(SSL_set_alpn_protos(s.tls, offer.data(), static_cast<unsigned>(offer.size())) == 0);
  }
  SSL_set_fd(s.tls, s.fd);
}

RawTls::~RawTls() {
  SSL_free(state_->tls);
  SSL_CTX_free(state_->context);
  close(state_->fd);
}

bool RawTls::handshake() {
  ERR_clear_error();
  return SSL_connect(state_->tls) == 1;
}

bool RawTls::write(BytesView bytes) {
  ERR_clear_error();
  return SSL_write(state_->tls, bytes.data(), static_cast<int>(bytes.size())) ==
         static_cast<int>(bytes.size());
}

bool RawTls::write_frame(net::FrameKind kind, BytesView content) {
  Bytes out;
  net::append_frame_header(out, {static_cast<std::uint32_t>(content.size()), kind});
  append(out, content);
  return write(out);
}

Bytes RawTls::read_some(std::size_t size) {
  Bytes out(size);
  ERR_clear_error();
  errno = 0;
  const int got = SSL_read(state_->tls, out.data(), static_cast<int>(size));
  if (got <= 0) {
    const int reason = SSL_get_error(state_->tls, got);
    state_->is_timed_out = reason == SSL_ERROR_WANT_READ || errno == EAGAIN;
  }
  out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return out;
}

std::optional<RawFrame> RawTls::read_frame() {
  Bytes header;
  while (header.size() < net::kFrameHeaderBytes) {
    const Bytes more = read_some(net::kFrameHeaderBytes - header.size());
    if (more.empty()) return std::nullopt;
    append(header, more);
  }
  const auto parsed = net::parse_frame_header(header, net::kFrameBytesMax);
  REQUIRE(parsed.has_value());
  RawFrame out{parsed->kind, {}};
  while (out.content.size() < parsed->content_bytes) {
    const Bytes more = read_some(parsed->content_bytes - out.content.size());
    if (more.empty()) return std::nullopt;
    append(out.content, more);
  }
  return out;
}

std::string RawTls::read_until(std::string_view marker) {
  std::string out;
  while (out.find(marker) == std::string::npos) {
    const Bytes more = read_some(4096);
    if (more.empty()) break;
    out += as_text(more);
  }
  return out;
}

bool RawTls::is_ended_by_peer() {
  while (!read_some(65536).empty()) {
  }
  return !state_->is_timed_out;
}

net::SessionBinding RawTls::session_binding(net::LinkRole signer) {
  net::SessionBinding out;
  const std::string_view context = net::exporter_context(signer);
  REQUIRE(SSL_export_keying_material(state_->tls, out.bytes.data(), out.bytes.size(),
                                     net::kExporterLabel.data(), net::kExporterLabel.size(),
                                     as_bytes(context).data(), context.size(), 1) == 1);
  return out;
}

}  // namespace baolian::test
