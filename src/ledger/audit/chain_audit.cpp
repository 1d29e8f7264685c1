/// Marks, epochs, history rows, strays, and the order of it all.
#include "ledger/audit/chain_audit.h"

#include <algorithm>
#include <array>

#include "ledger/audit/chain_walk.h"
#include "ledger/chain.h"
#include "ledger/index_format.h"

namespace baolian::ledger {
namespace {

constexpr std::array<std::string_view, 4> kFamilyWords = {"blocks", "state", "index", "meta"};

/// Tags of keys by family; the state has natural keys.
constexpr std::string_view kBlockTags = "bch";
constexpr std::string_view kIndexTags = "eost";
constexpr std::string_view kMetaTags = "EHPSbcghip";

std::uint64_t leaf_prefix(const Hash& hash) { return read_big_endian(hash.view().subspan(0, 8)); }

}  // namespace

// ------------------------------------------------------------------ shared parts

void LeafTable::add_block(TimeMs timestamp, const CheckedBlock& block) {
  first_leaf_.push_back(leaves_.size());
  times_ms_.push_back(timestamp.value);
  for (const Hash& hash : block.leaf_hashes) leaves_.push_back(leaf_prefix(hash));
}

void LeafTable::add_unknown() {
  first_leaf_.push_back(leaves_.size());
  times_ms_.push_back(kUnknownTime);
}

LeafTable::Answer LeafTable::compare(const LogEntry& entry) const {
  const std::uint64_t height = entry.height.value;
  if (height >= times_ms_.size()) return Answer::no_leaf;
  if (times_ms_[height] == kUnknownTime) return Answer::unknown;
  if (times_ms_[height] != entry.time.value) return Answer::wrong_time;
  const std::uint64_t end =
      height + 1 < first_leaf_.size() ? first_leaf_[height + 1] : leaves_.size();
  if (entry.operation >= end - first_leaf_[height]) return Answer::no_leaf;
  const std::uint64_t stored = leaves_[first_leaf_[height] + entry.operation];
  return stored == leaf_prefix(entry.leaf_hash) ? Answer::right : Answer::wrong_leaf;
}

std::string at_height(std::string_view what, Height height) {
  return std::string(what) + " of height " + std::to_string(height.value);
}

std::optional<Height> height_in_key(BytesView key) {
  if (key.size() != 9) return std::nullopt;
  return Height{read_big_endian(key.subspan(1))};
}

void found_stray(ChainWalk& walk, Family family, BytesView key, std::optional<Height> height,
                 std::string what) {
  const std::string_view name = kFamilyWords[static_cast<std::size_t>(family)];
  walk.report.found(Damage::stray_row, height, std::string(name) + " row " + to_hex(key),
                    std::move(what));
}

std::optional<Bytes> ChainWalk::bytes(Family family, const Bytes& key, Damage damage,
                                      std::optional<Height> height, std::string_view name) {
  auto read = store.read(family, key);
  if (read) return *std::move(read);
  report.found(damage, height, std::string(name), read.error().context);
  return std::nullopt;
}

bool ChainWalk::has_header_row(Height height) const {
  if (height >= result.base || height.value == 0) return true;
  return std::any_of(base->trail.begin(), base->trail.end(),
                     [&](const TrailLink& link) { return link.header.height == height; });
}

const crypto::EpochRecord* ChainWalk::epoch_at(Height height) const {
  if (epochs_known_to && height > *epochs_known_to) return nullptr;
  auto found = result.epochs.rbegin();
  while (found->first_height > height && std::next(found) != result.epochs.rend()) ++found;
  return &*found;
}

const crypto::EpochRecord* ChainWalk::pending_at(Height height) const {
  for (std::size_t i = 1; i < result.epochs.size(); ++i) {
    const crypto::EpochRecord& next = result.epochs[i];
    const bool is_fixed = height + result.epochs[i - 1].log_window + 1 >= next.first_height;
    if (is_fixed && height < next.first_height) return &next;
  }
  return nullptr;
}

// ------------------------------------------------------------------ marks

namespace {

/// The newest height by the rows themselves: the highest header row.
std::optional<Height> highest(ChainWalk& walk, Family family, char tag, Damage damage) {
  const Bytes prefix = {static_cast<std::uint8_t>(tag)};
  const auto last = walk.store.last_key(family, prefix);
  if (!last) {
    walk.report.found(damage, std::nullopt, "last row " + to_hex(prefix), last.error().context);
    return std::nullopt;
  }
  return *last ? height_in_key(**last) : std::nullopt;
}

/// What most of them say; of two that as many say the higher one.
Height most_named(const std::array<std::optional<Height>, 4>& answers) {
  std::optional<Height> out;
  std::ptrdiff_t most = 0;
  for (const auto& height : answers) {
    if (!height) continue;
    const auto votes = std::count(answers.begin(), answers.end(), height);
    if (votes > most || (votes == most && height > out)) {
      out = height;
      most = votes;
    }
  }
  return out.value_or(Height{});
}

void check_newest(ChainWalk& walk) {
  constexpr std::string_view kName = "mark of the newest height";
  const auto raw =
      walk.bytes(Family::meta, chain_keys::newest_height(), Damage::mark, std::nullopt, kName);
  const auto mark = walk.decoded<HeightRow>(raw, Damage::mark, std::nullopt, kName);
  const auto by_header = highest(walk, Family::blocks, 'h', Damage::header);
  const auto by_block = highest(walk, Family::blocks, 'b', Damage::block);
  const auto by_hash = highest(walk, Family::meta, 'H', Damage::history);
  // Mark and hash row move together, and what a crash left of blocks may stand above them
  // (store.h). Where one of the two differs, all others say what is right.
  const bool is_agreed = mark && by_hash && mark->height == *by_hash;
  walk.result.newest =
      is_agreed ? mark->height
                : most_named({by_header, by_block, by_hash,
                              mark ? std::optional<Height>(mark->height) : std::nullopt});
  walk.is_unfinished = by_header > walk.result.newest || by_block > walk.result.newest;
  if (!raw) {
    walk.report.found(Damage::mark, std::nullopt, std::string(kName), "it is missing");
  } else if (mark && mark->height != walk.result.newest) {
    walk.report.found(Damage::mark, std::nullopt, std::string(kName),
                      "it says " + std::to_string(mark->height.value) + ", the rows end at " +
                          std::to_string(walk.result.newest.value));
  }
  walk.report.advance();
}

void check_index_mark(ChainWalk& walk) {
  constexpr std::string_view kName = "mark of the index";
  const auto raw =
      walk.bytes(Family::meta, chain_keys::index_mark(), Damage::mark, std::nullopt, kName);
  const auto mark = walk.decoded<IndexMark>(raw, Damage::mark, std::nullopt, kName);
  if (!raw || (mark && *mark != IndexMark{.format = kIndexFormat, .is_whole = true})) {
    walk.report.found(Damage::mark, std::nullopt, std::string(kName),
                      "it is missing, of another program's format, or says that a rebuild of the "
                      "index was interrupted");
  }
  walk.report.advance();
}

/// Which blocks are not in the store. Of a mark that says nothing the first row tells.
void check_pruned(ChainWalk& walk) {
  constexpr std::string_view kName = "mark of pruned heights";
  const auto raw =
      walk.bytes(Family::meta, chain_keys::pruned(), Damage::mark, std::nullopt, kName);
  if (!raw) return;
  const auto mark = walk.decoded<HeightRow>(raw, Damage::mark, std::nullopt, kName);
  if (mark && mark->height.value > 0 && mark->height < walk.result.newest) {
    walk.result.pruned = mark->height;
    return;
  }
  if (mark) {
    walk.report.found(Damage::mark, std::nullopt, std::string(kName),
                      "it says " + std::to_string(mark->height.value) + ", which cannot be");
  }
  const auto rows = walk.store.rows(Family::blocks, as_bytes("b"));
  rows->seek(chain_keys::block(Height{1}));
  const auto is_there = rows->next();
  const auto first = is_there && *is_there ? height_in_key(rows->key()) : std::nullopt;
  if (first && first->value > 0) walk.result.pruned = {first->value - 1};
}

/// The head must follow from the genesis: then it says what everything below it would have said.
void check_base(ChainWalk& walk) {
  constexpr std::string_view kName = "head of the snapshot with which the chain began";
  auto head =
      walk.row<SnapshotHead>(Family::meta, chain_keys::base(), Damage::mark, std::nullopt, kName);
  if (!head) return;
  const Height height = head->header.height;
  const auto holds = check_snapshot_head(*head, walk.config.genesis, walk.config.verifier);
  if (!holds || height > walk.result.newest) {
    walk.report.found(Damage::mark, height, std::string(kName),
                      holds ? "it is above the newest height" : holds.error().context);
    return;
  }
  walk.report.remark("the chain of this node began with a snapshot of block " +
                     std::to_string(height.value) + "; older blocks are not here");
  walk.result.base = height;
  walk.base = *std::move(head);
}

/// Of a change that was fixed below the base the head says what its header said.
bool is_in_head(const SnapshotHead& head, const crypto::EpochRecord& record) {
  if (head.pending == record) return true;
  return std::any_of(head.trail.begin(), head.trail.end(),
                     [&](const TrailLink& link) { return link.next == record; });
}

/// Does a header of this height announce the record? Asked of both rows that hold it.
bool is_announced(ChainWalk& walk, Height fixed_at, const crypto::EpochRecord& record) {
  if (walk.base && is_in_head(*walk.base, record)) return true;
  const Hash hash = crypto::validators_hash(record);
  const auto holds = [&](const Header& header) {
    return header.next_validators_hash == hash &&
           header.epoch_last_height.next() == record.first_height;
  };
  const auto raw = walk.store.read(Family::blocks, chain_keys::header(fixed_at));
  if (raw && *raw) {
    const auto header = decode<Header>(**raw);
    if (header && holds(*header)) return true;
  }
  const auto raw_block = walk.store.read(Family::blocks, chain_keys::block(fixed_at));
  if (!raw_block || !*raw_block) return false;
  const auto block = decode<StoredBlock>(**raw_block);
  return block && holds(block->header);
}

void check_epochs(ChainWalk& walk) {
  std::vector<crypto::EpochRecord>& epochs = walk.result.epochs;
  epochs = {walk.config.genesis.epoch};
  for (Epoch number = epochs.front().epoch.next();; number = number.next()) {
    const std::string name = "record of epoch " + std::to_string(number.value);
    const auto raw =
        walk.bytes(Family::meta, chain_keys::epoch(number), Damage::epoch, std::nullopt, name);
    if (!raw) return;
    walk.report.advance();
    auto record = walk.decoded<crypto::EpochRecord>(raw, Damage::epoch, std::nullopt, name);
    if (!record) return;
    const std::uint64_t lead = std::uint64_t{epochs.back().log_window} + 1;
    const bool is_ordered = record->epoch == number && record->first_height.value > lead &&
                            record->first_height > epochs.back().first_height;
    const Height fixed_at = {is_ordered ? record->first_height.value - lead : 0};
    if (!is_ordered || fixed_at > walk.result.newest || !is_announced(walk, fixed_at, *record)) {
      walk.report.found(Damage::epoch, record->first_height, name,
                        "no header announces it as it stands here");
      return;
    }
    epochs.push_back(*std::move(record));
  }
}

}  // namespace

void ChainWalk::check_marks() {
  report.begin("marks and epochs", 0);
  const auto stored =
      bytes(Family::meta, chain_keys::genesis(), Damage::mark, std::nullopt, "genesis");
  if (!stored || *stored != encode(config.genesis)) {
    report.found(Damage::mark, std::nullopt, "genesis",
                 stored ? "it is not the genesis of the configuration" : "it is missing");
  }
  report.advance();
  check_newest(*this);
  check_index_mark(*this);
  check_base(*this);
  check_pruned(*this);
  check_epochs(*this);
}

// ------------------------------------------------------------------ history rows

void ChainWalk::check_history() {
  const std::uint64_t count = result.newest.value + 1;
  report.begin("history rows", count);
  const auto stored = bytes(Family::meta, chain_keys::history_frontier(), Damage::mark,
                            std::nullopt, "history frontier");
  if (!history_is_whole) {
    report.remark("the history could not be computed: of some heights nothing can be read");
  } else if (!stored || *stored != encode(history)) {
    report.found(Damage::mark, std::nullopt, "history frontier",
                 stored ? "it is not that of the headers" : "it is missing");
  }
  // The values were compared while the headers were read; here is what should not be there.
  visit_rows(*this, Family::meta, as_bytes("H"), Damage::history, [&](BytesView key, BytesView) {
    const auto height = height_in_key(key);
    if (!height || *height > result.newest || !has_header_row(*height)) {
      found_stray(*this, Family::meta, key, height, "no header of the chain has this hash row");
    }
    report.advance();
  });
  visit_rows(*this, Family::meta, as_bytes("S"), Damage::history_subtree,
             [&](BytesView key, BytesView) {
               if (key.size() != 10 || key[1] < kSubtreeLevelMin || key[1] >= 64) {
                 return found_stray(*this, Family::meta, key, std::nullopt, "no such subtree");
               }
               const std::uint64_t size = std::uint64_t{1} << key[1];
               const std::uint64_t first = read_big_endian(key.subspan(2));
               if (first % size != 0 || first >= count || size > count - first) {
                 found_stray(*this, Family::meta, key, std::nullopt, "no such subtree");
               }
             });
}

// ------------------------------------------------------------------ strays

namespace {

/// Rows of tags that no check reads.
void check_tags(ChainWalk& walk, Family family, std::string_view tags) {
  const auto cursor = walk.store.rows(family, {});
  for (;;) {
    const auto next = cursor->next();
    if (!next || !*next) return;  // unreadable places are found where their rows are read
    const BytesView key = cursor->key();
    const bool is_known = !key.empty() && tags.find(static_cast<char>(key[0])) != tags.npos;
    if (!is_known) found_stray(walk, family, key, std::nullopt, "no row begins like this");
    walk.report.advance();
    if (key.empty()) continue;
    if (key[0] == 0xFF) return;
    cursor->seek(Bytes{static_cast<std::uint8_t>(key[0] + 1)});
  }
}

void check_block_keys(ChainWalk& walk, char tag) {
  const Bytes prefix = {static_cast<std::uint8_t>(tag)};
  visit_rows(walk, Family::blocks, prefix, Damage::block, [&](BytesView key, BytesView) {
    const auto height = height_in_key(key);
    walk.report.advance();
    if (height && *height > walk.result.newest) {
      ++walk.unfinished_rows;
      return;
    }
    const bool is_of_genesis = tag == 'c' && height && height->value == 0;
    const bool has_none = is_of_genesis || (height && !walk.has_header_row(*height));
    if (!height || has_none) {
      found_stray(walk, Family::blocks, key, height, "the chain has no such row");
    }
  });
}

bool is_mark(BytesView key) {
  for (const std::string_view name :
       {"base", "certified", "genesis", "height", "history", "index", "pruned"}) {
    if (as_text(key) == name) return true;
  }
  return false;
}

}  // namespace

void ChainWalk::check_strays() {
  report.begin("rows that belong to nothing", 0);
  check_tags(*this, Family::blocks, kBlockTags);
  check_tags(*this, Family::index, kIndexTags);
  check_tags(*this, Family::meta, kMetaTags);
  for (const char tag : {'c', 'h'}) check_block_keys(*this, tag);  // check_blocks() sees all of 'b'
  if (unfinished_rows > 0) {
    report.remark(std::to_string(unfinished_rows) +
                  " rows of blocks above the newest height: a crash left them while their heights "
                  "were written down; the next start erases them");
  }
  for (const std::string_view tag : {"b", "c", "g", "h", "i", "p"}) {
    visit_rows(*this, Family::meta, as_bytes(tag), Damage::mark, [&](BytesView key, BytesView) {
      if (!is_mark(key)) {
        found_stray(*this, Family::meta, key, std::nullopt, "no mark has this name");
      }
    });
  }
  // check_epochs() has judged the row after the last epoch too.
  const std::uint64_t last_epoch = result.epochs.back().epoch.value + 1;
  visit_rows(*this, Family::meta, as_bytes("E"), Damage::epoch, [&](BytesView key, BytesView) {
    const bool is_expected = key.size() == 9 && read_big_endian(key.subspan(1)) <= last_epoch &&
                             read_big_endian(key.subspan(1)) > config.genesis.epoch.epoch.value;
    if (!is_expected) {
      found_stray(*this, Family::meta, key, std::nullopt, "no header announces such an epoch");
    }
  });
}

// ------------------------------------------------------------------ all of it

ChainAuditResult audit_chain(const AuditStore& store, const ChainAuditConfig& config,
                             AuditReport& report) {
  ChainWalk walk(store, config, report);
  walk.check_marks();
  const auto index = make_index_checks(walk);
  walk.check_blocks(index);
  walk.check_archives();
  walk.check_history();
  walk.check_state();
  walk.check_logs();
  report.begin("index rows", 0);
  for (const auto& check : index) check->finish();
  walk.check_strays();
  return walk.result;
}

std::optional<Header> header_in(const AuditStore& store, Height height) {
  const auto row = store.read(Family::blocks, chain_keys::header(height));
  if (!row || !*row) return std::nullopt;
  auto header = decode<Header>(**row);
  if (!header) return std::nullopt;
  return *std::move(header);
}

CheckpointAnswer compare_checkpoint(const AuditStore& store, const ChainAuditConfig& config,
                                    const ChainAuditResult& chain, const Checkpoint& other,
                                    AuditReport& report) {
  report.begin("checkpoint of another node", 1);
  const Height height = other.header.height;
  const auto found = [&](std::string what) {
    report.found(Damage::checkpoint, height, "checkpoint", std::move(what));
    return CheckpointAnswer::differs;
  };
  const ChainId chain_id = chain_id_of(config.genesis);
  if (other.header.chain_id != chain_id) return found("it is of another chain");
  const Hash hash = header_hash(other.header);
  if (other.certificate.vote.height != height || other.certificate.vote.header_hash != hash) {
    return found("its certificate is of another header");
  }
  const crypto::EpochRecord* epoch = nullptr;
  for (const auto& record : chain.epochs) {
    if (record.epoch == other.header.epoch) epoch = &record;
  }
  const bool is_above = height > chain.newest;
  if (epoch == nullptr && is_above) {
    report.remark(
        "the checkpoint is of an epoch that is not known here yet: its certificate "
        "cannot be checked");
  } else if (epoch == nullptr) {
    return found("it names an epoch that this chain does not have");
  } else if (auto certified =
                 crypto::check_certificate(other.certificate, chain_id, *epoch, config.verifier);
             !certified) {
    return found("its certificate does not hold: " + certified.error().context);
  }
  report.advance();
  if (is_above) return CheckpointAnswer::behind;
  if (height < chain.base) {
    report.remark("the checkpoint is older than the snapshot with which this chain began");
    return CheckpointAnswer::behind;
  }
  const auto own = header_in(store, height);
  if (!own) return found("there is no readable header of that height here");
  if (*own != other.header) {
    return found("the header of that height here is another one than the certified checkpoint");
  }
  return CheckpointAnswer::same;
}

}  // namespace baolian::ledger
