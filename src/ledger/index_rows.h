/// Index rows that hold many things of one block (docs/adr/0029-index-rows-in-runs.md): the entries
/// that it appended to a log, and what tables show of its operations.
#pragma once

#include <vector>

#include "ledger/log.h"
#include "ledger/operation_index.h"

namespace baolian::ledger {

/// A look for one entry or operation reads a whole row.
inline constexpr std::uint32_t kRunEntriesMax = 64;
inline constexpr std::uint32_t kPageOperationsMax = 64;

/// What a LogEntry says beyond time and height.
struct RunItem {
  static constexpr std::string_view kTypeName = "RunItem";
  std::uint32_t operation = 0;
  std::uint16_t line = 0;
  Hash leaf_hash;

  friend bool operator==(const RunItem&, const RunItem&) = default;
  static constexpr auto fields() {
    return field_list(
        field("operation", &RunItem::operation, "leaf index in the block's operations tree"),
        field("line", &RunItem::line, "line within a batched operation, else 0"),
        field("leaf_hash", &RunItem::leaf_hash, "RFC 9162 leaf hash of the operation leaf"));
  }
};

/// Entries that one block appended to one log, one after the other. The key has the position of the
/// last one.
struct LogRun {
  static constexpr std::string_view kTypeName = "LogRun";
  TimeMs time;
  Height height;
  std::vector<RunItem> items;

  LogEntry entry(std::size_t index) const {
    const RunItem& item = items[index];
    return {.time = time,
            .height = height,
            .operation = item.operation,
            .line = item.line,
            .leaf_hash = item.leaf_hash};
  }

  friend bool operator==(const LogRun&, const LogRun&) = default;
  static constexpr auto fields() {
    return field_list(field("time", &LogRun::time, "block time, ms"),
                      field("height", &LogRun::height, "block height"),
                      field("items", &LogRun::items, between(1, kRunEntriesMax),
                            "entries, the last at the position in the key"));
  }
};

/// Rows of the leaves first, first + 1 ... of one block, `first` a multiple of kPageOperationsMax.
struct OperationPage {
  static constexpr std::string_view kTypeName = "OperationPage";
  std::vector<OperationRow> rows;

  friend bool operator==(const OperationPage&, const OperationPage&) = default;
  static constexpr auto fields() {
    return field_list(field("rows", &OperationPage::rows, between(1, kPageOperationsMax),
                            "one a leaf, from the leaf in the key on"));
  }
};

/// The first leaf of the page that has a leaf.
constexpr std::uint32_t page_of_leaf(std::uint32_t leaf) {
  return leaf - leaf % kPageOperationsMax;
}

}  // namespace baolian::ledger
