/// The complete logs: entries and stored subtree hashes against the frontiers in the state, entry
/// by entry against the blocks.
///
/// Entries and frontiers come in the same order (kind, id), so that two cursors suffice. A frontier
/// stands under state_root: if it is reached, every bit of the log's entries is right.
#include <algorithm>

#include "ledger/audit/chain_walk.h"
#include "ledger/index_rows.h"
#include "ledger/log.h"

namespace baolian::ledger {
namespace {

constexpr std::size_t kLogIdBytes = 1 + Hash::kSize;               // kind, id
constexpr std::size_t kEntryKeyBytes = 1 + kLogIdBytes + 8;        // tag, log, position
constexpr std::size_t kSubtreeKeyBytes = 1 + kLogIdBytes + 1 + 8;  // tag, log, level, first
constexpr std::size_t kDoubtsMax = 16;  // subtrees that are remembered until a log's end

/// Kind and id of a log as bytes, in the order of keys. The kind may be none that exists.
using LogName = Bytes;

std::string words_of(const LogName& log) {
  const std::uint8_t kind = log.front();
  const std::string name = is_enum_value<LogKind>(kind)
                               ? std::string(enum_name(static_cast<LogKind>(kind)))
                               : "kind " + std::to_string(kind);
  return name + " " + to_hex(BytesView(log).subspan(1));
}

/// Rows of one family whose keys belong to logs, with one row of look-ahead.
class LogRows {
 public:
  /// Gives the log of a key, or nothing for a key of another form.
  using LogOf = std::optional<LogName> (*)(BytesView key);

  LogRows(ChainWalk& walk, Family family, BytesView prefix, Damage damage, LogOf log_of)
      : walk_(walk),
        family_(family),
        damage_(damage),
        log_of_(log_of),
        cursor_(walk.store.rows(family, prefix)) {
    next();
  }

  bool is_at_end() const { return !log_.has_value(); }
  /// Of the row that stands in front. Requires: not at the end.
  const LogName& log() const { return *log_; }
  BytesView key() const { return cursor_->key(); }
  BytesView value() const { return cursor_->value(); }
  bool was_unreadable() const { return was_unreadable_; }

  void next() {
    log_.reset();
    for (;;) {
      const auto is_there = cursor_->next();
      if (!is_there) {
        was_unreadable_ = true;
        walk_.report.found(damage_, std::nullopt, "rows of logs", is_there.error().context);
        return;
      }
      if (!*is_there) return;
      log_ = log_of_(cursor_->key());
      if (log_) return;
      found_stray(walk_, family_, cursor_->key(), std::nullopt, "no log has such a row");
    }
  }

 private:
  ChainWalk& walk_;
  Family family_;
  Damage damage_;
  LogOf log_of_;
  std::unique_ptr<RowCursor> cursor_;
  std::optional<LogName> log_;
  bool was_unreadable_ = false;
};

std::optional<LogName> log_of_entry(BytesView key) {
  if (key.size() != kEntryKeyBytes) return std::nullopt;
  return to_bytes(key.subspan(1, kLogIdBytes));
}

std::optional<LogName> log_of_subtree(BytesView key) {
  if (key.size() != kSubtreeKeyBytes) return std::nullopt;
  return to_bytes(key.subspan(1, kLogIdBytes));
}

/// "log/" kind '/' id.
std::optional<LogName> log_of_frontier(BytesView key) {
  const std::size_t prefix = kLogStatePrefix.size();
  if (key.size() != prefix + 2 + Hash::kSize || key[prefix + 1] != '/') return std::nullopt;
  LogName log = {key[prefix]};
  append(log, key.subspan(prefix + 2));
  return log;
}

LogId id_of(const LogName& log) {
  return {static_cast<LogKind>(log.front()), Hash::from(BytesView(log).subspan(1))};
}

/// One log: its entries as they come, then the frontier.
class LogCheck {
 public:
  LogCheck(ChainWalk& walk, const LogName& log) : walk_(walk), log_(log), words_(words_of(log)) {
    if (walk_.base) begin_above_base();
  }

  void add(BytesView key, BytesView value) {
    const std::uint64_t last = read_big_endian(key.subspan(1 + kLogIdBytes));
    const auto run = decode<LogRun>(value);
    if (!run) {
      found(std::nullopt, entry_name(expected_),
            "the row of it and up to entry " + std::to_string(last) +
                " does not decode: " + run.error().context);
      return pass_over(last);
    }
    const std::uint64_t first = last + 1 - run->items.size();  // huge if it begins before the log
    if (first != expected_) {
      found(std::nullopt, entry_name(expected_),
            "it is missing; the next that is stored is " + std::to_string(first));
      if (first > last || first < expected_) return pass_over(last);
      expected_ = first;
    }
    for (std::size_t i = 0; i < run->items.size(); ++i) {
      const LogEntry entry = run->entry(i);
      check_entry(entry_name(expected_), entry);
      ++expected_;
      append_hash(merkle_leaf_hash(encode(entry)));
    }
  }

  void finish(const std::optional<Frontier>& frontier) {
    if (is_all_older_ && expected_ == 0) return;
    if (!frontier) {
      if (!was_found_) found(std::nullopt, "all entries", "the state has no frontier of this log");
      return;
    }
    if (*frontier == computed_) {
      for (const Doubt& doubt : doubts_) {
        walk_.report.found(Damage::log_subtree, std::nullopt, place(words_of_doubt(doubt)),
                           "it is not the root over its entries");
      }
      return;
    }
    if (frontier->count > expected_ && !was_found_) {
      found(std::nullopt, "entry " + std::to_string(expected_),
            "it and all after it are missing; the state counts " + std::to_string(frontier->count));
    } else if (frontier->count < expected_ && !was_found_) {
      found(std::nullopt, "entry " + std::to_string(frontier->count),
            "the state counts only " + std::to_string(frontier->count) + " entries");
    } else if (!was_found_) {
      found_by_frontier();
    }
  }

 private:
  /// Entries of before the snapshot are not here. Their peaks are right if what comes of them is
  /// the frontier in the state; a log without them has no entry since.
  void begin_above_base() {
    const auto row = walk_.store.read(Family::meta, chain_keys::log_base(id_of(log_)));
    if (!row || !*row) {
      is_all_older_ = true;
      return;
    }
    auto older = decode<Frontier>(**row);
    if (!older || !older->is_well_formed()) {
      found(std::nullopt, "peaks of the entries before the snapshot", "they are no frontier");
      return;
    }
    expected_ = older->count;
    computed_ = *std::move(older);
  }

  /// A stored subtree that differs from the one computed: row or entries, the frontier decides.
  struct Doubt {
    unsigned level = 0;
    std::uint64_t first = 0;
    Height height;
  };

  static std::string entry_name(std::uint64_t position) {
    return "entry " + std::to_string(position);
  }

  /// Nothing is known of the entries up to `last`. As long as one row can hold them something
  /// stands for them, so that subtrees behind are still compared at their places.
  void pass_over(std::uint64_t last) {
    if (last < expected_ || last - expected_ >= kRunEntriesMax) return;
    for (; expected_ <= last; ++expected_) append_hash(Hash{});
  }

  static std::string words_of_doubt(const Doubt& doubt) {
    return "subtree of level " + std::to_string(doubt.level) + " from entry " +
           std::to_string(doubt.first);
  }
  std::string place(const std::string& what) const { return "log " + words_ + ", " + what; }

  void found(std::optional<Height> height, const std::string& what, std::string why) {
    was_found_ = true;
    walk_.report.found(Damage::log_entry, height, place(what), std::move(why));
  }

  void check_entry(const std::string& name, const LogEntry& entry) {
    const bool is_in_order =
        entry.height > newest_.height ||
        (entry.height == newest_.height && entry.operation >= newest_.operation);
    if (!is_in_order) found(entry.height, name, "it stands after a later operation");
    switch (walk_.leaves.compare(entry)) {
      case LeafTable::Answer::wrong_time:
        found(entry.height, name, "its time is not its block's");
        break;
      case LeafTable::Answer::no_leaf:
        found(entry.height, name, "the block has no such operation");
        break;
      case LeafTable::Answer::wrong_leaf:
        found(entry.height, name, "its leaf_hash is not that of the block's operation");
        break;
      case LeafTable::Answer::right:
      case LeafTable::Answer::unknown:
        break;
    }
    newest_ = entry;
  }

  void append_hash(const Hash& hash) {
    if (computed_.count % kFirstHeights == 0) start_height_ = newest_.height;
    computed_.append(hash, [&](unsigned level, std::uint64_t first, const Hash& root) {
      if (level < kSubtreeLevelMin) return;
      const auto row =
          walk_.store.read(Family::index, chain_keys::log_subtree(id_of(log_), level, first));
      if (row && *row && (*row)->size() == Hash::kSize && Hash::from(**row) == root) return;
      if (!row || !*row) {
        walk_.report.found(Damage::log_subtree, std::nullopt,
                           place(words_of_doubt({level, first, {}})),
                           !row ? row.error().context : "it is missing");
      } else if (doubts_.size() < kDoubtsMax) {
        doubts_.push_back({level, first, start_height_});
      }
    });
  }

  /// Nothing is wrong with an entry by itself, but all together are not what the state commits to.
  void found_by_frontier() {
    const auto lowest = std::find_if(doubts_.begin(), doubts_.end(), [](const Doubt& doubt) {
      return doubt.level == kSubtreeLevelMin;
    });
    if (lowest != doubts_.end()) {
      found(lowest->height,
            "entries " + std::to_string(lowest->first) + " to " +
                std::to_string(lowest->first + (1U << kSubtreeLevelMin) - 1),
            "one of them is not what the state's frontier was made of");
      return;
    }
    const std::uint64_t after = computed_.count >> kSubtreeLevelMin << kSubtreeLevelMin;
    const bool has_rest = after < computed_.count;
    found(has_rest ? std::optional<Height>(start_height_) : std::nullopt,
          has_rest ? "entries from " + std::to_string(after) : "all entries",
          "one of them is not what the state's frontier was made of");
  }

  static constexpr std::uint64_t kFirstHeights = std::uint64_t{1} << kSubtreeLevelMin;

  ChainWalk& walk_;
  const LogName& log_;
  std::string words_;
  std::uint64_t expected_ = 0;
  LogEntry newest_;      ///< the last that decoded
  Height start_height_;  ///< of the first entry of the present lowest subtree
  Frontier computed_;
  std::vector<Doubt> doubts_;
  bool was_found_ = false;
  bool is_all_older_ = false;  ///< no entry since the chain began with a snapshot
};

std::optional<Frontier> frontier_in(ChainWalk& walk, BytesView value, const LogName& log) {
  auto frontier = decode<Frontier>(value);
  if (frontier && frontier->is_well_formed() && frontier->count > 0) return *std::move(frontier);
  walk.report.found(Damage::state, std::nullopt, "frontier of log " + words_of(log),
                    "it is no frontier");
  return std::nullopt;
}

void check_entries(ChainWalk& walk) {
  LogRows entries(walk, Family::index, as_bytes("e"), Damage::log_entry, log_of_entry);
  LogRows frontiers(walk, Family::state, as_bytes(kLogStatePrefix), Damage::state, log_of_frontier);
  while (!entries.is_at_end() || !frontiers.is_at_end()) {
    const bool is_entry_first =
        frontiers.is_at_end() || (!entries.is_at_end() && entries.log() < frontiers.log());
    const LogName log = is_entry_first ? entries.log() : frontiers.log();
    LogCheck check(walk, log);
    while (!entries.is_at_end() && entries.log() == log) {
      check.add(entries.key(), entries.value());
      walk.report.advance();
      entries.next();
    }
    // Where rows could not be read the rest of the log is not known to be missing.
    if (entries.was_unreadable() || frontiers.was_unreadable()) return;
    std::optional<Frontier> frontier;
    bool is_damaged = false;
    if (!frontiers.is_at_end() && frontiers.log() == log) {
      frontier = frontier_in(walk, frontiers.value(), log);
      is_damaged = !frontier;
      frontiers.next();
    }
    if (!is_damaged) check.finish(frontier);
  }
}

/// Subtree rows that no entries explain. Those that must be there were compared with the entries.
void check_subtree_rows(ChainWalk& walk) {
  LogRows subtrees(walk, Family::index, as_bytes("s"), Damage::log_subtree, log_of_subtree);
  std::optional<LogName> log;
  std::uint64_t count = 0;
  for (; !subtrees.is_at_end(); subtrees.next()) {
    if (log != subtrees.log()) {
      log = subtrees.log();
      const auto raw = walk.store.read(Family::state, log_state_key(id_of(*log)));
      const auto frontier = raw && *raw ? decode<Frontier>(**raw) : Result<Frontier>(Frontier{});
      count = frontier ? frontier->count : 0;
    }
    walk.report.advance();
    const unsigned level = subtrees.key()[1 + kLogIdBytes];
    const std::uint64_t first = read_big_endian(subtrees.key().subspan(2 + kLogIdBytes));
    const std::uint64_t size = level < 64 ? std::uint64_t{1} << level : 0;
    const bool is_expected = level >= kSubtreeLevelMin && size != 0 && first % size == 0 &&
                             first < count && size <= count - first;
    if (!is_expected) {
      found_stray(walk, Family::index, subtrees.key(), std::nullopt, "the log has no such subtree");
    }
  }
}

/// Peaks of older entries belong to logs that have entries since.
void check_base_rows(ChainWalk& walk) {
  visit_rows(walk, Family::meta, as_bytes("P"), Damage::mark, [&](BytesView key, BytesView) {
    const bool has_form = walk.base && key.size() == 1 + kLogIdBytes;
    Bytes prefix = {static_cast<std::uint8_t>('e')};
    if (has_form) append(prefix, key.subspan(1));
    const auto first =
        has_form ? walk.store.rows(Family::index, prefix)->next() : Result<bool>(false);
    if (!first || !*first) {
      found_stray(walk, Family::meta, key, std::nullopt, "no log has entries above such peaks");
    }
  });
}

}  // namespace

void ChainWalk::check_logs() {
  report.begin("complete logs", store.estimated_rows(Family::index));
  check_entries(*this);
  check_subtree_rows(*this);
  check_base_rows(*this);
}

}  // namespace baolian::ledger
