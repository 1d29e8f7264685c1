/// Rewrites a stopped node's store without what is overwritten, erased or loosely packed
/// (`baoliand --compact`). The node does the same in the background, but never to the end: after a
/// large load, or before a copy is made of the directory, it is worth the minutes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/result.h"

namespace baolian::node {

struct Compaction {
  std::uint64_t bytes_before = 0;  ///< of the files below store/
  std::uint64_t bytes_after = 0;
};

/// Parts done of how many.
using CompactProgress = std::function<void(std::size_t done, std::size_t parts)>;

/// Interrupted, it loses nothing: the next call does the rest.
/// Returns: Errc::not_found without a store; Errc::io_failed, for example while the node runs.
Result<Compaction> compact_directory(const std::string& data_directory,
                                     const CompactProgress& progress);

}  // namespace baolian::node
