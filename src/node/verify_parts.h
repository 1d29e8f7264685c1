/// Inside of verify_node(): its parts beside the chain.
#pragma once

#include <string>

#include "crypto/secret.h"
#include "ledger/audit/archive_check.h"
#include "ledger/audit/audit_store.h"
#include "ledger/audit/report.h"

namespace baolian::node {

/// True if a process has the log in this directory open.
bool log_is_in_use(const std::string& directory);

/// The segments of the consensus log: every record from the newest snapshot on, as replay reads
/// them, and the bytes between and behind the records. `in_use`: a node may append meanwhile.
enum class LogUse : std::uint8_t { at_rest, in_use };
void verify_log(const std::string& directory, LogUse use, ledger::AuditReport& report);

/// Sealed records and outgoing wraps. `chain` may be null: then nothing is compared with the
/// commitments on the chain. `key` may be null: then what is sealed stays unopened.
void verify_vault(const std::string& directory, const ledger::AuditStore* chain,
                  const crypto::Secret* key, ledger::AuditReport& report);

/// Snapshots kept for nodes that join: the head by the genesis, every chunk by its state_root.
/// `own`: the chain's headers, as far as they can be read.
void verify_snapshots(const std::string& directory, const ledger::ChainAuditConfig& config,
                      const ledger::OwnHeaders& own, ledger::AuditReport& report);

/// Everything else that is durable below the data directory: sealed directories, public contents,
/// the outbox, what is known of peers. `key` as above.
void verify_books(const std::string& data_directory, const crypto::Secret* key,
                  ledger::AuditReport& report);

}  // namespace baolian::node
