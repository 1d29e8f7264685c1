/// Headers, certificates and blocks of a stored chain, height by height.
///
/// Which header is right is decided before anything is compared with it. Up to five witnesses name
/// the hash of one height: the header row, the block's own copy, the row of hashes, the next
/// header's parent_hash, and a certificate. A certificate whose signatures hold decides; without
/// one the majority does. So one damaged row is named as what it is, and does not make everything
/// above it look damaged.
#include <algorithm>

#include "ledger/audit/chain_walk.h"
#include "ledger/chain.h"

namespace baolian::ledger {
namespace {

/// Everything that is stored of one height.
struct Stored {
  Height height;
  std::optional<Header> header;
  std::optional<StoredBlock> block;
  std::optional<Hash> hash_row;
  std::optional<crypto::ExecCertificate> certificate;  ///< whose signatures hold
};

/// The block rows in order, each read once; also finds those that belong to no height.
class BlockRows {
 public:
  explicit BlockRows(ChainWalk& walk)
      : walk_(walk), cursor_(walk.store.rows(Family::blocks, as_bytes("b"))) {}

  /// Requires: heights ascend.
  std::optional<StoredBlock> take(Height height) {
    const bool is_pruned = height.value > 0 && height <= walk_.result.pruned;
    if (is_pruned) return walk_.archived_block(height);  // a row of it is a stray
    const Bytes wanted = chain_keys::block(height);
    const std::string name = at_height("block", height);
    for (;;) {
      if (!is_there_) {
        const auto next = cursor_->next();
        if (!next) {
          walk_.report.found(Damage::block, height, name, next.error().context);
          cursor_->seek(chain_keys::block(height.next()));
          return std::nullopt;
        }
        if (!*next) break;
        is_there_ = true;
      }
      const auto order = compare(cursor_->key(), wanted);
      if (order > 0) break;
      is_there_ = false;
      if (order < 0) {
        found_stray(walk_, Family::blocks, cursor_->key(), std::nullopt, "no block is stored so");
        continue;
      }
      return walk_.decoded<StoredBlock>(to_bytes(cursor_->value()), Damage::block, height, name);
    }
    walk_.report.found(Damage::block, height, name, "it is missing");
    return std::nullopt;
  }

  /// After the newest height: what remains is too much.
  void finish() {
    for (;; is_there_ = false) {
      if (!is_there_) {
        const auto next = cursor_->next();
        if (!next || !*next) return;
      }
      if (height_in_key(cursor_->key())) {
        ++walk_.unfinished_rows;
      } else {
        found_stray(walk_, Family::blocks, cursor_->key(), std::nullopt, "no block is stored so");
      }
    }
  }

 private:
  static int compare(BytesView a, BytesView b) {
    if (std::equal(a.begin(), a.end(), b.begin(), b.end())) return 0;
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end()) ? -1 : 1;
  }

  ChainWalk& walk_;
  std::unique_ptr<RowCursor> cursor_;
  bool is_there_ = false;
};

/// After so many heights of which nothing can be read no more are looked for.
constexpr std::uint64_t kEmptyHeightsMax = 1000;

class BlockWalk {
 public:
  BlockWalk(ChainWalk& walk, const std::vector<std::unique_ptr<IndexCheck>>& index)
      : walk_(walk), index_(index), rows_(walk) {}

  void run() {
    const Height first = walk_.result.base;
    walk_.report.begin("blocks and certificates", walk_.result.newest.value + 1 - first.value);
    if (walk_.base) begin_at(*walk_.base);
    Stored present = load(first);
    for (std::uint64_t empty = 0;;) {
      empty = is_empty(present) ? empty + 1 : 0;
      const bool is_last = present.height == walk_.result.newest;
      if (!is_last && empty == kEmptyHeightsMax) {
        give_up_after(present.height);
        break;
      }
      std::optional<Stored> next;
      if (!is_last) next = load(present.height.next());
      judge(present, next ? &*next : nullptr);
      walk_.report.advance();
      if (is_last) break;
      present = *std::move(next);
    }
    rows_.finish();
    check_certified_mark();
  }

 private:
  void found(Damage damage, Height height, std::string_view name, std::string what) {
    walk_.report.found(damage, height, at_height(name, height), std::move(what));
  }

  /// What is here of lower heights: header 0, and the ends of epochs as the head has them.
  void begin_at(const SnapshotHead& head) {
    const Header zero = genesis_header(walk_.config.genesis, walk_.config.genesis_writes);
    check_row(Family::blocks, chain_keys::header(zero.height), encode(zero), zero.height);
    for (const TrailLink& link : head.trail) {
      const Height height = link.header.height;
      check_row(Family::blocks, chain_keys::header(height), encode(link.header), height);
      check_row(Family::blocks, chain_keys::certificate(height), encode(link.certificate), height);
      check_row(Family::meta, chain_keys::header_hash(height),
                to_bytes(header_hash(link.header).view()), height);
    }
    const CheckedBlock nothing;
    for (Height height; height < walk_.result.base; ++height) {
      walk_.leaves.add_unknown();
      for (const auto& check : index_) check->on_block({height, nothing});
    }
    walk_.history = head.history;
    walk_.result.certified = walk_.result.base;
    newest_certificate_ = walk_.result.base;
  }

  void check_row(Family family, const Bytes& key, const Bytes& wanted, Height height) {
    const auto row = walk_.store.read(family, key);
    if (row && *row == wanted) return;
    found(Damage::header, height, "row kept from below the snapshot",
          !row    ? row.error().context
          : !*row ? "it is missing"
                  : "it is not what the snapshot's head says");
  }

  static bool is_empty(const Stored& stored) {
    return !stored.header && !stored.block && !stored.hash_row;
  }

  /// A changed mark can say any height: who follows it looks for rows for ever.
  void give_up_after(Height height) {
    found(Damage::header, height, "header row",
          "it and those of the " + std::to_string(kEmptyHeightsMax) +
              " heights around it are missing; the chain above is not checked");
    walk_.history_is_whole = false;
    walk_.result.newest = {height.value - std::min(height.value, kEmptyHeightsMax)};
  }

  Stored load(Height height) {
    Stored out;
    out.height = height;
    const Bytes header_key = chain_keys::header(height);
    const auto header = walk_.store.read(Family::blocks, header_key);
    if (!header) {
      found(Damage::header, height, "header row", header.error().context);
    } else if (!*header) {
      found(Damage::header, height, "header row", "it is missing");
    } else {
      out.header =
          walk_.decoded<Header>(*header, Damage::header, height, at_height("header row", height));
    }
    const bool is_base = walk_.base && height == walk_.result.base;
    if (!is_base) out.block = rows_.take(height);
    const auto hash = walk_.store.read(Family::meta, chain_keys::header_hash(height));
    if (!hash || !*hash || (*hash)->size() != Hash::kSize) {
      found(Damage::history, height, "hash row",
            !hash    ? hash.error().context
            : !*hash ? "it is missing"
                     : "it is no hash");
    } else {
      out.hash_row = Hash::from(**hash);
    }
    out.certificate = load_certificate(height);
    return out;
  }

  std::optional<crypto::ExecCertificate> load_certificate(Height height) {
    const std::string name = at_height("certificate", height);
    auto certificate = walk_.row<crypto::ExecCertificate>(
        Family::blocks, chain_keys::certificate(height), Damage::certificate, height, name);
    if (!certificate) return std::nullopt;
    newest_certificate_ = height;
    const crypto::EpochRecord* epoch = walk_.epoch_at(height);
    if (epoch == nullptr) {
      ++unchecked_certificates_;
      return std::nullopt;
    }
    if (certificate->vote.height != height) {
      found(Damage::certificate, height, "certificate", "it is of another height");
      return std::nullopt;
    }
    const auto holds =
        crypto::check_certificate(*certificate, walk_.chain_id, *epoch, walk_.config.verifier);
    if (!holds) {
      found(Damage::certificate, height, "certificate", holds.error().context);
      return std::nullopt;
    }
    return certificate;
  }

  void judge(const Stored& here, const Stored* next) {
    const std::optional<Hash> agreed = agreed_hash(here, next);
    report_dissent(here, next, agreed);
    const Header* header = nullptr;
    if (here.header && agreed == header_hash(*here.header)) header = &*here.header;
    if (header == nullptr && here.block && agreed == header_hash(here.block->header)) {
      header = &here.block->header;
    }
    if (header != nullptr && header->height != here.height) {
      found(Damage::header, here.height, "header", "it is of another height");
      header = nullptr;
    }
    if (header != nullptr) check_header(*header);
    check_content(here, header);
    parent_time_.reset();
    if (header != nullptr) {
      parent_time_ = header->timestamp;
      if (next == nullptr) walk_.newest_header = *header;
      if (here.certificate) walk_.result.certified = here.height;
    }
    if (agreed) {
      append_to_history(here.height, *agreed);
    } else {
      walk_.history_is_whole = false;
    }
  }

  static std::optional<Hash> parent_hash_in(const Stored* next) {
    if (next == nullptr) return std::nullopt;
    if (next->header) return next->header->parent_hash;
    if (next->block) return next->block->header.parent_hash;
    return std::nullopt;
  }

  static std::optional<Hash> agreed_hash(const Stored& here, const Stored* next) {
    if (here.certificate) return here.certificate->vote.header_hash;
    std::vector<Hash> witnesses;
    if (here.header) witnesses.push_back(header_hash(*here.header));
    if (here.block) witnesses.push_back(header_hash(here.block->header));
    if (here.hash_row) witnesses.push_back(*here.hash_row);
    if (const auto parent = parent_hash_in(next)) witnesses.push_back(*parent);
    std::optional<Hash> best;
    std::ptrdiff_t most = 0;
    for (const Hash& hash : witnesses) {
      const auto count = std::count(witnesses.begin(), witnesses.end(), hash);
      if (count > most) {
        best = hash;
        most = count;
      }
    }
    return best;
  }

  void report_dissent(const Stored& here, const Stored* next, const std::optional<Hash>& agreed) {
    if (!agreed) return;
    const std::string why = here.certificate ? "the certificate is of another header"
                                             : "the other rows of this height name another header";
    if (here.header && header_hash(*here.header) != *agreed) {
      found(Damage::header, here.height, "header row", why);
    }
    if (here.block && header_hash(here.block->header) != *agreed) {
      found(Damage::block, here.height, "header in the block row", why);
    }
    if (here.hash_row && *here.hash_row != *agreed) {
      found(Damage::history, here.height, "hash row", "it is not the header's hash");
    }
    // If the next height's rows differ among themselves, that is found there.
    const bool next_is_torn =
        next != nullptr && next->header && next->block && *next->header != next->block->header;
    const auto parent = parent_hash_in(next);
    if (parent && *parent != *agreed && !next_is_torn) {
      found(Damage::header, next->height, "header", "its parent_hash is not the header below");
    }
  }

  void check_header(const Header& header) {
    const Height height = header.height;
    const auto differs = [&](std::string_view field) {
      found(Damage::header, height, "header", "its " + std::string(field) + " is wrong");
    };
    if (height.value == 0) {
      if (header != genesis_header(walk_.config.genesis, walk_.config.genesis_writes)) {
        found(Damage::header, height, "header", "this program makes another block 0");
      }
      return;
    }
    if (walk_.base && height == walk_.result.base && header != walk_.base->header) {
      found(Damage::header, height, "header", "it is not that of the snapshot's head");
    }
    if (header.chain_id != walk_.chain_id) differs("chain_id");
    if (parent_time_ && header.timestamp < *parent_time_) differs("timestamp");
    if (walk_.history_is_whole && header.history_root != walk_.history.root())
      differs("history_root");
    check_epoch_fields(header);
  }

  void check_epoch_fields(const Header& header) {
    const Height height = header.height;
    const crypto::EpochRecord* pending = walk_.pending_at(height);
    const bool announces = header.epoch_last_height.value != 0;
    if (announces && pending == nullptr && !walk_.epochs_known_to) {
      found(Damage::epoch, height, "record of the next epoch",
            "a header announces it, but no record that holds is stored");
      walk_.epochs_known_to = header.epoch_last_height;
    }
    const crypto::EpochRecord* epoch = walk_.epoch_at(height);
    if (epoch == nullptr) return;
    const bool is_own = header.height == height && header.epoch == epoch->epoch &&
                        header.consensus_kind == epoch->consensus_kind &&
                        header.validators_hash == hash_of_epoch(*epoch);
    if (!is_own) found(Damage::header, height, "header", "its epoch or validators_hash is wrong");
    if (announces && pending == nullptr) return;
    const Hash next_hash = pending != nullptr ? crypto::validators_hash(*pending) : Hash{};
    const Height last = {pending != nullptr ? pending->first_height.value - 1 : 0};
    if (header.next_validators_hash != next_hash || header.epoch_last_height != last) {
      found(Damage::header, height, "header", "it does not announce the next epoch as it must");
    }
  }

  const Hash& hash_of_epoch(const crypto::EpochRecord& epoch) {
    if (!known_epoch_ || *known_epoch_ != epoch.epoch) {
      known_epoch_ = epoch.epoch;
      known_epoch_hash_ = crypto::validators_hash(epoch);
    }
    return known_epoch_hash_;
  }

  void check_content(const Stored& here, const Header* header) {
    CheckedBlock content;
    if (here.block && header != nullptr) content = check_body(*here.block, *header);
    if (content.is_whole) {
      walk_.leaves.add_block(header->timestamp, content);
    } else {
      walk_.leaves.add_unknown();
    }
    for (const auto& check : index_) check->on_block({here.height, content});
  }

  CheckedBlock check_body(const StoredBlock& block, const Header& header) {
    if (header.height.value == 0) {
      const bool is_empty =
          block.batch.empty() && block.transactions.empty() && block.receipts.empty();
      if (!is_empty) found(Damage::block, header.height, "block", "block 0 holds no operations");
      CheckedBlock none;
      none.is_whole = is_empty;
      return none;
    }
    const BlockRules rules{walk_.chain_id, walk_.config.batches, walk_.config.verifier,
                           walk_.config.signatures};
    // Where the parent is unknown the time is checked against the batch alone.
    return check_block(block, header, parent_time_.value_or(header.timestamp), rules, walk_.report);
  }

  void append_to_history(Height height, const Hash& hash) {
    if (!walk_.history_is_whole) return;
    walk_.history.append(
        merkle_leaf_hash(hash.view()), [&](unsigned level, std::uint64_t first, const Hash& root) {
          if (level < kSubtreeLevelMin) return;
          const Bytes key = chain_keys::history_subtree(level, first);
          const auto row = walk_.store.read(Family::meta, key);
          if (row && *row && BytesView(**row).size() == Hash::kSize && Hash::from(**row) == root) {
            return;
          }
          walk_.report.found(Damage::history_subtree, height,
                             "history subtree of level " + std::to_string(level) + " from height " +
                                 std::to_string(first),
                             !row    ? row.error().context
                             : !*row ? "it is missing"
                                     : "it is not the root over its headers");
        });
  }

  void check_certified_mark() {
    constexpr std::string_view kName = "mark of the newest certified height";
    const auto raw = walk_.bytes(Family::meta, chain_keys::newest_certified(), Damage::mark,
                                 std::nullopt, kName);
    const auto mark = walk_.decoded<HeightRow>(raw, Damage::mark, std::nullopt, kName);
    // With rows of blocks, certificates may have come down before their mark.
    const bool is_right = mark && (mark->height == newest_certificate_ ||
                                   (walk_.is_unfinished && mark->height < newest_certificate_));
    if (!raw || (mark && !is_right)) {
      walk_.report.found(
          Damage::mark, std::nullopt, std::string(kName),
          "the newest certificate here is of height " + std::to_string(newest_certificate_.value));
    }
    if (unchecked_certificates_ > 0) {
      walk_.report.remark(std::to_string(unchecked_certificates_) +
                          " certificates could not be checked: their epoch's record is damaged");
    }
    const Height newest = walk_.result.newest;
    if (walk_.result.certified < newest) {
      walk_.report.remark("heights " + std::to_string(walk_.result.certified.value + 1) + " to " +
                          std::to_string(newest.value) +
                          " are executed here and not certified by anything stored here");
    }
  }

  ChainWalk& walk_;
  const std::vector<std::unique_ptr<IndexCheck>>& index_;
  BlockRows rows_;
  std::optional<TimeMs> parent_time_;
  std::optional<Epoch> known_epoch_;
  Hash known_epoch_hash_;
  Height newest_certificate_;
  std::uint64_t unchecked_certificates_ = 0;
};

}  // namespace

void ChainWalk::check_blocks(const std::vector<std::unique_ptr<IndexCheck>>& index) {
  BlockWalk(*this, index).run();
}

}  // namespace baolian::ledger
