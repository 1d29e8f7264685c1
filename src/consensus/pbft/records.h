/// Bodies of the consensus log's records (consensus.md 1.7). What was voted can be rebuilt from
/// them and nothing else: a replica resends the bytes stored here and never signs anew.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "consensus/engine.h"
#include "consensus/pbft/messages.h"

namespace baolian::consensus::pbft {

inline constexpr std::uint32_t kVoteMessageBytesMax = 256;

/// PP_ACCEPT (N2): an accepted proposal with batch, bodies and the own PREPARE.
struct PpAccept {
  static constexpr std::string_view kTypeName = "PpAccept";
  crypto::Vote vote;
  Signature proposal;  ///< the primary's signature under its PRE-PREPARE; zeros: from NEW-VIEW's O
  Bytes prepare;       ///< own PREPARE as sent
  Bytes batch;
  std::vector<Bytes> bodies;

  static constexpr auto fields() {
    return std::make_tuple(
        field("vote", &PpAccept::vote, "view, height, batch digest"),
        field("proposal", &PpAccept::proposal, "signature of the PRE-PREPARE; zeros: from O"),
        field("prepare", &PpAccept::prepare, at_most(kVoteMessageBytesMax), "own PREPARE as sent"),
        field("batch", &PpAccept::batch, at_most(kBatchBytesMax),
              "canonical batch; empty for the null batch"),
        field("bodies", &PpAccept::bodies, list_of_bytes(kBatchTransactionsMax, kBodyBytesMax),
              "transactions in batch order"));
  }
};

/// PREPARED (N3): an entry of P with the own COMMIT.
struct Prepared {
  static constexpr std::string_view kTypeName = "Prepared";
  crypto::VoteCertificate certificate;
  Bytes commit;

  static constexpr auto fields() {
    return std::make_tuple(
        field("certificate", &Prepared::certificate, "Q PREPAREs"),
        field("commit", &Prepared::commit, at_most(kVoteMessageBytesMax), "own COMMIT as sent"));
  }
};

/// COMMITTED (N4); batch and bodies are empty if a PP_ACCEPT of the same digest holds them.
struct Committed {
  static constexpr std::string_view kTypeName = "Committed";
  crypto::VoteCertificate certificate;
  Bytes batch;
  std::vector<Bytes> bodies;

  static constexpr auto fields() {
    return std::make_tuple(
        field("certificate", &Committed::certificate, "Q COMMITs"),
        field("batch", &Committed::batch, at_most(kBatchBytesMax),
              "canonical batch unless a PP_ACCEPT holds it"),
        field("bodies", &Committed::bodies, list_of_bytes(kBatchTransactionsMax, kBodyBytesMax),
              "transactions unless a PP_ACCEPT holds them"));
  }
};

/// EXEC_SENT (N6): what execution gave, and the own EXEC.
struct ExecSent {
  static constexpr std::string_view kTypeName = "ExecSent";
  crypto::ExecVote vote;
  Bytes message;

  static constexpr auto fields() {
    return std::make_tuple(
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
    return std::make_tuple(field("header", &ExecCert::header, at_most(kHeaderBytesMax),
                                 "canonical header; empty if not executed here yet"),
                           field("certificate", &ExecCert::certificate, "Q EXECs"));
  }
};

/// VIEW_ENTER: the view with the NEW-VIEW that opened it and its VIEW-CHANGEs.
struct ViewEnter {
  static constexpr std::string_view kTypeName = "ViewEnter";
  View view;
  Height proposals_top;  ///< maxs(v): heights up to here come from O only
  std::uint8_t backoff = 0;
  Bytes new_view;
  std::vector<Bytes> view_changes;

  static constexpr auto fields() {
    return std::make_tuple(
        field("view", &ViewEnter::view, "view entered"),
        field("proposals_top", &ViewEnter::proposals_top, "maxs: highest height of O"),
        field("backoff", &ViewEnter::backoff, "k: timers are base * 2^k"),
        field("new_view", &ViewEnter::new_view, at_most(kNewViewBytesMax), "NEW-VIEW as received"),
        field("view_changes", &ViewEnter::view_changes, list_of_bytes(127, kViewChangeBytesMax),
              "its VIEW-CHANGEs as received"));
  }
};

/// VC_SENT: the view is left; the own VIEW-CHANGE is resent until a NEW-VIEW comes.
struct ViewChangeSent {
  static constexpr std::string_view kTypeName = "ViewChangeSent";
  View new_view;
  Bytes message;

  static constexpr auto fields() {
    return std::make_tuple(field("new_view", &ViewChangeSent::new_view, "view asked for"),
                           field("message", &ViewChangeSent::message, at_most(kViewChangeBytesMax),
                                 "own VIEW-CHANGE as sent"));
  }
};

/// STOPPED (N7): DIVERGED, HALT or rolled back. A restart does not make the replica trustworthy
/// again.
struct Stopped {
  static constexpr std::string_view kTypeName = "Stopped";
  Stop::Kind kind{Stop::Kind::halt};
  std::string reason;

  static constexpr auto fields() {
    return std::make_tuple(field("kind", &Stopped::kind, "why in one word"),
                           field("reason", &Stopped::reason, at_most(1024), "why in a sentence"));
  }
};

/// A record inside a SNAPSHOT.
struct SnapshotEntry {
  static constexpr std::string_view kTypeName = "SnapshotEntry";
  RecordType type{RecordType::pp_accept};
  Bytes body;

  static constexpr auto fields() {
    return std::make_tuple(
        field("type", &SnapshotEntry::type, "record type"),
        field("body", &SnapshotEntry::body, at_most(8 * 1024 * 1024), "the record's body"));
  }
};

/// SNAPSHOT: first record of a segment, everything that older segments still had to say: where the
/// replica stands, ExecCert(h), and every record of a height above the cut.
struct Snapshot {
  static constexpr std::string_view kTypeName = "Snapshot";
  Version<2> version;
  View view;
  Height proposals_top;
  std::uint8_t backoff = 0;
  View voted_view;  ///< position of the last durable vote, which HELLO tells (1.7)
  Height voted_height;
  std::optional<ExecCert> certified;
  std::vector<SnapshotEntry> entries;

  static constexpr auto fields() {
    return std::make_tuple(
        field("version", &Snapshot::version, "format version"),
        field("view", &Snapshot::view, "newest view entered"),
        field("proposals_top", &Snapshot::proposals_top, "maxs of that view"),
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

/// Appends a list of byte strings as the codec writes it, straight from shared buffers.
void encode_list(Bytes& out, std::span<const SharedBytes> items);

/// The canonical PpAccept, Committed and PrePrepare, made without copying batch and bodies into the
/// struct first. A null `batch` is the null batch.
Bytes encode_pp_accept(const crypto::Vote& vote, const Signature& proposal, BytesView prepare,
                       const SharedBytes& batch, std::span<const SharedBytes> bodies);
Bytes encode_committed(const crypto::VoteCertificate& certificate, const SharedBytes& batch,
                       std::span<const SharedBytes> bodies);
Bytes encode_pre_prepare(const crypto::Vote& vote, const SharedBytes& batch,
                         std::span<const SharedBytes> inline_bodies);
/// The canonical SyncBlock, which is also the body of BLOCK.
Bytes encode_block(const Bytes& header, const crypto::ExecCertificate& certificate,
                   const SharedBytes& batch, std::span<const SharedBytes> bodies,
                   const std::vector<Bytes>& later_headers);

/// Shared buffers of decoded byte strings; moves them.
std::vector<SharedBytes> share_all(std::vector<Bytes>&& items);

}  // namespace baolian::consensus::pbft
