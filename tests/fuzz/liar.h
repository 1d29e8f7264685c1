/// The fourth validator, which is faulty: it signs and sends whatever the fuzzer's bytes say. It
/// cannot forge the others' signatures, but has all of those that went over the wire.
///
/// Fields come from small domains around what the network does, so that a few bytes are enough to
/// equivocate, to withhold, to cherry-pick VIEW-CHANGEs or to present a real certificate in a wrong
/// place; some are out of every range.
#pragma once

#include <map>
#include <vector>

#include "fuzz/correct_nodes.h"
#include "fuzz/input_bytes.h"

namespace baolian::fuzz {

class Liar {
 public:
  explicit Liar(CorrectNodes& nodes) : nodes_(nodes), self_(nodes.liar()) {}

  /// Makes one message and sends it to some of the correct nodes.
  void act(InputBytes& in);

 private:
  struct MadeBatch {
    crypto::Vote vote;
    Bytes batch;
    std::vector<Bytes> bodies;
  };

  // Choices.
  View pick_view(InputBytes& in) const;
  Height pick_height(InputBytes& in) const;
  Hash pick_digest(InputBytes& in, Height height);
  crypto::Vote pick_vote(InputBytes& in);
  MadeBatch make_batch(InputBytes& in);
  crypto::Signatures pick_signatures(InputBytes& in, Signers signers, MessageKind kind,
                                     const Hash& body_hash) const;
  crypto::VoteCertificate pick_certificate(InputBytes& in, MessageKind kind,
                                           const crypto::Vote& vote) const;
  crypto::ExecCertificate pick_exec_certificate(InputBytes& in, Height height) const;
  SharedBytes pick_envelope(InputBytes& in, MessageKind kind) const;
  const Bytes* batch_of(const Hash& digest);

  // Bodies.
  Bytes pre_prepare(InputBytes& in);
  Bytes exec(InputBytes& in) const;
  Bytes view_change(InputBytes& in) const;
  Bytes new_view(InputBytes& in) const;
  Bytes status(InputBytes& in) const;
  Bytes fetch(InputBytes& in);
  Bytes reply(InputBytes& in);
  consensus::ReplyBlocks reply_blocks(InputBytes& in) const;
  consensus::ReplyNewView reply_new_view(InputBytes& in) const;
  Bytes altered(InputBytes& in, MessageKind kind) const;

  Signature sign(MessageKind kind, BytesView signed_part) const;
  void send(InputBytes& in, MessageKind kind, Bytes body);
  void push_body(InputBytes& in);

  CorrectNodes& nodes_;
  ValidatorIndex self_;
  std::map<Hash, MadeBatch> batches_;
  std::size_t proposals_read_ = 0;  ///< of the witness's pre-prepares
  std::map<MessageKind, std::vector<SharedBytes>> sent_;
  std::vector<SharedBytes> transactions_;
};

}  // namespace baolian::fuzz
