/// Bodies of the PBFT messages (consensus.md 1.4, 1.6). The envelope's signature is over the whole
/// body, but for PRE-PREPARE over the Vote alone, with which its body begins. The digest in the
/// vote binds the batch and the batch binds the transactions, so any holder can pass a pre-prepare
/// on without the bodies it came with, and evidence of equivocation is two votes.
///
/// PREPARE and COMMIT have the body crypto::Vote: certificates are made of their signatures.
#pragma once

#include <vector>

#include "consensus/messages.h"

namespace baolian::consensus::pbft {

struct PrePrepare {
  static constexpr std::string_view kTypeName = "PrePrepare";
  crypto::Vote vote;
  Bytes batch;
  std::vector<Bytes> inline_bodies;

  static constexpr auto fields() {
    return field_list(
        field("vote", &PrePrepare::vote, "view, height and batch digest; all that is signed"),
        field("batch", &PrePrepare::batch, at_most(kBatchBytesMax), "canonical batch"),
        field("inline_bodies", &PrePrepare::inline_bodies,
              list_of_bytes(kBatchTransactionsMax, kBodyBytesMax),
              "transactions that receivers may lack, in any number"));
  }
};

enum class SuspectReason : std::uint8_t {
  request_not_executed = 1,
  height_not_committed = 2,
  invalid_proposal = 3,
  no_heartbeat = 4,
  no_new_view = 5,  ///< V9: T0 is over
};
constexpr auto enum_names(SuspectReason) {
  return std::array<std::string_view, 6>{"",
                                         "request_not_executed",
                                         "height_not_committed",
                                         "invalid_proposal",
                                         "no_heartbeat",
                                         "no_new_view"};
}

/// SUSPECT(v, reason): wants to leave view v (1.6 V1, V2).
struct Suspect {
  static constexpr std::string_view kTypeName = "Suspect";
  View view;
  SuspectReason reason{SuspectReason::no_heartbeat};

  static constexpr auto fields() {
    return field_list(field("view", &Suspect::view, "view to be left"),
                      field("reason", &Suspect::reason, "why"));
  }
};

/// VIEW-CHANGE(v', h, ExecCert(h), P) (1.6 V4).
struct ViewChange {
  static constexpr std::string_view kTypeName = "ViewChange";
  View new_view;
  Height certified;
  std::optional<crypto::ExecCertificate> checkpoint;
  std::vector<crypto::VoteCertificate> prepared;

  static constexpr auto fields() {
    return field_list(
        field("new_view", &ViewChange::new_view, "view to be entered"),
        field("certified", &ViewChange::certified, "h: newest certified height of the sender"),
        field("checkpoint", &ViewChange::checkpoint, "ExecCert(h); none at the genesis"),
        field("prepared", &ViewChange::prepared, at_most(kLogWindowMax),
              "P: prepared certificates above h, ascending by height"));
  }
};

/// One of the VIEW-CHANGEs on which a NEW-VIEW rests.
struct ViewChangeReference {
  static constexpr std::string_view kTypeName = "ViewChangeReference";
  ValidatorIndex sender = 0;
  Hash message_hash;

  friend auto operator<=>(const ViewChangeReference&, const ViewChangeReference&) = default;
  static constexpr auto fields() {
    return field_list(
        field("sender", &ViewChangeReference::sender, "who sent the VIEW-CHANGE"),
        field("message_hash", &ViewChangeReference::message_hash, "SHA-256 of its body"));
  }
};

/// O of a NEW-VIEW (1.6 V6): what the heights above the stable checkpoint carry in the new view. It
/// never travels, every replica computes it from the VIEW-CHANGEs; only its hash is compared.
struct Proposals {
  static constexpr std::string_view kTypeName = "Proposals";
  View view;
  Height checkpoint;          ///< mins: highest h of the VIEW-CHANGEs
  std::vector<Hash> digests;  ///< of the heights mins+1 ... maxs

  Height top() const { return checkpoint + digests.size(); }  ///< maxs
  friend bool operator==(const Proposals&, const Proposals&) = default;
  static constexpr auto fields() {
    return field_list(
        field("view", &Proposals::view, "view to be entered"),
        field("checkpoint", &Proposals::checkpoint, "mins: highest h of the VIEW-CHANGEs"),
        field("digests", &Proposals::digests, at_most(kLogWindowMax),
              "digests of the heights mins+1 ... maxs"));
  }
};

/// NEW-VIEW(v', [(sender, H(VC))] x Q, H(O)): O itself is recomputed by every replica (1.6 V5-V7).
struct NewView {
  static constexpr std::string_view kTypeName = "NewView";
  View view;
  std::vector<ViewChangeReference> view_changes;
  Hash proposals_hash;

  static constexpr auto fields() {
    return field_list(
        field("view", &NewView::view, "view to be entered"),
        field("view_changes", &NewView::view_changes, set_of(127), "the Q view changes"),
        field("proposals_hash", &NewView::proposals_hash, "SHA-256 of the canonical Proposals"));
  }
};

}  // namespace baolian::consensus::pbft
