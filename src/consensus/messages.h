/// Bodies of the messages that every engine speaks: STATUS, FETCH and REPLY
/// (consensus.md 1.6, 1.8), and the limits of all bodies. The envelope around them names kind,
/// epoch and sender, and carries the signature. EXEC has the body crypto::ExecVote: certificates
/// are made of its signatures.
#pragma once

#include <variant>
#include <vector>

#include "consensus/batch.h"
#include "consensus/engine.h"
#include "crypto/certificate.h"

namespace baolian::consensus {

/// Views at or above 2^62 are refused wherever they appear (1.6 V3): no arithmetic on views wraps.
inline constexpr std::uint64_t kViewLimit = 1ULL << 62;
inline constexpr std::uint32_t kBatchBytesMax = 512 * 1024;
inline constexpr std::uint32_t kBodyBytesMax = 256 * 1024;
inline constexpr std::uint32_t kHeaderBytesMax = 1024;
/// Body of the largest envelope (a frame of 4 MiB less the envelope's own fields).
inline constexpr std::uint32_t kMessageBodyBytesMax = 4 * 1024 * 1024 - 256;
inline constexpr std::uint16_t kLogWindowMax = 1024;
inline constexpr std::uint32_t kReplyBlocksMax = 32;
inline constexpr std::uint32_t kViewChangeBytesMax = 512 * 1024;  ///< of the envelope (1.12)
inline constexpr std::uint32_t kNewViewBytesMax = 64 * 1024;

/// An envelope in its canonical bytes.
SharedBytes make_envelope(MessageKind kind, Epoch epoch, ValidatorIndex sender, Bytes body,
                          const Signature& signature);
/// The epoch that an envelope names; none for bytes that are too short or of another format. Says
/// nothing about the rest.
std::optional<Epoch> envelope_epoch(BytesView bytes);

/// Canonical bytes of the Vote with which a PRE-PREPARE begins.
inline constexpr std::size_t kVoteBytes = 8 + 8 + 32;
inline constexpr std::size_t kExecVoteBytes = 8 + 32;

/// How far a height is at the sender of a STATUS.
enum class Progress : std::uint8_t {
  none = 0,
  proposed = 1,  ///< the batch is here, bodies are missing
  accepted = 2,  ///< batch and bodies are here
  prepared = 3,  ///< in the view of this STATUS
  committed = 4,
};
constexpr auto enum_names(Progress) {
  return std::array<std::string_view, 5>{"none", "proposed", "accepted", "prepared", "committed"};
}

/// STATUS: heartbeat of the primary, and what everybody else needs to see what a peer lacks.
struct StatusBody {
  static constexpr std::string_view kTypeName = "Status";
  View view;
  bool active = false;
  View view_change;  ///< view of the newest VIEW-CHANGE sent; 0 if none
  Height certified;
  Height executed;
  std::vector<Progress> progress;

  static constexpr auto fields() {
    return field_list(
        field("view", &StatusBody::view, "view of the sender"),
        field("active", &StatusBody::active, "false between leaving a view and entering the next"),
        field("view_change", &StatusBody::view_change, "view of its newest VIEW-CHANGE; 0 = none"),
        field("certified", &StatusBody::certified, "h: newest certified height"),
        field("executed", &StatusBody::executed, "last_exec: newest executed height"),
        field("progress", &StatusBody::progress, at_most(kLogWindowMax),
              "how far heights h+1, h+2, ... are; absent = none"));
  }
};

/// Certified blocks from a height on, as many as fit; answered when there is one.
struct FetchBlocks {
  static constexpr std::string_view kTypeName = "FetchBlocks";
  Height first;
  static constexpr auto fields() {
    return field_list(field("first", &FetchBlocks::first, "first height wanted"));
  }
};

/// The transactions of a batch that the receiver accepted.
struct FetchBodies {
  static constexpr std::string_view kTypeName = "FetchBodies";
  Height height;
  Hash digest;
  static constexpr auto fields() {
    return field_list(field("height", &FetchBodies::height, "height of the batch"),
                      field("digest", &FetchBodies::digest, "digest of the batch"));
  }
};

/// A batch whose digest came with a NEW-VIEW; anyone who accepted it in any view has it.
struct FetchBatch {
  static constexpr std::string_view kTypeName = "FetchBatch";
  Height height;
  Hash digest;
  static constexpr auto fields() {
    return field_list(field("height", &FetchBatch::height, "height of the batch"),
                      field("digest", &FetchBatch::digest, "digest of the batch"));
  }
};

/// A VIEW-CHANGE that a NEW-VIEW names (V5).
struct FetchViewChange {
  static constexpr std::string_view kTypeName = "FetchViewChange";
  ValidatorIndex sender = 0;
  Hash message_hash;
  static constexpr auto fields() {
    return field_list(field("sender", &FetchViewChange::sender, "who sent the VIEW-CHANGE"),
                      field("message_hash", &FetchViewChange::message_hash, "SHA-256 of its body"));
  }
};

struct Fetch {
  static constexpr std::string_view kTypeName = "Fetch";
  std::uint64_t request = 0;
  std::variant<FetchBlocks, FetchBodies, FetchBatch, FetchViewChange> what;
  static constexpr auto fields() {
    return field_list(field("request", &Fetch::request, "repeated in the reply"),
                      field("what", &Fetch::what,
                            "0 FetchBlocks, 1 FetchBodies, 2 FetchBatch, 3 FetchViewChange"));
  }
};

struct ReplyBlocks {
  static constexpr std::string_view kTypeName = "ReplyBlocks";
  std::vector<Bytes> blocks;
  static constexpr auto fields() {
    return field_list(field("blocks", &ReplyBlocks::blocks,
                            list_of_bytes(kReplyBlocksMax, kMessageBodyBytesMax),
                            "SyncBlocks, consecutive heights"));
  }
};

struct ReplyBodies {
  static constexpr std::string_view kTypeName = "ReplyBodies";
  Hash digest;
  std::vector<Bytes> bodies;
  static constexpr auto fields() {
    return field_list(
        field("digest", &ReplyBodies::digest, "digest of the batch"),
        field("bodies", &ReplyBodies::bodies, list_of_bytes(kBatchTransactionsMax, kBodyBytesMax),
              "transactions of the batch"));
  }
};

/// S2: the newest ExecCert of the sender.
struct ReplyCertificate {
  static constexpr std::string_view kTypeName = "ReplyCertificate";
  Bytes header;
  crypto::ExecCertificate certificate;
  static constexpr auto fields() {
    return field_list(field("header", &ReplyCertificate::header, at_most(kHeaderBytesMax),
                            "header of the height; empty if the sender has not executed it"),
                      field("certificate", &ReplyCertificate::certificate, "its ExecCert"));
  }
};

/// S3: a CommitQC with its batch.
struct ReplyCommit {
  static constexpr std::string_view kTypeName = "ReplyCommit";
  crypto::VoteCertificate certificate;
  Bytes batch;
  static constexpr auto fields() {
    return field_list(field("certificate", &ReplyCommit::certificate, "Q COMMITs"),
                      field("batch", &ReplyCommit::batch, at_most(kBatchBytesMax),
                            "canonical batch; empty for the null batch"));
  }
};

/// S3: a pre-prepare, passed on by any holder.
struct ReplyPrePrepare {
  static constexpr std::string_view kTypeName = "ReplyPrePrepare";
  Bytes envelope;
  static constexpr auto fields() {
    return field_list(field("envelope", &ReplyPrePrepare::envelope, at_most(kBatchBytesMax + 1024),
                            "the primary's envelope, without inline bodies"));
  }
};

struct ReplyBatch {
  static constexpr std::string_view kTypeName = "ReplyBatch";
  Height height;
  Bytes batch;
  static constexpr auto fields() {
    return field_list(
        field("height", &ReplyBatch::height, "height of the batch"),
        field("batch", &ReplyBatch::batch, at_most(kBatchBytesMax), "canonical batch"));
  }
};

/// S5: a VIEW-CHANGE, own or passed on.
struct ReplyViewChange {
  static constexpr std::string_view kTypeName = "ReplyViewChange";
  Bytes envelope;
  static constexpr auto fields() {
    return field_list(field("envelope", &ReplyViewChange::envelope, at_most(kViewChangeBytesMax),
                            "the VIEW-CHANGE as sent"));
  }
};

/// V10: the NEW-VIEW of the view that the bearer is in, with the VIEW-CHANGEs on which it rests.
struct ReplyNewView {
  static constexpr std::string_view kTypeName = "ReplyNewView";
  Bytes envelope;
  std::vector<Bytes> view_changes;
  static constexpr auto fields() {
    return field_list(
        field("envelope", &ReplyNewView::envelope, at_most(kNewViewBytesMax),
              "the NEW-VIEW as sent by its primary"),
        field("view_changes", &ReplyNewView::view_changes, list_of_bytes(127, kViewChangeBytesMax),
              "its VIEW-CHANGEs as sent, in the order of their senders"));
  }
};

struct Reply {
  static constexpr std::string_view kTypeName = "Reply";
  std::uint64_t request = 0;
  std::variant<ReplyBlocks, ReplyBodies, ReplyCertificate, ReplyCommit, ReplyPrePrepare, ReplyBatch,
               ReplyViewChange, ReplyNewView>
      what;
  static constexpr auto fields() {
    return field_list(
        field("request", &Reply::request, "number of the FETCH; 0 for an answer to a STATUS"),
        field("what", &Reply::what,
              "0 ReplyBlocks, 1 ReplyBodies, 2 ReplyCertificate, 3 ReplyCommit, "
              "4 ReplyPrePrepare, 5 ReplyBatch, 6 ReplyViewChange, 7 ReplyNewView"));
  }
};

}  // namespace baolian::consensus
