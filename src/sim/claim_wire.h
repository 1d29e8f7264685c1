/// How the parties of the claim simulation reach the chain and each other: transactions whose bytes
/// are sent again until they are certified, the certified operations in their order, and a channel
/// that loses, doubles and delays.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "contracts/codes.h"
#include "contracts/operations.h"
#include "core/prng.h"
#include "sim/checker.h"
#include "sim/claim_script.h"
#include "sim/event_queue.h"
#include "sim/sim_node.h"

namespace baolian::sim {

/// One operation of a certified block with what came of it.
struct Certified {
  Height height;
  TimeMs time;
  TxId tx;
  PublicKey sender;
  bool whole = false;  ///< the transaction was rejected as a whole
  ledger::Operation operation;
  ledger::Receipt receipt;

  contracts::Code code() const { return static_cast<contracts::Code>(receipt.code); }
  bool applied() const { return receipt.status == ledger::ReceiptStatus::applied; }
};

/// The certified operations so far, as any node tells them.
class CertifiedFeed {
 public:
  CertifiedFeed(const std::vector<std::unique_ptr<SimNode>>& nodes, Checker& checker)
      : nodes_(nodes), checker_(checker) {}

  /// Takes in what became certified since the last time.
  void poll();
  const std::vector<Certified>& entries() const { return entries_; }
  const Certified* find(const TxId& id) const;

 private:
  void take(const ledger::Chain& chain, Height height);

  const std::vector<std::unique_ptr<SimNode>>& nodes_;
  Checker& checker_;
  Height next_{1};
  std::vector<Certified> entries_;
  std::map<TxId, std::size_t> by_tx_;
};

/// Messages between parties, outside of the chain.
class PartyChannel {
 public:
  struct Faults {
    std::uint64_t delay_ms_max = 20;
    std::uint64_t drop_percent = 0;
    std::uint64_t duplicate_percent = 0;
  };
  PartyChannel(EventQueue& events, Prng prng) : events_(events), prng_(prng) {}

  void set_faults(const Faults& faults) { faults_ = faults; }
  void send(const std::function<void()>& deliver);

 private:
  EventQueue& events_;
  Prng prng_;
  Faults faults_;
};

/// What was seen of each strategy and of each refusal.
struct ClaimTally {
  std::map<ClaimStrategy, std::uint64_t> fired;
  std::map<contracts::Code, std::uint64_t> refused;
  std::uint64_t alarms = 0;
  std::uint64_t sweeps = 0;

  void add(const ClaimTally& other);
};

/// A fault in a party or in the audit itself, to see that the audit notices.
enum class SeededFault : std::uint8_t {
  none = 0,
  forgotten_payout = 1,  ///< the audit's books lack one payout
  blind_hospital = 2,    ///< the hospital signs what it cannot open
  forgotten_alarm = 3,   ///< the audit does not know one deadline
};

/// Where the parties play. Ownership: of nothing.
struct ClaimScene {
  const ClaimWorld& world;
  ClaimScript& script;
  EventQueue& events;
  Checker& checker;
  const std::vector<std::unique_ptr<SimNode>>& nodes;
  CertifiedFeed& feed;
  PartyChannel& channel;
  ClaimTally& tally;
  std::function<void(std::string_view what, BytesView bytes)> trace;
  SeededFault fault{SeededFault::none};
  bool paused = false;  ///< while civil time leaps

  void fired(ClaimStrategy strategy) { ++tally.fired[strategy]; }
  /// The state of a node that runs, executed and perhaps not certified; nullptr if none runs.
  const ledger::StateReader* state(Prng& prng) const;
};

/// The transactions of one member key.
class ClaimWire {
 public:
  using Done = std::function<void(const Certified&)>;
  ClaimWire(ClaimScene& scene, std::shared_ptr<const crypto::Signer> signer, Prng prng)
      : scene_(scene), signer_(std::move(signer)), prng_(prng) {}

  /// Sends until it is certified; then `done` once. A transaction that expired is signed anew.
  void submit(ledger::Operation operation, Done done);
  template <typename Content>
  void submit(const Content& content, Done done,
              std::vector<ledger::Cosignature> cosignatures = {}) {
    auto operation = contracts::make_operation(content, draw_id<RequestId>(prng_));
    operation.cosignatures = std::move(cosignatures);
    submit(std::move(operation), std::move(done));
  }
  void step();
  bool idle() const { return open_.empty(); }

 private:
  struct Open {
    node::SharedBytes bytes;
    ledger::Operation operation;
    Done done;
    Tick resend_at;
  };
  void send(const node::SharedBytes& bytes);
  void finish(Open open, const Certified& entry);

  ClaimScene& scene_;
  std::shared_ptr<const crypto::Signer> signer_;
  Prng prng_;
  std::uint64_t next_nonce_ = 1;
  std::map<TxId, Open> open_;
};

}  // namespace baolian::sim
