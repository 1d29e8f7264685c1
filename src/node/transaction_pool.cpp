#include "node/transaction_pool.h"

#include <algorithm>

#include "core/assert.h"

namespace baolian::node {

void TransactionPool::Load::add(const CheckedTransaction& one) {
  ++transactions;
  operations += one.operation_count();
  bytes += one.bytes()->size();
}

void TransactionPool::Load::remove(const CheckedTransaction& one) {
  --transactions;
  operations -= one.operation_count();
  bytes -= one.bytes()->size();
}

void TransactionPool::on_tick(Tick now) {
  const std::uint64_t passed = now.value - window_began_.value;
  if (passed < limits_.rate_window_ms) return;
  // After a pause of more than a window nothing is known of the rate.
  executed_before_ = passed < 2 * limits_.rate_window_ms ? executed_ : Load{};
  executed_ = {};
  window_began_ = now;
}

TransactionPool::Load TransactionPool::bound() const {
  const auto bounded = [&](std::size_t Load::*part) {
    const std::size_t measured = std::max(executed_.*part, executed_before_.*part);
    return std::max(limits_.least.*part, std::min(measured, limits_.most.*part));
  };
  return {bounded(&Load::transactions), bounded(&Load::operations), bounded(&Load::bytes)};
}

TransactionPool::Entry& TransactionPool::insert(CheckedTransaction transaction, Tick now,
                                                Tick request_clock) {
  const TxHash hash = transaction.hash();
  const std::uint64_t arrival = next_arrival_++;
  const Tick push_at{now.value + limits_.push_again_ms};
  auto [at, inserted] =
      entries_.emplace(hash, Entry{std::move(transaction), arrival, now, request_clock, false, true,
                                   limits_.push_again_ms, push_at});
  ASSERT(inserted);
  all_.emplace(arrival, hash);
  pushes_.emplace(std::pair(push_at.value, arrival), hash);
  Entry& entry = at->second;
  proposable_.emplace(arrival, hash);
  proposable_load_.add(entry.transaction);
  proposable_weight_ += entry.transaction.weight();
  return entry;
}

Result<void> TransactionPool::admit(CheckedTransaction transaction, Tick now, Tick request_clock) {
  if (knows(transaction.hash())) {
    return fail(Errc::already_exists, "the transaction is known already; ask for its outcome");
  }
  Load with_it = admitted_;
  with_it.add(transaction);
  if (!with_it.fits(bound())) {
    return fail(Errc::busy,
                "this node's transaction pool is full; send the same bytes again later");
  }
  insert(std::move(transaction), now, request_clock);
  admitted_ = with_it;
  return ok();
}

void TransactionPool::pin(CheckedTransaction transaction, Tick now, Tick request_clock) {
  const TxHash hash = transaction.hash();
  if (!entries_.contains(hash)) {
    insert(std::move(transaction), now, request_clock).counted = false;
  }
  mark_in_slot(hash);
}

void TransactionPool::mark_in_slot(const TxHash& hash) {
  const auto at = entries_.find(hash);
  if (at == entries_.end() || at->second.in_slot) return;
  Entry& entry = at->second;
  entry.in_slot = true;
  proposable_.erase(entry.arrival);
  proposable_load_.remove(entry.transaction);
  proposable_weight_ -= entry.transaction.weight();
}

void TransactionPool::release_slots() {
  for (const auto& [arrival, hash] : all_) {
    Entry& entry = entries_.at(hash);
    if (!entry.in_slot) continue;
    entry.in_slot = false;
    proposable_.emplace(arrival, hash);
    proposable_load_.add(entry.transaction);
    proposable_weight_ += entry.transaction.weight();
  }
}

void TransactionPool::erase(const TxHash& hash) {
  const auto at = entries_.find(hash);
  if (at == entries_.end()) return;
  mark_in_slot(hash);  // takes it out of the proposable ones
  const Entry& entry = at->second;
  if (entry.counted) admitted_.remove(entry.transaction);
  all_.erase(entry.arrival);
  pushes_.erase(std::pair(entry.push_at.value, entry.arrival));
  entries_.erase(at);
}

void TransactionPool::on_executed(const TxHash& hash, SharedBytes body) {
  const auto waiting = entries_.find(hash);
  // Pinned ones may come fast, by catching up: they say nothing of what admission can expect.
  if (waiting != entries_.end() && waiting->second.counted) {
    executed_.add(waiting->second.transaction);
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
  Selection out;
  std::size_t bytes = 0;
  std::size_t operations = 0;
  std::uint64_t weight = 0;
  for (const auto& [arrival, hash] : proposable_) {
    const CheckedTransaction& one = entries_.at(hash).transaction;
    bytes += one.bytes()->size();
    operations += one.operation_count();
    weight += one.weight();
    if (out.hashes.size() == limits.transactions_max || bytes > limits.bytes_max ||
        operations > limits.operations_max || weight > limits.weight_max) {
      out.full = true;
      break;
    }
    out.hashes.push_back(hash);
    out.bodies.push_back(one.bytes());
  }
  return out;
}

bool TransactionPool::has_full_batch(const BatchLimits& limits) const {
  return proposable_.size() >= limits.transactions_max ||
         proposable_load_.bytes >= limits.bytes_max ||
         proposable_load_.operations >= limits.operations_max ||
         proposable_weight_ >= limits.weight_max;
}

std::optional<Tick> TransactionPool::oldest_proposable() const {
  if (proposable_.empty()) return std::nullopt;
  return entries_.at(proposable_.begin()->second).arrived_at;
}

void TransactionPool::restart_request_clock(Tick now) {
  for (auto& [hash, entry] : entries_) entry.request_clock = now;
}

std::optional<Tick> TransactionPool::oldest_request() const {
  if (all_.empty()) return std::nullopt;
  return entries_.at(all_.begin()->second).request_clock;
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
