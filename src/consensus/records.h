/// Bodies of the consensus log's records that every engine writes (consensus.md 1.7). What was
/// signed can be rebuilt from them and nothing else: a replica resends the bytes stored here and
/// never signs anew.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "consensus/engine.h"
#include "consensus/messages.h"

namespace baolian::consensus {

inline constexpr std::uint32_t kVoteMessageBytesMax = 256;

/// EXEC_SENT (N6): what execution gave, and the own EXEC.
struct ExecSent {
  static constexpr std::string_view kTypeName = "ExecSent";
  crypto::ExecVote vote;
  Bytes message;

  static constexpr auto fields() {
    return field_list(
        field("vote", &ExecSent::vote, "height and own header hash"),
        field("message", &ExecSent::message, at_most(kVoteMessageBytesMax), "own EXEC as sent"));
  }
};

/// EXECCERT: the certificate of a height with its header.
struct ExecCert {
  static constexpr std::string_view kTypeName = "ExecCert";
  Bytes header;
  crypto::ExecCertificate certificate;

  static constexpr auto fields() {
    return field_list(field("header", &ExecCert::header, at_most(kHeaderBytesMax),
                            "canonical header; empty if not executed here yet"),
                      field("certificate", &ExecCert::certificate, "Q EXECs"));
  }
};

/// STOPPED (N7): DIVERGED, HALT or rolled back. A restart does not make the replica trustworthy
/// again.
struct Stopped {
  static constexpr std::string_view kTypeName = "Stopped";
  Stop::Kind kind{Stop::Kind::halt};
  std::string reason;

  static constexpr auto fields() {
    return field_list(field("kind", &Stopped::kind, "why in one word"),
                      field("reason", &Stopped::reason, at_most(1024), "why in a sentence"));
  }
};

/// A record inside a SNAPSHOT.
struct SnapshotEntry {
  static constexpr std::string_view kTypeName = "SnapshotEntry";
  RecordType type{RecordType::pp_accept};
  Bytes body;

  static constexpr auto fields() {
    return field_list(
        field("type", &SnapshotEntry::type, "record type"),
        field("body", &SnapshotEntry::body, at_most(8 * 1024 * 1024), "the record's body"));
  }
};

/// SNAPSHOT: first record of a segment, everything that older segments still had to say: where the
/// replica stands, ExecCert(h), and every record of a height above the cut.
struct Snapshot {
  static constexpr std::string_view kTypeName = "Snapshot";
  Version<3> version;
  std::optional<EpochStart> epoch;
  std::uint8_t backoff = 0;
  View voted_view;  ///< position of the last durable vote, which HELLO tells (1.7)
  Height voted_height;
  std::optional<ExecCert> certified;
  std::vector<SnapshotEntry> entries;

  static constexpr auto fields() {
    return field_list(
        field("version", &Snapshot::version, "format version"),
        field("epoch", &Snapshot::epoch, "how the epoch began; none in the first"),
        field("backoff", &Snapshot::backoff, "k: timers are base * 2^k"),
        field("voted_view", &Snapshot::voted_view, "highest view of a vote"),
        field("voted_height", &Snapshot::voted_height, "highest height of a vote"),
        field("certified", &Snapshot::certified, "ExecCert(h); none at the genesis"),
        field(
            "entries", &Snapshot::entries, at_most(1'000'000),
            "the last VIEW_ENTER and VC_SENT, then the records above the cut in the order in which "
            "they were written"));
  }
};

/// What encode_list() will append.
std::size_t list_size_bytes(std::span<const SharedBytes> items);
/// Appends a byte string, a batch (null: the null batch, empty) or a list of byte strings as the
/// codec writes them, straight from shared buffers.
void encode_bytes(Bytes& out, BytesView bytes);
void encode_batch(Bytes& out, const SharedBytes& batch);
void encode_list(Bytes& out, std::span<const SharedBytes> items);

/// The canonical SyncBlock, which is also the body of BLOCK.
Bytes encode_block(const Bytes& header, const crypto::ExecCertificate& certificate,
                   const SharedBytes& batch, std::span<const SharedBytes> bodies,
                   const std::vector<Bytes>& later_headers);

/// Shared buffers of decoded byte strings; moves them.
std::vector<SharedBytes> share_all(std::vector<Bytes>&& items);

}  // namespace baolian::consensus
