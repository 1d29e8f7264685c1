#include "consensus/raft/messages.h"

#include "consensus/records.h"

namespace baolian::consensus::raft {

Bytes encode_entry(const crypto::Vote& vote, ValidatorIndex leader, const Signature& signature,
                   const SharedBytes& batch, std::span<const SharedBytes> bodies) {
  Bytes out;
  out.reserve(128 + (batch ? batch->size() : 0) + list_size_bytes(bodies));
  Encoder(out).value(vote);
  Encoder(out).value(leader);
  Encoder(out).value(signature);
  encode_batch(out, batch);
  encode_list(out, bodies);
  return out;
}

Bytes encode_append(const AppendEntries& head, const std::vector<Bytes>& entries) {
  ASSERT(head.entries.empty() && entries.size() <= kAppendEntriesMax);
  std::size_t size = 64;
  for (const Bytes& entry : entries) size += entry.size();
  Bytes out;
  out.reserve(size);
  Encoder encoder(out);
  encoder.value(head.term);
  encoder.value(head.prev_index);
  encoder.value(head.prev_term);
  encoder.value(head.commit);
  encoder.value(head.request);
  encoder.length(entries.size());
  for (const Bytes& entry : entries) encoder.raw(entry);
  return out;
}

}  // namespace baolian::consensus::raft
