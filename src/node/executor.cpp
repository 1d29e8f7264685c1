#include "node/executor.h"

#include <algorithm>
#include <string>

#include "consensus/batch.h"
#include "contracts/execute.h"
#include "core/assert.h"
#include "ledger/covering_certificate.h"

namespace baolian::node {

namespace {

Error bad_block(Height height, const std::string& why) {
  return fail(Errc::bad_block, "decided height " + std::to_string(height.value) + ": " + why +
                                   "; stop this node and compare with the other institutions");
}

}  // namespace

Executor::Executor(ledger::Chain& chain, const crypto::Verifier& verifier, EpochChanges changes)
    : chain_(chain), verifier_(verifier), changes_(std::move(changes)) {}

/// consensus.md 1.10: a change fixed at n begins at A = n + L + 1; one may be pending.
std::optional<crypto::EpochRecord> Executor::change_fixed_by(
    Height height, const crypto::EpochRecord& present) const {
  if (!changes_ || chain_.epoch(present.epoch.next()).has_value()) return std::nullopt;
  std::optional<crypto::EpochRecord> next = changes_(height, present);
  if (!next.has_value()) return std::nullopt;
  next->epoch = present.epoch.next();
  next->first_height = height + present.log_window + 1;
  return next;
}

/// The batch that was decided, as many bodies with it as it lists. Requires: there is a batch.
Result<consensus::Batch> decided_batch(const ExecuteRequest& request) {
  if (consensus::batch_digest(*request.batch) != request.digest) {
    return bad_block(request.height, "the batch does not have the decided digest");
  }
  auto batch = decode<consensus::Batch>(*request.batch);
  if (!batch) return bad_block(request.height, batch.error().context);
  if (batch->transactions.size() != request.bodies.size()) {
    return bad_block(request.height, "batch and bodies differ in number");
  }
  return *std::move(batch);
}

Result<ledger::ExecutedBlock> Executor::run(const ExecuteRequest& request,
                                            const ledger::Header& parent,
                                            std::vector<TxHash>& transactions) const {
  ledger::StageTimes& times = chain_.stage_times();
  times.begin();
  ledger::ExecutedBlock out;
  out.height = request.height;
  out.batch_digest = request.digest;
  out.timestamp = parent.timestamp;
  const crypto::EpochRecord& epoch = chain_.epoch_at(request.height);
  if (request.batch == nullptr) {
    if (consensus::null_digest(chain_.chain_id(), epoch.epoch, request.height) != request.digest) {
      return bad_block(request.height, "no batch, but the digest is not that of the null batch");
    }
    if (!request.bodies.empty()) return bad_block(request.height, "bodies without a batch");
  } else {
    TRY(consensus::Batch batch, decided_batch(request));
    out.batch = *request.batch;
    out.timestamp = std::max(parent.timestamp, batch.proposed_at);
    transactions = std::move(batch.transactions);
  }

  const contracts::BlockContext context{chain_.genesis(), epoch,         chain_.chain_id(),
                                        request.height,   out.timestamp, verifier_};
  ledger::StateOverlay state(chain_.executing_state());
  std::size_t operation_count = 0;
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    const Bytes& body = *request.bodies[i];
    if (ledger::tx_hash(body) != transactions[i]) {
      return bad_block(request.height, "a body does not have the hash that the batch lists");
    }
    auto transaction = decode<ledger::Transaction>(body);
    if (!transaction) return bad_block(request.height, transaction.error().context);
    operation_count += transaction->body.operations.size();
    times.end(ledger::Stage::decode);
    contracts::execute_transaction(context, *transaction, transactions[i],
                                   ledger::tx_id_of_canonical(body), state, out);
    times.end(ledger::Stage::execute);
    out.transactions.push_back(body);
  }
  contracts::finish_block(context, operation_count, state);
  out.writes = state.take_writes();
  out.next_epoch = change_fixed_by(request.height, epoch);
  times.end(ledger::Stage::execute);
  return out;
}

Result<AppliedBlock> Executor::execute(const ExecuteRequest& request) {
  AppliedBlock applied;
  applied.height = request.height;
  applied.bodies = request.bodies;
  const Height executed = chain_.height();
  std::optional<ledger::Header> header;
  if (request.height <= executed) {
    header = chain_.header(request.height);
    ASSERT(header.has_value());
    if (header->batch_digest != request.digest) {
      return bad_block(request.height, "another batch was executed here at this height");
    }
    // Who waits for them hears that they are executed, as with any other height.
    if (request.batch != nullptr) {
      TRY(consensus::Batch batch, decided_batch(request));
      applied.transactions = std::move(batch.transactions);
    }
  } else if (request.height != executed.next()) {
    return bad_block(request.height, "it is not the next height");
  } else {
    const auto parent = chain_.header(executed);
    ASSERT(parent.has_value());
    TRY(ledger::ExecutedBlock block, run(request, *parent, applied.transactions));
    UncertifiedBlock& kept = uncertified_[request.height];
    header = chain_.append(std::move(block), &kept.writes);
    ASSERT(header->height == request.height && header->batch_digest == request.digest);
    kept.header = encode(*header);
  }
  applied.header = encode(*header);
  applied.header_hash = ledger::header_hash(*header);
  applied.next_epoch = chain_.epoch_fixed_at(request.height);
  applied.waiting_bytes = chain_.waiting_bytes();
  applied.gather_bytes = chain_.gather_bytes();
  while (!early_.empty() && early_.begin()->first <= chain_.height()) {
    store_if_own(early_.begin()->second);
    early_.erase(early_.begin());
  }
  return applied;
}

void Executor::store_if_own(const crypto::ExecCertificate& certificate) {
  const auto header = chain_.header(certificate.vote.height);
  if (header && ledger::header_hash(*header) == certificate.vote.header_hash) {
    chain_.put_certificate(certificate);
    uncertified_.erase(uncertified_.begin(), uncertified_.upper_bound(certificate.vote.height));
  }
}

void Executor::put_certificate(const crypto::ExecCertificate& certificate) {
  if (certificate.vote.height > chain_.height()) {
    early_.emplace(certificate.vote.height, certificate);
  } else {
    store_if_own(certificate);
  }
}

Height Executor::acknowledged() const { return chain_.certified_height(); }

/// The block with its certificate, or with that of the next certified height and the headers that
/// lead there.
std::optional<consensus::SyncBlock> Executor::sync_block(Height height) const {
  auto block = chain_.block(height);
  if (!block) return std::nullopt;
  consensus::SyncBlock sync;
  sync.header = encode(block->header);
  sync.batch = std::move(block->batch);
  sync.bodies = std::move(block->transactions);
  auto covering = ledger::covering_certificate(chain_, height);
  if (!covering) return std::nullopt;
  for (const ledger::Header& later : covering->later) sync.later_headers.push_back(encode(later));
  sync.certificate = std::move(covering->certificate);
  return sync;
}

std::vector<SharedBytes> Executor::read_blocks(const consensus::ReadBlocks& wanted) const {
  std::vector<SharedBytes> out;
  std::size_t bytes = 0;
  const Height last = chain_.certified_height();
  for (Height at = wanted.first; at <= last && out.size() < wanted.count_max; ++at) {
    const auto sync = sync_block(at);
    if (!sync || sync->certificate.epoch != wanted.epoch) break;
    auto encoded = std::make_shared<const Bytes>(encode(*sync));
    bytes += encoded->size();
    if (!out.empty() && bytes > wanted.bytes_max) break;
    out.push_back(std::move(encoded));
  }
  return out;
}

Height Executor::flush() { return finish_flush(begin_flush()); }

Height Executor::finish_flush(Height begun) {
  chain_.finish_flush(begun);
  return chain_.durable_height();
}

}  // namespace baolian::node
