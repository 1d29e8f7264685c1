#include "node/transaction_pool.h"

#include <algorithm>
#include <utility>

#include "core/assert.h"

namespace baolian::node {

void TransactionPool::on_tick(Tick now) {
  const std::uint64_t passed = now.value - window_began_.value;
  if (passed < limits_.rate_window_ms) return;
  // After a pause of more than a window nothing is known of the rate.
  const bool is_next = passed < 2 * limits_.rate_window_ms;
  for (Executed* executed : {&executed_, &own_executed_}) {
    *executed = {.now = {}, .before = is_next ? executed->now : PoolLoad{}};
  }
  own_refused_before_ = std::exchange(own_refused_, false);
  window_began_ = now;
}

PoolLoad TransactionPool::bound_within(const Executed& executed, const PoolLoad& least,
                                       const PoolLoad& most) {
  const auto bounded = [&](std::size_t PoolLoad::*part) {
    const std::size_t measured = std::max(executed.now.*part, executed.before.*part);
    return std::max(least.*part, std::min(measured, most.*part));
  };
  return {bounded(&PoolLoad::transactions), bounded(&PoolLoad::operations),
          bounded(&PoolLoad::bytes)};
}

/// What may wait here of the own institution. The parts of all institutions together are what each
/// node has room for. The rate says what can be executed only while more comes than is executed:
/// below that it is what was sent, and more may be sent from one moment to the next.
PoolLoad TransactionPool::own_bound() const {
  if (own_refused_before_) return bound_within(own_executed_, limits_.least_of_own, limits_.most);
  const PoolLoad& all = limits_.least;
  const PoolLoad part = {all.transactions / limits_.origins, all.operations / limits_.origins,
                         all.bytes / limits_.origins};
  return bound_within(own_executed_, part, limits_.most);
}

bool TransactionPool::has_room_for(Origin origin, const PoolLoad& load) const {
  if (!admitted_.has_room(origin, load, bound())) return false;
  if (origin != kOwnOrigin) return true;
  PoolLoad own = admitted_.load_of(kOwnOrigin);
  if (own == PoolLoad{}) return true;
  own += load;
  return own.fits(own_bound());
}

void TransactionPool::make_proposable(const Entry& entry, const TxHash& hash) {
  proposable_[entry.origin].emplace(entry.arrival, hash);
  proposable_load_ += PoolLoad::of(entry.transaction);
  proposable_weight_ += entry.transaction.weight();
}

TransactionPool::Entry& TransactionPool::insert(CheckedTransaction transaction, Origin origin,
                                                Tick now, Tick request_clock) {
  const TxHash hash = transaction.hash();
  const std::uint64_t arrival = next_arrival_++;
  const Tick push_at{now.value + limits_.push_again_ms};
  auto [at, inserted] = entries_.emplace(hash, Entry{.transaction = std::move(transaction),
                                                     .origin = origin,
                                                     .arrival = arrival,
                                                     .arrived_at = now,
                                                     .request_clock = request_clock,
                                                     .push_after_ms = limits_.push_again_ms,
                                                     .push_at = push_at});
  ASSERT(inserted);
  open_.emplace(arrival, hash);
  pushes_.emplace(std::pair(push_at.value, arrival), hash);
  make_proposable(at->second, hash);
  return at->second;
}

Result<void> TransactionPool::admit(CheckedTransaction transaction, Origin origin, Tick now,
                                    Tick request_clock) {
  if (knows(transaction.hash())) {
    return fail(Errc::already_exists, "the transaction is known already; ask for its outcome");
  }
  const PoolLoad load = PoolLoad::of(transaction);
  if (!has_room_for(origin, load)) {
    if (origin == kOwnOrigin) own_refused_ = true;
    return fail(Errc::busy,
                "this node's transaction pool is full; send the same bytes again later");
  }
  insert(std::move(transaction), origin, now, request_clock);
  admitted_.add(origin, load);
  return ok();
}

void TransactionPool::pin(CheckedTransaction transaction, Tick now, Tick request_clock) {
  const TxHash hash = transaction.hash();
  if (!entries_.contains(hash)) {
    Entry& entry = insert(std::move(transaction), kOwnOrigin, now, request_clock);
    entry.counted = false;
    entry.pinned = true;
  }
  mark_in_slot(hash);
}

void TransactionPool::mark_in_slot(const TxHash& hash) {
  const auto at = entries_.find(hash);
  if (at == entries_.end() || at->second.in_slot) return;
  Entry& entry = at->second;
  entry.in_slot = true;
  const auto queue = proposable_.find(entry.origin);
  queue->second.erase(entry.arrival);
  if (queue->second.empty()) proposable_.erase(queue);
  proposable_load_ -= PoolLoad::of(entry.transaction);
  proposable_weight_ -= entry.transaction.weight();
}

void TransactionPool::mark_committed(const TxHash& hash) {
  const auto at = entries_.find(hash);
  if (at == entries_.end()) return;
  mark_in_slot(hash);
  Entry& entry = at->second;
  open_.erase(entry.arrival);
  pushes_.erase(std::pair(entry.push_at.value, entry.arrival));
  if (entry.origin != kOwnOrigin && entry.counted) {
    admitted_.remove(entry.origin, PoolLoad::of(entry.transaction));
    entry.counted = false;
  }
}

void TransactionPool::release_slots() {
  for (const auto& [arrival, hash] : open_) {
    Entry& entry = entries_.at(hash);
    if (!entry.in_slot) continue;
    entry.in_slot = false;
    make_proposable(entry, hash);
  }
}

void TransactionPool::erase(const TxHash& hash) {
  const auto at = entries_.find(hash);
  if (at == entries_.end()) return;
  mark_in_slot(hash);  // takes it out of the proposable ones
  const Entry& entry = at->second;
  if (entry.counted) admitted_.remove(entry.origin, PoolLoad::of(entry.transaction));
  open_.erase(entry.arrival);
  pushes_.erase(std::pair(entry.push_at.value, entry.arrival));
  entries_.erase(at);
}

void TransactionPool::on_executed(const TxHash& hash, SharedBytes body) {
  const auto waiting = entries_.find(hash);
  // Pinned ones may come fast, by catching up: they say nothing of what admission can expect.
  if (waiting != entries_.end() && !waiting->second.pinned) {
    const PoolLoad load = PoolLoad::of(waiting->second.transaction);
    executed_.now += load;
    if (waiting->second.origin == kOwnOrigin) own_executed_.now += load;
  }
  erase(hash);
  if (body == nullptr || !recent_.emplace(hash, body).second) return;
  recent_order_.push_back(hash);
  recent_bytes_ += body->size();
  while (recent_order_.size() > limits_.recent_transactions_max ||
         recent_bytes_ > limits_.recent_bytes_max) {
    const auto oldest = recent_.find(recent_order_.front());
    recent_bytes_ -= oldest->second->size();
    recent_.erase(oldest);
    recent_order_.pop_front();
  }
}

bool TransactionPool::knows(const TxHash& hash) const {
  return entries_.contains(hash) || recent_.contains(hash);
}

SharedBytes TransactionPool::find(const TxHash& hash) const {
  if (const auto at = entries_.find(hash); at != entries_.end()) {
    return at->second.transaction.bytes();
  }
  const auto at = recent_.find(hash);
  return at == recent_.end() ? nullptr : at->second;
}

const CheckedTransaction* TransactionPool::find_waiting(const TxHash& hash) const {
  const auto at = entries_.find(hash);
  return at == entries_.end() ? nullptr : &at->second.transaction;
}

TransactionPool::Selection TransactionPool::select(const BatchLimits& limits) const {
  using Queue = std::map<std::uint64_t, TxHash>;
  std::vector<std::pair<Queue::const_iterator, Queue::const_iterator>> turns;
  for (const auto& [origin, queue] : proposable_) turns.emplace_back(queue.begin(), queue.end());
  std::sort(turns.begin(), turns.end(),
            [](const auto& a, const auto& b) { return a.first->first < b.first->first; });
  Selection out;
  PoolLoad load;
  std::uint64_t weight = 0;
  while (!turns.empty()) {
    for (auto& [next, end] : turns) {
      const CheckedTransaction& one = entries_.at(next->second).transaction;
      load += PoolLoad::of(one);
      weight += one.weight();
      if (!load.fits({limits.transactions_max, limits.operations_max, limits.bytes_max}) ||
          weight > limits.weight_max) {
        out.full = true;
        return out;
      }
      out.hashes.push_back(next->second);
      out.bodies.push_back(one.bytes());
      ++next;
    }
    std::erase_if(turns, [](const auto& turn) { return turn.first == turn.second; });
  }
  return out;
}

bool TransactionPool::has_full_batch(const BatchLimits& limits) const {
  return proposable_load_.transactions >= limits.transactions_max ||
         proposable_load_.bytes >= limits.bytes_max ||
         proposable_load_.operations >= limits.operations_max ||
         proposable_weight_ >= limits.weight_max;
}

std::optional<Tick> TransactionPool::oldest_proposable() const {
  std::optional<Tick> out;
  for (const auto& [origin, queue] : proposable_) {
    const Tick arrived_at = entries_.at(queue.begin()->second).arrived_at;
    if (!out.has_value() || arrived_at < *out) out = arrived_at;
  }
  return out;
}

void TransactionPool::restart_request_clock(Tick now) {
  for (auto& [hash, entry] : entries_) entry.request_clock = now;
}

std::optional<Tick> TransactionPool::oldest_request() const {
  if (open_.empty()) return std::nullopt;
  return entries_.at(open_.begin()->second).request_clock;
}

void TransactionPool::restart_pushes(Tick now) {
  pushes_.clear();
  for (const auto& [arrival, hash] : open_) {
    Entry& entry = entries_.at(hash);
    entry.push_after_ms = limits_.push_again_ms;
    entry.push_at = Tick{now.value + limits_.push_again_ms};
    pushes_.emplace(std::pair(entry.push_at.value, arrival), hash);
  }
}

std::vector<SharedBytes> TransactionPool::take_due_pushes(Tick now, std::size_t bytes_max) {
  std::vector<SharedBytes> out;
  std::size_t bytes = 0;
  while (!pushes_.empty() && pushes_.begin()->first.first <= now.value) {
    const TxHash hash = pushes_.begin()->second;
    Entry& entry = entries_.at(hash);
    bytes += entry.transaction.bytes()->size();
    if (!out.empty() && bytes > bytes_max) break;
    pushes_.erase(pushes_.begin());
    entry.push_after_ms = std::min(entry.push_after_ms * 2, limits_.push_again_max_ms);
    entry.push_at = Tick{now.value + entry.push_after_ms};
    pushes_.emplace(std::pair(entry.push_at.value, entry.arrival), hash);
    out.push_back(entry.transaction.bytes());
  }
  return out;
}

}  // namespace baolian::node
