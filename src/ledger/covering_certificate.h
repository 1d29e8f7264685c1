/// A certificate covers its own header and, through parent_hash, all below: what is handed to
/// others with one certificate (blocks, archives, snapshots) brings the headers between.
#pragma once

#include <vector>

#include "core/result.h"
#include "crypto/certificate.h"
#include "ledger/chain.h"
#include "ledger/header.h"

namespace baolian::ledger {

/// More headers are never needed: consensus certifies inside a window that is no larger.
inline constexpr std::size_t kCoveredHeadersMax = 1024;

struct CoveringCertificate {
  std::vector<Header> later;  ///< from the height after the wanted one up to the certified one
  crypto::ExecCertificate certificate;
};

/// The lowest certificate of this chain that covers a height.
/// Returns: Errc::not_certified if none is here, or only one further above.
Result<CoveringCertificate> covering_certificate(const Chain& chain, Height height);

}  // namespace baolian::ledger
