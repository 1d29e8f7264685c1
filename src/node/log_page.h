/// Pages of complete logs for people: entries with what was asked, what came of it and who asked.
/// Read from the index alone; no block is opened.
///
/// A page's cursor is the position behind its last entry. Positions never change, so that a reader
/// who follows `next` meets every entry once, whatever is committed meanwhile.
#pragma once

#include <string>
#include <vector>

#include "ledger/chain.h"

namespace baolian::node {

/// An operation in words, for tables.
struct OperationView {
  std::string operation;    ///< name of its kind; empty for one that does not exist
  std::string outcome;      ///< names of its events, or of the code by which it was rejected
  std::string institution;  ///< name of the sender's, as it is now

  friend bool operator==(const OperationView&, const OperationView&) = default;
};

/// One for each entry; empty words where this node has no index row of the operation.
std::vector<OperationView> views_of(const ledger::Chain& chain,
                                    const std::vector<ledger::PositionedEntry>& entries);

struct LogPageQuery {
  ledger::LogId log{};
  TimeMs from{};  ///< entries with from <= time < to
  TimeMs to{UINT64_MAX};
  std::uint64_t after = 0;  ///< `next` of the page before
  std::size_t limit = 0;    ///< entries at most
};

/// The answer of GET /v1/audit/log (docs/api.md). `count` is the log's length at this moment.
std::string log_page_json(const ledger::Chain& chain, const LogPageQuery& query);

}  // namespace baolian::node
