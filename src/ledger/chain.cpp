/// The writing side of a chain: one block becomes one atomic batch.
///
/// Rows (integers in keys big-endian; "canonical" is the codec's form):
///
/// | family | key | value |
/// |---|---|---|
/// | blocks | 'h' height(8) | canonical Header |
/// | blocks | 'b' height(8) | canonical StoredBlock |
/// | blocks | 'c' height(8) | canonical ExecCertificate |
/// | state | natural key | canonical value of the contract's type |
/// | state | "log/" kind(1) '/' id(32) | canonical Frontier, written here at the end of a block |
/// | index | 'e' kind(1) id(32) last(8) | canonical LogRun: its last entry has that position |
/// | index | 's' kind(1) id(32) level(1) first(8) | root over 2^level entries, level >= 8 |
/// | index | 't' tx_id(32) | canonical TransactionRow |
/// | index | 'o' height(8) first leaf(4) | canonical OperationPage |
/// | meta | "genesis" | canonical Genesis |
/// | meta | "height" | canonical HeightRow: the newest executed height |
/// | meta | "certified" | canonical HeightRow: newest height with a certificate |
/// | meta | "history" | canonical Frontier over the hashes of headers 0..height |
/// | meta | "index" | canonical IndexMark: format of the index rows, and whether all are there |
/// | meta | "pruned" | canonical HeightRow: no 'b' row of heights 1 up to it; absent if none went |
/// | meta | 'E' epoch(8) | canonical EpochRecord of an epoch after the first |
/// | meta | 'H' height(8) | header hash, 32 bytes |
/// | meta | 'S' level(1) first(8) | root over 2^level header hashes, level >= 8 |
/// | meta | "base" | canonical SnapshotHead with which the chain began, if not with block 0 |
/// | meta | 'P' kind(1) id(32) | canonical Frontier of a log's entries below "base", written with
/// the first entry above it |
///
/// The newest certificate certifies all heights below through parent_hash.
/// A leaf of the history tree is the 32 bytes of a header hash: its leaf hash is H(0x00 || hash).
#include "ledger/chain.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <unordered_map>

#include "ledger/chain_state.h"
#include "ledger/index_rows.h"
#include "ledger/sort_by_begin.h"

namespace baolian::ledger {

namespace chain_keys {
namespace {

Bytes tagged(char tag, std::uint64_t number) {
  Bytes key = {static_cast<std::uint8_t>(tag)};
  append_big_endian(key, number, 8);
  return key;
}

Bytes of_log(char tag, const LogId& log) {
  Bytes key = {static_cast<std::uint8_t>(tag), static_cast<std::uint8_t>(log.kind)};
  append(key, log.id.view());
  return key;
}

}  // namespace

Bytes header(Height height) { return tagged('h', height.value); }
Bytes block(Height height) { return tagged('b', height.value); }
Bytes certificate(Height height) { return tagged('c', height.value); }
Bytes log_entries(const LogId& log) { return of_log('e', log); }
Bytes log_run(const LogId& log, std::uint64_t last) {
  Bytes key = of_log('e', log);
  append_big_endian(key, last, 8);
  return key;
}
Bytes log_subtree(const LogId& log, unsigned level, std::uint64_t first) {
  Bytes key = of_log('s', log);
  append_big_endian(key, level, 1);
  append_big_endian(key, first, 8);
  return key;
}
Bytes transaction(const TxId& id) {
  Bytes key = {static_cast<std::uint8_t>('t')};
  append(key, id.view());
  return key;
}
Bytes operations(Height height, std::uint32_t first_leaf) {
  Bytes key = tagged('o', height.value);
  append_big_endian(key, first_leaf, 4);
  return key;
}
Bytes epoch(Epoch number) { return tagged('E', number.value); }
Bytes genesis() { return to_bytes("genesis"); }
Bytes newest_height() { return to_bytes("height"); }
Bytes newest_certified() { return to_bytes("certified"); }
Bytes index_mark() { return to_bytes("index"); }
Bytes history_frontier() { return to_bytes("history"); }
Bytes pruned() { return to_bytes("pruned"); }
Bytes header_hashes() { return {static_cast<std::uint8_t>('H')}; }
Bytes header_hash(Height height) { return tagged('H', height.value); }
Bytes history_subtree(unsigned level, std::uint64_t first) {
  Bytes key = {static_cast<std::uint8_t>('S')};
  append_big_endian(key, level, 1);
  append_big_endian(key, first, 8);
  return key;
}
Bytes base() { return to_bytes("base"); }
Bytes log_base(const LogId& log) { return of_log('P', log); }
Bytes installed_chunk(std::uint16_t number) { return tagged('J', number); }
Bytes installing() { return to_bytes("joining"); }

}  // namespace chain_keys

void stop_on_corrupt_row(const char* row) {
  std::fprintf(stderr,
               "chain store: a stored %s is missing or does not decode; the node stops. Restore it "
               "from a peer or an archive.\n",
               row);
  std::abort();
}

std::vector<StateTree::Change> tree_changes(const StateOverlay::Writes& writes) {
  std::vector<StateTree::Change> changes;
  changes.reserve(writes.size());
  for (const auto& [key, value] : writes) {
    StateTree::Change& change = changes.emplace_back();
    change.key_hash = crypto::sha256(key);
    if (value) change.value_hash = crypto::sha256(*value);
  }
  return changes;
}

void add_header_rows(const Header& header, const Hash& hash, Frontier& history,
                     std::vector<StoreWrite>& rows) {
  ASSERT(history.count == header.height.value);
  rows.push_back({Family::blocks, chain_keys::header(header.height), encode(header)});
  rows.push_back({Family::meta, chain_keys::header_hash(header.height), to_bytes(hash.view())});
  history.append(
      merkle_leaf_hash(hash.view()), [&](unsigned level, std::uint64_t first, const Hash& root) {
        if (level < kSubtreeLevelMin) return;
        rows.push_back(
            {Family::meta, chain_keys::history_subtree(level, first), to_bytes(root.view())});
      });
  rows.push_back({Family::meta, chain_keys::history_frontier(), encode(history)});
  rows.push_back(
      {Family::meta, chain_keys::newest_height(), encode(HeightRow{.height = header.height})});
}

namespace {

/// The complete logs of one block: entries become index rows, frontiers become state writes.
class LogAppender {
 public:
  /// `joined_store` is the store of a chain that began with a snapshot, else null.
  LogAppender(const ExecutedBlock& block, const std::vector<Hash>& leaf_hashes,
              const HotState& state, const KeyValueStore* joined_store,
              std::vector<StoreWrite>& rows)
      : leaf_hashes_(leaf_hashes), rows_(rows) {
    const std::vector<std::size_t> head_of = make_heads(block);
    for (Head& head : heads_) in_order_.push_back(&head);
    // Their keys are of one form: a kind, then an id.
    sort_by_begin(
        in_order_,
        [](const Head* head) {
          return std::uint64_t{static_cast<std::uint8_t>(head->log.kind)} << 56 |
                 first_bytes(head->log.id.view()) >> 8;
        },
        [](const Head* a, const Head* b) { return a->log < b->log; });
    std::vector<Bytes> keys;
    keys.reserve(heads_.size());
    for (const Head* head : in_order_) keys.push_back(head->state_key);
    const auto stored = state.read_many(keys);
    for (std::size_t i = 0; i < in_order_.size(); ++i) {
      Head& head = *in_order_[i];
      if (stored[i]) head.frontier = from_own_bytes(*stored[i]);
      if (joined_store != nullptr) keep_base(*joined_store, head.log, head.frontier);
    }
    for (std::size_t i = 0; i < block.appends.size(); ++i) {
      append(heads_[head_of[i]], block.appends[i]);
    }
    for (Head& head : heads_) write_run(head);
  }

  void write_frontiers(StateOverlay::Writes& writes) const {
    auto next = writes.begin();  // keys of logs stand side by side there
    for (const Head* head : in_order_) {
      next = std::next(writes.insert_or_assign(next, head->state_key, encode(head->frontier)));
    }
  }

 private:
  /// A log's frontier, and its entries that are in no row yet.
  struct Head {
    LogId log;
    Bytes state_key;
    Frontier frontier;
    LogRun run;
  };
  struct LogHash {
    std::size_t operator()(const LogId& log) const {
      return FixedBytesHash()(log.id) + static_cast<std::size_t>(log.kind);
    }
  };

  /// A head for each log of the block. Returns: the number of the head of each wish.
  std::vector<std::size_t> make_heads(const ExecutedBlock& block) {
    std::unordered_map<LogId, std::size_t, LogHash> numbers;  // never iterated
    std::vector<std::size_t> out;
    out.reserve(block.appends.size());
    heads_.reserve(block.appends.size());
    numbers.reserve(block.appends.size());
    for (const ExecutedBlock::Append& wish : block.appends) {
      const LogId& log = wish.append.log;
      const auto [at, is_new] = numbers.try_emplace(log, heads_.size());
      if (is_new) {
        heads_.push_back({.log = log, .state_key = log_state_key(log), .frontier = {}, .run = {}});
        heads_.back().run.time = block.timestamp;
        heads_.back().run.height = block.height;
      }
      out.push_back(at->second);
    }
    return out;
  }

  void append(Head& head, const ExecutedBlock::Append& wish) {
    ASSERT(wish.leaf_index < leaf_hashes_.size());
    const LogId& log = head.log;
    head.run.items.push_back({.operation = wish.leaf_index,
                              .line = wish.append.line,
                              .leaf_hash = leaf_hashes_[wish.leaf_index]});
    head.frontier.append(
        merkle_leaf_hash(encode(head.run.entry(head.run.items.size() - 1))),
        [&](unsigned level, std::uint64_t first, const Hash& root) {
          if (level < kSubtreeLevelMin) return;
          rows_.push_back(
              {Family::index, chain_keys::log_subtree(log, level, first), to_bytes(root.view())});
        });
    if (head.run.items.size() == kRunEntriesMax) write_run(head);
  }

  void write_run(Head& head) {
    if (head.run.items.empty()) return;
    rows_.push_back(
        {Family::index, chain_keys::log_run(head.log, head.frontier.count - 1), encode(head.run)});
    head.run.items.clear();
  }

  static Frontier from_own_bytes(BytesView bytes) {
    auto frontier = decode<Frontier>(bytes);
    ASSERT(frontier.has_value());
    return std::move(*frontier);
  }

  /// Entries of before the snapshot are not here: proofs of later ones need their peaks.
  void keep_base(const KeyValueStore& store, const LogId& log, const Frontier& frontier) {
    const Bytes key = chain_keys::log_base(log);
    if (store.read(Family::meta, key)) return;
    rows_.push_back({Family::meta, key, encode(frontier)});
  }

  const std::vector<Hash>& leaf_hashes_;
  std::vector<StoreWrite>& rows_;
  std::vector<Head> heads_;
  std::vector<Head*> in_order_;  ///< of their keys
};

/// Rows of the transactions' places. Asserts that the leaves are those of as many transactions in a
/// row, on which Chain::leaves() relies; that they are of these bodies, who executes them knows.
void add_transaction_rows(const ExecutedBlock& block, const KeyValueStore& store,
                          std::vector<StoreWrite>& rows) {
  std::size_t leaf = 0;
  for (const Bytes& transaction : block.transactions) {
    ASSERT(leaf < block.leaves.size());
    const TxHash& hash = block.leaves[leaf].tx_hash;
    const TransactionRow row{.height = block.height,
                             .first_leaf = static_cast<std::uint32_t>(leaf),
                             .rejected_whole = block.leaves[leaf].op_index == kWholeTransaction};
    ASSERT(row.rejected_whole || block.leaves[leaf].op_index == 0);
    for (++leaf; leaf < block.leaves.size(); ++leaf) {
      const std::uint16_t op_index = block.leaves[leaf].op_index;
      if (op_index == 0 || op_index == kWholeTransaction) break;
      ASSERT(op_index == leaf - row.first_leaf && block.leaves[leaf].tx_hash == hash);
    }
    const Bytes key = chain_keys::transaction(tx_id_of_canonical(transaction));
    // The first execution stays. One that was rejected as a whole touched nothing, so a later
    // execution of the same id replaces it.
    const auto earlier = read_row<TransactionRow>(store, Family::index, key);
    if (!earlier || (earlier->rejected_whole && !row.rejected_whole)) {
      rows.push_back({Family::index, key, encode(row)});
    }
  }
  ASSERT(leaf == block.leaves.size());
}

/// What tables show of the operations. The leaves are our own, so that they decode.
void add_operation_rows(const ExecutedBlock& block, std::vector<StoreWrite>& rows) {
  OperationPage page;
  for (std::uint32_t leaf = 0; leaf < block.leaves.size(); ++leaf) {
    auto row = operation_row(block.leaves[leaf]);
    ASSERT(row.has_value());
    page.rows.push_back(*std::move(row));
    if (page.rows.size() < kPageOperationsMax && leaf + 1 < block.leaves.size()) continue;
    rows.push_back(
        {Family::index, chain_keys::operations(block.height, page_of_leaf(leaf)), encode(page)});
    page.rows.clear();
  }
}

/// Contracts write natural keys; the frontiers are append()'s alone.
void assert_no_log_keys(const StateOverlay::Writes& writes) {
  const auto found = writes.lower_bound(to_bytes(kLogStatePrefix));
  ASSERT(found == writes.end() ||
         as_text(found->first).substr(0, kLogStatePrefix.size()) != kLogStatePrefix);
}

}  // namespace

Chain::Chain(std::unique_ptr<State> state) : state_(std::move(state)) {}
Chain::~Chain() = default;

const crypto::EpochRecord& Chain::State::epoch_at(Height height) const {
  auto found = epochs.rbegin();
  while (found->first_height > height && std::next(found) != epochs.rend()) ++found;
  return *found;
}

const crypto::EpochRecord* Chain::State::pending_at(Height height) const {
  return epochs.back().first_height > height && epochs.size() > 1 ? &epochs.back() : nullptr;
}

void Chain::State::fix_epoch(Height height, const crypto::EpochRecord& next,
                             std::vector<StoreWrite>& rows) {
  const crypto::EpochRecord& present = epoch_at(height);
  ASSERT(pending_at(height) == nullptr && next.epoch == present.epoch.next());
  ASSERT(next.first_height == height + present.log_window + 1);
  rows.push_back({Family::meta, chain_keys::epoch(next.epoch), encode(next)});
  const std::unique_lock lock(mutex);
  epochs.push_back(next);
}

Header Chain::State::header_of(const ExecutedBlock& block, const Hash& operations_root) const {
  Header header;
  header.chain_id = chain_id;
  const crypto::EpochRecord& epoch = epoch_at(block.height);
  header.epoch = epoch.epoch;
  header.height = block.height;
  header.parent_hash = newest_hash;
  header.batch_digest = block.batch_digest;
  header.timestamp = block.timestamp;
  header.operations_root = operations_root;
  header.history_root = history.root();
  header.validators_hash =
      newest.epoch == epoch.epoch ? newest.validators_hash : crypto::validators_hash(epoch);
  if (const crypto::EpochRecord* next = pending_at(block.height)) {
    header.next_validators_hash = crypto::validators_hash(*next);
    header.epoch_last_height = {next->first_height.value - 1};
  }
  header.consensus_kind = epoch.consensus_kind;
  return header;
}

void Chain::State::keep_recent(Height height, std::vector<OperationLeaf> leaves) {
  const auto bytes_of = [](const std::vector<OperationLeaf>& of_block) {
    std::size_t out = 0;
    for (const OperationLeaf& leaf : of_block) out += leaf.operation.size() + leaf.receipt.size();
    return out;
  };
  recent_bytes += bytes_of(leaves);
  recent_leaves.emplace_back(height,
                             std::make_shared<const std::vector<OperationLeaf>>(std::move(leaves)));
  while (recent_bytes > kRecentLeavesBytes && recent_leaves.size() > 1) {
    recent_bytes -= bytes_of(*recent_leaves.front().second);
    recent_leaves.pop_front();
  }
}

std::size_t Chain::State::gather_bytes() const {
  const std::size_t tree_bytes = tree.memory_bytes();
  const std::size_t rest = kTreeAndRowsBytes - std::min(kTreeAndRowsBytes, tree_bytes);
  return std::clamp(rest / kRowCopies, kGatherBytesMin, kGatherBytesMax);
}

Header Chain::append(ExecutedBlock block, StateOverlay::Writes* written) {
  State& s = *state_;
  // Only this thread changes what the mutex guards, so it may read without holding it.
  ASSERT(block.height == s.newest.height.next());
  ASSERT(block.timestamp >= s.newest.timestamp);
  assert_no_log_keys(block.writes);

  s.stage_times.begin();
  std::vector<StoreWrite> rows;
  if (block.next_epoch) s.fix_epoch(block.height, *block.next_epoch, rows);

  std::vector<Hash> leaf_hashes;
  leaf_hashes.reserve(block.leaves.size());
  for (const OperationLeaf& leaf : block.leaves) {
    leaf_hashes.push_back(merkle_leaf_hash(encode(leaf)));
  }
  const Hash operations_root = merkle_root(leaf_hashes);
  s.stage_times.end(Stage::leaves);
  add_transaction_rows(block, *s.store, rows);
  add_operation_rows(block, rows);
  s.stage_times.end(Stage::index);
  const LogAppender logs(block, leaf_hashes, s.hot, s.base ? s.store.get() : nullptr, rows);
  logs.write_frontiers(block.writes);
  s.stage_times.end(Stage::logs);
  std::vector<StateTree::Change> changes = tree_changes(block.writes);

  StoredBlock stored{.version = {},
                     .header = s.header_of(block, operations_root),
                     .batch = std::move(block.batch),
                     .transactions = std::move(block.transactions),
                     .receipts = {}};
  stored.receipts.reserve(block.leaves.size());
  for (OperationLeaf& leaf : block.leaves) stored.receipts.push_back(std::move(leaf.receipt));

  const std::unique_lock lock(s.mutex);
  s.tree.update(std::move(changes));
  stored.header.state_root = s.tree.root();
  s.newest = stored.header;
  s.newest_hash = header_hash(stored.header);
  s.stage_times.end(Stage::tree);
  add_header_rows(s.newest, s.newest_hash, s.history, rows);
  rows.push_back({Family::blocks, chain_keys::block(block.height), encode(stored)});
  s.store->apply_with_state(rows, block.writes);
  s.stage_times.end(Stage::store);
  s.hot.update(block.writes);
  for (std::size_t i = 0; i < block.leaves.size(); ++i) {
    block.leaves[i].receipt = std::move(stored.receipts[i]);
  }
  s.keep_recent(block.height, std::move(block.leaves));
  s.store->gather_up_to(s.gather_bytes());
  if (written != nullptr) *written = std::move(block.writes);
  s.stage_times.end(Stage::memory);
  return s.newest;
}

void Chain::put_certificate(const crypto::ExecCertificate& certificate) {
  State& s = *state_;
  const Height height = certificate.vote.height;
  ASSERT(height.value > 0 && height <= s.newest.height);
  const auto hash = s.store->read(Family::meta, chain_keys::header_hash(height));
  ASSERT(hash && Hash::from(*hash) == certificate.vote.header_hash);
  const Bytes key = chain_keys::certificate(height);
  if (s.store->read(Family::blocks, key)) return;

  std::vector<StoreWrite> rows = {{Family::blocks, key, encode(certificate)}};
  if (height > s.certified) {
    rows.push_back(
        {Family::meta, chain_keys::newest_certified(), encode(HeightRow{.height = height})});
  }
  const std::unique_lock lock(s.mutex);
  s.store->apply(rows);
  s.certified = std::max(s.certified, height);
}

Height Chain::begin_flush() {
  // Certificates come from this thread, so nothing is certified between here and the layer's end.
  const Height certified = state_->certified;
  state_->store->begin_flush();
  return certified;
}

void Chain::finish_flush(Height certified) {
  State& s = *state_;
  s.store->finish_flush();
  const std::unique_lock lock(s.mutex);
  s.durable = std::max(s.durable, certified);
}

std::size_t Chain::waiting_bytes() const { return state_->store->waiting_bytes(); }
std::size_t Chain::gather_bytes() const { return state_->gather_bytes(); }
bool Chain::wants_flush() const { return state_->store->wants_flush(); }

void Chain::flush() { finish_flush(begin_flush()); }

}  // namespace baolian::ledger
