/// Checked transactions that are not executed yet, and those executed a moment ago (consensus.md
/// 1.3, 1.6 V1, 1.9).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "node/pool_shares.h"
#include "node/ports.h"

namespace baolian::node {

/// Bodies by their hash, in order of arrival.
///
/// Bounds:      admitted transactions in count, operations and bytes: what T_req / 2 of execution
///              took at the rate measured here, but at least two full batches; admit() says busy
///              above. Of the own institution its part of that: what T_req / 2 of execution took of
///              it alone, but at least an equal part of two full batches, and less while it sends
///              more than is executed. What is admitted here others must find room for in time, or
///              they would suspect the primary (docs/adr/0033-line.md). Pinned and committed ones
///              of other nodes by the engine's window; the recently executed by count and bytes.
/// Invariants:  a transaction leaves only by execution: the primary proposes all that was admitted,
///              even expired ones and such as execution will reject (V1), or a client could make
///              correct nodes suspect a correct primary.
/// Ownership:   values and shared bodies.   Threads: none - confined to the driver.
class TransactionPool {
 public:
  struct Limits {
    PoolLoad least = {10'000, 20'000, 4 * 1024 * 1024};  ///< two full batches
    /// However fast execution is: memory.
    PoolLoad most = {200'000, 400'000, 64 * 1024 * 1024};
    /// Of the own institution, however slow execution is while more comes than it takes.
    PoolLoad least_of_own = {1'000, 1'000, 256 * 1024};
    std::uint64_t rate_window_ms = 500;  ///< T_req / 2
    std::size_t origins = 1;             ///< nodes that may push, this one among them
    std::size_t recent_transactions_max = 20'000;
    std::size_t recent_bytes_max = 16 * 1024 * 1024;
    std::uint64_t push_again_ms = 500;  ///< T_req / 2; doubles up to the next
    std::uint64_t push_again_max_ms = 8'000;
  };
  /// What one batch may hold (consensus.md 1.12).
  struct BatchLimits {
    std::size_t transactions_max = 5'000;
    std::size_t operations_max = 10'000;
    std::size_t bytes_max = 2 * 1024 * 1024;
    std::uint64_t weight_max = 50'000;  ///< key writes; block_weight_max of the epoch
  };

  TransactionPool() : TransactionPool(Limits{}) {}
  explicit TransactionPool(Limits limits) : limits_(limits), admitted_(limits.origins) {}

  /// Time passes: the rate of execution is measured by it. `now` never decreases.
  void on_tick(Tick now);
  /// What may wait here at present.
  PoolLoad bound() const { return bound_within(executed_, limits_.least, limits_.most); }
  /// Whether one more of this origin would find room, as far as its size tells.
  bool has_room(Origin origin, std::size_t size_bytes) const {
    return has_room_for(origin, {1, 1, size_bytes});
  }
  /// What was executed of it in a window of the rate: the present one, or the one before if that
  /// was more.
  PoolLoad executed_lately() const { return bound_within(executed_, {}, kUnbounded); }

  /// Returns: Errc::busy if the pool, or the part of it that this origin may fill, is full;
  /// Errc::already_exists if the transaction is here or was executed a moment ago.
  /// `request_clock` is the engine's at this moment (consensus::Status).
  Result<void> admit(CheckedTransaction transaction, Origin origin, Tick now,
                     Tick request_clock = {});
  /// Keeps a body that a batch in a slot lists; not bounded here, never proposed while in a slot.
  void pin(CheckedTransaction transaction, Tick now, Tick request_clock = {});
  /// Marks a transaction as listed by a batch in a slot.
  void mark_in_slot(const TxHash& hash);
  /// Marks a transaction of a batch that is committed here: no primary has anything to do with it
  /// any more. It is not proposed again, not pushed, and what it still waits for, execution, is not
  /// laid at anybody's door (V1). Pushed by another node, it takes no room from what that node
  /// pushes next: this one may be behind with execution while the others are not.
  void mark_committed(const TxHash& hash);
  /// Lets everything that is not committed be proposed again: after a view change a batch may be
  /// gone.
  void release_slots();
  /// Forgets what a height executed, keeping the bodies for a while as recent ones.
  void on_executed(const TxHash& hash, SharedBytes body);

  /// True if it waits here or was executed a moment ago.
  bool knows(const TxHash& hash) const;
  bool was_executed(const TxHash& hash) const { return recent_.contains(hash); }
  /// The body, waiting or recent; null if unknown.
  SharedBytes find(const TxHash& hash) const;
  /// The checked transaction, if it waits here.
  const CheckedTransaction* find_waiting(const TxHash& hash) const;

  struct Selection {
    std::vector<TxHash> hashes;
    std::vector<SharedBytes> bodies;
    bool full = false;  ///< the next waiting transaction did not fit
  };
  /// Transactions in no slot, as many as a batch may hold: of each origin the oldest first, the
  /// origins in turn (1.9), beginning with whose transaction waits longest. Changes nothing.
  Selection select(const BatchLimits& limits) const;
  /// True if a batch of waiting transactions would be full.
  bool has_full_batch(const BatchLimits& limits) const;
  std::size_t proposable_operations() const { return proposable_load_.operations; }
  bool has_proposable() const { return proposable_load_.transactions > 0; }
  /// When the oldest proposable transaction arrived.
  std::optional<Tick> oldest_proposable() const;
  /// Another engine counts its request clock anew: everything waits since `now` of it.
  void restart_request_clock(Tick now);
  /// The request clock at the arrival of the oldest transaction that is not committed (V1).
  std::optional<Tick> oldest_request() const;

  /// A view was entered: its primary may lack whatever waits, and has T_req from now on (V1).
  void restart_pushes(Tick now);
  /// Bodies to be pushed to all validators again, up to `bytes_max`; their next turn comes later.
  std::vector<SharedBytes> take_due_pushes(Tick now, std::size_t bytes_max);

  std::size_t size() const { return entries_.size(); }
  std::size_t size_bytes() const { return admitted_.total().bytes; }
  std::size_t operation_count() const { return admitted_.total().operations; }

 private:
  static constexpr PoolLoad kUnbounded = {SIZE_MAX, SIZE_MAX, SIZE_MAX};
  /// What was executed of counted entries.
  struct Executed {
    PoolLoad now;     ///< in the present window of the rate
    PoolLoad before;  ///< and in the one before
  };
  static PoolLoad bound_within(const Executed& executed, const PoolLoad& least,
                               const PoolLoad& most);
  PoolLoad own_bound() const;
  bool has_room_for(Origin origin, const PoolLoad& load) const;
  struct Entry {
    CheckedTransaction transaction;
    Origin origin = kOwnOrigin;
    std::uint64_t arrival = 0;
    Tick arrived_at;
    Tick request_clock;
    bool in_slot = false;
    bool counted = true;  ///< within the bounds
    bool pinned = false;  ///< came with a batch; outside the bounds from the first
    std::uint64_t push_after_ms = 0;
    Tick push_at;
  };
  Entry& insert(CheckedTransaction transaction, Origin origin, Tick now, Tick request_clock);
  void make_proposable(const Entry& entry, const TxHash& hash);
  void erase(const TxHash& hash);

  Limits limits_;
  std::unordered_map<TxHash, Entry, FixedBytesHash> entries_;         // never iterated for order
  std::map<std::uint64_t, TxHash> open_;                              // by arrival; not committed
  std::map<Origin, std::map<std::uint64_t, TxHash>> proposable_;      // by arrival; in no slot
  std::map<std::pair<std::uint64_t, std::uint64_t>, TxHash> pushes_;  // by (push_at, arrival)
  std::unordered_map<TxHash, SharedBytes, FixedBytesHash> recent_;
  std::deque<TxHash> recent_order_;
  std::size_t recent_bytes_ = 0;
  std::uint64_t next_arrival_ = 0;
  PoolShares admitted_;    // counted entries
  Executed executed_;      // of all
  Executed own_executed_;  // of the own institution
  Tick window_began_;
  bool own_refused_ = false;         ///< in the present window
  bool own_refused_before_ = false;  ///< in the one before
  PoolLoad proposable_load_;
  std::uint64_t proposable_weight_ = 0;
};

}  // namespace baolian::node
