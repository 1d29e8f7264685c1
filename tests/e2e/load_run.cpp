#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "crypto/base64.h"
#include "crypto/random.h"
#include "load.h"

namespace baolian::e2e {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr auto kRetryEvery = std::chrono::milliseconds(50);
constexpr std::uint32_t kRequestTimeoutMs = 20'000;

struct Sample {
  std::uint64_t latency_us = 0;
  std::uint64_t attempts = 0;
};

/// What the client threads share.
class Progress {
 public:
  Progress(const LoadOptions& options, const std::string& path)
      : options_(options), out_(path, std::ios::app), started_(Clock::now()) {}

  bool usable() const { return static_cast<bool>(out_); }

  /// Takes one reading to do; false at the end.
  bool take() {
    if (options_.seconds > 0 && Clock::now() - started_ > std::chrono::seconds(options_.seconds)) {
      return false;
    }
    if (options_.count == 0) return true;
    const std::lock_guard lock(mutex_);
    if (taken_ >= options_.count + options_.warm_up) return false;
    ++taken_;
    return true;
  }

  void acknowledge(const json& receipt, const Sample& sample) {
    const std::lock_guard lock(mutex_);
    out_ << receipt.dump() << std::endl;
    if (acknowledged_++ < options_.warm_up) return;
    samples_.push_back(sample);
  }

  void abandon(const std::string& why) {
    const std::lock_guard lock(mutex_);
    ++abandoned_;
    last_error_ = why;
  }

  void count_expired() { ++expired_; }

  json summary() {
    const std::lock_guard lock(mutex_);
    std::vector<std::uint64_t> at_once;
    std::uint64_t retried = 0;
    for (const auto& sample : samples_) {
      if (sample.attempts == 1) at_once.push_back(sample.latency_us);
      retried += sample.attempts > 1 ? 1 : 0;
    }
    std::sort(at_once.begin(), at_once.end());
    const double elapsed_s = std::chrono::duration<double>(Clock::now() - started_).count();
    return {{"acknowledged", acknowledged_},
            {"measured", samples_.size()},
            {"retried", retried},
            {"expired", expired_.load()},
            {"abandoned", abandoned_},
            {"last_error", last_error_},
            {"elapsed_s", std::round(elapsed_s * 1000) / 1000},
            {"per_s", std::round(static_cast<double>(acknowledged_) / elapsed_s * 10) / 10},
            {"p50_ms", percentile_ms(at_once, 50)},
            {"p99_ms", percentile_ms(at_once, 99)},
            {"max_ms", percentile_ms(at_once, 100)}};
  }

 private:
  /// Nearest rank.
  static double percentile_ms(const std::vector<std::uint64_t>& sorted, std::size_t percent) {
    if (sorted.empty()) return 0;
    const std::size_t rank = (sorted.size() * percent + 99) / 100;
    return static_cast<double>(sorted[std::max<std::size_t>(rank, 1) - 1]) / 1000;
  }

  const LoadOptions& options_;
  std::mutex mutex_;
  std::ofstream out_;
  Clock::time_point started_;
  std::uint64_t taken_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t abandoned_ = 0;
  std::atomic<std::uint64_t> expired_ = 0;
  std::string last_error_;
  std::vector<Sample> samples_;
};

/// The node says that the operation can execute no more: only then a new request id is right.
bool is_expired(const Error& error) {
  return error.code == Errc::busy && error.context.starts_with("\"timed_out\"");
}

bool is_receipt(const json& answer) {
  return answer.is_object() && answer.contains("height") && answer.contains("leaf") &&
         answer.contains("tx_id") && answer.value("outcome", "") == "read";
}

std::uint64_t civil_ms() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

/// One reading, with the same request id until its outcome is known.
void read_once(cli::ApiClient& client, const Target& target, const LoadOptions& options,
               Progress& progress) {
  const auto started = Clock::now();
  const auto give_up = started + std::chrono::seconds(options.give_up_s);
  std::string request_id = crypto::random_id<RequestId>().hex();
  for (Sample sample{0, 1};; ++sample.attempts) {
    const auto answer = client.request_json("POST", "/v1/records/" + target.record + "/read",
                                            {{"purpose", "TREAT"}, {"request_id", request_id}});
    if (answer && is_receipt(*answer) && answer->value("request_id", "") == request_id) {
      sample.latency_us = static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started).count());
      return progress.acknowledge({{"request_id", request_id},
                                   {"tx_id", (*answer)["tx_id"]},
                                   {"height", (*answer)["height"]},
                                   {"leaf", (*answer)["leaf"]},
                                   {"record", target.record},
                                   {"node", target.node},
                                   {"certified_ms", answer->value("certified_ms", 0U)},
                                   {"acknowledged_at_ms", civil_ms()},
                                   {"latency_us", sample.latency_us},
                                   {"attempts", sample.attempts}},
                                  sample);
    }
    if (Clock::now() > give_up) {
      return progress.abandon(answer ? "an answer without receipt" : answer.error().context);
    }
    if (!answer && is_expired(answer.error())) {
      progress.count_expired();
      request_id = crypto::random_id<RequestId>().hex();
    }
    std::this_thread::sleep_for(kRetryEvery);
  }
}

Result<Target> register_record(const std::string& node, const std::string& path) {
  TRY(const cli::Profile profile, cli::load_profile(path));
  TRY(cli::ApiClient client, cli::ApiClient::connect(profile, kRequestTimeoutMs));
  const std::string content = "discharge summary of a load test, kept by " + node;
  TRY(const json answer,
      client.request_json("POST", "/v1/records",
                          {{"person", {{"value", "999999198001010018"}}},
                           {"class", "document"},
                           {"level", 3},
                           {"content_base64", crypto::base64_encode(as_bytes(content))}}));
  return Target{node, path, answer.value("record", "")};
}

}  // namespace

Result<std::vector<Target>> prepare_targets(const std::string& network) {
  const std::string noted = network + "/load-targets.json";
  std::vector<Target> out;
  if (std::filesystem::exists(noted)) {
    TRY(const std::string text, cli::read_text_file(noted, 1 << 20));
    for (const auto& item : json::parse(text, nullptr, false)) {
      out.push_back({item.value("node", ""), item.value("profile", ""), item.value("record", "")});
    }
    return out;
  }
  json note = json::array();
  for (const char* node : {"hospital-a", "hospital-b"}) {
    TRY(Target target, register_record(node, network + "/profiles/" + node + "-doctor.json"));
    note.push_back({{"node", target.node}, {"profile", target.profile}, {"record", target.record}});
    out.push_back(std::move(target));
  }
  TRY(cli::write_text_file(noted, note.dump(1)));
  return out;
}

Result<json> run_load(const LoadOptions& options) {
  TRY(const std::vector<Target> targets, prepare_targets(options.network));
  std::vector<cli::ApiClient> clients;
  for (std::size_t i = 0; i < options.clients; ++i) {
    TRY(const cli::Profile profile, cli::load_profile(targets[i % targets.size()].profile));
    TRY(cli::ApiClient client, cli::ApiClient::connect(profile, kRequestTimeoutMs));
    clients.push_back(std::move(client));
  }
  Progress progress(options, options.receipts);
  if (!progress.usable()) return fail(Errc::io_failed, "the receipts file cannot be written");
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    threads.emplace_back([&, i] {
      while (progress.take()) {
        read_once(clients[i], targets[i % targets.size()], options, progress);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  return progress.summary();
}

}  // namespace baolian::e2e
