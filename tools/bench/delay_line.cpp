#include "bench/delay_line.h"

#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <deque>
#include <thread>
#include <vector>

namespace baolian::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using ErrorCode = boost::system::error_code;

/// One direction of a connection. What waits is as much as is sent in one delay: no bound.
class Pump : public std::enable_shared_from_this<Pump> {
 public:
  Pump(std::shared_ptr<tcp::socket> from, std::shared_ptr<tcp::socket> to,
       const std::atomic<std::uint32_t>& delay_ms)
      : from_(std::move(from)),
        to_(std::move(to)),
        delay_ms_(delay_ms),
        timer_(to_->get_executor()) {}

  void read() {
    from_->async_read_some(asio::buffer(buffer_), [self = shared_from_this()](
                                                      const ErrorCode& error, std::size_t size) {
      if (error) {
        self->is_ended_ = true;
        if (self->waiting_.empty()) self->close();
        return;
      }
      const auto due = Clock::now() + std::chrono::milliseconds(self->delay_ms_.load());
      const auto first = self->buffer_.begin();
      self->waiting_.push_back({due, {first, first + static_cast<std::ptrdiff_t>(size)}});
      if (self->waiting_.size() == 1) self->write();
      self->read();
    });
  }

 private:
  struct Piece {
    Clock::time_point due;
    std::vector<char> bytes;
  };

  void write() {
    timer_.expires_at(waiting_.front().due);
    timer_.async_wait([self = shared_from_this()](const ErrorCode& stopped) {
      if (stopped) return;
      asio::async_write(*self->to_, asio::buffer(self->waiting_.front().bytes),
                        [self](const ErrorCode& error, std::size_t) { self->written(error); });
    });
  }

  void written(const ErrorCode& error) {
    waiting_.pop_front();
    if (error || (is_ended_ && waiting_.empty())) return close();
    if (!waiting_.empty()) write();
  }

  void close() {
    ErrorCode ignored;
    from_->close(ignored);
    to_->close(ignored);
  }

  std::shared_ptr<tcp::socket> from_;
  std::shared_ptr<tcp::socket> to_;
  const std::atomic<std::uint32_t>& delay_ms_;
  asio::steady_timer timer_;
  std::array<char, 64 * 1024> buffer_{};
  std::deque<Piece> waiting_;
  bool is_ended_ = false;
};

tcp::endpoint loopback(std::uint16_t port) { return {asio::ip::address_v4::loopback(), port}; }

}  // namespace

struct DelayLine::State {
  struct Route {
    tcp::acceptor acceptor;
    std::uint16_t target;
  };

  void accept(Route& route) {
    route.acceptor.async_accept([this, &route](const ErrorCode& error, tcp::socket socket) {
      if (error) return;
      connect(std::make_shared<tcp::socket>(std::move(socket)), route.target);
      accept(route);
    });
  }

  void connect(std::shared_ptr<tcp::socket> dialer, std::uint16_t target) {
    auto acceptor = std::make_shared<tcp::socket>(context);
    acceptor->async_connect(loopback(target), [this, dialer, acceptor](const ErrorCode& error) {
      if (error) return;  // both sockets close, and the dialler tries again later
      ErrorCode ignored;
      dialer->set_option(tcp::no_delay(true), ignored);
      acceptor->set_option(tcp::no_delay(true), ignored);
      std::make_shared<Pump>(dialer, acceptor, delay_ms)->read();
      std::make_shared<Pump>(acceptor, dialer, delay_ms)->read();
    });
  }

  // The delay outlives the context, whose handlers refer to it.
  std::atomic<std::uint32_t> delay_ms{0};
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
  std::deque<Route> routes;
  std::thread thread{[this] { context.run(); }};
};

DelayLine::DelayLine() : state_(std::make_unique<State>()) {}

DelayLine::~DelayLine() {
  state_->context.stop();
  state_->thread.join();
}

Result<std::uint16_t> DelayLine::add_route(std::uint16_t port) {
  ErrorCode error;
  tcp::acceptor acceptor(state_->context);
  acceptor.open(tcp::v4(), error);
  if (!error) acceptor.bind(loopback(0), error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error) return fail(Errc::io_failed, "cannot listen on loopback: " + error.message());
  const std::uint16_t out = acceptor.local_endpoint().port();
  asio::post(state_->context, [state = state_.get(), port, moved = std::move(acceptor)]() mutable {
    state->routes.push_back({std::move(moved), port});
    state->accept(state->routes.back());
  });
  return out;
}

void DelayLine::set_delay_ms(std::uint32_t delay_ms) { state_->delay_ms = delay_ms; }

}  // namespace baolian::bench
