#include "consensus/records.h"

namespace baolian::consensus {

std::size_t list_size_bytes(std::span<const SharedBytes> items) {
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

void encode_list(Bytes& out, std::span<const SharedBytes> items) {
  Encoder(out).length(items.size());
  for (const SharedBytes& item : items) {
    ASSERT(item != nullptr);
    encode_bytes(out, *item);
  }
}

Bytes encode_block(const Bytes& header, const crypto::ExecCertificate& certificate,
                   const SharedBytes& batch, std::span<const SharedBytes> bodies,
                   const std::vector<Bytes>& later_headers) {
  Bytes out;
  out.reserve(10000 + (batch ? batch->size() : 0) + list_size_bytes(bodies));
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

}  // namespace baolian::consensus
