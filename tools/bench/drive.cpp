#include "bench/drive.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "crypto/keystore.h"

namespace baolian::bench {
namespace {

constexpr std::uint64_t kExpiryMs = 60'000;
constexpr std::uint32_t kRequestTimeoutMs = 60'000;
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

/// Above those of any run before on the same network, whose nonces count transactions from the
/// microsecond at which it began.
std::uint64_t first_nonce() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<microseconds>(system_clock::now().time_since_epoch()).count());
}

Result<std::unique_ptr<Department>> load_sender(const std::string& profile) {
  auto out = std::make_unique<Department>();
  out->next_nonce = first_nonce();
  TRY(out->profile, cli::load_profile(profile));
  TRY(out->signer, load_signer(out->profile));
  return out;
}

}  // namespace

Result<std::vector<std::unique_ptr<Department>>> load_departments(const Cluster& cluster) {
  std::vector<std::unique_ptr<Department>> out;
  if (cluster.departments() == 0) {
    return fail(Errc::bad_argument,
                "the network needs a hospital, and its hospitals systems that sign themselves: "
                "baolian network init DIR --departments 4");
  }
  for (std::size_t number = 1; number <= cluster.departments(); ++number) {
    for (std::size_t hospital = 0; hospital < cluster.hospitals().size(); ++hospital) {
      TRY(auto department, load_sender(cluster.profile(fmt::format(
                               "{}-department-{}", cluster.hospitals()[hospital], number))));
      department->hospital = hospital;
      department->node = cluster.hospitals()[hospital];
      out.push_back(std::move(department));
    }
  }
  return out;
}

Result<std::vector<std::unique_ptr<Department>>> load_attestor(const Cluster& cluster) {
  std::vector<std::unique_ptr<Department>> out;
  if (cluster.attestor().empty()) {
    return fail(Errc::bad_argument, "the network has no medical-insurance bureau, which vouches");
  }
  TRY(auto sender, load_sender(cluster.profile(cluster.attestor())));
  sender->node = cluster.hospitals().front();
  out.push_back(std::move(sender));
  return out;
}

/// One of those that send at the same time, on a thread of its own.
struct Drive::Client {
  Client(Crew& its_crew, std::size_t which, std::uint64_t seed, Tally& its_tally)
      : crew(its_crew), number(which), prng(seed * 1'000'003 + which), tally(its_tally) {}

  Crew& crew;
  std::size_t number;
  Prng prng;
  std::vector<std::unique_ptr<Script>> scripts;
  std::map<std::size_t, net::HttpsClient> connections;  ///< by hospital
  std::size_t hospital = 0;                             ///< of the newest call
  std::uint64_t due_us = 0;                             ///< of what belongs together
  Tally& tally;
};

Drive::Drive(std::vector<std::unique_ptr<Department>>& departments, std::size_t tx_per_call,
             MakeScript script, std::uint64_t seed)
    : departments_(departments),
      tx_per_call_(tx_per_call),
      script_(std::move(script)),
      seed_(seed) {}

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

void Drive::note(const node::TransactionOutcome& outcome, Client& client,
                 const Outgoing& sent) const {
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
  tally.samples.push_back({client.due_us, client.crew.elapsed_us(), sent.operations});
  tally.places.push_back(
      {department(client.number, client.hospital).node, outcome.height, outcome.leaf});
  client.crew.count(applied);
}

/// Sends a call until the fate of each transaction is known. False if it was given up.
bool Drive::send_until_known(Client& client, std::vector<Outgoing> call) const {
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
  const std::uint64_t give_up_us = client.crew.elapsed_us() + kGiveUpUs;
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
    if (client.crew.elapsed_us() > give_up_us) return false;
    // Clients that were refused together must not come back together.
    const std::uint64_t pause_us = again_us / 2 + client.prng.below(again_us);
    std::this_thread::sleep_for(std::chrono::microseconds(pause_us));
  }
}

Result<void> Drive::run_client(Crew& crew, std::size_t number, Tally& tally) {
  Client client(crew, number, seed_, tally);
  for (std::size_t i = 0; i < tx_per_call_; ++i) {
    client.scripts.push_back(script_(departments_[number % departments_.size()]->hospital));
  }
  bool is_last = true;
  while (true) {
    if (is_last) {
      const auto due_us = crew.next_due_us();
      if (!due_us) return ok();
      client.due_us = *due_us;
    }
    std::vector<Outgoing> call = make_call(client);
    if (call.empty()) return ok();
    is_last = call.front().is_last;
    if (!send_until_known(client, std::move(call))) {
      return fail(Errc::timed_out, "outcomes stayed unknown: " + tally.problem);
    }
  }
}

}  // namespace baolian::bench
