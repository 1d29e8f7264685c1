#include "consensus/pbft/records.h"

namespace baolian::consensus::pbft {
namespace {

std::size_t size_of(std::span<const SharedBytes> items) {
  std::size_t size = 4;
  for (const SharedBytes& item : items) size += 4 + item->size();
  return size;
}

void encode_bytes(Bytes& out, BytesView bytes) {
  Encoder encoder(out);
  encoder.length(bytes.size());
  encoder.raw(bytes);
}

void encode_batch(Bytes& out, const SharedBytes& batch) {
  encode_bytes(out, batch ? BytesView(*batch) : BytesView());
}

}  // namespace

void encode_list(Bytes& out, std::span<const SharedBytes> items) {
  Encoder(out).length(items.size());
  for (const SharedBytes& item : items) {
    ASSERT(item != nullptr);
    encode_bytes(out, *item);
  }
}

Bytes encode_pp_accept(const crypto::Vote& vote, const Signature& proposal, BytesView prepare,
                       const SharedBytes& batch, std::span<const SharedBytes> bodies) {
  Bytes out;
  out.reserve(512 + (batch ? batch->size() : 0) + size_of(bodies));
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
  out.reserve(9000 + (batch ? batch->size() : 0) + size_of(bodies));
  Encoder(out).value(certificate);
  encode_batch(out, batch);
  encode_list(out, bodies);
  return out;
}

Bytes encode_pre_prepare(const crypto::Vote& vote, const SharedBytes& batch,
                         std::span<const SharedBytes> inline_bodies) {
  Bytes out;
  out.reserve(128 + (batch ? batch->size() : 0) + size_of(inline_bodies));
  Encoder(out).value(vote);
  encode_batch(out, batch);
  encode_list(out, inline_bodies);
  return out;
}

Bytes encode_block(const Bytes& header, const crypto::ExecCertificate& certificate,
                   const SharedBytes& batch, std::span<const SharedBytes> bodies,
                   const std::vector<Bytes>& later_headers) {
  Bytes out;
  out.reserve(10000 + (batch ? batch->size() : 0) + size_of(bodies));
  Encoder encoder(out);
  encoder.value(Version<1>{});
  encode_bytes(out, header);
  encoder.value(certificate);
  encode_batch(out, batch);
  encode_list(out, bodies);
  encoder.length(later_headers.size());
  for (const Bytes& later : later_headers) encode_bytes(out, later);
  return out;
}

std::vector<SharedBytes> share_all(std::vector<Bytes>&& items) {
  std::vector<SharedBytes> out;
  out.reserve(items.size());
  for (Bytes& item : items) out.push_back(std::make_shared<const Bytes>(std::move(item)));
  return out;
}

}  // namespace baolian::consensus::pbft
