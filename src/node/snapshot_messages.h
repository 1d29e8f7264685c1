/// Messages by which a node gets the state of the others (consensus.md 1.8). They travel in the
/// class `sync`, unsigned: TLS names the peer, and everything in them is checked against a
/// certified header.
///
/// The first byte tells them from consensus (1), the pool (0xC1..0xC3) and institutions (0xD1..):
/// 0xC8 OFFER, 0xC9 QUERY, 0xCA FETCH, 0xCB PART.
#pragma once

#include "core/codec.h"
#include "core/ids.h"
#include "ledger/snapshot.h"
#include "ledger/state_chunk.h"

namespace baolian::node {

inline constexpr std::uint8_t kSnapshotOffer = 0xC8;
inline constexpr std::uint8_t kSnapshotQuery = 0xC9;
inline constexpr std::uint8_t kFetchChunk = 0xCA;
inline constexpr std::uint8_t kChunkPart = 0xCB;

inline constexpr std::uint32_t kPartBytesMax = 1024 * 1024;

/// A snapshot that the sender holds.
struct SnapshotOffer {
  static constexpr std::string_view kTypeName = "SnapshotOffer";
  Version<kSnapshotOffer> version;
  ledger::SnapshotHead head;
  std::uint64_t size_bytes = 0;

  static constexpr auto fields() {
    return field_list(
        field("version", &SnapshotOffer::version, "0xC8"),
        field("head", &SnapshotOffer::head, "under which certified header it stands"),
        field("size_bytes", &SnapshotOffer::size_bytes, "of all chunks, as the sender says"));
  }
};

/// Asks for an offer.
struct SnapshotQuery {
  static constexpr std::string_view kTypeName = "SnapshotQuery";
  Version<kSnapshotQuery> version;
  Height height;

  static constexpr auto fields() {
    return field_list(field("version", &SnapshotQuery::version, "0xC9"),
                      field("height", &SnapshotQuery::height, "of the snapshot; 0 = newest"));
  }
};

/// Asks for a part of a chunk.
struct FetchChunk {
  static constexpr std::string_view kTypeName = "FetchChunk";
  Version<kFetchChunk> version;
  Height height;
  std::uint16_t number = 0;
  std::uint32_t offset = 0;

  static constexpr auto fields() {
    return field_list(field("version", &FetchChunk::version, "0xCA"),
                      field("height", &FetchChunk::height, "of the snapshot"),
                      field("number", &FetchChunk::number, "of the chunk, 0..4095"),
                      field("offset", &FetchChunk::offset, "first byte that is wanted"));
  }
};

/// At most kPartBytesMax bytes of a chunk.
struct ChunkPart {
  static constexpr std::string_view kTypeName = "ChunkPart";
  Version<kChunkPart> version;
  Height height;
  std::uint16_t number = 0;
  std::uint32_t offset = 0;
  std::uint32_t total_bytes = 0;
  Bytes bytes;

  static constexpr auto fields() {
    return field_list(field("version", &ChunkPart::version, "0xCB"),
                      field("height", &ChunkPart::height, "of the snapshot"),
                      field("number", &ChunkPart::number, "of the chunk"),
                      field("offset", &ChunkPart::offset, "of the first byte"),
                      field("total_bytes", &ChunkPart::total_bytes,
                            "size of the chunk; 0 = the sender does not hold this snapshot"),
                      field("bytes", &ChunkPart::bytes, at_most(kPartBytesMax), "the part"));
  }
};

}  // namespace baolian::node
