#include "net/https_client.h"

#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <cerrno>
#include <chrono>
#include <optional>

#include "net/http_words.h"
#include "net/tls_context.h"

namespace baolian::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

constexpr std::uint32_t kResponseHeaderBytesMax = 64 * 1024;

Error exchange_error(const error_code& ec) {
  if (ec == beast::error::timeout) {
    return fail(Errc::timed_out, "the server did not answer in time");
  }
  if (ec == http::error::body_limit || ec == http::error::header_limit) {
    return fail(Errc::limit_exceeded, "the answer is larger than this client accepts");
  }
  if (is_http_error(ec) && ec != http::error::end_of_stream && ec != http::error::partial_message) {
    return fail(Errc::http_malformed, "the server's answer is not valid HTTP: " + ec.message());
  }
  return fail(Errc::closed, "the connection ended before the answer was complete: " + ec.message());
}

}  // namespace

class HttpsClient::State {
 public:
  explicit State(HttpsClientConfig config) : config_(std::move(config)) {
    judge_ = [this](BytesView der) {
      is_wrong_certificate_ = certificate_fingerprint(der) != config_.certificate_fingerprint;
      return !is_wrong_certificate_;
    };
  }

  Result<HttpResponse> request(const std::string& method, const std::string& target,
                               std::string body, const HttpHeaders& headers) {
    if (has_line_break(method) || has_line_break(target) || method.empty() || target.empty()) {
      return fail(Errc::bad_argument, "method or target is empty or holds a line break");
    }
    Request request;
    request.version(11);
    request.method_string(method);
    request.target(target);
    request.set(http::field::host, config_.host + ":" + std::to_string(config_.port));
    for (const auto& [name, value] : headers) {
      if (name.empty() || has_line_break(name) || has_line_break(value)) {
        return fail(Errc::bad_argument, "a header is empty or holds a line break");
      }
      request.set(name, value);
    }
    request.body() = std::move(body);
    request.prepare_payload();

    if (is_stale()) stream_.reset();
    const bool is_reused = stream_.has_value();
    if (!is_reused) TRY(connect());
    Exchange first = exchange(request);
    const bool is_dead = is_reused && !first.has_answer_bytes && !first.result.has_value() &&
                         first.result.error().code == Errc::closed;
    if (!is_dead) return std::move(first.result);
    TRY(connect());
    return exchange(request).result;
  }

  std::uint64_t connection_count() const { return connection_count_; }

 private:
  using Request = http::request<http::string_body>;
  using Stream = beast::ssl_stream<beast::tcp_stream>;
  struct Exchange {
    Result<HttpResponse> result;
    bool has_answer_bytes = false;
  };

  /// Readable while nothing was asked: the server has closed, or says something unasked.
  bool is_stale() {
    if (!stream_.has_value()) return false;
    std::uint8_t byte = 0;
    const auto got = recv(beast::get_lowest_layer(*stream_).socket().native_handle(), &byte, 1,
                          MSG_PEEK | MSG_DONTWAIT);
    return !(got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
  }

  Result<tcp::resolver::results_type> resolve() {
    error_code ec;
    const auto address = asio::ip::make_address(config_.host, ec);
    if (!ec) {
      return tcp::resolver::results_type::create(tcp::endpoint(address, config_.port), config_.host,
                                                 std::to_string(config_.port));
    }
    tcp::resolver resolver(io_);
    auto found = resolver.resolve(config_.host, std::to_string(config_.port), ec);
    if (ec) {
      return fail(Errc::connect_failed, "cannot find " + config_.host + ": " + ec.message());
    }
    return found;
  }

  Result<void> connect() {
    stream_.reset();
    buffer_.clear();
    if (!tls_.has_value()) {
      TRY(SslContextHandle context, https_client_tls_context());
      tls_.emplace(context.release());
    }
    TRY(const auto endpoints, resolve());
    stream_.emplace(io_, *tls_);
    auto& lowest = beast::get_lowest_layer(*stream_);
    TRY(set_certificate_judge(stream_->native_handle(), &judge_));
    lowest.expires_after(std::chrono::milliseconds(config_.connect_timeout_ms));
    error_code failed = asio::error::would_block;
    lowest.async_connect(endpoints,
                         [&](const error_code& ec, const tcp::endpoint&) { failed = ec; });
    run();
    if (failed) return connect_error(Errc::connect_failed, "cannot connect", failed);
    lowest.socket().set_option(tcp::no_delay(true), ignored_);
    is_wrong_certificate_ = false;
    failed = asio::error::would_block;
    stream_->async_handshake(asio::ssl::stream_base::client,
                             [&](const error_code& ec) { failed = ec; });
    run();
    if (failed) return connect_error(Errc::tls_failed, "the TLS handshake failed", failed);
    ++connection_count_;
    return ok();
  }

  Error connect_error(Errc code, std::string_view what, const error_code& ec) {
    stream_.reset();
    if (is_wrong_certificate_) {
      is_wrong_certificate_ = false;
      return fail(Errc::tls_failed,
                  "the server has another certificate than the profile names; if it was changed on "
                  "purpose, put its new fingerprint into the profile");
    }
    if (ec == beast::error::timeout) {
      return fail(Errc::timed_out, std::string(what) + " in time: " + config_.host);
    }
    return fail(code, std::string(what) + " with " + config_.host + " port " +
                          std::to_string(config_.port) + ": " + ec.message());
  }

  /// Reads while it writes: a server may refuse a large body before it has all of it.
  Exchange exchange(Request& request) {
    http::response_parser<http::string_body> parser;
    parser.header_limit(kResponseHeaderBytesMax);
    parser.body_limit(config_.response_bytes_max);
    if (request.method() == http::verb::head) parser.skip(true);
    auto& lowest = beast::get_lowest_layer(*stream_);
    lowest.expires_after(std::chrono::milliseconds(config_.request_timeout_ms));
    bool is_written = false;
    error_code failed;
    http::async_write(*stream_, request,
                      [&](const error_code& ec, std::size_t) { is_written = !ec; });
    const auto on_read = [&](const error_code& ec, std::size_t) {
      failed = ec;
      // Ends a write that is under way: its request has been answered, or never will be.
      if (ec || !is_written) lowest.cancel();
    };
    // The header by itself: read in one go, Beast 1.74 loses the error of a body above the limit.
    http::async_read_header(*stream_, buffer_, parser, [&](const error_code& ec, std::size_t n) {
      if (ec) return on_read(ec, n);
      http::async_read(*stream_, buffer_, parser, on_read);
    });
    run();
    Exchange out{fail(Errc::internal, ""), parser.got_some() || buffer_.size() > 0};
    if (failed) {
      stream_.reset();
      out.result = exchange_error(failed);
      return out;
    }
    auto message = parser.release();
    if (!is_written || !message.keep_alive()) stream_.reset();
    HttpResponse response;
    response.status = message.result_int();
    response.content_type = std::string(message[http::field::content_type]);
    for (const auto& field : message) {
      const auto name = field.name_string();
      response.headers.emplace_back(lower_case({name.data(), name.size()}),
                                    std::string(field.value()));
    }
    response.body = std::move(message.body());
    out.result = std::move(response);
    return out;
  }

  /// Runs the operations under way to their end; their timeouts bound it.
  void run() {
    io_.restart();
    io_.run();
  }

  const HttpsClientConfig config_;
  asio::io_context io_{1};
  std::optional<asio::ssl::context> tls_;
  CertificateJudge judge_;
  std::optional<Stream> stream_;
  beast::flat_buffer buffer_;
  error_code ignored_;
  bool is_wrong_certificate_ = false;
  std::uint64_t connection_count_ = 0;
};

HttpsClient::HttpsClient(HttpsClientConfig config)
    : state_(std::make_unique<State>(std::move(config))) {}
HttpsClient::~HttpsClient() = default;
HttpsClient::HttpsClient(HttpsClient&&) noexcept = default;
HttpsClient& HttpsClient::operator=(HttpsClient&&) noexcept = default;

Result<HttpResponse> HttpsClient::request(const std::string& method, const std::string& target,
                                          std::string body, const HttpHeaders& headers) {
  return state_->request(method, target, std::move(body), headers);
}

std::uint64_t HttpsClient::connection_count() const { return state_->connection_count(); }

}  // namespace baolian::net
