/// Verification of a window of a complete log: needs nothing but a certified header's state_root
/// and timestamp.
#pragma once

#include <span>

#include "core/ids.h"
#include "core/result.h"
#include "ledger/chain.h"

namespace baolian::ledger {

/// Checks that `proof` holds every entry of `log` with from <= time < to, in order, and at most one
/// neighbour on each side: before `from` and not before `to`.
///
/// A neighbour may be missing only at the log's end: the left one if the first entry handed over
/// has index 0, the right one if the last has index count - 1. The header must not be older than
/// the window's end (header_timestamp >= to): times never decrease, so no later block can add an
/// entry below `to`. A log without entries is proved by the absence of its frontier.
/// Returns: Errc::bad_argument if from > to; Errc::bad_proof with what does not hold.
Result<void> check_log_window(const Hash& state_root, TimeMs header_timestamp, const LogId& log,
                              TimeMs from, TimeMs to, const LogWindowProof& proof);

/// The entries of a checked window without its neighbours. The view lives as long as the proof.
std::span<const LogEntry> entries_in_window(const LogWindowProof& proof, TimeMs from, TimeMs to);

/// Index in the log of the first entry of entries_in_window().
std::uint64_t first_index_in_window(const LogWindowProof& proof, TimeMs from);

}  // namespace baolian::ledger
