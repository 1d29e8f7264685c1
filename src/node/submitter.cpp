#include "node/submitter.h"

#include <algorithm>
#include <chrono>
#include <future>

#include "contracts/parameters.h"
#include "contracts/state.h"
#include "net/thread_name.h"
#include "node/outbox.h"

namespace baolian::node {
namespace {

constexpr auto kPollEvery = std::chrono::milliseconds(200);
constexpr std::uint64_t kSendRefusedMs = 200;
/// A transaction's own fields and signature are below this.
constexpr std::size_t kBodyBytesMax = 256;
constexpr std::size_t kCosignaturesMax = 4;

using Outcomes = Result<std::vector<OperationOutcome>>;

Error expired_error() {
  return fail(Errc::timed_out,
              "the transaction expired without being executed and can execute no more; ask again "
              "with a new request id");
}

Error unknown_error(const char* why) {
  return fail(Errc::not_certified,
              std::string(why) + "; whether it executes is unknown, ask again by request id");
}

Error hidden_error() {
  return fail(
      Errc::pruned,
      "the operation may have been executed in a block of before this node joined, which it "
      "never had; ask another node, or an archive, for the request id");
}

Error unsent_error(const char* why) {
  return fail(Errc::busy, std::string(why) + "; nothing was sent, try again");
}

/// What an operation adds to a transaction; nullopt if no transaction can hold it.
std::optional<std::size_t> encoded_bytes(const ledger::Operation& operation) {
  constexpr std::size_t kOperationBytes = 2 + RequestId::kSize + 4 + 4;
  constexpr std::size_t kCosignatureBytes = 1 + PublicKey::kSize + 8 + 8 + Signature::kSize;
  if (operation.content.size() > ledger::kOperationContentBytesMax ||
      operation.cosignatures.size() > kCosignaturesMax) {
    return std::nullopt;
  }
  return kOperationBytes + operation.content.size() +
         operation.cosignatures.size() * kCosignatureBytes;
}

/// The outcomes of one call out of those of its transaction. A transaction rejected as a whole has
/// one leaf for all.
std::vector<OperationOutcome> slice(const std::vector<OperationOutcome>& all,
                                    const std::vector<RequestId>& requests, std::size_t first) {
  std::vector<OperationOutcome> out;
  const bool whole = all.front().op_index == ledger::kWholeTransaction;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const std::size_t at = whole ? 0 : first + i;
    ASSERT(at < all.size());
    out.push_back(all[at]);
    out.back().request_id = requests[i];
  }
  return out;
}

}  // namespace

Submitter::Submitter(Config config, Ports ports, const ledger::Chain& chain,
                     std::unique_ptr<Outbox> outbox)
    : config_(config),
      ports_(std::move(ports)),
      chain_(chain),
      outbox_(std::move(outbox)),
      reported_(chain.certified_height()) {
  ASSERT(config_.in_flight_max > 0 && config_.in_flight_max < contracts::NonceWindow::kWidth);
}

Submitter::~Submitter() { stop(); }

void Submitter::start() {
  const TimeMs now = ports_.clock();
  {
    const std::scoped_lock lock(outbox_mutex_, mutex_);
    for (auto& record : outbox_->take_unresolved()) {
      if (record.expires_at < now || chain_.find_transaction(record.tx_id)) continue;
      InFlight open;
      open.sender = record.sender;
      open.nonce = record.nonce;
      open.expires_at = record.expires_at;
      open.hash = ledger::tx_hash(record.transaction);
      open.transaction = std::move(record.transaction);
      open.send_after_ms = config_.resend_ms;
      unresolved_[open.sender].insert(open.nonce);
      in_flight_.emplace(record.tx_id, std::move(open));
    }
  }
  // The stored bytes go out again, never newly signed ones.
  send_due(now.value);
  thread_ = std::thread([this] {
    net::name_thread("submitter");
    run();
  });
}

void Submitter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  std::vector<Answer> answers;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [sender, jobs] : waiting_) {
      for (auto& job : jobs) {
        answers.push_back({std::move(job.done), unsent_error("the node is stopping")});
      }
    }
    for (auto& [id, flight] : in_flight_) {
      for (auto& part : flight.parts) {
        answers.push_back({std::move(part.done), unknown_error("the node is stopping")});
      }
    }
    waiting_.clear();
    in_flight_.clear();
    unresolved_.clear();
    unsent_.clear();
    waiting_operations_ = 0;
  }
  for (auto& answer : answers) answer.done(std::move(answer.result));
}

void Submitter::submit(const crypto::Signer& signer, std::vector<ledger::Operation> operations,
                       Done done) {
  ASSERT(!operations.empty() && operations.size() <= ledger::kOperationsMax);
  Job job;
  job.signer = &signer;
  job.operations = std::move(operations);
  job.give_up_at = TimeMs{ports_.clock().value + config_.expiry_ms};
  auto accepted = accept(job);
  if (!accepted) return done(std::move(accepted).error());
  bool refused = false;
  {
    const std::lock_guard lock(mutex_);
    refused = stopping_ || waiting_operations_ + job.operations.size() > config_.waiting_max;
    if (refused) {
      for (const auto& operation : job.operations) unsent_.erase(operation.request_id);
    } else {
      waiting_operations_ += job.operations.size();
      job.arrival = next_arrival_++;
      job.done = std::move(done);
      waiting_[signer.public_key()].push_back(std::move(job));
    }
  }
  if (refused) return done(unsent_error("too many operations wait"));
  wake_.notify_one();
}

/// Fits a transaction, and every request id is new. Then the ids are reserved.
Result<void> Submitter::accept(Job& job) {
  const auto& epoch = chain_.epoch_at(chain_.height().next());
  for (const auto& operation : job.operations) {
    const auto size = encoded_bytes(operation);
    if (!size) return fail(Errc::limit_exceeded, "an operation is too large; divide it");
    job.size_bytes += *size;
    job.weight += contracts::declared_weight(epoch, operation);
  }
  const std::uint64_t weight_max =
      contracts::parameter(epoch, contracts::ParameterId::transaction_weight_max);
  if (job.size_bytes > ledger::kTransactionBytesMax - kBodyBytesMax || job.weight >= weight_max) {
    return fail(Errc::limit_exceeded,
                "the operations do not fit into one transaction; divide them");
  }
  // Both locks: between an append and the end of `unsent_` an id is in both, never in none.
  const std::scoped_lock lock(outbox_mutex_, mutex_);
  std::set<RequestId> own;
  for (const auto& operation : job.operations) {
    const RequestId& id = operation.request_id;
    if (!own.insert(id).second || unsent_.contains(id) || outbox_->find(id).has_value()) {
      return fail(Errc::already_exists,
                  "this request id was used before; its first outcome stands. Use a new one");
    }
  }
  unsent_.merge(own);
  return ok();
}

Result<std::vector<OperationOutcome>> Submitter::submit_and_wait(
    const crypto::Signer& signer, std::vector<ledger::Operation> operations) {
  auto promise = std::make_shared<std::promise<Outcomes>>();
  auto future = promise->get_future();
  submit(signer, std::move(operations),
         [promise](Outcomes outcomes) { promise->set_value(std::move(outcomes)); });
  return future.get();
}

/// Never below what an earlier run may have signed, nor below what the chain has seen: an outbox
/// that was lost would otherwise begin below the nonce window and never get out.
Nonce Submitter::next_nonce(const PublicKey& sender) {
  const auto known = nonces_.find(sender);
  if (known != nonces_.end()) return known->second;
  Nonce next{1};
  const auto window =
      ledger::read_as<contracts::NonceWindow>(chain_.state(), contracts::keys::nonce(sender));
  if (window) next = std::max(next, window->highest.next());
  return std::max(next, outbox_->next_nonce(sender));
}

bool Submitter::may_sign(const PublicKey& sender) {
  const auto open = unresolved_.find(sender);
  if (open == unresolved_.end() || open->second.empty()) return true;
  const std::uint64_t newest = open->second.rbegin()->value;
  const auto known = nonces_.find(sender);
  const std::uint64_t next = known == nonces_.end() ? newest + 1 : known->second.value;
  return next < open->second.begin()->value + config_.in_flight_max;
}

/// Whose call waits longest among those who may sign; nullptr if there is none.
const PublicKey* Submitter::next_sender() {
  const PublicKey* out = nullptr;
  std::uint64_t oldest = 0;
  for (const auto& [sender, jobs] : waiting_) {
    if (jobs.empty() || !may_sign(sender)) continue;
    if (out != nullptr && jobs.front().arrival > oldest) continue;
    out = &sender;
    oldest = jobs.front().arrival;
  }
  return out;
}

std::vector<Submitter::Job> Submitter::take_jobs(const PublicKey& sender) {
  // A transaction above one of its limits would be rejected as a whole, and take the calls of
  // others with it.
  const auto& epoch = chain_.epoch_at(chain_.height().next());
  const std::uint64_t weight_max =
      contracts::parameter(epoch, contracts::ParameterId::transaction_weight_max);
  std::vector<Job> jobs;
  std::size_t operations = 0;
  std::size_t bytes = kBodyBytesMax;
  std::uint64_t weight = 1;  // the sender's nonce window
  auto& queue = waiting_[sender];
  while (!queue.empty()) {
    Job& next = queue.front();
    const bool fits = operations + next.operations.size() <= ledger::kOperationsMax &&
                      bytes + next.size_bytes <= ledger::kTransactionBytesMax &&
                      weight + next.weight <= weight_max;
    if (!jobs.empty() && !fits) break;
    operations += next.operations.size();
    bytes += next.size_bytes;
    weight += next.weight;
    jobs.push_back(std::move(next));
    queue.pop_front();
  }
  return jobs;
}

void Submitter::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, kPollEvery, [this] { return stopping_ || next_sender() != nullptr; });
    if (stopping_) return;
    std::vector<Job> jobs;
    if (const PublicKey* sender = next_sender()) jobs = take_jobs(PublicKey(*sender));
    lock.unlock();
    if (!jobs.empty()) send_jobs(std::move(jobs));
    const TimeMs now = ports_.clock();
    send_due(now.value);
    std::vector<Answer> answers;
    answer_late(now, answers);
    for (auto& answer : answers) answer.done(std::move(answer.result));
    compact_outbox_if_due();
    lock.lock();
  }
}

/// On the submitter's thread alone, so the order of nonces is the order of sending. No lock is held
/// while a disk or the pool is waited for, but the outbox's own.
void Submitter::send_jobs(std::vector<Job> jobs) {
  const crypto::Signer& signer = *jobs.front().signer;
  ledger::TransactionBody body;
  body.chain_id = chain_.chain_id();
  body.sender = signer.public_key();
  body.expires_at = TimeMs{ports_.clock().value + config_.expiry_ms};
  InFlight flight;
  for (auto& job : jobs) {
    flight.parts.push_back({body.operations.size(), job.operations.size(), std::move(job.done)});
    for (auto& operation : job.operations) {
      flight.request_ids.push_back(operation.request_id);
      body.operations.push_back(std::move(operation));
    }
  }
  OutboxRecord record;
  {
    const std::scoped_lock lock(outbox_mutex_, mutex_);
    body.nonce = next_nonce(body.sender);
    nonces_[body.sender] = body.nonce.next();
  }
  const ledger::Transaction transaction = ledger::sign_transaction(std::move(body), signer);
  record.sender = transaction.body.sender;
  record.nonce = transaction.body.nonce;
  record.tx_id = ledger::tx_id(transaction.body);
  record.expires_at = transaction.body.expires_at;
  record.request_ids = flight.request_ids;
  record.transaction = encode(transaction);
  const TxId id = record.tx_id;
  flight.sender = record.sender;
  flight.nonce = record.nonce;
  flight.expires_at = record.expires_at;
  flight.hash = ledger::tx_hash(record.transaction);
  flight.transaction = record.transaction;
  flight.send_after_ms = config_.resend_ms;
  {
    const std::lock_guard lock(outbox_mutex_);
    outbox_->append({std::move(record)});
  }
  const std::lock_guard lock(mutex_);
  for (const auto& request : flight.request_ids) unsent_.erase(request);
  unresolved_[flight.sender].insert(flight.nonce);
  in_flight_.emplace(id, std::move(flight));  // due at once: send_due() follows
}

/// Sends what is due, in order of nonces.
void Submitter::send_due(std::uint64_t now_ms) {
  std::map<std::pair<PublicKey, Nonce>, std::pair<TxId, Bytes>> due;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, flight] : in_flight_) {
      if (flight.send_at_ms > now_ms) continue;
      due.emplace(std::make_pair(flight.sender, flight.nonce),
                  std::make_pair(id, flight.transaction));
      flight.send_at_ms = now_ms + flight.send_after_ms;
      flight.send_after_ms = std::min(flight.send_after_ms * 2, config_.resend_max_ms);
    }
  }
  for (const auto& [place, item] : due) {
    // "Busy" is no outcome: the bytes are durable and go out again until they execute or expire.
    const auto sent = ports_.send(item.second);
    if (sent || sent.error().code == Errc::already_exists) continue;
    const std::lock_guard lock(mutex_);
    const auto found = in_flight_.find(item.first);
    if (found != in_flight_.end()) found->second.send_at_ms = now_ms + kSendRefusedMs;
  }
}

/// Whoever has waited long past the expiry is told that nobody knows: without certified blocks
/// block time stands still, and nobody must wait for ever.
void Submitter::answer_late(TimeMs now, std::vector<Answer>& answers) {
  const std::lock_guard lock(mutex_);
  for (auto& [sender, jobs] : waiting_) {
    while (!jobs.empty() && jobs.front().give_up_at < now) {
      Job& job = jobs.front();
      for (const auto& operation : job.operations) unsent_.erase(operation.request_id);
      waiting_operations_ -= job.operations.size();
      answers.push_back({std::move(job.done), unsent_error("earlier operations are still open")});
      jobs.pop_front();
    }
  }
  for (auto& [id, flight] : in_flight_) {
    if (flight.parts.empty() || flight.expires_at.value + config_.answer_ms >= now.value) continue;
    release(flight.parts);
    for (auto& part : flight.parts) {
      answers.push_back({std::move(part.done), unknown_error("no certificate in time")});
    }
    flight.parts.clear();
  }
}

/// Requires: mutex_ is held.
void Submitter::release(const std::vector<Part>& parts) {
  for (const auto& part : parts) waiting_operations_ -= part.count;
}

Result<std::vector<OperationOutcome>> Submitter::read_outcomes(const TxId& id) const {
  const auto location = chain_.find_transaction(id);
  if (!location) return fail(Errc::not_certified, "not executed yet; ask again shortly");
  const auto header = chain_.header(location->height);
  const ledger::SharedLeaves shared = chain_.shared_leaves(location->height);
  if (shared == nullptr) {
    TRY(chain_.read_block(location->height));  // says why
  }
  if (!header || shared == nullptr || location->first_leaf >= shared->size()) {
    return fail(Errc::store_corrupt, "the block of this operation does not hold it");
  }
  const std::vector<ledger::OperationLeaf>& leaves = *shared;
  const TxHash hash = leaves[location->first_leaf].tx_hash;
  std::vector<OperationOutcome> out;
  for (std::uint32_t i = location->first_leaf; i < leaves.size(); ++i) {
    const auto& leaf = leaves[i];
    // The same transaction may stand a second time behind the first, rejected as a duplicate.
    const bool follows = leaf.tx_hash == hash && (out.empty() || leaf.op_index == out.size());
    if (!follows) break;
    auto receipt = decode<ledger::Receipt>(leaf.receipt);
    ASSERT(receipt.has_value());
    OperationOutcome outcome;
    outcome.tx_id = id;
    outcome.op_index = leaf.op_index;
    outcome.height = location->height;
    outcome.leaf = i;
    outcome.block_time = header->timestamp;
    outcome.receipt = *std::move(receipt);
    out.push_back(std::move(outcome));
    if (leaf.op_index == ledger::kWholeTransaction) break;
  }
  return out;
}

/// Transactions in flight that stand in the blocks since the last report.
std::vector<TxId> Submitter::executed_up_to(Height height) {
  std::vector<TxId> out;
  std::map<TxHash, TxId> open;
  Height next;
  {
    const std::lock_guard lock(mutex_);
    next = reported_.next();
    reported_ = std::max(reported_, height);
    for (const auto& [id, flight] : in_flight_) open.emplace(flight.hash, id);
  }
  for (; next <= height && !open.empty(); ++next) {
    const ledger::SharedLeaves leaves = chain_.shared_leaves(next);
    if (leaves == nullptr) {  // came as state, without bodies
      for (const auto& [hash, id] : open) {
        const auto place = chain_.find_transaction(id);
        if (place && place->height == next) out.push_back(id);
      }
      continue;
    }
    for (const ledger::OperationLeaf& leaf : *leaves) {
      const auto found = open.find(leaf.tx_hash);
      if (found == open.end()) continue;
      out.push_back(found->second);
      open.erase(found);
    }
  }
  return out;
}

void Submitter::on_certified(Height height) {
  const auto header = chain_.header(height);
  ASSERT(header.has_value());
  for (const auto& id : executed_up_to(height)) resolve(id);
  expire(header->timestamp);
  wake_.notify_one();
}

void Submitter::resolve(const TxId& id) {
  InFlight flight;
  {
    const std::lock_guard lock(mutex_);
    const auto found = in_flight_.find(id);
    if (found == in_flight_.end()) return;
    flight = std::move(found->second);
    in_flight_.erase(found);
    unresolved_[flight.sender].erase(flight.nonce);
    release(flight.parts);
  }
  if (flight.parts.empty()) return;
  const auto all = read_outcomes(id);
  for (auto& part : flight.parts) {
    if (!all) {
      part.done(all.error());
      continue;
    }
    const auto first = flight.request_ids.begin() + static_cast<std::ptrdiff_t>(part.first);
    const std::vector<RequestId> requests(first, first + static_cast<std::ptrdiff_t>(part.count));
    part.done(slice(*all, requests, part.first));
  }
}

void Submitter::expire(TimeMs block_time) {
  std::vector<InFlight> expired;
  {
    const std::lock_guard lock(mutex_);
    for (auto it = in_flight_.begin(); it != in_flight_.end();) {
      // Judged on certified block time: from here on execution can only reject it.
      if (it->second.expires_at < block_time) {
        unresolved_[it->second.sender].erase(it->second.nonce);
        release(it->second.parts);
        expired.push_back(std::move(it->second));
        it = in_flight_.erase(it);
      } else {
        ++it;
      }
    }
  }
  for (auto& flight : expired) {
    for (auto& part : flight.parts) part.done(expired_error());
  }
}

/// No block here holds a transaction that has expired. A chain that began with a snapshot may lack
/// the one that does: the nonces of its sender tell, as far as their window reaches.
Error Submitter::never_executed(const OutboxPlace& place) const {
  const Height base = chain_.base();
  const auto header = chain_.header(base);
  const auto& epoch = chain_.epoch_at(base);
  const std::uint64_t life_max_ms =
      contracts::parameter(epoch, contracts::ParameterId::transaction_expiry_max_ms);
  const bool began_before =
      base.value > 0 && header && place.expires_at.value <= header->timestamp.value + life_max_ms;
  if (!began_before) return expired_error();
  const auto window =
      ledger::read_as<contracts::NonceWindow>(chain_.state(), contracts::keys::nonce(place.sender));
  const bool is_fresh =
      !window || window->ask(place.nonce) == contracts::NonceWindow::Answer::fresh;
  return is_fresh ? expired_error() : hidden_error();
}

/// By certified block time, which no clock of this machine can run ahead of.
void Submitter::compact_outbox_if_due() {
  const auto newest = chain_.header(chain_.certified_height());
  const std::lock_guard lock(outbox_mutex_);
  if (!newest || !outbox_->is_compaction_due()) return;
  const std::uint64_t now = newest->timestamp.value;
  const TimeMs forgotten{now - std::min(now, config_.request_ids_kept_ms)};
  // What fails leaves the file as it is, and the next growth asks again.
  static_cast<void>(outbox_->compact({newest->timestamp, forgotten}));
}

Result<OperationOutcome> Submitter::outcome_of(const RequestId& request) const {
  OutboxPlace place;
  {
    const std::scoped_lock lock(outbox_mutex_, mutex_);
    const std::optional<OutboxPlace> found = outbox_->find(request);
    if (!found && unsent_.contains(request)) {
      return fail(Errc::not_certified, "waiting to be sent; ask again shortly");
    }
    if (!found) return fail(Errc::not_found, "no operation of this request id");
    place = *found;
  }
  const Height certified = chain_.certified_height();
  const auto newest = chain_.header(certified);
  auto all = read_outcomes(place.tx_id);
  if (!all) {
    const bool open = all.error().code == Errc::not_certified;
    if (open && newest && place.expires_at < newest->timestamp) return never_executed(place);
    return std::move(all).error();
  }
  if (all->front().height > certified) {
    return fail(Errc::not_certified, "executed, not certified yet; ask again shortly");
  }
  return std::move(slice(*all, {request}, place.op_index).front());
}

}  // namespace baolian::node
