/// Inside of audit_chain(): what its parts share. Not for other folders.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/archive.h"
#include "ledger/audit/chain_audit.h"
#include "ledger/chain_state.h"
#include "ledger/merkle.h"

namespace baolian::ledger {

/// The operation leaves of all blocks, 8 bytes of each hash, and the blocks' times: what entries of
/// logs are compared with. A quarter of a hash finds damage; against somebody who makes collisions
/// stands the frontier in the certified state.
class LeafTable {
 public:
  /// Requires: heights come one after the other from 0.
  void add_block(TimeMs timestamp, const CheckedBlock& block);
  /// A block that could not be read: its entries are not compared.
  void add_unknown();

  enum class Answer : std::uint8_t { right, wrong_time, no_leaf, wrong_leaf, unknown };
  Answer compare(const LogEntry& entry) const;

 private:
  static constexpr std::uint64_t kUnknownTime = ~std::uint64_t{0};
  std::deque<std::uint64_t> leaves_;
  std::deque<std::uint64_t> first_leaf_;  // by height; where the block's leaves begin
  std::deque<std::uint64_t> times_ms_;    // by height
};

/// A block that holds, for who checks what is made of blocks.
struct AuditedBlock {
  Height height;
  const CheckedBlock& content;
};

/// One kind of index rows: all of a tag. A kind that is new in the index gets a class here and a
/// line in make_index_checks().
class IndexCheck {
 public:
  virtual ~IndexCheck() = default;
  /// Called for every height from 0 on; `content.is_whole` is false for a damaged block.
  virtual void on_block(const AuditedBlock& block) = 0;
  /// After the newest block: rows that no block explains.
  virtual void finish() = 0;
};

struct ChainWalk {
  const AuditStore& store;
  const ChainAuditConfig& config;
  AuditReport& report;
  ChainId chain_id;

  ChainAuditResult result;
  /// With which the chain began, if it did and it holds: headers, blocks and entries of logs of
  /// lower heights are not here.
  std::optional<SnapshotHead> base;
  /// Above this height the epoch is unknown because its record is damaged.
  std::optional<Height> epochs_known_to;
  std::optional<Header> newest_header;
  Frontier history;              ///< over the headers 0..newest as they should be
  bool history_is_whole = true;  ///< false: of some height nothing is known
  LeafTable leaves;

  ChainWalk(const AuditStore& opened, const ChainAuditConfig& how, AuditReport& to)
      : store(opened), config(how), report(to), chain_id(chain_id_of(how.genesis)) {}

  /// A row decoded; what it lacks becomes a finding. nullopt if it is absent or damaged.
  template <typename T>
  std::optional<T> row(Family family, const Bytes& key, Damage damage, std::optional<Height> height,
                       std::string_view name);
  template <typename T>
  std::optional<T> decoded(const std::optional<Bytes>& bytes, Damage damage,
                           std::optional<Height> height, std::string_view name);
  /// The bytes of a row; a place that cannot be read becomes a finding.
  std::optional<Bytes> bytes(Family family, const Bytes& key, Damage damage,
                             std::optional<Height> height, std::string_view name);

  /// Has this height rows of its own: it is not below the base, or an epoch ended with it.
  bool has_header_row(Height height) const;
  const crypto::EpochRecord* epoch_at(Height height) const;  ///< nullptr if unknown
  const crypto::EpochRecord* pending_at(Height height) const;

  /// A block that is not in the store: from the archive, or nothing. Each damage and each missing
  /// file is reported once. Requires: heights ascend.
  std::optional<StoredBlock> archived_block(Height height);
  /// A block from wherever it is, without findings.
  std::optional<StoredBlock> peek_block(Height height) const;

  // In this order.
  void check_marks();  ///< newest height, epochs
  void check_blocks(const std::vector<std::unique_ptr<IndexCheck>>& index);
  void check_history();
  void check_state();
  void check_logs();
  void check_archives();
  void check_strays();

  /// Rows of blocks above the newest height are what a crash left: no damage (store.h).
  bool is_unfinished = false;
  std::uint64_t unfinished_rows = 0;

 private:
  std::optional<ArchiveFile> archive_file_;  ///< of the last archived_block()
  std::optional<HeightSpan> unreadable_;     ///< a file that cannot be opened, already found
  std::optional<HeightSpan> missing_;        ///< pruned heights of which no file is here
};

std::vector<std::unique_ptr<IndexCheck>> make_index_checks(ChainWalk& walk);

/// Calls `visit(key, value)` for every row; a place that cannot be read becomes a finding and ends
/// the visit. Returns: false then.
template <typename Visit>
bool visit_rows(ChainWalk& walk, Family family, BytesView prefix, Damage damage,
                const Visit& visit) {
  const auto cursor = walk.store.rows(family, prefix);
  for (;;) {
    const auto next = cursor->next();
    if (!next) {
      walk.report.found(damage, std::nullopt, "rows after " + to_hex(prefix), next.error().context);
      return false;
    }
    if (!*next) return true;
    visit(cursor->key(), cursor->value());
  }
}

/// Height that stands in the last eight bytes of a key of this form; nullopt for another form.
std::optional<Height> height_in_key(BytesView key);

/// Reports a row that belongs to nothing.
void found_stray(ChainWalk& walk, Family family, BytesView key, std::optional<Height> height,
                 std::string what);

std::string at_height(std::string_view what, Height height);

template <typename T>
std::optional<T> ChainWalk::decoded(const std::optional<Bytes>& row, Damage damage,
                                    std::optional<Height> height, std::string_view name) {
  if (!row) return std::nullopt;
  auto value = decode<T>(*row);
  if (value) return *std::move(value);
  report.found(damage, height, std::string(name), "it does not decode: " + value.error().context);
  return std::nullopt;
}

template <typename T>
std::optional<T> ChainWalk::row(Family family, const Bytes& key, Damage damage,
                                std::optional<Height> height, std::string_view name) {
  return decoded<T>(bytes(family, key, damage, height, name), damage, height, name);
}

}  // namespace baolian::ledger
