/// Opening a chain: block 0 of a new store, or everything in memory rebuilt from an old one, which
/// also proves that the state on disk is intact.
#include <algorithm>
#include <mutex>
#include <thread>

#include "ledger/chain.h"
#include "ledger/chain_state.h"
#include "ledger/index_format.h"

namespace baolian::ledger {
namespace {

Error corrupt(std::string what) {
  return fail(Errc::store_corrupt, std::move(what) + "; restore the store from a peer or archive");
}

}  // namespace

Header genesis_header(const Genesis& genesis, const StateOverlay::Writes& genesis_writes) {
  StateTree tree;
  tree.update(tree_changes(genesis_writes));
  Header header;
  header.chain_id = chain_id_of(genesis);
  header.epoch = genesis.epoch.epoch;
  header.timestamp = genesis.created;
  header.operations_root = empty_merkle_root();
  header.state_root = tree.root();
  header.history_root = empty_merkle_root();
  header.validators_hash = crypto::validators_hash(genesis.epoch);
  header.consensus_kind = genesis.epoch.consensus_kind;
  return header;
}

Result<std::unique_ptr<Chain>> Chain::open(std::unique_ptr<KeyValueStore> store,
                                           const Genesis& genesis,
                                           const StateOverlay::Writes& genesis_writes) {
  auto state = std::make_unique<State>(std::move(store), genesis);
  if (!state->store->read(Family::meta, chain_keys::genesis())) {
    // The mark is written with everything else of block 0, so that a store without it is new.
    state->write_block_zero(genesis_writes);
  }
  TRY(state->load(genesis_writes));
  state->erase_unfinished();
  TRY(state->rebuild_tree());
  state->store->flush();
  state->durable = state->certified;
  return std::unique_ptr<Chain>(new Chain(std::move(state)));
}

void Chain::State::write_block_zero(const StateOverlay::Writes& genesis_writes) {
  const Header header = genesis_header(genesis, genesis_writes);
  std::vector<StoreWrite> rows;
  for (const auto& [key, value] : genesis_writes) rows.push_back({Family::state, key, value});
  Frontier first_history;
  add_header_rows(header, header_hash(header), first_history, rows);
  const StoredBlock block{
      .version = {}, .header = header, .batch = {}, .transactions = {}, .receipts = {}};
  rows.push_back({Family::blocks, chain_keys::block(Height{0}), encode(block)});
  rows.push_back({Family::meta, chain_keys::newest_certified(), encode(HeightRow{})});
  rows.push_back(index_mark_row(true));
  rows.push_back({Family::meta, chain_keys::genesis(), encode(genesis)});
  store->apply(rows);
  store->flush();
}

Result<void> Chain::State::load(const StateOverlay::Writes& genesis_writes) {
  if (store->read(Family::meta, chain_keys::genesis()) != encode(genesis)) {
    return fail(Errc::wrong_chain,
                "the store belongs to another genesis; use that genesis or another directory");
  }
  const auto first = store->read(Family::blocks, chain_keys::header(Height{0}));
  if (first != encode(genesis_header(genesis, genesis_writes))) {
    return fail(Errc::wrong_chain,
                "block 0 in the store is not the one that this program makes from the genesis; "
                "use the program version that the network agreed on");
  }
  TRY(check_index_mark(*store));
  const auto mark = store->read(Family::meta, chain_keys::newest_height());
  if (!mark) return corrupt("the mark of the newest height is missing");
  const auto row = decode<HeightRow>(*mark);
  if (!row) return corrupt("the mark of the newest height is not readable");
  const auto header_bytes = store->read(Family::blocks, chain_keys::header(row->height));
  if (!header_bytes) return corrupt("the newest header is missing");
  auto header = decode<Header>(*header_bytes);
  if (!header || header->height != row->height) return corrupt("the newest header is not readable");
  newest = *header;
  newest_hash = header_hash(newest);
  TRY(load_base());
  const bool is_base = base && base->header.height == row->height;
  if (!is_base && !store->read(Family::blocks, chain_keys::block(row->height))) {
    return corrupt("the newest block is missing");
  }
  const auto history_bytes = store->read(Family::meta, chain_keys::history_frontier());
  if (!history_bytes) return corrupt("the history frontier is missing");
  auto frontier = decode<Frontier>(*history_bytes);
  if (!frontier || !frontier->is_well_formed() || frontier->count != row->height.value + 1) {
    return corrupt("the history frontier does not belong to the newest height");
  }
  history = *frontier;
  TRY(load_epochs());
  TRY(load_pruned());
  return load_certificates();
}

/// Rows of blocks come to the disk before the rest of their heights does (store.h). What a crash
/// left of heights that are not executed here, or of certificates above the mark, comes again.
void Chain::State::erase_unfinished() {
  std::vector<StoreWrite> erased;
  for (const Bytes& first :
       {chain_keys::block(newest.height.next()), chain_keys::certificate(certified.next()),
        chain_keys::header(newest.height.next())}) {
    const Bytes end = {static_cast<std::uint8_t>(first.front() + 1)};
    store->visit(Family::blocks, first, end, [&](BytesView key, BytesView) {
      erased.push_back({Family::blocks, to_bytes(key), std::nullopt});
    });
  }
  if (!erased.empty()) store->apply(erased);
}

Result<void> Chain::State::load_pruned() {
  const auto mark = store->read(Family::meta, chain_keys::pruned());
  if (!mark) return ok();
  auto row = decode<HeightRow>(*mark);
  if (!row || row->height > newest.height) return corrupt("the mark of pruned heights is wrong");
  pruned = row->height;
  return ok();
}

Result<void> Chain::State::load_base() {
  const auto bytes = store->read(Family::meta, chain_keys::base());
  if (!bytes) return ok();
  auto head = decode<SnapshotHead>(*bytes);
  if (!head || head->header.height > newest.height || !head->history.is_well_formed()) {
    return corrupt("the head of the snapshot with which the chain began is wrong");
  }
  base = *std::move(head);
  return ok();
}

Result<void> Chain::State::load_epochs() {
  epochs = {genesis.epoch};
  for (Epoch number = genesis.epoch.epoch.next();; number = number.next()) {
    const auto bytes = store->read(Family::meta, chain_keys::epoch(number));
    if (!bytes) break;
    auto record = decode<crypto::EpochRecord>(*bytes);
    if (!record || record->epoch != number || record->first_height <= epochs.back().first_height) {
      return corrupt("the record of epoch " + std::to_string(number.value) + " is wrong");
    }
    epochs.push_back(*std::move(record));
  }
  if (crypto::validators_hash(epoch_at(newest.height)) != newest.validators_hash) {
    return corrupt("the newest header names other validators than the stored epoch");
  }
  return ok();
}

Result<void> Chain::State::load_certificates() {
  const auto mark = store->read(Family::meta, chain_keys::newest_certified());
  if (!mark) return corrupt("the mark of certified heights is missing");
  auto row = decode<HeightRow>(*mark);
  if (!row || row->height > newest.height) {
    return corrupt("the mark of certified heights is wrong");
  }
  certified = row->height;
  return ok();
}

namespace {

/// The filter of all keys, which several threads fill.
class SharedFilter {
 public:
  void add(const std::vector<std::uint64_t>& numbers) {
    const std::scoped_lock lock(mutex_);
    for (const std::uint64_t number : numbers) filter_.add(number);
  }
  KeyFilter take() { return std::move(filter_); }

 private:
  std::mutex mutex_;
  KeyFilter filter_;
};

constexpr std::size_t kNumbersAtOnce = 8192;

StateLeaves read_range(const KeyValueStore& store, BytesView from, BytesView end,
                       SharedFilter& filter) {
  StateLeaves leaves;
  std::vector<std::uint64_t> numbers;
  std::uint64_t last_prefix = 0;
  store.visit(Family::state, from, end, [&](BytesView key, BytesView value) {
    leaves.add({crypto::sha256(key), crypto::sha256(value)});
    numbers.push_back(KeyFilter::of_key(key));
    const auto prefix = KeyFilter::of_prefix(key);
    if (prefix && *prefix != last_prefix) numbers.push_back(last_prefix = *prefix);
    if (numbers.size() < kNumbersAtOnce) return;
    filter.add(numbers);
    numbers.clear();
  });
  filter.add(numbers);
  return leaves;
}

}  // namespace

/// By as many threads as there are cores: reading and hashing cost more than the tree does.
Result<void> Chain::State::rebuild_tree() {
  std::vector<Bytes> starts = {Bytes{}};
  const unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  for (Bytes& key : store->split(Family::state, threads)) starts.push_back(std::move(key));
  starts.emplace_back();
  SharedFilter filter;
  std::vector<StateLeaves> parts(starts.size() - 1);
  std::vector<std::thread> others;
  const auto read_part = [&](std::size_t i) {
    parts[i] = read_range(*store, starts[i], starts[i + 1], filter);
  };
  for (std::size_t i = 1; i < parts.size(); ++i) others.emplace_back(read_part, i);
  read_part(0);
  for (std::thread& other : others) other.join();
  hot.use_filter(filter.take());
  for (std::size_t i = 1; i < parts.size(); ++i) parts[0].join(std::move(parts[i]));
  tree.build(std::move(parts[0]));
  if (tree.root() != newest.state_root) {
    return corrupt("the state does not have the state_root of header " +
                   std::to_string(newest.height.value));
  }
  return ok();
}

}  // namespace baolian::ledger
