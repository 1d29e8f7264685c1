#include "node/transaction_desk.h"

#include <algorithm>
#include <chrono>

#include "core/assert.h"
#include "net/thread_name.h"

namespace baolian::node {
namespace {

constexpr auto kLateEvery = std::chrono::milliseconds(500);
/// Sent on from the line at once: enough to keep the checks of signatures busy.
constexpr std::size_t kOfLineMax = 16;

/// What the leaves of a transaction say, from its first one on.
TransactionOutcome outcome_at(const ledger::Header& header,
                              const std::vector<ledger::OperationLeaf>& leaves, std::size_t first) {
  TransactionOutcome out;
  out.fate = TransactionFate::certified;
  out.height = header.height;
  out.leaf = static_cast<std::uint32_t>(first);
  out.block_time = header.timestamp;
  for (std::size_t i = first; i < leaves.size(); ++i) {
    const ledger::OperationLeaf& leaf = leaves[i];
    // The same bytes may stand a second time behind the first, rejected as a duplicate.
    const bool follows =
        leaf.tx_hash == leaves[first].tx_hash && (i == first || leaf.op_index == out.codes.size());
    if (!follows) break;
    const auto receipt = decode<ledger::Receipt>(leaf.receipt);
    ASSERT(receipt.has_value());
    out.codes.push_back(receipt->code);
    if (leaf.op_index == ledger::kWholeTransaction) {
      out.status = receipt->status;
      break;
    }
  }
  return out;
}

TransactionOutcome busy() {
  TransactionOutcome out;
  out.fate = TransactionFate::refused;
  out.error = static_cast<std::uint16_t>(Errc::busy);
  return out;
}

/// A call for which there is no place in line: before anything is hashed, decoded or checked.
TransactionOutcomes all_busy(std::size_t count) {
  TransactionOutcomes out;
  out.outcomes.assign(count, busy());
  return out;
}

bool is_first_leaf(const ledger::OperationLeaf& leaf) {
  return leaf.op_index == 0 || leaf.op_index == ledger::kWholeTransaction;
}

}  // namespace

TransactionDesk::TransactionDesk(Config config, Ports ports, const ledger::Chain& chain)
    : config_(config), ports_(std::move(ports)), chain_(chain) {}

TransactionDesk::~TransactionDesk() { stop(); }

void TransactionDesk::start() {
  thread_ = std::thread([this] {
    net::name_thread("desk");
    run();
  });
}

void TransactionDesk::stop() {
  std::vector<CallPtr> calls;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto& [hash, waiting] : waiting_) {
      if (waiting.call->open > 0) calls.push_back(waiting.call);
      waiting.call->open = 0;
    }
    waiting_.clear();
    waiting_operations_ = 0;
    line_.clear();
    line_bytes_ = 0;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  answer(calls);
}

void TransactionDesk::answer(const std::vector<CallPtr>& calls) {
  for (const CallPtr& call : calls) call->done(std::move(call->outcomes));
}

void TransactionDesk::submit(std::vector<Bytes> transactions, Done done) {
  bool is_line_full = false;
  {
    const std::lock_guard lock(mutex_);
    is_line_full = line_bytes_ >= config_.line_bytes_max;
  }
  if (is_line_full) return done(all_busy(transactions.size()));
  auto call = std::make_shared<Call>();
  call->outcomes.outcomes.resize(transactions.size());
  // One more than there are: the call stays open until all of them were looked at.
  call->open = transactions.size() + 1;
  call->answer_at_ms = ports_.now_ms() + config_.answer_ms;
  call->done = std::move(done);
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    submit_one(call, i, std::move(transactions[i]));
  }
  bool is_whole = false;
  {
    const std::lock_guard lock(mutex_);
    is_whole = call->open > 0 && --call->open == 0;
  }
  if (is_whole) answer({call});
}

void TransactionDesk::submit_one(const CallPtr& call, std::size_t place, Bytes transaction) {
  const TxHash hash = ledger::tx_hash(transaction);
  const auto decoded = decode<ledger::Transaction>(transaction);
  const std::size_t operations = decoded ? decoded->body.operations.size() : 0;
  if (!wait_for(hash, {call, place, operations})) return;
  if (!decoded) return refuse(hash, call, place, decoded.error().code);
  if (!ports_.serves(decoded->body.sender)) {
    return refuse(hash, call, place, Errc::not_authorized);
  }
  // Sent before: who waits from now on hears of a later certificate, but not of an earlier one.
  const TxId id = ledger::tx_id_of_canonical(transaction);
  if (chain_.find_transaction(id)) return find_executed(hash, id);
  send({hash, call, place, std::make_shared<const Bytes>(std::move(transaction))});
}

/// To the pool, or into the line if others stand there.
void TransactionDesk::send(Candidate candidate) {
  if (candidate.ticket == 0) {
    bool is_next = false;
    {
      const std::lock_guard lock(mutex_);
      is_next = line_.empty() && has_room_;
    }
    if (!is_next) {
      const Candidate same = candidate;
      if (!line_up(std::move(candidate))) refuse(same.hash, same.call, same.place, Errc::busy);
      return;
    }
  }
  Bytes bytes = *candidate.bytes;
  ports_.send(std::move(bytes),
              [this, candidate](const Result<TxHash>& sent) { on_sent(candidate, sent); });
}

void TransactionDesk::on_sent(Candidate candidate, const Result<TxHash>& sent) {
  const bool is_busy = !sent && sent.error().code == Errc::busy;
  {
    const std::lock_guard lock(mutex_);
    if (candidate.ticket != 0) --sent_of_line_;
    if (is_busy) has_room_ = false;
  }
  if (candidate.ticket != 0) wake_.notify_all();
  if (sent) return;
  const Candidate same = candidate;
  if (is_busy && line_up(std::move(candidate))) return;
  refuse(same.hash, same.call, same.place, sent.error().code);
}

/// At the end, or again where it stood. False if the line is full; whoever stood in it comes back
/// even so.
bool TransactionDesk::line_up(Candidate candidate) {
  const std::lock_guard lock(mutex_);
  const auto waiting = find(candidate.hash, candidate.call, candidate.place);
  if (waiting == waiting_.end()) return true;  // answered meanwhile
  const std::size_t size = candidate.bytes->size();
  const bool has_place = candidate.ticket != 0 || line_bytes_ + size <= config_.line_bytes_max;
  if (stopping_ || !has_place) return false;
  if (candidate.ticket == 0) candidate.ticket = next_ticket_++;
  line_bytes_ += size;
  waiting->second.is_in_line = true;
  line_.emplace(candidate.ticket, std::move(candidate));
  return true;
}

/// Requires: mutex_ is held.
bool TransactionDesk::may_go_on() const {
  return has_room_ && !line_.empty() && sent_of_line_ < kOfLineMax;
}

/// Those whose turn it is. Requires: mutex_ is held.
std::vector<TransactionDesk::Candidate> TransactionDesk::take_from_line() {
  std::vector<Candidate> out;
  while (may_go_on()) {
    Candidate candidate = std::move(line_.extract(line_.begin()).mapped());
    line_bytes_ -= candidate.bytes->size();
    const auto waiting = find(candidate.hash, candidate.call, candidate.place);
    if (waiting == waiting_.end()) continue;  // answered meanwhile
    waiting->second.is_in_line = false;
    ++sent_of_line_;
    out.push_back(std::move(candidate));
  }
  return out;
}

/// Requires: mutex_ is held.
TransactionDesk::WaitingMap::iterator TransactionDesk::find(const TxHash& hash, const CallPtr& call,
                                                            std::size_t place) {
  const auto [first, last] = waiting_.equal_range(hash);
  const auto found = std::find_if(first, last, [&](const auto& item) {
    return item.second.call == call && item.second.place == place;
  });
  return found == last ? waiting_.end() : found;
}

/// False if there is no room: the outcome is then fixed.
bool TransactionDesk::wait_for(const TxHash& hash, Waiting waiting) {
  const std::lock_guard lock(mutex_);
  const bool has_room =
      !stopping_ && waiting_operations_ + waiting.operations <= config_.waiting_max;
  if (has_room) {
    waiting_operations_ += waiting.operations;
    waiting_.emplace(hash, std::move(waiting));
    return true;
  }
  waiting.call->outcomes.outcomes[waiting.place] = busy();
  if (waiting.call->open > 0) --waiting.call->open;
  return false;
}

void TransactionDesk::refuse(const TxHash& hash, const CallPtr& call, std::size_t place, Errc why) {
  bool is_whole = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = find(hash, call, place);
    if (found == waiting_.end()) return;  // answered meanwhile
    waiting_operations_ -= found->second.operations;
    waiting_.erase(found);
    TransactionOutcome& outcome = call->outcomes.outcomes[place];
    outcome.fate = TransactionFate::refused;
    outcome.error = static_cast<std::uint16_t>(why);
    is_whole = --call->open == 0;
  }
  if (is_whole) answer({call});
}

/// Requires: mutex_ is held.
void TransactionDesk::settle(const TxHash& hash, const TransactionOutcome& outcome,
                             std::vector<CallPtr>& whole) {
  const auto [first, last] = waiting_.equal_range(hash);
  for (auto at = first; at != last; ++at) {
    Waiting& waiting = at->second;
    waiting_operations_ -= waiting.operations;
    waiting.call->outcomes.outcomes[waiting.place] = outcome;
    if (--waiting.call->open == 0) whole.push_back(waiting.call);
  }
  waiting_.erase(first, last);
}

/// Answers what stands in the chain already, if a certificate covers it.
void TransactionDesk::find_executed(const TxHash& hash, const TxId& id) {
  const auto place = chain_.find_transaction(id);
  if (!place || place->height > chain_.certified_height()) return;  // on_certified() follows
  const auto header = chain_.header(place->height);
  const auto leaves = chain_.shared_leaves(place->height);
  TransactionOutcome outcome;
  if (header && leaves && place->first_leaf < leaves->size()) {
    outcome = outcome_at(*header, *leaves, place->first_leaf);
  } else {
    outcome.fate = TransactionFate::refused;
    outcome.error = static_cast<std::uint16_t>(Errc::pruned);
  }
  std::vector<CallPtr> whole;
  {
    const std::lock_guard lock(mutex_);
    settle(hash, outcome, whole);
  }
  answer(whole);
}

void TransactionDesk::on_certified(Height height) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) return;
    has_room_ = true;
  }
  wake_.notify_all();
  const auto header = chain_.header(height);
  ASSERT(header.has_value());
  const ledger::SharedLeaves leaves = chain_.shared_leaves(height);
  if (leaves == nullptr) return;  // came as state, without bodies: who waits asks again
  std::vector<CallPtr> whole;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < leaves->size(); ++i) {
      const ledger::OperationLeaf& leaf = (*leaves)[i];
      if (!is_first_leaf(leaf) || !waiting_.contains(leaf.tx_hash)) continue;
      settle(leaf.tx_hash, outcome_at(*header, *leaves, i), whole);
    }
  }
  answer(whole);
}

/// Calls whose time is over. Requires: mutex_ is held.
std::vector<TransactionDesk::CallPtr> TransactionDesk::take_late(std::uint64_t now_ms) {
  std::vector<CallPtr> out;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const Waiting& waiting = at->second;
    const CallPtr call = waiting.call;
    if (call->answer_at_ms > now_ms) {
      ++at;
      continue;
    }
    // What never left the line has an outcome; of the rest it is open.
    if (waiting.is_in_line) call->outcomes.outcomes[waiting.place] = busy();
    waiting_operations_ -= waiting.operations;
    at = waiting_.erase(at);
    if (--call->open == 0) out.push_back(call);
  }
  return out;
}

/// Sends on who stands in line, and answers whoever waits too long.
void TransactionDesk::run() {
  std::uint64_t look_at_ms = ports_.now_ms() + kLateEvery.count();
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const bool is_woken =
        wake_.wait_for(lock, kLateEvery, [this] { return stopping_ || may_go_on(); });
    const std::vector<Candidate> next = take_from_line();
    const std::uint64_t now_ms = ports_.now_ms();
    std::vector<CallPtr> late;
    if (!is_woken || now_ms >= look_at_ms) {
      late = take_late(now_ms);
      // Room comes with a height, and perhaps none comes for a while.
      has_room_ = has_room_ || now_ms >= look_at_ms;
      look_at_ms = now_ms + kLateEvery.count();
    }
    lock.unlock();
    answer(late);
    for (const Candidate& one : next) send(one);
    lock.lock();
  }
}

}  // namespace baolian::node
