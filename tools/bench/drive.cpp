#include "bench/drive.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "crypto/keystore.h"

namespace baolian::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kExpiryMs = 60'000;
constexpr std::uint32_t kRequestTimeoutMs = 60'000;
constexpr auto kWatchEvery = std::chrono::milliseconds(20);
constexpr auto kAgainAfter = std::chrono::milliseconds(20);
/// A call whose outcome is not known after this is given up, and the drive has failed.
constexpr std::uint64_t kGiveUpUs = 120'000'000;

Result<std::unique_ptr<const crypto::Signer>> load_signer(const cli::Profile& profile) {
  TRY(const crypto::Secret passphrase, cli::read_passphrase_file(profile.passphrase_file));
  TRY(const crypto::Keystore keys, crypto::Keystore::load(profile.keystore_file, passphrase));
  TRY(const crypto::Secret* seed, keys.require("member"));
  return std::unique_ptr<const crypto::Signer>(crypto::make_ed25519_signer(*seed));
}

void merge(Tally& into, Tally&& from) {
  into.samples.insert(into.samples.end(), from.samples.begin(), from.samples.end());
  into.places.insert(into.places.end(), from.places.begin(), from.places.end());
  into.applied += from.applied;
  into.rejected += from.rejected;
  into.busy += from.busy;
  into.sent_again += from.sent_again;
  into.dropped += from.dropped;
  if (!from.problem.empty()) into.problem = std::move(from.problem);
}

}  // namespace

Result<std::vector<std::unique_ptr<Department>>> load_departments(const Cluster& cluster) {
  std::vector<std::unique_ptr<Department>> out;
  for (std::size_t number = 1; number <= cluster.departments(); ++number) {
    for (std::size_t hospital = 0; hospital < cluster.hospitals().size(); ++hospital) {
      auto department = std::make_unique<Department>();
      department->hospital = hospital;
      TRY(department->profile, cli::load_profile(cluster.profile(fmt::format(
                                   "{}-department-{}", cluster.hospitals()[hospital], number))));
      TRY(department->signer, load_signer(department->profile));
      out.push_back(std::move(department));
    }
  }
  return out;
}

Drive::Drive(std::vector<std::unique_ptr<Department>>& departments, Pace pace, NextOperations next,
             std::uint64_t seed)
    : departments_(departments), pace_(pace), next_(std::move(next)), seed_(seed) {}

std::uint64_t Drive::elapsed_us() const {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began_).count());
}

/// When the next call is to go out, in an open loop after having waited for it; none at the end.
std::optional<std::uint64_t> Drive::next_due_us() {
  if (is_ended_) return std::nullopt;
  if (pace_.calls_per_s <= 0) return elapsed_us();
  const auto due_us =
      static_cast<std::uint64_t>(static_cast<double>(next_call_++) / pace_.calls_per_s * 1e6);
  std::this_thread::sleep_until(began_ + std::chrono::microseconds(due_us));
  if (is_ended_) return std::nullopt;
  return due_us;
}

std::vector<Drive::Outgoing> Drive::make_call(Department& department, Prng& prng) {
  std::vector<Outgoing> out;
  for (std::size_t i = 0; i < pace_.tx_per_call; ++i) {
    ledger::TransactionBody body;
    body.operations = next_(department.hospital, prng);
    if (body.operations.empty()) break;
    body.chain_id = department.profile.chain_id;
    body.sender = department.signer->public_key();
    body.nonce = Nonce{department.next_nonce++};
    body.expires_at = TimeMs{cli::now_ms().value + kExpiryMs};
    const auto operations = static_cast<std::uint32_t>(body.operations.size());
    out.push_back(
        {encode(ledger::sign_transaction(std::move(body), *department.signer)), operations});
  }
  return out;
}

void Drive::note(const node::TransactionOutcome& outcome, const Department& department,
                 const Outgoing& sent, std::uint64_t due_us, Tally& tally) {
  const auto applied = static_cast<std::uint64_t>(
      std::count(outcome.codes.begin(), outcome.codes.end(), std::uint16_t{0}));
  tally.applied += applied;
  tally.rejected += sent.operations - applied;
  if (applied < sent.operations) {
    tally.problem = fmt::format("an operation was rejected with code {}", outcome.codes.back());
  }
  tally.samples.push_back({due_us, elapsed_us(), sent.operations});
  tally.places.push_back({department.hospital, outcome.height, outcome.leaf});
  certified_ += applied;
}

/// Sends a call until the fate of each transaction is known. False if it was given up.
bool Drive::send_until_known(net::HttpsClient& client, Department& department,
                             std::vector<Outgoing> call, std::uint64_t due_us, Tally& tally) {
  static const net::HttpHeaders kHeaders = {{"Content-Type", "application/octet-stream"}};
  const std::uint64_t give_up_us = elapsed_us() + kGiveUpUs;
  while (!call.empty()) {
    node::SignedTransactions message;
    for (const Outgoing& one : call) message.transactions.push_back(one.bytes);
    auto answer =
        client.request("POST", "/v1/transactions", std::string(as_text(encode(message))), kHeaders);
    Result<node::TransactionOutcomes> outcomes = fail(Errc::http_status, "");
    if (!answer) {
      tally.problem = answer.error().context;
    } else if (answer->status != 200) {
      tally.problem = answer->body;
    } else {
      outcomes = decode<node::TransactionOutcomes>(as_bytes(answer->body));
    }
    std::vector<Outgoing> again;
    for (std::size_t i = 0; i < call.size(); ++i) {
      node::TransactionOutcome outcome;
      if (outcomes && i < outcomes->outcomes.size()) outcome = outcomes->outcomes[i];
      const bool is_refused = outcome.fate == node::TransactionFate::refused;
      const bool is_busy = is_refused && static_cast<Errc>(outcome.error) == Errc::busy;
      if (outcome.fate == node::TransactionFate::certified) {
        note(outcome, department, call[i], due_us, tally);
      } else if (is_refused && !is_busy) {
        ++tally.dropped;
        tally.problem = errc_name(static_cast<Errc>(outcome.error));
      } else {
        ++(is_busy ? tally.busy : tally.sent_again);
        again.push_back(std::move(call[i]));
      }
    }
    call = std::move(again);
    if (call.empty()) return true;
    if (elapsed_us() > give_up_us) return false;
    std::this_thread::sleep_for(kAgainAfter);
  }
  return true;
}

Result<void> Drive::run_client(std::size_t number) {
  Department& department = *departments_[number % departments_.size()];
  net::HttpsClient client({.host = department.profile.host,
                           .port = department.profile.port,
                           .certificate_fingerprint = department.profile.fingerprint,
                           .request_timeout_ms = kRequestTimeoutMs});
  Prng prng(seed_ * 1'000'003 + number);
  Tally tally;
  Result<void> result = ok();
  while (const auto due_us = next_due_us()) {
    std::vector<Outgoing> call = make_call(department, prng);
    if (call.empty()) break;
    if (!send_until_known(client, department, std::move(call), *due_us, tally)) {
      result = fail(Errc::timed_out, "outcomes stayed unknown: " + tally.problem);
      break;
    }
  }
  const std::lock_guard lock(mutex_);
  merge(tally_, std::move(tally));
  return result;
}

Result<Tally> Drive::run(const std::function<void()>& watch) {
  began_ = Clock::now();
  running_ = pace_.clients;
  std::vector<Result<void>> results(pace_.clients, ok());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < pace_.clients; ++i) {
    threads.emplace_back([this, i, &results] {
      results[i] = run_client(i);
      --running_;
    });
  }
  while (running_ > 0) {
    std::this_thread::sleep_for(kWatchEvery);
    watch();
  }
  for (std::thread& thread : threads) thread.join();
  for (const Result<void>& result : results) {
    if (!result) return result.error();
  }
  return std::move(tally_);
}

}  // namespace baolian::bench
