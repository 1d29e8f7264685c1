/// Records of the consensus log (consensus.md 1.7): what they mean. The file that carries them,
/// with its framing, CRC, group commit and segments, is the node's LogStore (node/log_store.h).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/bytes.h"

namespace baolian::consensus {

/// Numbers are on disk and only grow.
enum class RecordType : std::uint8_t {
  boot = 1,      ///< incarnation, boot counter: fsynced before the first message of a run
  snapshot = 2,  ///< first record of every segment: everything that older segments still had to say
  epoch = 3,
  view_enter = 4,
  pp_accept = 5,       ///< accepted pre-prepare with batch and bodies
  prepared = 6,        ///< prepared certificate, before COMMIT is sent
  committed = 7,       ///< commit certificate
  exec_sent = 8,       ///< own EXEC: height, header hash, message bytes
  vc_sent = 9,         ///< own VIEW-CHANGE bytes
  exec_cert = 10,      ///< certificate of a height with its header
  block = 11,          ///< certified block that came by sync
  contradiction = 12,  ///< Evidence against a validator (N8)
  stopped = 13,        ///< DIVERGED or HALT: the replica votes no more, also after a restart
  raft_term = 14,      ///< Raft: the term, and for whom this replica voted in it
  raft_entry = 15,     ///< Raft: an entry with batch and bodies; replaces what stood at its index
};
constexpr auto enum_names(RecordType) {
  return std::array<std::string_view, 16>{
      "",          "boot",      "snapshot", "epoch",     "view_enter", "pp_accept",     "prepared",
      "committed", "exec_sent", "vc_sent",  "exec_cert", "block",      "contradiction", "stopped",
      "raft_term", "raft_entry"};
}

struct LogRecord {
  RecordType type{};
  std::shared_ptr<const Bytes>
      body;  ///< canonical bytes of the record type's struct (consensus/pbft/records.h)
};

}  // namespace baolian::consensus
