#include "bench/gateway.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "crypto/base64.h"
#include "crypto/random.h"
#include "progress_bar.h"

namespace baolian::bench {
namespace {

using nlohmann::json;

constexpr std::uint64_t kRecordsMax = 500;
constexpr std::uint64_t kRepeatEvery = 100;
constexpr std::uint64_t kGiveUpUs = 120'000'000;
constexpr auto kAgainAfter = std::chrono::milliseconds(20);

std::string new_request_id() { return crypto::random_id<RequestId>().hex(); }

}  // namespace

Result<std::uint64_t> Gateway::prepare() {
  const std::uint64_t each =
      std::clamp<std::uint64_t>(settings_.records / doctors_.size(), 1, kRecordsMax);
  tools::ProgressBar bar;
  const bool has_bar = tools::ProgressBar::is_wanted();
  for (std::size_t hospital = 0; hospital < doctors_.size(); ++hospital) {
    Caller caller(doctors_[hospital]);
    for (std::uint64_t i = 0; i < each; ++i) {
      const json body = {{"person", {{"value", fmt::format("999999{:012}", i)}}},
                         {"class", "document"},
                         {"level", 3},
                         {"content_base64", crypto::base64_encode(as_bytes("discharge summary"))},
                         {"request_id", new_request_id()}};
      TRY(const json answer, caller.require("POST", "/v1/records", body));
      records_[hospital].push_back(answer.value("record", ""));
      if (has_bar) bar.show("registering records", hospital * each + i, doctors_.size() * each);
    }
  }
  if (has_bar) bar.clear();
  return each * doctors_.size();
}

void Gateway::note(const json& answer) {
  const std::lock_guard lock(mutex_);
  transactions_.insert(answer.value("tx_id", ""));
  ++readings_;
}

/// Asks again under the same id. Returns: what the connection says; another answer is counted.
Result<void> Gateway::repeat(Caller& caller, const std::string& target, const std::string& body,
                             const json& first) {
  TRY(const Answer again, caller.request("POST", target, body));
  bool is_same = again.is_ok() && again.body.value("repeated", false);
  for (const char* field : {"tx_id", "height", "leaf", "status", "request_id"}) {
    is_same = is_same && again.body.contains(field) && again.body[field] == first.at(field);
  }
  const std::lock_guard lock(mutex_);
  ++repeated_;
  if (is_same) ++repeated_same_;
  return ok();
}

Result<void> Gateway::read_one(Crew& crew, Caller& caller, std::size_t hospital,
                               std::uint64_t due_us, Tally& tally) {
  const std::uint64_t number = next_++;
  const auto& records = records_[hospital];
  const std::string target = "/v1/records/" + records[number % records.size()] + "/read";
  const std::string body = json{{"purpose", "TREAT"}, {"request_id", new_request_id()}}.dump();
  while (true) {
    const auto answer = caller.request("POST", target, body);
    if (answer && answer->is_ok()) {
      const json& receipt = answer->body;
      ++tally.applied;
      tally.samples.push_back({due_us, crew.elapsed_us(), 1});
      tally.places.push_back({doctors_[hospital].node, Height{receipt.at("height")},
                              receipt.at("leaf").get<std::uint32_t>()});
      crew.count(1);
      note(receipt);
      return number % kRepeatEvery == 0 ? repeat(caller, target, body, receipt) : ok();
    }
    tally.problem = answer ? answer->problem() : answer.error().context;
    if (answer && !answer->is_busy()) {
      ++tally.dropped;
      return ok();
    }
    ++(answer ? tally.busy : tally.sent_again);
    if (crew.elapsed_us() > due_us + kGiveUpUs) return fail(Errc::timed_out, tally.problem);
    std::this_thread::sleep_for(kAgainAfter);
  }
}

Result<void> Gateway::run_client(Crew& crew, std::size_t number, Tally& tally) {
  const std::size_t hospital = number % doctors_.size();
  Caller caller(doctors_[hospital]);
  while (const auto due_us = crew.next_due_us()) {
    TRY(read_one(crew, caller, hospital, *due_us, tally));
  }
  return ok();
}

void Gateway::describe(json& report, std::uint64_t, std::uint64_t) const {
  const std::lock_guard lock(mutex_);
  const auto transactions = static_cast<double>(std::max<std::size_t>(1, transactions_.size()));
  report["ops_per_tx_reached"] =
      std::round(static_cast<double>(readings_) / transactions * 100) / 100;
  report["repeated"] = {{"asked", repeated_}, {"same", repeated_same_}};
}

}  // namespace baolian::bench
