#include "net/https_server.h"

#include <openssl/ssl.h>

#include <array>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "net/http_target.h"
#include "net/http_words.h"
#include "net/thread_name.h"
#include "net/tls_context.h"

namespace baolian::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

constexpr std::uint32_t kAcceptRetryMs = 100;
constexpr std::uint32_t kShutdownTimeoutMs = 1000;
/// After a refusal the rest of the request is read and dropped, so that the answer is not lost to
/// a reset; for so long, and so much.
constexpr std::uint32_t kDrainTimeoutMs = 2000;
constexpr std::size_t kDrainBytesMax = 64 * 1024 * 1024;

std::chrono::milliseconds milliseconds(std::uint32_t ms) { return std::chrono::milliseconds(ms); }

/// Every answer made here and not by the handler has the one shape of API errors.
HttpResponse plain_answer(unsigned status, std::string_view code, std::string_view message) {
  HttpResponse out;
  out.status = status;
  out.body = R"({"code":")" + std::string(code) + R"(","message":")" + std::string(message) +
             R"("})" + "\n";
  return out;
}

/// A handler's mistake must not become a second answer on the wire.
bool is_sendable(const HttpResponse& response) {
  if (response.status < 200 || response.status > 599) return false;
  if (has_line_break(response.content_type)) return false;
  for (const auto& [name, value] : response.headers) {
    if (name.empty() || has_line_break(name) || has_line_break(value)) return false;
  }
  return true;
}

}  // namespace

// ---------------------------------------------------------------- Responder

struct Responder::Once {
  explicit Once(Deliver d) : deliver(std::move(d)) {}
  ~Once() {
    if (!is_answered.exchange(true)) {
      deliver(plain_answer(500, "internal", "the request was not answered; try again"));
    }
  }
  Deliver deliver;
  std::atomic<bool> is_answered = false;
};

Responder::Responder(Deliver deliver) : once_(std::make_shared<Once>(std::move(deliver))) {}

bool Responder::respond(HttpResponse response) const {
  if (once_->is_answered.exchange(true)) return false;
  once_->deliver(std::move(response));
  return true;
}

// ---------------------------------------------------------------- the shared state

struct HttpsServer::Core : std::enable_shared_from_this<HttpsServer::Core> {
  Core(HttpsServerConfig c, HttpHandler h)
      : config(std::move(c)), handler(std::move(h)), io(static_cast<int>(config.thread_count)) {}

  Result<void> listen();
  void accept_next();
  void on_accept(const error_code& failed, tcp::socket socket);
  void forget(std::uint64_t id);
  void stop();
  bool reserve_body(std::uint64_t size_bytes);

  HttpsServerConfig config;
  const HttpHandler handler;
  asio::io_context io;  // first, so that it goes last
  // The threads stay while requests wait for their answers and nothing else is under way.
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
  std::optional<asio::ssl::context> tls;
  tcp::acceptor acceptor{asio::make_strand(io)};
  asio::steady_timer accept_timer{acceptor.get_executor()};
  std::uint16_t port = 0;
  std::vector<std::thread> threads;
  std::atomic<bool> is_stopping = false;
  std::atomic<std::uint64_t> body_bytes = 0;
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> refused_requests = 0;
  std::atomic<std::uint64_t> failed_handshakes = 0;

  std::mutex stop_mutex;
  std::mutex mutex;  // guards what follows
  std::condition_variable all_closed;
  std::map<std::uint64_t, std::shared_ptr<Connection>> connections;
  std::uint64_t accepted = 0;
  std::uint64_t refused_connections = 0;
};

// ---------------------------------------------------------------- one connection

/// Everything runs on the connection's strand. Alive as long as Core lists it.
class HttpsServer::Connection : public std::enable_shared_from_this<HttpsServer::Connection> {
 public:
  Connection(Core& core, std::uint64_t id, tcp::socket socket)
      : core_(core), id_(id), stream_(std::move(socket), *core.tls) {
    error_code ec;
    lowest().socket().set_option(tcp::no_delay(true), ec);
    const auto endpoint = lowest().socket().remote_endpoint(ec);
    if (!ec) remote_address_ = endpoint.address().to_string();
  }

  void start() {
    asio::dispatch(stream_.get_executor(), [self = shared_from_this()] { self->handshake(); });
  }

  void stop_soon() {
    asio::dispatch(stream_.get_executor(), [self = shared_from_this()] {
      if (self->is_idle_) self->finish();
    });
  }

 private:
  beast::tcp_stream& lowest() { return beast::get_lowest_layer(stream_); }

  void handshake() {
    lowest().expires_after(milliseconds(core_.config.handshake_timeout_ms));
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [self = shared_from_this()](const error_code& failed) {
                              if (failed) {
                                ++self->core_.failed_handshakes;
                                return self->finish();
                              }
                              self->read_header();
                            });
  }

  void read_header() {
    release_body();
    if (core_.is_stopping) return shut_down();
    parser_.emplace();
    parser_->header_limit(core_.config.header_bytes_max);
    parser_->body_limit(core_.config.body_bytes_max);
    is_idle_ = true;
    lowest().expires_after(milliseconds(core_.config.idle_timeout_ms));
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](const error_code& failed, std::size_t) {
                              self->on_header(failed);
                            });
  }

  void on_header(const error_code& failed) {
    is_idle_ = false;
    if (is_finished_) return;
    if (failed) return on_read_failed(failed);
    const auto length = parser_->content_length();
    const std::uint64_t size_bytes =
        parser_->chunked() ? core_.config.body_bytes_max : (length ? *length : 0);
    if (size_bytes > core_.config.body_bytes_max) return refuse_too_large();
    if (!core_.reserve_body(size_bytes)) {
      return refuse(plain_answer(503, "busy", "the node is busy; try again in a moment"));
    }
    reserved_bytes_ = size_bytes;
    lowest().expires_after(milliseconds(core_.config.read_timeout_ms));
    const auto expect = parser_->get()[http::field::expect];
    if (beast::iequals(expect, "100-continue") && !parser_->is_done()) return write_continue();
    read_body();
  }

  void write_continue() {
    continue_.emplace(http::status::continue_, parser_->get().version());
    http::async_write(stream_, *continue_,
                      [self = shared_from_this()](const error_code& failed, std::size_t) {
                        if (failed) return self->finish();
                        self->read_body();
                      });
  }

  void read_body() {
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](const error_code& failed, std::size_t) {
                       if (self->is_finished_) return;
                       if (failed) return self->on_read_failed(failed);
                       self->handle();
                     });
  }

  void on_read_failed(const error_code& failed) {
    if (failed == http::error::end_of_stream) return shut_down();
    if (failed == http::error::body_limit) return refuse_too_large();
    if (failed == http::error::header_limit) {
      return refuse(plain_answer(431, "limit_exceeded", "the request header is too large"));
    }
    if (is_http_error(failed) && failed != http::error::partial_message) {
      return refuse(plain_answer(400, "http_malformed", "the request is not valid HTTP"));
    }
    finish();  // closed, reset or timed out: nobody is left to answer
  }

  void refuse_too_large() {
    refuse(plain_answer(413, "limit_exceeded", "the request body is too large"));
  }

  /// Answers what could not be read as a request, and ends the connection: where the next request
  /// begins is not known.
  void refuse(HttpResponse response) {
    ++core_.refused_requests;
    must_drain_ = true;
    write(std::move(response));
  }

  void handle() {
    auto& message = parser_->get();
    auto target = parse_http_target({message.target().data(), message.target().size()});
    const bool has_host = message.version() < 11 || message.count(http::field::host) == 1;
    if (!target || !has_host) {
      return refuse(plain_answer(400, "http_malformed",
                                 target ? "the Host header is missing" : target.error().context));
    }
    HttpRequest request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    request.path = std::move(target->path);
    request.query = std::move(target->query);
    for (const auto& field : message) {
      const auto name = field.name_string();
      request.headers.emplace_back(lower_case({name.data(), name.size()}),
                                   std::string(field.value()));
    }
    request.body = std::move(message.body());
    request.remote_address = remote_address_;
    ++core_.requests;
    lowest().expires_never();
    Responder responder([core = core_.weak_from_this(),
                         connection = weak_from_this()](HttpResponse response) {
      const auto keeps_io = core.lock();
      const auto self = connection.lock();
      if (keeps_io == nullptr || self == nullptr) return;
      asio::dispatch(self->stream_.get_executor(), [self, answer = std::move(response)]() mutable {
        if (!self->is_finished_) self->write(std::move(answer));
      });
    });
    try {
      core_.handler(std::move(request), std::move(responder));
    } catch (const std::exception&) {
      // An outside library inside the handler: the Responder was dropped, so the client gets 500.
    }
  }

  void write(HttpResponse answer) {
    if (!is_sendable(answer)) answer = plain_answer(500, "internal", "the answer was not valid");
    const auto& asked = parser_->get();
    const bool keeps_alive = !must_drain_ && asked.keep_alive() && !core_.is_stopping;
    const bool has_no_body = answer.status == 204 || answer.status == 304;
    response_.emplace(static_cast<http::status>(answer.status), must_drain_ ? 11 : asked.version());
    for (const auto& [name, value] : answer.headers) response_->insert(name, value);
    if (!has_no_body) response_->set(http::field::content_type, answer.content_type);
    response_->keep_alive(keeps_alive);
    if (!has_no_body) {
      response_->content_length(answer.body.size());
      if (must_drain_ || asked.method() != http::verb::head) {
        response_->body() = std::move(answer.body);
      }
    }
    lowest().expires_after(milliseconds(core_.config.write_timeout_ms));
    http::async_write(
        stream_, *response_,
        [self = shared_from_this(), keeps_alive](const error_code& failed, std::size_t) {
          self->response_.reset();
          if (failed) return self->finish();
          if (self->must_drain_) return self->drain_first();
          if (!keeps_alive) return self->shut_down();
          self->read_header();
        });
  }

  void drain_first() {
    error_code ignored;
    lowest().socket().shutdown(tcp::socket::shutdown_send, ignored);
    lowest().expires_after(milliseconds(kDrainTimeoutMs));
    drain_next();
  }

  void drain_next() {
    lowest().async_read_some(
        asio::buffer(drain_buffer_),
        [self = shared_from_this()](const error_code& failed, std::size_t size) {
          self->drained_bytes_ += size;
          if (failed || self->drained_bytes_ > kDrainBytesMax) return self->finish();
          self->drain_next();
        });
  }

  void shut_down() {
    lowest().expires_after(milliseconds(kShutdownTimeoutMs));
    stream_.async_shutdown([self = shared_from_this()](const error_code&) { self->finish(); });
  }

  void release_body() {
    core_.body_bytes -= reserved_bytes_;
    reserved_bytes_ = 0;
  }

  void finish() {
    if (is_finished_) return;
    is_finished_ = true;
    is_idle_ = false;
    release_body();
    lowest().close();
    core_.forget(id_);
  }

  Core& core_;
  const std::uint64_t id_;
  beast::ssl_stream<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::empty_body>> continue_;
  std::optional<http::response<http::string_body>> response_;
  std::string remote_address_;
  std::uint64_t reserved_bytes_ = 0;
  std::size_t drained_bytes_ = 0;
  std::array<std::uint8_t, 4096> drain_buffer_{};
  bool is_idle_ = true;  // no request under way: may be closed at any time
  bool is_finished_ = false;
  bool must_drain_ = false;
};

// ---------------------------------------------------------------- accepting and stopping

Result<void> HttpsServer::Core::listen() {
  TRY(SslContextHandle context, https_server_tls_context(config.identity));
  config.identity = {};
  tls.emplace(context.release());
  error_code ec;
  const auto ip = asio::ip::make_address(config.listen_address, ec);
  if (ec) {
    return fail(Errc::connect_failed,
                "the listen address is no IP address: " + config.listen_address);
  }
  const tcp::endpoint endpoint(ip, config.listen_port);
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(tcp::acceptor::max_listen_connections, ec);
  if (ec) {
    return fail(Errc::connect_failed, "cannot listen on " + config.listen_address + " port " +
                                          std::to_string(config.listen_port) + ": " + ec.message());
  }
  port = acceptor.local_endpoint(ec).port();
  return ok();
}

void HttpsServer::Core::accept_next() {
  acceptor.async_accept(asio::make_strand(io),
                        [this](const error_code& failed, tcp::socket socket) {
                          on_accept(failed, std::move(socket));
                        });
}

void HttpsServer::Core::on_accept(const error_code& failed, tcp::socket socket) {
  if (is_stopping || failed == asio::error::operation_aborted) return;
  if (failed) {  // no file descriptors, for example: try again a little later
    accept_timer.expires_after(milliseconds(kAcceptRetryMs));
    accept_timer.async_wait([this](const error_code& cancelled) {
      if (!cancelled) accept_next();
    });
    return;
  }
  std::shared_ptr<Connection> connection;
  {
    const std::lock_guard lock(mutex);
    if (connections.size() < config.connections_max) {
      const std::uint64_t id = ++accepted;
      connection = std::make_shared<Connection>(*this, id, std::move(socket));
      connections.emplace(id, connection);
    } else {
      ++refused_connections;
    }
  }
  if (connection != nullptr) connection->start();
  accept_next();
}

void HttpsServer::Core::forget(std::uint64_t id) {
  const std::lock_guard lock(mutex);
  connections.erase(id);
  if (connections.empty()) all_closed.notify_all();
}

bool HttpsServer::Core::reserve_body(std::uint64_t size_bytes) {
  if (body_bytes.fetch_add(size_bytes) + size_bytes <= config.body_bytes_total_max) return true;
  body_bytes -= size_bytes;
  return false;
}

void HttpsServer::Core::stop() {
  const std::lock_guard stop_lock(stop_mutex);
  if (is_stopping.exchange(true)) return;
  asio::dispatch(acceptor.get_executor(), [this] {
    error_code ignored;
    acceptor.close(ignored);
    accept_timer.cancel();
  });
  {
    std::unique_lock lock(mutex);
    for (const auto& [id, connection] : connections) connection->stop_soon();
    all_closed.wait_for(lock, milliseconds(config.stop_grace_ms),
                        [this] { return connections.empty(); });
  }
  io.stop();
  for (std::thread& thread : threads) thread.join();
  const std::lock_guard lock(mutex);
  connections.clear();
}

HttpsServer::HttpsServer(std::shared_ptr<Core> core) : core_(std::move(core)) {}
HttpsServer::~HttpsServer() { stop(); }

Result<std::unique_ptr<HttpsServer>> HttpsServer::start(HttpsServerConfig config,
                                                        HttpHandler handler) {
  ASSERT(handler);
  if (config.thread_count == 0 || config.thread_count > 256) {
    return fail(Errc::bad_argument, "the HTTPS server needs 1 to 256 threads");
  }
  auto core = std::make_shared<Core>(std::move(config), std::move(handler));
  TRY(core->listen());
  core->accept_next();
  for (std::uint32_t i = 0; i < core->config.thread_count; ++i) {
    core->threads.emplace_back([io = &core->io] {
      name_thread("https");
      io->run();
    });
  }
  return std::unique_ptr<HttpsServer>(new HttpsServer(std::move(core)));
}

std::uint16_t HttpsServer::bound_port() const { return core_->port; }
void HttpsServer::stop() { core_->stop(); }

HttpsCounters HttpsServer::counters() const {
  HttpsCounters out;
  out.requests = core_->requests;
  out.refused_requests = core_->refused_requests;
  out.failed_handshakes = core_->failed_handshakes;
  const std::lock_guard lock(core_->mutex);
  out.connections = core_->accepted;
  out.refused_connections = core_->refused_connections;
  out.open_connections = core_->connections.size();
  return out;
}

}  // namespace baolian::net
