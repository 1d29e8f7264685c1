/// Signs operations of this institution into transactions, sends them, and answers when their
/// receipts are certified.
///
/// Operations that wait while a transaction is made go into the next one together (one signature,
/// up to 1,000): an idle node answers at once, a loaded one fills transactions. Operations of one
/// call stay together and in order; calls of one signer stay in order.
///
/// A transaction that is not executed goes out again, always as the same bytes, until its outcome
/// is certified or certified block time has passed its expiry.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "crypto/signing.h"
#include "ledger/chain.h"
#include "ledger/transaction.h"

namespace baolian::node {

class Outbox;
struct OutboxPlace;

/// A certified operation.
struct OperationOutcome {
  RequestId request_id;
  TxId tx_id;
  std::uint16_t op_index = 0;
  Height height;
  std::uint32_t leaf = 0;
  TimeMs block_time;
  ledger::Receipt receipt;
};

class Submitter {
 public:
  struct Config {
    std::uint64_t expiry_ms = 60'000;   ///< life of a transaction from its signing
    std::size_t waiting_max = 100'000;  ///< operations that wait or are in flight
    /// Nonces a key from its lowest unresolved one on, below the nonce window of 1,024: a nonce
    /// that falls out of the window could execute no more.
    std::size_t in_flight_max = 512;
    std::uint64_t answer_ms = 5'000;  ///< an unknown outcome is answered so long after the expiry
    std::uint64_t resend_ms = 2'000;  ///< and the bytes go out again after this, then twice ...
    std::uint64_t resend_max_ms = 16'000;
    /// A request id is answered so long after its transaction expired, by certified block time.
    std::uint64_t request_ids_kept_ms = 30ULL * 24 * 3600 * 1000;
  };
  /// `send` admits a canonical transaction into the pool; called by the submitter's own thread and
  /// by start(), never with a lock held. What it refuses or loses is sent again. `clock` is the
  /// civil clock.
  struct Ports {
    std::function<Result<void>(Bytes)> send;
    std::function<TimeMs()> clock;
  };
  /// Called once, on the thread that reports certified heights, the submitter's own, or the one
  /// that submits or stops; never with a lock held.
  using Done = std::function<void(Result<std::vector<OperationOutcome>>)>;

  Submitter(Config config, Ports ports, const ledger::Chain& chain, std::unique_ptr<Outbox> outbox);
  ~Submitter();

  /// Resends what an earlier run left open and begins to work.
  void start();
  void stop();

  /// Queues operations to be signed by `signer` (which outlives the submitter) in one transaction.
  /// Requires: 1..1,000 operations. Done gets an outcome per operation, in order, or
  /// - Errc::timed_out: certified block time has passed the expiry; it can execute no more.
  /// - Errc::not_certified: no certificate in time, or the node stops; the outcome is unknown, ask
  ///   by request id.
  /// - Errc::busy: too much waits; nothing was sent.
  /// - Errc::already_exists: a request id was used before (the outcome of the first stands).
  /// - Errc::limit_exceeded: the operations do not fit into one transaction.
  void submit(const crypto::Signer& signer, std::vector<ledger::Operation> operations, Done done);
  /// The same, waiting. Not on the thread that reports heights.
  Result<std::vector<OperationOutcome>> submit_and_wait(const crypto::Signer& signer,
                                                        std::vector<ledger::Operation> operations);

  /// Every height up to this one is executed and certified here; called in order.
  void on_certified(Height height);
  /// Outcome of an operation sent from here with this request id, if it is certified.
  /// Returns: Errc::not_found for an id never seen, Errc::not_certified while it is open,
  /// Errc::timed_out if it expired and can execute no more, Errc::pruned if it may stand in a block
  /// that this node never had (Chain::base()).
  Result<OperationOutcome> outcome_of(const RequestId& request) const;

 private:
  struct Job {
    const crypto::Signer* signer = nullptr;
    std::vector<ledger::Operation> operations;
    Done done;
    std::size_t size_bytes = 0;
    std::uint64_t weight = 0;  ///< declared key writes
    std::uint64_t arrival = 0;
    TimeMs give_up_at;
  };
  struct Part {
    std::size_t first = 0;
    std::size_t count = 0;
    Done done;
  };
  struct InFlight {
    PublicKey sender;
    Nonce nonce;
    TimeMs expires_at;
    TxHash hash;
    Bytes transaction;
    std::vector<RequestId> request_ids;
    std::vector<Part> parts;  ///< who waits; none for what an earlier run sent
    std::uint64_t send_at_ms = 0;
    std::uint64_t send_after_ms = 0;
  };
  /// A call to be answered once no lock is held.
  struct Answer {
    Done done;
    Result<std::vector<OperationOutcome>> result;
  };

  Result<void> accept(Job& job);
  void run();
  const PublicKey* next_sender();
  bool may_sign(const PublicKey& sender);
  std::vector<Job> take_jobs(const PublicKey& sender);
  void send_jobs(std::vector<Job> jobs);
  void send_due(std::uint64_t now_ms);
  void answer_late(TimeMs now, std::vector<Answer>& answers);
  Nonce next_nonce(const PublicKey& sender);
  std::vector<TxId> executed_up_to(Height height);
  void resolve(const TxId& id);
  void expire(TimeMs block_time);
  void release(const std::vector<Part>& parts);
  Result<std::vector<OperationOutcome>> read_outcomes(const TxId& id) const;
  Error never_executed(const OutboxPlace& place) const;
  void compact_outbox_if_due();

  Config config_;
  Ports ports_;
  const ledger::Chain& chain_;
  mutable std::mutex outbox_mutex_;  // never waited for while mutex_ is held: it covers an fsync
  std::unique_ptr<Outbox> outbox_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<PublicKey, std::deque<Job>> waiting_;
  std::set<RequestId> unsent_;          // of jobs that are not in the outbox yet
  std::size_t waiting_operations_ = 0;  // waiting, or in flight with somebody waiting
  std::uint64_t next_arrival_ = 0;
  std::map<TxId, InFlight> in_flight_;
  std::map<PublicKey, std::set<Nonce>> unresolved_;
  std::map<PublicKey, Nonce> nonces_;
  Height reported_;  // outcomes up to this height are delivered
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace baolian::node
