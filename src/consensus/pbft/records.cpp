#include "consensus/pbft/records.h"

namespace baolian::consensus::pbft {

Bytes encode_pp_accept(const crypto::Vote& vote, const Signature& proposal, BytesView prepare,
                       const SharedBytes& batch, std::span<const SharedBytes> bodies) {
  Bytes out;
  out.reserve(512 + (batch ? batch->size() : 0) + list_size_bytes(bodies));
  Encoder(out).value(vote);
  Encoder(out).value(proposal);
  encode_bytes(out, prepare);
  encode_batch(out, batch);
  encode_list(out, bodies);
  return out;
}

Bytes encode_committed(const crypto::VoteCertificate& certificate, const SharedBytes& batch,
                       std::span<const SharedBytes> bodies) {
  Bytes out;
  out.reserve(9000 + (batch ? batch->size() : 0) + list_size_bytes(bodies));
  Encoder(out).value(certificate);
  encode_batch(out, batch);
  encode_list(out, bodies);
  return out;
}

Bytes encode_pre_prepare(const crypto::Vote& vote, const SharedBytes& batch,
                         std::span<const SharedBytes> inline_bodies) {
  Bytes out;
  out.reserve(128 + (batch ? batch->size() : 0) + list_size_bytes(inline_bodies));
  Encoder(out).value(vote);
  encode_batch(out, batch);
  encode_list(out, inline_bodies);
  return out;
}

}  // namespace baolian::consensus::pbft
