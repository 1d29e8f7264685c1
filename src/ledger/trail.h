/// The way from the genesis to a certified header: every change of validators, each certified by
/// the set that ended. Evidence files, archives and snapshots carry it; who checks it needs the
/// genesis alone.
#pragma once

#include <string>
#include <vector>

#include "core/codec.h"
#include "core/result.h"
#include "crypto/certificate.h"
#include "crypto/signing.h"
#include "crypto/validator_set.h"
#include "ledger/genesis.h"
#include "ledger/header.h"

namespace baolian::ledger {

inline constexpr std::uint32_t kTrailLinksMax = 4096;

/// A change of validators on the way from the genesis to the certified header: the last header of
/// an epoch with its certificate, and the record of the next epoch that the header names.
struct TrailLink {
  static constexpr std::string_view kTypeName = "TrailLink";
  Header header;
  crypto::ExecCertificate certificate;
  crypto::EpochRecord next;

  friend bool operator==(const TrailLink&, const TrailLink&) = default;
  static constexpr auto fields() {
    return field_list(
        field("header", &TrailLink::header, "the header with height = epoch_last_height"),
        field("certificate", &TrailLink::certificate, "by the validators of its epoch"),
        field("next", &TrailLink::next, "EPOCH record with hash next_validators_hash"));
  }
};

/// What a header says of its chain and epoch, against the epoch's record.
/// Returns: Errc::evidence_invalid.
Result<void> check_header(const Header& header, const ChainId& chain,
                          const crypto::EpochRecord& epoch);
/// The certificate is of this header and a quorum of the epoch signed it.
/// Returns: Errc::evidence_invalid; the errors of crypto::check_certificate.
Result<void> check_certified(const Header& header, const crypto::ExecCertificate& certificate,
                             const ChainId& chain, const crypto::EpochRecord& epoch,
                             const crypto::Verifier& verifier);
/// The epoch to which the trail leads. Requires: a checked genesis.
/// Returns: Errc::evidence_invalid; the errors of crypto::check_certificate.
Result<crypto::EpochRecord> follow_trail(const Genesis& genesis, const ChainId& chain,
                                         const std::vector<TrailLink>& trail,
                                         const crypto::Verifier& verifier);

/// "block 17", for sentences.
std::string block_name(const Header& header);

}  // namespace baolian::ledger
