/// Clients that sign transactions, send them to their hospital's node and wait for certified
/// outcomes.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bench/cluster.h"
#include "bench/script.h"
#include "core/prng.h"
#include "crypto/signing.h"
#include "node/transaction_messages.h"

namespace baolian::bench {

/// A system of a hospital with a key of its own.
struct Department {
  std::size_t hospital = 0;
  cli::Profile profile;
  std::unique_ptr<const crypto::Signer> signer;
  std::atomic<std::uint64_t> next_nonce{1};
};

/// Those of all hospitals, the hospitals in turn. Returns: errors of the profiles.
Result<std::vector<std::unique_ptr<Department>>> load_departments(const Cluster& cluster);
/// The member who vouches for consents, as if it were the one department of hospital 0.
Result<std::vector<std::unique_ptr<Department>>> load_attestor(const Cluster& cluster);

/// What became of one transaction, or of those that belong together (script.h).
struct Sample {
  std::uint64_t due_us = 0;   ///< when the first was to be sent, from the beginning of the drive
  std::uint64_t done_us = 0;  ///< when its certified outcome was here
  std::uint32_t operations = 0;
};

/// Where a certified operation stands.
struct Place {
  std::size_t hospital = 0;
  Height height;
  std::uint32_t leaf = 0;
};

/// What happened in a drive.
struct Tally {
  std::vector<Sample> samples;
  std::vector<Place> places;     ///< the first operation of each last transaction
  std::uint64_t applied = 0;     ///< operations
  std::uint64_t rejected = 0;    ///< operations that executed and were rejected
  std::uint64_t busy = 0;        ///< transactions that were refused as busy and sent again
  std::uint64_t sent_again = 0;  ///< transactions whose outcome was open
  std::uint64_t dropped = 0;     ///< transactions refused for another reason
  std::string problem;           ///< the newest one
};

/// How a drive goes on.
struct Pace {
  std::size_t clients = 1;
  std::size_t tx_per_call = 1;
  double calls_per_s = 0;  ///< open loop; 0: each client sends when it has its answer
};

/// The script of a client of this hospital; a step without operations ends it. Each transaction of
/// a call has a script of its own, and all of a client take their steps together.
using MakeScript = std::function<std::unique_ptr<Script>(std::size_t hospital)>;

/// Drives until end() or until there is nothing to send, and all outcomes are here. What belongs
/// together is brought to its end.
///
/// Latency counts from the time at which a call was due: in an open loop a network that falls
/// behind makes calls wait, and that is part of it.
class Drive {
 public:
  Drive(std::vector<std::unique_ptr<Department>>& departments, Pace pace, MakeScript script,
        std::uint64_t seed);

  /// Runs the clients on threads of their own; `watch` is called on this one, 50 times a second.
  /// Returns: Errc::timed_out if an outcome stayed unknown.
  Result<Tally> run(const std::function<void()>& watch);
  /// No call is begun from now on.
  void end() { is_ended_ = true; }

  /// Certified operations so far.
  std::uint64_t certified() const { return certified_; }
  std::uint64_t elapsed_us() const;

 private:
  struct Outgoing {
    Script* script = nullptr;
    Bytes bytes;
    TxId tx_id;
    std::uint32_t operations = 0;
    bool is_last = true;
  };
  struct Client;
  std::optional<std::uint64_t> next_due_us();
  Result<void> run_client(std::size_t number);
  Department& department(std::size_t number, std::size_t hospital) const;
  std::vector<Outgoing> make_call(Client& client) const;
  bool send_until_known(Client& client, std::vector<Outgoing> call);
  void note(const node::TransactionOutcome& outcome, Client& client, const Outgoing& sent);

  std::vector<std::unique_ptr<Department>>& departments_;
  Pace pace_;
  MakeScript script_;
  std::uint64_t seed_;
  std::chrono::steady_clock::time_point began_;
  std::atomic<std::uint64_t> next_call_{0};
  std::atomic<std::uint64_t> certified_{0};
  std::atomic<std::size_t> running_{0};
  std::atomic<bool> is_ended_{false};
  std::mutex mutex_;
  Tally tally_;
};

}  // namespace baolian::bench
