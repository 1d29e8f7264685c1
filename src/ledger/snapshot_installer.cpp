#include "ledger/snapshot_installer.h"

#include <string>

#include "ledger/chain_state.h"
#include "ledger/index_format.h"

namespace baolian::ledger {
namespace {

/// Header, its hash and the certificate, where the chain looks for them.
void add_certified(const Header& header, const crypto::ExecCertificate& certificate,
                   std::vector<StoreWrite>& rows) {
  rows.push_back({Family::blocks, chain_keys::header(header.height), encode(header)});
  rows.push_back(
      {Family::meta, chain_keys::header_hash(header.height), to_bytes(header_hash(header).view())});
  if (certificate.vote.height == header.height) {
    rows.push_back({Family::blocks, chain_keys::certificate(header.height), encode(certificate)});
  }
}

/// The head with which an installation in this store began and did not end.
std::optional<SnapshotHead> begun_in(const KeyValueStore& store) {
  const auto bytes = store.read(Family::meta, chain_keys::installing());
  if (!bytes) return std::nullopt;
  auto head = decode<SnapshotHead>(*bytes);
  if (!head) return std::nullopt;
  return *std::move(head);
}

}  // namespace

Result<SnapshotInstaller> SnapshotInstaller::open(std::unique_ptr<KeyValueStore> store,
                                                  const Genesis& genesis,
                                                  const SnapshotHead& head) {
  SnapshotInstaller out(std::move(store), genesis, head);
  const auto begun = begun_in(*out.store_);
  if (begun) {
    if (header_hash(begun->header) != header_hash(head.header)) {
      return fail(Errc::already_exists, "another snapshot is being installed in this store");
    }
    out.head_ = *begun;
  } else {
    if (!out.store_->scan(Family::meta, {}, {}, 1).empty()) {
      return fail(Errc::already_exists, "the store for the snapshot is not empty");
    }
    out.store_->apply({{Family::meta, chain_keys::installing(), encode(head)}});
  }
  for (std::uint16_t number = 0; number < kChunkCount; ++number) {
    if (out.store_->read(Family::meta, chain_keys::installed_chunk(number))) {
      out.stored_.set(number);
    }
  }
  return out;
}

Result<void> SnapshotInstaller::add(BytesView chunk) {
  TRY(StateChunk read, decode<StateChunk>(chunk));
  if (read.height != head_.header.height) {
    return fail(Errc::bad_proof, "a state chunk of another height than the snapshot");
  }
  TRY(check_state_chunk(head_.header.state_root, read));
  if (stored_.test(read.number)) {
    return fail(Errc::already_exists, "this chunk is stored already");
  }
  std::vector<StoreWrite> rows;
  rows.reserve(read.rows.size() + 1);
  for (StateRow& row : read.rows) {
    rows.push_back({Family::state, std::move(row.key), std::move(row.value)});
  }
  rows.push_back({Family::meta, chain_keys::installed_chunk(read.number), Bytes{}});
  store_->apply(rows);
  stored_.set(read.number);
  return ok();
}

void SnapshotInstaller::finish(const StateOverlay::Writes& genesis_writes) {
  ASSERT(stored_.all());
  std::vector<StoreWrite> rows;
  const Header first = genesis_header(genesis_, genesis_writes);
  rows.push_back({Family::blocks, chain_keys::header(first.height), encode(first)});
  rows.push_back({Family::meta, chain_keys::genesis(), encode(genesis_)});
  for (const TrailLink& link : head_.trail) {
    add_certified(link.header, link.certificate, rows);
    rows.push_back({Family::meta, chain_keys::epoch(link.next.epoch), encode(link.next)});
  }
  if (head_.pending) {
    rows.push_back({Family::meta, chain_keys::epoch(head_.pending->epoch), encode(*head_.pending)});
  }
  Frontier history = head_.history;
  add_header_rows(head_.header, header_hash(head_.header), history, rows);
  add_certified(head_.header, head_.certificate, rows);
  const HeightRow height{.height = head_.header.height};
  rows.push_back({Family::meta, chain_keys::newest_certified(), encode(height)});
  rows.push_back({Family::meta, chain_keys::base(), encode(head_)});
  rows.push_back(index_mark_row(true));
  for (std::uint16_t number = 0; number < kChunkCount; ++number) {
    rows.push_back({Family::meta, chain_keys::installed_chunk(number), std::nullopt});
  }
  rows.push_back({Family::meta, chain_keys::installing(), std::nullopt});
  store_->apply(rows);
  store_->flush();
}

}  // namespace baolian::ledger
