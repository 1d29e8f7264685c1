/// Complete logs: append-only lists whose windows can be proved complete (ledger.md). The state
/// keeps the frontier of each list under `log/` || u8 kind || '/' || 32-byte id; the entries
/// themselves are index rows.
#pragma once

#include <string_view>
#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "ledger/merkle.h"

namespace baolian::ledger {

enum class LogKind : std::uint8_t {
  reads_of_record = 1,
  reads_of_subject = 2,      ///< SubjectId(care)
  reads_by_institution = 3,  ///< the reader's institution
  reads_at_institution = 4,  ///< custodian or holder
  denials_of_subject = 5,
  denials_by_institution = 6,
  consents_of_subject = 7,  ///< SubjectId(grantee's audience)
  claim = 8,                ///< the story of a claim
  claims_of_insurer = 9,
  reports_of_institution = 10,
  payouts_of_insurer = 11,
  alarms = 12,  ///< id = zeros
};
constexpr auto enum_names(LogKind) {
  return std::array<std::string_view, 13>{"",
                                          "reads_of_record",
                                          "reads_of_subject",
                                          "reads_by_institution",
                                          "reads_at_institution",
                                          "denials_of_subject",
                                          "denials_by_institution",
                                          "consents_of_subject",
                                          "claim",
                                          "claims_of_insurer",
                                          "reports_of_institution",
                                          "payouts_of_insurer",
                                          "alarms"};
}

struct LogId {
  static constexpr std::string_view kTypeName = "LogId";
  LogKind kind{LogKind::alarms};
  Hash id;

  friend auto operator<=>(const LogId&, const LogId&) = default;
  static constexpr auto fields() {
    return field_list(field("kind", &LogId::kind, "which list"),
                      field("id", &LogId::id, "of what"));
  }
};

struct LogEntry {
  static constexpr std::string_view kTypeName = "LogEntry";
  TimeMs time;  ///< block time; does not decrease along the list
  Height height;
  std::uint32_t operation = 0;  ///< leaf index in the block's operations tree
  std::uint16_t line = 0;       ///< line within a batched operation, else 0
  Hash leaf_hash;               ///< operations_root leaf hash

  friend bool operator==(const LogEntry&, const LogEntry&) = default;
  static constexpr auto fields() {
    return field_list(
        field("time", &LogEntry::time, "block time, ms; does not decrease"),
        field("height", &LogEntry::height, "block height"),
        field("operation", &LogEntry::operation, "leaf index in the block's operations tree"),
        field("line", &LogEntry::line, "line within a batched operation, else 0"),
        field("leaf_hash", &LogEntry::leaf_hash, "RFC 9162 leaf hash of the operation leaf"));
  }
};

/// A contract's wish to append: carried out after the receipt is final.
struct LogAppend {
  LogId log;
  std::uint16_t line = 0;
};

/// Where the frontiers stand in the state. Contracts never write there; Chain::append() does.
inline constexpr std::string_view kLogStatePrefix = "log/";

/// The state key of a log's frontier (canonical Frontier).
Bytes log_state_key(const LogId& log);

}  // namespace baolian::ledger
