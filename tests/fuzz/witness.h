/// Everything that correct nodes send passes here. The witness knows what no correct node may ever
/// say, and keeps the signatures that a liar in the network could collect.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "consensus/engine.h"
#include "consensus/pbft/messages.h"

namespace baolian::fuzz {

using consensus::Envelope;
using consensus::MessageKind;
using consensus::ReplicaId;
using consensus::SharedBytes;

/// Ends the run with the name of a promise that was broken.
[[noreturn]] void violation(const char* promise);

/// True with FUZZ_TRACE=1 in the environment: what happens is printed to stderr.
bool is_traced();
/// One line about a message, for traces.
std::string described(BytesView envelope);

/// Signatures under one vote, by validator.
using Signers = std::map<ValidatorIndex, Signature>;

/// ASSERTs, over all runs of all correct nodes: one digest per (kind, view, height) and signer
/// (I4); one VIEW-CHANGE and one NEW-VIEW per view; no new vote in a view that was left; every
/// height above h for which COMMIT was sent is in P of later VIEW-CHANGEs (I13).
class Witness {
 public:
  void on_sent(ReplicaId from, const SharedBytes& bytes);

  /// All votes of this kind for exactly this (view, height, digest).
  Signers votes(MessageKind kind, const crypto::Vote& vote) const;
  Signers execs(const crypto::ExecVote& vote) const;
  /// Envelopes of proposals, VIEW-CHANGEs and NEW-VIEWs as they were sent.
  const std::vector<SharedBytes>& envelopes(MessageKind kind) const;
  /// Votes for which there is at least one signature, in the order in which they came.
  const std::vector<crypto::Vote>& voted() const { return voted_; }
  View highest_view() const { return highest_view_; }

 private:
  void on_vote(const Envelope& envelope, const crypto::Vote& vote);
  void on_exec(const Envelope& envelope);
  void on_view_change(const Envelope& envelope, const SharedBytes& bytes);
  void keep(MessageKind kind, const SharedBytes& bytes);

  using VoteKey = std::tuple<ValidatorIndex, MessageKind, View, Height>;
  std::map<VoteKey, Hash> signed_;
  std::map<std::pair<ValidatorIndex, Height>, Hash> executed_;
  std::map<std::tuple<ValidatorIndex, MessageKind, View>, Hash> once_a_view_;
  std::map<ValidatorIndex, View> left_;  ///< view of the newest VIEW-CHANGE
  std::map<std::tuple<MessageKind, View, Height, Hash>, Signers> votes_;
  std::map<std::pair<Height, Hash>, Signers> execs_;
  std::map<MessageKind, std::vector<SharedBytes>> envelopes_;
  std::vector<crypto::Vote> voted_;
  View highest_view_;
};

}  // namespace baolian::fuzz
