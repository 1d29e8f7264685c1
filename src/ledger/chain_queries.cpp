/// The reading side of a chain. What is read together with the tree is read under the shared lock;
/// rows of blocks, logs and history never change once written and are read without it.
#include <algorithm>
#include <bit>
#include <mutex>

#include "ledger/chain.h"
#include "ledger/chain_state.h"
#include "ledger/covering_certificate.h"
#include "ledger/index_rows.h"
#include "ledger/state_chunk.h"

namespace baolian::ledger {
namespace {

constexpr std::uint64_t kScanRuns = 1024;
constexpr std::size_t kPageEntries = 1024;

Error missing(std::string what) { return fail(Errc::not_found, std::move(what)); }

/// A run as it stands in the index.
struct PlacedRun {
  LogRun run;
  std::uint64_t first = 0;  ///< position of its first entry
};

/// The run in a row of the index. What is none, or begins before the log does, ends the process.
PlacedRun placed_run(const KeyValue& row) {
  auto run = decode<LogRun>(row.value);
  if (!run) stop_on_corrupt_row(LogRun::kTypeName.data());
  const std::uint64_t last = read_big_endian(BytesView(row.key).last(8));
  if (last + 1 < run->items.size()) stop_on_corrupt_row(LogRun::kTypeName.data());
  const std::uint64_t first = last + 1 - run->items.size();
  return {*std::move(run), first};
}

LogEntry entry_at(const KeyValueStore& store, const LogId& log, std::uint64_t position) {
  const auto rows = store.scan(Family::index, chain_keys::log_entries(log),
                               chain_keys::log_run(log, position), 1);
  if (rows.empty()) stop_on_corrupt_row(LogRun::kTypeName.data());
  const PlacedRun found = placed_run(rows.front());
  if (found.first > position) stop_on_corrupt_row(LogRun::kTypeName.data());
  return found.run.entry(static_cast<std::size_t>(position - found.first));
}

/// Calls `visit(position, entry)` for [first, first + count). A missing row ends the process.
template <typename Visit>
void visit_entries(const KeyValueStore& store, const LogId& log, std::uint64_t first,
                   std::uint64_t count, const Visit& visit) {
  const Bytes prefix = chain_keys::log_entries(log);
  const std::uint64_t end = first + count;
  // A row has one entry or many: first as many rows as suffice if all are full, then more.
  std::uint64_t rows_wanted = std::min<std::uint64_t>(count / kRunEntriesMax + 1, kScanRuns);
  while (first < end) {
    const auto chunk = static_cast<std::size_t>(std::min<std::uint64_t>(end - first, rows_wanted));
    rows_wanted = std::min(rows_wanted * 4, kScanRuns);
    const auto rows = store.scan(Family::index, prefix, chain_keys::log_run(log, first), chunk);
    if (rows.empty()) stop_on_corrupt_row(LogRun::kTypeName.data());
    for (const KeyValue& row : rows) {
      if (first == end) return;
      const PlacedRun placed = placed_run(row);
      const std::uint64_t behind = placed.first + placed.run.items.size();
      if (placed.first > first || behind <= first) stop_on_corrupt_row(LogRun::kTypeName.data());
      for (; first < std::min(behind, end); ++first) {
        visit(first, placed.run.entry(static_cast<std::size_t>(first - placed.first)));
      }
    }
  }
}

/// The first position in [low, count) whose entry has at least this time; count if none has.
std::uint64_t first_not_before(const KeyValueStore& store, const LogId& log, std::uint64_t low,
                               std::uint64_t count, TimeMs time) {
  if (time.value == 0) return low;
  std::uint64_t high = count;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (entry_at(store, log, middle).time < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

Error not_here(std::string what, Height base) {
  return fail(Errc::pruned, std::move(what) + " before block " + std::to_string(base.value) +
                                " are not here: this node began with a snapshot of that height; "
                                "ask another node, or an archive");
}

/// The peak of `base` that covers these leaves.
std::optional<Hash> peak_at(const Frontier& base, std::uint64_t first, std::uint64_t size) {
  std::uint64_t begin = 0;
  std::size_t peak = 0;
  for (unsigned bit = 64; bit-- > 0;) {
    const std::uint64_t width = std::uint64_t{1} << bit;
    if ((base.count & width) == 0) continue;
    if (begin == first && width == size) return base.peaks[peak];
    begin += width;
    ++peak;
  }
  return std::nullopt;
}

SubtreeSource log_source(const KeyValueStore& store, const LogId& log, Frontier base) {
  return [&store, log, base = std::move(base)](std::uint64_t first, std::uint64_t size) {
    return stored_subtree(
        base, first, size,
        [&](unsigned level, std::uint64_t from) {
          return store.read(Family::index, chain_keys::log_subtree(log, level, from));
        },
        [&](std::uint64_t from, std::uint64_t count) {
          std::vector<Hash> hashes;
          visit_entries(store, log, from, count, [&](std::uint64_t, const LogEntry& entry) {
            hashes.push_back(merkle_leaf_hash(encode(entry)));
          });
          return hashes;
        });
  };
}

SubtreeSource history_source(const KeyValueStore& store, Frontier base) {
  return [&store, base = std::move(base)](std::uint64_t first, std::uint64_t size) {
    return stored_subtree(
        base, first, size,
        [&](unsigned level, std::uint64_t from) {
          return store.read(Family::meta, chain_keys::history_subtree(level, from));
        },
        [&](std::uint64_t from, std::uint64_t count) {
          std::vector<Hash> hashes;
          for (const KeyValue& row :
               store.scan(Family::meta, chain_keys::header_hashes(),
                          chain_keys::header_hash(Height{from}), static_cast<std::size_t>(count))) {
            hashes.push_back(merkle_leaf_hash(row.value));
          }
          return hashes;
        });
  };
}

}  // namespace

Result<Hash> stored_subtree(
    const Frontier& base, std::uint64_t first, std::uint64_t size,
    const std::function<std::optional<Bytes>(unsigned level, std::uint64_t first)>& row,
    const std::function<std::vector<Hash>(std::uint64_t first, std::uint64_t count)>& leaf_hashes) {
  ASSERT(std::has_single_bit(size) && first % size == 0);
  const auto level = static_cast<unsigned>(std::countr_zero(size));
  if (first + size <= base.count) {
    const auto peak = peak_at(base, first, size);
    if (!peak) {
      return fail(Errc::pruned,
                  "what is older than the snapshot with which this node began is not here; ask "
                  "another node, or an archive");
    }
    return *peak;
  }
  if (first < base.count && level < kSubtreeLevelMin) {
    TRY(const Hash left, stored_subtree(base, first, size / 2, row, leaf_hashes));
    TRY(const Hash right, stored_subtree(base, first + size / 2, size / 2, row, leaf_hashes));
    return merkle_node_hash(left, right);
  }
  if (level >= kSubtreeLevelMin) {
    const auto bytes = row(level, first);
    if (!bytes || bytes->size() != Hash::kSize) {
      return fail(Errc::store_corrupt, "a stored subtree hash is missing; rebuild the index");
    }
    return Hash::from(*bytes);
  }
  const std::vector<Hash> hashes = leaf_hashes(first, size);
  if (hashes.size() != size) {
    return fail(Errc::store_corrupt, "leaves of a stored tree are missing; rebuild the index");
  }
  return merkle_root(hashes);
}

const Genesis& Chain::genesis() const { return state_->genesis; }
const ChainId& Chain::chain_id() const { return state_->chain_id; }
const crypto::EpochRecord& Chain::epoch_at(Height height) const {
  const std::shared_lock lock(state_->mutex);
  return state_->epoch_at(height);
}

std::optional<crypto::EpochRecord> Chain::epoch(Epoch number) const {
  const std::shared_lock lock(state_->mutex);
  const std::uint64_t index = number.value - state_->genesis.epoch.epoch.value;
  if (index >= state_->epochs.size()) return std::nullopt;
  return state_->epochs[static_cast<std::size_t>(index)];
}

std::optional<crypto::EpochRecord> Chain::epoch_fixed_at(Height height) const {
  const std::shared_lock lock(state_->mutex);
  for (std::size_t i = 1; i < state_->epochs.size(); ++i) {
    if (height + state_->epochs[i - 1].log_window + 1 == state_->epochs[i].first_height) {
      return state_->epochs[i];
    }
  }
  return std::nullopt;
}

Result<std::vector<TrailLink>> Chain::trail(Epoch to) const {
  std::vector<TrailLink> out;
  for (Epoch number = genesis().epoch.epoch; number < to; number = number.next()) {
    const auto next = epoch(number.next());
    ASSERT(next.has_value());  // a header of that epoch stands in the chain
    const Height last{next->first_height.value - 1};
    const auto last_header = header(last);
    auto last_certificate = certificate(last);
    if (!last_header || !last_certificate) {
      return fail(Errc::not_certified,
                  "the certificate of the last block of epoch " + std::to_string(number.value) +
                      " is not on this node yet; ask again after the next certificate");
    }
    out.push_back(
        {.header = *last_header, .certificate = *std::move(last_certificate), .next = *next});
  }
  return out;
}

Height Chain::base() const { return state_->base ? state_->base->header.height : Height{}; }

Height Chain::height() const {
  const std::shared_lock lock(state_->mutex);
  return state_->newest.height;
}

Height Chain::durable_height() const {
  const std::shared_lock lock(state_->mutex);
  return state_->durable;
}

Height Chain::certified_height() const {
  const std::shared_lock lock(state_->mutex);
  return state_->certified;
}

std::optional<Header> Chain::header(Height height) const {
  {
    const std::shared_lock lock(state_->mutex);
    if (height > state_->newest.height) return std::nullopt;
    if (height == state_->newest.height) return state_->newest;
  }
  return read_row<Header>(*state_->store, Family::blocks, chain_keys::header(height));
}

std::optional<crypto::ExecCertificate> Chain::certificate(Height height) const {
  return read_row<crypto::ExecCertificate>(*state_->store, Family::blocks,
                                           chain_keys::certificate(height));
}

std::optional<Chain::Location> Chain::find_transaction(const TxId& id) const {
  const auto row =
      read_row<TransactionRow>(*state_->store, Family::index, chain_keys::transaction(id));
  if (!row) return std::nullopt;
  return Location{.height = row->height, .first_leaf = row->first_leaf};
}

const StateReader& Chain::state() const { return state_->reader; }
const StateReader& Chain::executing_state() const { return state_->hot; }
StageTimes& Chain::stage_times() { return state_->stage_times; }
const StageTimes& Chain::stage_times() const { return state_->stage_times; }

std::vector<std::optional<OperationRow>> Chain::operations_of(
    const std::vector<PositionedEntry>& entries) const {
  std::vector<std::optional<OperationRow>> out;
  out.reserve(entries.size());
  // Entries come in the order of blocks and leaves, so that those of one page are neighbours.
  std::vector<Bytes> keys;
  std::vector<std::size_t> page_of;
  for (const PositionedEntry& one : entries) {
    Bytes key = chain_keys::operations(one.entry.height, page_of_leaf(one.entry.operation));
    if (keys.empty() || keys.back() != key) keys.push_back(std::move(key));
    page_of.push_back(keys.size() - 1);
  }
  std::vector<OperationPage> pages;
  for (const std::optional<Bytes>& bytes : state_->store->read_many(Family::index, keys)) {
    auto page = bytes ? decode<OperationPage>(*bytes) : Result<OperationPage>(OperationPage{});
    if (!page) stop_on_corrupt_row(OperationPage::kTypeName.data());
    pages.push_back(*std::move(page));
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::vector<OperationRow>& rows = pages[page_of[i]].rows;
    const std::size_t place = entries[i].entry.operation % kPageOperationsMax;
    out.push_back(place < rows.size() ? std::optional(rows[place]) : std::nullopt);
  }
  return out;
}

Frontier Chain::log_frontier(const LogId& log) const {
  return read_as<Frontier>(state(), log_state_key(log)).value_or(Frontier{});
}

/// The frontier is read first: an entry that is appended meanwhile writes the base's row.
Frontier Chain::State::log_base(const LogId& log) const {
  if (!base) return {};
  const auto now = read_as<Frontier>(reader, log_state_key(log)).value_or(Frontier{});
  return read_row<Frontier>(*store, Family::meta, chain_keys::log_base(log)).value_or(now);
}

std::uint64_t Chain::first_log_index(const LogId& log) const { return state_->log_base(log).count; }

std::vector<PositionedEntry> Chain::log_entries(const LogId& log, TimeMs from, TimeMs to,
                                                std::uint64_t from_index, std::size_t limit) const {
  std::vector<PositionedEntry> out;
  const KeyValueStore& store = *state_->store;
  const std::uint64_t first_here = first_log_index(log);
  const std::uint64_t count = log_frontier(log).count;
  std::uint64_t position =
      std::max(from_index, first_not_before(store, log, first_here, count, from));
  while (position < count && out.size() < limit) {
    const std::uint64_t wanted = std::min<std::uint64_t>(
        {limit - out.size(), count - position, std::uint64_t{kPageEntries}});
    bool is_past_end = false;
    visit_entries(store, log, position, wanted, [&](std::uint64_t index, const LogEntry& entry) {
      is_past_end = is_past_end || entry.time >= to;
      if (!is_past_end) out.push_back({.index = index, .entry = entry});
    });
    if (is_past_end) break;
    position += wanted;
  }
  return out;
}

Result<LogWindowProof> Chain::prove_log_window(const LogId& log, TimeMs from, TimeMs to,
                                               Height& at) const {
  if (from > to) return fail(Errc::bad_argument, "a window begins before it ends");
  LogWindowProof proof;
  {
    const std::shared_lock lock(state_->mutex);
    proof.frontier = log_frontier(log);
    proof.state = state_->tree.prove(log_state_key(log));
    at = state_->newest.height;
  }
  const std::uint64_t count = proof.frontier.count;
  if (count == 0) return proof;
  const KeyValueStore& store = *state_->store;
  Frontier older = state_->log_base(log);
  const std::uint64_t begin = first_not_before(store, log, older.count, count, from);
  const std::uint64_t end = first_not_before(store, log, begin, count, to);
  // Without its left neighbour nothing says that the window begins there.
  if (older.count > 0 && begin <= older.count) return not_here("entries of this log", base());
  if (end - begin > kWindowEntriesMax) {
    return fail(Errc::limit_exceeded, "the window has " + std::to_string(end - begin) +
                                          " entries; ask for shorter windows, one after the other");
  }
  const std::uint64_t first = begin > 0 ? begin - 1 : begin;
  const std::uint64_t last = end < count ? end + 1 : end;
  proof.first_index = first;
  proof.entries.reserve(static_cast<std::size_t>(last - first));
  visit_entries(store, log, first, last - first,
                [&](std::uint64_t, const LogEntry& entry) { proof.entries.push_back(entry); });
  TRY(proof.range, range_proof(first, last, count, log_source(store, log, std::move(older))));
  return proof;
}

Chain::StateAnswer Chain::prove_state(BytesView key) const {
  const std::shared_lock lock(state_->mutex);
  return {.at = state_->newest.height,
          .value = state_->reader.read(key),
          .proof = state_->tree.prove(key)};
}

Result<std::vector<Hash>> Chain::prove_operation(Height height, std::uint32_t leaf_index) const {
  if (height > this->height()) return missing("this node has not executed that height");
  TRY(const std::vector<OperationLeaf> leaves, read_leaves(height));
  std::vector<Hash> leaf_hashes;
  for (const OperationLeaf& leaf : leaves) {
    leaf_hashes.push_back(merkle_leaf_hash(encode(leaf)));
  }
  if (leaf_index >= leaf_hashes.size()) return missing("the block has no such operation");
  return inclusion_path(leaf_hashes, leaf_index);
}

Result<std::vector<Hash>> Chain::prove_history(Height old_height, Height height) const {
  if (!(old_height < height)) {
    return fail(Errc::bad_argument, "the history of a header holds only earlier headers");
  }
  if (height > this->height()) return missing("this node has not executed that height");
  return inclusion_proof(old_height.value, height.value,
                         history_source(*state_->store, state_->history_base()));
}

Result<std::vector<Hash>> Chain::prove_consistency(Height old_height, Height height) const {
  if (old_height.value == 0 || old_height > height) {
    return fail(Errc::bad_argument, "consistency is from an earlier header above 0 to a later one");
  }
  if (height > this->height()) return missing("this node has not executed that height");
  return consistency_proof(old_height.value, height.value,
                           history_source(*state_->store, state_->history_base()));
}

SnapshotCut Chain::cut() const {
  const State& s = *state_;
  const std::shared_lock lock(s.mutex);
  ASSERT(s.newest.height.value > 0);
  SnapshotCut out;
  out.header = s.newest;
  out.history.count = s.newest.height.value;
  const SubtreeSource source = history_source(*s.store, s.history_base());
  std::uint64_t first = 0;
  for (unsigned bit = 64; bit-- > 0;) {
    const std::uint64_t width = std::uint64_t{1} << bit;
    if ((out.history.count & width) == 0) continue;
    const auto peak = source(first, width);
    if (!peak) stop_on_corrupt_row("history");
    out.history.peaks.push_back(*peak);
    first += width;
  }
  out.proofs.reserve(kChunkCount);
  for (std::uint16_t number = 0; number < kChunkCount; ++number) {
    out.proofs.push_back(prove_chunk(s.tree, number));
  }
  out.rows = s.store->freeze_state();
  return out;
}

Result<SnapshotHead> Chain::snapshot_head(const SnapshotCut& cut) const {
  if (state_->base && state_->base->header == cut.header) return *state_->base;
  SnapshotHead head;
  head.header = cut.header;
  head.history = cut.history;
  TRY(CoveringCertificate covering, covering_certificate(*this, cut.header.height));
  head.later_headers = std::move(covering.later);
  head.certificate = std::move(covering.certificate);
  TRY(head.trail, trail(cut.header.epoch));
  if (cut.header.epoch_last_height.value != 0) head.pending = epoch(cut.header.epoch.next());
  return head;
}

}  // namespace baolian::ledger
