/// From the genesis to a certified header: the changes of validators, each certified by the set
/// that ends. Evidence files and archives carry such trails and are checked with them.
#pragma once

#include <string>
#include <vector>

#include "ledger/chain.h"
#include "ledger/evidence_file.h"

namespace baolian::ledger {

/// "block 17", for sentences.
std::string block_name(const Header& header);

/// What a header says of its chain and epoch, against the epoch record that a trail leads to.
/// Returns: Errc::evidence_invalid.
Result<void> check_header(const Header& header, const ChainId& chain,
                          const crypto::EpochRecord& epoch);

/// Returns: Errc::evidence_invalid if the certificate is of another header; the errors of
/// crypto::check_certificate.
Result<void> check_certified(const Header& header, const crypto::ExecCertificate& certificate,
                             const ChainId& chain, const crypto::EpochRecord& epoch,
                             const crypto::Verifier& verifier);

/// The epoch to which the trail leads from the genesis. Returns: Errc::evidence_invalid and the
/// errors of crypto::check_certificate.
Result<crypto::EpochRecord> follow_trail(const Genesis& genesis, const ChainId& chain,
                                         const std::vector<TrailLink>& trail,
                                         const crypto::Verifier& verifier);

/// The trail that leads to an epoch of this chain. Requires: an executed block is of that epoch.
/// Returns: Errc::not_certified if a certificate on the way is not here yet.
Result<std::vector<TrailLink>> trail_to(const Chain& chain, Epoch epoch);

}  // namespace baolian::ledger
