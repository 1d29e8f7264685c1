#include "sim/claim_wire.h"

#include "ledger/transaction.h"

namespace baolian::sim {
namespace {

constexpr std::uint64_t kResendMs = 900;
constexpr std::uint64_t kExpiresMs = 9 * 60'000;

}  // namespace

// ------------------------------------------------------------------ what is certified

void CertifiedFeed::poll() {
  const SimNode* best = nullptr;
  for (const auto& node : nodes_) {
    if (!node->is_up()) continue;
    if (best == nullptr || node->chain().certified_height() > best->chain().certified_height()) {
      best = node.get();
    }
  }
  if (best == nullptr) return;
  for (; next_ <= best->chain().certified_height(); ++next_) take(best->chain(), next_);
}

void CertifiedFeed::take(const ledger::Chain& chain, Height height) {
  const auto header = chain.header(height);
  const auto block = chain.block(height);
  if (!header || !block) return checker_.violation("I5: a certified block cannot be read");
  std::map<TxHash, TxId> ids;
  for (const Bytes& body : block->transactions) {
    ids[ledger::tx_hash(body)] = ledger::tx_id_of_canonical(body);
  }
  for (const ledger::OperationLeaf& leaf : chain.leaves(height)) {
    auto receipt = decode<ledger::Receipt>(leaf.receipt);
    if (!receipt) return checker_.violation("a certified receipt does not decode");
    Certified entry;
    entry.height = height;
    entry.time = header->timestamp;
    entry.tx = ids.at(leaf.tx_hash);
    entry.sender = leaf.sender;
    entry.whole = leaf.op_index == ledger::kWholeTransaction;
    entry.receipt = *std::move(receipt);
    if (!entry.whole) {
      auto operation = decode<ledger::Operation>(leaf.operation);
      if (!operation) return checker_.violation("a certified operation does not decode");
      entry.operation = *std::move(operation);
    }
    // A transaction may stand in a later block once more: there it is rejected, its nonce is used.
    by_tx_.emplace(entry.tx, entries_.size());
    entries_.push_back(std::move(entry));
  }
}

const Certified* CertifiedFeed::find(const TxId& id) const {
  const auto found = by_tx_.find(id);
  return found == by_tx_.end() ? nullptr : &entries_[found->second];
}

// ------------------------------------------------------------------ the ways

void PartyChannel::send(const std::function<void()>& deliver) {
  if (prng_.chance_percent(faults_.drop_percent)) return;
  const int copies = prng_.chance_percent(faults_.duplicate_percent) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    events_.after(prng_.between(0, faults_.delay_ms_max), deliver);
  }
}

const ledger::StateReader* ClaimScene::state(Prng& prng) const {
  std::vector<const SimNode*> running;
  for (const auto& node : nodes) {
    if (node->is_up()) running.push_back(node.get());
  }
  return running.empty() ? nullptr : &running[prng.below(running.size())]->chain().state();
}

void ClaimWire::submit(ledger::Operation operation, Done done) {
  ledger::TransactionBody body;
  body.chain_id = scene_.world.world.chain_id;
  body.sender = signer_->public_key();
  body.nonce = Nonce{next_nonce_++};
  body.expires_at = scene_.events.wall() + kExpiresMs;
  body.operations = {operation};
  const auto transaction = ledger::sign_transaction(std::move(body), *signer_);
  const TxId id = ledger::tx_id(transaction.body);
  auto bytes = std::make_shared<const Bytes>(encode(transaction));
  scene_.trace("submit", *bytes);
  scene_.checker.on_submitted(id);
  open_.emplace(id, Open{bytes, std::move(operation), std::move(done),
                         scene_.events.now() + prng_.between(kResendMs / 2, kResendMs)});
  send(bytes);
}

void ClaimWire::step() {
  std::vector<std::pair<Open, const Certified*>> ended;
  for (auto at = open_.begin(); at != open_.end();) {
    if (const Certified* entry = scene_.feed.find(at->first)) {
      ended.emplace_back(std::move(at->second), entry);
      at = open_.erase(at);
      continue;
    }
    if (at->second.resend_at <= scene_.events.now()) {
      at->second.resend_at = scene_.events.now() + prng_.between(kResendMs / 2, kResendMs);
      send(at->second.bytes);
    }
    ++at;
  }
  for (auto& [open, entry] : ended) finish(std::move(open), *entry);
}

void ClaimWire::finish(Open open, const Certified& entry) {
  if (entry.whole) {
    if (entry.code() == contracts::Code::transaction_expired) {
      return submit(std::move(open.operation), std::move(open.done));
    }
    return scene_.checker.violation("a party's transaction was rejected as a whole: " +
                                    std::string(contracts::code_name(entry.code())));
  }
  if (!entry.applied()) ++scene_.tally.refused[entry.code()];
  open.done(entry);
}

/// To one node that runs. Busy, known or unreachable: the next turn sends the same bytes again.
void ClaimWire::send(const node::SharedBytes& bytes) {
  SimNode& node = *scene_.nodes[prng_.below(scene_.nodes.size())];
  if (!node.is_up()) return;
  const auto result = node.submit(bytes);
  if (!result && result.error().code != Errc::busy && result.error().code != Errc::already_exists) {
    scene_.checker.violation("a node refused a party's transaction: " + result.error().context);
  }
}

}  // namespace baolian::sim
