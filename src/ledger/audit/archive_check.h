/// One archive file from its bytes, the genesis and the certificate beside it: needs no node and no
/// store. Nothing here ends the process on bad bytes.
#pragma once

#include <functional>
#include <string>

#include "ledger/archive.h"
#include "ledger/audit/chain_audit.h"

namespace baolian::ledger {

/// What a file holds, as far as it could be read.
struct ArchiveAnswer {
  HeightSpan span;
  Hash hash;  ///< the same on all nodes
  std::uint64_t size_bytes = 0;
  std::uint64_t transactions = 0;
  std::uint64_t operations = 0;
  std::optional<Header> first_header;
  std::optional<Header> last_header;
  Height certified;  ///< height of the certificate that holds; 0 if none does
};

/// Our own headers, where there are any: nothing is believed that differs from them.
using OwnHeaders = std::function<std::optional<Header>(Height)>;

/// Whether a certificate is asked for: a node that made the file itself has its own headers.
enum class ArchiveProof : std::uint8_t { certificate, own_headers };

/// Checks head, index and hash, every block against its header (batch, bodies, receipts), each
/// header against the one below, and the certificate. Findings go to `report` as Damage::archive
/// with the lowest bad height. Returns: nothing if the file cannot be opened (found as well).
std::optional<ArchiveAnswer> check_archive(const std::string& path, const ChainAuditConfig& config,
                                           ArchiveProof proof, const OwnHeaders& own,
                                           AuditReport& report);

/// Does the certificate prove this header by the genesis? Returns: the height that is certified;
/// Errc::evidence_invalid and the errors of crypto::check_certificate.
Result<Height> check_archive_certificate(const ArchiveCertificate& certificate, const Header& last,
                                         const ChainAuditConfig& config);

}  // namespace baolian::ledger
