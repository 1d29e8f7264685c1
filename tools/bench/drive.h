/// Clients that sign transactions, send them to their hospital's node and wait for certified
/// outcomes.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/cluster.h"
#include "bench/crew.h"
#include "bench/script.h"
#include "core/prng.h"
#include "crypto/signing.h"
#include "node/transaction_messages.h"

namespace baolian::bench {

/// A system of a hospital with a key of its own.
struct Department {
  std::size_t hospital = 0;
  std::string node;  ///< short name of the hospital
  cli::Profile profile;
  std::unique_ptr<const crypto::Signer> signer;
  std::atomic<std::uint64_t> next_nonce{0};
};

/// Those of all hospitals, the hospitals in turn. Returns: errors of the profiles.
Result<std::vector<std::unique_ptr<Department>>> load_departments(const Cluster& cluster);
/// The member who vouches for consents, as if it were the one department of hospital 0.
Result<std::vector<std::unique_ptr<Department>>> load_attestor(const Cluster& cluster);

/// The script of a client of this hospital; a step without operations ends it. Each transaction of
/// a call has a script of its own, and all of a client take their steps together.
using MakeScript = std::function<std::unique_ptr<Script>(std::size_t hospital)>;

/// Clients that sign and send what their scripts say. Ends a client when there is nothing to send;
/// what belongs together is brought to its end.
///
/// Ownership: refers to the departments.
class Drive final : public Work {
 public:
  Drive(std::vector<std::unique_ptr<Department>>& departments, std::size_t tx_per_call,
        MakeScript script, std::uint64_t seed);

  /// Returns: Errc::timed_out if an outcome stayed unknown.
  Result<void> run_client(Crew& crew, std::size_t number, Tally& tally) override;

 private:
  struct Outgoing {
    Script* script = nullptr;
    Bytes bytes;
    TxId tx_id;
    std::uint32_t operations = 0;
    bool is_last = true;
  };
  struct Client;
  Department& department(std::size_t number, std::size_t hospital) const;
  std::vector<Outgoing> make_call(Client& client) const;
  bool send_until_known(Client& client, std::vector<Outgoing> call) const;
  void note(const node::TransactionOutcome& outcome, Client& client, const Outgoing& sent) const;

  std::vector<std::unique_ptr<Department>>& departments_;
  std::size_t tx_per_call_;
  MakeScript script_;
  std::uint64_t seed_;
};

}  // namespace baolian::bench
