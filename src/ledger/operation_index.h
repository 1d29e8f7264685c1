/// What a table shows of an operation without its block: one index row for each operation leaf.
///
/// One row a leaf and not one an entry of a log: a reading stands in four logs and more, so rows at
/// the leaf are a quarter of the rows, and one that is added to a log later costs nothing. Their
/// keys rise with the height, so that they are written at the end of the family and never rewritten
/// by compaction. What it costs is a second read for a page: one batch of keys that ascend as the
/// page's entries do.
///
/// The ledger does not know what kinds and events mean. What contracts need of an event to name an
/// outcome stands in the two bytes after the version byte of its body (a denial's code).
///
/// Rows are made of blocks alone: reindexing and verify-node make them again.
#pragma once

#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "core/result.h"
#include "ledger/transaction.h"

namespace baolian::ledger {

/// Limit of Receipt::events.
inline constexpr std::uint32_t kReceiptEventsMax = 32;

struct EventMark {
  static constexpr std::string_view kTypeName = "EventMark";
  std::uint16_t kind = 0;    ///< contracts/events.h
  std::uint16_t detail = 0;  ///< bytes 1 and 2 of the body, little-endian; 0 for a shorter one

  friend bool operator==(const EventMark&, const EventMark&) = default;
  static constexpr auto fields() {
    return field_list(
        field("kind", &EventMark::kind, "event kind"),
        field("detail", &EventMark::detail,
              "the two bytes after the version byte of the event's body, 0 for a shorter body; "
              "the code of a denial"));
  }
};

struct OperationRow {
  static constexpr std::string_view kTypeName = "OperationRow";
  std::uint16_t kind = 0;  ///< of the operation; 0 for a transaction rejected as a whole
  ReceiptStatus status{};
  std::uint16_t code = 0;  ///< of the receipt
  PublicKey sender;        ///< a member: leads to the institution
  std::vector<EventMark> events;

  friend bool operator==(const OperationRow&, const OperationRow&) = default;
  static constexpr auto fields() {
    return field_list(
        field("kind", &OperationRow::kind,
              "operation kind; 0 for a transaction rejected as a whole"),
        field("status", &OperationRow::status, "what became of the operation"),
        field("code", &OperationRow::code, "0, or why it was rejected"),
        field("sender", &OperationRow::sender, "key that signed"),
        field("events", &OperationRow::events, at_most(kReceiptEventsMax), "events in order"));
  }
};

/// The row of a leaf. Returns: codec errors if operation or receipt do not decode.
Result<OperationRow> operation_row(const OperationLeaf& leaf);

}  // namespace baolian::ledger
