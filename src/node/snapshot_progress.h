/// How far a node is that gets the state of the others.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/ids.h"

namespace baolian::node {

struct SnapshotProgress {
  Height height;                  ///< of the snapshot; 0: none is fetched
  std::size_t chunks = 0;         ///< stored, of ledger::kChunkCount
  std::uint64_t bytes = 0;        ///< fetched in this run
  std::uint64_t bytes_total = 0;  ///< as a peer says
  std::size_t sources = 0;        ///< peers that give chunks
  bool is_staged = false;         ///< whole; the node begins anew
};

}  // namespace baolian::node
