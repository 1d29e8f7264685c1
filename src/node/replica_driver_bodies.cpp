// The driver's work on transaction bodies: pushes, fetches, checks, and batches that wait for them.
#include <algorithm>

#include "core/assert.h"
#include "node/pool_messages.h"
#include "node/replica_driver.h"

namespace baolian::node {

namespace {

/// Splits bodies into messages of at most kPoolMessageBytesMax and hands each to `send`.
template <typename Message, typename SendOne>
void send_in_parts(const std::vector<SharedBytes>& bodies, const SendOne& send) {
  Message message;
  std::size_t bytes = 0;
  const auto flush = [&] {
    if (message.transactions.empty()) return;
    send(std::make_shared<const Bytes>(encode(message)));
    message.transactions.clear();
    bytes = 0;
  };
  for (const SharedBytes& body : bodies) {
    if (bytes + body->size() > kPoolMessageBytesMax ||
        message.transactions.size() == kPoolMessageBodiesMax) {
      flush();
    }
    bytes += body->size();
    message.transactions.push_back(*body);
  }
  flush();
}

}  // namespace

// ------------------------------------------------------------------ batches that want bodies

void ReplicaDriver::handle(consensus::NeedBodies& need) {
  std::vector<std::pair<TxHash, SharedBytes>> unchecked;
  if (!wanted_.contains(need.digest)) unchecked = begin_wanting(need);
  // Asked again, the engine brings bodies that came with a block or an answer: they may be the only
  // copies there are.
  const Wanted& wanted = wanted_.at(need.digest);
  for (SharedBytes& body : need.inline_bodies) {
    const TxHash hash = ledger::tx_hash(*body);
    if (wanted.missing.contains(hash)) unchecked.emplace_back(hash, std::move(body));
  }
  finish_if_complete(need.digest);
  // A check may be answered at once and end the wait: `wanted` is not touched from here on.
  for (auto& [hash, body] : unchecked) start_check(hash, std::move(body), std::nullopt);
}

/// Fills in what is here. Returns the bodies that are here but must be checked again.
std::vector<std::pair<TxHash, SharedBytes>> ReplicaDriver::begin_wanting(
    consensus::NeedBodies& need) {
  Wanted& wanted = wanted_[need.digest];
  wanted.height = need.height;
  wanted.ask_first = need.ask_first;
  wanted.fetch_at = Tick{now_.value + config_.fetch_delay_ms};
  wanted.bodies.resize(need.transactions.size());
  wanted.transactions = std::move(need.transactions);
  for (std::size_t i = 0; i < wanted.transactions.size(); ++i) {
    wanted.missing[wanted.transactions[i]].push_back(i);
  }
  std::vector<TxHash> listed;
  for (const auto& [hash, positions] : wanted.missing) listed.push_back(hash);
  std::vector<std::pair<TxHash, SharedBytes>> unchecked;
  for (const TxHash& hash : listed) {
    wanted_by_.emplace(hash, need.digest);
    if (const CheckedTransaction* here = pool_.find_waiting(hash)) {
      fill(wanted, *here);
      pool_.mark_in_slot(hash);
    } else if (SharedBytes recent = pool_.find(hash)) {
      unchecked.emplace_back(hash, std::move(recent));
    }
  }
  return unchecked;
}

/// Puts a checked body into every place of the batch that lists it.
void ReplicaDriver::fill(Wanted& wanted, const CheckedTransaction& transaction) {
  const auto at = wanted.missing.find(transaction.hash());
  if (at == wanted.missing.end()) return;
  for (const std::size_t position : at->second) {
    wanted.bodies[position] = transaction.bytes();
    wanted.operations += transaction.operation_count();
    wanted.weight += transaction.weight();
  }
  wanted.missing.erase(at);
}

void ReplicaDriver::fill_wanted(const CheckedTransaction& transaction) {
  std::vector<Hash> digests;
  const auto [begin, end] = wanted_by_.equal_range(transaction.hash());
  for (auto at = begin; at != end; ++at) digests.push_back(at->second);
  std::sort(digests.begin(), digests.end());  // an unordered container must not decide the order
  for (const Hash& digest : digests) {
    fill(wanted_.at(digest), transaction);
    finish_if_complete(digest);
  }
}

/// Gives the engine its bodies, or the news that the batch breaks a limit of the epoch.
void ReplicaDriver::finish_if_complete(const Hash& digest) {
  const auto at = wanted_.find(digest);
  if (at == wanted_.end() || !at->second.missing.empty()) return;
  std::vector<SharedBytes> bodies = std::move(at->second.bodies);
  const std::size_t operations = at->second.operations;
  const std::uint64_t weight = at->second.weight;
  forget_wanted(digest);
  std::size_t bytes = 0;
  for (const SharedBytes& body : bodies) bytes += body->size();
  if (bytes > config_.batch.bytes_max || operations > config_.batch.operations_max ||
      weight > config_.batch.weight_max) {
    inputs_.push_back(consensus::BadBodiesInput{digest});
  } else {
    inputs_.push_back(consensus::BodiesInput{digest, std::move(bodies)});
  }
}

/// A body with the listed hash is invalid for every correct node: so is each batch that lists it.
void ReplicaDriver::refuse_wanted(const TxHash& hash) {
  std::vector<Hash> digests;
  const auto [begin, end] = wanted_by_.equal_range(hash);
  for (auto at = begin; at != end; ++at) digests.push_back(at->second);
  std::sort(digests.begin(), digests.end());
  for (const Hash& digest : digests) {
    forget_wanted(digest);
    inputs_.push_back(consensus::BadBodiesInput{digest});
  }
}

void ReplicaDriver::forget_wanted(const Hash& digest) {
  const auto at = wanted_.find(digest);
  ASSERT(at != wanted_.end());
  for (const TxHash& hash : at->second.transactions) {
    const auto [begin, end] = wanted_by_.equal_range(hash);
    for (auto one = begin; one != end; ++one) {
      if (one->second != digest) continue;
      wanted_by_.erase(one);
      break;
    }
  }
  wanted_.erase(at);
}

// ------------------------------------------------------------------ checks

void ReplicaDriver::start_check(const TxHash& hash, SharedBytes bytes,
                                std::optional<ReplicaId> pushed_by) {
  if (!verifying_.emplace(hash, Verifying{pushed_by}).second) return;
  ports_.verifier.verify(hash, std::move(bytes));
}

void ReplicaDriver::on_verified(BodyVerdict verdict) {
  const auto at = verifying_.find(verdict.hash);
  ASSERT(at != verifying_.end());
  const Verifying origin = at->second;
  verifying_.erase(at);
  const bool is_wanted = wanted_by_.contains(verdict.hash);
  if (!verdict.transaction) {
    if (origin.pushed_by) {
      ports_.transport.ban(*origin.pushed_by,
                           "pushed an invalid transaction: " + verdict.transaction.error().context);
    }
    if (is_wanted) refuse_wanted(verdict.hash);
  } else if (is_wanted) {
    const CheckedTransaction transaction = *std::move(verdict.transaction);
    // What was executed before must not wait: nothing that is still to come would take it out.
    if (!verdict.executed && !pool_.was_executed(transaction.hash())) {
      pool_.pin(transaction, now_, engines_.engine().status().request_clock);
    }
    fill_wanted(transaction);
  } else if (!verdict.executed) {
    const auto admitted =
        pool_.admit(*std::move(verdict.transaction), origin.pushed_by.value_or(kOwnOrigin), now_,
                    engines_.engine().status().request_clock);
    if (admitted) note_arrival();
    if (!admitted && admitted.error().code == Errc::busy) ++figures_.pushes_refused;
  }
  pump();
}

// ------------------------------------------------------------------ messages

void ReplicaDriver::on_pool_message(ReplicaId from, BytesView bytes) {
  switch (bytes.front()) {
    case kPushTransactions:
      if (auto message = decode<PushTransactions>(bytes)) {
        return on_push(from, std::move(message->transactions));
      }
      break;
    case kFetchTransactions:
      if (const auto message = decode<FetchTransactions>(bytes)) {
        return serve_fetch(from, message->hashes);
      }
      break;
    case kReplyTransactions:
      if (auto message = decode<ReplyTransactions>(bytes)) {
        return on_reply(std::move(message->transactions));
      }
      break;
    default:
      break;
  }
  refuse(from, Error{Errc::bad_message, "malformed pool message"});
}

void ReplicaDriver::on_push(ReplicaId from, std::vector<Bytes> transactions) {
  for (Bytes& body : transactions) {
    const TxHash hash = ledger::tx_hash(body);
    if (pool_.knows(hash) || verifying_.contains(hash)) continue;
    if (!is_worth_a_check(from, hash, body.size())) {
      ++figures_.pushes_refused;  // it will be pushed again
      continue;
    }
    start_check(hash, std::make_shared<const Bytes>(std::move(body)), from);
  }
}

/// A check costs a signature: none is made for what would find no room, and none for more in T_req
/// / 2 than the pool can hold at all (1.9).
bool ReplicaDriver::is_worth_a_check(ReplicaId from, const TxHash& hash, std::size_t size_bytes) {
  if (verifying_.size() >= config_.verifying_max) return false;
  if (wanted_by_.contains(hash)) return true;
  if (!pool_.has_room(from, size_bytes)) return false;
  if (now_.value - pushed_since_.value >= config_.engine.timers.request_ms / 2) {
    pushed_.clear();
    pushed_since_ = now_;
  }
  PoolLoad with_it = pushed_[from];
  with_it += PoolLoad{1, 0, size_bytes};
  if (!with_it.fits(pool_.bound())) return false;
  pushed_[from] = with_it;
  return true;
}

void ReplicaDriver::on_reply(std::vector<Bytes> transactions) {
  for (Bytes& body : transactions) {
    const TxHash hash = ledger::tx_hash(body);
    if (!wanted_by_.contains(hash)) continue;  // late or not asked for
    start_check(hash, std::make_shared<const Bytes>(std::move(body)), std::nullopt);
  }
}

void ReplicaDriver::serve_fetch(ReplicaId from, const std::vector<TxHash>& hashes) {
  constexpr std::uint64_t kTurnMs = 100;
  if (now_.value - served_since_.value >= kTurnMs) {
    served_bytes_.clear();
    served_since_ = now_;
  }
  std::size_t& served = served_bytes_[from];
  std::vector<SharedBytes> bodies;
  for (const TxHash& hash : hashes) {
    const SharedBytes body = pool_.find(hash);
    if (body == nullptr) continue;
    if (served + body->size() > config_.serve_bytes_per_peer) break;  // it will ask again
    served += body->size();
    bodies.push_back(body);
  }
  send_in_parts<ReplyTransactions>(bodies, [&](SharedBytes bytes) {
    ports_.transport.send(from, MessageClass::transaction, std::move(bytes));
  });
}

// ------------------------------------------------------------------ fetches and pushes

/// The one who proposed first, then the other validators in turn.
ReplicaId ReplicaDriver::fetch_target(Wanted& wanted) const {
  const auto count = static_cast<std::uint64_t>(engines_.epoch().validators.size());
  if (wanted.attempts++ == 0 && wanted.ask_first != engines_.self()) {
    return engines_.node_of(wanted.ask_first);
  }
  auto target = static_cast<ReplicaId>((wanted.ask_first + wanted.attempts) % count);
  if (target == engines_.self()) target = static_cast<ReplicaId>((target + 1U) % count);
  return engines_.node_of(target);
}

void ReplicaDriver::fetch_missing() {
  const Height executed = engines_.engine().status().executed;
  std::vector<Hash> obsolete;
  for (auto& [digest, wanted] : wanted_) {
    if (wanted.height <= executed) {
      obsolete.push_back(digest);
      continue;
    }
    if (now_ < wanted.fetch_at) continue;
    wanted.fetch_at = Tick{now_.value + config_.fetch_again_ms};
    FetchTransactions message;
    for (const auto& [hash, positions] : wanted.missing) {
      if (!verifying_.contains(hash)) message.hashes.push_back(hash);
    }
    if (message.hashes.empty()) continue;
    ++figures_.fetches_sent;
    ports_.transport.send(fetch_target(wanted), MessageClass::transaction,
                          std::make_shared<const Bytes>(encode(message)));
  }
  for (const Hash& digest : obsolete) forget_wanted(digest);
}

void ReplicaDriver::push(const std::vector<SharedBytes>& bodies) {
  send_in_parts<PushTransactions>(
      bodies, [&](SharedBytes bytes) { broadcast(MessageClass::transaction, bytes); });
}

void ReplicaDriver::push_again() { push(pool_.take_due_pushes(now_, config_.push_bytes_per_tick)); }

}  // namespace baolian::node
