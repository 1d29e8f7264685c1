/// Bodies of the records that PBFT writes to the consensus log (consensus.md 1.7).
#pragma once

#include <span>
#include <vector>

#include "consensus/pbft/messages.h"
#include "consensus/records.h"

namespace baolian::consensus::pbft {

/// PP_ACCEPT (N2): an accepted proposal with batch, bodies and the own PREPARE.
struct PpAccept {
  static constexpr std::string_view kTypeName = "PpAccept";
  crypto::Vote vote;
  Signature proposal;  ///< the primary's signature under its PRE-PREPARE; zeros: from NEW-VIEW's O
  Bytes prepare;       ///< own PREPARE as sent
  Bytes batch;
  std::vector<Bytes> bodies;

  static constexpr auto fields() {
    return field_list(
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
    return field_list(
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
    return field_list(
        field("certificate", &Committed::certificate, "Q COMMITs"),
        field("batch", &Committed::batch, at_most(kBatchBytesMax),
              "canonical batch unless a PP_ACCEPT holds it"),
        field("bodies", &Committed::bodies, list_of_bytes(kBatchTransactionsMax, kBodyBytesMax),
              "transactions unless a PP_ACCEPT holds them"));
  }
};

/// VIEW_ENTER: the view with the NEW-VIEW that opened it and its VIEW-CHANGEs.
struct ViewEnter {
  static constexpr std::string_view kTypeName = "ViewEnter";
  View view;
  std::uint8_t backoff = 0;
  Bytes new_view;
  std::vector<Bytes> view_changes;

  static constexpr auto fields() {
    return field_list(
        field("view", &ViewEnter::view, "view entered"),
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
    return field_list(field("new_view", &ViewChangeSent::new_view, "view asked for"),
                      field("message", &ViewChangeSent::message, at_most(kViewChangeBytesMax),
                            "own VIEW-CHANGE as sent"));
  }
};

/// The canonical PpAccept, Committed and PrePrepare, made without copying batch and bodies into the
/// struct first. A null `batch` is the null batch.
Bytes encode_pp_accept(const crypto::Vote& vote, const Signature& proposal, BytesView prepare,
                       const SharedBytes& batch, std::span<const SharedBytes> bodies);
Bytes encode_committed(const crypto::VoteCertificate& certificate, const SharedBytes& batch,
                       std::span<const SharedBytes> bodies);
Bytes encode_pre_prepare(const crypto::Vote& vote, const SharedBytes& batch,
                         std::span<const SharedBytes> inline_bodies);

}  // namespace baolian::consensus::pbft
