/// Bodies of the consensus log's records. Six bodies are written by functions that do not copy
/// batch and bodies into the struct first (pbft/records.h, raft/messages.h): they must write what
/// the codec writes.
#include "fuzz/decoders.h"

namespace baolian::fuzz {
namespace {

using consensus::SharedBytes;
namespace pbft = consensus::pbft;
namespace raft = consensus::raft;

SharedBytes shared_batch(const Bytes& batch) {
  return batch.empty() ? nullptr : std::make_shared<const Bytes>(batch);
}

void check_writers(BytesView in) {
  if (auto record = decode<pbft::PpAccept>(in)) {
    const auto batch = shared_batch(record->batch);
    const auto bodies = consensus::share_all(std::move(record->bodies));
    ASSERT(pbft::encode_pp_accept(record->vote, record->proposal, record->prepare, batch, bodies) ==
           to_bytes(in));
  }
  if (auto record = decode<pbft::Committed>(in)) {
    const auto batch = shared_batch(record->batch);
    const auto bodies = consensus::share_all(std::move(record->bodies));
    ASSERT(pbft::encode_committed(record->certificate, batch, bodies) == to_bytes(in));
  }
  if (auto message = decode<pbft::PrePrepare>(in)) {
    const auto batch = shared_batch(message->batch);
    const auto bodies = consensus::share_all(std::move(message->inline_bodies));
    ASSERT(pbft::encode_pre_prepare(message->vote, batch, bodies) == to_bytes(in));
  }
  if (auto block = decode<consensus::SyncBlock>(in)) {
    const auto batch = shared_batch(block->batch);
    const auto bodies = consensus::share_all(std::move(block->bodies));
    ASSERT(consensus::encode_block(block->header, block->certificate, batch, bodies,
                                   block->later_headers) == to_bytes(in));
  }
  if (auto entry = decode<raft::Entry>(in)) {
    const auto batch = shared_batch(entry->batch);
    const auto bodies = consensus::share_all(std::move(entry->bodies));
    ASSERT(raft::encode_entry(entry->vote, entry->leader, entry->signature, batch, bodies) ==
           to_bytes(in));
  }
  if (auto append = decode<raft::AppendEntries>(in)) {
    std::vector<Bytes> entries;
    for (const raft::Entry& entry : append->entries) entries.push_back(encode(entry));
    append->entries.clear();
    ASSERT(raft::encode_append(*append, entries) == to_bytes(in));
  }
}

}  // namespace
}  // namespace baolian::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace baolian::fuzz;
  const baolian::BytesView in(data, size);
  LogRecords::check(in);
  if (!in.empty()) check_writers(in.subspan(1));
  return 0;
}
