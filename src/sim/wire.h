/// Consensus messages as the simulator sees them: read without the engine's help, and made by those
/// who do not follow its rules.
#pragma once

#include <memory>
#include <optional>

#include "consensus/engine.h"
#include "consensus/signed_as.h"
#include "core/ids.h"
#include "crypto/signing.h"
#include "node/ports.h"

namespace baolian::sim {

/// Fields of an envelope in place: nothing is copied, nothing is verified.
struct MessageView {
  consensus::MessageKind kind{};
  Epoch epoch;
  ValidatorIndex sender = 0;
  BytesView body;
  BytesView signature;
};
/// Nothing if the bytes are no whole envelope (a message of the pool, or noise).
std::optional<MessageView> peek(BytesView envelope);

/// What a vote is for, read from the head of its body.
struct VoteHead {
  View view;  ///< 0 for EXEC, which has none
  Height height;
  Hash digest;  ///< of the batch, or the header hash of an EXEC
};
/// Of PRE-PREPARE, PREPARE, COMMIT and EXEC; nothing for the other kinds or a body that is too
/// short.
std::optional<VoteHead> peek_vote(const MessageView& message);

using consensus::signed_as;
node::MessageClass class_of(consensus::MessageKind kind);

/// Makes envelopes in the name of one validator, whatever they say.
class Forge {
 public:
  Forge(const ChainId& chain, Epoch epoch, ValidatorIndex self, const crypto::Signer& signer)
      : chain_(chain), epoch_(epoch), self_(self), signer_(&signer) {}

  ValidatorIndex self() const { return self_; }
  Epoch epoch() const { return epoch_; }
  const ChainId& chain() const { return chain_; }

  /// A correctly signed message with this body.
  node::SharedBytes message(consensus::MessageKind kind, Bytes body) const {
    return message_as(kind, std::move(body), signed_as(kind), chain_, epoch_);
  }
  /// A message whose signature is of another type, chain or epoch than it says.
  node::SharedBytes message_as(consensus::MessageKind kind, Bytes body,
                               std::optional<crypto::ObjectType> type, const ChainId& chain,
                               Epoch epoch) const;
  Signature sign(crypto::ObjectType type, BytesView body) const;

 private:
  ChainId chain_;
  Epoch epoch_;
  ValidatorIndex self_;
  const crypto::Signer* signer_;
};

}  // namespace baolian::sim
