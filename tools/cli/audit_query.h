/// A question to a complete log, with or without proof; shared by `audit` and `record log`.
#pragma once

#include <cstdint>
#include <string>

#include "cli/client.h"

namespace CLI {
class App;
}

namespace baolian::cli {

struct AuditQuery {
  std::string kind;              ///< log kind (docs/formats.md)
  std::string id;                ///< whose list
  std::string from;              ///< start of the window; empty: from the beginning
  std::string to;                ///< its end, not included; empty: now
  std::string prove;             ///< write evidence to this file
  std::uint64_t min_height = 0;  ///< the node must have certified this height
};

/// Adds --from, --to, --prove, --min-height.
void add_window_options(CLI::App& command, AuditQuery& query);
/// Asks, prints, writes evidence; sets context.exit.
void run_audit_query(Context& context, const AuditQuery& query);

}  // namespace baolian::cli
