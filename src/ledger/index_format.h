/// Which rows the index family holds, and whether they are all there: a mark in the meta family.
///
/// A program that writes other index rows than its predecessor raises kIndexFormat. Its nodes then
/// do not open an older store: missing rows would be missing answers. `baoliand --reindex` makes
/// the rows again from the blocks, and while it does so the mark says that they are not whole.
#pragma once

#include "core/codec.h"
#include "core/result.h"
#include "ledger/store.h"

namespace baolian::ledger {

/// 1: log entries, subtrees, transactions, no mark. 2: operations too. 3: entries and operations of
/// a block in common rows.
inline constexpr std::uint16_t kIndexFormat = 3;

struct IndexMark {
  static constexpr std::string_view kTypeName = "IndexMark";
  std::uint16_t format = kIndexFormat;
  bool is_whole = false;  ///< false while the rows are being made again

  friend bool operator==(const IndexMark&, const IndexMark&) = default;
  static constexpr auto fields() {
    return field_list(
        field("format", &IndexMark::format, "which rows the index holds: 3"),
        field("is_whole", &IndexMark::is_whole, "0 = they are being made again from the blocks"));
  }
};

/// The mark's row. It is written with block 0, or with whatever else begins a chain here.
StoreWrite index_mark_row(bool is_whole);

/// Returns: Errc::store_corrupt if the index is of another format or not whole; the text says what
/// to run.
Result<void> check_index_mark(const KeyValueStore& store);

}  // namespace baolian::ledger
