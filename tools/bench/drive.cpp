#include "bench/drive.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <thread>

#include "crypto/keystore.h"

namespace baolian::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kExpiryMs = 60'000;
constexpr std::uint32_t kRequestTimeoutMs = 60'000;
constexpr auto kWatchEvery = std::chrono::milliseconds(20);
/// A call that was refused as busy is sent again after this; twice as long after each further
/// refusal, up to the other.
constexpr std::uint64_t kAgainUs = 20'000;
constexpr std::uint64_t kAgainMaxUs = 1'000'000;
/// A call whose outcome is not known after this is given up, and the drive has failed.
constexpr std::uint64_t kGiveUpUs = 120'000'000;

Result<std::unique_ptr<const crypto::Signer>> load_signer(const cli::Profile& profile) {
  TRY(const crypto::Secret passphrase, cli::read_passphrase_file(profile.passphrase_file));
  TRY(const crypto::Keystore keys, crypto::Keystore::load(profile.keystore_file, passphrase));
  TRY(const crypto::Secret* seed, keys.require("member"));
  return std::unique_ptr<const crypto::Signer>(crypto::make_ed25519_signer(*seed));
}

Result<std::unique_ptr<Department>> load_sender(const std::string& profile) {
  auto out = std::make_unique<Department>();
  TRY(out->profile, cli::load_profile(profile));
  TRY(out->signer, load_signer(out->profile));
  return out;
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
      TRY(auto department, load_sender(cluster.profile(fmt::format(
                               "{}-department-{}", cluster.hospitals()[hospital], number))));
      department->hospital = hospital;
      out.push_back(std::move(department));
    }
  }
  return out;
}

Result<std::vector<std::unique_ptr<Department>>> load_attestor(const Cluster& cluster) {
  std::vector<std::unique_ptr<Department>> out;
  TRY(auto sender, load_sender(cluster.profile(cluster.attestor())));
  out.push_back(std::move(sender));
  return out;
}

/// One of those that send at the same time, on a thread of its own.
struct Drive::Client {
  Client(std::size_t which, std::uint64_t seed) : number(which), prng(seed * 1'000'003 + which) {}

  std::size_t number;
  Prng prng;
  std::vector<std::unique_ptr<Script>> scripts;
  std::map<std::size_t, net::HttpsClient> connections;  ///< by hospital
  std::size_t hospital = 0;                             ///< of the newest call
  std::uint64_t due_us = 0;                             ///< of what belongs together
  Tally tally;
};

Drive::Drive(std::vector<std::unique_ptr<Department>>& departments, Pace pace, MakeScript script,
             std::uint64_t seed)
    : departments_(departments), pace_(pace), script_(std::move(script)), seed_(seed) {}

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

/// Clients take turns at the departments of a hospital.
Department& Drive::department(std::size_t number, std::size_t hospital) const {
  std::vector<Department*> of_hospital;
  for (const auto& one : departments_) {
    if (one->hospital == hospital) of_hospital.push_back(one.get());
  }
  const std::size_t round = number * of_hospital.size() / departments_.size();
  return *of_hospital[round % of_hospital.size()];
}

/// The next step of each script; empty at their end.
std::vector<Drive::Outgoing> Drive::make_call(Client& client) const {
  std::vector<Outgoing> out;
  for (const auto& script : client.scripts) {
    Step step = script->next(client.prng);
    if (step.operations.empty()) break;
    client.hospital = step.hospital;
    Department& sender = department(client.number, step.hospital);
    ledger::TransactionBody body;
    body.operations = std::move(step.operations);
    body.chain_id = sender.profile.chain_id;
    body.sender = sender.signer->public_key();
    body.nonce = Nonce{sender.next_nonce++};
    body.expires_at = TimeMs{cli::now_ms().value + kExpiryMs};
    const auto operations = static_cast<std::uint32_t>(body.operations.size());
    const TxId id = ledger::tx_id(body);
    out.push_back({.script = script.get(),
                   .bytes = encode(ledger::sign_transaction(std::move(body), *sender.signer)),
                   .tx_id = id,
                   .operations = operations,
                   .is_last = step.is_last});
  }
  return out;
}

void Drive::note(const node::TransactionOutcome& outcome, Client& client, const Outgoing& sent) {
  Tally& tally = client.tally;
  const auto applied = static_cast<std::uint64_t>(
      std::count(outcome.codes.begin(), outcome.codes.end(), std::uint16_t{0}));
  tally.rejected += sent.operations - applied;
  if (applied < sent.operations) {
    tally.problem = fmt::format("an operation was rejected with code {}", outcome.codes.back());
  }
  sent.script->certified(sent.tx_id);
  if (!sent.is_last) return;
  tally.applied += applied;
  tally.samples.push_back({client.due_us, elapsed_us(), sent.operations});
  tally.places.push_back({client.hospital, outcome.height, outcome.leaf});
  certified_ += applied;
}

/// Sends a call until the fate of each transaction is known. False if it was given up.
bool Drive::send_until_known(Client& client, std::vector<Outgoing> call) {
  static const net::HttpHeaders kHeaders = {{"Content-Type", "application/octet-stream"}};
  const cli::Profile& profile = department(client.number, client.hospital).profile;
  net::HttpsClient& connection =
      client.connections
          .try_emplace(client.hospital,
                       net::HttpsClientConfig{.host = profile.host,
                                              .port = profile.port,
                                              .certificate_fingerprint = profile.fingerprint,
                                              .request_timeout_ms = kRequestTimeoutMs})
          .first->second;
  Tally& tally = client.tally;
  const std::uint64_t give_up_us = elapsed_us() + kGiveUpUs;
  for (std::uint64_t again_us = kAgainUs;; again_us = std::min(again_us * 2, kAgainMaxUs)) {
    node::SignedTransactions message;
    for (const Outgoing& one : call) message.transactions.push_back(one.bytes);
    auto answer = connection.request("POST", "/v1/transactions",
                                     std::string(as_text(encode(message))), kHeaders);
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
        note(outcome, client, call[i]);
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
    // Clients that were refused together must not come back together.
    const std::uint64_t pause_us = again_us / 2 + client.prng.below(again_us);
    std::this_thread::sleep_for(std::chrono::microseconds(pause_us));
  }
}

Result<void> Drive::run_client(std::size_t number) {
  Client client(number, seed_);
  for (std::size_t i = 0; i < pace_.tx_per_call; ++i) {
    client.scripts.push_back(script_(departments_[number % departments_.size()]->hospital));
  }
  Result<void> result = ok();
  bool is_last = true;
  while (true) {
    if (is_last) {
      const auto due_us = next_due_us();
      if (!due_us) break;
      client.due_us = *due_us;
    }
    std::vector<Outgoing> call = make_call(client);
    if (call.empty()) break;
    is_last = call.front().is_last;
    if (!send_until_known(client, std::move(call))) {
      result = fail(Errc::timed_out, "outcomes stayed unknown: " + client.tally.problem);
      break;
    }
  }
  const std::lock_guard lock(mutex_);
  merge(tally_, std::move(client.tally));
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
