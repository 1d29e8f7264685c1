#include "sim/sim_snapshots.h"

#include <utility>

#include "contracts/execute.h"
#include "core/assert.h"
#include "crypto/hash.h"
#include "ledger/state_chunk.h"

namespace baolian::sim {

namespace {

std::vector<Bytes> chunks_of(const ledger::SnapshotCut& cut) {
  std::vector<ledger::StateChunk> chunks(ledger::kChunkCount);
  for (ledger::KeyValue& row : cut.rows->scan({}, {}, SIZE_MAX)) {
    const std::uint16_t number = ledger::chunk_number(crypto::sha256(row.key));
    chunks[number].rows.push_back({std::move(row.key), std::move(row.value)});
  }
  std::vector<Bytes> out;
  for (ledger::StateChunk& chunk : chunks) {
    chunk.height = cut.header.height;
    chunk.number = static_cast<std::uint16_t>(out.size());
    chunk.proof = cut.proofs[chunk.number];
    out.push_back(encode(chunk));
  }
  return out;
}

}  // namespace

void SimSnapshots::start() {
  if (heights_ > 0 && chain_.base().value > 0 && !held(Height{})) cut_ = chain_.cut();
}

void SimSnapshots::after_block() {
  const Height height = chain_.height();
  if (heights_ == 0 || height.value == 0 || height.value % heights_ != 0) return;
  cut_ = chain_.cut();
}

/// The cut becomes a whole snapshot with the first certificate that covers it.
void SimSnapshots::complete() const {
  if (!cut_.has_value()) return;
  auto head = chain_.snapshot_head(*cut_);
  if (!head) return;
  std::vector<Bytes> chunks = chunks_of(*cut_);
  std::uint64_t size = 0;
  for (const Bytes& chunk : chunks) size += chunk.size();
  const node::SnapshotOffer offer{.version = {}, .head = *std::move(head), .size_bytes = size};
  disk_.whole = SnapshotDisk::Whole{
      cut_->header.height, std::make_shared<const Bytes>(encode(offer)), std::move(chunks)};
  cut_.reset();
}

std::optional<node::SnapshotPort::Held> SimSnapshots::held(Height height) const {
  complete();
  if (!disk_.whole.has_value()) return std::nullopt;
  if (height.value != 0 && height != disk_.whole->height) return std::nullopt;
  return Held{disk_.whole->height, disk_.whole->offer};
}

void SimSnapshots::read_chunk(node::ReplicaId peer, const node::FetchChunk& wanted) {
  node::ChunkPart part{.version = {},
                       .height = wanted.height,
                       .number = wanted.number,
                       .offset = wanted.offset,
                       .total_bytes = 0,
                       .bytes = {}};
  if (disk_.whole.has_value() && disk_.whole->height == wanted.height) {
    const Bytes& chunk = disk_.whole->chunks[wanted.number];
    part.total_bytes = static_cast<std::uint32_t>(chunk.size());
    const std::size_t offset = std::min<std::size_t>(wanted.offset, chunk.size());
    part.bytes = to_bytes(BytesView(chunk).subspan(offset));
  }
  later_([this, peer, bytes = std::make_shared<const Bytes>(encode(part))] {
    answers_.chunk_read(peer, bytes);
  });
}

void SimSnapshots::begin_install(const ledger::SnapshotHead& head) {
  later_([this, head] {
    installer_.reset();
    if (disk_.joining != nullptr) {
      auto opened = ledger::SnapshotInstaller::open(ledger::make_memory_store(disk_.joining),
                                                    chain_.genesis(), head);
      if (opened) installer_.emplace(*std::move(opened));
    }
    if (!installer_) {
      disk_.joining = std::make_shared<ledger::MemoryDisk>();
      auto opened = ledger::SnapshotInstaller::open(ledger::make_memory_store(disk_.joining),
                                                    chain_.genesis(), head);
      ASSERT(opened.has_value());
      installer_.emplace(*std::move(opened));
    }
    answers_.install_begun(installer_->stored());
  });
}

void SimSnapshots::store_chunk(std::uint16_t number, Bytes chunk) {
  later_([this, number, chunk = std::move(chunk)] {
    if (installer_) answers_.chunk_stored(number, installer_->add(chunk));
  });
}

void SimSnapshots::finish_install() {
  later_([this] {
    installer_->finish(contracts::genesis_writes(chain_.genesis()));
    installer_.reset();
    disk_.joined = std::exchange(disk_.joining, nullptr);
    answers_.installed();
  });
}

}  // namespace baolian::sim
