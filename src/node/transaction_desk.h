/// Transactions that come signed (POST /v1/transactions).
///
/// An institution's own systems - a department, a terminal server - may hold a gateway or agent key
/// of their own and sign operations themselves: one signature over up to 1,000 of them. Their node
/// checks the bytes, spreads them and answers each call when all its transactions are certified. It
/// keeps nothing of them: idempotency is that of the bytes, which execute once however often they
/// are sent.
///
/// What finds no room in the pool stands in line here and goes on as blocks are executed, first
/// come first served: who came first would otherwise be no better off than who asks most often
/// (docs/adr/0033-line.md).
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "ledger/chain.h"
#include "node/transaction_messages.h"

namespace baolian::node {

/// Bounds:    operations that wait for their certificate, and bytes that stand in line; more are
///            refused as busy.
/// Threads:   thread-safe. Calls are answered on the thread that reports certified heights, on the
///            desk's own, on that of the pool, or on the one that submits.
class TransactionDesk {
 public:
  struct Config {
    std::size_t waiting_max = 200'000;              ///< operations whose outcome is awaited
    std::size_t line_bytes_max = 16 * 1024 * 1024;  ///< of transactions that stand in line
    std::uint64_t answer_ms = 20'000;  ///< a call is answered after this time at the latest
  };
  struct Ports {
    /// Checks and admits a canonical transaction: Replica::submit.
    std::function<void(Bytes, std::function<void(Result<TxHash>)>)> send;
    /// Whether a key is a member's that this node serves.
    std::function<bool(const PublicKey&)> serves;
    std::function<std::uint64_t()> now_ms;  ///< steady
  };
  using Done = std::function<void(TransactionOutcomes)>;

  TransactionDesk(Config config, Ports ports, const ledger::Chain& chain);
  ~TransactionDesk();
  void start();
  /// Answers everything that waits as open.
  void stop();

  /// Outcomes come once, when the last one is known. Refused ones name
  /// - the errors of ledger::check_transaction,
  /// - Errc::not_authorized: the sender is no member of this institution,
  /// - Errc::busy: the line is full, or the answer's time was over in it; send the same bytes again
  ///   later.
  void submit(std::vector<Bytes> transactions, Done done);
  /// Every height up to this one is executed and certified here; called in order.
  void on_certified(Height height);

 private:
  /// A call under way.
  struct Call {
    TransactionOutcomes outcomes;
    std::size_t open = 0;
    std::uint64_t answer_at_ms = 0;
    Done done;
  };
  using CallPtr = std::shared_ptr<Call>;
  struct Waiting {
    CallPtr call;
    std::size_t place = 0;
    std::size_t operations = 0;
    bool is_in_line = false;
  };
  /// A transaction that is checked and not admitted yet.
  struct Candidate {
    TxHash hash;
    CallPtr call;
    std::size_t place = 0;
    std::shared_ptr<const Bytes> bytes;
    std::uint64_t ticket = 0;  ///< the lower, the sooner; 0: stood in no line yet
  };

  using WaitingMap = std::multimap<TxHash, Waiting>;

  void submit_one(const CallPtr& call, std::size_t place, Bytes transaction);
  void send(Candidate candidate);
  void on_sent(Candidate candidate, const Result<TxHash>& sent);
  bool line_up(Candidate candidate);
  std::vector<Candidate> take_from_line();
  bool may_go_on() const;
  std::vector<CallPtr> take_late(std::uint64_t now_ms);
  WaitingMap::iterator find(const TxHash& hash, const CallPtr& call, std::size_t place);
  void refuse(const TxHash& hash, const CallPtr& call, std::size_t place, Errc why);
  bool wait_for(const TxHash& hash, Waiting waiting);
  void settle(const TxHash& hash, const TransactionOutcome& outcome, std::vector<CallPtr>& whole);
  void find_executed(const TxHash& hash, const TxId& id);
  void run();
  static void answer(const std::vector<CallPtr>& calls);

  Config config_;
  Ports ports_;
  const ledger::Chain& chain_;
  std::mutex mutex_;
  std::condition_variable wake_;
  WaitingMap waiting_;
  std::size_t waiting_operations_ = 0;
  std::map<std::uint64_t, Candidate> line_;  // by ticket
  std::uint64_t next_ticket_ = 1;
  std::size_t line_bytes_ = 0;
  bool has_room_ = true;          ///< nothing was refused since the newest certified height
  std::size_t sent_of_line_ = 0;  ///< sent on from the line, not admitted or refused yet
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace baolian::node
