#include "node/transaction_pool.h"

#include <algorithm>

#include "core/assert.h"

namespace baolian::node {

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
  proposable_bytes_ += entry.transaction.bytes()->size();
  proposable_operations_ += entry.transaction.operation_count();
  proposable_weight_ += entry.transaction.weight();
  return entry;
}

Result<void> TransactionPool::admit(CheckedTransaction transaction, Tick now, Tick request_clock) {
  if (knows(transaction.hash())) {
    return fail(Errc::already_exists, "the transaction is known already; ask for its outcome");
  }
  const std::size_t size = transaction.bytes()->size();
  const std::size_t operations = transaction.operation_count();
  if (counted_ + 1 > limits_.transactions_max || bytes_ + size > limits_.bytes_max ||
      operations_ + operations > limits_.operations_max) {
    return fail(Errc::busy,
                "this node's transaction pool is full; send the same bytes again later");
  }
  insert(std::move(transaction), now, request_clock);
  ++counted_;
  bytes_ += size;
  operations_ += operations;
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
  proposable_bytes_ -= entry.transaction.bytes()->size();
  proposable_operations_ -= entry.transaction.operation_count();
  proposable_weight_ -= entry.transaction.weight();
}

void TransactionPool::release_slots() {
  for (const auto& [arrival, hash] : all_) {
    Entry& entry = entries_.at(hash);
    if (!entry.in_slot) continue;
    entry.in_slot = false;
    proposable_.emplace(arrival, hash);
    proposable_bytes_ += entry.transaction.bytes()->size();
    proposable_operations_ += entry.transaction.operation_count();
    proposable_weight_ += entry.transaction.weight();
  }
}

void TransactionPool::erase(const TxHash& hash) {
  const auto at = entries_.find(hash);
  if (at == entries_.end()) return;
  mark_in_slot(hash);  // takes it out of the proposable ones
  const Entry& entry = at->second;
  if (entry.counted) {
    --counted_;
    bytes_ -= entry.transaction.bytes()->size();
    operations_ -= entry.transaction.operation_count();
  }
  all_.erase(entry.arrival);
  pushes_.erase(std::pair(entry.push_at.value, entry.arrival));
  entries_.erase(at);
}

void TransactionPool::on_executed(const TxHash& hash, SharedBytes body) {
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
  return proposable_.size() >= limits.transactions_max || proposable_bytes_ >= limits.bytes_max ||
         proposable_operations_ >= limits.operations_max || proposable_weight_ >= limits.weight_max;
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
