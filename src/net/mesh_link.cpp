#include "net/mesh_link.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstring>
#include <deque>
#include <optional>
#include <thread>

#include "net/thread_name.h"
#include "net/tls_context.h"

namespace baolian::net {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Clock = std::chrono::steady_clock;

namespace {

/// A little above one TLS record, which is what one read gives at most.
constexpr std::size_t kReadBytes = 17 * 1024;
/// Unsent bytes in the kernel: more would lie before a vote that comes later, whatever its class.
constexpr int kKernelUnsentBytes = 128 * 1024;
/// Accepted connections that have not yet shown a registered key; beyond it the oldest is closed.
constexpr std::size_t kUnprovenLinksMax = 256;
constexpr std::uint64_t kMeshAcceptRetryMs = 100;

std::uint64_t elapsed_ms(Clock::time_point since) {
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - since);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(passed.count(), 0));
}

/// TLS alerts and broken records apart from ordinary ends. A peer that refuses our certificate
/// says so by an alert that arrives after our side of the handshake succeeded.
Error stream_error(const error_code& ec, std::string_view what) {
  const bool is_tls = ec.category() == asio::error::get_ssl_category();
  return fail(is_tls ? Errc::tls_failed : Errc::closed, std::string(what) + ": " + ec.message());
}

class TlsLink final : public Link, public std::enable_shared_from_this<TlsLink> {
 public:
  TlsLink(asio::io_context& io, asio::ssl::context& tls, const LinkTimeouts& timeouts,
          const QueueCaps& caps)
      : io_(io),
        resolver_(io),
        stream_(io, tls),
        timer_(io),
        timeouts_(timeouts),
        queue_(caps),
        opened_at_(Clock::now()),
        received_at_(opened_at_),
        written_at_(opened_at_) {
    judge_ = [this](BytesView der) { return judge(der); };
  }

  tcp::socket& socket() { return stream_.next_layer(); }
  bool is_unproven() const { return !is_closed_ && !is_open_; }

  void accept(std::shared_ptr<LinkHandler> handler) {
    handler_ = std::move(handler);
    on_connected(LinkRole::acceptor);
  }

  void dial(const std::string& host, std::uint16_t port, std::shared_ptr<LinkHandler> handler) {
    handler_ = std::move(handler);
    schedule_tick();
    error_code ec;
    const auto address = asio::ip::make_address(host, ec);
    if (!ec) {
      socket().async_connect(
          {address, port},
          [self = shared_from_this()](const error_code& failed) { self->on_dialled(failed); });
      return;
    }
    resolver_.async_resolve(
        host, std::to_string(port),
        [self = shared_from_this()](const error_code& failed, tcp::resolver::results_type found) {
          if (failed || self->is_closed_) return self->on_dialled(failed);
          asio::async_connect(self->socket(), found,
                              [self](const error_code& refused, const tcp::endpoint&) {
                                self->on_dialled(refused);
                              });
        });
  }

  void set_open() override { is_open_ = true; }

  Result<SessionBinding> session_binding(LinkRole signer) override {
    SessionBinding out;
    const std::string_view context = exporter_context(signer);
    if (SSL_export_keying_material(stream_.native_handle(), out.bytes.data(), out.bytes.size(),
                                   kExporterLabel.data(), kExporterLabel.size(),
                                   as_bytes(context).data(), context.size(), 1) != 1) {
      return openssl_error(Errc::tls_failed, "cannot export keying material");
    }
    return out;
  }

  FrameQueue& queue() override { return queue_; }

  void wake() override {
    if (is_wake_posted_.exchange(true)) return;
    asio::post(io_, [self = shared_from_this()] {
      self->is_wake_posted_ = false;
      self->write_next();
    });
  }

  void close(Error why) override {
    if (is_closed_) return;
    is_closed_ = true;
    queue_.close();
    timer_.cancel();
    resolver_.cancel();
    error_code ignored;
    socket().shutdown(tcp::socket::shutdown_both, ignored);
    socket().close(ignored);
    const std::shared_ptr<LinkHandler> handler = std::move(handler_);
    if (handler != nullptr) handler->on_closed(why);
  }

 private:
  bool judge(BytesView der) {
    const auto pin = certificate_pin(der);
    const auto handler = handler_;
    return pin.has_value() && handler != nullptr && handler->accept_pin(*pin);
  }

  void on_dialled(const error_code& failed) {
    if (is_closed_) return;
    if (failed) return close(fail(Errc::connect_failed, "cannot connect: " + failed.message()));
    on_connected(LinkRole::dialer);
  }

  void on_connected(LinkRole role) {
    if (role == LinkRole::acceptor) schedule_tick();
    error_code ignored;
    socket().set_option(tcp::no_delay(true), ignored);
    const int unsent = kKernelUnsentBytes;
    setsockopt(socket().native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    const auto prepared = set_certificate_judge(stream_.native_handle(), &judge_);
    if (!prepared) return close(prepared.error());
    const auto side =
        role == LinkRole::dialer ? asio::ssl::stream_base::client : asio::ssl::stream_base::server;
    stream_.async_handshake(side, [self = shared_from_this()](const error_code& failed) {
      self->on_handshake(failed);
    });
  }

  void on_handshake(const error_code& failed) {
    if (is_closed_) return;
    if (failed) {
      return close(fail(Errc::tls_failed, "the TLS handshake failed: " + failed.message()));
    }
    if (!has_mesh_protocol(stream_.native_handle())) {
      return close(fail(Errc::tls_failed, "the peer does not speak baolian/1"));
    }
    is_secured_ = true;
    const auto handler = handler_;
    handler->on_secured();
    read_next();
    write_next();
  }

  void read_next() {
    if (is_closed_) return;
    stream_.async_read_some(asio::buffer(read_buffer_),
                            [self = shared_from_this()](const error_code& failed, std::size_t n) {
                              self->on_read(failed, n);
                            });
  }

  void on_read(const error_code& failed, std::size_t size) {
    if (is_closed_) return;
    if (failed) return close(stream_error(failed, "the peer ended the connection"));
    received_at_ = Clock::now();
    BytesView rest(read_buffer_.data(), size);
    while (!rest.empty() && !is_closed_) rest = take_bytes(rest);
    read_next();
  }

  /// Consumes the beginning of `in`: a part of the header, or of the content.
  BytesView take_bytes(BytesView in) {
    if (!header_.has_value()) {
      const std::size_t size = std::min(in.size(), kFrameHeaderBytes - header_size_);
      std::memcpy(header_bytes_.data() + header_size_, in.data(), size);
      header_size_ += size;
      if (header_size_ == kFrameHeaderBytes) on_header();
      return in.subspan(size);
    }
    const std::size_t size = std::min(in.size(), header_->content_bytes - content_.size());
    append(content_, in.first(size));
    if (content_.size() == header_->content_bytes) on_content();
    return in.subspan(size);
  }

  void on_header() {
    const std::uint32_t limit = is_open_ ? kFrameBytesMax : std::uint32_t{kHelloBytesMax};
    auto parsed = parse_frame_header(header_bytes_, limit);
    if (!parsed) return close(parsed.error());
    header_size_ = 0;
    header_ = *parsed;
    content_.clear();
    content_.reserve(header_->content_bytes);
    if (header_->content_bytes == 0) on_content();
  }

  void on_content() {
    const FrameKind kind = header_->kind;
    header_.reset();
    if (const auto message = message_class(kind)) queue_.count_received(*message, content_.size());
    const auto handler = handler_;
    if (kind != FrameKind::ping) handler->on_frame(kind, std::exchange(content_, {}));
  }

  void write_next() {
    if (is_closed_ || !is_secured_ || is_writing_ || !queue_.gather(batch_)) return;
    is_writing_ = true;
    written_at_ = Clock::now();
    std::array<asio::const_buffer, 2> buffers{asio::buffer(batch_.small)};
    if (batch_.large != nullptr) buffers[1] = asio::buffer(*batch_.large);
    asio::async_write(stream_, buffers,
                      [self = shared_from_this()](const error_code& failed, std::size_t) {
                        self->on_written(failed);
                      });
  }

  void on_written(const error_code& failed) {
    is_writing_ = false;
    if (is_closed_) return;
    if (failed) return close(stream_error(failed, "cannot write to the peer"));
    written_at_ = Clock::now();
    write_next();
  }

  void schedule_tick() {
    const std::uint32_t shortest = std::min(
        {timeouts_.handshake_timeout_ms, timeouts_.idle_timeout_ms, timeouts_.keepalive_ms});
    timer_.expires_after(std::chrono::milliseconds(std::clamp(shortest / 4, 5u, 1000u)));
    timer_.async_wait([self = shared_from_this()](const error_code& cancelled) {
      if (!cancelled && !self->is_closed_) self->on_tick();
    });
  }

  void on_tick() {
    if (!is_open_ && elapsed_ms(opened_at_) >= timeouts_.handshake_timeout_ms) {
      return close(fail(Errc::timed_out, "the peer did not complete the handshake in time"));
    }
    if (is_open_ && elapsed_ms(received_at_) >= timeouts_.idle_timeout_ms) {
      return close(fail(Errc::timed_out, "nothing was received from the peer for too long"));
    }
    if (is_writing_ && elapsed_ms(written_at_) >= timeouts_.idle_timeout_ms) {
      return close(fail(Errc::timed_out, "the peer does not read what is sent to it"));
    }
    if (is_open_ && !is_writing_ && elapsed_ms(written_at_) >= timeouts_.keepalive_ms) {
      queue_.push_control(FrameKind::ping, {});
      write_next();
    }
    schedule_tick();
  }

  asio::io_context& io_;
  tcp::resolver resolver_;
  asio::ssl::stream<tcp::socket> stream_;
  asio::steady_timer timer_;
  const LinkTimeouts timeouts_;
  FrameQueue queue_;
  CertificateJudge judge_;
  std::shared_ptr<LinkHandler> handler_;
  Clock::time_point opened_at_;
  Clock::time_point received_at_;
  Clock::time_point written_at_;  // start of the write under way, or end of the last
  std::atomic<bool> is_wake_posted_ = false;
  bool is_closed_ = false;
  bool is_secured_ = false;
  bool is_open_ = false;
  bool is_writing_ = false;
  WriteBatch batch_;
  std::array<std::uint8_t, kReadBytes> read_buffer_{};
  std::array<std::uint8_t, kFrameHeaderBytes> header_bytes_{};
  std::size_t header_size_ = 0;
  std::optional<FrameHeader> header_;
  Bytes content_;
};

}  // namespace

struct MeshLoop::State {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
  std::optional<asio::ssl::context> tls;
  LinkTimeouts timeouts;
  QueueCaps caps;
  tcp::acceptor acceptor{io};
  MakeHandler make_accepted;
  std::deque<std::weak_ptr<TlsLink>> unproven;
  std::thread thread;

  std::shared_ptr<TlsLink> new_link() {
    return std::make_shared<TlsLink>(io, *tls, timeouts, caps);
  }

  void accept_next() {
    auto link = new_link();
    tcp::socket& socket = link->socket();
    acceptor.async_accept(socket, [this, link = std::move(link)](const error_code& failed) {
      on_accept(link, failed);
    });
  }

  void on_accept(const std::shared_ptr<TlsLink>& link, const error_code& failed) {
    if (failed == asio::error::operation_aborted) return;
    if (failed) {  // no file descriptors, for example: try again a little later
      return after(kMeshAcceptRetryMs, [this] { accept_next(); });
    }
    make_room();
    if (auto handler = make_accepted(link)) {
      unproven.push_back(link);
      link->accept(std::move(handler));
    }
    accept_next();
  }

  void make_room() {
    std::erase_if(unproven, [](const std::weak_ptr<TlsLink>& weak) {
      const auto link = weak.lock();
      return link == nullptr || !link->is_unproven();
    });
    if (unproven.size() < kUnprovenLinksMax) return;
    const auto oldest = unproven.front().lock();
    unproven.pop_front();
    oldest->close(fail(Errc::busy, "too many connections without a registered key"));
  }

  void after(std::uint64_t delay_ms, std::function<void()> action) {
    auto timer = std::make_shared<asio::steady_timer>(io, std::chrono::milliseconds(delay_ms));
    timer->async_wait([timer, action = std::move(action)](const error_code& cancelled) {
      if (!cancelled) action();
    });
  }
};

MeshLoop::MeshLoop() : state_(std::make_unique<State>()) {}
MeshLoop::~MeshLoop() { ASSERT(!state_->thread.joinable()); }

Result<void> MeshLoop::use_identity(const TlsIdentity& identity, const LinkTimeouts& timeouts,
                                    const QueueCaps& caps) {
  TRY(SslContextHandle context, mesh_tls_context(identity));
  state_->tls.emplace(context.release());
  state_->timeouts = timeouts;
  state_->caps = caps;
  return ok();
}

Result<std::uint16_t> MeshLoop::listen(const std::string& address, std::uint16_t port,
                                       MakeHandler make) {
  ASSERT(state_->tls.has_value());
  error_code ec;
  const auto ip = asio::ip::make_address(address, ec);
  if (ec) return fail(Errc::connect_failed, "the listen address is no IP address: " + address);
  const tcp::endpoint endpoint(ip, port);
  tcp::acceptor& acceptor = state_->acceptor;
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(tcp::acceptor::max_listen_connections, ec);
  if (ec) {
    return fail(Errc::connect_failed, "cannot listen on " + address + " port " +
                                          std::to_string(port) + ": " + ec.message());
  }
  state_->make_accepted = std::move(make);
  state_->accept_next();
  return acceptor.local_endpoint(ec).port();
}

void MeshLoop::start() {
  ASSERT(!state_->thread.joinable());
  state_->thread = std::thread([this] {
    name_thread("mesh");
    state_->io.run();
  });
}

void MeshLoop::stop() {
  ASSERT(!is_mesh_thread());
  state_->io.stop();
  if (state_->thread.joinable()) state_->thread.join();
}

bool MeshLoop::is_mesh_thread() const { return state_->io.get_executor().running_in_this_thread(); }

void MeshLoop::post(std::function<void()> work) { asio::post(state_->io, std::move(work)); }

void MeshLoop::after(std::uint64_t delay_ms, std::function<void()> work) {
  state_->after(delay_ms, std::move(work));
}

std::shared_ptr<Link> MeshLoop::dial(const std::string& host, std::uint16_t port,
                                     MakeHandler make) {
  ASSERT(state_->tls.has_value());
  auto link = state_->new_link();
  auto handler = make(link);
  ASSERT(handler != nullptr);
  link->dial(host, port, std::move(handler));
  return link;
}

}  // namespace baolian::net
