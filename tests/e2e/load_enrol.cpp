/// Enrolment of many persons over HTTPS: the ordinary path (forms kept and attested, operation,
/// consensus, certified receipt), up to 1,000 persons a request.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <mutex>
#include <thread>

#include "crypto/random.h"
#include "load.h"

namespace baolian::e2e {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kPersonsPerRequest = 1000;
constexpr auto kRetryEvery = std::chrono::milliseconds(100);
constexpr std::uint32_t kRequestTimeoutMs = 60'000;
constexpr auto kGiveUp = std::chrono::seconds(120);
constexpr std::size_t kBarWidth = 40;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// An 18-digit number of nobody: region 999999, as test persons have.
std::string person_number(std::uint64_t index) { return fmt::format("999999{:012}", index); }

/// The clients' common work: which persons are next, and how far all are.
class Enrolment {
 public:
  Enrolment(const EnrolOptions& options) : options_(options), started_(Clock::now()) {}

  /// First person of the next request; false at the end.
  bool take(std::uint64_t& first, std::uint64_t& count) {
    first = next_.fetch_add(kPersonsPerRequest);
    if (first >= options_.persons || failed()) return false;
    count = std::min(kPersonsPerRequest, options_.persons - first);
    first += options_.first_person;
    return true;
  }

  void enrolled(std::uint64_t count, double latency_ms) {
    const std::lock_guard lock(mutex_);
    done_ += count;
    latencies_ms_.push_back(latency_ms);
    draw();
  }
  void fail(const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (error_.empty()) error_ = why;
  }
  bool failed() {
    const std::lock_guard lock(mutex_);
    return !error_.empty();
  }

  Result<json> summary() {
    const std::lock_guard lock(mutex_);
    if (isatty(STDERR_FILENO) == 1) std::fputc('\n', stderr);
    if (!error_.empty()) return baolian::fail(Errc::rejected, error_);
    std::sort(latencies_ms_.begin(), latencies_ms_.end());
    const double elapsed_s = seconds_since(started_);
    return json{{"persons", done_},
                {"elapsed_s", std::round(elapsed_s * 10) / 10},
                {"persons_per_s", std::round(static_cast<double>(done_) / elapsed_s)},
                {"request_p50_ms", std::round(latencies_ms_[latencies_ms_.size() / 2])},
                {"request_max_ms", std::round(latencies_ms_.back())}};
  }

 private:
  void draw() const {
    if (isatty(STDERR_FILENO) != 1) return;
    const double part = static_cast<double>(done_) / static_cast<double>(options_.persons);
    const auto filled = static_cast<std::size_t>(part * kBarWidth);
    const double per_s = static_cast<double>(done_) / seconds_since(started_);
    const double left_s = static_cast<double>(options_.persons - done_) / std::max(per_s, 1.0);
    fmt::print(stderr, "\r[{:<{}}] {:>3.0f} %  {} of {} persons, {:.0f}/s, {:.0f} s left ",
               std::string(filled, '#'), kBarWidth, part * 100, done_, options_.persons, per_s,
               left_s);
  }

  const EnrolOptions& options_;
  const Clock::time_point started_;
  std::atomic<std::uint64_t> next_ = 0;
  std::mutex mutex_;
  std::uint64_t done_ = 0;
  std::vector<double> latencies_ms_;
  std::string error_;
};

json enrol_body(const std::string& product, std::uint64_t first, std::uint64_t count) {
  json lines = json::array();
  for (std::uint64_t i = first; i < first + count; ++i) {
    lines.push_back({{"person", {{"value", person_number(i)}}},
                     {"class", "adult"},
                     {"from", "2026-12-01"},
                     {"to", "2027-11-30"},
                     {"premium_source", "cash"}});
  }
  return {{"product", product},
          {"version", 1},
          {"purposes", {"HPAYMT"}},
          {"classes", {"bill", "clinical_summary", "document"}},
          {"level_max", 3},
          {"attest", true},
          {"lines", std::move(lines)},
          {"request_id", crypto::random_id<RequestId>().hex()}};
}

/// One request after the other, each with its own id until its outcome is known.
void run_client(cli::ApiClient client, const std::string& product, Enrolment& enrolment) {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  while (enrolment.take(first, count)) {
    const json body = enrol_body(product, first, count);
    const auto started = Clock::now();
    for (;;) {
      const auto answer = client.request_json("POST", "/v1/policies", body);
      if (answer) {
        if (answer->value("policies", json::array()).size() != count) {
          return enrolment.fail("an answer with another number of policies");
        }
        enrolment.enrolled(count, seconds_since(started) * 1000);
        break;
      }
      if (Clock::now() - started > kGiveUp) return enrolment.fail(answer.error().context);
      std::this_thread::sleep_for(kRetryEvery);
    }
  }
}

Result<std::string> register_product(cli::ApiClient& client) {
  TRY(const json answer, client.request_json("POST", "/v1/products",
                                             {{"cover_basis", "discharge"},
                                              {"per_claim_authorization", false},
                                              {"payer_rank", 10},
                                              {"premium_sources", {"cash"}},
                                              {"from", "2026-01-01"},
                                              {"to", "2027-12-31"}}));
  return answer.value("product", "");
}

}  // namespace

Result<json> run_enrolment(const EnrolOptions& options) {
  struct Insurer {
    cli::Profile profile;
    std::string product;
  };
  std::vector<Insurer> insurers;
  for (const char* node : {"insurer-a", "insurer-b"}) {
    TRY(cli::Profile profile,
        cli::load_profile(options.network + "/profiles/" + node + "-adjuster.json"));
    TRY(cli::ApiClient client, cli::ApiClient::connect(profile, kRequestTimeoutMs));
    TRY(std::string product, register_product(client));
    insurers.push_back({std::move(profile), std::move(product)});
  }
  Enrolment enrolment(options);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < options.clients; ++i) {
    const Insurer& insurer = insurers[i % insurers.size()];
    auto client = cli::ApiClient::connect(insurer.profile, kRequestTimeoutMs);
    if (!client) {
      enrolment.fail(client.error().context);
      break;
    }
    threads.emplace_back(run_client, *std::move(client), insurer.product, std::ref(enrolment));
  }
  for (std::thread& thread : threads) thread.join();
  return enrolment.summary();
}

}  // namespace baolian::e2e
