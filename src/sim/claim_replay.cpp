#include "sim/claim_replay.h"

#include <map>
#include <set>

#include "contracts/execute.h"
#include "contracts/operations.h"

namespace baolian::sim {
namespace {

constexpr std::size_t kKeysMax = 1'000'000;

class Nothing final : public ledger::StateReader {
 public:
  std::optional<Bytes> read(BytesView) const override { return std::nullopt; }
  std::vector<ledger::KeyValue> scan(const ledger::KeyRange&, std::size_t) const override {
    return {};
  }
};

using LeafKey = std::pair<TxHash, std::uint16_t>;

std::set<LeafKey> refused_in(const ledger::Chain& chain, Height height) {
  std::set<LeafKey> out;
  for (const ledger::OperationLeaf& leaf : chain.leaves(height)) {
    const auto receipt = decode<ledger::Receipt>(leaf.receipt);
    ASSERT(receipt.has_value());
    if (receipt->status == ledger::ReceiptStatus::rejected) {
      out.insert({leaf.tx_hash, leaf.op_index});
    }
  }
  return out;
}

/// The id and the nonce of a transaction are used up whether or not its operations are applied; a
/// refused one makes no id, so another content does no harm.
ledger::Transaction without_refused(const Bytes& body, const TxHash& hash,
                                    const std::set<LeafKey>& refused) {
  auto transaction = decode<ledger::Transaction>(body);
  ASSERT(transaction.has_value());
  auto& operations = transaction->body.operations;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (!refused.contains({hash, static_cast<std::uint16_t>(i)})) continue;
    operations[i] = {};
    operations[i].kind = static_cast<std::uint16_t>(contracts::OperationKind::records_list);
  }
  return std::move(*transaction);
}

bool is_log(const Bytes& key) {
  static constexpr std::string_view kLog = "log/";
  return key.size() >= kLog.size() && std::equal(kLog.begin(), kLog.end(), key.begin());
}

}  // namespace

std::optional<std::string> find_trace_of_refusals(const ledger::Chain& chain) {
  const Nothing nothing;
  ledger::StateOverlay state(static_cast<const ledger::StateReader&>(nothing));
  for (const auto& [key, value] : contracts::genesis_writes(chain.genesis())) {
    state.write(key, *value);
  }
  std::map<ledger::LogId, std::uint64_t> appended;
  for (Height height{1}; height <= chain.height(); ++height) {
    const auto block = chain.block(height);
    ASSERT(block.has_value());
    const auto refused = refused_in(chain, height);
    const contracts::BlockContext context{chain.genesis(),         chain.epoch_at(height),
                                          chain.chain_id(),        height,
                                          block->header.timestamp, crypto::toy_verifier()};
    ledger::ExecutedBlock out;
    std::size_t operations = 0;
    for (const Bytes& body : block->transactions) {
      const TxHash hash = ledger::tx_hash(body);
      const auto transaction = without_refused(body, hash, refused);
      operations += transaction.body.operations.size();
      contracts::execute_transaction(context, transaction, hash, ledger::tx_id(transaction.body),
                                     state, out);
    }
    contracts::finish_block(context, operations, state);
    for (const auto& append : out.appends) ++appended[append.append.log];
  }
  std::map<Bytes, Bytes> again;
  for (auto& entry : state.scan({}, {}, kKeysMax)) again[entry.key] = entry.value;
  std::size_t stored = 0;
  for (const auto& entry : chain.state().scan({}, {}, kKeysMax)) {
    if (is_log(entry.key)) continue;
    ++stored;
    const auto found = again.find(entry.key);
    if (found == again.end()) return "a key stands that no applied operation wrote";
    if (found->second != entry.value) return "a value stands that no applied operation wrote";
  }
  if (stored != again.size()) return "a key is missing that an applied operation wrote";
  for (const auto& [log, count] : appended) {
    if (chain.log_frontier(log).count != count) return "a log has another length";
  }
  return std::nullopt;
}

}  // namespace baolian::sim
