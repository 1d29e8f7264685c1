/// Making archive files from a chain.
#pragma once

#include "ledger/archive.h"
#include "ledger/chain.h"

namespace baolian::ledger {

/// Writes the file of a span and its certificate, durable under their names; files that are there
/// and can be opened stay. The file is not read back: whoever prunes checks it first (check_archive
/// in ledger/audit). Requires: the span is executed here.
/// Returns: the file's hash; Errc::not_certified if no certificate at or above the span's end is
/// here; the errors of Chain::read_block(); Errc::io_failed.
Result<Hash> write_archive(const Chain& chain, const Archive& archive, const HeightSpan& span);

/// What proves the header of this height. Returns: Errc::not_certified.
Result<ArchiveCertificate> make_archive_certificate(const Chain& chain, Height last);

}  // namespace baolian::ledger
