/// What a check of a node's data found: each damage with its kind and place, what was counted, and
/// what a person should know beside it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"

namespace baolian::ledger {

enum class Damage : std::uint8_t {
  header = 0,           ///< a header row, or what a header says
  block = 1,            ///< a block row that is missing, unreadable, or has another header
  batch = 2,            ///< what consensus ordered
  body = 3,             ///< a transaction
  receipt = 4,          ///< a receipt
  certificate = 5,      ///< signatures of validators
  epoch = 6,            ///< the record of an epoch
  history = 7,          ///< a header's hash among those of all headers
  history_subtree = 8,  ///< a hash above them
  mark = 9,             ///< a number or name that stands once: heights, genesis, frontier
  state = 10,           ///< keys and values that contracts wrote
  log_entry = 11,       ///< an entry of a complete log
  log_subtree = 12,     ///< a hash above entries
  index = 13,           ///< a row that serves queries
  stray_row = 14,       ///< a row that belongs to nothing
  store_file = 15,      ///< a file of RocksDB
  consensus_log = 16,   ///< a segment of the consensus log
  record = 17,          ///< a sealed record or its key in the vault
  book = 18,            ///< another file of the node
  checkpoint = 19,      ///< another node's checkpoint
  archive = 20,         ///< a file of archived blocks, or its certificate
  snapshot = 21,        ///< the head or a chunk of a snapshot that is kept for nodes that join
};
constexpr auto enum_names(Damage) {
  return std::array<std::string_view, 22>{
      "header",      "block",      "batch",           "body",       "receipt",       "certificate",
      "epoch",       "history",    "history_subtree", "mark",       "state",         "log_entry",
      "log_subtree", "index",      "stray_row",       "store_file", "consensus_log", "record",
      "book",        "checkpoint", "archive",         "snapshot"};
}

/// What to do about a damage of this kind, in a sentence.
std::string_view remedy_of(Damage damage);

struct Finding {
  Damage damage{};
  std::optional<Height> height;  ///< none for what belongs to no height
  std::string place;             ///< row or file
  std::string what;              ///< what is wrong with it
};

/// One check: a line of the table.
struct AuditCheck {
  std::string name;
  std::uint64_t checked = 0;  ///< how many things of its kind
  std::uint64_t damages = 0;  ///< how many findings, kept or not
};

/// Collects; also tells how far the work is. One thread.
class AuditReport {
 public:
  /// Of each check at most this many findings are kept; all are counted.
  static constexpr std::uint64_t kKeptEach = 100;
  /// `total` is 0 where nobody knows it; `done` above `total` means that it was estimated.
  using Progress =
      std::function<void(std::string_view check, std::uint64_t done, std::uint64_t total)>;

  explicit AuditReport(Progress progress = {}) : progress_(std::move(progress)) {}

  /// Everything from here on belongs to this check.
  void begin(std::string name, std::uint64_t total);
  /// That many more things are checked.
  void advance(std::uint64_t count = 1);
  /// Requires: begin() was called.
  void found(Damage damage, std::optional<Height> height, std::string place, std::string what);
  /// Something to know that is no damage.
  void remark(std::string words);

  const std::vector<AuditCheck>& checks() const { return checks_; }
  const std::vector<Finding>& findings() const { return findings_; }
  const std::vector<std::string>& remarks() const { return remarks_; }
  std::uint64_t damage_count() const { return damage_count_; }
  /// The lowest height of a finding; none if no finding has a height.
  std::optional<Height> first_bad_height() const { return first_bad_; }
  /// The finding of that height that was found first; else the first of all. Nothing if all is
  /// well.
  const Finding* first() const;

 private:
  Progress progress_;
  std::vector<AuditCheck> checks_;
  std::uint64_t total_ = 0;
  std::vector<Finding> findings_;
  std::vector<std::string> remarks_;
  std::uint64_t damage_count_ = 0;
  std::optional<Height> first_bad_;
  std::optional<Finding> first_;
};

}  // namespace baolian::ledger
